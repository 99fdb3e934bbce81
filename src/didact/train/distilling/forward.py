"""What a model and its teachers are asked for each batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from didact.data import Batch, Data, Split
from didact.nn import MOST_CACHED_LOGITS, Teacher
from didact.train.distilling.build_losses import BuiltLosses
from didact.train.distilling.fit import ForwardFn
from didact.train.distilling.objective import StepOutputs
from didact.train.loop.evaluate import cached_logits, predict, test_batches
from didact.train.loop.fabric import Fabric

Standard = Callable[[Tensor], Tensor]


def student_forward(standard: Standard) -> ForwardFn:
    """The model's logits; there is no teacher."""

    def look(model: nn.Module, batch: Batch) -> StepOutputs:
        return StepOutputs(standard(model(batch.images)), (), standard(batch.labels))

    return look


def forward_with_teachers(
    teachers: Sequence[Teacher],
    data: Data,
    fabric: Fabric,
    built: BuiltLosses,
    *,
    varied: bool,
    standard: Standard,
) -> ForwardFn:
    """The student's logits, the teachers', and the features where a loss wants them.

    Args:
        teachers: The teachers.
        data: What is trained on.
        fabric: Where.
        built: The losses.
        varied: Whether images are augmented or mixed.
        standard: Brings numbers to predict to the units of the training.
    """
    size = len(data.train) * data.num_classes * len(teachers)
    still = not varied and isinstance(data.train, Split)
    looked_up = not varied and all(cached_logits(one) is not None for one in teachers)
    if not built.pairs and (looked_up or (still and size <= MOST_CACHED_LOGITS)):
        # The images of an epoch never change, so neither do the frozen teachers' logits.
        known = [predict(one, test_batches(data, "train", fabric.device))[0] for one in teachers]
        cached = [standard(logits.to(fabric.device)) for logits in known]

        def look_up(model: nn.Module, batch: Batch) -> StepOutputs:
            logits = [one[batch.indices] for one in cached]
            own = standard(model(batch.images))
            return StepOutputs(own, logits, standard(batch.labels), batch.indices)

        return look_up

    def look(model: nn.Module, batch: Batch) -> StepOutputs:
        with fabric.autocast():
            logits = [standard(teacher(batch.images)) for teacher in teachers]
        own, labels = standard(model(batch.images)), standard(batch.labels)
        return StepOutputs(own, logits, labels, batch.indices, built.features())

    return look
