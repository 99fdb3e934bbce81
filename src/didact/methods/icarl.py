"""Rebuffi et al. 2017: iCaRL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from didact import losses
from didact.data import Batch, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.binary import binary_loss
from didact.methods.kit.nearest_mean import nearest_mean_scores
from didact.methods.kit.options import above_zero, at_least, one_of
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class IcarlOptions:
    """Hyperparameters of iCaRL.

    Attributes:
        loss: ``"binary"``: the paper's, a sigmoid for each class (algorithm 3). ``"softmax"``:
            cross-entropy over all classes plus ``weight * T**2 * KL`` on the old ones, as much
            code under the name of iCaRL has it.
        temperature: T of the softmax form.
        weight: Of the softmax form's distillation. Code without the factor ``T**2`` and a weight
            of 1 corresponds to 1/4.
        mirrored: Whether a class's mean is that of its exemplars and their mirror images, as in the
            authors' code: ``"trained"``: where training images are mirrored (``--augment flip``),
            ``"always"`` or ``"never"``.
    """

    loss: Literal["binary", "softmax"] = "binary"
    temperature: float = 2.0
    weight: float = 1.0
    mirrored: Literal["trained", "always", "never"] = "trained"

    def __post_init__(self) -> None:
        one_of("icarl.loss", self.loss, ("binary", "softmax"))
        above_zero("icarl.temperature", self.temperature)
        at_least("icarl.weight", self.weight, 0)
        one_of("icarl.mirrored", self.mirrored, ("trained", "always", "never"))


@method(
    "icarl",
    summary="Herded exemplars, sigmoid distillation, nearest mean of exemplars.",
    paper="Rebuffi et al. 2017, arXiv:1611.07725",
    group="Exemplars and distillation",
)
class Icarl(Method):
    """Trains on new data and exemplars; classifies by the nearest mean of exemplars.

    The old model's answers are the targets of the old classes on every image, exemplars included.
    Features and means are scaled to length 1 (section 2.1). Without a memory the classifier's own
    logits decide.

    Paper: Rebuffi et al. 2017, arXiv:1611.07725, algorithms 1-5, the nearest mean in section 2.2,
    eq. 2; 2000 exemplars in all on CIFAR-100 (section 4).

    Compared:
        loss: a sigmoid for each class, summed | a mean over all 100 outputs, future ones
            included: 1/100 of the sum | a sum over the classes seen so far; ``loss=softmax`` for
            the other form
        class means: of exemplars | of exemplars and their mirror images | mirrored where training
            images are (``mirrored``)
        exemplars of a class: ``m = K / t`` | ``K / t``, rounded up | ``K / t``, rounded down:
            never above the budget
        learning rate: 2.0, divided by 5 after 49 and 63 of 70 epochs | the same | the run's
    """

    Options = IcarlOptions
    distils = True
    exemplars = "herding"

    def losses(self, batch: Batch) -> Terms:
        """``sum_c BCE(sigmoid(z_c), q_c)``, or cross-entropy and distillation."""
        options: IcarlOptions = self.options
        logits = self.logits(batch.images)
        old = None if self.teacher is None else self.teacher_logits(batch)
        if options.loss == "binary":
            return {"binary": binary_loss(logits, old, batch.labels)}
        terms = {"classification": self.cross_entropy(logits, batch.labels)}
        if old is not None:
            terms["distillation"] = options.weight * losses.lwf(
                logits, old, temperature=options.temperature
            )
        return terms

    def after_task(self, task: Task) -> None:
        """Choose exemplars and compute the mean direction of each class's exemplars."""
        super().after_task(task)
        if len(self.memory):
            self.kept["means"] = self.exemplar_means(task)

    def exemplar_means(self, task: Task) -> Tensor:
        """``(seen, width)``, the mean direction of each class's exemplars."""
        chosen = self.options.mirrored
        mirrored = self.trains_on_mirror_images() if chosen == "trained" else chosen == "always"
        return self.mean_directions(self.memory.split(), task.seen, mirrored=mirrored)

    def predict(self, images: Tensor) -> Tensor:
        """Minus the squared distance to each class mean (algorithm 1)."""
        if "means" not in self.kept:
            return self.logits(images)
        return nearest_mean_scores(self.features(images), self.kept["means"])

    def other_predictors(self) -> Mapping[str, Callable[[Tensor], Tensor]]:
        """The classifier's own answer."""
        return {"cnn": self.logits}
