"""What WA and BiC share: cross-entropy and distillation by the shares of new and old classes."""

from __future__ import annotations

from torch import Tensor

from didact.data import Batch
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.softened import softened_kl


class SharedDistillation(Method):
    """``(1 - l) CE + l KL_T`` with ``l = known / seen``, on logits that a method may correct.

    Its options have ``temperature``.
    """

    distils = True
    exemplars = "herding"

    def corrected(self, logits: Tensor) -> Tensor:
        """The logits that are trained and compared, the network's own by default."""
        return logits

    def losses(self, batch: Batch) -> Terms:
        """Classification over all classes and distillation on the old ones."""
        logits = self.corrected(self.logits(batch.images))
        classification = self.cross_entropy(logits, batch.labels)
        if self.teacher is None:
            return {"classification": classification}
        share = self.task.known / self.task.seen
        old_logits = self.corrected(self.teacher_logits(batch))
        old = softened_kl(logits, old_logits, self.options.temperature)
        return {"classification": (1 - share) * classification, "distillation": share * old}
