"""Zhou et al. 2023: SimpleCIL, class prototypes of a frozen backbone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from didact.methods.kit.frozen import FrozenBackbone, extended, sums_by_class
from didact.methods.kit.registry import method


@method(
    "simplecil",
    summary="Frozen backbone; each class is the mean of its features, compared by cosine.",
    paper="Zhou et al. 2023, arXiv:2303.07338",
    group="Frozen backbones",
)
class SimpleCil(FrozenBackbone):
    """``cos(f, mean of the class's features)``.

    Paper: Zhou et al. 2023, arXiv:2303.07338.

    Compared:
        prototype: mean of the class's features | the same | the same
        similarity: cosine | cosine | cosine
        backbone: pre-trained, frozen | ViT-B/16, ImageNet-21k | any; trained on the first task
            unless ``train_first=false``
    """

    def observe(self, features: Tensor, labels: Tensor, classes: int) -> None:
        """Add to the classes' sums and counts."""
        sums = sums_by_class(features, labels, classes)
        counts = torch.bincount(labels, minlength=classes).double()
        self.kept["sums"] = extended(self.kept.get("sums"), sums) + sums
        self.kept["counts"] = extended(self.kept.get("counts"), counts) + counts

    def predict(self, images: Tensor) -> Tensor:
        """Cosines to the prototypes."""
        prototypes = self.kept["sums"] / self.kept["counts"].clamp(min=1).unsqueeze(1)
        directions = F.normalize(prototypes, dim=-1).float()
        return F.normalize(self.features(images), dim=-1) @ directions.T
