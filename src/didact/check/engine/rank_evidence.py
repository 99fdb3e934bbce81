"""What an operation tells about how many dimensions its operand has."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from didact.check.engine.index import Index
from didact.check.engine.names import dotted, word_set
from didact.check.engine.spaces import Evidence

_POOLS = re.compile(r"(?:adaptive_)?(?:avg|max|lp)_pool([123])d|conv(?:_transpose)?([123])d")
_MODES = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_WITH_DIM = word_set("softmax log_softmax sum mean argmax argmin max min logsumexp amax amin")
_FUNCTIONAL = ("F", "torch", "nn.functional", "torch.nn.functional", "functional")


@dataclass(frozen=True, slots=True)
class Rank:
    """How many dimensions something has.

    Attributes:
        count: The number, or the least that it can be.
        exact: It is no lower bound.
        why: ``OPERATION`` where nothing else can go through it, ``NAME`` where words say so.
    """

    count: int
    exact: bool = False
    why: Evidence = Evidence.OPERATION

    def shifted(self, by: int) -> Rank:
        """Of something with so many more dimensions."""
        return dataclasses.replace(self, count=self.count + by) if by else self

    def in_doubt(self) -> Rank:
        """The same, told where the code takes several ranks."""
        return Rank(self.count, exact=False, why=Evidence.NAME)

    def contradicts(self, other: Rank) -> bool:
        """Whether both cannot be true."""
        if self.exact and other.exact:
            return self.count != other.count
        low, high = (self, other) if other.exact else (other, self)
        return high.exact and low.count > high.count


def stronger(one: Rank, other: Rank) -> Rank:
    """What two pieces of evidence tell together."""
    if (one.why is Evidence.NAME) != (other.why is Evidence.NAME):
        told, sure = (one, other) if one.why is Evidence.NAME else (other, one)
        vague = not sure.exact and sure.count < 3
        return told if vague and told.count > sure.count else sure
    if one.exact != other.exact:
        return one if one.exact else other
    return one if one.count >= other.count else other


def number(node: ast.expr | None) -> int | None:
    """A literal whole number, also a negative one."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def is_about_rank(test: ast.expr) -> bool:
    """Whether a condition asks for the rank or the type: what stands under it is one case."""
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute) and node.attr in ("dim", "ndim", "ndimension"):
            return True
        if isinstance(node, ast.Call) and dotted(node.func) in ("len", "isinstance"):
            text = ast.unparse(node)
            if "shape" in text or "size" in text or text.startswith("isinstance"):
                return True
        if isinstance(node, ast.Compare) and any(
            isinstance(other, ast.Constant) and isinstance(other.value, str)
            for other in (node.left, *node.comparators)
        ):
            return "task" in ast.unparse(node).lower() or "data" in ast.unparse(node).lower()
    return False


Found = tuple[ast.expr, Rank]


def unpack_evidence(target: ast.expr, value: ast.expr) -> Found | None:
    """``b, c, h, w = x.shape`` and ``h, w = x.size()[2:]``."""
    if not isinstance(target, ast.Tuple | ast.List):
        return None
    if any(isinstance(element, ast.Starred) for element in target.elts):
        low = len(target.elts) - 1
        shaped = _shape_of(value)
        return None if shaped is None else (shaped, Rank(low))
    count = len(target.elts)
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice):
        shaped, start = _shape_of(value.value), number(value.slice.lower)
        if shaped is None or start is None or value.slice.upper is not None:
            return None
        return (shaped, Rank(count + start, exact=True)) if start > 0 else (shaped, Rank(count + 1))
    shaped = _shape_of(value)
    return None if shaped is None else (shaped, Rank(count, exact=True))


def _shape_of(node: ast.expr) -> ast.expr | None:
    """``x`` of ``x.shape`` and ``x.size()``."""
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        return node.value
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    return node.func.value if node.func.attr == "size" and not node.args else None


