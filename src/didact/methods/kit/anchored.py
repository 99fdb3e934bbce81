"""What EWC, SI and MAS share: cross-entropy, and a quadratic penalty around anchors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact.data import AnySplit, Batch, Task, generator_for
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.gradients import trained
from didact.methods.kit.importance import quadratic_penalty


class Anchored(Method):
    """``CE(z, y) + 1/2 * sum_i weight_i * (parameter_i - anchor_i)^2``.

    A method says what the penalty's weights are, and keeps the anchors under ``"anchors"``. Its
    options have ``classes``: whether the cross-entropy looks at the task's classes or at all seen.
    """

    def penalty_weights(self) -> dict[str, Tensor]:
        """Of each parameter's penalty, by name; nothing before the first anchor."""
        raise NotImplementedError

    def losses(self, batch: Batch) -> Terms:
        """Classification and the pull of the anchors."""
        logits = self.logits(batch.images)
        terms = {"classification": self.cross_entropy(logits, batch.labels, self.columns())}
        weights = self.penalty_weights()
        if weights:
            anchors = self.kept.under("anchors")
            terms["consolidation"] = quadratic_penalty(trained(self.network), anchors, weights)
        return terms

    def columns(self) -> tuple[int, ...] | None:
        """The outputs that the cross-entropy looks at; none for all of them."""
        return self.task.columns if self.options.classes == "new" else None

    def some_images(self, task: Task, purpose: str) -> AnySplit:
        """At most ``options.samples`` images of a task, in their order, drawn for one purpose."""
        generator = generator_for(self.setting.seed, purpose, task.index)
        places = torch.randperm(len(task.train), generator=generator)[: self.options.samples]
        return task.train.subset(places.sort().values)


def parameters_now(network: nn.Module) -> dict[str, Tensor]:
    """Where the trained parameters are now, by name; they move on, this does not."""
    return {name: parameter.detach().clone() for name, parameter in trained(network).items()}
