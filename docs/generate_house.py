"""Draws ``docs/images/house.svg`` and its Chinese twin from the imports of ``src/didact``.

    python docs/generate_house.py

Floors come from the layers of import-linter in ``pyproject.toml``, rooms are the folders in them,
and an arrow from one room to another is an import; arrows that follow from others are left out.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "didact"
PICTURES = {
    "en": ROOT / "docs" / "images" / "house.svg",
    "zh": ROOT / "docs" / "images" / "house.zh-CN.svg",
}
Graph = Mapping[str, set[str]]


@cache
def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module below a package folder by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def imports(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Which module names which, anywhere in its text: also in functions and for type checkers."""
    known = modules(package)
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        graph[name] = set()
        base = name if path.stem == "__init__" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            graph[name] |= _named_by(node, base, known)
        graph[name].discard(name)
    return graph


def _named_by(node: ast.AST, base: str, known: Mapping[str, Path]) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names if alias.name in known}
    if not isinstance(node, ast.ImportFrom):
        return set()
    where = node.module or ""
    if node.level:
        parts = base.split(".")
        where = ".".join([*parts[: len(parts) + 1 - node.level], *filter(None, [node.module])])
    found = set()
    for alias in node.names:
        full = f"{where}.{alias.name}"
        found.add(full if full in known else where)
    return found & set(known)


def circles(graph: Graph) -> list[list[str]]:
    """Groups of nodes that can be reached from each other (Tarjan 1972), each in order of name."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)


def place_of(module: str, known: Mapping[str, Path]) -> tuple[str, str]:
    """The floor and the room of a module; a file that lies in the floor is a room by itself."""
    _, _, rest = module.partition(".")
    floor, _, inner = rest.partition(".")
    room, _, file = inner.partition(".")
    is_room = bool(file) or known[module].stem == "__init__"
    return floor, room if is_room else f"{room}.py"


@cache
def rooms(package: Path = PACKAGE) -> dict[str, set[str]]:
    """The rooms of each floor, and in one that has rooms also the files beside them."""
    known = modules(package)
    found: dict[str, set[str]] = defaultdict(set)
    for module in known:
        floor, room = place_of(module, known)
        if room:
            found[floor].add(room)
    return {
        floor: names if any(not name.endswith(".py") for name in names) else set()
        for floor, names in found.items()
        if floor
    }


@cache
def calls(floor: str, package: Path = PACKAGE) -> dict[str, set[str]]:
    """Which room of a floor imports which; the floor's own ``__init__`` is its front door."""
    known = modules(package)
    graph: dict[str, set[str]] = {room: set() for room in sorted(rooms(package)[floor])}
    for module, others in imports(package).items():
        for other in others:
            (own, room), (theirs, called) = place_of(module, known), place_of(other, known)
            if own == theirs == floor and room in graph and called in graph and room != called:
                graph[room].add(called)
    return graph


def drawn(floor: str) -> dict[str, set[str]]:
    """The same with all files that no room imports as one, ``FLOOR/*.py``."""
    graph = calls(floor)
    files = {room for room in graph if room.endswith(".py")}
    loose = files - set().union(*(others for room, others in graph.items() if room not in files))
    if len(loose) < 2:
        return graph
    kept = {room: others for room, others in graph.items() if room not in loose}
    return {f"{floor}/*.py": set().union(*(graph[room] for room in loose)) - loose, **kept}


# The picture.

WIDTH, TOWER, PLAIN, MARGIN, GAP, STEP = 860, 350, 270, 24, 14, 18
ROOM, ROW_GAP, TITLE = 32, 34, 52
CHARACTER = 7.8
WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "_core": "所有楼层都可以使用；不需要 torch",
        "check": "独立的塔楼：静态分析，只用 _core",
        "cli": "每个命令一个文件",
        "data": "数据集、批次、任务流、样本记忆",
        "losses": "损失函数：每篇论文一个文件",
        "methods": "每个类增量方法一个文件",
        "metrics": "准确率、校准、统计",
        "nn": "模型、教师、读取中间层、适配器",
        "probe": "运行别人的损失函数，检验定律",
        "recipes": "完整写明一次运行的函数",
        "runs": "运行记录：表格与 SQL",
        "web": "粘贴代码、查看解释的网页",
        "report": "由运行目录生成的报告页",
        "train": "训练循环与运行记录",
    },
    "en": {
        "_core": "what every floor may use; no torch",
        "check": "a tower of its own: it uses _core alone",
        "cli": "one file for each command",
        "data": "data sets, batches, streams of tasks, exemplars",
        "losses": "one file for each paper",
        "methods": "one file for each class-incremental method",
        "metrics": "accuracy, calibration, statistics",
        "nn": "models, teachers, taps, adapters",
        "probe": "somebody's loss under trial",
        "recipes": "functions that name a run fully",
        "report": "pages from a run folder",
        "runs": "runs as tables and SQL",
        "train": "the training loop and what it leaves on disk",
        "web": "the page for pasted code",
    },
}
TITLES = {
    "en": ("The house of didact", "A floor uses the floors below it; an arrow is an import."),
    "zh": ("didact 的结构", "每层只使用下面的层；箭头表示导入。"),
}
HUES = ("204", "262", "330", "22", "44", "96", "168", "190")


