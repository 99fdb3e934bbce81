"""Train on the data of all tasks so far: the upper bound."""

from __future__ import annotations

from dataclasses import dataclass

from didact.data import Task
from didact.methods.finetune import Finetune
from didact.methods.kit.network import check_network
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class JointOptions:
    """Hyperparameters of joint training.

    Attributes:
        from_scratch: Begin each task with a new network, as the upper bounds of papers do: what
            was learned before then has no part in it, and each task costs a whole training. False:
            go on from the network before, which with few epochs a task is the higher bound. The
            recipes with the literature's schedule (CIFAR) have it true.
    """

    from_scratch: bool = False


@method(
    "joint",
    summary="Trains on the data of all tasks so far: the upper bound.",
    paper="none",
    group="Bounds",
)
class Joint(Finetune):
    """Cross-entropy over all classes seen so far, on all data seen so far.

    Compared:
        weights at a new task: new ones: Chaudhry et al. 2018 (arXiv:1801.10112, eq. 4) compare
            with a model trained on all tasks so far at once | FACIL goes on from the last task's;
            Mammoth trains once, on everything | the last task's, or new ones with
            ``from_scratch=true``, which the CIFAR recipes have
        data: of all tasks so far | the same | the same
    """

    Options = JointOptions
    sees_all_tasks = True

    def grow(self, task: Task) -> None:
        """A wider classifier, or a new network."""
        if self.options.from_scratch:
            self.network = check_network(self.setting.build_network(task.seen))
        else:
            super().grow(task)
