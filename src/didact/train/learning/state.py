"""The state of one method with one seed at any moment, in one file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from didact.methods import Method
from didact.train.record.checkpoint import (
    PartOf,
    flatten_optimizer,
    random_state,
    refused_if_malformed,
    unflatten_optimizer,
    with_prefix,
)
from didact.train.record.files import read_tensors, remove, write_tensors

Json = dict[str, Any]
FILE = "state.safetensors"


@dataclass
class LearnPosition:
    """How far a cell has come.

    Attributes:
        task: Tasks that are complete, herding and evaluation included.
        begun: Whether the next task has begun: its classifier has grown.
        stage: Stages of it that are complete.
        epoch: Epochs of the stage under way that are complete.
        step: Steps of the epoch under way that are done.
        sums: Sum of each loss term over these steps.
        seconds: Training time so far, herding included.
        record: What was measured after each complete task.
    """

    task: int = 0
    begun: bool = False
    stage: int = 0
    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    record: list[Json] = field(default_factory=list)

    def end_epoch(self) -> None:
        """Count the epoch and forget its sums."""
        self.epoch, self.step, self.sums = self.epoch + 1, 0, {}

    def end_stage(self) -> None:
        """Count the stage."""
        self.stage, self.epoch, self.step, self.sums = self.stage + 1, 0, 0, {}

    def end_task(self, measured: Json | None) -> None:
        """Count the task and keep what was measured after it, if anything was."""
        self.end_stage()
        self.task, self.begun, self.stage = self.task + 1, False, 0
        if measured is not None:
            self.record.append(measured)


class StateFile:
    """``state.safetensors`` of a cell: the last moment that a killed run goes on from."""

    def __init__(self, folder: Path, part_of: PartOf, seed: int) -> None:
        self.path, self.part_of, self.seed = folder / FILE, part_of, seed

    def save(self, position: LearnPosition, method: Method, optimizer: Json | None) -> None:
        """Replace the file, with the random state of this process."""
        tensors = method_tensors(method) | random_state()
        optimizer_tensors, rest = flatten_optimizer(optimizer or {})
        about = {
            **self.part_of.as_json(seed=self.seed),
            "position": asdict(position),
            "optimizer": rest,
        }
        write_tensors(self.path, tensors | optimizer_tensors, about)

    def load(self) -> tuple[LearnPosition, dict[str, Tensor], Json] | None:
        """Position, tensors and the optimiser's state; None where there is no file.

        Raises:
            CheckpointError: The file is damaged, or another run's.
        """
        if not self.path.is_file():
            return None
        tensors, about = read_tensors(self.path)
        self.part_of.refuse_other(self.path, about, seed=self.seed)
        with refused_if_malformed(self.path):
            optimizer = unflatten_optimizer(with_prefix(tensors, "optimizer."), about["optimizer"])
            position = LearnPosition(**about["position"])
        return position, tensors, optimizer

    def remove(self) -> None:
        """The cell is complete; its result stands for it."""
        remove(self.path)


def method_tensors(method: Method) -> dict[str, Tensor]:
    """Modules, memory and what else the method keeps, as named tensors."""
    return {
        **{f"model.{name}": value for name, value in method.state_dict().items()},
        **{f"kept.{name}": value for name, value in method.kept.items()},
        **{f"memory.{name}": value for name, value in method.memory.state_dict().items()},
    }


def load_method(method: Method, tensors: dict[str, Tensor], device: torch.device) -> None:
    """What :func:`method_tensors` gave, into a method that has grown to the same size."""
    method.load_state_dict(with_prefix(tensors, "model."))
    method.kept.clear()
    for name, value in with_prefix(tensors, "kept.").items():
        method.kept[name] = value.to(device)
    method.memory.load_state_dict(with_prefix(tensors, "memory."))
