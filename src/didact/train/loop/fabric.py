"""Where a run takes place: Lightning's Fabric, which knows devices, precisions and processes."""

from __future__ import annotations

import warnings
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
        UsageError: There are no such devices, or they do not know the precision.
    """
    from lightning_fabric import Fabric as Whole
    from lightning_fabric.strategies.ddp import DDPStrategy

    several = DDPStrategy(
        start_method=start_method() if accelerator == "cpu" else "spawn",
        find_unused_parameters=find_unused_parameters,
    )
    strategy = "auto" if devices == 1 else several
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You passed `Fabric.*AMP with fp16")
            fabric = Whole(
                accelerator=accelerator, devices=devices, strategy=strategy, precision=precision
            )
    except (RuntimeError, ValueError, ImportError) as error:
        raise UsageError(f"cannot use {devices} x {accelerator}: {error}") from error
    if precision == "16-mixed" and fabric.device.type == "cpu":  # it would be bfloat16, unsaid
        raise UsageError(
            "a CPU does not train in 16-mixed; expected bf16-mixed or 32-true, or a GPU"
        )
    return fabric
