"""What of the user's own is told of a run while it goes on: functions and loggers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from didact.data import Batch
from didact.train.loop.loggers import ArmLoggers, Factory, Logger
from didact.train.record.run_folder import Row, RunFolder


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step that has been done.

    Attributes:
        arm: ``"teacher"``, ``"alone"`` or ``"distilled"``.
        seed: Of the run.
        epoch: Epochs that were complete before it.
        step: Steps done in the epoch, this one included.
        loss: Of the step, without a graph; reading it waits for the device.
        model: That is trained, with what is trained beside it.
        batch: What it was trained on.
    """

    arm: str
    seed: int
    epoch: int
    step: int
    loss: Tensor
    model: nn.Module
    batch: Batch


OnStep = Callable[[Step], Any]
OnEpoch = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom a run tells what happens; nobody by default.

    Attributes:
        on_step: Called after each optimiser step with a :class:`Step`.
        on_epoch: Called after each epoch with its row of ``metrics.jsonl``, once it is written.
        loggers: Objects that hear of all arms and seeds.
        factories: Make a logger for each arm and seed.

    What they draw of torch's random numbers changes nothing. What they raise ends the run, which
    can be resumed.
    """

    on_step: OnStep | None = None
    on_epoch: OnEpoch | None = None
    loggers: Sequence[Logger] = ()
    factories: Sequence[Factory] = ()

    def step(self, step: Step) -> None:
        """Tell of a step."""
        if self.on_step is not None:
            with torch.random.fork_rng(devices=_devices(step.loss)):
                self.on_step(step)

    def epoch(self, row: Row) -> None:
        """Tell of an epoch."""
        if self.on_epoch is not None:
            with torch.random.fork_rng():
                self.on_epoch(dict(row))

    def of_arm(self, folder: RunFolder, arm: str, seed: int, settings: Any) -> ArmLoggers:
        """The loggers of an arm and a seed, told what was logged before."""
        if not (self.loggers or self.factories):
            return ArmLoggers((), ())
        name = f"{arm}.{seed}"
        plain = settings.model_dump(mode="json")
        own = [("", make(folder.path, name, plain)) for make in self.factories]
        shared = [(f"{name}/", logger) for logger in self.loggers]
        rows = [row for row in folder.rows() if (row["arm"], row["seed"]) == (arm, seed)]
        return ArmLoggers([*own, *shared], rows)


def _devices(loss: Tensor) -> list[torch.device]:
    return [loss.device] if loss.device.type == "cuda" else []
