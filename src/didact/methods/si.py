"""Zenke et al. 2017: Continual learning through synaptic intelligence (SI)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from didact.data import Batch, Memory, Task
from didact.methods.kit.anchored import Anchored, parameters_now
from didact.methods.kit.gradients import trained
from didact.methods.kit.importance import add_importances, leading_block, penalty_weights_of
from didact.methods.kit.options import Classes, above_zero, at_least, one_of
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting


@dataclass(frozen=True)
class SiOptions:
    """Hyperparameters of SI.

    Attributes:
        weight: c of ``c * sum_i Omega_i (p_i - p*_i)^2``; "we turn consolidation dynamics on (c =
            1)" on split MNIST (section 5.1). ``2 c Omega_i`` counts 10 at most, since steps on a
            stiffer penalty diverge.
        damping: xi, added to the squared distance that a parameter moved; 0.001 on split MNIST
            (section 5.1), 0.1 on permuted MNIST (section 5.2).
        classes: Whether the cross-entropy looks at this task's classes (``"new"``; the paper's
            split tasks have outputs of their own) or at all ``"seen"``.
    """

    weight: float = 1.0
    damping: float = 0.001
    classes: Classes = "new"

    def __post_init__(self) -> None:
        at_least("si.weight", self.weight, 0)
        above_zero("si.damping", self.damping)
        one_of("si.classes", self.classes, ("new", "seen"))


@method(
    "si",
    summary="Parameters are held where they were, each by what moving it gained.",
    paper="Zenke et al. 2017, arXiv:1703.04200",
    group="Without exemplars",
)
class Si(Anchored):
    """``CE(z, y) + c * sum_i Omega_i (p_i - p*_i)^2`` with importances of the path taken.

    In each step ``omega_i`` grows by ``-g_i * (change of p_i)``, ``g`` being the gradient of the
    classification alone; at the task's end ``Omega_i`` grows by ``omega_i / (moved_i^2 + xi)``.

    Paper: Zenke et al. 2017, ICML, arXiv:1703.04200, section 3, eq. 3-5. A negative importance,
    which would push a parameter away from its anchor, counts 0, as in the authors' code.

    Compared:
        gradient of the path: of the task's loss | without the penalty | without the penalty
        negative importance: not mentioned | 0, after adding up over tasks | 0, task by task
        largest ``2 c Omega``: no bound | no bound | 10
    """

    Options = SiOptions

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self._gradients: dict[str, Tensor] = {}
        self._before: dict[str, Tensor] = {}

    def begin_task(self, task: Task) -> None:  # noqa: ARG002
        """The path begins where the parameters are."""
        now = parameters_now(self.network)
        self.kept.put("start", now)
        self.kept.put("path", {name: torch.zeros_like(value) for name, value in now.items()})

    def penalty_weights(self) -> dict[str, Tensor]:
        """``2 c Omega_i``."""
        return penalty_weights_of(self.kept.under("importances"), 2 * self.options.weight)

    @torch.no_grad()
    def after_backward(self, batch: Batch) -> None:  # noqa: ARG002
        """Note the gradient of the classification, and where the parameters are."""
        weights, anchors = self.penalty_weights(), self.kept.under("anchors")
        self._gradients, self._before = {}, {}
        for name, parameter in trained(self.network).items():
            if parameter.grad is None:
                continue
            gradient = parameter.grad.clone()
            if name in weights:
                part = leading_block(gradient, anchors[name].shape)
                moved = leading_block(parameter, anchors[name].shape) - anchors[name]
                part -= weights[name] * moved
            self._gradients[name], self._before[name] = gradient, parameter.clone()

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:  # noqa: ARG002
        """Add to the path integral."""
        parameters = trained(self.network)
        for name, gradient in self._gradients.items():
            self.kept[f"path.{name}"] -= gradient * (parameters[name] - self._before[name])

    def after_task(self, task: Task) -> None:
        """Turn the path into importances and move the anchor."""
        super().after_task(task)
        now = parameters_now(self.network)
        new = path_importances(
            self.kept.under("path"), self.kept.under("start"), now, self.options.damping
        )
        self.kept.put("importances", add_importances(self.kept.under("importances"), new))
        self.kept.put("anchors", now)


def path_importances(
    path: Mapping[str, Tensor],
    start: Mapping[str, Tensor],
    end: Mapping[str, Tensor],
    damping: float,
) -> dict[str, Tensor]:
    """``max(omega_i, 0) / ((end_i - start_i)^2 + damping)`` by name (eq. 5)."""
    return {
        name: omega.clamp(min=0) / ((end[name] - start[name]).square() + damping)
        for name, omega in path.items()
    }
