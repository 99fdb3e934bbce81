"""A formula written down: as text, and as MathML for a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

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
_SUPERSCRIPTS = {"2": "²", "3": "³", "-1": "⁻¹", "-2": "⁻²"}
_OPERATORS = {"add": (1, "+"), "sub": (1, "−"), "mul": (2, "·"), "div": (2, "/"),
              "matmul": (2, "@"), "mm": (2, "@"), "bmm": (2, "@"), "eq": (0, "=="),
              "ne": (0, "!="), "lt": (0, "<"),
              "le": (0, "≤"), "gt": (0, ">"), "ge": (0, "≥")}  # fmt: skip
_TRANSPARENT = frozenset({"detach", "identity", "floating", "booleans", "integers"})
_FUNCTIONS = {
    "cross_entropy": "CE", "nll_loss": "NLL", "binary_cross_entropy": "BCE", "mse_loss": "MSE",
    "l1_loss": "L1", "smooth_l1_loss": "Huber", "huber_loss": "Huber", "logsigmoid": "log σ",
    "sigmoid": "σ", "log_softmax": "log softmax", "cosine_similarity": "cos",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of writing: a text, a row, a power or a fraction."""

    kind: str
    parts: tuple[Box, ...] = ()
    text: str = ""
    level: int = 9
    """How tightly it binds: 0 a comparison, 1 a sum, 2 a product, 3 a sign, 9 whole."""

    @property
    def plain(self) -> str:
        """As text."""
        if self.kind == "text":
            return self.text
        inner = [p.plain for p in self.parts]
        if self.kind == "power":
            return inner[0] + _SUPERSCRIPTS.get(inner[1], f"^{inner[1]}")
        if self.kind == "fraction":
            return f"{inner[0]}/{inner[1]}"
        return "".join(inner)

    @property
    def mathml(self) -> str:
        """As presentation MathML, without the element around it."""
        if self.kind == "text":
            return _token(self.text)
        if self.kind == "row":
            return "".join(p.mathml for p in self.parts)
        inner = [f"<mrow>{p.mathml}</mrow>" for p in self.parts]
        if self.kind == "power":
            return f"<msup>{inner[0]}{inner[1]}</msup>"
        return f"<mfrac>{inner[0]}{inner[1]}</mfrac>"


