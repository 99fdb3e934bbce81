"""What didact's training loop costs over a loop written by hand in plain PyTorch.

A 64-128-10 MLP, batch 64, SGD with momentum, one thread, cross-entropy. Both loops run in this
process, in turns; the numbers are medians of CPU time per step. The hand-written loop slices its
batches from one shuffled tensor, as didact does. It comes in two forms: with PyTorch's default SGD,
and with ``fused=True``, which is what didact uses.

    python benchmarks/step_overhead.py [--rounds 15] [--epochs 4]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from didact.data import Batches, Split
from didact.train.distilling.fit import DistillContext, ModelSpec, fit
from didact.train.distilling.forward import student_forward
from didact.train.distilling.objective import label_objective
from didact.train.distilling.settings import DistillSettings
from didact.train.loop.fabric import make_fabric
from didact.train.loop.schedule import build_optimizer
from didact.train.record.checkpoint import Checkpoints
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import RunFolder

SAMPLES, BATCH, LEARNING_RATE = 64 * 100, 64, 0.05


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def plain(images: torch.Tensor, labels: torch.Tensor, epochs: int, *, fused: bool) -> None:
    network = model()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4, fused=fused
    )
    for _ in range(epochs):
        order = torch.randperm(len(labels))
        shuffled_images, shuffled_labels = images[order], labels[order]
        for start in range(0, len(labels), BATCH):
            logits = network(shuffled_images[start : start + BATCH])
            loss = F.cross_entropy(logits, shuffled_labels[start : start + BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def didact_loop(split: Split, epochs: int, context: DistillContext, seed: int) -> None:
    network = model()
    settings = context.settings
    spec = ModelSpec(
        arm="alone",
        seed=seed,
        epochs=epochs,
        learning_rate=LEARNING_RATE,
        model=network,
        optimizer=build_optimizer(
            settings.optimizer,
            network.parameters(),
            learning_rate=LEARNING_RATE,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        ),
        batches=Batches(split, batch_size=BATCH, seed=0, shuffle=True, mean=(0.5,), std=(0.5,)),
        forward_fn=student_forward,
        objective=label_objective,
        validate=lambda _: (0.0, 0.0),
    )
    fit(spec, context)


def cpu_seconds(run: Callable[[], None]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    raw = torch.randint(0, 256, (SAMPLES, 1, 8, 8), dtype=torch.uint8)
    labels = torch.randint(0, 10, (SAMPLES,))
    split, images = Split(raw, labels), (raw.float() / 255 - 0.5) / 0.5
    steps = options.epochs * (SAMPLES // BATCH)
    with tempfile.TemporaryDirectory() as place:
        settings = DistillSettings.build(epochs=options.epochs, checkpoint_seconds=1e9)
        folder = RunFolder.create(Path(place) / "run", settings.to_toml())
        checkpoints = Checkpoints(folder.path / "checkpoint", settings.to_toml())
        fabric = make_fabric(accelerator="cpu", devices=1, precision=settings.precision)
        log = Log(None, total=1)
        context = DistillContext(
            "didact distill", fabric, settings, folder, log, Stopper(), checkpoints
        )
        loops: dict[str, Callable[[], None]] = {
            "plain PyTorch": lambda: plain(images, labels, options.epochs, fused=False),
            "plain PyTorch, fused SGD": lambda: plain(images, labels, options.epochs, fused=True),
            "didact": lambda: didact_loop(split, options.epochs, context, seed=0),
        }
        times: dict[str, list[float]] = {name: [] for name in loops}
        for number in range(options.rounds + 1):
            for name, loop in loops.items():
                seconds = cpu_seconds(loop)
                if number > 0:  # the first round warms up
                    times[name].append(1e6 * seconds / steps)
    base = statistics.median(times["plain PyTorch"])
    print(f"{'loop':28}{'us/step':>9}{'x plain':>9}   quartiles of the ratio per round")
    for name, values in times.items():
        ratios = [v / p for v, p in zip(values, times["plain PyTorch"], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        median = statistics.median(values)
        print(f"{name:28}{median:9.0f}{median / base:9.2f}   {low:.2f} - {high:.2f}")


if __name__ == "__main__":
    main()
