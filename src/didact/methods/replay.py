"""Chaudhry et al. 2019: Experience replay (ER) with a tiny memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from didact.data import Batch, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage


@method(
    "replay",
    summary="Each step trains on new images and as many from a reservoir of old ones (ER).",
    paper="Chaudhry et al. 2019, arXiv:1902.10486",
    group="Exemplars replayed",
)
class Replay(Method):
    """Cross-entropy over all classes on the batch and an equally large one from the memory.

    A reservoir looks at each image once, in the first epoch, while the task is being learned, and
    so may be asked for images of the task itself. Another memory is filled when a task ends.

    Paper: Chaudhry et al. 2019, arXiv:1902.10486, algorithm 1: the memory's batch is as large as
    that of new images, and both make one batch.

    Compared:
        batch from the memory: as large as that of new images | the same (10 and 10) | as large as
            the run's batch
        memory: reservoir, ring, k-means, mean of features | reservoir, and a hybrid of it and a
            ring | reservoir; ``--exemplars`` for others
        passes: one | one | the run's; the reservoir looks at the first
        classes of the cross-entropy: the task's | the task's | all seen so far
    """

    exemplars = "reservoir"
    weighted = frozenset(("classification",))

    def stages(self, task: Task) -> Sequence[Stage]:
        """New images alone: the exemplars come with each step."""
        return [Stage("train", task.train)]

    def losses(self, batch: Batch) -> Terms:
        """``CE(z, y)`` over the batch and what is drawn from the memory."""
        images, labels = batch.images, batch.labels
        drawn = self.replay(self.setting.batch_size)
        if drawn is not None:
            images = torch.cat([images, drawn[0].images])
            labels = torch.cat([labels, drawn[0].labels])
        logits = self.logits(images)
        loss = self.mean_with_drawn(
            lambda rows: self.cross_entropy(logits[rows], labels[rows]),
            batch,
            drawn=len(labels) - len(batch.labels),
        )
        return {"classification": loss}

    def after_step(self, batch: Batch) -> None:
        """Show the batch to the reservoir."""
        if self.memory.streams and self.moment.epoch == 0:
            indices = self.setting.gather(batch.indices).cpu()
            split = self.stage.split.subset(indices)
            self.memory.observe(split, generator=self.generator("reservoir"))

    def after_task(self, task: Task) -> None:
        """Fill a memory that does not look at one image after another."""
        if not self.memory.streams:
            super().after_task(task)
