"""What a model and its teachers are asked for each batch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from didact.data import Batch, Data, Split
from didact.nn import MOST_CACHED_LOGITS, Teacher
from didact.train.distilling.build_losses import BuiltLosses
from didact.train.distilling.fit import ForwardFn
from didact.train.distilling.objective import StepOutputs
from didact.train.loop.evaluate import cached_logits, predict, test_batches
from didact.train.loop.fabric import Fabric


def student_forward(model: nn.Module, batch: Batch) -> StepOutputs:
    """The model's logits; there is no teacher."""
    return StepOutputs(model(batch.images), (), batch.labels)


def forward_with_teachers(
    teachers: Sequence[Teacher], data: Data, fabric: Fabric, augment: str, built: BuiltLosses
) -> ForwardFn:
    """The student's logits, the teachers', and the features where a loss wants them."""
    size = len(data.train) * data.num_classes * len(teachers)
    still = augment == "none" and isinstance(data.train, Split)
    looked_up = augment == "none" and all(cached_logits(one) is not None for one in teachers)
    if not built.pairs and (looked_up or (still and size <= MOST_CACHED_LOGITS)):
        # The images of an epoch never change, so neither do the frozen teachers' logits.
        known = [predict(one, test_batches(data, "train", fabric.device))[0] for one in teachers]
        cached = [logits.to(fabric.device) for logits in known]

        def look_up(model: nn.Module, batch: Batch) -> StepOutputs:
            logits = [one[batch.indices] for one in cached]
            return StepOutputs(model(batch.images), logits, batch.labels, batch.indices)

        return look_up

    def look(model: nn.Module, batch: Batch) -> StepOutputs:
        with fabric.autocast():
            logits = [teacher(batch.images) for teacher in teachers]
        student_logits = model(batch.images)
        return StepOutputs(student_logits, logits, batch.labels, batch.indices, built.features())

    return look