def _token(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        return ""
    if stripped.replace(".", "").isdigit():
        return f"<mn>{stripped}</mn>"
    if stripped in "()[]{}+−·/‖,|=<>≤≥@∈;→" or stripped in {"Σ", "==", "!="}:
        return f"<mo>{escape(stripped)}</mo>"
    return f"<mi>{escape(stripped)}</mi>"


def text_box(text: str) -> Box:
    """A text that binds tightly."""
    return Box("text", text=text)


def row(*parts: Box | str, level: int = 9) -> Box:
    """Pieces side by side."""
    return Box("row", tuple(text_box(p) if isinstance(p, str) else p for p in parts), level=level)


def inside(box: Box, level: int) -> Box:
    """A piece in brackets, if it binds less tightly than that."""
    if box.level >= level:
        return box
    return row("(", box, ")")


@dataclass(slots=True)
class Writer:
    """Writes one formula down; long parts that have a name are written behind it."""

    labels: Mapping[Node, str] = field(default_factory=dict)
    short: bool = False
    where: dict[str, Node] = field(default_factory=dict)
    _root: Node | None = None
    _pieces: int = 0

    def write(self, node: Node) -> Box:
        """The formula of a node."""
        self._root = node
        return self._of(node)

    def _of(self, node: Node) -> Box:
        self._pieces += 1
        if self._pieces > MOST:
            return text_box("…")
        if isinstance(node, Constant):
            return _constant(node.value)
        if isinstance(node, Given):
            return text_box(self.labels.get(node, node.text) if node.inputs else node.text)
        if isinstance(node, Item):
            return text_box(self.labels.get(node, node.text))
        if isinstance(node, Sequence):
            return row("[", *self._list(node.items), "]")
        if isinstance(node, Choice):
            return row(
                "{ ", self._of(node.then), f" if {node.text}; ", self._of(node.other),
                " otherwise }",
            )  # fmt: skip
        if isinstance(node, Each):
            return row(self._of(node.body), f" for each of {node.loop.text}", level=0)
        while (
            isinstance(node, Call)
            and node.name in _TRANSPARENT
            and node.args
            and node is not self._root
        ):
            node = node.args[0]
        if isinstance(node, Call):
            name = self.labels.get(node)
            if self.short and name and node is not self._root and _size(node) > 6:
                while name in self.where and self.where[name] is not node:
                    name += "′"
                self.where[name] = node
                return text_box(name)
            return self._call(node)
        if node is not self._root and isinstance(node, Given | Constant | Item | Sequence | Choice):
            return self._of(node)
        return text_box("?")

    def _list(self, nodes: tuple[Node, ...]) -> list[Box | str]:
        parts: list[Box | str] = []
        for number, node in enumerate(nodes):
            parts += [", "] if number else []
            parts.append(self._of(node) if isinstance(node, Node) else "…")
        return parts

    def _call(self, node: Call) -> Box:
        name = node.name
        if name in _TRANSPARENT:
            return self._of(node.args[0])
        if name == "item":
            return row("const(", self._of(node.args[0]), ")")
        divergence = self._divergence(node)
        if divergence is not None:
            return divergence
        if name in _OPERATORS and len(node.args) == 2:
            return self._operator(node)
        if name == "neg":
            return row("−", inside(self._of(node.args[0]), 2), level=2)
        if name in {"pow", "square"}:
            power = self._of(node.args[1]) if len(node.args) > 1 else text_box("2")
            base = inside(self._of(node.args[0]), 4)
            return Box("power", (base, power), level=4)
        if name in {"softmax", "log_softmax"}:
            dim = node.keyword("dim") or (node.args[1] if len(node.args) > 1 else None)
            shown = "[dim 0]" if isinstance(dim, Constant) and dim.value == 0 else ""
            return row(_FUNCTIONS.get(name, name), shown, "(", self._of(node.args[0]), ")", level=3)
        if name in {"sum", "mean"}:
            return self._reduction(node)
        if name == "kl_div":
            return self._kl_div(node)
        if name == "binary_cross_entropy_with_logits":
            return row("BCE(σ(", self._of(node.args[0]), "), ", self._of(node.args[1]), ")",
                       *_reduced(node))  # fmt: skip
        if name == "cosine_embedding_loss":
            return row("(1 − cos(", self._of(node.args[0]), ", ", self._of(node.args[1]), "))",
                       *_reduced(node))  # fmt: skip
        if name == "index":
            return row(inside(self._of(node.args[0]), 4), "[", self._key(node.args[1]), "]")
        if name == "put":
            return row("(", self._of(node.args[0]), " with [", self._key(node.args[1]), "] = ",
                       self._of(node.args[2]), ")")  # fmt: skip
        if name in {"t", "mT"}:
            return row(inside(self._of(node.args[0]), 4), "ᵀ")
        if name == "abs":
            return row("|", self._of(node.args[0]), "|")
        if name == "size" and len(node.args) == 2:
            return row(self._of(node.args[0]), ".size(", self._of(node.args[1]), ")")
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
            names = _loop_text(inner)
            return row(f"{sign}[{names}] ", inside(self._of(inner.body), 2), level=2)
        shown = f"[dim {self._of(dim).plain}]" if dim is not None else ""
        if node.name == "sum":
            return row(f"Σ{shown} ", inside(self._of(inner), 2), level=2)
        return row(f"mean{shown}(", self._of(inner), ")")

    def _kl_div(self, node: Call) -> Box:
        options = dict(node.keywords)
        log_target = options.get("log_target")
        if isinstance(log_target, Constant) and log_target.value:
            target: Node = Call("exp", (node.args[1],))
        else:
            target = node.args[1]
        prediction = node.args[0]
        q = _distribution(prediction)
        if q is not None and (_is_probabilities(target) or isinstance(target, Given)):
            p = (
                _distribution(target.args[0])
                if isinstance(target, Call) and target.name == "exp" and target.args
                else None
            )
            return row("KL(", self._of(p or target), " ‖ ", self._of(q), ")", *_reduced(node))
        if isinstance(prediction, Given):
            return row("KL(", self._of(target), " ‖ exp(", self._of(prediction), "))",
                       *_reduced(node))  # fmt: skip
        return row("Σ P·(log P − R)[P = ", self._of(target), ", R = ", self._of(prediction), "]",
                   *_reduced(node))  # fmt: skip

    def _divergence(self, node: Call) -> Box | None:
        """``mean Σ p·(log p − log q)`` written by hand, as KL(p ‖ q); −mean Σ p·log q as a CE."""
        inner: Node = node
        if node.name != "mean" or len(node.children) != 1:
            return None
        inner = node.args[0]
        if not (
            isinstance(inner, Call)
            and inner.name == "sum"
            and len(inner.children) == 2
            and inner.args
        ):
            return None
        product = inner.args[0]
        if not (isinstance(product, Call) and product.name == "mul"):
            return None
        for p, logs in (product.args, product.args[::-1]) if len(product.args) == 2 else ():
            if isinstance(logs, Call) and logs.name == "sub" and len(logs.args) == 2:
                upper, lower = (_distribution(a) for a in logs.args)
                if upper is None or lower is None or not same(_plain(p), upper):
                    continue
                return row("KL(", self._of(upper), " ‖ ", self._of(lower), ")")
        return None

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
            if not _is_none(step):
                text += [":", *self._bound(step)]
            return row(*text)
        if isinstance(node, Constant) and node.value is Ellipsis:
            return text_box("...")
        return self._of(node)

    def _bound(self, node: Node) -> list[Box | str]:
        return [] if _is_none(node) else [self._of(node)]


def _factors_of(node: Node) -> list[Node]:
    if isinstance(node, Call) and node.name == "mul":
        return [f for a in node.args for f in _factors_of(a)]
    return [node]


def _is_none(node: Node) -> bool:
    return isinstance(node, Constant) and node.value is None


def _constant(value: Any) -> Box:
    if isinstance(value, bool) or value is None:
        return text_box(str(value))
    if isinstance(value, int | float):
        text = f"{value:g}".replace("-", "−")
        return Box("text", text=text, level=9 if value >= 0 else 2)
    return text_box(repr(value))


def _is_number_like(node: Node) -> bool:
    if isinstance(node, Constant):
        return True
    if isinstance(node, Given):
        return not node.inputs
    if isinstance(node, Call) and node.name in {"pow", "mul", "add", "sub", "div"}:
        return all(_is_number_like(a) for a in node.args)
    return False


def _reduced(node: Call) -> list[Box | str]:
    """How a loss is reduced, where it is not averaged over samples."""
    given = node.keyword("reduction")
    reduction = given.value if isinstance(given, Constant) else "mean"
    if node.keyword("reduce") is not None or node.keyword("size_average") is not None:
        reduction = _legacy(node)
    if node.name == "kl_div" and reduction == "mean":
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


def _plain(node: Node) -> Node:
    while isinstance(node, Call) and node.name in _TRANSPARENT and node.args:
        node = node.args[0]
    if isinstance(node, Call) and node.name == "exp" and node.args:
        return _distribution(node.args[0]) or node
    return node


def _distribution(node: Node) -> Node | None:
    """The softmax whose logarithm a part is."""
    while isinstance(node, Call) and node.name in _TRANSPARENT and node.args:
        node = node.args[0]
    if isinstance(node, Call) and node.name == "log_softmax":
        return Call("softmax", node.args, node.keywords)
    if (
        isinstance(node, Call)
        and node.name == "log"
        and node.args
        and _is_probabilities(node.args[0])
    ):
        return _plain(node.args[0])
    return None


def _is_probabilities(node: Node) -> bool:
    node = _plain(node)
    return isinstance(node, Call) and (
        node.name in {"softmax", "exp"}
        or (node.name == "mean" and any(_is_probabilities(p) for p in walk(node) if p is not node
                                        and isinstance(p, Call) and p.name == "softmax"))
    )  # fmt: skip


def same(one: Node, other: Node) -> bool:
    """Whether two parts are written alike and read the same names."""
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    if isinstance(one, Call) and isinstance(other, Call) and one.name == other.name:
        keys = [k for k, _ in one.keywords] == [k for k, _ in other.keywords]
        a, b = one.children, other.children
        return keys and len(a) == len(b) and all(map(same, a, b))
    return False


def _size(node: Node) -> int:
    return sum(1 for _ in walk(node))


def _loop_text(node: Each) -> str:
    return node.loop.text


def formula_text(node: Node, labels: Mapping[Node, str]) -> str:
    """A formula as one line; of a long one the named parts follow behind ``where``."""
    return box_of(node, labels)[0]


def _reads(name: str, texts: list[str]) -> bool:
    """Whether a named part is read in what is written already, with or without a prime."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w′])")
    return any(pattern.search(text) for text in texts)


def box_of(node: Node, labels: Mapping[Node, str]) -> tuple[str, str]:
    """A formula as text and as MathML."""
    whole = Writer(labels)
    box = whole.write(node)
    text, mathml = box.plain, box.mathml
    if len(text) > LONG or whole._pieces > MOST:
        writer = Writer(labels, short=True)
        box = writer.write(node)
        text, mathml = box.plain, box.mathml
        written: set[str] = set()
        parts: list[str] = []
        while set(writer.where) - written and len(written) < 12:
            name = next(n for n in writer.where if n not in written)
            written.add(name)
            root = writer.where[name]
            inner = Writer(labels, short=True, where=writer.where)
            box = inner.write(root)
            if not _reads(name, [text, *parts]):
                continue
            parts.append(f"{name} = {box.plain}")
            mathml += f"<mo>,</mo><mi>{escape(name)}</mi><mo>=</mo>{box.mathml}"
        if parts:
            text += ", where " + "; ".join(parts)
    return text, f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{mathml}</mrow></math>'
