"""Kirkpatrick et al. 2017 and Schwarz et al. 2018: elastic weight consolidation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from didact.data import Task
from didact.methods.kit.anchored import Anchored, parameters_now
from didact.methods.kit.gradients import mean_over_samples, samples_at_once
from didact.methods.kit.importance import add_importances, padded, penalty_weights_of
from didact.methods.kit.options import Classes, at_least, one_of
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class EwcOptions:
    """Hyperparameters of EWC.

    Attributes:
        weight: lambda of ``lambda/2 * sum_i F_i (p_i - p*_i)^2``. The paper tunes it for each
            problem; "a scaling factor for the EWC penalty of 400" in its Atari experiments
            (appendix 4.2). ``lambda F_i`` counts 10 at most, since steps on a stiffer penalty
            diverge.
        samples: How many images of a task, at most, the Fisher information is averaged over; the
            paper draws "one hundred mini-batches" (appendix 4.2).
        classes: Whether cross-entropy and Fisher information look at this task's classes
            (``"new"``; the paper's tasks have outputs of their own) or at all ``"seen"``.
    """

    weight: float = 400.0
    samples: int = 1000
    classes: Classes = "new"

    def __post_init__(self) -> None:
        at_least("ewc.weight", self.weight, 0)
        at_least("ewc.samples", self.samples, 1)
        one_of("ewc.classes", self.classes, ("new", "seen"))


@method(
    "ewc",
    summary="Parameters are held where they were, each by its Fisher information.",
    paper="Kirkpatrick et al. 2017, arXiv:1612.00796",
    group="Without exemplars",
)
class Ewc(Anchored):
    """``CE(z, y) + lambda/2 * sum_tasks sum_i F_i (p_i - p*_i)^2``.

    Each task has a penalty around the parameters it ended with. Their sum is one penalty around
    the anchors' average weighted with the Fisher information, up to a constant: that is what is
    kept, so that memory does not grow with tasks.

    Paper: Kirkpatrick et al. 2017, PNAS, arXiv:1612.00796, section 2, eq. 3, and the paragraph
    after it for several tasks.

    Compared:
        several tasks: a penalty for each | none published | one penalty of the same gradient
        Fisher information: diagonal | none published | diagonal, the exact expectation over the
            model's labels, of up to ``samples`` images
        largest ``lambda F``: no bound | none published | 10, since steps on a stiffer penalty
            diverge
    """

    Options = EwcOptions

    def penalty_weights(self) -> dict[str, Tensor]:
        """``lambda F_i``."""
        return penalty_weights_of(self.kept.under("fisher"), self.options.weight)

    def after_task(self, task: Task) -> None:
        """Add the task's Fisher information and move the anchors."""
        super().after_task(task)
        new = self.fisher(task)
        fisher, anchors = self.merged(new, parameters_now(self.network))
        self.kept.put("fisher", fisher)
        self.kept.put("anchors", anchors)

    def merged(
        self, new: dict[str, Tensor], now: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The sum of all Fisher informations, and the average anchor weighted with them."""
        old, anchors = self.kept.under("fisher"), self.kept.under("anchors")
        fisher = add_importances(old, new)
        for name, anchor in anchors.items():
            was = padded(old[name], new[name].shape)
            pulled = was * padded(anchor, new[name].shape) + new[name] * now[name]
            now[name] = torch.where(fisher[name] > 0, pulled / fisher[name], now[name])
        return fisher, now

    def fisher(self, task: Task) -> dict[str, Tensor]:
        """The diagonal of the Fisher information: ``E_x sum_c p_c (d log p_c / d p_i)^2``.

        The expectation over classes is the model's own and exact, not that of the labels
        ("empirical Fisher") nor of one drawn label.
        """
        split = self.some_images(task, "fisher")
        columns = torch.tensor(self.columns() or range(task.seen), device=self.setting.device)
        was_training = self.training
        self.eval()
        total: dict[str, Tensor] = {}
        for place in range(len(columns)):

            def root(logits: Tensor, _: Tensor, place: int = place) -> Tensor:
                log_prob = logits[columns].log_softmax(-1)[place]
                return (log_prob.detach() / 2).exp() * log_prob

            batches = self.iterate(split, samples_at_once(self.network))
            total = add_importances(total, mean_over_samples(self.network, batches, root, 2))
        self.train(was_training)
        return total


@dataclass(frozen=True)
class OnlineEwcOptions(EwcOptions):
    """Hyperparameters of online EWC.

    Attributes:
        weight: lambda of ``lambda/2 * sum_i gamma F_i (p_i - p*_i)^2``. 17.5 in the paper's table
            2, for Fisher information of another size (see above).
        decay: gamma, by which what is known of the earlier tasks fades with each; 0.95 in table 2.
    """

    decay: float = 0.95

    def __post_init__(self) -> None:
        EwcOptions.__post_init__(self)
        at_least("ewc-online.decay", self.decay, 0)


@method(
    "ewc-online",
    summary="EWC with one anchor, the last one, and Fisher information that fades.",
    paper="Schwarz et al. 2018, arXiv:1805.06370",
    group="Without exemplars",
)
class OnlineEwc(Ewc):
    """``CE(z, y) + lambda/2 * sum_i gamma F_i (p_i - p*_i)^2``, ``F <- gamma F + F_task``.

    The paper also brings the Fisher information of each task to one size, without saying to which;
    here it is as it comes, and lambda is that of ``ewc``.

    Paper: Schwarz et al. 2018, ICML, arXiv:1805.06370, section 4, eq. 8 and 9.

    Compared:
        size of the Fisher information: brought to one size, not said to which | none published |
            as it comes
        gamma: 0.95 (table 2) | none published | 0.95
        largest ``lambda gamma F``: no bound | none published | 10
    """

    Options = OnlineEwcOptions

    def penalty_weights(self) -> dict[str, Tensor]:
        """``lambda gamma F_i``."""
        options: OnlineEwcOptions = self.options
        return penalty_weights_of(self.kept.under("fisher"), options.weight * options.decay)

    def merged(
        self, new: dict[str, Tensor], now: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The faded sum, and the parameters as they are."""
        return add_importances(self.kept.under("fisher"), new, decay=self.options.decay), now
