"""What a class-incremental method is: named loss terms and a few hooks; the loop trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.errors import ModelError
from didact.data import AnySplit, Batch, Choice, Memory, Task
from didact.methods.kit.folded import folded, in_bfloat16
from didact.methods.kit.kept import Kept
from didact.methods.kit.network import GrowingNetwork, check_network
from didact.methods.kit.samples import Samples
from didact.methods.kit.setting import Setting, Stage
from didact.nn import MOST_CACHED_LOGITS, Teacher, widened

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class NoOptions:
    """A method without hyperparameters."""


class Method(Samples):
    """A network that learns one task after another.

    The loop calls, for each task: :meth:`grow`, :meth:`begin_task`, then for each of
    :meth:`stages` the steps (``losses``, backward, :meth:`after_backward`, optimiser,
    :meth:`after_step`), then :meth:`after_task`, then :meth:`predict` on test images. A method
    has no optimiser, no backward for training, no device calls and prints nothing.

    **Labels are columns.** ``batch.labels`` are the columns of the logits: class ``k`` of the
    stream's order has column ``k``. The first ``task.known`` columns are the old classes',
    ``task.columns`` those of the classes in this task (a class that comes back is among both).

    **What survives a checkpoint**: parameters and buffers of modules, :attr:`kept`, and
    :attr:`memory`. Modules are added and replaced in :meth:`grow` alone, from the task's numbers
    alone: a resumed run calls it for every task so far and then loads the values.

    Attributes:
        network: The growing model; None before the first task.
        teacher: The network as it was after the task before; None in the first task, and for
            methods whose ``distils`` is false.
        memory: The exemplars.
        kept: Further tensors to remember.
        task: The task under way.
        stage: The stage under way.
        moment: The step under way.
    """

    Options: ClassVar[type[Any]] = NoOptions
    """A frozen dataclass: the hyperparameters with the paper's values as defaults."""

    exemplars: ClassVar[Choice | None] = None
    """How exemplars are chosen unless the user says otherwise; None for a method without."""

    distils: ClassVar[bool] = False
    """Whether :attr:`teacher` is wanted."""

    sees_all_tasks: ClassVar[bool] = False
    """Whether each task's data is that of all tasks so far (the upper bound)."""

    needs_tokens: ClassVar[bool] = False
    """Whether the network has to be a vision transformer."""

    needs_pretrained: ClassVar[bool] = False
    """Whether the network is taken as pre-trained: from random weights there is little to learn."""

    weighted: ClassVar[frozenset[str]] = frozenset()
    """Terms that :attr:`losses` gives as this process's share of the step: see :meth:`forward`."""

    network: GrowingNetwork
    teacher: Teacher | None

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__()
        self.options = options
        self.setting = setting
        self.memory = memory
        self.kept = Kept()
        self.teacher = None
        self._cached_logits: tuple[AnySplit, Tensor] | None = None
        self._folded: tuple[Teacher, Teacher] | None = None

    # The hooks, in the order in which they are called.

    def grow(self, task: Task) -> None:
        """Make room for the task's new classes. The only place where modules come and go.

        By default: the teacher becomes a frozen copy of the network if ``distils``, and
        the classifier gets ``task.seen`` outputs, old weights kept.
        """
        if task.index == 0:
            self.network = check_network(self.setting.build_network(task.seen))
            return
        if self.distils:
            self.teacher = Teacher(self.network)
        self.network.classifier = widened(self.network.classifier, task.seen)

    def begin_task(self, task: Task) -> None:
        """Give values to what :meth:`grow` made, where random ones will not do."""

    def stages(self, task: Task) -> Sequence[Stage]:
        """The stretches of training; by default one, on the task's data with the exemplars.

        A function of the task, the memory and the seed alone: a resumed run asks again.
        """
        return [Stage("train", self.with_exemplars(task.train))]

    def begin_stage(self, stage: Stage) -> Stage:
        """The stage as it will be, where what it trains on depends on what was learned before.

        A function of the stage, what the method keeps from before it, and the seed: a run that is
        resumed within the stage asks again.
        """
        return stage

    def losses(self, batch: Batch) -> Terms:
        """The named terms whose sum is the loss of a step. Means over the batch."""
        raise NotImplementedError

    def after_backward(self, batch: Batch) -> None:
        """Look at or change the gradients, before the optimiser's step."""

    def after_step(self, batch: Batch) -> None:
        """The optimiser has stepped."""

    def after_stage(self, stage: Stage) -> None:
        """A stage has ended."""

    def after_task(self, task: Task) -> None:
        """Training has ended; by default the memory is filled."""
        self.fill_memory(task)

    def predict(self, images: Tensor) -> Tensor:
        """Scores ``(batch, task.seen)`` of normalised images, in eval mode, without gradients."""
        return self.logits(images)

    def other_predictors(self) -> Mapping[str, Callable[[Tensor], Tensor]]:
        """Further ways to classify with the same network, such as ``{"cnn": ...}``."""
        return {}

    def about_given_head(self) -> str:
        """What is to be known where the head was trained elsewhere; nothing by default."""
        return ""

    # What the hooks are written with.

    def forward(self, batch: Batch) -> Terms:
        """:meth:`losses`; the loop calls the module so that processes are kept together.

        Where the shards of a batch are not of one size, a mean over this process's shard is
        multiplied so that the mean over the processes is that over the step. Terms in
        :attr:`weighted`, of exemplars drawn for the step, are as :meth:`losses` gives them.
        """
        terms = self.losses(batch)
        if batch.weight == 1:
            return terms
        return {
            name: value if name in self.weighted else value * batch.weight
            for name, value in terms.items()
        }

    def mean_with_drawn(self, mean: Callable[[slice], Tensor], batch: Batch, drawn: int) -> Tensor:
        """A mean over a batch and exemplars drawn for the step, as this process's share of it.

        The exemplars are shared equally, the batch perhaps not. Over ``n`` images of the batch and
        ``m`` exemplars on all processes together the mean is ``(n * mean(batch) + m *
        mean(exemplars)) / (n + m)``.

        Args:
            mean: The mean over some rows: first those of the batch, then the exemplars.
            batch: This process's shard.
            drawn: How many exemplars this process has.
        """
        if batch.weight == 1:
            return mean(slice(None))
        if not drawn:
            return mean(slice(None)) * batch.weight
        count = len(batch.labels)
        counted = batch.labels.new_tensor([count if batch.weight else 0])
        images = int(self.setting.gather(counted).sum())
        exemplars = drawn * self.setting.world_size
        of_batch = batch.weight * images * mean(slice(None, count))
        of_exemplars = exemplars * mean(slice(count, None))
        return (of_batch + of_exemplars) / (images + exemplars)

    def logits(self, images: Tensor) -> Tensor:
        """The network's logits over the classes seen so far."""
        found: Tensor = self.network(images)
        return found

    def cross_entropy(
        self, logits: Tensor, labels: Tensor, columns: Sequence[int] | None = None
    ) -> Tensor:
        """Mean cross-entropy over ``columns`` of the logits, all by default."""
        if columns is None or len(columns) == logits.shape[-1]:
            return F.cross_entropy(logits, labels)
        first, count = columns[0], len(columns)
        if list(columns) == list(range(first, first + count)):
            return F.cross_entropy(logits[:, first : first + count], labels - first)
        outside = torch.ones(logits.shape[-1], dtype=torch.bool, device=logits.device)
        outside[list(columns)] = False
        return F.cross_entropy(logits.masked_fill(outside, -torch.inf), labels)

    def teacher_logits(self, batch: Batch) -> Tensor:
        """The teacher's logits for the batch.

        Where the images of a stage never change, they are computed once for the whole split. In
        bfloat16, which rounds them anyway, they come from a copy with its batch norms folded.
        """
        teacher, split = self._teacher_for(batch.images), self.stage.split
        images_vary = self.setting.augment != "none" and self.stage.augment
        if images_vary or len(split) * self.task.known > MOST_CACHED_LOGITS:
            found: Tensor = teacher(batch.images)
            return found
        if self._cached_logits is None or self._cached_logits[0] is not split:
            self._cached_logits = (split, self.map_images(split, teacher))
        return self._cached_logits[1][batch.indices]

    def _teacher_for(self, images: Tensor) -> Teacher:
        """The teacher, or its folded copy where the images meet it in bfloat16."""
        teacher = self.teacher
        if teacher is None:
            raise ModelError("there is no teacher in the first task, or distils is not set")
        if not in_bfloat16(images):
            return teacher
        if self._folded is None or self._folded[0] is not teacher:
            self._folded = (teacher, folded(teacher, images))
        return self._folded[1]

    def features(self, images: Tensor) -> Tensor:
        """The network's penultimate features, ``(batch, width)``."""
        return self.network.features(images)
