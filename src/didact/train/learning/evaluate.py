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

    def predicted(self, predict: Predict, task: int, fabric: Fabric) -> Tensor:
        """The column that is predicted for each test image of a task."""
        return self.answers(predict, task, fabric)[0]

    @torch.no_grad()
    def answers(self, predict: Predict, task: int, fabric: Fabric) -> tuple[Tensor, Tensor]:
        """The column that is predicted for each test image of a task, and that of the task's own.

        The two are the same where the scenario tells the task, and in the domain scenario.
        """
        own = self.stream.columns_of(task)
        among_all, among_own = [], []
        for batch in self._batches[task].epoch(0):
            with fabric.autocast():
                scores = predict(batch.images).float()
            among_all.append(scores.argmax(-1).cpu())
            among_own.append(own[scores[:, own.to(scores.device)].argmax(-1).cpu()])
        told = torch.cat(among_own)
        return (told if self.stream.scenario == "task" else torch.cat(among_all)), told


def measure(method: Method, tests: TestSets, after: int, fabric: Fabric) -> Json:
    """What is known after task ``after`` (from 0).

    ``accuracy`` has one number for each task: those not yet seen are measured in the domain
    scenario alone and are None otherwise. ``task_aware`` is that of the same scores where the task
    is told, in the class scenario.
    """
    was_training = method.training
    method.eval()
    stream = tests.stream
    measured = len(stream) if stream.scenario == "domain" else stream.measured_after(after)
    answers = [tests.answers(method.predict, k, fabric) for k in range(measured)]
    predictions = [predicted for predicted, _ in answers]
    told = [known for _, known in answers] if stream.scenario == "class" else None
    found: Json = {
        "accuracy": _accuracies(predictions, tests),
        "task_aware": None if told is None else _accuracies(told, tests),
        "confusion": _confusion(predictions[: stream.measured_after(after)], stream),
    }
    found["others"] = {
        name: _accuracies([tests.predicted(way, k, fabric) for k in range(measured)], tests)
        for name, way in method.other_predictors().items()
    }
    if after == len(stream) - 1:
        found["per_class"] = _per_class(predictions, tests)
        found["class_confusion"] = _class_confusion(predictions, tests)
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
    groups = [stream.columns_of(number) for number in range(len(stream.tests))]
    for number, columns in reversed(list(enumerate(groups))):
        owner[columns] = number
    if stream.past and len(stream.tests) > len(stream.trains) - len(stream.past):
        owner[[column for columns in stream.past for column in columns]] = 0
    count = len(groups)
    return [
        torch.bincount(owner[found][owner[found] >= 0], minlength=count).tolist()
        for found in predictions
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


def _class_confusion(predictions: Sequence[Tensor], tests: TestSets) -> list[list[int]]:
    """Label, label that it was taken for, and of how many test images; none where it is 0."""
    order = torch.tensor(tests.stream.class_order)
    truth = torch.cat([tests.labels(task) for task in range(len(predictions))])
    pairs = torch.stack([order[truth], order[torch.cat(list(predictions))]], dim=1)
    found, counts = torch.unique(pairs, dim=0, return_counts=True)
    return torch.cat([found, counts.unsqueeze(1)], dim=1).tolist()


def random_accuracies(method: Method, tests: TestSets, fabric: Fabric) -> list[float]:
    """Accuracy of a network that has learned nothing, on each task: forward transfer's baseline."""
    network = method.setting.build_network(tests.stream.num_classes).to(fabric.device).eval()
    return [
        float((tests.predicted(network, k, fabric) == tests.labels(k)).double().mean())
        for k in range(len(tests.sizes))
    ]
