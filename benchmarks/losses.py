"""Speed and memory of the losses on logits against plain formulas: ``python benchmarks/losses.py``.

Forward plus backward on one CPU thread, variants interleaved in one process, median of the CPU
time. Milliseconds are of one machine, ratios of one kind of processor. Peak memory is the rise of
the process's high-water mark (``VmHWM``, reset before each call). The allocator is brought to the
state of a process that has trained for a while: with a fresh one the plain formula is slower. The
floor is the time to read both logits and write the gradient, 12 bytes a float32 logit, at the
measured speed of a copy. The in-place form needs logits that a layer has handed over; it is
compared with the plain formula on such logits.

    python benchmarks/losses.py                 prints the tables
    python benchmarks/losses.py --write         writes docs/benchmarks-losses.md as well
    python benchmarks/losses.py --write FILE    writes another page
    python benchmarks/losses.py --quick         small sizes only
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from _eager_losses import T, eager_ce_and_kd, eager_writings, looking, plain_kd
from _memory import copy_bandwidth, huge_pages, peak_bytes, settle_heap
from _timing import Step, interleave
from didact import losses
from didact._core.processor import processor_name

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-losses.md"
SIZES = {(128, 10): 400, (128, 100): 400, (256, 1000): 60, (1024, 32000): 7, (512, 128256): 5}
HUGE = {size: SIZES[size] for size in ((1024, 32000), (512, 128256))}
SHAPES = (
    (1, 2),
    (8, 10),
    (4096, 10),
    (32, 1000),
    (64, 5000),
    (8, 64, 1000),
    (16, 50257),
    (2, 128256),
    (4, 128, 8000),
)
KD_HEADER = (
    "| size | plain, ms | `kd` | `kd` in place | floor / `kd` | plain, B/logit | `kd`, B/logit "
    "| in place, B/logit |\n|---|---|---|---|---|---|---|---|"
)


def training_step(loss: Callable[[Tensor], Tensor], logits: Tensor, *parameters: Tensor) -> Step:
    leaf = logits.detach().requires_grad_()
    return lambda: torch.autograd.grad(loss(leaf), (leaf, *parameters))


class Handed(torch.autograd.Function):
    """Hands logits over as the output of a layer that does not keep them, as a linear layer."""

    @staticmethod
    def forward(_ctx: object, _weight: Tensor, logits: Tensor) -> Tensor:
        """The logits, unchanged."""
        return logits

    @staticmethod
    def backward(_ctx: object, *_upstream: Tensor) -> tuple[None, None]:
        """Nothing: a layer's own backward is not measured."""
        return None, None


def handed_step(loss: Callable[[Tensor], Tensor], logits: Tensor) -> Step:
    """In place, the next step works on the gradient of the last one, in the same time."""
    weight = torch.ones((), requires_grad=True)
    return lambda: loss(Handed.apply(weight, logits)).backward()


def kd_steps(logits: Tensor, teacher: Tensor) -> dict[str, Step]:
    scratch = logits.clone()
    return {
        "plain": training_step(lambda s: plain_kd(s, teacher), logits),
        "kd": training_step(lambda s: losses.kd(s, teacher, temperature=T), logits),
        "plain handed": handed_step(lambda s: plain_kd(s, teacher), logits),
        "in place": handed_step(
            lambda s: losses.kd(s, teacher, temperature=T, inplace=True), scratch
        ),
    }


def kd_table(sizes: Mapping[tuple[int, int], int]) -> list[str]:
    lines = [KD_HEADER]
    for (samples, classes), rounds in sizes.items():
        logits, teacher = torch.randn(samples, classes), torch.randn(samples, classes)
        steps = kd_steps(logits, teacher)
        found = interleave(steps, rounds)
        floor = 12 * logits.numel() / copy_bandwidth(logits)
        row = f"| {samples} x {classes} | {found['plain'] * 1e3:.3f} "
        row += f"| {found['plain'] / found['kd']:.2f}x "
        row += f"| {found['plain handed'] / found['in place']:.2f}x | {floor / found['kd']:.2f} |"
        big = logits.numel() > 1e7
        for name in ("plain", "kd", "in place"):
            share = peak_bytes(steps[name]) / logits.numel() if big else float("nan")
            row += f" {share:.2f} |" if big else " - |"
        lines.append(row)
        print(row, flush=True)
    return lines


