"""Halves of a batch, whatever it is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from didact.probe.errors import ProbeError


def split(batch: Any) -> tuple[Any, Any, Any]:
    """The batch without its last sample should their number be odd, and its two halves.

    Raises:
        ProbeError: It holds no tensor with at least 2 samples.
    """
    count = next(_counts(batch), 0)
    if count < 2:
        raise ProbeError(
            "the batch cannot be split in two; expected tensors (in a tuple, list, dict or "
            "dataclass) with at least 2 samples in their first dimension",
            "批次无法一分为二；应为张量（可放在 tuple、list、dict 或 dataclass 里），"
            "第一维至少 2 个样本",
        )
    middle = count // 2
    first, second = slice(0, middle), slice(middle, 2 * middle)
    return tuple(_part(batch, rows, count) for rows in (slice(0, 2 * middle), first, second))


def _counts(batch: Any) -> Iterator[int]:
    """How many samples each tensor holds."""
    if isinstance(batch, Tensor):
        if batch.dim():
            yield batch.shape[0]
    elif isinstance(batch, Mapping):
        yield from (count for item in batch.values() for count in _counts(item))
    elif isinstance(batch, list | tuple):
        yield from (count for item in batch for count in _counts(item))
    elif dataclasses.is_dataclass(batch):
        for each in dataclasses.fields(batch):
            yield from _counts(getattr(batch, each.name))


def _part(batch: Any, rows: slice, count: int) -> Any:
    """The rows of every tensor that has as many as there are samples."""
    if isinstance(batch, Tensor):
        return batch[rows] if batch.dim() and batch.shape[0] == count else batch
    if isinstance(batch, Mapping):
        parts = {k: _part(v, rows, count) for k, v in batch.items()}
        try:
            return type(batch)(parts)  # type: ignore[call-arg]
        except TypeError:
            return parts
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_part(v, rows, count) for v in batch))
    if isinstance(batch, list | tuple):
        return type(batch)(_part(v, rows, count) for v in batch)
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        parts = {f.name: _part(getattr(batch, f.name), rows, count) for f in _given(batch)}
        return dataclasses.replace(batch, **parts)
    return batch


def _given(batch: Any) -> list[dataclasses.Field[Any]]:
    return [f for f in dataclasses.fields(batch) if f.init]
