"""A formula as a tree that can be printed and evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.operations import OPERATIONS


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of a formula; parts are told apart by identity."""

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Node):
    """A number, a text, a truth value or None that stands in the code.

    Attributes:
        value: What it is.
        factors: The numbers that it is written as the product of: ``0.5 * 9``.
    """

    value: Any
    factors: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Given(Node):
    """What comes from outside: a name, or a call whose content is not known.

    Attributes:
        text: As the code writes it.
        inputs: What an unknown call is given; two calls are the same value if these are the same.
        default: The value that the code gives it where nothing else is said.
        model: It is what a model returns.
    """

    text: str
    inputs: tuple[Node, ...] = ()
    default: Any = None
    model: bool = False

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return self.inputs


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """An operation on parts: ``name`` is a key of ``OPERATIONS``."""

    name: str
    args: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...] = ()

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return (*self.args, *(value for _, value in self.keywords))

    def keyword(self, name: str) -> Node | None:
        """An argument by name."""
        return dict(self.keywords).get(name)


@dataclass(frozen=True, slots=True, eq=False)
class Sequence(Node):
    """A tuple or list; functions among its items are no parts of a formula."""

    items: tuple[Any, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return tuple(item for item in self.items if isinstance(item, Node))


@dataclass(frozen=True, slots=True, eq=False)
class Choice(Node):
    """One of two, by a condition: alternatives, never summands."""

    text: str
    test: Node | None
    then: Node
    other: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return (self.then, self.other)


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """What a loop runs over: side by side, the items of its sources."""

    number: int
    sources: tuple[Node, ...]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Item(Node):
    """The current item of a source of a loop; of source -1 its number."""

    loop: Loop
    source: int
    text: str

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return (self.loop.sources[self.source],) if self.source >= 0 else ()


@dataclass(frozen=True, slots=True, eq=False)
class Each(Node):
    """The list of a body's values over a loop."""

    loop: Loop
    body: Node
    test: Node | None = None

    @property
    def children(self) -> tuple[Node, ...]:
        """The parts right under this one."""
        return (*self.loop.sources, self.body)


Binding = Mapping[Given, Any]


def walk(node: Node) -> Iterator[Node]:
    """Every part, each once."""
    seen: set[int] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += reversed(current.children)


def givens(node: Node) -> list[Given]:
    """The names that a formula reads, in the order in which they stand."""
    found: dict[Given, None] = {}
    inside: set[int] = set()
    for part in walk(node):
        if isinstance(part, Given) and id(part) not in inside:
            found[part] = None
            inside |= {id(p) for p in walk(part) if p is not part}
    return list(found)


def replace(node: Node, changes: Mapping[Node, Node]) -> Node:
    """The same tree with some parts exchanged; what has no such part stays the same object."""
    done: dict[Node, Node] = {}

    def change(part: Node) -> Node:
        if part not in done:
            done[part] = change(changes[part]) if part in changes else rebuilt(part, change)
        return done[part]

    return change(node)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """A node with each child changed; the node itself where no child is."""
    if isinstance(node, Call):
        args = tuple(change(a) for a in node.args)
        keywords = tuple((k, change(v)) for k, v in node.keywords)
        if (*args, *(v for _, v in keywords)) == node.children:
            return node
        return Call(node.name, args, keywords)
    if isinstance(node, Sequence):
        items = tuple(change(i) if isinstance(i, Node) else i for i in node.items)
        return node if items == node.items else Sequence(items)
    if isinstance(node, Choice):
        then, other = change(node.then), change(node.other)
        same = (then, other) == (node.then, node.other)
        return node if same else Choice(node.text, node.test, then, other)
    if isinstance(node, Each):
        body = change(node.body)
        return node if body is node.body else Each(node.loop, body, node.test)
    return node


class Evaluator:
    """Evaluates parts of a formula for one binding of its names; each part once."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self._known: dict[tuple[int, tuple[tuple[int, int], ...]], Any] = {}
        self._kept: list[Node] = []
        self._at: dict[int, int] = {}

    def __call__(self, node: Node) -> Any:
        """The value of a part.

        Raises:
            EvaluationError: It cannot be evaluated on these shapes.
        """
        key = (id(node), tuple(sorted(self._at.items())) if self._at else ())
        if key not in self._known:
            self._kept.append(node)
            self._known[key] = self._evaluate(node)
        return self._known[key]

    def _evaluate(self, node: Node) -> Any:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Given):
            if node not in self.binding:
                raise EvaluationError(f"{node.text} is not known")
            return self._indexed(node, self.binding[node])
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Sequence):
            return [self(i) for i in node.items]
        if isinstance(node, Choice):
            if node.test is None:
                raise EvaluationError(f"the condition {node.text} is not known")
            return self(node.then) if _true(self(node.test)) else self(node.other)
        if isinstance(node, Item):
            return self._item(node)
        if isinstance(node, Each):
            return self._each(node)
        raise EvaluationError(type(node).__name__)

    def _indexed(self, node: Given, value: Any) -> Any:
        """Of an unknown call on the items of a loop the value for the current item."""
        loops = [i.loop.number for i in node.inputs if isinstance(i, Item)]
        if not loops:
            return value
        place = self._at.get(loops[0], 0)
        if not isinstance(value, list) or not value:
            raise EvaluationError(f"{node.text} has no value for item {place}")
        return value[place % len(value)]

    def _call(self, node: Call) -> Any:
        function = OPERATIONS.get(node.name)
        if function is None:
            raise EvaluationError(f"{node.name} is not known")
        args = [self(a) for a in node.args]
        keywords = {name: self(value) for name, value in node.keywords}
        try:
            return function(*args, **keywords)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError,
                ZeroDivisionError, ArithmeticError, AssertionError) as error:  # fmt: skip
            raise EvaluationError(f"{node.name}: {error}") from error

    def _item(self, node: Item) -> Any:
        if node.loop.number not in self._at:
            raise EvaluationError(f"{node.text} is read outside its loop")
        place = self._at[node.loop.number]
        if node.source < 0:
            return place
        values = self(node.loop.sources[node.source])
        if isinstance(values, Array):
            return values.index(place)
        if isinstance(values, list | tuple) and place < len(values):
            return values[place]
        raise EvaluationError(f"{node.text} is no item of a list")

    def _each(self, node: Each) -> list[Any]:
        counts = []
        for source in node.loop.sources:
            value = self(source)
            counts.append(value.shape[0] if isinstance(value, Array) else len(value))
        result = []
        for place in range(min(counts, default=0)):
            self._at[node.loop.number] = place
            try:
                if node.test is None or _true(self(node.test)):
                    result.append(self(node.body))
            finally:
                del self._at[node.loop.number]
        return result


def _true(value: Any) -> bool:
    if isinstance(value, Array):
        if len(value.data) != 1:
            raise EvaluationError("a condition on more than one number")
        return bool(value.data[0])
    return bool(value)


def alternatives(node: Node, limit: int = 8) -> list[tuple[tuple[str, ...], Node]]:
    """A formula without choices, for each way its conditions may go."""
    choice = next((p for p in walk(node) if isinstance(p, Choice)), None)
    if choice is None or limit <= 1:
        return [((), node)]
    found = []
    opposite = choice.text[4:] if choice.text.startswith("not ") else f"not {choice.text}"
    for text, taken in ((choice.text, True), (opposite, False)):
        same: dict[Node, Node] = {
            p: p.then if taken else p.other
            for p in walk(node)
            if isinstance(p, Choice) and p.text == choice.text
        }
        rest = replace(node, same)
        found += [((text, *c), n) for c, n in alternatives(rest, limit // 2)]
    return found
