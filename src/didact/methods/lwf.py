"""Li, Hoiem 2016: Learning without forgetting."""

from __future__ import annotations

from dataclasses import dataclass

from didact import losses
from didact.data import Batch
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.options import Classes, above_zero, at_least, one_of
from didact.methods.kit.registry import method


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
    """

    temperature: float = 2.0
    weight: float = 1.0
    classes: Classes = "new"

    def __post_init__(self) -> None:
        above_zero("lwf.temperature", self.temperature)
        at_least("lwf.weight", self.weight, 0)
        one_of("lwf.classes", self.classes, ("new", "seen"))


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
    """

    Options = LwfOptions
    distils = True

    def losses(self, batch: Batch) -> Terms:
        """Classification on the task's classes, distillation on the old ones."""
        options: LwfOptions = self.options
        logits = self.logits(batch.images)
        columns = self.task.columns if options.classes == "new" else None
        terms = {"classification": self.cross_entropy(logits, batch.labels, columns)}
        if self.teacher is not None:
            terms["distillation"] = options.weight * losses.lwf(
                logits, self.teacher_logits(batch), temperature=options.temperature
            )
        return terms
