"""An explanation as terminal text, Markdown or JSON."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence

from didact._core.i18n import Language, Text
from didact.check.explain.correct import Correction
from didact.check.explain.explain import Explanation
from didact.check.explain.layout import wrap
from didact.check.snippet.repair import parse

_HEADINGS = {
    "guesses": Text("How the paste was read", "粘贴内容的还原"),
    "statements": Text("Line by line", "逐行解释"),
    "formula": Text("The loss as a formula", "损失的整体公式"),
    "findings": Text("Findings", "发现的问题"),
    "corrected": Text("Corrected code", "修正后的代码"),
    "questions": Text("Questions this code raises", "这段代码引出的问题"),
}
_NO_FINDINGS = Text("Nothing was found.", "没有发现问题。")
_UNCHANGED = Text("Nothing had to be changed.", "无需修改。")
_LINE = Text("line {line}, {severity}", "第 {line} 行，{severity}")
_SEVERITY = {
    "error": Text("error", "错误"),
    "warning": Text("warning", "警告"),
    "info": Text("info", "提示"),
}
_CHANGED = Text("changed: {codes}", "已修改：{codes}")
_ADDED = Text("added", "新增")


def marked(correction: Correction, language: Language) -> str:
    """The corrected code with a comment on each changed line."""
    lines = correction.source.split("\n")
    for number, codes in enumerate(correction.marks[: len(lines)]):
        line = lines[number]
        if not codes or not line.strip():
            continue
        known = sorted(c for c in codes if c.startswith("K"))
        note = _CHANGED.format(codes=", ".join(known)) if known else _ADDED
        tried = [*lines[:number], f"{line}  # {note.pick(language)}", *lines[number + 1 :]]
        if _same(tried, lines):
            lines = tried
    return "\n".join(lines)


def _same(one: list[str], other: list[str]) -> bool:
    """Whether a comment left the program as it was."""
    first, second = parse("\n".join(one)), parse("\n".join(other))
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)


def to_json(explanation: Explanation, language: Language) -> str:
    """The explanation as JSON."""
    guesses = [*explanation.guesses, *explanation.correction.choices]
    document = {
        "statements": [
            {"line": n.line, "code": n.code, "explanation": n.explanation.pick(language)}
            for n in explanation.statements
        ],
        "formula": explanation.formula.pick(language),
        "findings": [
            {
                "code": f.code,
                "line": f.span.line,
                "severity": str(f.severity),
                "message": f.message.pick(language),
            }
            for f in explanation.findings
        ],
        "corrected": marked(explanation.correction, language),
        "questions": [
            {"question": q.question.pick(language), "answer": q.answer.pick(language)}
            for q in explanation.questions
        ],
        "guesses": [g.pick(language) for g in guesses],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def to_text(explanation: Explanation, language: Language) -> str:
    """The explanation for a terminal of 80 columns; code lines are never broken."""
    out: list[str] = []
    if explanation.guesses:
        _heading(out, "guesses", language)
        out += _bullets(explanation.guesses, language)
    _heading(out, "statements", language)
    for note in explanation.statements:
        code = note.code.split("\n")
        out.append(f"{note.line:>4} | {code[0]}")
        out += [f"     | {line}" for line in code[1:]]
        out += [*wrap(note.explanation.pick(language), "       "), ""]
    _heading(out, "formula", language)
    out += wrap(explanation.formula.pick(language), "  ")
    _heading(out, "findings", language)
    for finding in explanation.findings:
        where = _LINE.format(line=finding.span.line, severity=_SEVERITY[finding.severity])
        out.append(f"  {finding.code} ({where.pick(language)})")
        out += wrap(finding.message.pick(language), "    ")
    if not explanation.findings:
        out += wrap(_NO_FINDINGS.pick(language), "  ")
    _heading(out, "corrected", language)
    out += _corrected(explanation, language)
    out += _bullets(explanation.correction.choices, language)
    if explanation.questions:
        _heading(out, "questions", language)
    for question in explanation.questions:
        out += wrap(question.question.pick(language), "  ")
        out += [*wrap(question.answer.pick(language), "    "), ""]
    return "\n".join(out).strip("\n") + "\n"


def _heading(out: list[str], key: str, language: Language) -> None:
    if out and out[-1]:
        out.append("")
    out += [f"== {_HEADINGS[key].pick(language)} ==", ""]


def _corrected(explanation: Explanation, language: Language) -> list[str]:
    code = marked(explanation.correction, language).strip("\n").split("\n")
    shown = [f"  {line}".rstrip() for line in code]
    changed = any(explanation.correction.marks)
    return [*shown, ""] if changed else [*shown, "", *wrap(_UNCHANGED.pick(language), "  ")]


def _bullets(texts: Sequence[Text], language: Language) -> list[str]:
    lines: list[str] = []
    for text in texts:
        first, *rest = wrap(text.pick(language), "    ") or [""]
        lines += ["  - " + first.strip(), *rest]
    return lines


def to_markdown(explanation: Explanation, language: Language) -> str:
    """The explanation as Markdown."""
    out: list[str] = []

    def heading(key: str) -> None:
        out.extend([f"## {_HEADINGS[key].pick(language)}", ""])

    if explanation.guesses:
        heading("guesses")
        out += [*(f"- {g.pick(language)}" for g in explanation.guesses), ""]
    heading("statements")
    for note in explanation.statements:
        out += [f"**{note.line}**", "", *_fence(note.code), "", note.explanation.pick(language), ""]
    heading("formula")
    out += [*(f"{line}  " for line in explanation.formula.pick(language).split("\n")), ""]
    heading("findings")
    for finding in explanation.findings:
        where = _LINE.format(line=finding.span.line, severity=_SEVERITY[finding.severity])
        message = finding.message.pick(language)
        out.append(f"- **{finding.code}** ({where.pick(language)}): {message}")
    out += ["" if explanation.findings else _NO_FINDINGS.pick(language) + "\n"]
    heading("corrected")
    out += [*_fence(marked(explanation.correction, language).strip("\n"), "python"), ""]
    out += [*(f"- {c.pick(language)}" for c in explanation.correction.choices), ""]
    if explanation.questions:
        heading("questions")
    for question in explanation.questions:
        out += [f"**{question.question.pick(language)}**", "", question.answer.pick(language), ""]
    return "\n".join(out).strip("\n") + "\n"


def _fence(code: str, language: str = "python") -> list[str]:
    mark = "```"
    while mark in code:
        mark += "`"
    return [f"{mark}{language}", code, mark]
