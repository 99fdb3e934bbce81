"""Chaudhry et al. 2019: Averaged gradient episodic memory (A-GEM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from didact.data import Batch, Task
from didact.methods.gem import flat_gradient
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.gradients import trained
from didact.methods.kit.options import above_zero
from didact.methods.kit.projection import project_average, read_gradients, write_gradients
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage


@dataclass(frozen=True)
class AgemOptions:
    """Hyperparameters of A-GEM.

    Attributes:
        reference_batches: How many exemplars give the reference gradient, in batches of the run's
            size. The paper takes 256 exemplars on permuted MNIST, 1300 on split CIFAR-100 (section
            6), with batches of 10.
    """

    reference_batches: int = 4

    def __post_init__(self) -> None:
        above_zero("agem.reference_batches", self.reference_batches)


@method(
    "agem",
    summary="The gradient is turned so that the average loss on exemplars does not rise.",
    paper="Chaudhry et al. 2019, arXiv:1812.00420",
    group="Exemplars replayed",
)
class Agem(Method):
    """``CE(z, y)`` on new images; the step is projected against one batch of exemplars.

    Paper: Chaudhry et al. 2019, ICLR, arXiv:1812.00420, section 4, eq. 10 and 11.

    Compared:
        reference: 256 exemplars on permuted MNIST, 1300 on CIFAR-100 | 256 by default |
            ``reference_batches`` batches of the run's size
        memory: drawn at random from all tasks | the same | the same
        classes of the cross-entropy: the task's | the task's | all seen so far
    """

    Options = AgemOptions
    exemplars = "random"

    def stages(self, task: Task) -> Sequence[Stage]:
        """New images alone: the exemplars are for the projection."""
        return [Stage("train", task.train)]

    def losses(self, batch: Batch) -> Terms:
        """``CE(z, y)`` over all classes seen so far."""
        return {"classification": self.cross_entropy(self.logits(batch.images), batch.labels)}

    def after_backward(self, batch: Batch) -> None:  # noqa: ARG002
        """Turn the gradient, where it is at odds with that of the exemplars."""
        drawn = self.replay(self.options.reference_batches * self.setting.batch_size, "reference")
        if drawn is None:
            return
        gather = self.setting.gather
        images, labels = gather(drawn[0].images), gather(drawn[0].labels)
        parameters = list(trained(self.network).values())
        loss = self.cross_entropy(self.logits(images), labels)
        reference = flat_gradient(loss, parameters)
        gradient = read_gradients(parameters)
        turned = project_average(gradient, reference)
        if turned is not gradient:
            write_gradients(parameters, turned)
