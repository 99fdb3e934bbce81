"""Lopez-Paz, Ranzato 2017: Gradient episodic memory (GEM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from didact.data import AnySplit, Batch, Memory, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.gradients import trained
from didact.methods.kit.options import Classes, at_least, one_of
from didact.methods.kit.projection import project_all, read_gradients, write_gradients
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting, Stage


@dataclass(frozen=True)
class GemOptions:
    """Hyperparameters of GEM.

    Attributes:
        strength: gamma, added to the multipliers of the projection; 0.5 in the paper's
            experiments (appendix A).
        classes: Whether a task's cross-entropy looks at all classes ``"seen"``, or at that task's
            own (``"new"``), as in the paper, whose tasks are told apart at test time.
    """

    strength: float = 0.5
    classes: Classes = "seen"

    def __post_init__(self) -> None:
        at_least("gem.strength", self.strength, 0)
        one_of("gem.classes", self.classes, ("new", "seen"))


@method(
    "gem",
    summary="The gradient is turned so that no earlier task's loss on its exemplars rises.",
    paper="Lopez-Paz and Ranzato 2017, arXiv:1706.08840",
    group="Exemplars replayed",
)
class Gem(Method):
    """``CE(z, y)`` on new images; the step is projected against each earlier task's gradient.

    Paper: Lopez-Paz and Ranzato 2017, NeurIPS, arXiv:1706.08840, eq. 6-8 and their dual, eq. 11.

    Compared:
        quadratic programme: ``v >= 0`` | ``v >= 0.5`` (memory strength), 0.001 added to the
            diagonal | ``v >= strength``, nothing added
        memory: the last images of each task | a ring buffer: the last ones | drawn at random,
            each class its share
        classes of the cross-entropy: the task's | the task's | all seen so far, ``classes=new``
            for the task's
    """

    Options = GemOptions
    exemplars = "random"

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self.columns_of: list[tuple[int, ...]] = []

    def grow(self, task: Task) -> None:
        """As usual; the classes of each task are noted."""
        super().grow(task)
        self.columns_of.append(task.columns)

    def stages(self, task: Task) -> Sequence[Stage]:
        """New images alone: the exemplars are for the projection."""
        return [Stage("train", task.train)]

    def losses(self, batch: Batch) -> Terms:
        """``CE(z, y)``."""
        logits = self.logits(batch.images)
        columns = self.task.columns if self.options.classes == "new" else None
        return {"classification": self.cross_entropy(logits, batch.labels, columns)}

    def after_backward(self, batch: Batch) -> None:  # noqa: ARG002
        """Turn the gradient, where it is at odds with an earlier task's."""
        parameters = list(trained(self.network).values())
        found = [self._reference(columns, parameters) for columns in self.columns_of[:-1]]
        references = [reference for reference in found if reference is not None]
        if references:
            rows, gradient = torch.stack(references), read_gradients(parameters)
            turned = project_all(gradient, rows, strength=self.options.strength)
            if turned is not gradient:
                write_gradients(parameters, turned)

    def _reference(self, columns: Sequence[int], parameters: Sequence[Tensor]) -> Tensor | None:
        """The gradient of a task's loss on its exemplars."""
        mine = torch.isin(self.memory.labels, torch.tensor(columns)).nonzero().flatten()
        if not len(mine):
            return None
        split: AnySplit = self.memory.split().subset(mine)
        only = columns if self.options.classes == "new" else None
        total = torch.zeros(())
        for batch in self.iterate(split):
            loss = self.cross_entropy(self.logits(batch.images), batch.labels, only)
            part = flat_gradient(loss, parameters) * (len(batch.labels) / len(split))
            total = part if total.dim() == 0 else total + part
        return total


def flat_gradient(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """The gradient of a loss as one vector; a parameter that it does not reach counts zeros."""
    gradients = torch.autograd.grad(loss, list(parameters), allow_unused=True)
    pairs = zip(gradients, parameters, strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs])
