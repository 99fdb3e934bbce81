"""Chen et al. 2021: Cross-layer distillation with semantic calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast, final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from didact._core.errors import RangeError, ShapeError
from didact.losses.kit.maps import checked_value, unit
from didact.losses.kit.modules import (
    bottleneck,
    check_can_normalise,
    check_counts,
    check_layers,
    parameter_dtype,
    same_space,
)
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="several_layers",
    kind="objective",
    formula="mean over samples and s-layers of sum_l a_kl * mse(P_kl(s_k), t_l),  sum_l a_kl = 1",
    paper="Chen et al. 2021 (SemCKD), AAAI, arXiv:2012.03236",
    layers="any",
)
@final
class SemCKD(nn.Module):
    """Every student layer chooses, sample by sample, which teacher layers to learn from.

    ``mean_nk sum_l a_nkl * mse(P_kl(s_k), t_l)_n`` with ``a_nk = softmax_l(q_nk . y_nl)``. Query
    ``q`` and key ``y`` are made by small networks from a sample's row of the layer's similarity
    matrix ``f f^T`` over the batch, and have length 1; ``P_kl`` are projections (1x1, 3x3, 1x1
    convolutions). Of two maps the larger is average-pooled to the smaller.

    All its parameters train, with the student; :meth:`trainable_parameters` lists them. Called as
    ``loss(student_features, teacher_features)`` on two lists of maps ``(batch, channels, height,
    width)``.

    Batch norm divides by the batch's deviation: maps that are alike for all samples and positions
    get a gradient of up to ``1/sqrt(1e-5) = 316`` for each such layer, which float16 may not hold.

    Args:
        student_channels: Channels of the student's layers.
        teacher_channels: Channels of the teacher's layers; another number of layers is fine.
        batch_size: The largest batch to come: the queries are functions of whole rows of the
            similarity matrix. The row of a smaller batch is filled up with zeros.
        factor: Queries and keys have ``batch_size / factor`` entries.
        attention_scale: The products of queries and keys are divided by it, above 0.

    Raises:
        ShapeError: Layers or channels other than those given, different or larger batches, no
            sample, or batch norm in training on a single value.
        DtypeError: Integer features.
        RangeError: A number below 1, or ``attention_scale`` out of range.

    Paper: Chen et al. 2021, AAAI, arXiv:2012.03236; queries and keys of length
    1 as in the authors' code.

    Example:
        >>> import torch
        >>> from didact.losses import SemCKD
        >>> loss = SemCKD([3, 6], [4], batch_size=8)
        >>> student = [torch.randn(2, 3, 8, 8), torch.randn(2, 6, 4, 4)]
        >>> loss(student, [torch.randn(2, 4, 4, 4)]).shape
        torch.Size([])
    """

    def __init__(
        self,
        student_channels: Sequence[int],
        teacher_channels: Sequence[int],
        *,
        batch_size: int,
        factor: int = 4,
        attention_scale: float = 1.0,
    ) -> None:
        super().__init__()
        check_counts(
            student_channels=min(student_channels, default=0),
            teacher_channels=min(teacher_channels, default=0),
            batch_size=batch_size,
            factor=factor,
        )
        if not attention_scale > 0:
            raise RangeError(f"attention_scale is {attention_scale}; expected a number above 0")
        self.channels = (tuple(student_channels), tuple(teacher_channels))
        self.batch_size = batch_size
        self.attention_scale = attention_scale
        width = max(1, batch_size // factor)
        self.queries = nn.ModuleList(_embedding(batch_size, width) for _ in student_channels)
        self.keys = nn.ModuleList(_embedding(batch_size, width) for _ in teacher_channels)
        self.projections = nn.ModuleList(
            nn.ModuleList(nn.Sequential(*bottleneck(s, 2 * t, t)) for t in teacher_channels)
            for s in student_channels
        )

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """Those of queries, keys and projections: all there are."""
        return self.parameters()

    def forward(
        self,
        student_features: Sequence[Float[Tensor, "batch _ _ _"]],
        teacher_features: Sequence[Float[Tensor, "batch _ _ _"]],
    ) -> Float[Tensor, ""]:
        """The loss; no gradient goes to ``teacher_features``."""
        check_layers(student_features, teacher_features, channels=self.channels)
        batch = student_features[0].shape[0]
        if batch > self.batch_size:
            raise ShapeError(
                f"student_features is a batch of {batch}; SemCKD was built for at most "
                f"{self.batch_size}. Build it with batch_size={batch}"
            )
        dtype = parameter_dtype(self)
        student = [maps.to(dtype) for maps in student_features]
        teacher = [savable(maps, dtype) for maps in teacher_features]
        with full_precision(student[0]):
            distances = self._distances(student, teacher)
            value = (self._attention(student, teacher) * distances).sum(2).mean()
        for maps in teacher_features:
            checked_value(value, maps)
        return value

    def _attention(self, student: list[Tensor], teacher: list[Tensor]) -> Tensor:
        """``(batch, student layers, teacher layers)``, adding up to 1 over the last."""
        queries = self._embedded(self.queries, student)
        keys = self._embedded(self.keys, teacher)
        return torch.softmax(queries @ keys.mT / self.attention_scale, dim=2)

    def _embedded(self, networks: nn.ModuleList, layers: list[Tensor]) -> Tensor:
        missing = self.batch_size - layers[0].shape[0]
        rows = []
        for network, maps in zip(networks, layers, strict=True):
            flat = maps.flatten(1)
            rows.append(unit(in_float(network(F.pad(flat @ flat.T, (0, missing))))))
        return torch.stack(rows, dim=1)

    def _distances(self, student: list[Tensor], teacher: list[Tensor]) -> Tensor:
        rows = []
        for projections, source in zip(self.projections, student, strict=True):
            row = []
            for projection, target in zip(cast("nn.ModuleList", projections), teacher, strict=True):
                maps, wanted = same_space(source, target)
                check_can_normalise(maps, training=self.training)
                error = in_float(projection(maps)) - in_float(wanted)
                row.append(error.square().mean((1, 2, 3)))
            rows.append(torch.stack(row, dim=1))
        return torch.stack(rows, dim=1)


def _embedding(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 2 * outputs), nn.ReLU(), nn.Linear(2 * outputs, outputs))
