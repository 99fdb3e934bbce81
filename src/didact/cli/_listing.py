"""The tables of ``didact list``."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from didact.cli._console import console

Json = dict[str, Any]


def show(kind: str) -> None:
    """Print one list."""
    table = {"data": _data, "models": _models, "losses": _losses, "methods": _methods}[kind]()
    console().print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _data() -> Table:
    from didact.data import SOURCES

    table = _table("name", "what it is")
    for name in sorted(SOURCES):
        table.add_row(name, SOURCES[name].description)
    return table


def _models() -> Table:
    from didact.nn import MODELS

    table = _table("name", "what it is", "paper")
    for name, entry in MODELS.items():
        table.add_row(name, entry.summary, entry.paper)
    table.add_row("pkg.mod:Name, file.py:Name", "your own class or function", "")
    table.add_row("timm:NAME, torchvision:NAME", "of those libraries, where installed", "")
    return table


def _losses() -> Table:
    """Three short lines a loss, so that none is wider than a terminal."""
    table = _table("name", "what it is")
    family = ""
    for row in rows("losses"):
        if row["family"] != family:
            family = row["family"]
            table.add_row(Text(f"{family}:", style="bold"), "")
        options = ", ".join(f"{key}={value}" for key, value in row["options"].items())
        where = "" if row["distill"] else "from Python, not for --loss"
        lines = [row["formula"], row["paper"], options, where]
        table.add_row(row["name"], Text("\n".join(line for line in lines if line)))
    return table


def rows(kind: str) -> list[Json]:
    """One dictionary for each entry of a list, ready for JSON."""
    return {
        "data": _data_rows,
        "models": _model_rows,
        "losses": _loss_rows,
        "methods": _method_rows,
    }[kind]()


def _data_rows() -> list[Json]:
    from didact.data import SOURCES

    return [
        {"name": SOURCES[n].usage, "description": SOURCES[n].description,
         "licence": SOURCES[n].licence, "classes": SOURCES[n].num_classes}
        for n in sorted(SOURCES)
    ]  # fmt: skip


def _model_rows() -> list[Json]:
    from didact.nn import MODELS

    return [{"name": n, "summary": e.summary, "paper": e.paper} for n, e in MODELS.items()]


def _loss_rows() -> list[Json]:
    from didact._core.errors import UsageError
    from didact.losses import CARDS
    from didact.train.distilling.losses import choose_losses

    found = []
    for name in sorted(CARDS, key=lambda n: (CARDS[n].family, n)):
        card = CARDS[name]
        try:
            choose_losses([name], {})
            runs = True
        except UsageError:
            runs = False
        hidden = ("reduction", "mask", "labels", "indices")
        options = {key: value for key, value in card.defaults.items() if key not in hidden}
        found.append(
            {"name": name, "family": card.family, "formula": card.formula, "paper": card.paper,
             "options": options, "distill": runs}
        )  # fmt: skip
    return found


def _method_rows() -> list[Json]:
    from didact.methods import METHODS

    return [
        {"name": n, "summary": e.summary, "paper": e.paper, "options": dict(e.options)}
        for n, e in sorted(METHODS.items())
    ]


def _methods() -> Table:
    from didact.methods import METHODS

    table = _table("name", "what it does", "options", "paper")
    for name, entry in sorted(METHODS.items()):
        options = ", ".join(f"{key}={value}" for key, value in entry.options.items())
        table.add_row(name, entry.summary, options, entry.paper)
    table.add_row("pkg.mod:Name, file.py:Name", "your own subclass of Method", "", "")
    return table
