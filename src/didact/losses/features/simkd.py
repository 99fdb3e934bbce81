"""Chen et al. 2022: Knowledge distillation with the reused teacher classifier."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Self, final

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from didact._core.errors import ShapeError
from didact.losses.kit.maps import checked_value
from didact.losses.kit.modules import (
    bottleneck,
    check_can_normalise,
    check_counts,
    check_maps,
    parameter_dtype,
    shrunk,
)
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="classifier",
    kind="objective",
    formula="mean over units of (t - P(s))^2; the teacher's classifier predicts from P(s)",
    paper="Chen et al. 2022 (SimKD), CVPR, arXiv:2203.14001",
)
@final
class SimKD(nn.Module):
    """The teacher's own classifier on the student's features, once they look like the teacher's.

    ``mean_u (t_u - P(s)_u)^2`` between the teacher's last map and the projection ``P`` of the
    student's (1x1, 3x3, 1x1 convolutions, batch norm, ReLU). No labels and no other loss are
    needed. :meth:`predict` then gives the logits: projected, averaged over positions, through a
    frozen copy of the teacher's classifier. Student, projector and classifier are deployed
    together.

    The projector trains, with the student; :meth:`trainable_parameters` lists it. The classifier
    is a copy: frozen, in evaluation mode whatever ``train()`` is told. Called as
    ``loss(student_features, teacher_features)`` on maps ``(batch, channels, height, width)``; the
    larger map is average-pooled to the smaller one's height and width.

    Batch norm divides by the batch's deviation: maps that are alike for all samples and positions
    get a gradient of up to ``1/sqrt(1e-5) = 316`` for each such layer, which float16 may not hold.

    Args:
        student_shape: Channels, height and width of the student's last map.
        teacher_shape: Channels, height and width of the teacher's last map.
        classifier: The teacher's, from ``(batch, channels)`` to logits.
        factor: The projector's hidden layers have the teacher's channels divided by this.

    Raises:
        ShapeError: Maps that differ in batch, or whose channels differ from those given, that
            are smaller than those given, or batch norm in training on a single value.
        DtypeError: Integer features.
        RangeError: A shape or factor below 1.

    Paper: Chen et al. 2022, CVPR, arXiv:2203.14001, the mean as in the authors'
    code; ``factor`` is their reduction factor r.

    Example:
        >>> import torch
        >>> from didact.losses import SimKD
        >>> loss = SimKD((3, 8, 8), (4, 4, 4), torch.nn.Linear(4, 10))
        >>> loss(torch.randn(2, 3, 8, 8), torch.randn(2, 4, 4, 4)).shape
        torch.Size([])
        >>> loss.eval().predict(torch.randn(2, 3, 8, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        student_shape: tuple[int, int, int],
        teacher_shape: tuple[int, int, int],
        classifier: nn.Module,
        *,
        factor: int = 2,
    ) -> None:
        super().__init__()
        check_counts(
            student_shape=min(student_shape), teacher_shape=min(teacher_shape), factor=factor
        )
        channels = teacher_shape[0]
        self.channels = (student_shape[0], channels)
        self.size = (
            min(student_shape[1], teacher_shape[1]),
            min(student_shape[2], teacher_shape[2]),
        )
        self.projector = nn.Sequential(
            *bottleneck(student_shape[0], max(1, channels // factor), channels),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        self.classifier = copy.deepcopy(classifier).requires_grad_(False).eval()

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The projector's: what trains with the student."""
        return self.projector.parameters()

    def train(self, mode: bool = True) -> Self:
        """As of any module; the classifier stays in evaluation mode."""
        super().train(mode)
        self.classifier.eval()
        return self

    def predict(
        self, student_features: Float[Tensor, "batch student_channels height width"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits of the teacher's classifier for the student's map."""
        maps = self._sized(student_features.to(parameter_dtype(self.projector)))
        logits: Tensor = self.classifier(self.projector(maps).mean((2, 3)))
        return logits

    def forward(
        self,
        student_features: Float[Tensor, "batch student_channels student_height student_width"],
        teacher_features: Float[Tensor, "batch teacher_channels teacher_height teacher_width"],
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``."""
        check_maps(student_features, teacher_features, channels=self.channels)
        dtype = parameter_dtype(self.projector)
        student = self._sized(student_features.to(dtype))
        check_can_normalise(student, training=self.training)
        target = in_float(self._sized(savable(teacher_features, dtype)))
        with full_precision(student):
            found = in_float(self.projector(student))
        return checked_value(F.mse_loss(found, target), teacher_features)

    def _sized(self, maps: Tensor) -> Tensor:
        height, width = self.size
        if maps.shape[2] < height or maps.shape[3] < width:
            raise ShapeError(
                f"a map is {tuple(maps.shape)}; expected at least {height}x{width} positions, "
                "what the module was built for"
            )
        return shrunk(maps, self.size)
