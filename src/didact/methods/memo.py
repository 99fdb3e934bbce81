"""Zhou et al. 2023: MEMO, memory-efficient expandable model."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from didact.methods.kit.expanding import Expanding
from didact.methods.kit.options import at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage
from didact.methods.wa import align
from didact.nn import ExpandableStage


@dataclass(frozen=True)
class MemoOptions:
    """Hyperparameters of MEMO.

    Attributes:
        auxiliary: Weight of the auxiliary loss; 1 in the authors' CIFAR-100 settings. The paper
            names the loss (section 3.2) without a weight.
        freeze_body: Keep the body as the first task left it, which suits a large first task: "we
            can treat 20 as an empirical threshold" for its classes (appendix C.2). In the authors'
            CIFAR-100 settings it goes on learning.
    """

    auxiliary: float = 1.0
    freeze_body: bool = False

    def __post_init__(self) -> None:
        at_least("memo.auxiliary", self.auxiliary, 0)


@method(
    "memo",
    summary="A new last stage for each task on one shared body, then weight alignment.",
    paper="Zhou et al. 2023, arXiv:2205.13218",
    group="Networks that expand",
)
class Memo(Expanding):
    """As DER, but only the last stage is multiplied; all of them stand on one body.

    Paper: Zhou et al. 2023, ICLR, arXiv:2205.13218, section 4.4, eq. 3, the last stage as in
    appendix B.1; weight alignment as in the authors' code.

    Compared:
        what is multiplied: the last stage (specialised blocks) | the last stage | the last stage
        body after the first task: frozen from 20 classes on | ``train_base``: goes on learning on
            CIFAR-100 B0 | goes on; ``freeze_body``
        weight alignment: not mentioned | after each task | after each task
    """

    Options = MemoOptions

    def expandable(self, network: nn.Module) -> ExpandableStage:
        """One body, several last stages."""
        return ExpandableStage(network, freeze_body=self.options.freeze_body)

    def after_stage(self, stage: Stage) -> None:  # noqa: ARG002
        """Align the new classes' vectors with the old ones."""
        align(self.grown.classifier.weight, self.task.known)
