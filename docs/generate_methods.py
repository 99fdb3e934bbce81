"""Writes ``docs/methods.md`` from the methods themselves: ``python docs/generate_methods.py``."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from didact.methods import GROUPS, METHODS, MethodEntry, NoOptions

PAGE = Path(__file__).parent / "methods.md"
HEAD = """# Methods

A method learns one task after another. It gives named loss terms and a few hooks; the loop trains.
Options are written `--option METHOD.OPTION=VALUE`; their defaults are the papers' or their
authors' code's. The old model is frozen, in eval mode, its BatchNorm still; what a method remembers
besides its weights counts as memory. Each method is one file of `didact.methods`, and passes one
suite: the same seed gives the same bits, a resumed run too; no image of another task is seen but
through the memory, which keeps to its budget; the old model does not change during a task; one
task is plain training where nothing else is said.

Where a paper balances classification and distillation by a fixed share, the distillation has no
factor `T^2`, as there; LwF has it, and says so.

A table beside each method says what its paper has, what its authors' code has, and what is here.
"none" stands where there is no paper or no code, "none published" where the authors gave none out.

Every frozen-backbone method trains its network on the first task unless `train_first=false`.

This page is written by `python docs/generate_methods.py` from the methods themselves.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, _contents()]
    for title, entries in groups().items():
        parts.append(f"## {title}\n")
        parts += [_section(entry) for entry in entries]
    return "\n".join(parts)


def groups() -> dict[str, list[MethodEntry]]:
    """didact's own methods under their titles, the oldest paper first."""
    own = [e for e in METHODS.values() if e.method.__module__.startswith("didact.methods.")]
    found = {group: [e for e in own if e.group == group] for group in GROUPS}
    return {group: sorted(entries, key=_year_and_name) for group, entries in found.items()}


def _year_and_name(entry: MethodEntry) -> tuple[str, str]:
    year = re.search(r"\b(?:19|20)\d\d\b", entry.paper)
    return (year[0] if year else "", entry.name)


def _contents() -> str:
    lines = ["| method | what it does | exemplars | paper |", "|---|---|---|---|"]
    anchors: list[str] = []
    for entries in groups().values():
        for entry in entries:
            name = entry.name
            choice = entry.method.exemplars or "none"
            anchors.append(re.sub(r"[^a-z0-9-]", "", name))
            anchor = anchors[-1] + ("-1" if anchors.count(anchors[-1]) > 1 else "")
            lines.append(f"| [`{name}`](#{anchor}) | {entry.summary} | {choice} | {entry.paper} |")
    return "\n".join(lines) + "\n"


def _section(entry: MethodEntry) -> str:
    text, _, compared = (inspect.getdoc(entry.method) or "").partition("\nCompared:\n")
    lines = [f"### {entry.name}", "", _plain(text.rstrip()), ""]
    if compared:
        lines += ["| | paper | authors' code | here |", "|---|---|---|---|", *rows(compared), ""]
    if entry.method.Options is not NoOptions:
        lines += ["| option | default | |", "|---|---|---|", *_options(entry), ""]
    return "\n".join(lines)


def rows(compared: str) -> list[str]:
    """The rows of a table from lines ``what: paper | authors' code | here``."""
    found = re.findall(r"^    (\S.*(?:\n        .*)*)", compared, re.MULTILINE)
    lines = [re.sub(r"\s+", " ", row) for row in found]
    return [f"| {_escaped(cells)} |" for cells in map(_cells, lines)]


def _cells(line: str) -> list[str]:
    name, _, rest = line.partition(": ")
    return [name, *rest.split(" | ")]


def _escaped(cells: list[str]) -> str:
    return " | ".join(_plain(cell).replace("|", r"\|") for cell in cells)


def _options(entry: MethodEntry) -> list[str]:
    texts: dict[str, str] = {}
    for cls in reversed(entry.method.Options.__mro__):
        attributes = (inspect.getdoc(cls) or "").partition("Attributes:\n")[2]
        found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", attributes, re.MULTILINE)
        texts |= {name: re.sub(r"\s+", " ", text) for name, text in found}
    return [
        f"| `{name}` | `{_short(default)}` | {_plain(texts[name]).replace('|', chr(92) + '|')} |"
        for name, default in entry.options.items()
    ]


def _short(default: object) -> str:
    return f"{default:.4g}" if isinstance(default, float) else str(default)


def _plain(text: str) -> str:
    return re.sub(r":\w+:", "", text.replace("``", "`"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
