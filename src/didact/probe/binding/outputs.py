"""From whatever a loss returns to one number."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.errors import ProbeError

_PREFERRED = ("loss", "total", "total_loss", "loss_total", "kd", "kd_loss", "loss_kd", "distill")
_DEEPEST = 3


def parts(returned: Any) -> list[tuple[Tensor, Text]]:
    """Every floating-point tensor that a loss returned, and where it stood; the likeliest first.

    Raises:
        ProbeError: There is none.
    """
    found = list(_found(returned, ()))
    if found:
        return found
    if isinstance(returned, bool):
        raise ProbeError(*_refusal(returned))
    if isinstance(returned, Number | np.ndarray):
        try:
            plain = torch.as_tensor(np.asarray(returned, dtype=np.float64))
        except (TypeError, ValueError):
            raise ProbeError(*_refusal(returned)) from None
        if plain.numel():
            return [(plain, Text("a plain number", "普通数字"))]
    if inspect.iscoroutine(returned):
        returned.close()
    raise ProbeError(*_refusal(returned))


def _found(returned: Any, path: tuple[Text, ...]) -> Iterator[tuple[Tensor, Text]]:
    """The numbers in what was returned, at any depth that losses have."""
    if isinstance(returned, Tensor):
        if returned.is_floating_point() and returned.numel():
            yield returned, _place(path)
        return
    if len(path) == _DEEPEST:
        return
    for key, value in _items(returned):
        yield from _found(value, (*path, key))


def _items(returned: Any) -> list[tuple[Text, Any]]:
    """What stands in a container, with its place in words."""
    if isinstance(returned, Mapping):
        return [(Text(f"the entry {k!r}", f"字典项 {k!r}"), returned[k]) for k in _order(returned)]
    if isinstance(returned, Sequence) and not isinstance(returned, str | bytes):
        return [(Text(f"item {n}", f"第 {n} 项"), item) for n, item in enumerate(returned)]
    held = vars(returned) if hasattr(returned, "__dict__") else {}
    if not (is_dataclass(returned) or isinstance(held.get("loss"), Tensor)):
        return []
    return [(Text(f"the attribute {k!r}", f"属性 {k!r}"), held[k]) for k in _order(held)]


def _order(names: Mapping[Any, Any]) -> list[Any]:
    """The names of losses first."""
    return sorted(names, key=lambda k: _PREFERRED.index(k) if k in _PREFERRED else len(_PREFERRED))


def _place(path: tuple[Text, ...]) -> Text:
    if not path:
        return Text("the value", "返回值")
    return Text(" of ".join(t.en for t in reversed(path)), "的".join(t.zh for t in path))


def _refusal(returned: Any) -> tuple[str, str]:
    """What was returned in the place of a number, in both languages."""
    name, chinese = type(returned).__name__, f" {type(returned).__name__}"
    if isinstance(returned, Tensor):
        kind = str(returned.dtype).removeprefix("torch.")
        empty = not returned.numel()
        name = "an empty tensor" if empty else f"a tensor of {kind}"
        chinese = "空张量" if empty else f" {kind} 张量"
    elif isinstance(returned, Mapping):
        keys = sorted(map(str, returned))
        return (
            f"the loss returned a dict without a floating-point tensor; its keys are {keys}",
            f"损失返回的 dict 里没有浮点张量；其键为 {keys}",
        )
    return (
        f"the loss returned {name}; expected a floating-point tensor, or a tuple, dict or object "
        "that holds one",
        f"损失返回了{chinese}；应为浮点张量，或含有浮点张量的元组、字典或对象",
    )


def scalar(value: Tensor, positions: torch.Size) -> tuple[Tensor, Text | None]:
    """One number: an unreduced loss is summed over classes and averaged over the positions."""
    if value.numel() == 1:
        return value.reshape(()), None
    count = max(1, positions.numel())
    wide = value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
    return wide.sum() / count, Text(
        f"unreduced, {list(value.shape)}: added up and divided by {count}",
        f"未归约 {list(value.shape)}：求和后除以 {count}",
    )
