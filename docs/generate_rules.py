"""Write the pages of the rules, in English and Chinese, from the rules' own docstrings.

    python docs/generate_rules.py [FOLDER]      (default: docs/rules)

One page per rule and language, and an index of all rules by topic.
"""

from __future__ import annotations

import sys
from pathlib import Path

from didact._core.i18n import Language, Text
from didact.check.rules import RULES, Rule

TOPICS = {
    "space": Text(
        "Spaces: logits, probabilities, log-probabilities", "空间：logits、概率、对数概率"
    ),
    "temperature": Text("Temperature", "温度"),
    "reduction": Text("Reduction, masks, sign", "归约、掩码、符号"),
    "dimension": Text("Dimensions and slices", "维度与切片"),
    "teacher": Text("Gradient and the teacher's state", "梯度与教师状态"),
    "weights": Text("Weights and Python", "权重与 Python"),
}
SEVERITIES = {
    "error": Text("error", "错误"),
    "warning": Text("warning", "警告"),
    "info": Text("info", "提示"),
}
_TITLE = Text("Rules of `didact check`", "`didact check` 的规则")
_INTRODUCTION = Text(
    "An *error* destroys or disables the signal, or crashes; a *warning* computes another scale or "
    "objective than the one that is written; an *info* is worth knowing and may well be meant.",
    "*错误*：训练信号被破坏、失效，或程序崩溃；*警告*：实际计算的尺度或目标与公式不同；"
    "*提示*：值得知道，也可能本就有意为之。",
)
_FILTER = Text("Find a rule", "查找规则")
_TABLE = Text("| rule | finds | severity |", "| 规则 | 检查内容 | 级别 |")


def index(language: Language) -> str:
    """The table of all rules."""
    parts = [f"# {_TITLE.pick(language)}", _INTRODUCTION.pick(language)]
    parts.append(f'<div class="filter" data-label="{_FILTER.pick(language)}"></div>')
    for topic, title in TOPICS.items():
        rows = [_row(rule, language) for rule in RULES.values() if rule.topic == topic]
        table = "\n".join([_TABLE.pick(language), "| --- | --- | --- |", *rows])
        parts.append(f"## {title.pick(language)}\n\n{table}")
    pages = "\n".join(file_name(rule, language).removesuffix(".md") for rule in RULES.values())
    parts.append(f"```{{toctree}}\n:hidden:\n\n{pages}\n```")
    return "\n\n".join(parts) + "\n"


def _row(rule: Rule, language: Language) -> str:
    link = f"[{rule.code}]({file_name(rule, language)}) {rule.name}"
    severity = SEVERITIES[rule.severity.value].pick(language)
    return f"| {link} | {rule.summary.pick(language)} | {severity} |"


def file_name(rule: Rule, language: Language) -> str:
    """The name of a rule's page."""
    return f"{rule.code}.md" if language == "en" else f"{rule.code}.zh.md"


def write(folder: Path) -> list[Path]:
    """Write all pages; give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str] = {"index.md": index("en"), "index.zh.md": index("zh")}
    for rule in RULES.values():
        texts[file_name(rule, "en")] = rule.page("en")
        texts[file_name(rule, "zh")] = rule.page("zh")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "rules"
    print(f"{len(write(target))} pages in {target}")
