"""Zhou et al. 2023: APER, adapt a pre-trained model and merge it with what it was."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from didact.methods.kit.frozen import FrozenOptions
from didact.methods.kit.registry import method
from didact.methods.simplecil import SimpleCil


@dataclass(frozen=True)
class AperOptions(FrozenOptions):
    """Hyperparameters of APER.

    Attributes:
        train_first: Adapt on the first task. False leaves two equal networks, which is SimpleCIL.
        tune: What is trained then: ``"adapter"``, ``"ssf"``, ``"vpt"``, or ``"all"``, the paper's
            fine-tuning, which any network can have.
    """

    tune: str = "adapter"


@method(
    "aper",
    summary="A pre-trained network beside itself adapted to the first task; class means, cosine.",
    paper="Zhou et al. 2023, arXiv:2303.07338",
    group="Pre-trained transformers",
)
class Aper(SimpleCil):
    """``cos([f, f*], mean of the class's [f, f*])``, f of the network as given, f* adapted.

    The network is taken as pre-trained: what it is at the first task is one half of the features.
    The adaptation is ``CE(z, y)`` on the first task with a linear classifier, which is then left.

    Paper: Zhou et al. 2023, arXiv:2303.07338, section 4.2, algorithm 1.

    Compared:
        adaptation: fine-tuning, VPT, SSF, adapter, BatchNorm statistics | the same | ``tune``:
            all but BatchNorm statistics; VPT is the deep one
        adapter: AdaptFormer, 64 inside, scale 0.1 | the same, dropout 0.1 | the same
        SSF: after each linear layer and norm | the same, drawn from N(1, 0.02), N(0, 0.02) | the
            same
        prompts of VPT: 5 to 10 | 5, zero at first | 5, drawn from N(0, 0.02)
        classifier while adapting: not said | cosine with a learned scale | linear
        training: 20 epochs, SGD 0.01, cosine | the same, weight decay 0.0005 | the run's
    """

    Options = AperOptions
    needs_pretrained = True

    def before_tuning(self) -> None:
        """Keep the network as it is."""
        self.original = copy.deepcopy(self.network).requires_grad_(False)

    def train(self, mode: bool = True) -> Aper:
        """As any module, but that the network as it was stays in eval mode."""
        super().train(mode)
        if hasattr(self, "original"):
            self.original.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Both networks' features, ``(batch, 2 * width)``."""
        with torch.no_grad():
            before = self.original.features(images)
        return torch.cat([before, self.network.features(images)], dim=1)
