"""Writes the pages of the losses from cards and docstrings: ``python docs/generate_losses.py``.

``docs/losses.md`` has the index by purpose and every docstring, ``docs/losses.zh-CN.md`` the index
in Chinese, whose links lead into the other page.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from didact._core.i18n import Language, Text
from didact.losses import (
    CARDS,
    Card,
    Head,
    TopK,
    fused_linear_kd,
    next_tokens,
    standardise_logits,
    standardised,
    token_maps,
)
from didact.losses.kit.registry import PURPOSES

PAGE = Path(__file__).parent / "losses.md"
CHINESE = PAGE.with_name("losses.zh-CN.md")
FAMILIES = {
    "logits": "Losses on logits",
    "teachers": "Several teachers",
    "features": "Losses on features",
    "relations": "Losses on relations between samples",
    "incremental": "Losses that keep old classes",
}
KINDS = {
    "divergence": "divergence: non-negative, zero with zero gradient where student = teacher",
    "match": "match: non-negative, zero where student = teacher",
    "objective": "objective: not zero at its minimum",
}
HEAD = """# Losses

[中文](losses.zh-CN.md)

Every loss takes logits or features, never probabilities; detaches the teacher; computes in float32
or better; refuses shapes that differ; and is finite, with its gradient, at logits of 10 000 in
float32, bfloat16 and float16. Class dimension last, leading dimensions are samples. A loss without
`reduction` compares samples with each other and returns a scalar.

A teacher that holds NaN is named in the error, on a CPU: the finished value is looked at, which
costs no pass over the logits. On a GPU, under `torch.compile` and under `torch.func` nothing is
looked at, and the loss is NaN.

This page is written by `python docs/generate_losses.py` from the losses themselves.

## By purpose

Undecided? [Which loss should I use](which-loss.md) goes by your situation.
"""
CHINESE_HEAD = """# 损失

[English](losses.md)

损失接收 logits 或特征，不接收概率；教师一侧不回传梯度；计算精度不低于 float32；\
形状不一致时拒绝计算；在 float32、bfloat16 和 float16 下，\
logits 达到 10 000 时损失及其梯度仍为有限值。类别在最后一维，前面各维都是样本。\
没有 `reduction` 参数的损失要在样本之间做比较，返回标量。

在 CPU 上，若教师输出含有 NaN，报错会指明：检查的是算好的损失值，不必再扫描一遍 logits。\
在 GPU 上、在 `torch.compile` 或 `torch.func` 之下不做这项检查，损失即为 NaN。

不知道该用哪一个？请看[应该用哪个损失](which-loss.zh-CN.md)。\
参数、形状、异常和示例见各损失的英文文档字符串，点击名字即可查看。\
本页由 `python docs/generate_losses.py` 生成。

## 按用途查找
"""
_FILTER = Text("Find a loss", "查找损失")
_HEADER = Text("| loss | formula | paper |", "| 损失 | 公式 | 论文 |")


def page() -> str:
    """The whole page."""
    parts = [HEAD, index("en")]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [
            _section(card) for card in sorted(CARDS.values(), key=_by_name) if card.family == family
        ]
        if family == "logits":
            parts += [_helper(standardise_logits), _helper(standardised)]
        if family == "features":
            parts.append(_helper(token_maps))
    parts.append("## Language models\n")
    parts += [_helper(part) for part in (next_tokens, TopK, fused_linear_kd, Head)]
    return "\n".join(parts)


def chinese_page() -> str:
    """The index in Chinese."""
    return f"{CHINESE_HEAD}\n{index('zh', PAGE.name)}"


def _by_name(card: Card) -> str:
    return card.name.lower()


def index(language: Language, page: str = "") -> str:
    """The losses by purpose, with links into ``page``."""
    parts = [f'<div class="filter" data-label="{_FILTER.pick(language)}"></div>\n']
    for purpose, title in PURPOSES.items():
        parts.append(f"### {title.pick(language)}\n")
        parts.append(f"{_HEADER.pick(language)}\n|---|---|---|")
        for card in sorted(CARDS.values(), key=_by_name):
            if card.purpose == purpose:
                formula = card.formula.replace("|", "\\|")
                link = f"[`{card.name}`]({page}#{card.name.lower()})"
                parts.append(f"| {link} | `{formula}` | {card.paper} |")
        parts.append("")
    return "\n".join(parts)


def _section(card: Card) -> str:
    defaults = ", ".join(f"`{name}={value!r}`" for name, value in card.defaults.items())
    return "\n".join(
        [
            f"### {card.name}",
            "",
            f"- Formula: `{card.formula}`",
            f"- Kind: {KINDS[card.kind]}",
            f"- Defaults: {defaults or 'none'}",
            "",
            *_docstring(card.function),
            "",
        ]
    )


def _helper(function: object) -> str:
    return "\n".join([f"### {function.__name__}", "", *_docstring(function), ""])  # type: ignore[attr-defined]


def _docstring(function: object) -> list[str]:
    """A Google docstring as Markdown: sections in bold, arguments as a list, examples as code."""
    lines: list[str] = []
    code = False
    for line in (inspect.getdoc(function) or "").splitlines():
        example = line.startswith("    ") and (">>>" in line or code)
        if example and not code:
            lines.append("```pycon")
        elif code and not example:
            lines.append("```")
        code = example
        lines.append(line[4:] if code else _text(line))
    return [*lines, "```"] if code else lines


def _text(line: str) -> str:
    line = (
        line.replace("``", "`")
        .replace(":func:", "")
        .replace(":attr:", "")
        .replace(":class:", "")
        .replace(":meth:", "")
    )
    if line in ("Args:", "Returns:", "Raises:", "Example:", "Attributes:"):
        return f"**{line.removesuffix(':')}**\n"
    if line.startswith("    ") and not line.startswith("     ") and ": " in line:
        return f"- {line.strip()}"
    return line.replace("    ", "  ", 1) if line.startswith("    ") else line


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    CHINESE.write_text(chinese_page(), encoding="utf-8")
