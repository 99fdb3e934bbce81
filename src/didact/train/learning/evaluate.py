"""What is measured after each task: accuracies on every task, and who is taken for whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from didact.data import Batches, Stream
from didact.methods import Method
from didact.train.loop.fabric import Fabric

Json = dict[str, Any]
Predict = Callable[[Tensor], Tensor]


class TestSets:
    """The test images of each task, normalised batch by batch."""

    __test__ = False

    def __init__(self, stream: Stream, device: torch.device, batch_size: int) -> None:
        self.stream, self.device = stream, device
        self._batches = [
            Batches(
                split,
                batch_size=batch_size,
                mean=stream.data.mean,
                std=stream.data.std,
                device=device,
                cache_bytes=0,
            )
            for split in stream.tests
        ]
        self.sizes = [len(split) for split in stream.tests]

    def labels(self, task: int) -> Tensor:
        """The true columns of a task's test images."""
        return self.stream.tests[task].labels.cpu()

    @torch.no_grad()
    def predicted(self, predict: Predict, task: int, fabric: Fabric) -> Tensor:
        """The column that is predicted for each test image of a task."""
        allowed = self.stream.columns_of(task) if self.stream.scenario == "task" else None
        found = []
        for batch in self._batches[task].epoch(0):
            with fabric.autocast():
                scores = predict(batch.images).float()
            if allowed is not None:
                found.append(allowed[scores[:, allowed.to(scores.device)].argmax(-1).cpu()])
            else:
                found.append(scores.argmax(-1).cpu())
        return torch.cat(found)


def measure(method: Method, tests: TestSets, after: int, fabric: Fabric) -> Json:
    """What is known after task ``after`` (from 0).

    ``accuracy`` has one number for each task: those not yet seen are measured in the domain
    scenario alone and are None otherwise.
    """
    was_training = method.training
    method.eval()
    stream = tests.stream
    measured = len(stream) if stream.scenario == "domain" else after + 1
    predictions = [tests.predicted(method.predict, k, fabric) for k in range(measured)]
    found: Json = {
        "accuracy": _accuracies(predictions, tests),
        "confusion": _confusion(predictions[: after + 1], stream),
    }
    found["others"] = {
        name: _accuracies([tests.predicted(way, k, fabric) for k in range(measured)], tests)
        for name, way in method.other_predictors().items()
    }
    if after == len(stream) - 1:
        found["per_class"] = _per_class(predictions, tests)
    method.train(was_training)
    return found


def _accuracies(predictions: Sequence[Tensor], tests: TestSets) -> list[float | None]:
    known = [
        float((predicted == tests.labels(task)).double().mean())
        for task, predicted in enumerate(predictions)
    ]
    return [*known, *[None] * (len(tests.sizes) - len(known))]


def _confusion(predictions: Sequence[Tensor], stream: Stream) -> list[list[int]] | None:
    """How many images of each task (rows) were taken for a class of each task (columns)."""
    if stream.scenario != "class":
        return None
    owner = torch.full((stream.num_classes,), -1, dtype=torch.int64)
    for task in reversed(range(len(stream))):
        owner[stream.columns_of(task)] = task
    return [
        torch.bincount(owner[predicted], minlength=len(stream)).tolist()
        for predicted in predictions
    ]


def _per_class(predictions: Sequence[Tensor], tests: TestSets) -> list[Json]:
    stream = tests.stream
    labels = torch.cat([tests.labels(task) for task in range(len(predictions))])
    predicted = torch.cat(list(predictions))
    found = []
    for column, label in enumerate(stream.class_order):
        here = labels == column
        if bool(here.any()):
            accuracy = float((predicted[here] == column).double().mean())
            found.append({"label": label, "accuracy": accuracy, "test": int(here.sum())})
    return found


def random_accuracies(method: Method, tests: TestSets, fabric: Fabric) -> list[float]:
    """Accuracy of a network that has learned nothing, on each task: forward transfer's baseline."""
    network = method.setting.build_network(tests.stream.num_classes).to(fabric.device).eval()
    return [
        float((tests.predicted(network, k, fabric) == tests.labels(k)).double().mean())
        for k in range(len(tests.sizes))
    ]
