"""What an index takes: samples, classes, or nothing at all."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.correct.graph import is_empty
from didact.check.engine.names import is_label
from didact.check.engine.spaces import Space
from didact.check.engine.values import Value

_CLASSWISE = {
    Space.LOGITS, Space.OUTPUT, Space.LOG_PROBS, Space.PROBS, Space.SIGMOID_PROBS, Space.ONE_HOT,
}  # fmt: skip
EMPTY = Text(
    "an empty slice: `{start}:{stop}:{step}` means start, stop, step, so it runs from 0 up to 0; "
    'it is not "the first {count}" (those are `{first}`)',
    "空切片：`{start}:{stop}:{step}` 的含义是起点、终点、步长，从 0 取到 0，什么也取不到；"
    "并不是“前 {count} 个”（那应写 `{first}`）",
)


_SIZE = Text("the size of dim {dim} of {x}", "{x} 第 {dim} 维的大小")


def is_suspicious(node: ast.Subscript, value: Value | None) -> bool:
    """Whether a slice takes nothing, or takes samples from a tensor of classes."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if any(is_empty(part) for part in parts):
        return True
    classwise = value is not None and value.space in _CLASSWISE
    return classwise and len(parts) == 1 and isinstance(parts[0], ast.Slice)


def slice_phrase(node: ast.Subscript, value: Value | None) -> Text:
    """What ``x[...]`` takes from ``x``."""
    base = f"`{_text(node.value)}`"
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for part in parts:
        if is_empty(part):
            return _empty(node, part)
    classwise = value is not None and value.space in _CLASSWISE
    steps = _time_steps(node, parts)
    if steps is not None:
        return steps.format(base=base)
    named = _by_dimensions(parts, _columns(node, value, classwise=classwise))
    if named is not None:
        return Text(f"{named.en} of {base}", f"{base} 的{named.zh}")
    only = parts[0]
    if len(parts) == 1 and isinstance(only, ast.Slice):
        span = _span(only, Text("rows (samples)", "行（样本）"))
        note = Text(" — dimension 0, not the classes", "——这是第 0 维，不是类别维")
        return Text(
            f"{span.en} of {base}{note.en if classwise else ''}",
            f"{base} 的{span.zh}{note.zh if classwise else ''}",
        )
    if len(parts) == 1 and isinstance(only, ast.Constant) and isinstance(only.value, str):
        return Text(f"the entry {only.value!r} of {base}", f"{base} 中的 {only.value!r} 项")
    if len(parts) == 1 and isinstance(only, ast.Constant) and isinstance(only.value, int):
        owner = node.value.value if isinstance(node.value, ast.Attribute) else None
        if owner is not None and node.value.attr == "shape":  # type: ignore[attr-defined]
            return _SIZE.format(dim=only.value, x=f"`{_text(owner)}`")
    index = ", ".join(f"`{_text(p)}`" for p in parts)
    return Text(f"the entries of {base} at {index}", f"{base} 中下标 {index} 处的元素")


_SHIFT_LAST = Text(
    "{base} without its last position (shift of one time step: position t predicts t + 1)",
    "{base} 去掉最后一个位置（错开一个时间步：位置 t 预测 t + 1）",
)
_SHIFT_FIRST = Text(
    "{base} without its first position (shift of one time step: position t predicts t + 1)",
    "{base} 去掉第一个位置（错开一个时间步：位置 t 预测 t + 1）",
)
_WITHOUT_LAST = Text("{base} without its last position", "{base} 去掉最后一个位置")
_WITHOUT_FIRST = Text("{base} without its first position", "{base} 去掉第一个位置")
_LESS_ONE = Text("{base} without its last entry along dim 1", "{base} 去掉 dim=1 上的最后一个")
_TARGETS = re.compile(r"label|target|token|input_ids|\bids?\b|mask|attention", re.IGNORECASE)
_SEQUENCE = re.compile(
    r"label|target|token|input_ids|\bids?\b|mask|logit|attention|seq|shift|text", re.IGNORECASE
)


