"""The same teacher with another opinion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def turned_outputs(teacher: nn.Module) -> Iterator[None]:
    """Another opinion: the classes rolled by one."""
    hook = teacher.register_forward_hook(lambda _module, _inputs, output: _turned(output))
    try:
        yield
    finally:
        hook.remove()


def _turned(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.roll(1, -1) + 0.5 * output if output.is_floating_point() else output
    if isinstance(output, dict):
        for key, value in output.items():
            output[key] = _turned(value)
        return output
    if isinstance(output, list | tuple) and not hasattr(output, "_fields"):
        return type(output)(_turned(o) for o in output)
    return output


@contextmanager
def noise(teacher: nn.Module) -> Iterator[None]:
    """Other parameters, for a teacher that is not called as a whole or returns an object."""
    kept = [p.detach().clone() for p in teacher.parameters()]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in teacher.parameters():
            if parameter.is_floating_point():
                other = torch.randn(parameter.shape, generator=generator).to(parameter)
                parameter.add_(other * (0.1 + parameter.abs().mean()))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(teacher.parameters(), kept, strict=True):
                parameter.copy_(value)
