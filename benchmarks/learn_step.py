"""Samples per CPU-second of a training step with distillation, against the usual pipeline.

    python benchmarks/learn_step.py [--samples 2048] [--repeats 7] [--torchvision FOLDER]

The usual pipeline, in the style of PyCIL: one PIL image after another (``learn_pictures.py``), by
torchvision's transforms as in PyCIL and by hand, a DataLoader, networks of PyTorch's layers in
float32 and channels first, the old model as it is, without a graph. Ours
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
from learn_pictures import MEAN, STD, Shape, Vary, loader, pipelines

BATCH, CLASSES, TEMPERATURE = 128, 10, 2.0
CASES = {
    "cnn-16, 28x28": ("cnn-16", (1, 28, 28)),
    "cnn, 28x28": ("cnn", (1, 28, 28)),
    "resnet32, 32x32": ("resnet32", (3, 32, 32)),
}


def usual(name: str, shape: Shape, images: Tensor, labels: Tensor, vary: Vary) -> float:
    """CPU-seconds of one epoch of the usual pipeline."""
    student = _of_pytorch(build_model(name, image_shape=shape, num_classes=CLASSES))
    teacher = _of_pytorch(build_model(name, image_shape=shape, num_classes=CLASSES // 2)).eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
    began = time.process_time()
    for inputs, target in loader(images, labels, BATCH, vary):
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


def _of_pytorch(network: nn.Module) -> nn.Module:
    """The same network of PyTorch's layers alone."""
    for path, module in list(network.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            network.set_submodule(path, nn.MaxPool2d(2))
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            network.set_submodule(path, nn.AdaptiveAvgPool2d(1))
    return network


def ours(name: str, shape: Shape, images: Tensor, labels: Tensor) -> float:
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
                onnx=False,
                accelerator="cpu",
                threads=1,
                output=Path(folder) / "run",
            )
        return time.process_time() - began

    return (run(3) - run(1)) / 2


def network(name: str, shape: Shape) -> object:
    def build(data: Data, classes: int) -> nn.Module:  # noqa: ARG001
        return build_model(name, image_shape=shape, num_classes=classes)

    return build


def rows(samples: int, repeats: int, torchvision: Path | None) -> list[str]:
    """The table."""
    lines = [
        "| network | torchvision, samples/s | PIL by hand, samples/s | didact, samples/s "
        "| of torchvision | of PIL |",
        "|---|---|---|---|---|---|",
    ]
    for title, (name, shape) in CASES.items():
        images = torch.randint(0, 256, (samples, *shape), dtype=torch.uint8)
        labels = torch.randint(CLASSES // 2, CLASSES, (samples,))
        ways = pipelines(shape, torchvision)
        seconds: dict[str, list[float]] = {way: [] for way in (*ways, "ours")}
        for _ in range(repeats):
            for way, vary in ways.items():
                seconds[way].append(usual(name, shape, images, labels, vary))
            seconds["ours"].append(ours(name, shape, images, labels))
        rates = {way: samples / statistics.median(values) for way, values in seconds.items()}
        peers = [rates.get(way) for way in ("torchvision", "pil")]
        speeds = [f"{rate:,.0f}" if rate else "-" for rate in (*peers, rates["ours"])]
        ratios = [f"{rates['ours'] / rate:.2f} ×" if rate else "-" for rate in peers]
        lines.append("| " + " | ".join([title, *speeds, *ratios]) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--torchvision", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(*rows(given.samples, given.repeats, given.torchvision), sep="\n")


if __name__ == "__main__":
    main()
