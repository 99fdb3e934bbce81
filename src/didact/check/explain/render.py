"""An explanation as terminal text, Markdown or JSON."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Sequence

from didact._core.i18n import Language, Text
from didact.check.explain.correct import Correction
from didact.check.explain.explain import Explanation, Note
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Each,
    Given,
    Item,
    Node,
    walk,
)
from didact.check.explain.formula.tree import Sequence as Listed
from didact.check.explain.formula.verdict import Term
from didact.check.explain.formula.written import Writer
from didact.check.explain.layout import COLUMNS, width, wrap
from didact.check.explain.summary import is_unknown
from didact.check.explain.words import page as words
from didact.check.explain.words.roles import ROLES
from didact.check.findings.finding import Finding
from didact.check.snippet.repair import parse

_COLOURS = {
    "heading": "1;36", "added": "32", "removed": "31", "error": "1;31", "warning": "33",
    "info": "36", "code": "1",
}  # fmt: skip
_AROUND = 3
_WHOLE = 80
"""Corrected code of so many lines is shown whole, to be copied; of longer code the changes."""
_LARGEST_TREE = 400


def marked(correction: Correction, language: Language) -> str:
    """The corrected code with a comment on each changed line."""
    lines = correction.source.split("\n")
    for number, codes in enumerate(correction.marks[: len(lines)]):
        line = lines[number]
        if not codes or not line.strip():
            continue
        known = sorted(c for c in codes if c.startswith("K"))
        note = words.CHANGED.format(codes=", ".join(known)) if known else words.ADDED
        tried = [*lines[:number], f"{line}  # {note.pick(language)}", *lines[number + 1 :]]
        if _same(tried, lines):
            lines = tried
    return "\n".join(lines)


def _same(one: list[str], other: list[str]) -> bool:
    """Whether a comment left the program as it was."""
    first, second = parse("\n".join(one)), parse("\n".join(other))
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)


def changes(explanation: Explanation, language: Language) -> list[str]:
    """The corrected code against the code as it was read: lines with ``-``, ``+`` or a space."""
    before = "\n".join(explanation.pasted or [explanation.source]).strip("\n").split("\n")
    after = explanation.correction.source.strip("\n").split("\n")
    shown = marked(explanation.correction, language).strip("\n").split("\n")
    shown = shown if len(shown) == len(after) else after
    whole = explanation.rebuilt or len(after) <= _WHOLE
    lines: list[str] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            kept = [f"  {line}".rstrip() for line in shown[c:d]]
            if len(kept) > 2 * _AROUND + 2 and not whole:
                head = kept[:_AROUND] if lines else []
                tail = kept[-_AROUND:] if b < len(before) else []
                count = len(kept) - len(head) - len(tail)
                left_out = words.NOT_SHOWN.format(count=str(count)).pick(language)
                kept = [*head, f"  … {left_out}", *tail]
            lines += kept
        else:
            lines += [f"- {line}".rstrip() for line in before[a:b]]
            lines += [f"+ {part}".rstrip() for line in shown[c:d] for part in _marked_apart(line)]
    return lines


def _marked_apart(line: str) -> list[str]:
    """A line whose mark does not fit behind it, with the mark on a line before it."""
    code, mark, comment = line.rpartition("  # ")
    if not mark or not code.strip() or width(line) <= COLUMNS - 6:
        return [line]
    indent = " " * (len(code) - len(code.lstrip()))
    return [f"{indent}# {comment}", code]


# JSON


def to_json(explanation: Explanation, language: Language) -> str:
    """The explanation as JSON."""

    def say(texts: Sequence[Text]) -> list[str]:
        return [t.pick(language) for t in texts]

    verdict = explanation.verdict
    mended = explanation.mended
    document = {
        "summary": say(explanation.summary),
        "verdict": {
            "outcome": verdict.outcome,
            "method": verdict.method_key or None,
            "method_name": verdict.method.pick(language) if verdict.method else None,
            "reasons": say(verdict.reasons),
            "shape": verdict.shape or None,
            "notes": say(verdict.notes),
        },
        "framework": explanation.framework or "torch",
        "asked": {
            "question": explanation.asked.question.pick(language),
            "answer": explanation.asked.answer.pick(language),
            "further": [
                {"question": one.question.pick(language), "answer": one.answer.pick(language)}
                for one in explanation.asked.further
            ],
        }
        if explanation.asked
        else None,
        "roles": [
            {"name": r.name, "role": r.role, "reason": r.reason.pick(language)}
            for r in explanation.roles
        ],
        "formula": {
            "written": [_loss_document(loss) for loss in explanation.losses],
            "corrected": [_loss_document(loss) for loss in explanation.corrected_losses],
        },
        "findings": [
            {
                "code": f.code,
                "line": f.span.line,
                "severity": str(f.severity),
                "message": f.message.pick(language),
                "mended": f.code in mended,
            }
            for f in explanation.findings
        ],
        "corrected": marked(explanation.correction, language),
        "statements": [
            {"line": n.line, "code": n.code, "explanation": n.explanation.pick(language)}
            for n in explanation.statements
        ],
        "questions": [
            {"question": q.question.pick(language), "answer": q.answer.pick(language)}
            for q in explanation.questions
        ],
        "guesses": say([*explanation.guesses, *explanation.correction.choices]),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _loss_document(loss: Loss) -> dict[str, object]:
    return {
        "name": loss.entry.name,
        "line": getattr(loss.entry.node, "lineno", 1),
        "text": loss.text,
        "mathml": loss.mathml,
        "tree": tree_document(loss.entry.value),
        "branches": [
            {
                "conditions": list(branch.conditions),
                "terms": [
                    {
                        "text": Writer({}).write(term.body).plain,
                        "weights": [
                            {"text": Writer({}).write(w).plain, "power": p} for w, p in term.weights
                        ],
                        "status": term.status,
                        "definition": term.definition.key if term.definition else None,
                        "formula": term.definition.formula if term.definition else None,
                        "factor": term.law.text if term.law else None,
                        "in_graph": not term.cut,
                    }
                    for term in branch.terms
                ],
            }
            for branch in loss.branches
        ],
    }


def tree_document(node: Node) -> object:
    """A formula's tree as nested objects; of a very large one its text alone."""
    if sum(1 for _ in walk(node)) > _LARGEST_TREE:
        return {"kind": "text", "text": Writer({}).write(node).plain[:2000]}
    return _tree_document(node)


