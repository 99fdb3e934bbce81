"""Small arrays of numbers in plain Python: what a formula is evaluated on.

The arrays hold a few dozen numbers, so clarity goes before speed. Floats are doubles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

Number = float | int | bool
Shape = tuple[int, ...]


class EvaluationError(Exception):
    """The formula cannot be evaluated on these shapes, or not at all."""


@dataclass(frozen=True, slots=True)
class Array:
    """Numbers in row-major order, with their shape; ``kind`` is that of their type."""

    shape: Shape
    data: tuple[Number, ...]
    kind: str = "float"

    @property
    def rank(self) -> int:
        """How many dimensions."""
        return len(self.shape)

    def reshape(self, shape: Sequence[int]) -> Array:
        """The same numbers in another shape; one size may be -1."""
        wanted = [int(n) for n in shape]
        known = math.prod(n for n in wanted if n != -1)
        if -1 in wanted:
            if not known or len(self.data) % known:
                raise EvaluationError(f"{self.shape} does not fit {shape}")
            wanted[wanted.index(-1)] = len(self.data) // known
        if math.prod(wanted) != len(self.data):
            raise EvaluationError(f"{self.shape} does not fit {shape}")
        return Array(tuple(wanted), self.data, self.kind)

    def permute(self, order: Sequence[int]) -> Array:
        """The dimensions in another order."""
        axes = [axis_of(self, n) for n in order]
        if sorted(axes) != list(range(self.rank)):
            raise EvaluationError(f"{order} is no order of {self.rank} dimensions")
        if axes == list(range(self.rank)):
            return self
        steps = strides(self.shape)
        shape = tuple(self.shape[a] for a in axes)
        places = _places(shape, tuple(steps[a] for a in axes))
        return Array(shape, tuple(self.data[p] for p in places), self.kind)

    def broadcast_to(self, shape: Shape) -> Array:
        """Repeated along dimensions of size 1."""
        if self.shape == shape:
            return self
        if broadcast(self.shape, shape) != shape:
            raise EvaluationError(f"{self.shape} does not broadcast to {shape}")
        extra = len(shape) - self.rank
        steps = [0] * extra + [
            0 if size == 1 else step
            for size, step in zip(self.shape, strides(self.shape), strict=True)
        ]
        return Array(shape, tuple(self.data[p] for p in _places(shape, tuple(steps))), self.kind)

    def along(
        self, axes: Sequence[int] | int | None, reduce: Callable[[list[Number]], Number],
        *, keepdim: bool = False, kind: str = "float",
    ) -> Array:  # fmt: skip
        """Each group of numbers along some axes made one number; all axes if None."""
        listed = range(self.rank) if axes is None else [axes] if isinstance(axes, int) else axes
        gone = {axis_of(self, a) for a in listed} if self.rank else set()
        kept = [a for a in range(self.rank) if a not in gone]
        moved = self.permute([*kept, *sorted(gone)])
        group = math.prod(self.shape[a] for a in gone)
        if group == 0 and self.data == ():
            raise EvaluationError("nothing to reduce: the tensor is empty")
        values = [
            reduce(list(moved.data[i : i + group])) for i in range(0, len(moved.data), group or 1)
        ]
        shape = [1 if a in gone else n for a, n in enumerate(self.shape)]
        if not keepdim:
            shape = [self.shape[a] for a in kept]
        return Array(tuple(shape), tuple(values), kind)

    def index(self, key: object) -> Array:
        """What ``self[key]`` takes, as in PyTorch."""
        parts = list(key) if isinstance(key, tuple) else [key]
        return _index(self, parts)

    def put(self, key: object, value: Array | Number) -> Array:
        """A copy in which ``self[key]`` is ``value``."""
        numbers = Array(self.shape, tuple(range(len(self.data))), "int")
        where = numbers.index(key)
        given = as_array(value).broadcast_to(where.shape)
        data = list(self.data)
        for place, number in zip(where.data, given.data, strict=True):
            data[int(place)] = number
        return Array(self.shape, tuple(data), self.kind)


def as_array(value: object) -> Array:
    """A number as an array without dimensions; a list of numbers as one dimension."""
    if isinstance(value, Array):
        return value
    if isinstance(value, bool):
        return Array((), (value,), "bool")
    if isinstance(value, int):
        return Array((), (value,), "int")
    if isinstance(value, float):
        return Array((), (value,))
    if isinstance(value, list | tuple) and value:
        return stack([as_array(v) for v in value], 0)
    raise EvaluationError(f"{type(value).__name__} is no tensor")


def axis_of(array: Array, axis: object) -> int:
    """An axis counted from 0."""
    rank = max(array.rank, 1)
    if not isinstance(axis, int | float) or not -rank <= axis < rank:
        raise EvaluationError(f"there is no dimension {axis} in {array.shape}")
    return int(axis) % rank


def strides(shape: Shape) -> list[int]:
    """How far apart neighbours lie along each dimension."""
    result = []
    step = 1
    for size in reversed(shape):
        result.append(step)
        step *= size
    return result[::-1]


def broadcast(*shapes: Shape) -> Shape:
    """The common shape."""
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    rank = max(map(len, shapes))
    result = []
    for sizes in zip(*[(1,) * (rank - len(s)) + s for s in shapes], strict=True):
        wide = {n for n in sizes if n != 1}
        if len(wide) > 1:
            raise EvaluationError(f"shapes {shapes} do not fit")
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def elementwise(
    function: Callable[..., Number], *operands: Array | Number, kind: str = "float"
) -> Array:
    """A function of numbers, number by number."""
    arrays = [as_array(o) for o in operands]
    shape = broadcast(*(a.shape for a in arrays))
    columns = [a.broadcast_to(shape).data for a in arrays]
    return Array(shape, tuple(function(*row) for row in zip(*columns, strict=True)), kind)


def stack(arrays: Sequence[Array], dim: int) -> Array:
    """Along a new dimension."""
    if len({a.shape for a in arrays}) != 1:
        raise EvaluationError("tensors of different shapes cannot be stacked")
    first = arrays[0]
    data = tuple(n for a in arrays for n in a.data)
    joined = Array((len(arrays), *first.shape), data, first.kind)
    place = dim % joined.rank
    order = [*range(1, joined.rank)]
    order.insert(place, 0)
    return joined.permute(order)


def cat(arrays: Sequence[Array], dim: int) -> Array:
    """Along a dimension that is there."""
    axis = axis_of(arrays[0], dim)
    order = [axis, *(a for a in range(arrays[0].rank) if a != axis)]
    moved = [a.permute(order) for a in arrays]
    if len({m.shape[1:] for m in moved}) != 1:
        raise EvaluationError("tensors of different shapes cannot be joined")
    data = tuple(n for m in moved for n in m.data)
    shape = (sum(m.shape[0] for m in moved), *moved[0].shape[1:])
    back = sorted(range(len(order)), key=order.__getitem__)
    return Array(shape, data, arrays[0].kind).permute(back)


def matmul(left: Array, right: Array) -> Array:
    """The matrix product, batched over leading dimensions."""
    if left.rank == 1 and right.rank == 1:
        return as_array(sum(a * b for a, b in zip(left.data, right.data, strict=True)))
    if left.rank == 1:
        return matmul(left.reshape((1, -1)), right).index((..., 0, slice(None)))
    if right.rank == 1:
        return matmul(left, right.reshape((-1, 1))).index((..., 0))
    if left.shape[-1] != right.shape[-2]:
        raise EvaluationError(f"{left.shape} and {right.shape} cannot be multiplied")
    lead = broadcast(left.shape[:-2], right.shape[:-2])
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    a = left.broadcast_to((*lead, rows, inner)).data
    b = right.broadcast_to((*lead, inner, columns)).data
    data = []
    for batch in range(math.prod(lead)):
        x, y = batch * rows * inner, batch * inner * columns
        data += [
            sum(a[x + i * inner + k] * b[y + k * columns + j] for k in range(inner))
            for i, j in product(range(rows), range(columns))
        ]
    return Array((*lead, rows, columns), tuple(data))


@lru_cache(maxsize=1024)
def _places(shape: Shape, steps: tuple[int, ...]) -> tuple[int, ...]:
    ranges = [range(0, size * step, step) if step else [0] * size
              for size, step in zip(shape, steps, strict=True)]  # fmt: skip
    return tuple(sum(p) for p in product(*ranges))


def _index(array: Array, parts: list[object]) -> Array:
    parts = _whole(array, parts)
    steps = strides(array.shape)
    plain: list[tuple[int, list[int]]] = []  # (size, offsets) of each dimension of the result
    fancy: list[tuple[Array, int, int]] = []
    place: int | None = None
    axis = 0
    base = 0
    for part in parts:
        if part is None:
            plain.append((1, [0]))
        elif isinstance(part, slice):
            taken = range(array.shape[axis])[_bounds(part)]
            plain.append((len(taken), [n * steps[axis] for n in taken]))
            axis += 1
        elif isinstance(part, Array):
            for one in _as_integers(part):
                fancy.append((one, array.shape[axis], steps[axis]))
                axis += 1
            place = len(plain) if place is None else place
        elif isinstance(part, int | float) and not isinstance(part, bool):
            number = int(part)
            if not -array.shape[axis] <= number < array.shape[axis]:
                raise EvaluationError(f"index {number} is out of range for {array.shape}")
            base += number % array.shape[axis] * steps[axis]
            axis += 1
        else:
            raise EvaluationError(f"{part!r} is no index")
    if fancy:
        shape = broadcast(*(f[0].shape for f in fancy))
        rows = zip(*[f[0].broadcast_to(shape).data for f in fancy], strict=True)
        offsets = []
        for row in rows:
            offset = 0
            for number, (_, size, step) in zip(row, fancy, strict=True):
                if not -size <= number < size:
                    raise EvaluationError(f"index {number} is out of range for size {size}")
                offset += int(number) % size * step
            offsets.append(offset)
        assert place is not None
        sizes = [(n, o) for n, o in plain]
        sizes.insert(place, (len(offsets), offsets))
        dims = [n for n, _ in plain]
        dims[place:place] = list(shape)
    else:
        sizes = plain
        dims = [n for n, _ in plain]
    data = tuple(array.data[base + sum(p)] for p in product(*[o for _, o in sizes]))
    return Array(tuple(dims), data, array.kind)


def _whole(array: Array, parts: list[object]) -> list[object]:
    """An index for every dimension: the ellipsis spelt out."""
    used = sum(
        part.rank if isinstance(part, Array) and part.kind == "bool" else 1
        for part in parts
        if part is not None and part is not Ellipsis
    )
    missing = array.rank - used
    if missing < 0:
        raise EvaluationError(f"too many indices for {array.shape}")
    fill: list[object] = [slice(None)] * missing
    for number, part in enumerate(parts):
        if part is Ellipsis:
            return [*parts[:number], *fill, *parts[number + 1 :]]
    return [*parts, *fill]


def _bounds(part: slice) -> slice:
    def whole(value: object) -> int | None:
        if value is None:
            return None
        if isinstance(value, Array) and len(value.data) == 1:
            value = value.data[0]
        if isinstance(value, int | float) and value == int(value):
            return int(value)
        raise EvaluationError(f"{value!r} is no bound of a slice")

    return slice(whole(part.start), whole(part.stop), whole(part.step))


def _as_integers(index: Array) -> list[Array]:
    if index.kind == "float":
        raise EvaluationError("an index must be whole numbers")
    if index.kind != "bool":
        return [index]
    hits = [p for p, hit in zip(product(*map(range, index.shape)), index.data, strict=True) if hit]
    return [Array((len(hits),), tuple(h[axis] for h in hits), "int") for axis in range(index.rank)]
