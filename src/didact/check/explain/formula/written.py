"""A formula written down: as text, and as MathML for a page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from didact.check.engine.names import is_loss
from didact.check.explain.formula.boxes import Box, inside, row, text_box
from didact.check.explain.formula.plain import (
    TRANSPARENT,
    bare,
    distribution,
    is_none,
    kl_target,
    plainer,
    sign_of,
    without_log,
)
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Each,
    Given,
    Item,
    Node,
    Sequence,
    walk,
)

LONG = 150
MOST = 1500
"""Pieces of one formula that are written out; beyond them stands an ellipsis."""
_OPERATORS = {"add": (1, "+"), "sub": (1, "−"), "mul": (2, "·"), "div": (2, "/"),
              "matmul": (2, "@"), "mm": (2, "@"), "bmm": (2, "@"), "eq": (0, "=="),
              "ne": (0, "!="), "lt": (0, "<"),
              "le": (0, "≤"), "gt": (0, ">"), "ge": (0, "≥")}  # fmt: skip
_FUNCTIONS = {
    "cross_entropy": "CE", "nll_loss": "NLL", "binary_cross_entropy": "BCE", "mse_loss": "MSE",
    "l1_loss": "L1", "smooth_l1_loss": "Huber", "huber_loss": "Huber", "logsigmoid": "log σ",
    "sigmoid": "σ", "log_softmax": "log softmax", "cosine_similarity": "cos", "hot": "one_hot",
    "length": "len", "KL": "KL", "mean_KL": "KL", "amax": "max", "amin": "min",
}  # fmt: skip
_AXES = frozenset({"amax", "amin", "argmax", "argmin"})
_CLASS_AXES = {2: {1, -1}, 3: {2, -1}, 4: {1, -3}}
"""By the number of dimensions: where the classes are, so that the axis goes without saying."""


@dataclass(slots=True)
class Writer:
    """Writes one formula down; long parts that have a name are written behind it."""

    labels: Mapping[Node, str] = field(default_factory=dict)
    short: bool = False
    where: dict[str, Node] = field(default_factory=dict)
    names: Names | None = None
    rank: int = 0
    """The number of dimensions of the scores, where it is known."""
    _root: Node | None = None
    _top: Node | None = None
    _pieces: int = 0
    _assumed: dict[str, bool] = field(default_factory=dict)

    def write(self, node: Node) -> Box:
        """The formula of a node."""
        self._root, self._top = node, bare(node)
        if self.names is None:
            self.names = names_in(node, self.labels)
        return self._of(node)

    def _of(self, node: Node) -> Box:
        self._pieces += 1
        if self._pieces > MOST:
            return text_box("…")
        if isinstance(node, Constant) and len(node.factors) > 1:
            numbers = [p for f in node.factors for p in (" · ", _constant(f))]
            return row(*numbers[1:], level=2)
        if isinstance(node, Constant):
            return _constant(node.value)
        if isinstance(node, Given):
            return text_box(self._given(node))
        if isinstance(node, Item):
            return text_box(self.labels.get(node, node.text))
        if isinstance(node, Sequence):
            return row("[", *self._list(node.items), "]")
        if isinstance(node, Choice):
            name = None if node.text in self._assumed else self._named(node)
            return text_box(name) if name else self._choice(node)
        if isinstance(node, Each):
            return row(self._of(node.body), f" for each of {node.loop.text}", level=0)
        assert self.names is not None
        while isinstance(node, Call) and node.name in TRANSPARENT and node.args:
            node = node.args[0]
        if isinstance(node, Call):
            name = self.labels.get(node)
            if name and node is not self._root and _is_size(node):
                return text_box(name)
            name = self._named(node)
            return text_box(name) if name else self._call(node)
        return self._of(node)

    def _named(self, node: Node) -> str | None:
        """The name under which a part is written behind the formula, if it is."""
        assert self.names is not None
        name = self.labels.get(node)
        nameable = self.short and node in self.names.calls and node is not self._top
        if not name or not nameable or _size(node) <= 6:
            return None
        while name in self.names.plain or self.where.get(name, node) is not node:
            name += "′"
        self.where[name] = node
        return name

    def _given(self, node: Given) -> str:
        """A name; an unknown call under the name that it is kept by, where that name is its own."""
        assert self.names is not None
        label = self.labels.get(node)
        if not node.inputs:
            return node.text
        return label if label and node in self.names.givens else self._with_inputs(node)

    def _with_inputs(self, node: Given) -> str:
        """An unknown call, with what its arguments are where their names were given again."""
        assert self.names is not None
        changes: dict[str, str] = {}
        for part in (p for i in node.inputs for p in walk(i)):
            name = self.labels.get(part, "")
            known = isinstance(part, Choice) or (isinstance(part, Given) and part.inputs)
            if name in self.names.again and known:
                changes.setdefault(name, self._of(part).plain)
        text = node.text
        for name, written in changes.items():
            if written != name and len(text) + len(written) < 200:
                pattern = rf"(?<![\w.]){re.escape(name)}(?!\w|\s*=[^=])"
                text = re.sub(pattern, written.replace("\\", r"\\"), text)
        return text

    def _choice(self, node: Choice) -> Box:
        known = self._assumed.get(node.text)
        if known is not None:
            return self._of(node.then if known else node.other)
        boxes = []
        for taken, branch in ((True, node.then), (False, node.other)):
            self._assumed[node.text] = taken
            boxes.append(self._of(branch))
        del self._assumed[node.text]
        return row("{ ", boxes[0], f" if {node.text}; ", boxes[1], " otherwise }")

    def _list(self, nodes: tuple[Node, ...]) -> list[Box | str]:
        parts: list[Box | str] = []
        for number, node in enumerate(nodes):
            parts += [", "] if number else []
            parts.append(self._of(node) if isinstance(node, Node) else "…")
        return parts

    def _call(self, node: Call) -> Box:
        shorter = plainer(node)
        if shorter is not node:
            if not isinstance(shorter, Call) or shorter in self.labels:
                return self._of(shorter)
            node = shorter
        name = node.name
        if name == "item":
            return row("const(", self._of(node.args[0]), ")")
        if name in _OPERATORS and len(node.args) == 2:
            return self._operator(node)
        if name == "neg":
            return row("−", inside(self._of(node.args[0]), 2), level=2)
        if name in {"pow", "square"}:
            power = self._of(node.args[1]) if len(node.args) > 1 else text_box("2")
            base = inside(self._of(node.args[0]), 4)
            return Box("power", (base, power), level=4)
        if name in {"softmax", "log_softmax"}:
            shown = self._axis(node)
            return row(_FUNCTIONS.get(name, name), shown, "(", self._of(node.args[0]), ")", level=3)
        if name in {"KL", "mean_KL"}:
            return row("KL(", self._of(node.args[0]), " ‖ ", self._of(node.args[1]), ")")
        if name == "cold":
            return row("1 − one_hot(", self._of(node.args[0]), ")", level=1)
        if name == "distances":
            points = inside(self._of(node.args[0]), 4)
            return row("‖", points, "_i − ", points, "_j‖")
        if name in {"cosine_like", "cosine_unlike"}:
            return self._cosine(node)
        if name == "margin_ranking_loss":
            return self._ranking(node)
        if name in _AXES and node.keyword("dim") is not None:
            dim = self._of(node.keyword("dim")).plain  # type: ignore[arg-type]
            shown = _FUNCTIONS.get(name, name)
            return row(f"{shown}[dim {dim}] ", inside(self._of(node.args[0]), 2), level=2)
        if name in {"sum", "mean"}:
            return self._reduction(node)
        if name == "kl_div":
            return self._kl_div(node)
        if name == "binary_cross_entropy_with_logits":
            return row("BCE(σ(", self._of(node.args[0]), "), ", self._of(node.args[1]), ")",
                       *_reduced(node))  # fmt: skip
        if name == "index" and _is_size(node):
            return self._length(node.args[0].args[0], node.args[1])  # type: ignore[attr-defined]
        if name == "index":
            return row(inside(self._of(node.args[0]), 4), "[", self._key(node.args[1]), "]")
        if name == "put":
            return row("(", self._of(node.args[0]), " with [", self._key(node.args[1]), "] = ",
                       self._of(node.args[2]), ")")  # fmt: skip
        if name in {"t", "mT"}:
            return row(inside(self._of(node.args[0]), 4), "ᵀ")
        if name == "pick":
            return row(inside(self._of(node.args[0]), 4), "_", self._of(node.args[1]))
        if name == "last":
            return row(inside(self._of(node.args[0]), 4), "[−1]")
        if name == "abs":
            return row("|", self._of(node.args[0]), "|")
        if name == "size" and len(node.args) == 2:
            return self._length(*node.args)
        if name in {"slice", "key"}:
            return self._key(node)
        return self._function(node)

    def _function(self, node: Call) -> Box:
        arguments = self._list(node.args)
        for key, value in node.keywords:
            if key in {"reduction", "p", "eps"}:
                continue
            arguments += [", "] if arguments else []
            arguments += [f"{key}=", self._of(value)]
        shown = _FUNCTIONS.get(node.name, node.name)
        return row(shown, "(", *arguments, ")", *_reduced(node))

    def _operator(self, node: Call) -> Box:
        level, sign = _OPERATORS[node.name]
        left, right = (self._of(a) for a in node.args)
        first = inside(left, level)
        second = inside(right, level + (node.name in {"sub", "div"}))
        if node.name == "div":
            second = inside(right, 4)
            return Box("fraction", (inside(left, 2), second), level=2)
        if node.name == "mul":
            return self._product(node)
        return row(first, f" {sign} ", second, level=level)

    def _product(self, node: Call) -> Box:
        """A product with its numbers first, and equal names as one power."""
        factors = _factors_of(node)
        minus = [f for f in factors if isinstance(f, Constant) and f.value == -1]
        factors = [f for f in factors if f not in minus]
        if len(minus) % 2 and factors:
            rest = factors[0]
            for factor in factors[1:]:
                rest = Call("mul", (rest, factor))
            return row("−", inside(self._of(rest), 2), level=2)
        factors.sort(key=lambda f: not _is_number_like(f))
        counts: dict[Node, int] = {}
        for factor in factors:
            alike = next((f for f in counts if isinstance(f, Given) and f is factor), factor)
            counts[alike] = counts.get(alike, 0) + 1
        parts: list[Box | str] = []
        for factor, count in counts.items():
            parts += [" · "] if parts else []
            box = inside(self._of(factor), 2)
            power = Box("power", (inside(box, 4), text_box(str(count))), level=4)
            parts.append(box if count == 1 else power)
        return row(*parts, level=2)

    def _reduction(self, node: Call) -> Box:
        inner = node.args[0]
        if isinstance(inner, Call) and inner.name == "stack" and inner.args:
            inner = inner.args[0] if isinstance(inner.args[0], Each) else inner
        dim = node.keyword("dim") or (node.args[1] if len(node.args) > 1 else None)
        if isinstance(inner, Each):
            sign = "Σ" if node.name == "sum" else "mean"
            names = inner.loop.text
            if inner.test is not None:
                names += f" if {self._of(inner.test).plain}"
            return row(f"{sign}[{names}] ", inside(self._of(inner.body), 2), level=2)
        shown = f"[dim {self._of(dim).plain}]" if dim is not None else ""
        if node.name == "sum":
            return row(f"Σ{shown} ", inside(self._of(inner), 2), level=2)
        return row(f"mean{shown}(", self._of(inner), ")")

    def _kl_div(self, node: Call) -> Box:
        target, prediction = kl_target(node), node.args[0]
        q = without_log(prediction)
        if q is not None:
            p, q = distribution(target), distribution(q)
            return row("KL(", self._of(p), " ‖ ", self._of(q), ")", *_reduced(node))
        if isinstance(prediction, Given):
            return row("KL(", self._of(distribution(target)), " ‖ exp(", self._of(prediction), "))",
                       *_reduced(node))  # fmt: skip
        return row("Σ P·(log P − R)[P = ", self._of(distribution(target)), ", R = ",
                   self._of(prediction), "]", *_reduced(node))  # fmt: skip

    def _axis(self, node: Call) -> str:
        """The axis of a softmax, where it is not that of the classes."""
        dim = node.keyword("dim") or (node.args[1] if len(node.args) > 1 else None)
        value = dim.value if isinstance(dim, Constant) else None
        shaped = any(isinstance(p, Call) and p.name in _SHAPING for p in walk(node.args[0]))
        if value is None or value in _CLASS_AXES.get(0 if shaped else self.rank, {1, -1, 2, 3}):
            return ""
        return f"[dim {value}]".replace("-", "−")

    def _length(self, node: Node, axis: Node) -> Box:
        """A size; of a long part its batch alone is said by a letter."""
        if isinstance(axis, Constant) and axis.value == 0 and not isinstance(node, Given):
            return text_box("B")
        return row(inside(self._of(node), 4), ".size(", self._of(axis), ")")

    def _cosine(self, node: Call) -> Box:
        cosine = row("cos(", self._of(node.args[0]), ", ", self._of(node.args[1]), ")")
        margin = node.keyword("margin")
        if node.name == "cosine_like":
            return row("(1 − ", cosine, ")", *_reduced(node))
        rest: list[Box | str] = [" − ", self._of(margin)] if margin is not None else []
        return row("max(0, ", cosine, *rest, ")", *_reduced(node))

    def _ranking(self, node: Call) -> Box:
        """``margin_ranking_loss``: max(0, m − y·(a − b))."""
        first, second, *more = node.args
        sign = sign_of(more[0]) if more else None
        if sign is not None and sign < 0:
            first, second = second, first
        told = sign is not None or not more
        factor: list[Box | str] = [] if told else [inside(self._of(more[0]), 2), " · "]
        margin = node.keyword("margin") or (more[1] if len(more) > 1 else None)
        begin: list[Box | str] = ["−"] if margin is None else [inside(self._of(margin), 1), " − "]
        return row("mean max(0, ", *begin, *factor, "(", self._of(first), " − ",
                   inside(self._of(second), 2), "))", *_reduced(node))  # fmt: skip

    def _key(self, node: Node) -> Box:
        if isinstance(node, Call) and node.name == "key":
            parts: list[Box | str] = []
            for number, argument in enumerate(node.args):
                parts += [", "] if number else []
                parts.append(self._key(argument))
            return row(*parts)
        if isinstance(node, Call) and node.name == "slice":
            start, stop, step = node.args
            text: list[Box | str] = [*self._bound(start), ":", *self._bound(stop)]
            if not is_none(step):
                text += [":", *self._bound(step)]
            return row(*text)
        if isinstance(node, Constant) and node.value is Ellipsis:
            return text_box("...")
        return self._of(node)

    def _bound(self, node: Node) -> list[Box | str]:
        return [] if is_none(node) else [self._of(node)]


def _factors_of(node: Node) -> list[Node]:
    if isinstance(node, Call) and node.name == "mul":
        return [f for a in node.args for f in _factors_of(a)]
    return [node]


def _constant(value: Any) -> Box:
    if isinstance(value, bool) or value is None:
        return text_box(str(value))
    if isinstance(value, int | float):
        text = "π" if value == math.pi else f"{value:g}".replace("-", "−")
        return Box("text", text=text, level=9 if value >= 0 else 2)
    return text_box(repr(value))


def _is_number_like(node: Node) -> bool:
    if isinstance(node, Constant):
        return True
    if isinstance(node, Given):
        return not node.inputs
    if isinstance(node, Call) and node.name in {
        "pow", "mul", "add", "sub", "div", "maximum", "minimum",
    }:  # fmt: skip
        return all(_is_number_like(a) for a in node.args)
    return False


def _reduced(node: Call) -> list[Box | str]:
    """How a loss is reduced, where it is not averaged over samples."""
    given = node.keyword("reduction")
    reduction = given.value if isinstance(given, Constant) else "mean"
    if isinstance(given, Given):  # a setting: its default, if there is one
        reduction = given.default if isinstance(given.default, str) else ""
    if node.keyword("reduce") is not None or node.keyword("size_average") is not None:
        reduction = _legacy(node)
    if node.name == "kl_div" and reduction in {"mean", "elementwise_mean"}:
        return ["/C"]
    if reduction == "sum":
        return [" (summed)"]
    return [" (each)"] if reduction == "none" else []


def _legacy(node: Call) -> str:
    reduce, average = node.keyword("reduce"), node.keyword("size_average")
    if isinstance(reduce, Constant) and reduce.value is not None and not reduce.value:
        return "none"
    if isinstance(average, Constant) and average.value is not None and not average.value:
        return "sum"
    return "mean"


def _size(node: Node) -> int:
    return sum(1 for _ in walk(node))


_SHAPING = frozenset({"view", "reshape", "flatten", "index", "permute", "transpose", "t", "mean"})


def _is_size(node: Call) -> bool:
    """Whether a part is one size of a tensor."""
    if node.name == "size":
        return len(node.args) == 2
    sizes = node.args[0] if node.name == "index" and node.args else None
    whole = isinstance(sizes, Call) and sizes.name == "size" and len(sizes.args) == 1
    return whole and isinstance(node.args[1], Constant)


@dataclass(frozen=True, slots=True)
class Names:
    """Which names may stand for parts of one formula.

    Attributes:
        plain: Names that come from outside: no part may be called so.
        again: Names that were given more than once.
        calls: The parts that may be written behind the formula under their names.
        givens: The unknown calls that may be shown by their names.
    """

    plain: frozenset[str]
    again: frozenset[str]
    calls: frozenset[Node]
    givens: frozenset[Node]


def names_in(root: Node, labels: Mapping[Node, str]) -> Names:
    """The names of a formula; of a name that was given again, its last value alone may have it."""
    plain: set[str] = set()
    groups: dict[str, list[Node]] = {}
    for part in walk(root):
        if isinstance(part, Given) and not part.inputs:
            plain.add(part.text)
        if isinstance(part, Item):
            plain.add(labels.get(part, part.text))
        label = labels.get(part)
        if label and bare(part) not in groups.get(label, []) and not _is_plain(bare(part)):
            groups.setdefault(label, []).append(bare(part))
    again = {n for n, parts in groups.items() if len(parts) > 1 or n in plain}
    read: dict[Node, int] = {}
    for part in walk(root):
        for child in part.children:
            read[bare(child)] = read.get(bare(child), 0) + 1
    inner = {
        below for parts in groups.values() if len(parts) > 1
        for part in parts for below in set(walk(part)) & set(parts)
        if below is not part and read.get(below, 0) < 2
    }  # fmt: skip
    whole = labels.get(root, labels.get(bare(root)))
    calls = {p for n, parts in groups.items() for p in parts
             if isinstance(p, Call | Choice) and p not in inner and n != whole}  # fmt: skip
    givens = {p for n, parts in groups.items() for p in parts
              if isinstance(p, Given) and n not in again and not _is_loss_call(p)}  # fmt: skip
    return Names(frozenset(plain), frozenset(again), frozenset(calls), frozenset(givens))


def _is_plain(node: Node) -> bool:
    return isinstance(node, Given) and not node.inputs


def _is_loss_call(node: Given) -> bool:
    """Whether an unknown call is a loss by its name: what it is given is worth showing."""
    callee = re.split(r"[(\[]", node.text, maxsplit=1)[0].rsplit(".", 1)[-1]
    return is_loss(callee) and len(node.text) <= 100


def box_of(node: Node, labels: Mapping[Node, str], rank: int = 0) -> tuple[str, str]:
    """A formula as text and as MathML."""
    whole = Writer(labels, rank=rank)
    box = whole.write(node)
    text, mathml = box.plain, box.mathml
    long = len(text) > LONG or whole._pieces > MOST
    if long or (len(text) > LONG // 2 and _is_repeated(node, labels)):
        writer = Writer(labels, short=True, rank=rank)
        box = writer.write(node)
        parts = _parts(writer, box.plain, labels, rank)
        where = "; ".join(f"{n} = {p.plain}" for n, p in parts.items())
        short = f"{box.plain}, where {where}" if parts else box.plain
        if long or len(short) < len(text):
            text, mathml = short, box.mathml
            for name, piece in parts.items():
                mathml += f"<mo>,</mo><mi>{escape(name)}</mi><mo>=</mo>{piece.mathml}"
    return text, f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{mathml}</mrow></math>'


def _parts(writer: Writer, text: str, labels: Mapping[Node, str], rank: int) -> dict[str, Box]:
    """What stands behind ``where``: the named parts that what is written already reads."""
    parts: dict[str, Box] = {}
    while len(parts) < 20:
        read = [text, *(p.plain for p in parts.values())]
        name = next((n for n in writer.where if n not in parts and _reads(n, read)), None)
        if name is None:
            break
        inner = Writer(labels, True, writer.where, writer.names, rank)
        parts[name] = inner.write(writer.where[name])
    return parts


def _is_repeated(root: Node, labels: Mapping[Node, str]) -> bool:
    """Whether a long part that has a name stands in a formula more than once."""
    counts: dict[Node, int] = {}
    for part in walk(root):
        for child in part.children:
            counts[child] = counts.get(child, 0) + 1
    return any(
        count > 1 and isinstance(part, Call) and part in labels and _size(part) > 6
        for part, count in counts.items()
    )


def _reads(name: str, texts: list[str]) -> bool:
    """Whether a named part is read in what is written already, with or without a prime."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?!(?![²³¹])\w|′)")
    return any(pattern.search(text) for text in texts)