def shape_evidence(node: ast.Subscript) -> Found | None:
    """``x.shape[2]``, ``x.size()[2:]``."""
    shaped = _shape_of(node.value)
    if shaped is None:
        return None
    if isinstance(node.slice, ast.Slice):
        low, high = number(node.slice.lower), number(node.slice.upper)
        places = [abs(low) + (low > 0) if low else 0, high if high and high > 0 else 0]
        least = max(places)
        return (shaped, Rank(least)) if least else None
    return _at(shaped, number(node.slice))


def _at(tensor: ast.expr, place: int | None) -> Found | None:
    if place is None:
        return None
    return tensor, Rank(place + 1 if place >= 0 else -place)


def subscript_evidence(node: ast.Subscript) -> Found | None:
    """``x[:, :-1, :]``; ``x[..., :-1, :]`` cuts positions before the classes."""
    key = node.slice
    if not isinstance(key, ast.Tuple) or _shape_of(node.value) is not None:
        return None
    dots = [part for part in key.elts if isinstance(part, ast.Constant) and part.value is ...]
    new = [part for part in key.elts if isinstance(part, ast.Constant) and part.value is None]
    count = len(key.elts) - len(dots) - len(new)
    if dots and count == 2 and isinstance(key.elts[-2], ast.Slice) and _is_whole(key.elts[-1]):
        shift = key.elts[-2]
        if isinstance(shift, ast.Slice) and (number(shift.upper) == -1 or number(shift.lower) == 1):
            return node.value, Rank(3)
    return (node.value, Rank(count)) if count > 1 else None


def _is_whole(part: ast.expr) -> bool:
    return isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None


def call_evidence(node: ast.Call, index: Index) -> Iterator[Found]:
    """What a call tells about the rank of the tensors in it."""
    function = node.func
    name = dotted(function) or (function.attr if isinstance(function, ast.Attribute) else "")
    last = name.rsplit(".", 1)[-1]
    keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    yield from flattened_for_labels(node)
    if "log_probs" in keywords and {"input_lengths", "target_lengths"} & set(keywords):
        yield keywords["log_probs"], Rank(3, exact=True)
    if isinstance(function, ast.Attribute) and name.rpartition(".")[0] not in _FUNCTIONAL:
        yield from _of_method(function.value, function.attr, node.args, keywords)
        if last not in ("ctc_loss", "rearrange"):
            return
    if node.args:
        yield from _of_function(last, node.args, keywords)
    del index


def _of_method(
    base: ast.expr, name: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]
) -> Iterator[Found]:
    numbers = [number(argument) for argument in arguments]
    if name == "size" and len(numbers) == 1:
        found = _at(base, numbers[0])
        if found is not None:
            yield found
    elif name == "permute":
        listed = arguments
        if len(arguments) == 1 and isinstance(arguments[0], ast.Tuple | ast.List):
            listed = arguments[0].elts
        if len(listed) > 1 and not any(isinstance(part, ast.Starred) for part in listed):
            yield base, Rank(len(listed), exact=True)
    elif name in ("transpose", "swapaxes", "swapdims") and None not in numbers and numbers:
        yield base, Rank(_least(numbers))
    elif name == "flatten" and numbers and numbers[0] is not None and numbers[0] >= 2:
        yield base, Rank(numbers[0] + 1)
    elif name in ("view", "reshape"):
        yield from _flattened(base, arguments)
    elif name == "expand_as" and arguments:
        inner = base
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            mask = dotted(inner.func.value)
            if inner.func.attr == "unsqueeze" and "mask" in mask and "attention" in mask:
                yield arguments[0], Rank(3)
    elif name in _WITH_DIM:
        yield from _dim(base, arguments[:1], keywords)


def _of_function(
    name: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]
) -> Iterator[Found]:
    base, rest = arguments[0], arguments[1:]
    pool = _POOLS.fullmatch(name)
    if pool is not None:
        yield base, Rank(int(pool[1] or pool[2]) + 2, exact=True)
    elif name in ("interpolate", "upsample"):
        yield from _interpolated(base, keywords)
    elif name == "ctc_loss":
        yield base, Rank(3, exact=True)
    elif name == "rearrange" and rest:
        count = _einops(rest[0])
        if count is not None:
            yield base, Rank(count, exact=True)
    elif name == "einsum":
        yield from _einsum(arguments)
    elif name == "bmm":
        for argument in arguments[:2]:
            yield argument, Rank(3, exact=True)
    elif name in ("permute", "transpose"):
        yield from _of_method(base, name, rest, keywords)
    elif name in _WITH_DIM:
        yield from _dim(base, rest[:1], keywords)


