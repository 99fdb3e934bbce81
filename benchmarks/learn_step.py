"""Samples per CPU-second of a training step with distillation, against the usual pipeline.

    python benchmarks/learn_step.py [--samples 2048] [--repeats 3]

The usual pipeline, in the style of PyCIL: one PIL image after another (``learn_pictures.py``), a
DataLoader, networks in float32 and channels first, the old model as it is, without a graph. Ours
is ``didact.train.learn`` with ``--precision bf16-mixed --channels-last``: uint8 tensors in memory,
whole batches varied at once, the old model's batch norms folded. Both train LwF's second task on
random images, in this process and in turn, one thread; medians. Ours includes all that ``learn``
does: the time is the difference between a run of three epochs and one of one epoch, halved.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.data import Data, Split
from didact.nn import build_model
from didact.train import learn
from learn_pictures import MEAN, STD, loader

BATCH, CLASSES, TEMPERATURE = 128, 10, 2.0
CASES = {
    "cnn-16, 28x28": ("cnn-16", (1, 28, 28)),
    "cnn, 28x28": ("cnn", (1, 28, 28)),
    "resnet32, 32x32": ("resnet32", (3, 32, 32)),
}


def usual(name: str, shape: tuple[int, int, int], images: Tensor, labels: Tensor) -> float:
    """CPU-seconds of one epoch of the usual pipeline."""
    student = build_model(name, image_shape=shape, num_classes=CLASSES)
    teacher = build_model(name, image_shape=shape, num_classes=CLASSES // 2).eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
    began = time.process_time()
    for inputs, target in loader(images, labels, BATCH):
        with torch.no_grad():
            old = teacher(inputs)
        logits = student(inputs)
        half = CLASSES // 2
        loss = F.cross_entropy(logits[:, half:], target - half) + TEMPERATURE**2 * F.kl_div(
            (logits[:, :half] / TEMPERATURE).log_softmax(-1),
            (old / TEMPERATURE).softmax(-1),
            reduction="batchmean",
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.process_time() - began


def ours(name: str, shape: tuple[int, int, int], images: Tensor, labels: Tensor) -> float:
    """CPU-seconds of one epoch of the second task in ``learn``: half of two runs' difference."""
    few = Split(images[:CLASSES], torch.arange(CLASSES))
    first = torch.arange(CLASSES // 2).repeat(8)  # a first task of 40 images

    def run(epochs: int) -> float:
        data = Data(
            name="random",
            train=Split(torch.cat([images[: len(first)], images]), torch.cat([first, labels])),
            validation=few,
            test=few,
            class_names=tuple("abcdefghij"),
            mean=(MEAN,) * shape[0],
            std=(STD,) * shape[0],
            labelled=torch.ones(len(first) + len(labels), dtype=torch.bool),
        )
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            learn(
                data=data,
                model=network(name, shape),
                method="lwf",
                step=5,
                epochs=epochs,
                first_epochs=1,
                augment="crop-flip-brightness",
                batch_size=BATCH,
                learning_rate=0.01,
                precision="bf16-mixed",
                channels_last=True,
                accelerator="cpu",
                threads=1,
                output=Path(folder) / "run",
            )
        return time.process_time() - began

    return (run(3) - run(1)) / 2


def network(name: str, shape: tuple[int, int, int]) -> object:
    def build(data: Data, classes: int) -> nn.Module:  # noqa: ARG001
        return build_model(name, image_shape=shape, num_classes=classes)

    return build


def rows(samples: int, repeats: int) -> list[str]:
    """The table."""
    lines = ["| network | usual, samples/s | didact, samples/s | |", "|---|---|---|---|"]
    for title, (name, shape) in CASES.items():
        images = torch.randint(0, 256, (samples, *shape), dtype=torch.uint8)
        labels = torch.randint(CLASSES // 2, CLASSES, (samples,))
        seconds: dict[str, list[float]] = {"usual": [], "ours": []}
        for _ in range(repeats):
            seconds["usual"].append(usual(name, shape, images, labels))
            seconds["ours"].append(ours(name, shape, images, labels))
        rates = {who: samples / statistics.median(values) for who, values in seconds.items()}
        ratio = rates["ours"] / rates["usual"]
        lines.append(f"| {title} | {rates['usual']:,.0f} | {rates['ours']:,.0f} | {ratio:.2f} × |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(*rows(given.samples, given.repeats), sep="\n")


if __name__ == "__main__":
    main()
