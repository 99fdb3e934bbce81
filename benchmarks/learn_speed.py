"""CPU-seconds of a whole class-incremental run against plain PyTorch, and against avalanche-lib.

    python benchmarks/learn_speed.py [--data-dir DIR] [--avalanche PYTHON] [--repeats 3]
        [--write] [--torchvision FOLDER]

5 tasks of 2 classes, one epoch each, batches of 128, a perceptron of 400-400, SGD 0.01 with
momentum 0.9, 2,000 exemplars, one thread. Each run is a process of its own (start-up, training,
herding and evaluation after each task count), one at a time, in turn; the table shows the median
CPU time of each and the ratio. The floor below has no DataLoader, no checkpoint and no options.
DIR holds the folder ``fashion-mnist`` with the four IDX files; without it, the images are random,
as many and as large. PYTHON belongs to an environment with avalanche-lib: ``learn_avalanche.py``
says how to make one. ``--write`` writes docs/benchmarks-learn.md, with ``learn_augment.py`` and
``learn_step.py``, for which FOLDER has torchvision, as ``learn_pictures.py`` says.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = "fashion-mnist"
BATCH, RATE, MOMENTUM, MEMORY, TEMPERATURE = 128, 0.01, 0.9, 2000, 2.0

HERDINGS = 7
"""How often herding is timed: it reads 12 MB for each pick, which is as fast as the memory is."""


def floor(kind: str, folder: Path) -> float:
    """Plain PyTorch: the last accuracy of ``"lwf"`` or ``"icarl"``."""
    import copy

    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(0)

    def read(part: str) -> tuple[torch.Tensor, torch.Tensor]:
        images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
        labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
        x = torch.from_numpy(np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784).copy())
        return x, torch.from_numpy(np.frombuffer(labels, np.uint8, offset=8).astype(np.int64))

    (x, y), (test_x, test_y) = read("train"), read("t10k")
    mean, std = (x.float() / 255).mean(), (x.float() / 255).std()
    x, test_x = (x.float() / 255 - mean) / std, (test_x.float() / 255 - mean) / std
    body = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU())
    head, old, exemplars, means = nn.Linear(400, 2), None, [], None
    for task in range(5):
        known, seen = 2 * task, 2 * task + 2
        new = (y // 2 == task).nonzero().flatten()
        images, labels = x[new], y[new]
        if exemplars:
            images = torch.cat([images, *[x[e] for e in exemplars]])
            labels = torch.cat([labels, *[y[e] for e in exemplars]])
        if task:
            wider = nn.Linear(400, seen)
            with torch.no_grad():
                wider.weight[:known], wider.bias[:known] = head.weight, head.bias
            head = wider
        parameters = [*body.parameters(), *head.parameters()]
        optimizer = torch.optim.SGD(parameters, lr=RATE, momentum=MOMENTUM, fused=True)
        order = torch.randperm(len(images))
        for part in order.split(BATCH):
            inputs, target = images[part], labels[part]
            logits = head(body(inputs))
            if old is not None:
                with torch.no_grad():
                    teacher = old(inputs)
            if kind == "lwf":
                loss = F.cross_entropy(logits[:, known:], target - known)
                if old is not None:
                    loss = loss + TEMPERATURE**2 * F.kl_div(
                        (logits[:, :known] / TEMPERATURE).log_softmax(-1),
                        (teacher / TEMPERATURE).softmax(-1),
                        reduction="batchmean",
                    )
            else:
                wanted = F.one_hot(target, seen).float()
                if old is not None:
                    wanted[:, :known] = teacher.sigmoid()
                loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
                loss = loss.sum(-1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        old = copy.deepcopy(nn.Sequential(body, head)).eval().requires_grad_(False)
        with torch.no_grad():
            if kind == "icarl":
                share = MEMORY // seen
                exemplars = [e[:share] for e in exemplars]
                for label in range(known, seen):
                    where = (y == label).nonzero().flatten()
                    f = F.normalize(body(x[where]), dim=-1)
                    centre, total = f.mean(0), torch.zeros(400)
                    free, picks = f.clone(), []
                    for k in range(1, share + 1):
                        score = free @ (k * centre - total)
                        picks.append(int(score.argmax()))
                        total = total + f[picks[-1]]
                        free[picks[-1]] = -1e9 * centre
                    exemplars.append(where[torch.tensor(picks)])
                centres = [F.normalize(body(x[e]), dim=-1).mean(0) for e in exemplars]
                means = F.normalize(torch.stack(centres), dim=-1)
            right = 0
            here = test_y < seen
            for part in here.nonzero().flatten().split(512):
                f = body(test_x[part])
                near = means is not None
                scores = -torch.cdist(F.normalize(f, dim=-1), means) if near else head(f)
                right += int((scores.argmax(-1) == test_y[part]).sum())
    return right / len(test_y)


def ours(kind: str, data_dir: Path) -> float:
    """The same with didact, from Python."""
    from didact.recipes import learn_mnist
    from didact.train import learn_from

    settings = learn_mnist().changed(
        data=DATA, data_dir=data_dir, method=(kind,), threads=1, accelerator="cpu", onnx=False
    )
    with tempfile.TemporaryDirectory() as folder:
        result = learn_from(settings, Path(folder) / "run")
    return float(result.summary["methods"][kind]["numbers"]["last"][0])


def measured(command: list[str]) -> tuple[float, str]:
    """CPU-seconds of a process of its own, and the last line that it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ...: {done.stderr[-2000:]}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout.strip().splitlines()[-1]


