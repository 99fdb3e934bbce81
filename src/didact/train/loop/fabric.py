"""Where a run takes place: Lightning's Fabric, or the little of it that one process needs.

Fabric imports PyTorch's compiler, which takes longer than to import PyTorch itself. One process on
one device in full precision has nothing to wrap, to convert or to synchronise, so it goes without.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from didact._core.errors import UsageError

T = TypeVar("T")


class Fabric(Protocol):
    """What the training loops use of ``lightning_fabric.Fabric``."""

    @property
    def device(self) -> torch.device:
        """Where the tensors of this process live."""

    @property
    def world_size(self) -> int:
        """How many processes train."""

    @property
    def global_rank(self) -> int:
        """Which of them this is."""

    @property
    def is_global_zero(self) -> bool:
        """Whether this process writes files."""

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which the forward pass runs."""

    def backward(self, tensor: Tensor, /) -> None:
        """Gradients of a loss, scaled where the precision asks for it."""

    def clip_gradients(
        self, module: Any, optimizer: Any, *, max_norm: float, error_if_nonfinite: bool
    ) -> object:
        """Clip the norm of the gradients."""

    def no_backward_sync(self, module: Any, /) -> AbstractContextManager[Any]:
        """A context in which gradients stay in this process."""

    def setup(self, module: nn.Module, /, *optimizers: Optimizer) -> Any:
        """A model and its optimisers, ready for this device."""

    def barrier(self) -> None:
        """Wait for the other processes."""

    def broadcast(self, obj: T, /) -> T:
        """What the first process has."""

    def all_reduce(self, data: Any, /, *, reduce_op: str) -> Any:
        """The sum or mean over the processes."""

    def launch(self, function: Callable[..., Any], /) -> Any:
        """Run a function in every process."""


class OneDevice:
    """One process on one device in float32."""

    world_size = 1
    global_rank = 0
    is_global_zero = True

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)

    def autocast(self) -> AbstractContextManager[None]:
        """No conversion."""
        return nullcontext()

    def backward(self, tensor: Tensor, /) -> None:
        """Plain backward."""
        torch.autograd.backward(tensor)

    def clip_gradients(
        self, _module: Any, optimizer: Any, *, max_norm: float, error_if_nonfinite: bool
    ) -> object:
        """The optimiser's gradients, scaled together to at most this norm."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        return nn.utils.clip_grad_norm_(parameters, max_norm, error_if_nonfinite=error_if_nonfinite)

    def no_backward_sync(self, _module: nn.Module, /) -> AbstractContextManager[None]:
        """Nobody to wait for."""
        return nullcontext()

    def setup(self, module: nn.Module, /, *optimizers: Optimizer) -> Any:
        """Both as they are."""
        return module, *optimizers

    def barrier(self) -> None:
        """Nobody to wait for."""

    def broadcast(self, obj: T, /) -> T:
        """What the only process has."""
        return obj

    def all_reduce(self, data: Any, /, *, reduce_op: str) -> Any:
        """What the only process has, whatever the operation."""
        del reduce_op
        return data

    def launch(self, function: Callable[..., Any], /) -> Any:
        """Run here."""
        return function(self)


def make_fabric(
    *, accelerator: str, devices: int, precision: Any, find_unused_parameters: bool = False
) -> Fabric:
    """The lightest that can serve.

    Raises:
        UsageError: There are no such devices.
    """
    if devices == 1 and precision == "32-true":
        found = _device(accelerator)
        if found is not None:
            return OneDevice(found)
    from lightning_fabric import Fabric as Whole
    from lightning_fabric.strategies.ddp import DDPStrategy

    several = DDPStrategy(start_method="spawn", find_unused_parameters=find_unused_parameters)
    strategy = "auto" if devices == 1 else several
    try:
        return Whole(
            accelerator=accelerator, devices=devices, strategy=strategy, precision=precision
        )
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"cannot use {devices} x {accelerator}: {error}") from error


def _device(accelerator: str) -> str | None:
    """The device of a name that Fabric would take; None where it shall decide or refuse."""
    if accelerator == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda:0" if accelerator in ("auto", "cuda") else None
    return "cpu" if accelerator == "auto" and not torch.backends.mps.is_available() else None
