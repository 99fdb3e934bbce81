"""The machine that a loss believes to run on: a GPU where there is none, processes that are one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
    original = nn.Module.cuda
    nn.Module.cuda = lambda self, device=None: self  # type: ignore[method-assign] # noqa: ARG005
    try:
        with OnThisMachine():
            yield
    finally:
        nn.Module.cuda = original  # type: ignore[method-assign]


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