def _tree_document(node: Node) -> dict[str, object]:
    def listed(nodes: Sequence[Node]) -> list[object]:
        return [_tree_document(n) if isinstance(n, Node) else None for n in nodes]

    if isinstance(node, Constant):
        value = node.value
        plain = value is None or isinstance(value, int | float | str | bool)
        return {"kind": "constant", "value": value if plain else repr(value)}
    if isinstance(node, Given):
        return {"kind": "given", "text": node.text, "inputs": listed(node.inputs)}
    if isinstance(node, Call):
        return {
            "kind": "call", "name": node.name, "args": listed(node.args),
            "keywords": {k: _tree_document(v) for k, v in node.keywords},
        }  # fmt: skip
    if isinstance(node, Choice):
        return {"kind": "choice", "if": node.text, "then": _tree_document(node.then),
                "else": _tree_document(node.other)}  # fmt: skip
    if isinstance(node, Each):
        return {"kind": "each", "over": node.loop.text, "body": _tree_document(node.body)}
    if isinstance(node, Item):
        return {"kind": "item", "of": node.loop.text}
    return {"kind": "list", "items": listed(node.items) if isinstance(node, Listed) else []}


# Terminal


class Page:
    """Lines of a terminal page, with colour if there is any."""

    def __init__(self, language: Language, *, colour: bool) -> None:
        self.language = language
        self.colour = colour
        self.lines: list[str] = []

    def paint(self, text: str, kind: str) -> str:
        """A text in the colour of its kind."""
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colour and text else text

    def heading(self, key: str) -> None:
        """A heading, after an empty line."""
        if self.lines and self.lines[-1]:
            self.lines.append("")
        self.lines += [
            self.paint(f"== {words.HEADINGS[key].pick(self.language)} ==", "heading"),
            "",
        ]

    def say(self, text: Text, indent: str = "  ") -> None:
        """A paragraph."""
        self.lines += wrap(text.pick(self.language), indent)

    def bullets(self, texts: Sequence[Text]) -> None:
        """A list."""
        for text in texts:
            first, *rest = wrap(text.pick(self.language), "    ") or [""]
            self.lines += ["  - " + first.strip(), *rest]

    def code(self, text: str, first: str, rest: str, kind: str | None = None) -> None:
        """A line of code, broken where it is too long."""
        for number, piece in enumerate(_pieces(text, COLUMNS - max(width(first), width(rest)))):
            line = ((rest if number else first) + piece).rstrip()
            self.lines.append(self.paint(line, kind) if kind else line)

    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines).strip("\n") + "\n"


