"""``# noqa`` and ``# didact: noqa``: what a comment silences, and which comments do nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from didact._core.i18n import Text
from didact.check.findings.finding import Edit, Finding, Fix, Span
from didact.check.findings.meta import META, UNUSED_NOQA
from didact.check.wanted.comments import Comment

_CODE = r"[A-Z]+[0-9]+"
_NOQA = re.compile(
    rf"#\s*(?P<file>didact:\s*)?noqa\b(?P<list>\s*:\s*(?P<codes>{_CODE}(?:[\s,]+{_CODE}\b)*))?",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Noqa:
    """One such comment; ``codes`` is empty where it silences everything."""

    comment: Comment
    match: re.Match[str]
    codes: list[str]
    used: set[str] = field(default_factory=set)

    @property
    def for_file(self) -> bool:
        """Whether it speaks of the whole file."""
        return self.match["file"] is not None

    def silences(self, code: str) -> bool:
        """Whether it names the code (or everything); it then counts as used."""
        naming = [named for named in self.codes if code.startswith(named.upper())]
        self.used.update(naming)
        return bool(naming) or not self.codes


def noqas_in(comments: list[Comment]) -> list[Noqa]:
    """The comments that silence findings."""
    found: list[Noqa] = []
    for comment in comments:
        match = _NOQA.search(comment.text)
        if match is not None:
            found.append(Noqa(comment, match, re.findall(_CODE, match["codes"] or "", re.I)))
    return found


def unused_finding(
    noqa: Noqa, *, line_text: str, is_last_line: bool, wants: Callable[[str], bool]
) -> Finding | None:
    """What to say where a comment names codes of didact's that found nothing there.

    Args:
        noqa: The comment, after every finding was shown to it.
        line_text: The line it stands on.
        is_last_line: Whether no line follows.
        wants: Whether a code is known and selected; of others nothing is said.
    """
    if UNUSED_NOQA in (code.upper() for code in noqa.codes):
        return None
    unused = [
        code
        for index, code in enumerate(noqa.codes)
        if code.upper().startswith("KD")
        and wants(code.upper())
        and (code not in noqa.used or code in noqa.codes[:index])
    ]
    if not unused:
        return None
    line, column = noqa.comment.line, noqa.comment.column
    span = Span(line, column + noqa.match.start(), line, column + noqa.match.end())
    kept = list(noqa.codes)
    for code in reversed(unused):
        kept.reverse()
        kept.remove(code)
        kept.reverse()
    edit = _without(noqa, kept, line_text, is_last_line=is_last_line)
    message = Text(
        "unused noqa: nothing to silence here for {codes}",
        "多余的 noqa：这里没有需要屏蔽的 {codes}",
    ).format(codes=", ".join(unused))
    fix_message = Text("Remove {codes} from the comment", "从注释中删除 {codes}").format(
        codes=", ".join(unused)
    )
    severity = META[UNUSED_NOQA].severity
    return Finding(UNUSED_NOQA, severity, span, message, Fix((edit,), "safe", fix_message))


def _without(noqa: Noqa, kept: list[str], line_text: str, *, is_last_line: bool) -> Edit:
    """The edit that leaves the codes in ``kept``, or no comment at all."""
    line, column = noqa.comment.line, noqa.comment.column
    start, end = column + noqa.match.start(), column + noqa.match.end()
    if kept:
        first, last = column + noqa.match.start("codes"), column + noqa.match.end("codes")
        return Edit(Span(line, first, line, last), ", ".join(kept))
    before, after = line_text[:start], line_text[end:]
    if after.strip():
        # the reason that follows stays a comment of its own
        rest = after.lstrip(" \t,;:-")
        keep = "" if rest.startswith("#") or not rest else "# "
        return Edit(Span(line, start, line, len(line_text) - len(rest)), keep)
    if before.strip():
        return Edit(Span(line, len(before.rstrip()), line, len(line_text)), "")
    if is_last_line:
        return Edit(Span(line, 0, line, len(line_text)), "")
    return Edit(Span(line, 0, line + 1, 0), "")
