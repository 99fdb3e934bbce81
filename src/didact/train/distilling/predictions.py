"""What each trained model says of each test image, kept so that models can be compared on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from didact.train.distilling.seed_run import SeedRun
from didact.train.distilling.tasks import classes_of

Json = dict[str, Any]


def predictions_of(runs: Sequence[SeedRun], weights: Sequence[float]) -> Json:
    """The content of ``predictions.json``: one class and its probability for each image.

    The test images have one order in all seeds, which the labels show; ``arms`` has one entry for
    each arm and seed.
    """
    arms = []
    for run in runs:
        teacher_logits = run.teacher_logits(weights)
        answers = {} if teacher_logits is None else {"teacher": teacher_logits}
        answers |= {arm: trained.logits for arm, trained in run.students.items()}
        arms += [_answers(arm, run.seed, logits) for arm, logits in answers.items()]
    return {"labels": classes_of(runs[0].labels).tolist(), "arms": arms}


def _answers(arm: str, seed: int, logits: Tensor) -> Json:
    top = logits.double().softmax(dim=-1).max(dim=-1)
    return {
        "arm": arm,
        "seed": seed,
        "predicted": top.indices.tolist(),
        "probability": [round(value, 6) for value in top.values.tolist()],
    }