def shapes_table() -> list[str]:
    lines = ["| shape | plain, ms | `kd` | `kd` in place |", "|---|---|---|---|"]
    for shape in SHAPES:
        found = interleave(kd_steps(torch.randn(shape), torch.randn(shape)), 60)
        ratio, inplace = found["plain"] / found["kd"], found["plain handed"] / found["in place"]
        size = " x ".join(map(str, shape))
        lines.append(f"| {size} | {found['plain'] * 1e3:.3f} | {ratio:.2f}x | {inplace:.2f}x |")
        print(lines[-1], flush=True)
    return lines


def together_steps(samples: int, classes: int) -> dict[str, Step]:
    logits = torch.randn(samples, classes)
    teachers = [torch.randn(samples, classes) for _ in range(3)]
    labels, one = torch.randint(classes, (samples,)), teachers[0]
    writings: dict[str, Callable[[Tensor], Tensor]] = {
        "eager ce": lambda s: eager_ce_and_kd(s, one, labels),
        "ce": lambda s: losses.cross_entropy_and_kd(s, one, labels),
        "kd": lambda s: losses.kd(s, one),
        "loop": lambda s: sum(plain_kd(s, t) for t in teachers) / 3,
        "sum": lambda s: losses.kd_weighted_sum(s, teachers),
        "mixture": lambda s: losses.kd_mean_probs(s, teachers),
    }
    return {name: training_step(loss, logits) for name, loss in writings.items()}


