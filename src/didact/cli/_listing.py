"""The tables of ``didact list``."""

from __future__ import annotations

from rich.table import Table

from didact.cli._console import console


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
    from didact.losses import CARDS

    table = _table("name", "formula", "defaults", "paper")
    for name in sorted(CARDS, key=lambda n: (CARDS[n].family, n)):
        card = CARDS[name]
        defaults = ", ".join(
            f"{key}={value}"
            for key, value in card.defaults.items()
            if key not in ("reduction", "mask")
        )
        table.add_row(name, card.formula, defaults, card.paper)
    return table


def _methods() -> Table:
    from didact.methods import METHODS

    table = _table("name", "what it does", "options", "paper")
    for name, entry in sorted(METHODS.items()):
        options = ", ".join(f"{key}={value}" for key, value in entry.options.items())
        table.add_row(name, entry.summary, options, entry.paper)
    table.add_row("pkg.mod:Name, file.py:Name", "your own subclass of Method", "", "")
    return table
