"""Kim, Park, Kwak 2018: Paraphrasing complex network, network compression via factor transfer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from didact._core.errors import RangeError
from didact.losses.kit.maps import check_features, checked_value, unit
from didact.losses.kit.modules import check_counts, check_maps, parameter_dtype
from didact.losses.kit.precision import full_precision, in_float, savable
from didact.losses.kit.registry import register_loss


@register_loss(
    family="features",
    purpose="one_layer",
    kind="objective",
    formula="mean over units of |F(s)/|F(s)| - F(t)/|F(t)||,  F = factors of each side",
    paper="Kim et al. 2018 (factor transfer), NeurIPS, arXiv:1802.04977",
)
@final
class FT(nn.Module):
    """Factor transfer: a paraphraser puts the teacher's maps in few factors, a translator follows.

    ``mean_u |F(s)_u / |F(s)| - F(t)_u / |F(t)||`` between the translator's factors of the
    student's map and the paraphraser's of the teacher's, each scaled to length 1 by sample.

    Two steps. First the paraphraser learns to reconstruct the teacher's maps: minimise
    :meth:`reconstruction` over :meth:`paraphraser_parameters`. Then :meth:`freeze_paraphraser`,
    and ``loss(student_features, teacher_features)`` trains the student with the translator, whose
    parameters :meth:`trainable_parameters` lists. Both sides have one height and width.

    Args:
        student_channels: Channels of the student's layer.
        teacher_channels: Channels of the teacher's layer.
        rate: Factors for each of the teacher's channels, above 0.

    Raises:
        ShapeError: Maps that differ in batch, height or width, or whose channels differ from
            those given.
        DtypeError: Integer features.
        RangeError: A number of channels below 1, or a rate of 0 or below.

    Paper: Kim, Park and Kwak 2018, NeurIPS, arXiv:1802.04977, with p = 1. Means over
    units, three 3x3 convolutions a side and leaky ReLU of 0.1 as in the authors' code; their
    weight of 500 belongs to the mean.

    Example:
        >>> import torch
        >>> from didact.losses import FT
        >>> loss = FT(3, 4)
        >>> teacher = torch.randn(2, 4, 8, 8)
        >>> loss.reconstruction(teacher).backward()
        >>> loss.freeze_paraphraser()(torch.randn(2, 3, 8, 8), teacher).shape
        torch.Size([])
    """

    def __init__(self, student_channels: int, teacher_channels: int, *, rate: float = 0.5) -> None:
        super().__init__()
        check_counts(student_channels=student_channels, teacher_channels=teacher_channels)
        if not rate > 0:
            raise RangeError(f"rate is {rate}; expected a number above 0 (0.5 is the paper's)")
        factors = max(1, round(teacher_channels * rate))
        self.channels = (student_channels, teacher_channels)
        self.paraphraser = _encoder(teacher_channels, factors)
        self.decoder = _decoder(factors, teacher_channels)
        self.translator = _encoder(student_channels, factors)

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """The translator's: what trains with the student."""
        return self.translator.parameters()

    def paraphraser_parameters(self) -> Iterator[nn.Parameter]:
        """Those of the paraphraser and its decoder: what trains before, without the student."""
        yield from self.paraphraser.parameters()
        yield from self.decoder.parameters()

    def freeze_paraphraser(self) -> FT:
        """End the first step: the paraphraser takes no more gradients. Returns the module.

        Under ``DistributedDataParallel`` call this before wrapping.
        """
        for parameter in self.paraphraser_parameters():
            parameter.requires_grad_(False)
        return self

    def reconstruction(
        self, teacher_features: Float[Tensor, "batch teacher_channels height width"]
    ) -> Float[Tensor, ""]:
        """The first step's loss: mean squared difference of the map and its paraphrase."""
        channels = (self.channels[1], self.channels[1])
        check_maps(teacher_features, teacher_features, channels=channels)
        teacher = savable(teacher_features, parameter_dtype(self))
        with full_precision(teacher):
            found = in_float(self.decoder(self.paraphraser(teacher)))
        return checked_value(F.mse_loss(found, in_float(teacher)), teacher_features)

    def forward(
        self,
        student_features: Float[Tensor, "batch student_channels height width"],
        teacher_features: Float[Tensor, "batch teacher_channels height width"],
    ) -> Float[Tensor, ""]:
        """The second step's loss; no gradient goes to ``teacher_features`` or the paraphraser."""
        check_maps(student_features, teacher_features, channels=self.channels)
        check_features(student_features, teacher_features, alike="space")
        dtype = parameter_dtype(self)
        with full_precision(student_features):
            with torch.no_grad():
                target = in_float(self.paraphraser(savable(teacher_features, dtype)))
            found = in_float(self.translator(student_features.to(dtype)))
        difference = unit(found.flatten(1)) - unit(target.flatten(1))
        return checked_value(difference.abs().mean(), teacher_features)


def _encoder(inputs: int, factors: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((inputs, inputs), (inputs, factors), (factors, factors)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


def _decoder(factors: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((factors, factors), (factors, outputs), (outputs, outputs)):
        layers += [nn.ConvTranspose2d(before, after, 3, padding=1), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)
