"""A report as a table for the terminal."""

from __future__ import annotations

import io

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table

from didact._core.i18n import Language, Text
from didact.probe.binding.binding import CONSTRUCTOR
from didact.probe.output.report import Report, Result
from didact.probe.output.wrap import Wrapped

WIDTH = 80
_STATES: dict[str, tuple[Text, str]] = {
    "holds": (Text("holds", "成立"), "green"),
    "broken": (Text("BREAKS", "不成立"), "bold red"),
    "advice": (Text("advice", "建议"), "yellow"),
    "measured": (Text("measured", "测量"), "cyan"),
}
_KINDS = {
    "divergence": Text("divergence", "散度"),
    "match": Text("match", "匹配"),
    "objective": Text("objective", "训练目标"),
}


def rendered(report: Report, language: Language) -> Group:
    """The report as what rich prints."""

    def say(en: str, zh: str) -> str:
        return Text(en, zh).pick(language)

    kind = _KINDS[report.kind].pick(language)
    how = say("declared", "已声明") if report.declared else say("recognised", "自动识别")
    comma = say(", ", "，")
    about = f"{kind}{comma}{how}" if report.binding else report.match.pick(language)
    parts = [Wrapped(say(f"{report.name}  ({about})", f"{report.name}（{about}）"), "bold")]
    parts += [Wrapped(say("bound:", "参数绑定："))] if report.binding else []
    parts += [
        Wrapped(f"  {_named(name, language)} = {text.pick(language)}", indent=4)
        for name, text in report.binding
    ]
    parts += [Wrapped(f"  {note.pick(language)}", indent=4) for note in report.notes]
    table = _laws(report, language)
    match = Wrapped(say("best match: ", "最佳匹配：") + report.match.pick(language))
    tail = [match] if report.binding else []
    for place, mistake in enumerate(report.mistakes):
        codes = f" ({', '.join(mistake.codes)})" if mistake.codes else ""
        line = f"{mistake.key}{codes}{say(': ', '：')}{mistake.text.pick(language)}"
        tail.append(Wrapped(say("diagnosis: ", "诊断：") + line, "bold", indent=2))
        tail += [
            Wrapped(say("  evidence: ", "  依据：") + shown.pick(language), indent=4)
            for shown in report.evidence[place : place + 1]
        ]
    tail += [Wrapped(note, "dim", indent=2) for note in _to_know(report, language)]
    tail.append(Wrapped(_verdict(report, language)))
    return Group(*parts, Padding(table, (1, 0)), *tail)


def _named(name: str, language: Language) -> str:
    return name.replace(CONSTRUCTOR.en, CONSTRUCTOR.pick(language))


def _laws(report: Report, language: Language) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True, width=8)
    table.add_column(ratio=4)
    table.add_column(ratio=5)
    for result in report.results:
        if result.state == "skipped" or _is_usual(result):
            continue
        word, style = _STATES[result.state]
        found = [Wrapped(result.outcome.text.pick(language))]
        if result.state == "broken":
            found.append(Wrapped(result.meaning.pick(language), "dim"))
        title = Wrapped(result.title.pick(language))
        table.add_row(Wrapped(word.pick(language), style), title, Group(*found))
    return table


_USUAL = ("teacher-gradient", "infinite-classes")


def _is_usual(result: Result) -> bool:
    """Advice that nearly every loss gets, which one line holds."""
    plain = result.law in _USUAL and not result.outcome.mistakes
    return plain and result.state == "advice"


def _to_know(report: Report, language: Language) -> list[str]:
    """The usual advice, together."""
    texts = [r.outcome.text for r in report.results if _is_usual(r)]
    if not texts:
        return []
    said = Text("; ".join(t.en for t in texts), "；".join(t.zh for t in texts))
    return [Text("to know: {said}", "提示：{said}").format(said=said).pick(language)]


def _verdict(report: Report, language: Language) -> str:
    counts = {state: _count(report.results, state) for state in _STATES}
    counts["skipped"] = _count(report.results, "skipped")
    what = Text("laws", "条定律") if report.binding else Text("checks", "项检查")
    return (
        Text(
            "{holds} {what} hold, {broken} break; {advice} advise, {measured} only measure, "
            "{skipped} do not apply; {seconds} s",
            "{holds} {what}成立，{broken} 项不成立；{advice} 项为建议，{measured} 项仅作测量，"
            "{skipped} 项不适用；{seconds} 秒",
        )
        .format(**counts, what=what, seconds=f"{report.seconds:.1f}")
        .pick(language)
    )


def _count(results: tuple[Result, ...], state: str) -> int:
    return sum(r.state == state for r in results)


def text_of(report: Report, language: Language = "en", *, width: int = WIDTH) -> str:
    """The report as plain text of one width."""
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None).print(rendered(report, language))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
