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


def parts(returned: Any) -> list[tuple[Tensor, Text]]:
    """Every floating-point tensor that a loss returned, and where it stood; the likeliest first.

    Raises:
        ProbeError: There is none.
    """
    if _is_number(returned):
        return [(returned, Text("the value", "返回值"))]
    if isinstance(returned, Mapping):
        return _entries(returned)
    if isinstance(returned, Sequence) and not isinstance(returned, str):
        items = [
            (item, Text(f"item {place}", f"第 {place} 项"))
            for place, item in enumerate(returned)
            if _is_number(item)
        ]
        if items:
            return items
    if isinstance(returned, int | float) and not isinstance(returned, bool):
        return [(torch.tensor(float(returned)), Text("a plain number", "普通数字"))]
    if hasattr(returned, "loss") and isinstance(returned.loss, Tensor):
        return [(returned.loss, Text("the attribute 'loss'", "属性 'loss'"))]
    if inspect.iscoroutine(returned):
        returned.close()
    name = type(returned).__name__
    raise ProbeError(
        f"the loss returned {name}; expected a floating-point tensor, or a tuple or dict that "
        "holds one",
        f"损失返回了 {name}；应为浮点张量，或含有浮点张量的 tuple 或 dict",
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _entries(returned: Mapping[Any, Any]) -> list[tuple[Tensor, Text]]:
    tensors = {k: v for k, v in returned.items() if _is_number(v)}
    if not tensors:
        keys = sorted(map(str, returned))
        raise ProbeError(
            f"the loss returned a dict without a floating-point tensor; its keys are {keys}",
            f"损失返回的 dict 里没有浮点张量；其键为 {keys}",
        )
    order = sorted(
        tensors, key=lambda k: _PREFERRED.index(k) if k in _PREFERRED else len(_PREFERRED)
    )
    return [(tensors[k], Text(f"the entry {k!r}", f"字典项 {k!r}")) for k in order]


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