def together_table(sizes: Mapping[tuple[int, int], int]) -> list[str]:
    lines = [
        "| size | CE + KD: two eager losses / `cross_entropy_and_kd` "
        "| `cross_entropy_and_kd` time / `kd` time "
        "| three teachers: eager loop / `kd_weighted_sum` "
        "| three teachers: eager loop / `kd_mean_probs` |",
        "|---|---|---|---|---|",
    ]
    for (samples, classes), rounds in sizes.items():
        found = interleave(together_steps(samples, classes), max(3, rounds // 2))
        row = f"| {samples} x {classes} | {found['eager ce'] / found['ce']:.2f}x "
        row += f"| {found['ce'] / found['kd']:.2f} | {found['loop'] / found['sum']:.2f}x "
        row += f"| {found['loop'] / found['mixture']:.2f}x |"
        lines.append(row)
        print(row, flush=True)
    return lines


def others_table(sizes: Mapping[tuple[int, int], int]) -> list[str]:
    """Every public loss on logits or with several teachers; the names are those of the registry."""
    names = [n for n, card in losses.CARDS.items() if card.family in ("logits", "teachers")]
    return eager_table(names, sizes)


def looking_table(sizes: Mapping[tuple[int, int], int]) -> list[str]:
    """The losses of so few operations that the look for NaN is a part of their time."""
    names = ["hard_kd", "mse_logits", "forward_kl", "total_variation", "top_k_kd"]
    return eager_table(names, sizes, look=True)


def half_table(sizes: Mapping[tuple[int, int], int]) -> list[str]:
    """The losses of :func:`others_table` on logits in bfloat16, as networks under autocast give."""
    names = [n for n, card in losses.CARDS.items() if card.family in ("logits", "teachers")]
    return eager_table(names, sizes, dtype=torch.bfloat16)


def eager_table(
    names: list[str],
    sizes: Mapping[tuple[int, int], int],
    *,
    look: bool = False,
    dtype: torch.dtype = torch.float32,
) -> list[str]:
    found: dict[str, list[str]] = {name: [] for name in names}
    for (samples, classes), rounds in sizes.items():
        logits, t, *others = torch.randn(4, samples, classes).to(dtype)
        ts, labels = [t, *others], torch.randint(classes, (samples,))
        writings = eager_writings(t, ts, labels)
        in_float32 = eager_writings(t.float(), [one.float() for one in ts], labels)
        for name, ratios in found.items():
            if name not in writings:
                ratios.append("no eager writing")
                continue
            (_, own, *parameters), (eager, _, *copies) = writings[name], in_float32[name]
            eager = looking(name, eager, t) if look else eager
            if dtype != torch.float32:
                taught = ts if losses.CARDS[name].family == "teachers" else [t]
                eager = in_single_precision(eager, taught)
            steps = {
                "eager": training_step(eager, logits, *copies),
                "own": training_step(own, logits, *parameters),
            }
            times = interleave(steps, rounds)
            ratios.append(f"{times['eager'] / times['own']:.2f}x")
            print(f"{samples} x {classes} {name} {ratios[-1]}", flush=True)
    titles = " | ".join(f"{samples} x {classes}" for samples, classes in sizes)
    lines = [f"| loss | {titles} |", "|---|" + "---|" * len(sizes)]
    return lines + [f"| `{name}` | " + " | ".join(ratios) + " |" for name, ratios in found.items()]


def in_single_precision(
    eager: Callable[[Tensor], Tensor], teachers: list[Tensor]
) -> Callable[[Tensor], Tensor]:
    """The writing on float32 copies; the teachers' are made here too, which takes their time."""

    def converted(s: Tensor) -> Tensor:
        for teacher in teachers:
            teacher.float()
        return eager(s.float())

    return converted


def conditions() -> str:
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return (
        f"{processor_name()}, {os.cpu_count()} cores, 1 thread; torch "
        f"{torch.__version__}; huge pages of the kernel: `{pages.read_text().strip()}`, asked for "
        f"by THP_MEM_ALLOC_ENABLE={os.environ.get('THP_MEM_ALLOC_ENABLE', '0')}; load "
        f"{os.getloadavg()[0]:.1f} when this was written."
    )


def with_huge_pages() -> str:
    """The large sizes in a process in which PyTorch asks for huge pages, and whether it got any."""
    done = subprocess.run(
        [sys.executable, __file__, "--huge"],
        env={**os.environ, "THP_MEM_ALLOC_ENABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def print_with_huge_pages() -> None:
    block = torch.ones(1024, 32000)
    share = huge_pages() / block.nbytes
    print(f"Of a fresh tensor of 131 MB, {share:.0%} lay in huge pages.\n")
    print(KD_HEADER)
    kd_table(HUGE)


def page(sizes: Mapping[tuple[int, int], int]) -> str:
    together = {s: n for s, n in sizes.items() if s not in ((128, 10), (512, 128256))}
    others = {s: max(60, n // 2) for s, n in sizes.items() if s[0] * s[1] < 1e6}
    others = dict.fromkeys(((16, 10), (32, 100)), 200) | others
    parts = [
        f"# Speed and memory of the losses ({processor_name()})",
        "Written by `python benchmarks/losses.py --write`, on the processor named above.\n\n"
        f"{__doc__.split(chr(10) * 2)[1]}",
        "## `kd` against the plain formula (ratio of the times)",
        "\n".join(kd_table(sizes)),
        "### At other shapes",
        "\n".join(shapes_table()),
        "### With huge pages asked for (THP_MEM_ALLOC_ENABLE=1)",
        with_huge_pages() if len(sizes) == len(SIZES) else "",
        "## Several parts in one pass (ratio of the times)",
        "\n".join(together_table(together)),
        "## Every public loss against a straightforward eager writing (ratio of the times)",
        "\n".join(others_table(others)),
        "A ratio below 1 is a loss slower than the eager writing. The losses look for NaN in the "
        "teacher,\nwhich the eager writings do not. Where they do:",
        "\n".join(looking_table(others)),
        "### Logits in bfloat16\n\nThe eager writing on `logits.float()` of both sides.",
        "\n".join(half_table(others)),
    ]
    parts.insert(2, f"Conditions: {conditions()}")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--write", nargs="?", type=Path, const=PAGE, metavar="FILE", help=f"write {PAGE.name}"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--huge", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settle_heap()
    if arguments.huge:
        print_with_huge_pages()
        return
    sizes = {s: n for s, n in SIZES.items() if not arguments.quick or s[0] * s[1] < 1e6}
    text = page(sizes)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
