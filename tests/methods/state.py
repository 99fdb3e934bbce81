"""A tiny float64 network, a small stream and a plain loop: the states that formulas are read on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from didact.data import AnySplit, Batch, Memory, Split, Task, joined
from didact.methods import METHODS, Method, Moment, Setting, Stage, build_options
from didact.nn import ImageClassifier, build_model

MEAN, STD = 0.4, 0.25
VIT = "vit-2-16-2"
Watch = Callable[[Method, Batch], None]


class TinyNetwork(ImageClassifier):
    """Two stages with batch norm; computes in the precision of its weights, float64 at first."""

    feature_paths = ("stem", "last", "embedding")

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU())
        self.embedding = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.classifier = nn.Linear(16, classes)
        self.double()

    def stages(self, images: Tensor) -> Tensor:
        found: Tensor = self.last(self.stem(images.to(self.stem[0].weight.dtype)))
        return found


class InItsPrecision(nn.Conv2d):
    """Images come as floats; a network in float64 computes in its own precision."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.to(self.weight.dtype))


def tiny_transformer(classes: int, side: int = 6) -> nn.Module:
    """Nine patches and two blocks, in float64."""
    network: Any = build_model(VIT, image_shape=(1, side, side), num_classes=classes)
    network.patch_embed.proj = InItsPrecision(1, 16, 2, stride=2)
    return cast("nn.Module", network.double())


@contextmanager
def one_thread() -> Iterator[None]:
    """The tensors are so small that several threads would wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def normalised(images: Tensor) -> Tensor:
    """Images as a network gets them."""
    return (images.float() - MEAN) / STD


def tasks_of(splits: Sequence[Split], *, with_earlier: bool = False) -> list[Task]:
    """A stream whose labels are columns already: each task's classes after those before."""
    tasks: list[Task] = []
    known = 0
    for index, split in enumerate(splits):
        seen = int(split.labels.max()) + 1
        train = joined(*splits[: index + 1]) if with_earlier else split
        columns = tuple(range(0 if with_earlier else known, seen))
        tasks.append(Task(index, columns, columns, known, seen, train))
        known = seen
    return tasks


def stripes(sizes: Sequence[int], each: int, seed: int = 0) -> list[Split]:
    """``each`` noisy images of every class; class ``k`` has a bright column and a bright row."""
    generator = torch.Generator().manual_seed(seed)
    splits, first = [], 0
    for size in sizes:
        labels = torch.arange(first, first + size).repeat(each)
        images = torch.rand(len(labels), 1, 6, 6, generator=generator)
        for image, label in zip(images, labels.tolist(), strict=True):
            image[0, :, label % 6] += 0.5
            image[0, (label * 2) // 3 % 6] += 0.3
        splits.append(Split(images, labels))
        first += size
    return splits


def build(
    name: str, options: dict[str, Any], *, memory: Memory | None = None, **setting: Any
) -> Method:
    """A method before its first task."""
    entry = METHODS[name]
    torch.manual_seed(11)
    given = {"seed": 5, "epochs": 2, "batch_size": 16, "mean": (MEAN,), "std": (STD,), **setting}
    if entry.method.needs_tokens or name == "aper":
        given.setdefault("build_network", tiny_transformer)
    if memory is None:
        memory = Memory(entry.method.exemplars or "herding", per_class=0)
    build_network = given.pop("build_network", TinyNetwork)
    return entry.method(
        build_options(entry, options), Setting(build_network=build_network, **given), memory
    )


def batch_of(split: AnySplit, indices: Tensor) -> Batch:
    """The images at some places of a split, normalised."""
    return Batch(normalised(split.take(indices)), split.labels[indices], indices)


def scores(method: Method, images: Tensor) -> Tensor:
    """What a method answers to normalised images, in float32 as the statistics are kept."""
    with torch.no_grad():
        return copy.deepcopy(method).eval().float().predict(images).double()


@dataclass
class Loop:
    """Trains a method with plain SGD, calling its hooks in their order.

    Attributes:
        method: What is trained.
        rate: The learning rate.
        size: Of a batch.
        before_step: Called with the method and the batch before each step.
        after_step: Likewise after it, before the method's own hook.
    """

    method: Method
    rate: float = 0.05
    size: int = 16
    before_step: Watch | None = None
    after_step: Watch | None = None
    before: list[Method] = field(default_factory=list)
    """A copy of the method as it was after each task, in eval mode."""

    def learn(self, task: Task) -> None:
        """A whole task."""
        for stage in self.begin(task):
            self.train(stage)
            self.method.after_stage(self.method.stage)
        self.end(task)

    def begin(self, task: Task) -> Sequence[Stage]:
        """Up to the stages of a task."""
        method = self.method
        torch.manual_seed(100 + task.index)
        method.task = task
        method.grow(task)
        method.double()
        method.begin_task(task)
        return method.stages(task)

    def end(self, task: Task) -> None:
        """After the last stage."""
        self.method.after_task(task)
        self.before.append(copy.deepcopy(self.method).eval())

    def enter(self, stage: Stage) -> Stage:
        """The stage under way, before its first step."""
        method = self.method
        method.stage = stage = method.begin_stage(stage)
        method.train(not stage.evaluation_mode)
        method.moment = Moment(method.task.index, stage.name, 0, 0)
        return stage

    def train(self, stage: Stage, steps: int | None = None) -> None:
        """One stage, or its first steps."""
        method, stage = self.method, self.enter(stage)
        given = method.parameters() if stage.parameters is None else stage.parameters()
        chosen: list[Any] = list(given)
        rate = self.rate * stage.rate
        parameters: list[Any] = [p for p in chosen if isinstance(p, Tensor) and p.requires_grad]
        groups: list[Any] = [{"params": parameters, "lr": rate}] if parameters else []
        groups += [{**p, "lr": rate * p["factor"]} for p in chosen if isinstance(p, dict)]
        optimizer = torch.optim.SGD(groups)
        generator = torch.Generator().manual_seed(method.task.index)
        done = 0
        for epoch in range(stage.epochs or method.setting.epochs):
            order = torch.randperm(len(stage.split), generator=generator)
            for step, indices in enumerate(order.split(self.size)):
                if done == steps:
                    return
                method.moment = Moment(method.task.index, stage.name, epoch, step)
                self.step(batch_of(stage.split, indices), optimizer)
                done += 1

    def step(self, batch: Batch, optimizer: torch.optim.Optimizer) -> None:
        """One step."""
        method = self.method
        if self.before_step is not None:
            self.before_step(method, batch)
        method.zero_grad()
        torch.stack([term.double() for term in method.losses(batch).values()]).sum().backward()
        method.after_backward(batch)
        optimizer.step()
        if self.after_step is not None:
            self.after_step(method, batch)
        method.after_step(batch)
