"""``# kd: reverse-kl``: the variants that a comment can declare as meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from didact._core.i18n import Text
from didact._core.lookup import suggest
from didact.check.findings.finding import Finding, Span
from didact.check.findings.meta import META, UNKNOWN_PRAGMA
from didact.check.wanted.comments import Comment, Statements


@dataclass(frozen=True, slots=True)
class Pragma:
    """A variant: the kinds of mistakes that it is not, and what it is."""

    kinds: tuple[str, ...]
    meaning: Text

    def codes(self) -> list[str]:
        """The codes of the rules that find these kinds."""
        from didact.check.rules import RULES

        return [
            code for code, rule in RULES.items() if not set(self.kinds).isdisjoint(rule.catalogue)
        ]


PRAGMAS: Mapping[str, Pragma] = {
    "reverse-kl": Pragma(
        ("SWAPPED",),
        Text("KL(student || teacher) is meant", "有意使用 KL(学生‖教师)，即反向 KL"),
    ),
    "no-t2": Pragma(
        ("NO-T2",),
        Text(
            "the factor T**2 is left out on purpose, or applied elsewhere",
            "有意不乘 T²，或已在别处乘过",
        ),
    ),
    "hard": Pragma(
        ("ARGMAX-SOFT-TARGET",),
        Text(
            "the teacher's argmax is the label: hard distillation",
            "以教师的 argmax 作为标签（硬蒸馏）",
        ),
    ),
    "mean": Pragma(
        ("KL-MEAN", "CLASS-MEAN"),
        Text("the mean over classes is the scale that is meant", "有意对类别也取平均"),
    ),
    "token-sum": Pragma(
        ("BATCHMEAN-3D",),
        Text("summed over positions, averaged over sequences", "有意对位置求和、对序列取平均"),
    ),
    "one-sided-t": Pragma(
        ("T-ONE-SIDE",),
        Text("the temperature is meant for one side only", "有意只在一侧使用温度"),
    ),
    "bce": Pragma(
        ("BCE-ON-SOFTMAX", "SIG/SOFTMAX-MIX"),
        Text(
            "binary cross-entropy on softmax outputs is meant, as in EEIL or BKD",
            "有意对 softmax 输出使用二元交叉熵（如 EEIL、BKD）",
        ),
    ),
    "live-teacher": Pragma(
        ("TEACHER-GRAD", "TARGET-IN-GRAPH", "OPT-HAS-TEACHER", "ALIAS-TEACHER"),
        Text(
            "the teacher learns too, or is the student itself: mutual or self-distillation",
            "教师也参与训练，或就是学生自身（互学习、自蒸馏）",
        ),
    ),
    "teacher-train-mode": Pragma(
        ("TEACHER-TRAIN-MODE", "BN-DRIFT"),
        Text("the teacher stays in training mode on purpose", "有意让教师保持训练模式"),
    ),
    "average-logits": Pragma(
        ("AVG-LOGITS-vs-PROBS",),
        Text(
            "the geometric mean of the teachers is meant", "有意取各教师的几何平均（平均 logits）"
        ),
    ),
    "sum-teachers": Pragma(
        ("MULTI-TEACHER-SUM",),
        Text("the terms of several teachers are summed on purpose", "有意对多个教师的损失求和"),
    ),
    "weights": Pragma(
        ("NON-CONVEX", "WEIGHT-TYPO"),
        Text("the weights are not meant to sum to 1", "权重之和有意不为 1"),
    ),
}
"""Each word that may follow ``# kd:``."""

_PRAGMA = re.compile(r"#\s*kd:\s*([a-z0-9]+(?:-[a-z0-9]+)*(?:\s*,\s*[a-z0-9-]+)*)\s*(.?)")


def allowed_by_pragmas(
    comments: list[Comment], statements: Statements
) -> dict[str, list[tuple[int, int]]]:
    """For each code the stretches of lines in which a comment allows it.

    A comment after code speaks of its statement, a ``def`` or ``with`` line with all that is in
    it; a comment on a line of its own speaks of the statement that follows.
    """
    allowed: dict[str, list[tuple[int, int]]] = {}
    for comment in comments:
        for word, _ in _words(comment):
            pragma = PRAGMAS.get(word)
            if pragma is not None:
                reach = (statements.after if comment.alone else statements.at)(comment.line)
                for code in pragma.codes():
                    allowed.setdefault(code, []).append((reach.first, reach.whole_last))
    return allowed


def unknown_pragmas(comments: list[Comment]) -> list[Finding]:
    """A finding for each word that looks like a pragma and is none."""
    findings: list[Finding] = []
    for comment in comments:
        for word, column in _words(comment):
            if word not in PRAGMAS and _looks_meant(word):
                hint = suggest(word, PRAGMAS)
                message = Text(
                    "'{word}' is no variant that `# kd:` knows; {hint}",
                    "`# kd:` 不认识 '{word}'；{hint}",
                ).format(word=word, hint=Text(hint, _in_chinese(hint)))
                span = Span(comment.line, column, comment.line, column + len(word))
                severity = META[UNKNOWN_PRAGMA].severity
                findings.append(Finding(UNKNOWN_PRAGMA, severity, span, message))
    return findings


def _looks_meant(word: str) -> bool:
    """`# kd: loss` is prose; a hyphen or a near name is an attempt."""
    return "-" in word or suggest(word, PRAGMAS).startswith("did you mean")


def _in_chinese(hint: str) -> str:
    if hint.startswith("did you mean"):
        names = hint.removeprefix("did you mean ").removesuffix("?")
        return f"是否想写 {names.replace(' or ', ' 或 ')}？"
    return hint.replace("known: ", "可用的有：")


def _words(comment: Comment) -> list[tuple[str, int]]:
    """The words after ``kd:`` with their columns; prose such as ``# kd: the loss`` has none."""
    match = _PRAGMA.search(comment.text)
    if match is None or match.group(2) not in ("", "#", "(", "-", ";", "—", ":"):
        return []
    return [
        (word.group(), comment.column + match.start(1) + word.start())
        for word in re.finditer(r"[a-z0-9-]+", match.group(1))
    ]
