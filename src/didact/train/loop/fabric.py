"""Where a run takes place: Lightning's Fabric, which knows devices, precisions and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didact._core.errors import UsageError
from didact.train.loop.processes import start_method

if TYPE_CHECKING:  # it imports PyTorch's compiler: a second, which a report need not wait for
    from lightning_fabric import Fabric as Fabric
else:
    Fabric = Any


def make_fabric(
    *,
    accelerator: str = "cpu",
    devices: int = 1,
    precision: Any = "32-true",
    find_unused_parameters: bool = False,
) -> Fabric:
    """One device in this process, or DDP over several in processes of their own.

    Raises:
        UsageError: There are no such devices.
    """
    from lightning_fabric import Fabric as Whole
    from lightning_fabric.strategies.ddp import DDPStrategy

    several = DDPStrategy(
        start_method=start_method() if accelerator == "cpu" else "spawn",
        find_unused_parameters=find_unused_parameters,
    )
    strategy = "auto" if devices == 1 else several
    try:
        return Whole(
            accelerator=accelerator, devices=devices, strategy=strategy, precision=precision
        )
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"cannot use {devices} x {accelerator}: {error}") from error
