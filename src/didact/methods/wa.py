"""Zhao et al. 2020: Maintaining discrimination and fairness in class incremental learning (WA)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from didact.data import Batch
from didact.methods.kit.options import above_zero
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage
from didact.methods.kit.shared_kd import SharedDistillation


@dataclass(frozen=True)
class WaOptions:
    """Hyperparameters of WA.

    Attributes:
        temperature: T of the distillation, which has no factor ``T**2``; 2 in the settings that
            DER's authors train WA with.
        clip_weights: Set negative weights of the classifier to 0 after each step of the second
            task and later, so that a vector's length says how large its logits are (the paper's
            restriction to the weights). It asks for features that are not negative, as after ReLU,
            and makes another classifier of a head that was trained without it.
    """

    temperature: float = 2.0
    clip_weights: bool = True

    def __post_init__(self) -> None:
        above_zero("wa.temperature", self.temperature)


@method(
    "wa",
    summary="Distillation, then the new classes' weight vectors are cut to the old ones' length.",
    paper="Zhao et al. 2020, arXiv:1911.07053",
    group="Exemplars and distillation",
)
class Wa(SharedDistillation):
    """``(1 - l) CE + l KL_T`` with ``l = known / seen``, then weight alignment.

    Paper: Zhao et al. 2020, CVPR, arXiv:1911.07053.

    Compared:
        share of the distillation: ``old / seen`` | none published | ``old / seen``
        temperature: a T in the formula | none published; 2 in the settings of DER's authors | 2,
            no factor ``T^2``
        clipping: weights of the classifier at 0 or more, after each step | none published; DER's
            authors' version has it | the same, off with ``clip_weights=false``
    """

    Options = WaOptions

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:  # noqa: ARG002
        """Cut negative weights off, where asked for."""
        if self.options.clip_weights and self.task.index > 0:
            self.network.classifier.weight.clamp_(min=0)

    def about_given_head(self) -> str:
        """What clipping does to it."""
        if not self.options.clip_weights:
            return ""
        return (
            "wa sets the negative weights of the classifier to 0, which a head that was trained "
            "without that may not survive; --option wa.clip_weights=false leaves it as it is"
        )

    def after_stage(self, stage: Stage) -> None:  # noqa: ARG002
        """Align the new classes' vectors with the old ones."""
        align(self.network.classifier.weight, self.task.known)


@torch.no_grad()
def align(weight: Tensor, old_classes: int) -> float:
    """Bring the vectors of new classes to the mean length of those of old classes, in place.

    ``w_new <- gamma * w_new`` with ``gamma = mean |w_old| / mean |w_new|``; lengths within the new
    classes keep their ratio, biases are left alone.

    Args:
        weight: ``(classes, width)``, old classes first.
        old_classes: How many are old; where none are, or all, nothing is done.

    Returns:
        ``gamma``.

    Paper: Zhao et al. 2020, CVPR, arXiv:1911.07053.
    """
    if not 0 < old_classes < len(weight):
        return 1.0
    lengths = weight.norm(dim=1)
    gamma = lengths[:old_classes].mean() / lengths[old_classes:].mean()
    if not torch.isfinite(gamma):
        return 1.0
    weight[old_classes:] *= gamma
    return float(gamma)
