"""Li, Hoiem 2016: Learning without forgetting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from didact import losses
from didact.data import Batch, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.network import growing
from didact.methods.kit.options import Classes, above_zero, at_least, one_of
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage

WARM_UP = "warm-up"


@dataclass(frozen=True)
class LwfOptions:
    """Hyperparameters of LwF.

    Attributes:
        temperature: T of the distillation, on both sides; "we use T=2 according to a grid search
            on a held out set" (section 3 of the third version).
        weight: Factor on ``T**2 * KL``. "lambda_o is a loss balance weight, set to 1 for most our
            experiments" (section 3 of the third version), beside a distillation without the factor
            ``T**2``: that is 1/4 here.
        classes: ``"new"``: the cross-entropy looks at this task's classes alone, as in the
            paper. ``"seen"``: at all classes so far, which without exemplars becomes plain
            fine-tuning: the new images push every old class down, whatever the old model says.
        warm_up: Epochs in which the new classes' outputs alone are trained before everything is:
            the paper's warm-up step (section 3), there until it converges. None by default, as in
            most code under the name of LwF.
    """

    temperature: float = 2.0
    weight: float = 1.0
    classes: Classes = "new"
    warm_up: int = 0

    def __post_init__(self) -> None:
        above_zero("lwf.temperature", self.temperature)
        at_least("lwf.weight", self.weight, 0)
        one_of("lwf.classes", self.classes, ("new", "seen"))
        at_least("lwf.warm_up", self.warm_up, 0)


@method(
    "lwf",
    summary="The old model's answers on the new images are kept by distillation.",
    paper="Li and Hoiem 2016, arXiv:1606.09282",
    group="Without exemplars",
)
class Lwf(Method):
    """``CE(z[new], y) + weight * T**2 * KL(softmax(t/T) || softmax(z[old]/T))``.

    Toolkits differ in the classes of the cross-entropy, and it decides the result: PyCIL and FACIL
    look at the new ones, Avalanche, Mammoth and van de Ven's code at all of them.

    Paper: Li and Hoiem 2016, ECCV, arXiv:1606.09282, section 3, eq. 1-4.

    Compared:
        classes of the cross-entropy: the new task's own outputs | the same | the same,
            ``classes=seen`` for all
        distillation: T = 2, probabilities ``p^(1/T)`` renormalised, factor 1, no ``T^2`` | the
            same with T = 2; factors 0.3 to 10 tried | T = 2, ``T^2 * KL``, factor 1: 4 times the
            paper's
        warm-up: new outputs alone, until they converge | a stage of its own before (``_lock``) |
            ``warm_up`` epochs, none by default
        old outputs in the warm-up: stay | stay | stay; BatchNorm stands still
    """

    Options = LwfOptions
    distils = True

    def stages(self, task: Task) -> Sequence[Stage]:
        """The new outputs alone where that is asked for, then everything."""
        train = Stage("train", self.with_exemplars(task.train))
        if not (self.options.warm_up and 0 < task.known < task.seen):
            return [train]
        warm_up = Stage(
            WARM_UP,
            train.split,
            parameters=lambda: self.network.classifier.parameters(),
            epochs=self.options.warm_up,
            evaluation_mode=True,
        )
        return [warm_up, train]

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:  # noqa: ARG002
        """In the warm-up, put the old classes' outputs back where they were."""
        if self.stage.name == WARM_UP and self.teacher is not None:
            before = growing(self.teacher.model).classifier.parameters()
            for now, was in zip(self.network.classifier.parameters(), before, strict=True):
                now[: self.task.known] = was

    def losses(self, batch: Batch) -> Terms:
        """Classification on the task's classes, distillation on the old ones."""
        options: LwfOptions = self.options
        columns = self.task.columns if options.classes == "new" else None
        if self.stage.name == WARM_UP:
            with torch.no_grad():
                features = self.features(batch.images)
            logits = self.network.classifier(features)
            return {"classification": self.cross_entropy(logits, batch.labels, columns)}
        logits = self.logits(batch.images)
        terms = {"classification": self.cross_entropy(logits, batch.labels, columns)}
        if self.teacher is not None:
            terms["distillation"] = options.weight * losses.lwf(
                logits, self.teacher_logits(batch), temperature=options.temperature
            )
        return terms
