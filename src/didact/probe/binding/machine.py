"""The machine that a loss believes to run on: a GPU where there is none, processes that are one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class OnThisMachine(TorchFunctionMode):
    """What asks for CUDA runs on the processor, where there is no CUDA."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function with every CUDA device replaced."""
        if function is Tensor.cuda:
            return arguments[0]
        return function(
            *map(_here, arguments), **{name: _here(v) for name, v in (keywords or {}).items()}
        )


class NothingDetached(TorchFunctionMode):
    """Every operation keeps its graph, also under ``no_grad``, and ``detach`` does nothing."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function with its graph."""
        if function is Tensor.detach:
            return arguments[0]
        with torch.enable_grad():
            return function(*arguments, **(keywords or {}))


def _here(value: Any) -> Any:
    cuda = isinstance(value, str) and value.partition(":")[0] == "cuda"
    if cuda or (isinstance(value, torch.device) and value.type == "cuda"):
        return torch.device("cpu")
    return value


@contextmanager
def this_machine() -> Iterator[None]:
    """CUDA stands for the processor where there is none."""
    if torch.cuda.is_available():
        yield
        return
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(nn.Module, "cuda", lambda self, *_, **__: self))
        stack.enter_context(mock.patch.multiple(torch.cuda, **_HERE))
        stack.enter_context(OnThisMachine())
        yield


_TENSORS = ("Float", "Double", "Half", "Long", "Int", "Bool", "Byte", "Short")
_HERE = {
    **{f"{name}Tensor": getattr(torch, f"{name}Tensor") for name in _TENSORS},
    "synchronize": lambda *_, **__: None,
    "set_device": lambda *_, **__: None,
    "current_device": lambda: 0,
}
"""What stands in ``torch.cuda`` where there is no CUDA."""


@contextmanager
def one_process() -> Iterator[None]:
    """A process group of one, for a loss that gathers from all; none where one is there."""
    if not dist.is_available() or dist.is_initialized():
        yield
        return
    dist.init_process_group(
        "gloo", store=torch._C._distributed_c10d.HashStore(), rank=0, world_size=1
    )
    try:
        yield
    finally:
        dist.destroy_process_group()
