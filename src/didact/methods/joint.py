"""Train on the data of all tasks so far: the upper bound."""

from __future__ import annotations

from didact.methods.finetune import Finetune
from didact.methods.kit.registry import method


@method(
    "joint",
    summary="Trains on the data of all tasks so far: the upper bound.",
    paper="none",
    group="Bounds",
)
class Joint(Finetune):
    """Cross-entropy over all classes seen so far, on all data seen so far."""

    sees_all_tasks = True
