"""Samples per CPU-second of a training step with distillation, against the usual pipeline.

    python benchmarks/learn_step.py [--samples 2048] [--repeats 3]

The usual pipeline: one PIL image after another is cropped, flipped, brightened, turned into a
tensor and normalised in a DataLoader; the networks run in float32, channels first. Ours is
``didact.train.learn`` with ``--precision bf16-mixed --channels-last``: uint8 tensors in memory,
whole batches varied at once. Both train LwF's second task on random images, one thread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from didact.data import Data, Split
from didact.nn import build_model
from didact.train import learn

BATCH, CLASSES, TEMPERATURE = 128, 10, 2.0
CASES = {"cnn, 28x28": ("cnn", (1, 28, 28)), "resnet32, 32x32": ("resnet32", (3, 32, 32))}


class Pictures(Dataset[tuple[Tensor, int]]):
    """PIL images, varied one by one."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.arrays = images.permute(0, 2, 3, 1).numpy()
        self.labels = labels.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        array = self.arrays[index]
        image = Image.fromarray(array if array.shape[2] == 3 else array[:, :, 0])
        width, height = image.size
        image = ImageOps.expand(image, 4)
        left, top = np.random.randint(0, 9, 2)  # noqa: NPY002 - as those pipelines do
        image = image.crop((left, top, left + width, top + height))
        if np.random.random() < 0.5:  # noqa: NPY002
            image = ImageOps.mirror(image)
        image = ImageEnhance.Brightness(image).enhance(float(np.random.uniform(0.75, 1.25)))  # noqa: NPY002
        pixels = np.array(image, copy=True).reshape(height, width, -1)
        tensor = torch.from_numpy(pixels).permute(2, 0, 1).float().div(255)
        return tensor.sub_(0.5).div_(0.25), self.labels[index]


def usual(name: str, shape: tuple[int, int, int], images: Tensor, labels: Tensor) -> float:
    """CPU-seconds of one epoch of the usual pipeline."""
    student = build_model(name, image_shape=shape, num_classes=CLASSES)
    teacher = build_model(name, image_shape=shape, num_classes=CLASSES // 2).eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
    loader = DataLoader(Pictures(images, labels), batch_size=BATCH, shuffle=True)
    began = time.process_time()
    for inputs, target in loader:
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
    """CPU-seconds of one epoch of the second task in ``learn``: two runs' difference."""
    few = Split(images[:CLASSES], torch.arange(CLASSES))
    first = torch.arange(CLASSES // 2).repeat(8)  # a first task of 40 images

    def run(epochs: int) -> float:
        data = Data(
            name="random",
            train=Split(torch.cat([images[: len(first)], images]), torch.cat([first, labels])),
            validation=few,
            test=few,
            class_names=tuple("abcdefghij"),
            mean=(0.5,) * shape[0],
            std=(0.25,) * shape[0],
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

    return run(2) - run(1)


def network(name: str, shape: tuple[int, int, int]) -> object:
    def build(data: Data, classes: int) -> nn.Module:  # noqa: ARG001
        return build_model(name, image_shape=shape, num_classes=classes)

    return build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| network | usual, samples/s | didact, samples/s | |")
    print("|---|---|---|---|")
    for title, (name, shape) in CASES.items():
        images = torch.randint(0, 256, (given.samples, *shape), dtype=torch.uint8)
        labels = torch.randint(CLASSES // 2, CLASSES, (given.samples,))
        seconds: dict[str, list[float]] = {"usual": [], "ours": []}
        for _ in range(given.repeats):
            seconds["usual"].append(usual(name, shape, images, labels))
            seconds["ours"].append(ours(name, shape, images, labels))
        rates = {who: given.samples / min(values) for who, values in seconds.items()}
        ratio = rates["ours"] / rates["usual"]
        print(f"| {title} | {rates['usual']:,.0f} | {rates['ours']:,.0f} | {ratio:.2f} × |")


if __name__ == "__main__":
    main()
