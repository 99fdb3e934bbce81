"""Buzzega et al. 2020: Dark experience for general continual learning (DER++)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from didact._core.errors import UsageError
from didact.data import Batch, Memory, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.options import at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting, Stage


@dataclass(frozen=True)
class DerPlusPlusOptions:
    """Hyperparameters of DER++.

    Attributes:
        alpha: Weight of the stored logits. The paper tunes it and beta for each data set and
            memory; the authors' code has 0.3 and 0.5 for Sequential CIFAR-100 with a memory of 500.
        beta: Weight of the stored labels; 0 is DER without ++.
        outputs: What the squared distance is divided by. 0: by the number of classes that existed
            when the logits were stored, so that alpha means the same after each task. The authors'
            networks have the outputs of all tasks from the beginning and divide by their number:
            for their alpha give that, 100 on CIFAR-100.
    """

    alpha: float = 0.2
    beta: float = 0.5
    outputs: int = 0

    def __post_init__(self) -> None:
        at_least("der++.alpha", self.alpha, 0)
        at_least("der++.beta", self.beta, 0)
        at_least("der++.outputs", self.outputs, 0)


@method(
    "der++",
    summary="A reservoir that remembers the logits too, and two batches of it in each step.",
    paper="Buzzega et al. 2020, arXiv:2004.07211",
    group="Exemplars replayed",
)
class DerPlusPlus(Method):
    """``CE(z, y) + alpha * |z' - stored z'|^2 + beta * CE(z'', y'')``.

    The two batches of the memory are drawn independently. The squared distance is the mean over
    the ``k`` classes that existed when the logits were stored; in the authors' code over all ``N``
    outputs of a network that has them from the beginning, so that alpha here is ``N / k`` times
    theirs, unless ``outputs`` is ``N``. Every step shows its images to the
    reservoir with the logits that they had in it, so that logits of all epochs are stored.

    Paper: Buzzega et al. 2020, NeurIPS, arXiv:2004.07211; DER alone is its eq. 5.

    Compared:
        distance to stored logits: ``|z' - z|^2``, a sum (eq. 6) | a mean over all outputs, those
            of future tasks included | a mean over the classes that existed; a sum over
            ``outputs`` with ``outputs``
        alpha, beta: tuned for each data set and memory | 0.3, 0.5 (CIFAR-100, memory 500) | 0.2,
            0.5, the paper's for CIFAR-10
        batches: two from the memory, drawn apart | the same | the same
        stored image: as it was, augmented anew | the same | the same
    """

    Options = DerPlusPlusOptions
    exemplars = "reservoir"
    weighted = frozenset(("logits", "labels"))

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self._step_logits: Tensor | None = None
        if memory.enabled and not memory.streams:
            raise UsageError(
                f"der++ stores each image with its logits as it comes; the memory is chosen by "
                f"{memory.choice!r}, expected 'reservoir' or 'balanced'"
            )

    def stages(self, task: Task) -> Sequence[Stage]:
        """New images alone: the exemplars come with each step."""
        return [Stage("train", task.train)]

    def losses(self, batch: Batch) -> Terms:
        """Classification, stored logits, stored labels."""
        options: DerPlusPlusOptions = self.options
        logits = self.logits(batch.images)
        self._step_logits = logits.detach()
        terms = {"classification": self.cross_entropy(logits, batch.labels)}
        dark = self.replay(self.setting.batch_size, "logits")
        if dark is not None and options.alpha:
            stored, now = dark[1]["logits"], self.logits(dark[0].images)
            distance = distance_to_stored(now, stored, outputs=options.outputs)
            terms["logits"] = options.alpha * distance
        labelled = self.replay(self.setting.batch_size, "labels")
        if labelled is not None and options.beta:
            again = self.logits(labelled[0].images)
            terms["labels"] = options.beta * self.cross_entropy(again, labelled[0].labels)
        return terms

    def after_step(self, batch: Batch) -> None:
        """Show the batch and its logits to the reservoir."""
        if self._step_logits is None or not self.memory.enabled:
            return
        indices = self.setting.gather(batch.indices).cpu()
        extras = {"logits": self.setting.gather(self._step_logits).float()}
        split = self.stage.split.subset(indices)
        self.memory.observe(split, generator=self.generator("reservoir"), extras=extras)

    def after_task(self, task: Task) -> None:
        """Nothing: the reservoir was filled step by step."""


def distance_to_stored(logits: Tensor, stored: Tensor, *, outputs: int = 0) -> Tensor:
    """Mean squared distance over the classes that a stored row has, averaged over rows.

    Args:
        logits: ``(samples, classes)``.
        stored: ``(samples, fewer or as many)``; NaN marks classes that were not there.
        outputs: Divides each row's sum of squares instead of the number of its classes.
    """
    known = ~stored.isnan()
    now, then = logits[:, : stored.shape[1]].float(), stored.nan_to_num(0.0)
    distances = (now - then).square().masked_fill(~known, 0.0).sum(1)
    return (distances / (outputs or known.sum(1).clamp(min=1))).mean()
