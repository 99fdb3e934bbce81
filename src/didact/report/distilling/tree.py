"""A soft decision tree as a picture, and the ways of some images through it."""

from __future__ import annotations

from html import escape
from typing import Any

from didact.nn import BinaryTree
from didact.report.drawing.png import is_png
from didact.train.record.result import Result, TreeRecord

SIDE, COLUMN, ROW, FOOT = 40, 62, 74, 34


def tree_page(result: Result | None, found: TreeRecord | None) -> dict[str, Any] | None:
    """The picture and the paths; None where the student is no tree."""
    if found is None:
        return None
    names = [] if result is None else result.data.class_names

    def named(which: int) -> str:
        return names[which] if which < len(names) else str(which)

    return {
        "picture": _picture(found, named),
        "depth": found.depth,
        "levels": found.levels,
        "examples": [
            {
                "png": one.png if is_png(one.png) else "",
                "index": one.index,
                "label": named(one.label),
                "steps": [
                    {
                        "png": _png(found, turn.node),
                        "node": turn.node,
                        "way": "→" if turn.right > 0.5 else "←",
                        "sure": f"{100 * max(turn.right, 1 - turn.right):.0f}%",
                    }
                    for turn in one.turns
                ],
                "answer": named(one.answer),
                "sure": f"{100 * one.probability:.0f}%",
                "right": one.answer == one.label,
            }
            for one in found.examples
        ],
    }


def _png(found: TreeRecord, node: int) -> str:
    entry = found.nodes.get(str(node))
    return entry.png if entry is not None and is_png(entry.png) else ""


def _picture(found: TreeRecord, named: Any) -> str:
    """The upper levels as SVG: a filter at each node, below the last ones what they lead to."""
    tree = BinaryTree(range(2 ** (found.levels + 1) - 1))
    width = COLUMN * 2**found.levels
    places: dict[int, tuple[float, float]] = {}
    for depth in range(tree.levels):
        nodes = tree.level(depth)
        for place, node in enumerate(nodes):
            places[node] = (width * (place + 0.5) / len(nodes), depth * ROW + SIDE / 2 + 2)
    shares = _shares(tree, [part.share for part in found.bottom])
    lines, pictures = [], []
    for node, (x, y) in places.items():
        for child in tree.children(node):
            cx, cy = places[child]
            thick = 0.6 + 7 * shares[child]
            lines.append(
                f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{cx:.1f}" y2="{cy:.1f}" '
                f'stroke="var(--muted)" stroke-opacity="0.55" stroke-width="{thick:.2f}"/>'
            )
        if tree.children(node) and (png := _png(found, node)):
            pictures.append(
                f'<image x="{x - SIDE / 2:.1f}" y="{y - SIDE / 2:.1f}" width="{SIDE}" '
                f'height="{SIDE}" href="data:image/png;base64,{png}"/>'
            )
    first = tree.level(found.levels)[0]
    for place, part in enumerate(found.bottom):
        x, y = places[first + place]
        pictures.append(
            f'<text x="{x:.1f}" y="{y + 4:.1f}" translate="no" class="class">'
            f"{escape(named(part.answer)[:8])}</text>"
            f'<text x="{x:.1f}" y="{y + 20:.1f}" class="share">{100 * part.share:.0f}%</text>'
        )
    height = found.levels * ROW + SIDE + FOOT
    return (
        f'<svg class="tree" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        'aria-label="The upper levels of the tree: a filter at each node, wider branches for more '
        f'images.">{"".join(lines)}{"".join(pictures)}</svg>'
    )


def _shares(tree: BinaryTree[int], bottom: list[float]) -> dict[int, float]:
    """The share of the images that reach each node, from those at the bottom."""
    last = tree.levels - 1
    shares = dict(zip(tree.level(last), bottom, strict=True))
    for depth in range(last - 1, -1, -1):
        for node in tree.level(depth):
            shares[node] = sum(shares[child] for child in tree.children(node))
    return shares
