"""Every loss on features, relations or yesterday's model against its eager writing.

Forward plus backward on one CPU thread. The two writings of a loss stand in ``benchmarks/eager``;
before anything is timed they must agree in value and in every gradient. They take turns in one
process; a ratio is that of two neighbouring turns' CPU times, and the table has the median and
the quartiles of the ratios. Milliseconds are of one machine, ratios of one kind of processor.

    python benchmarks/feature_losses.py                 prints the table
    python benchmarks/feature_losses.py --write         writes docs/benchmarks-feature-losses.md
    python benchmarks/feature_losses.py pkt rkd         some losses only
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from _memory import settle_heap
from didact.losses import CARDS
from eager import CASES, Case
from losses import conditions, eager_writings

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-feature-losses.md"
ROUNDS, SECONDS = 31, 3.0
"""Turns for each case, and about how long they may take; at least 5 turns are made."""
Step = Callable[[], object]
REMARKS = (
    "The library's call checks its inputs, takes the gradient in closed form where that pays, and "
    "looks at the finished value, to name a teacher that is not finite; the eager writing does "
    "none of this. Where a fused loss of PyTorch is the loss (`F.mse_loss`, "
    "`F.cosine_embedding_loss`, `F.binary_cross_entropy_with_logits`), the eager writing uses it. "
    "Losses with layers are timed with their layers, which both writings share and which take "
    "most of the time: a ratio of 1 is what can be had."
)


@dataclass(frozen=True)
class Found:
    """CPU seconds of the eager writing, and the three quartiles of eager time / own time."""

    eager: float
    quartiles: tuple[float, float, float]


def training_step(loss: Callable[[], Tensor], leaves: Sequence[Tensor]) -> Step:
    return lambda: torch.autograd.grad(loss(), leaves)


def check_agreement(name: str, case: Case) -> None:
    """Value and gradients of both writings, from the same random numbers."""
    results = []
    for loss in (case.eager, case.own):
        torch.manual_seed(1)
        value = loss()
        results.append([value.detach(), *torch.autograd.grad(value, case.leaves)])
    for eager, own in zip(*results, strict=True):
        scale = float(eager.abs().max())
        torch.testing.assert_close(
            own, eager, rtol=1e-4, atol=1e-4 * scale, msg=lambda m: f"{name}: {m}"
        )


def compared(case: Case) -> Found:
    steps = [training_step(loss, case.leaves) for loss in (case.eager, case.own)]
    once = max(_seconds(step, 1) for step in steps for _ in range(2))
    repeats = max(1, int(0.004 / once))
    rounds = max(5, min(ROUNDS, int(SECONDS / (2 * repeats * once))))
    eager, ratios = [], []
    for _ in range(rounds):
        times = [_seconds(step, repeats) for step in steps]
        eager.append(times[0])
        ratios.append(times[0] / times[1])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Found(statistics.median(eager), (low, middle, high))


def _seconds(step: Step, repeats: int) -> float:
    begin = time.process_time()
    for _ in range(repeats):
        step()
    return max((time.process_time() - begin) / repeats, 1e-6)


def table(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The rows, and a line on every case in which the library's call took longer."""
    rows = ["| loss | size | eager, ms | eager / own | quartiles |", "|---|---|---|---|---|"]
    print("\n".join(rows))
    slower = []
    for name in names:
        for large in (False, True):
            torch.manual_seed(0)
            case = CASES[name](large)
            check_agreement(name, case)
            found = compared(case)
            low, middle, high = found.quartiles
            row = f"| `{name}` | {case.size} | {found.eager * 1e3:.3f} | {middle:.2f}x "
            rows.append(row + f"| {low:.2f} to {high:.2f} |")
            print(rows[-1], flush=True)
            if middle < 0.995:
                slower.append(f"- `{name}` at {case.size}: {middle:.2f}x, {_why(found, case)}")
    return rows, slower


def _why(found: Found, case: Case) -> str:
    lost = (1 / found.quartiles[1] - 1) * found.eager * 1e6
    noise = "within" if found.quartiles[2] >= 1 else "outside"
    layers = " Both go through the same layers." if len(case.leaves) > 2 else ""
    return f"{lost:.0f} us of {found.eager * 1e6:.0f}; {noise} the quartiles.{layers}"


def missing() -> list[str]:
    """Public losses that neither this benchmark nor that of the logits knows."""
    t = torch.zeros(2, 60)
    elsewhere = eager_writings(t, [t, t, t], torch.zeros(2, dtype=torch.int64))
    return sorted(set(CARDS) - set(CASES) - set(elsewhere) - {"kd"})


def page(rows: list[str], slower: list[str]) -> str:
    absent = ", ".join(f"`{name}`" for name in missing())
    return "\n\n".join(
        [
            "# Speed of the losses on features, relations and yesterday's model",
            "Written by `python benchmarks/feature_losses.py --write`.\n\n" + _introduction(),
            f"Conditions: {conditions()}",
            "\n".join(rows),
            "## Where the library's call took longer",
            "\n".join(slower) or "Nowhere.",
            "## Losses without a measurement",
            absent
            or "None: the others stand in [the page of the losses on logits]"
            "(benchmarks-losses.md).",
        ]
    )


def _introduction() -> str:
    return (__doc__ or "").split("\n\n")[1] + "\n\n" + REMARKS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="losses to time; all if none is given")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settle_heap()
    begin = time.monotonic()
    rows, slower = table(arguments.names or list(CASES))
    print("\n".join(slower))
    print(f"no eager writing: {', '.join(missing()) or 'none'}; {time.monotonic() - begin:.0f} s")
    if arguments.write:
        PAGE.write_text(page(rows, slower) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
