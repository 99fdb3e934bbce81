"""A matplotlib figure as inline SVG whose colours are the page's: light, dark and print alike."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

from matplotlib import rc_context, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PLACEHOLDERS = {
    "ink": "#010101",
    "muted": "#020202",
    "grid": "#030303",
    "teacher": "#040404",
    "alone": "#050505",
    "distilled": "#060606",
    **{f"m{number}": f"#0b0b{number:02d}" for number in range(1, 9)},
}
"""Colours that stand for the page's variables ``--ink``, ``--muted``, ... in matplotlib's SVG.

``m1`` to ``m8`` are the methods of a class-incremental run.
"""

SCALE = 1.09
"""Pixels of the page for a unit of a figure: all figures have letters of one size."""

FIGURE_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 12,
    "axes.edgecolor": PLACEHOLDERS["muted"],
    "axes.labelcolor": PLACEHOLDERS["ink"],
    "axes.titlecolor": PLACEHOLDERS["ink"],
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PLACEHOLDERS["grid"],
    "grid.linewidth": 0.8,
    "lines.linewidth": 2,
    "text.color": PLACEHOLDERS["ink"],
    "xtick.color": PLACEHOLDERS["muted"],
    "ytick.color": PLACEHOLDERS["muted"],
    "xtick.labelcolor": PLACEHOLDERS["ink"],
    "ytick.labelcolor": PLACEHOLDERS["ink"],
}


def draw(paint: Callable[[Axes], None], *, name: str, alt: str, size: tuple[float, float]) -> str:
    """One pair of axes, painted, as an ``<svg>`` element for the page.

    Args:
        paint: Draws into the axes with the colours of ``PLACEHOLDERS``.
        name: Unique on the page; it keeps the element's inner names apart from other figures'.
        alt: What the figure shows, in words.
        size: Width and height in inches of 72 units.
    """
    settings = {**FIGURE_STYLE, "svg.hashsalt": name}
    with style.context("default"), rc_context(settings):  # not in the style of the user's own plots
        figure = Figure(figsize=size, layout="constrained")
        paint(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue(), name, alt)


def _inline(document: str, name: str, alt: str) -> str:
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', head)
    view = box.group(1) if box else "0 0 460 300"
    body = re.sub(r'(\sid="|#|url\(#)(?=[A-Za-z_])', lambda m: f"{m.group(1)}{name}-", body)
    for variable, colour in PLACEHOLDERS.items():
        body = body.replace(colour, f"var(--{variable})")
    body = body.replace("xlink:href", "href")
    width = SCALE * float(view.split()[2])
    return (
        f'<svg viewBox="{view}" style="width: {width:.0f}px" role="img" '
        f'aria-label="{escape(alt)}">{body.strip()}'
    )