def _pieces(line: str, columns: int) -> list[str]:
    """A line of code in pieces that fit, still one statement when they are copied.

    Inside brackets Python goes on by itself; elsewhere a backslash says so.
    """
    pieces: list[str] = []
    opened = 0
    while width(line) > columns:
        cut, used = 0, 0
        for number, character in enumerate(line):
            used += width(character)
            if used > columns - 2:
                break
            cut = number + 1
        depths = _inside(line, opened)
        places = [n for n in range(cut // 3, cut) if line[n] == " " and line[:n].strip()]
        inside = _best_places(line, depths, range(cut // 3, cut))
        at = inside[-1] if inside else places[-1] if places else cut
        open_end = not inside and bool(places) and not line.lstrip().startswith("#")
        opened = max(depths[at - 1], 0)
        pieces.append(line[:at] + (" \\" if open_end else ""))
        line = ("# " if line.lstrip().startswith("#") else "") + line[at:].lstrip()
    return [*pieces, line]


def _best_places(line: str, depths: Sequence[int], within: range) -> list[int]:
    """Where to break a line inside brackets: as far out as can be, best behind a comma."""
    spaces = [n for n in within if line[n] == " " and depths[n - 1] > 0]
    found = spaces or [n for n in within if line[n - 1] == "(" and depths[n - 1] > 0]
    least = min((depths[n - 1] for n in found), default=0)
    outer = [n for n in found if depths[n - 1] == least]
    return [n for n in outer if line[n - 1] == ","] or outer


def _inside(line: str, opened: int) -> list[int]:
    """How many brackets are open behind each character; -1 within a string."""
    depths, depth, quote = [], opened, ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        depths.append(-1 if quote else depth)
    return depths or [0]


def to_text(
    explanation: Explanation, language: Language, *, brief: bool = False, colour: bool = False
) -> str:
    """The explanation for a terminal of 80 columns; ``brief`` is its first part."""
    page = Page(language, colour=colour)
    page.heading("summary")
    page.bullets(explanation.summary)
    if explanation.asked is not None:
        page.heading("asked")
        for one in (explanation.asked, *explanation.asked.further):
            page.say(one.question)
            page.say(one.answer, "    ")
    if brief:
        return page.text()
    _corrected(page, explanation)
    _formulas(page, explanation)
    _statements(page, explanation)
    _findings(page, explanation)
    if explanation.questions:
        page.heading("questions")
    for question in explanation.questions:
        page.say(question.question)
        page.say(question.answer, "    ")
        page.lines.append("")
    if explanation.guesses:
        page.heading("guesses")
        page.bullets(explanation.guesses)
    return page.text()


def _corrected(page: Page, explanation: Explanation) -> None:
    page.heading("corrected")
    if not is_changed(explanation):
        page.say(_nothing_changed(explanation))
        if explanation.rebuilt:
            page.say(words.REBUILT)
            page.lines.append("")
            page.lines += explanation.source.strip("\n").split("\n")
        return
    for line in changes(explanation, page.language):
        kind = {"+": "added", "-": "removed"}.get(line[:1])
        page.code(line[2:], "  " + line[:2].ljust(2), "      ", kind)
    page.lines.append("")
    page.bullets(explanation.correction.choices)
    page.bullets(_open(explanation))


def _open(explanation: Explanation) -> list[Text]:
    """What the corrected code leaves open."""
    if explanation.open_findings:
        return [_left(explanation.open_findings)]
    reasons = explanation.still
    if not reasons:
        return []
    shown = Text("; ".join(r.en for r in reasons), "；".join(r.zh for r in reasons))
    return [words.STILL.format(reasons=shown)]


def is_changed(explanation: Explanation) -> bool:
    """Whether a line was mended: imports that a fragment leaves out do not count."""
    if explanation.correction.imported:
        return True
    mended = any(code.startswith("K") for codes in explanation.correction.marks for code in codes)
    return mended or "\n".join(explanation.pasted).strip("\n") != explanation.source.strip("\n")


def _nothing_changed(explanation: Explanation) -> Text:
    if explanation.open_findings:
        return _left(explanation.open_findings)
    verdict = explanation.verdict
    if verdict.outcome == "unknown" and verdict.method is not None:
        return words.PARTLY_AS_IT_IS
    if verdict.outcome == "departs":
        return words.DEPARTS_UNCHANGED
    return words.AS_IT_IS if verdict.outcome in {"unknown", "none"} else words.UNCHANGED


def _no_findings(explanation: Explanation) -> Text:
    verdict = explanation.verdict
    if verdict.outcome == "unknown" and verdict.method is not None:
        return words.PARTLY_JUDGED
    return words.NOT_JUDGED if verdict.outcome in {"unknown", "none"} else words.NO_FINDINGS


def _left(findings: Sequence[Finding]) -> Text:
    listed = ", ".join(dict.fromkeys(f"{f.code} ({f.span.line})" for f in findings))
    return words.LEFT.format(findings=listed)


def _formulas(page: Page, explanation: Explanation) -> None:
    page.heading("formula")
    if not explanation.losses:
        page.say(words.NO_LOSS)
        return
    for number, loss in enumerate(explanation.losses):
        name = "L" if number == 0 else f"L{number + 1}"
        page.say(words.WRITTEN.format(formula=_formula_of(f"{name} = {loss.text}")))
    for loss in corrected_only(explanation):
        page.say(words.RIGHT.format(formula=_formula_of(f"L = {loss.text}")))
    for term in definitions_of(explanation):
        page.say(term, "    ")
    roles = roles_line(explanation)
    if roles is not None:
        page.say(roles)


def corrected_only(explanation: Explanation) -> list[Loss]:
    """The corrected formulas that are not those that were written."""
    written = {loss.text for loss in explanation.losses}
    return [loss for loss in explanation.corrected_losses if loss.text not in written]


def definitions_of(explanation: Explanation) -> list[Text]:
    """The named losses in the formulas, each once, with its own formula and paper."""
    found: dict[str, Text] = {}
    for loss in (*explanation.losses, *explanation.corrected_losses):
        for term in loss.terms:
            one = term.definition
            if one is not None and one.key not in found and _is_told(explanation, term):
                paper = f" ({one.paper})" if one.paper else ""
                formula = _formula_of(one.formula)
                found[one.key] = Text(
                    f"– {one.name.en}: {formula.en}{paper}",
                    f"– {one.name.zh}：{formula.zh}{paper}",
                )
    return list(found.values())


def _is_told(explanation: Explanation, term: Term) -> bool:
    """Whether a term's definition is one that the verdict speaks of, not a chance likeness."""
    assert term.definition is not None
    method, key = explanation.verdict.method_key, term.definition.key
    if is_unknown(term):
        return False
    if key.startswith("reverse_kl"):
        return method == "reverse_kl"
    return not (method.startswith("jsd") and key == "kd")


def roles_line(explanation: Explanation) -> Text | None:
    """Who is who, in one sentence."""
    by_role: dict[str, list[str]] = {role: [] for role in ROLES}
    listed = {line.name for line in explanation.roles}
    for line in explanation.roles:
        callee = re.split(r"[(\[.]", line.name.removeprefix("self."), maxsplit=1)[0]
        call = "(" in line.name and callee in listed
        if line.role in ROLES and not call:
            by_role[line.role].append(f"`{line.name}`")
    said = [(ROLES[r], names) for r, names in by_role.items() if names]
    if not said:
        return None
    english = "; ".join(f"{role.en}: {', '.join(names)}" for role, names in said)
    chinese = "；".join(f"{role.zh}：{'、'.join(names)}" for role, names in said)
    return words.WHO.format(roles=Text(english, chinese))


def _statements(page: Page, explanation: Explanation) -> None:
    page.heading("statements")
    for note in shortened(explanation.statements):
        lines = note.code.split("\n")
        page.code(lines[0], f"{note.line:>4} | ", "     |     ")
        for line in lines[1:]:
            page.code(line, "     | ", "     |     ")
        if note.explanation.en:
            page.say(note.explanation, "       ")
        page.lines.append("")


def shortened(notes: Sequence[Note]) -> list[Note]:
    """A statement that was explained before refers to its first place."""
    seen: dict[tuple[str, str], int] = {}
    result = []
    for note in notes:
        key = (note.code, note.explanation.en)
        if key in seen and len(note.explanation.en) > 40:
            said = words.AS_BEFORE.format(line=seen[key])
            result.append(Note(note.line, note.code, said))
        else:
            seen[key] = note.line
            result.append(note)
    return result


def _findings(page: Page, explanation: Explanation) -> None:
    page.heading("findings")
    for finding, lines in grouped(explanation.findings):
        head = f"  {finding.code} ({_where(finding, lines).pick(page.language)})"
        page.lines.append(page.paint(head, str(finding.severity)))
        page.say(finding.message, "    ")
    if not explanation.findings:
        page.say(_no_findings(explanation))


def grouped(findings: Sequence[Finding]) -> list[tuple[Finding, list[int]]]:
    """Findings that say the same of several lines, each once with its lines."""
    found: dict[tuple[str, Text], tuple[Finding, list[int]]] = {}
    for finding in findings:
        _, lines = found.setdefault((finding.code, finding.message), (finding, []))
        if finding.span.line not in lines:
            lines.append(finding.span.line)
    return list(found.values())


def _where(finding: Finding, lines: Sequence[int]) -> Text:
    form = words.LINE if len(lines) == 1 else words.LINES
    english, chinese = (mark.join(map(str, lines)) for mark in (", ", "、"))
    return form.format(line=Text(english, chinese), severity=words.SEVERITY[finding.severity])


# Markdown


def to_markdown(explanation: Explanation, language: Language, *, brief: bool = False) -> str:
    """The explanation as Markdown."""
    out: list[str] = []

    def heading(key: str) -> None:
        out.extend([f"## {words.HEADINGS[key].pick(language)}", ""])

    def bullets(texts: Sequence[Text]) -> None:
        out.extend([*(f"- {t.pick(language)}" for t in texts), ""])

    heading("summary")
    bullets(explanation.summary)
    if explanation.asked is not None:
        heading("asked")
        for one in (explanation.asked, *explanation.asked.further):
            out.append(f"> {one.question.pick(language)}\n")
            out.append(one.answer.pick(language) + "\n")
    if brief:
        return "\n".join(out).strip("\n") + "\n"
    heading("corrected")
    if not is_changed(explanation):
        out.append(_nothing_changed(explanation).pick(language) + "\n")
        if explanation.rebuilt:
            out += [words.REBUILT.pick(language), "", *_fence(explanation.source.strip("\n")), ""]
    else:
        out += [*_fence("\n".join(changes(explanation, language)), "diff"), ""]
        bullets([*explanation.correction.choices, *_open(explanation)])
    heading("formula")
    lines = [
        words.WRITTEN.format(formula=_formula_of(f"L = {loss.text}")) for loss in explanation.losses
    ]
    lines += [
        words.RIGHT.format(formula=_formula_of(f"L = {x.text}"))
        for x in corrected_only(explanation)
    ]
    lines += definitions_of(explanation)
    roles = roles_line(explanation)
    lines += [roles] if roles is not None else []
    out += [*(f"{t.pick(language)}  " for t in lines or [words.NO_LOSS]), ""]
    heading("statements")
    for note in shortened(explanation.statements):
        out += [f"**{note.line}**", "", *_fence(note.code), ""]
        out += [note.explanation.pick(language), ""] if note.explanation.en else []
    heading("findings")
    for finding, at in grouped(explanation.findings):
        where = _where(finding, at).pick(language)
        out.append(f"- **{finding.code}** ({where}): {finding.message.pick(language)}")
    out += ["" if explanation.findings else _no_findings(explanation).pick(language) + "\n"]
    if explanation.questions:
        heading("questions")
    for question in explanation.questions:
        out += [f"**{question.question.pick(language)}**", "", question.answer.pick(language), ""]
    if explanation.guesses:
        heading("guesses")
        bullets(explanation.guesses)
    return "\n".join(out).strip("\n") + "\n"


def _fence(code: str, language: str = "python") -> list[str]:
    mark = "```"
    while mark in code:
        mark += "`"
    return [f"{mark}{language}", code, mark]


_IN_CHINESE = (
    (", where ", "，其中 "), (" (summed)", "（求和）"), (" (each)", "（逐元素）"),
    (" for each of ", " 取遍 "), ("mean(", "平均("), ("mean[", "平均["), ("mean ‖", "平均 ‖"),
    ("mean of softmax(t_k/T)", "softmax(t_k/T) 的平均"),
    (", averaged over channels", "，再对通道取平均"), ("softmax over places(", "空间 softmax("),
    ("v = a for the true class, (1 − a)/(C − 1) for the others",
     "真实类的 v = a，其余类 v = (1 − a)/(C − 1)"),
    ("v = 1 − ε for the true class, ε/(C − 1) for the others",
     "真实类的 v = 1 − ε，其余类 v = ε/(C − 1)"),
    ("h = σ(t) on the old classes, one-hot labels on the new",
     "h：旧类取 σ(t)，新类取 one-hot 标签"),
    ("P = the squares summed over the width and over the height, normalised",
     "P：平方后分别沿宽、沿高求和，再归一化"),
    (", over the samples i", "，i 取遍样本"), (", over the classes c", "，c 取遍类别"),
    ("mean P·(log P − log Q) of cosine similarities", "余弦相似度的 平均 P·(log P − log Q)"),
    ("KL(p without y ‖ q without y)", "KL(p 去掉 y ‖ q 去掉 y)"), ("length(", "长度("),
    (" over pairs of places", "，取遍成对的位置"),
    ("where y is not padding", "y 不是填充的位置"),
)  # fmt: skip
_CHOICE = re.compile(r"\{ (.*?) if (.*?); (.*?) otherwise \}")
_PUT_IN = re.compile(r"\((.*?) with (\[[^\]]*\]) = ")


def _formula_of(text: str) -> Text:
    """A formula, whose few words are of the reader's language."""
    chinese = text
    chinese = _CHOICE.sub(r"{ \1，若 \2；否则 \3 }", chinese)
    chinese = _PUT_IN.sub(r"(\1，其中 \2 换成 ", chinese)
    for word, other in _IN_CHINESE:
        chinese = chinese.replace(word, other)
    return Text(text, chinese)
