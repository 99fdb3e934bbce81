"""Train on each task as it comes and do nothing against forgetting: the lower bound."""

from __future__ import annotations

from didact.data import Batch
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.registry import method


@method(
    "finetune",
    summary="Trains on each task and does nothing against forgetting: the lower bound.",
    paper="none",
    group="Bounds",
)
class Finetune(Method):
    """Cross-entropy over all classes seen so far, on the new data alone.

    Compared:
        classes of the cross-entropy: none | PyCIL, Mammoth, Avalanche: all; FACIL without
            exemplars: the task's | all seen so far
        weights at a new task: none | the last task's | the last task's
    """

    def losses(self, batch: Batch) -> Terms:
        """``CE(z, y)`` over the classes seen so far."""
        return {"classification": self.cross_entropy(self.logits(batch.images), batch.labels)}
