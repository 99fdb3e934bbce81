"""Random numbers for the names of a formula: a draw is one setting of sizes and one seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from didact.check.explain.formula.arrays import Array, Shape
from didact.check.explain.formula.kinds import INDICES, Kind, is_weights
from didact.check.explain.formula.tree import Given


@dataclass(frozen=True, slots=True)
class Draw:
    """Sizes, the temperature and a seed.

    ``rank`` 2 stands for ``[B, C]``, 3 for ``[B, S, C]``, 4 for ``[B, C, H, W]``.
    """

    rank: int = 2
    batch: int = 4
    classes: int = 5
    positions: int = 3
    height: int = 2
    teachers: int = 2
    temperature: float = 2.0
    seed: int = 0

    @property
    def shape(self) -> Shape:
        """Of the logits, or of the features."""
        if self.rank == 2:
            return (self.batch, self.classes)
        if self.rank == 3:
            return (self.batch, self.positions, self.classes)
        return (self.batch, self.classes, self.height, self.height + 1)

    @property
    def class_axis(self) -> int:
        """The dimension of the classes."""
        return 1 if self.rank == 4 else self.rank - 1

    @property
    def old(self) -> int:
        """How many of the classes are old."""
        return self.classes - 2

    def changed(self, **sizes: Any) -> Draw:
        """Another setting."""
        return replace(self, **sizes)


TINY = 1e-5
"""A number that is there for safety alone, as in ``(p + 1e-8).log()``."""


def bind(names: Iterable[tuple[Given, Kind]], draw: Draw) -> dict[Given, Any]:
    """A value for every name; one for each item where an unknown call is made in a loop."""
    binding: dict[Given, Any] = {}
    names = list(names)
    scales = _scales(names)
    for given, kind in names:
        source = random.Random(f"{draw.seed} {given.text} {draw.shape}")
        tiny = isinstance(given.default, float) and 0 < given.default <= TINY
        if given.default is not None and (kind is Kind.FLAG or tiny):
            binding[given] = given.default
        elif given.inputs and any(type(i).__name__ == "Item" for i in given.inputs):
            binding[given] = [_value(kind, draw, source) for _ in range(draw.teachers)]
        elif kind is Kind.LIST and is_weights(given.text):
            binding[given] = [source.uniform(0.2, 0.9) for _ in range(draw.teachers)]
        elif kind is Kind.TEMPERATURE:
            binding[given] = draw.temperature * scales[_last(given)]
        else:
            binding[given] = _value(kind, draw, source)
    return binding


def _scales(names: Iterable[tuple[Given, Kind]]) -> dict[str, float]:
    """Temperatures of different names are different: nothing says that they are the same."""
    found = dict.fromkeys(_last(g) for g, kind in names if kind is Kind.TEMPERATURE)
    return {name: 1.0 + 0.375 * number for number, name in enumerate(found)}


def _last(given: Given) -> str:
    return given.text.rsplit(".", 1)[-1]


def _value(kind: Kind, draw: Draw, source: random.Random) -> Any:
    places = tuple(n for a, n in enumerate(draw.shape) if a != draw.class_axis)
    if kind is Kind.TEMPERATURE:
        return draw.temperature
    if kind is Kind.WEIGHT:
        return source.uniform(0.2, 0.9)
    if kind in INDICES:
        first = draw.old if kind is Kind.NEW_LABELS else 0
        stop = draw.classes - draw.old if kind is Kind.FEW_LABELS else draw.classes
        return _filled(places, lambda: source.randrange(first, stop), "int")
    if kind is Kind.HOT:
        return _filled(draw.shape, lambda: float(source.random() < 0.5), "float")
    if kind is Kind.MASK:
        mask = _filled(places, lambda: source.random() < 0.6, "bool")
        row = draw.positions if draw.rank == 3 else len(mask.data)  # none of them is empty
        data = (number % row == 0 or bit for number, bit in enumerate(mask.data[2:], start=2))
        return Array(mask.shape, (True, False, *data), "bool")
    if kind is Kind.WIDE_MASK:
        wide = tuple(1 if a == draw.class_axis else n for a, n in enumerate(draw.shape))
        return _value(Kind.MASK, draw, source).reshape(wide)
    if kind is Kind.OLD_CLASSES:
        return draw.old
    if kind is Kind.CLASSES:
        return draw.classes
    if kind is Kind.PADDING:
        return 0
    if kind is Kind.COUNT:
        return draw.teachers
    if kind is Kind.LIST:
        return [_tensor(draw, source) for _ in range(draw.teachers)]
    if kind is Kind.FLAG:
        return True
    if kind is Kind.OLD_OUTPUT:
        return _tensor(draw.changed(classes=draw.old), source)
    return _tensor(draw, source)


def _tensor(draw: Draw, source: random.Random) -> Array:
    return _filled(draw.shape, lambda: source.gauss(0, 1.5), "float")


def _filled(shape: Shape, make: Any, kind: str) -> Array:
    count = 1
    for size in shape:
        count *= size
    return Array(shape, tuple(make() for _ in range(count)), kind)
