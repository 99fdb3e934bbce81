"""From whatever a loss returns to one number."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.errors import ProbeError

_PREFERRED = ("loss", "total", "total_loss", "loss_total", "kd", "kd_loss", "loss_kd", "distill")


def pick(returned: Any) -> tuple[Tensor, Text]:
    """The tensor that is the loss, and where it stood.

    Raises:
        ProbeError: Nothing in what was returned is a floating-point tensor.
    """
    if isinstance(returned, Tensor) and returned.is_floating_point():
        return returned, Text("the value", "返回值")
    if isinstance(returned, Mapping):
        return _from_mapping(returned)
    if isinstance(returned, Sequence) and not isinstance(returned, str):
        for place, item in enumerate(returned):
            if isinstance(item, Tensor) and item.is_floating_point():
                return item, Text(f"item {place}", f"第 {place} 项")
    if isinstance(returned, int | float) and not isinstance(returned, bool):
        return torch.tensor(float(returned)), Text("a plain number", "普通数字")
    if hasattr(returned, "loss") and isinstance(returned.loss, Tensor):
        return returned.loss, Text("the attribute 'loss'", "属性 'loss'")
    if inspect.iscoroutine(returned):
        returned.close()
    name = type(returned).__name__
    raise ProbeError(
        f"the loss returned {name}; expected a floating-point tensor, or a tuple or dict that "
        "holds one",
        f"损失返回了 {name}；应为浮点张量，或含有浮点张量的 tuple 或 dict",
    )


def _from_mapping(returned: Mapping[Any, Any]) -> tuple[Tensor, Text]:
    tensors = {k: v for k, v in returned.items() if isinstance(v, Tensor) and v.is_floating_point()}
    if not tensors:
        keys = sorted(map(str, returned))
        raise ProbeError(
            f"the loss returned a dict without a floating-point tensor; its keys are {keys}",
            f"损失返回的 dict 里没有浮点张量；其键为 {keys}",
        )
    named = [k for k in _PREFERRED if k in tensors]
    key = named[0] if named else next(iter(tensors))
    return tensors[key], Text(f"the entry {key!r}", f"字典项 {key!r}")


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
