"""What the page shows of a paste, as plain data: nothing in it is HTML."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree import ElementTree

from didact._core.errors import DidactError
from didact._core.i18n import Language, Text
from didact.check import explain as explaining
from didact.check.engine.spaces import Grad, Role, Space
from didact.check.engine.values import Value
from didact.check.explain.formula.judge import Loss
from didact.check.explain.questions import Question
from didact.check.explain.words.roles import named as role_named
from didact.check.files.source import UnreadableError

LONGEST = 1_000_000
"""Characters of a paste; as much as ``didact explain`` takes."""
Json = dict[str, Any]

TOO_LONG = Text(
    "The text has {size} characters; the page takes {longest}. Paste the part with the loss.",
    "文本有 {size} 个字符，本页最多接受 {longest} 个。请只粘贴与损失有关的部分。",
)
EMPTY = Text("There is nothing to explain yet: paste some code.", "还没有内容：请先粘贴代码。")
NO_PYTHON = Text(
    "No Python code was found in the text: paste the code itself.",
    "文本中没有找到 Python 代码：请直接粘贴代码。",
)
NO_CELLS = Text(
    "The notebook has no code cells: open another one, or paste the code.",
    "这个 notebook 里没有代码单元格：请换一个文件，或直接粘贴代码。",
)
NO_NOTEBOOK = Text("The file {reason}.", "该文件{reason}。")
TOO_DEEP = Text(
    "The text is nested too deeply or has too long a sum; paste the part with the loss.",
    "文本嵌套过深或求和过长，无法分析；请只粘贴与损失有关的部分。",
)
FAILED = Text("This text could not be explained ({reason}).", "无法解释这段文本（{reason}）。")
_ROLES = {
    Role.STUDENT: Text("the student's", "来自学生模型"),
    Role.TEACHER: Text("the teacher's", "来自教师模型"),
}
_GRADS = {
    Grad.YES: Text("gradient flows through it", "有梯度"),
    Grad.NO: Text("no gradient", "无梯度"),
}
_TEMPERATURE = Text("temperature {value}", "温度 {value}")
_SLICE = Text("classes {value}", "类别切片 {value}")
_RANK = Text("{value} dimensions", "{value} 维")
_AXIS = Text("sums to 1 over dim {value}", "在 dim={value} 上和为 1")
_SILENT = frozenset({Space.UNKNOWN, Space.NONE, Space.FUNCTION})


def answer(text: str, language: Language, name: str = "") -> Json:
    """Everything that the page shows of a paste; ``{"error": ...}`` where there is nothing to show.

    Args:
        text: The paste as it is, or the content of a file.
        language: Of the answer.
        name: The file's name; of a notebook the code of its cells is read.
    """
    if len(text) > LONGEST:
        return {"error": TOO_LONG.format(size=len(text), longest=LONGEST).pick(language)}
    try:
        if name.endswith(".ipynb"):
            from didact.check.files.opening import open_document

            text = open_document(name, text).code
            if not text.strip():
                return {"error": NO_CELLS.pick(language)}
        if not text.strip():
            return {"error": EMPTY.pick(language)}
        found = explaining.explain(text)
        if not found.source.strip():
            return {"error": NO_PYTHON.pick(language)}
    except UnreadableError as error:
        return {"error": NO_NOTEBOOK.format(reason=error.reason).pick(language)}
    except RecursionError:
        return {"error": TOO_DEEP.pick(language)}
    except (DidactError, ValueError) as error:
        reason = str(error) or type(error).__name__
        return {"error": FAILED.format(reason=reason).pick(language)}
    corrected = found.correction.source.strip("\n")
    return {
        "code": found.source.rstrip("\n").split("\n"),
        "statements": [
            {"line": note.line, "code": note.code, "text": note.explanation.pick(language)}
            for note in found.statements
        ],
        "findings": [
            {
                "code": finding.code,
                "line": finding.span.line,
                "severity": str(finding.severity),
                "message": finding.message.pick(language),
            }
            for finding in found.findings
        ],
        "summary": _said(found.summary, language),
        "framework": found.framework or "",
        "answers": [
            _question(one, language)
            for one in ((found.asked, *found.asked.further) if found.asked else ())
        ],
        "roles": [
            {
                "name": one.name,
                "role": role_named(one.role).pick(language),
                "reason": one.reason.pick(language),
            }
            for one in found.roles
        ],
        "formula": {
            "written": [_formula(loss) for loss in found.losses],
            "corrected": [_formula(loss) for loss in found.corrected_losses],
            "verdict": _said([*found.verdict.reasons, *found.verdict.notes], language),
        },
        "values": list(_values(found, language)),
        "corrected": corrected,
        "changed": any(found.correction.marks),
        "diff": list(_diff(found.source.strip("\n"), corrected)),
        "choices": _said(found.correction.choices, language),
        "questions": [_question(one, language) for one in found.questions],
        "guesses": _said(found.guesses, language),
        "markdown": explaining.to_markdown(found, language),
    }


def _said(texts: Iterable[Text], language: Language) -> list[str]:
    return [text.pick(language) for text in texts]


def _question(one: Question, language: Language) -> Json:
    return {"question": one.question.pick(language), "answer": one.answer.pick(language)}


def _formula(loss: Loss) -> Json:
    return {"text": loss.text, "math": _tree(ElementTree.fromstring(loss.mathml))}


def _tree(element: ElementTree.Element) -> list[Any]:
    """MathML as nested lists ``[tag, attributes, *children]``, which need no parser in a page."""
    children: list[Any] = [element.text] if element.text else []
    for child in element:
        children.append(_tree(child))
        children += [child.tail] if child.tail else []
    return [element.tag.rpartition("}")[2], dict(element.attrib), *children]


def rule(code: str, language: Language) -> Json:
    """The page of a rule as blocks of text and code; ``{"error": ...}`` where there is none."""
    try:
        text = explaining.rule_page(code, language)
    except DidactError as error:
        return {"error": str(error)}
    return {"code": code, "blocks": list(_blocks(text))}


def _values(found: explaining.Explanation, language: Language) -> Iterator[Json]:
    """What is known of each name and call: where it stands and what it is."""
    lines = found.source.split("\n")
    for node, value in found.known.items() if found.known is not None else ():
        if value.space in _SILENT:
            continue
        line = lines[node.lineno - 1]
        yield {
            "line": node.lineno,
            "start": _characters(line, node.col_offset),
            "end": _characters(line, node.end_col_offset or 0),
            "facts": [fact.pick(language) for fact in _facts(value)],
        }


def _characters(line: str, offset: int) -> int:
    """A column in characters of one in bytes of UTF-8."""
    return len(line.encode()[:offset].decode(errors="ignore"))


def _facts(value: Value) -> Iterator[Text]:
    yield value.space.text
    if value.role in _ROLES:
        yield _ROLES[value.role]
    if value.temperature is not None and value.temperature.text not in ("", "1"):
        yield _TEMPERATURE.format(value=value.temperature.text)
    if value.class_slice:
        yield _SLICE.format(value=value.class_slice)
    if value.axis is not None and value.space in (Space.PROBS, Space.LOG_PROBS):
        yield _AXIS.format(value=value.axis)
    if value.rank is not None and value.exact:
        yield _RANK.format(value=value.rank)
    if value.grad in _GRADS and value.is_tensor:
        yield _GRADS[value.grad]


def _diff(before: str, after: str) -> Iterator[Json]:
    """The lines of both sides next to each other: same, changed, removed, added."""
    left, right = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        for step in range(max(b - a, d - c)):
            old, new = a + step < b, c + step < d
            yield {
                "kind": "same"
                if kind == "equal"
                else "changed"
                if old and new
                else "removed"
                if old
                else "added",
                "left": left[a + step] if old else None,
                "right": right[c + step] if new else None,
            }


_FENCE = re.compile(r"```\w*")


def _blocks(markdown: str) -> Iterator[Json]:
    """Headings, paragraphs, list items and code of a rule's page."""
    held: list[str] = []
    fenced = False

    def paragraph() -> Iterator[Json]:
        if held:
            yield {"kind": "text", "text": " ".join(held)}
            held.clear()

    for line in markdown.split("\n"):
        if _FENCE.match(line.strip()):
            if fenced:
                yield {"kind": "code", "text": "\n".join(held)}
                held.clear()
            else:
                yield from paragraph()
            fenced = not fenced
        elif fenced:
            held.append(line)
        elif line.startswith("#"):
            yield from paragraph()
            level = len(line) - len(line.lstrip("#"))
            yield {"kind": "heading", "level": level, "text": line.lstrip("# ")}
        elif line.lstrip().startswith(("- ", "* ")):
            yield from paragraph()
            yield {"kind": "item", "text": line.lstrip()[2:]}
        elif line.strip():
            held.append(line.strip())
        else:
            yield from paragraph()
    yield from paragraph()
