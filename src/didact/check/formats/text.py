"""For people: the message, the line of source, and a mark under the place."""

from __future__ import annotations

from didact.check.findings.finding import Severity
from didact.check.findings.report import Diagnostic, Report
from didact.check.formats import Style
from didact.check.formats.statistics import table
from didact.check.formats.width import window, wrap
from didact.check.formats.words import SEVERITY, fix_hint, more, summary

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_BOLD, _FAINT = "1", "2"


def render(report: Report, style: Style) -> str:
    """The report as text."""
    last = "\n".join(wrap(summary(report, style.language), style.width))
    if style.statistics:
        return table(report, style) + last + "\n"
    blocks = [_block(diagnostic, style) for diagnostic in report.diagnostics]
    end = [last, *wrap(more(report, style.language), style.width)]
    return "".join(f"{part}\n" for part in [*blocks, *filter(None, end)])


def _block(diagnostic: Diagnostic, style: Style) -> str:
    finding = diagnostic.finding
    colour = _COLOURS[finding.severity]
    severity = SEVERITY[finding.severity].pick(style.language)
    head = (
        f"{_paint(diagnostic.where, _BOLD, style)}: "
        f"{_paint(finding.code, f'{colour};{_BOLD}', style)} {_paint(severity, colour, style)}"
    )
    message = wrap(finding.message.pick(style.language), style.width - 2)
    lines = [head, *(f"  {line}" for line in message)]
    if diagnostic.source.strip():
        lines += _excerpt(diagnostic, style)
    if finding.fix is not None:
        hint = wrap(fix_hint(finding.fix, style.language), style.width - 4)
        lines += [f"{'  = ' if n == 0 else '    '}{line}" for n, line in enumerate(hint)]
    return "\n".join(lines) + "\n"


def _excerpt(diagnostic: Diagnostic, style: Style) -> list[str]:
    span = diagnostic.finding.span
    number = str(span.line)
    end = span.end_column if span.end_line == span.line else len(diagnostic.source)
    gutter = len(number) + 5
    indent = len(diagnostic.source) - len(diagnostic.source.lstrip())
    cut = min(indent, span.column)
    shown, offset, length = window(
        diagnostic.source[cut:], span.column - cut, end - cut, style.width - gutter
    )
    length = min(length, max(1, style.width - gutter - offset))
    mark = _paint("^" * length, _COLOURS[diagnostic.finding.severity], style)
    bar = _paint("|", _FAINT, style)
    return [
        f"  {_paint(number, _FAINT, style)} {bar} {shown.rstrip()}",
        f"  {' ' * len(number)} {bar} {' ' * offset}{mark}",
    ]


def _paint(text: str, colour: str, style: Style) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if style.colour else text
