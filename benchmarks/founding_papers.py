"""What the founding papers of distillation report of MNIST, measured again with didact.

    python benchmarks/founding_papers.py --data-dir DIR --runs runs/papers [--seeds 3]
    python benchmarks/founding_papers.py --data-dir DIR --runs runs/papers --table

Hinton, Vinyals, Dean 2015 (arXiv:1503.02531): a regularised teacher, a smaller network alone and
distilled, and one that is distilled without ever seeing a 3. Frosst, Hinton 2017
(arXiv:1711.09784): a soft decision tree alone and distilled. Each step is a run folder; what is
complete is left as it is, what was interrupted goes on. ``mnist`` must lie in DIR as its four IDX
files. Nothing is chosen on the test split: settings are fixed here, the epoch is the last, and the
raise of the bias is chosen on the validation split.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from scipy.stats import t
from torch import Tensor, nn

from didact.data import Data, Split, load
from didact.train import distill

Json = dict[str, Any]

LEFT_OUT = 3
RAISES = torch.arange(0, 15.25, 0.25)
PAPERS_RAISE = 3.5
COMMON = "--data mnist --validation 0.02 --threads 1 --no-onnx --batch-size 128"
ADAM = "--optimizer adamw --learning-rate 0.001 --weight-decay 0"
STUDENT = "--temperature 20 --kd-weight 0.9 --epochs 15"
STEPS = {
    "teacher": (
        f"{COMMON} {ADAM} --arms alone --student mlp-dropout-1200-1200 --augment crop2 "
        "--epochs 25 --seeds 1"
    ),
    "small": (
        f"{COMMON} {ADAM} {STUDENT} --teacher {{runs}}/teacher --student mlp-800-800 "
        "--seeds {seeds}"
    ),
    "tree": (
        f"{COMMON} --optimizer adamw --learning-rate 0.003 --weight-decay 0 --epochs 20 "
        "--teacher {runs}/teacher --student soft-tree-8 --temperature 1 --kd-weight 0.5 "
        "--seeds {seeds}"
    ),
}


def main() -> None:
    """Run what is not complete, or print the table of what is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=15, help="of the student without a class")
    parser.add_argument("--only", choices=[*STEPS, "without"], action="append")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not given.table:
        given.runs.mkdir(parents=True, exist_ok=True)
        for name in given.only or (*STEPS, "without"):
            if name == "without":
                distil_without(given.runs, given.data_dir, given.seeds, given.epochs)
            else:
                run_command(name, given.runs, given.data_dir, given.seeds)
    print(table(given.runs))


def run_command(name: str, runs: Path, data_dir: Path, seeds: int) -> None:
    """``didact distill`` as a user types it."""
    folder = runs / name
    if (folder / "result.json").is_file():
        return
    arguments = shlex.split(STEPS[name].format(runs=runs, seeds=seeds))
    arguments += ["--data-dir", str(data_dir), "--output", str(folder)]
    if folder.exists():
        arguments = ["--resume", str(folder)]
    print("didact distill", shlex.join(arguments), flush=True)
    subprocess.run([sys.executable, "-m", "didact", "distill", *arguments], check=True)


def distil_without(runs: Path, data_dir: Path, seeds: int, epochs: int) -> None:
    """A student whose transfer set has no 3: from soft targets alone, and its bias raised."""
    for seed in range(seeds):
        written = runs / f"without-{seed}.json"
        if written.is_file():
            continue
        whole = load("mnist", data_dir=data_dir, validation=0.02, seed=seed)
        seen = (whole.train.labels != LEFT_OUT).nonzero().flatten()
        result = distill(
            data=replace(whole, train=whole.train.subset(seen), labelled=whole.labelled[seen]),
            teacher=str(runs / "teacher"),
            student="mlp-800-800",
            arms=("distilled",),
            temperature=20,
            kd_weight=1.0,
            optimizer="adamw",
            learning_rate=0.001,
            weight_decay=0,
            batch_size=128,
            epochs=epochs,
            seeds=(seed,),
            threads=1,
            onnx=False,
            output=runs / f"without-{seed}",
            overwrite=True,
        )
        written.write_text(json.dumps(errors_without(result.student, whole), indent=1))


def errors_without(student: nn.Module, data: Data) -> Json:
    """Errors on the test images as the student is, and with the missing class's bias raised."""
    held_out, held_labels = logits_of(student, data, data.validation)
    logits, labels = logits_of(student, data, data.test)
    on_validation = [errors(held_out, held_labels, float(by))["all"] for by in RAISES]
    chosen = float(RAISES[min(range(len(RAISES)), key=on_validation.__getitem__)])
    return {
        "as it is": errors(logits, labels, 0.0),
        "bias raised": errors(logits, labels, chosen) | {"by": chosen},
        "bias raised as in the paper": errors(logits, labels, PAPERS_RAISE) | {"by": PAPERS_RAISE},
    }


def logits_of(student: nn.Module, data: Data, split: Any) -> tuple[Tensor, Tensor]:
    """The logits of a split, whose images come normalised as in training."""
    assert isinstance(split, Split)
    with torch.no_grad():
        return student((split.images.float() / 255 - data.mean[0]) / data.std[0]), split.labels


def errors(logits: Tensor, labels: Tensor, raised: float) -> Json:
    """How many images are wrong with the missing class's logit raised, and how many 3s."""
    moved = logits.clone()
    moved[:, LEFT_OUT] += raised
    wrong = moved.argmax(1) != labels
    return {"all": int(wrong.sum()), "threes": int((wrong & (labels == LEFT_OUT)).sum())}


def table(runs: Path) -> str:
    """The lines of the table that can be said so far."""
    lines = ["| | paper | errors of 10,000 | accuracy, % | seeds |", "|---|---|---|---|---|"]
    for name, arm, what, paper in (
        ("teacher", "alone", "teacher, 2 x 1200, dropout, jitter", "67"),
        ("small", "alone", "2 x 800 alone", "146"),
        ("small", "distilled", "2 x 800 distilled, T = 20", "74"),
        ("tree", "alone", "soft tree of depth 8 alone", "555 (94.45 %)"),
        ("tree", "distilled", "soft tree of depth 8 distilled", "324 (96.76 %)"),
    ):
        file = runs / name / "result.json"
        if file.is_file():
            found = json.loads(file.read_text())["arms"][arm]["test_accuracy"]
            wrong = [round(10_000 * (1 - accuracy)) for accuracy in found]
            accuracies = [100 * accuracy for accuracy in found]
            lines.append(
                f"| {what} | {paper} | {interval(wrong, 0)} | {interval(accuracies, 2)} |"
                f" {len(found)} |"
            )
    parts = [json.loads(file.read_text()) for file in sorted(runs.glob("without-*.json"))]
    for key, paper in (
        ("as it is", "206, of them 133 threes"),
        ("bias raised", "109, of them 14 threes"),
        ("bias raised as in the paper", "109, of them 14 threes"),
    ):
        if parts:
            everything, threes = ([part[key][of] for part in parts] for of in ("all", "threes"))
            by = [part[key].get("by", 0) for part in parts]
            lines.append(
                f"| no 3 in the transfer set, {key} (by {interval(by, 2)}) | {paper} | "
                f"{interval(everything, 0)}, of them {interval(threes, 0)} threes | |"
                f" {len(parts)} |"
            )
    return "\n".join(lines)


def interval(values: list[float], digits: int) -> str:
    """Mean and half of the 95 % Student t interval."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean} ± {half:.{digits}f}"


if __name__ == "__main__":
    main()
