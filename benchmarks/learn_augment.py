"""Crop, flip, brightness and normalisation: whole batches of tensors against PIL images.

    python benchmarks/learn_augment.py [--samples 2048] [--rounds 7] [--torchvision FOLDER]

CPU-microseconds per sample of an epoch in batches of 128, one thread, the pipelines in this
process and in turn; medians. What ``didact learn`` does once for each task, the padded copy of the
images and its mirror image, is a column of its own: it is paid once in all the task's epochs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from didact.data import Batches, Split
from learn_pictures import MEAN, STD, Shape, loader, pipelines

BATCH = 128
SHAPES = ((1, 28, 28), (3, 32, 32))


def seconds(run: Callable[[], object]) -> float:
    """CPU-seconds of a call."""
    began = time.process_time()
    run()
    return time.process_time() - began


def walk(batches: Iterable[object]) -> None:
    """Go through all, keeping none."""
    deque(batches, maxlen=0)


def compared(shape: Shape, samples: int, rounds: int, torchvision: Path | None) -> dict[str, float]:
    """Median CPU-seconds per sample of each pipeline, and of what ours does once."""
    images = torch.randint(0, 256, (samples, *shape), dtype=torch.uint8)
    labels = torch.randint(0, 10, (samples,))
    usual = {
        name: loader(images, labels, BATCH, vary)
        for name, vary in pipelines(shape, torchvision).items()
    }

    def prepared() -> Batches:
        return Batches(
            Split(images, labels),
            batch_size=BATCH,
            shuffle=True,
            augment="crop-flip-brightness",
            mean=(MEAN,) * shape[0],
            std=(STD,) * shape[0],
        )

    batches = prepared()
    found: dict[str, list[float]] = {name: [] for name in (*usual, "tensor", "once")}
    for epoch in range(rounds + 1):
        for name, pictures in usual.items():
            found[name].append(seconds(lambda: walk(pictures)))  # noqa: B023
        found["tensor"].append(
            seconds(lambda: [walk(batches.epoch(10 * epoch + k)) for k in range(10)]) / 10  # noqa: B023
        )
        found["once"].append(seconds(prepared))
    return {name: statistics.median(times[1:]) / samples for name, times in found.items()}


def rows(samples: int, rounds: int, torchvision: Path | None) -> list[str]:
    """The table."""
    lines = [
        "| image | torchvision, µs | PIL by hand, µs | didact, µs | of torchvision | of PIL "
        "| once per task, µs |",
        "|---|---|---|---|---|---|---|",
    ]
    for shape in SHAPES:
        found = compared(shape, samples, rounds, torchvision)
        micro = {name: 1e6 * value for name, value in found.items()}
        usual = [micro.get(name) for name in ("torchvision", "pil")]
        times = [f"{value:.0f}" if value else "-" for value in usual]
        ratios = [f"{value / micro['tensor']:.0f} ×" if value else "-" for value in usual]
        row = ["×".join(map(str, shape)), *times, f"{micro['tensor']:.1f}", *ratios]
        lines.append("| " + " | ".join([*row, f"{micro['once']:.1f}"]) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--torchvision", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(*rows(given.samples, given.rounds, given.torchvision), sep="\n")


if __name__ == "__main__":
    main()