def _time_steps(node: ast.Subscript, parts: list[ast.expr]) -> Text | None:
    """``logits[:, :-1, :]``, ``labels[:, 1:]``: one position less, at the end or at the start."""
    named = _SEQUENCE.search(_text(node.value))
    dots = isinstance(parts[0], ast.Constant) and parts[0].value is Ellipsis
    if (
        len(parts) < 2
        or not (dots or _is_all(parts[0]))
        or not all(map(_is_all, parts[2:]))
        or not isinstance(parts[1], ast.Slice)
        or parts[1].step is not None
    ):
        return None
    lower, upper = _text(parts[1].lower), _text(parts[1].upper)
    if not named:  # whether the last position or the last class, the name does not tell
        return _LESS_ONE if lower in {"", "0"} and upper == "-1" and not dots else None
    targets = bool(_TARGETS.search(_text(node.value)))
    if lower in {"", "0"} and upper == "-1":
        return _WITHOUT_LAST if targets else _SHIFT_LAST
    if lower != "1" or upper:
        return None
    return _SHIFT_FIRST if targets else _WITHOUT_FIRST


def _is_all(part: ast.expr) -> bool:
    return isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None


_POSITIONS = Text("positions (tokens)", "位置（词元）")


def _columns(node: ast.Subscript, value: Value | None, *, classwise: bool) -> Text:
    """What the second dimension holds: classes only where that is known."""
    base = _text(node.value)
    labels = value is not None and value.space is Space.LABELS
    if classwise and not labels:
        return Text("columns (classes)", "列（类别）")
    if labels or is_label(base) or re.search(r"_ids|mask|token|attention", base):
        return _POSITIONS
    return Text("columns", "列")


def _by_dimensions(parts: list[ast.expr], what: Text) -> Text | None:
    """``[:, a:b]``, ``[..., a:b]`` and ``[:, a:b, :]``: a range of one dimension."""
    full = isinstance(parts[-1], ast.Slice) and parts[-1].lower is parts[-1].upper is None
    if len(parts) == 3 and full and isinstance(parts[1], ast.Slice):
        parts, what = parts[:2], _POSITIONS
    if len(parts) < 2 or not isinstance(parts[-1], ast.Slice):
        return None
    for part in parts[:-1]:
        full = isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None
        dots = isinstance(part, ast.Constant) and part.value is Ellipsis
        if not full and not dots:
            return None
    return _span(parts[-1], what)


def _span(part: ast.Slice, what: Text) -> Text:
    lower = _text(part.lower) if part.lower is not None else None
    upper = _text(part.upper) if part.upper is not None else None
    if part.step is not None:
        step = _text(part.step)
        return Text(
            f"every {step}-th of the {what.en} {lower or 0}…{upper or 'end'}",
            f"{what.zh} {lower or 0}…{upper or '末尾'} 中每隔 {step} 取一个",
        )
    if lower is None and upper is None:
        return Text(f"all {what.en}", f"全部{what.zh}")
    if lower is None:
        if upper and upper.startswith("-"):
            return Text(
                f"all but the last {upper[1:]} {what.en}", f"除最后 {upper[1:]} 以外的{what.zh}"
            )
        return Text(f"the first `{upper}` {what.en}", f"前 `{upper}` {what.zh}")
    if upper is None:
        if lower.startswith("-"):
            return Text(f"the last `{lower[1:]}` {what.en}", f"最后 `{lower[1:]}` {what.zh}")
        return Text(f"the {what.en} from `{lower}` on", f"从 `{lower}` 起的{what.zh}")
    return Text(
        f"the {what.en} from `{lower}` up to, not including, `{upper}`",
        f"从 `{lower}` 到 `{upper}`（不含 `{upper}`）的{what.zh}",
    )


def _empty(node: ast.Subscript, part: ast.expr) -> Text:
    assert isinstance(part, ast.Slice)
    step = _text(part.step) if part.step is not None else ""
    count = step or "k"
    name = _text(node.value).removesuffix(".clone()")
    first = f"{name}[:, :{count}]"
    start = _text(part.lower) if part.lower is not None else ""
    stop = _text(part.upper) if part.upper is not None else ""
    written = EMPTY.format(start=start, stop=stop, step=step, count=count, first=first)
    if step:
        return written
    return Text(
        f"an empty slice: it ends where it begins; the first k classes are `{first}`",
        f"空切片：终点等于起点，什么也取不到；前 k 个类别应写 `{first}`",
    )


def _text(node: ast.expr | None) -> str:
    return "" if node is None else " ".join(ast.unparse(node).split())