def _interpolated(base: ast.expr, keywords: dict[str, ast.expr]) -> Iterator[Found]:
    mode = getattr(keywords.get("mode"), "value", None)
    if mode not in _MODES:
        return
    yield base, Rank(_MODES[mode], exact=True)
    size = keywords.get("size")  # as large as another tensor of the same kind
    if isinstance(size, ast.Subscript):
        other = _shape_of(size.value)
        if (
            other is not None
            and isinstance(size.slice, ast.Slice)
            and number(size.slice.lower) == 2
        ):
            yield other, Rank(_MODES[mode], exact=True)


def _dim(base: ast.expr, given: list[ast.expr], keywords: dict[str, ast.expr]) -> Iterator[Found]:
    dim = keywords.get("dim", keywords.get("axis", given[0] if given else None))
    listed = dim.elts if isinstance(dim, ast.Tuple | ast.List) else [dim]
    numbers = [number(part) for part in listed]
    if numbers and None not in numbers:
        least = _least(numbers)
        if least > 2:
            yield base, Rank(least)


def _least(numbers: list[int | None]) -> int:
    return max(value + 1 if value >= 0 else -value for value in numbers if value is not None)


def _flattened(base: ast.expr, arguments: list[ast.expr]) -> Iterator[Found]:
    """``x.view(-1, vocab_size)``: somebody who flattens positions has them."""
    if len(arguments) == 1 and isinstance(arguments[0], ast.Tuple):
        arguments = arguments[0].elts
    if len(arguments) != 2 or number(arguments[0]) != -1:
        return
    if "vocab" in ast.unparse(arguments[1]):
        yield base, Rank(3)
    elif _is_last_size(base, arguments[1]):
        yield base, Rank(3, why=Evidence.NAME)


def _is_last_size(base: ast.expr, node: ast.expr) -> bool:
    """``x.size(-1)`` and ``x.shape[-1]`` of the same tensor."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        last = node.func.attr == "size" and len(node.args) == 1 and number(node.args[0]) == -1
        tensor = node.func.value
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
        last = node.value.attr == "shape" and number(node.slice) == -1
        tensor = node.value.value
    else:
        return False
    return last and dotted(tensor) == dotted(base) != ""


def flattened_for_labels(node: ast.Call) -> Iterator[Found]:
    """``cross_entropy(x.view(-1, x.size(-1)), y.view(-1), ignore_index=-100)``: x has positions."""
    if len(node.args) < 2 or not any(k.arg == "ignore_index" for k in node.keywords):
        return
    scores, labels = (_reshaped(argument) for argument in node.args[:2])
    if scores is None or labels is None or len(labels[1]) != 1 or number(labels[1][0]) != -1:
        return
    if len(scores[1]) == 2 and number(scores[1][0]) == -1:
        yield scores[0], Rank(3)


def _reshaped(node: ast.expr) -> tuple[ast.expr, list[ast.expr]] | None:
    """``x.view(...)``: x and the shape."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    return (node.func.value, node.args) if node.func.attr in ("view", "reshape") else None


def _einops(pattern: ast.expr) -> int | None:
    text = getattr(pattern, "value", None)
    if not isinstance(text, str) or "..." in text or "->" not in text:
        return None
    left = re.sub(r"\([^)]*\)", "g", text.partition("->")[0])
    return len(left.split()) or None


def _einsum(arguments: list[ast.expr]) -> Iterator[Found]:
    text = getattr(arguments[0], "value", None)
    if not isinstance(text, str) or "." in text:
        return
    for letters, argument in zip(text.partition("->")[0].split(","), arguments[1:], strict=False):
        yield argument, Rank(len(letters.strip()), exact=True)