def herding_seconds() -> list[float]:
    """CPU-seconds for 2,000 exemplars out of 12,000 samples, 2 classes, 512 features; sorted."""
    import torch

    from didact.data import herding

    torch.set_num_threads(1)
    features = torch.randn(2, 6000, 512, generator=torch.Generator().manual_seed(0)).relu()
    found = []
    for _ in range(HERDINGS):
        began = time.process_time()
        for of_class in features:
            herding(of_class, 1000)
        found.append(time.process_time() - began)
    return sorted(found)


def random_images(folder: Path) -> None:
    """Four IDX files as those of Fashion-MNIST, with random pixels."""
    import numpy as np

    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        pixels = draw.integers(0, 256, (count, 28, 28), np.uint8).tobytes()
        labels = draw.permutation(np.arange(count, dtype=np.uint8) % 10).tobytes()
        sizes = (
            ("images-idx3", (2051, count, 28, 28), pixels),
            ("labels-idx1", (2049, count), labels),
        )
        for name, header, body in sizes:
            content = np.array(header, ">i4").tobytes() + body
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(content, 1))


def table(data_dir: Path, avalanche: str | None, repeats: int) -> list[str]:
    """Every run, in turn."""
    commands = {
        (kind, who): [sys.executable, __file__, "--data-dir", str(data_dir), "--worker", who, kind]
        for kind in ("lwf", "icarl")
        for who in ("floor", "didact")
    }
    if avalanche is not None:
        script = str(Path(__file__).with_name("learn_avalanche.py"))
        for kind in ("lwf", "icarl"):
            commands[kind, "avalanche"] = [avalanche, script, kind, str(data_dir / DATA)]
    found: dict[tuple[str, str], list[float]] = {key: [] for key in commands}
    last: dict[tuple[str, str], str] = {}
    for _ in range(repeats):
        for key, command in commands.items():
            seconds, last[key] = measured(command)
            found[key].append(seconds)
    lines = [
        "| method | who | CPU-s, median (all) | of the floor | of didact | last accuracy |",
        "|---|---|---|---|---|---|",
    ]
    median = {key: statistics.median(values) for key, values in found.items()}
    for (kind, who), values in sorted(found.items(), key=lambda item: item[0][0], reverse=True):
        middle, spread = median[kind, who], ", ".join(f"{value:.1f}" for value in values)
        lines.append(
            f"| {kind} | {who} | {middle:.2f} ({spread}) | {middle / median[kind, 'floor']:.2f} "
            f"| {middle / median[kind, 'didact']:.2f} | {float(last[kind, who]):.3f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--avalanche", metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--torchvision", type=Path, metavar="FOLDER")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        who, kind = given.worker
        floor_run = who == "floor"
        print(floor(kind, given.data_dir / DATA) if floor_run else ours(kind, given.data_dir))
        return
    with tempfile.TemporaryDirectory() as made:
        if given.data_dir is None:
            random_images(Path(made) / DATA)
        lines = table(given.data_dir or Path(made), given.avalanche, given.repeats)
    times = herding_seconds()
    herded = (
        f"{statistics.median(times):.2f} CPU-s (of {len(times)}: {times[0]:.2f} to {times[-1]:.2f})"
    )
    print(*lines, "", f"herding, 2,000 of 12,000: {herded}", sep="\n")
    if given.write:
        from learn_page import write

        write(lines, herded, real=given.data_dir is not None, torchvision=given.torchvision)


if __name__ == "__main__":
    main()
