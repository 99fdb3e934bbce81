"""Rebuffi et al. 2017: LwF-MC, iCaRL's loss without exemplars and without class means."""

from __future__ import annotations

from didact.data import Batch
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.binary import binary_loss
from didact.methods.kit.registry import method


@method(
    "lwf-mc",
    summary="iCaRL's sigmoid distillation without exemplars; the classifier answers.",
    paper="Rebuffi et al. 2017, arXiv:1611.07725, section 4.1",
    group="Without exemplars",
)
class LwfMc(Method):
    """``sum_c BCE(sigmoid(z_c), q_c)``: one-hot for new classes, the old model's answer for old.

    No exemplars and no class means: the largest logit decides.

    Paper: Rebuffi et al. 2017, arXiv:1611.07725, section 4.1, with the loss of
    algorithm 3: "it uses the network output values themselves".

    Compared:
        loss: a sigmoid for each class, old targets from the old model | not published for this
            variant; iCaRL's is a mean over all 100 outputs | a sum over the classes seen so far
        classification: the network's outputs | none | the network's outputs
    """

    distils = True

    def losses(self, batch: Batch) -> Terms:
        """The binary terms of all classes seen so far, summed over classes."""
        logits = self.logits(batch.images)
        old = None if self.teacher is None else self.teacher_logits(batch)
        return {"binary": binary_loss(logits, old, batch.labels)}