class Box(NamedTuple):
    """A room on the picture."""

    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def levels() -> list[list[str]]:
    """The floors from the top, those side by side in one list, and the tower in none."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers" and "containers" not in c)
    return [[part.strip().removeprefix("didact.") for part in row.split("|")] for row in layers]


def ranks(graph: Graph) -> dict[str, int]:
    """The longest way down from each node; a node in a circle counts as one with the others."""
    group_of = {node: min(group) for group in circles(graph) for node in group}
    name = {node: group_of.get(node, node) for node in graph}

    def rank(node: str) -> int:
        members = [n for n in graph if name[n] == name[node]]
        below = {o for n in members for o in graph[n] if name[o] != name[node]}
        return 1 + max((rank(other) for other in below), default=-1)

    return {node: rank(node) for node in graph}


def without_detours(graph: Graph) -> dict[str, set[str]]:
    """The edges that do not follow from others."""

    def reached(node: str, seen: frozenset[str] = frozenset()) -> set[str]:
        found = set()
        for other in graph[node] - seen:
            found |= {other} | reached(other, seen | {node})
        return found

    return {
        node: {o for o in others if not any(o in reached(via) for via in others - {o})}
        for node, others in graph.items()
    }


def _rows(floor: str) -> list[list[str]]:
    """The rooms of a floor, the callers above the called.

    An arrow that passes a row has a place of its own in it, ``"caller>called"``, so that it goes
    round the rooms; each row is in the order of what stands above.
    """
    edges, rank = without_detours(drawn(floor)), ranks(drawn(floor))
    rows: dict[int, list[str]] = {rank[room]: [] for room in sorted(edges, key=lambda r: -rank[r])}
    parents: dict[str, set[str]] = defaultdict(set)
    for room in sorted(edges):
        rows[rank[room]].append(room)
        for called in sorted(edges[room]):
            above = room
            for level in range(rank[room] - 1, rank[called], -1):
                rows[level].append(f"{room}>{called}")
                parents[rows[level][-1]].add(above)
                above = rows[level][-1]
            parents[called].add(above)
    place: dict[str, float] = {}
    for row in rows.values():
        _order(row, parents, place)
    return list(rows.values())


def _order(row: list[str], parents: Graph, place: dict[str, float]) -> None:
    """Put a row in the order of the means of what stands above, and note the places."""
    middle = (len(row) - 1) / 2

    def wanted(item: str) -> float:
        known = [place[parent] for parent in parents.get(item, ()) if parent in place]
        return sum(known) / len(known) if known else middle

    row.sort(key=lambda item: (wanted(item), item))
    place |= {item: number - middle for number, item in enumerate(row)}


def _width(item: str) -> float:
    return 12.0 if ">" in item else max(80.0, CHARACTER * len(item) + 24)


def _height(floor: str) -> float:
    rows = len(_rows(floor)) if _has_rooms(floor) else 0
    return TITLE + 14 + max(0, rows * (ROOM + ROW_GAP) - ROW_GAP + 8)


def _has_rooms(floor: str) -> bool:
    return bool(rooms()[floor])


def _widths(floors: list[str], width: float) -> list[float]:
    """Floors without rooms are narrow, the others share what is left."""
    plain = sum(not _has_rooms(floor) for floor in floors)
    if plain == len(floors):
        return [(width - GAP * (len(floors) - 1)) / len(floors)] * len(floors)
    left = (width - GAP * (len(floors) - 1) - plain * PLAIN) / (len(floors) - plain)
    return [left if _has_rooms(floor) else PLAIN for floor in floors]


def _floor(floor: str, x: float, y: float, width: float, height: float, language: str) -> list[str]:
    """One floor as SVG: its frame, its title, its rooms and the arrows between them."""
    word = WORDS[language].get(floor) or WORDS["en"].get(floor, "")
    lines = [
        f'<rect class="floor" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10"/>',
        f'<text class="name" x="{x + 14:g}" y="{y + 25:g}">{escape(floor)}</text>',
        f'<text class="word" x="{x + 14:g}" y="{y + 44:g}">{escape(word)}</text>',
    ]
    if not _has_rooms(floor):
        return lines
    boxes = _boxes(floor, x, y + TITLE + 8, width, height - TITLE - 22)
    edges = without_detours(drawn(floor))
    for caller in sorted(set(boxes) & set(edges)):
        lines += [_arrow(boxes, caller, called) for called in sorted(edges[caller])]
    for room, box in boxes.items():
        if ">" not in room:
            lines += [
                f'<rect class="room" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" '
                f'height="{ROOM}" rx="6"/>',
                f'<text class="label" x="{box.middle:g}" y="{box.y + 21:g}">{room}</text>',
            ]
    return lines


def _boxes(floor: str, x: float, y: float, width: float, height: float) -> dict[str, Box]:
    """Where each room stands, and where each arrow passes a row."""
    rows = _rows(floor)
    gap = min(2.2 * ROW_GAP, (height - ROOM * len(rows)) / max(len(rows) - 1, 1))
    boxes = {}
    for number, row in enumerate(rows):
        space = (width - sum(_width(item) for item in row)) / (len(row) + 1)
        left = x + space
        for item in row:
            key = item if ">" not in item else f"{item}>{number}"
            boxes[key] = Box(left, y + number * (ROOM + gap), _width(item))
            left += _width(item) + space
    return boxes


def _arrow(boxes: Mapping[str, Box], caller: str, called: str) -> str:
    passed = [boxes[key] for key in boxes if key.startswith(f"{caller}>{called}>")]
    start, end = boxes[caller], boxes[called]
    steps = [(start.middle, start.y + ROOM)]
    for box in passed:
        steps += [(box.middle, box.y), (box.middle, box.y + ROOM)]
    steps.append((end.middle, end.y - 5))
    path = f"M{steps[0][0]:g} {steps[0][1]:g}"
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(steps)):
        bend = (to_y - y) / 2
        curve = f" C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"
        path += f" V{to_y:g}" if number % 2 else curve
    return f'<path class="arrow" marker-end="url(#tip)" d="{path}"/>'


def picture(language: str) -> str:
    """The whole picture."""
    lines: list[str] = []
    start = y = float(MARGIN + 56)
    rows = levels()
    for number, floors in enumerate(rows):
        is_base = number == len(rows) - 1
        height = max(_height(floor) for floor in floors)
        lines.append(f'<g class="hue{number}">')
        x = float(MARGIN)
        for floor, width in zip(
            floors, _widths(floors, WIDTH + (GAP + TOWER) * is_base), strict=True
        ):
            lines += _floor(floor, x, y, width, height, language)
            x += width + GAP
        lines.append("</g>")
        y += height + STEP
        if not is_base:
            tower_end = y - STEP
    tower_x = MARGIN + WIDTH + GAP
    lines.append(f'<g class="hue{len(rows)}">')
    lines += _floor("check", tower_x, start, TOWER, tower_end - start, language)
    lines.append("</g>")
    width, height = tower_x + TOWER + MARGIN, y - STEP + MARGIN
    title, subtitle = TITLES[language]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'role="img" aria-label="{escape(title)}">',
            f"<style>{_style(len(rows) + 1)}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker>'
            "</defs>",
            f'<rect class="page" width="{width:g}" height="{height:g}" rx="14"/>',
            f'<text class="title" x="{MARGIN}" y="{MARGIN + 22}">{escape(title)}</text>',
            f'<text class="word" x="{MARGIN}" y="{MARGIN + 43}">{escape(subtitle)}</text>',
            *lines,
            "</svg>\n",
        ]
    )


def _style(hues: int) -> str:
    light = [
        "text{font-family:system-ui,'Segoe UI','Noto Sans','Noto Sans CJK SC',sans-serif}",
        ".title{font-size:22px;font-weight:650}.name{font-size:16px;font-weight:650}",
        ".word{font-size:13px}.label{font-size:13.5px;text-anchor:middle}",
        ".arrow{fill:none;stroke-width:1.4}",
        _colours("#ffffff", "#1b1f24", "#59636e", "#8a939d", "55% 95%", "40% 80%", "#ffffff", hues),
    ]
    dark = _colours(
        "#14171b", "#e8ecf1", "#a5afba", "#76818d", "30% 15%", "26% 34%", "#1d2228", hues
    )
    return "".join(light) + f"@media(prefers-color-scheme:dark){{{dark}}}"


def _colours(
    page: str, ink: str, faint: str, line: str, floor: str, edge: str, room: str, hues: int
) -> str:
    parts = [
        f".page{{fill:{page}}}text{{fill:{ink}}}.word{{fill:{faint}}}",
        f".arrow{{stroke:{line}}}.tip{{fill:{line}}}.room{{fill:{room}}}",
    ]
    for number in range(hues):
        hue = HUES[number % len(HUES)]
        parts.append(f".hue{number} .floor{{fill:hsl({hue} {floor})}}")
        parts.append(f".hue{number} .floor,.hue{number} .room{{stroke:hsl({hue} {edge})}}")
    return "".join(parts)


def write(pictures: Iterable[str] = tuple(PICTURES)) -> None:
    """Write the pictures."""
    for language in pictures:
        PICTURES[language].write_text(picture(language), encoding="utf-8")


if __name__ == "__main__":
    write()
