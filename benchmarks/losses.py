"""Speed and memory of the losses against plain eager formulas: ``python benchmarks/losses.py``.

Forward plus backward on one CPU thread, variants interleaved in one process, median of the CPU
time; ratios carry over to other machines, milliseconds do not. Peak memory is the rise of the
process's high-water mark (``VmHWM``, reset before each call). The floor is the time to read both
logits and write the gradient, 12 bytes a float32 logit, at the measured speed of a copy.

    python benchmarks/losses.py                 prints the tables
    python benchmarks/losses.py --write         writes docs/benchmarks-losses.md as well
    python benchmarks/losses.py --quick         small sizes only
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from didact import losses

T = 4.0
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-losses.md"
SIZES = {(128, 10): 400, (128, 100): 400, (256, 1000): 60, (1024, 32000): 7, (512, 128256): 5}
KD_HEADER = (
    "| size | plain, ms | `kd` | `kd` in place | floor / `kd` | plain, B/logit | `kd`, B/logit "
    "| in place, B/logit |\n|---|---|---|---|---|---|---|---|"
)
Step = Callable[[], object]
Loss = Callable[[Tensor, Tensor], Tensor]


def interleave(steps: Mapping[str, Step], rounds: int, seconds: float = 0.002) -> dict[str, float]:
    """Median CPU seconds of each step; the steps take turns."""
    repeats = {}
    for name, step in steps.items():
        step()
        begin = time.process_time()
        step()
        repeats[name] = max(1, int(seconds / max(time.process_time() - begin, 1e-5)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            begin = time.process_time()
            for _ in range(repeats[name]):
                step()
            times[name].append((time.process_time() - begin) / repeats[name])
    return {name: statistics.median(found) for name, found in times.items()}


def plain_kd(student: Tensor, teacher: Tensor) -> Tensor:
    student_log_probs = F.log_softmax(student / T, 1)
    target = F.softmax(teacher / T, 1)
    return F.kl_div(student_log_probs, target, reduction="batchmean") * T * T


def training_step(loss: Callable[[Tensor], Tensor], logits: Tensor) -> Step:
    leaf = logits.detach().requires_grad_()
    return lambda: torch.autograd.grad(loss(leaf), leaf)


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


class Reversed(torch.autograd.Function):
    """The gradient reversal of CTKD."""

    @staticmethod
    def forward(_ctx: object, parameter: Tensor) -> Tensor:
        """The same value."""
        return parameter.view_as(parameter)

    @staticmethod
    def backward(_ctx: object, *upstream: Tensor) -> Tensor:
        """The opposite gradient."""
        return -upstream[0]


def in_place_step(loss: Callable[..., Tensor], logits: Tensor) -> Step:
    """The next step works on the gradient of the last one, which takes the same time."""
    weight = torch.ones((), requires_grad=True)

    def step() -> None:
        loss(Handed.apply(weight, logits), inplace=True).backward()

    return step


def peak_bytes(step: Step) -> int:
    """Rise of the high-water mark of the resident memory during one step."""
    step()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _high_water()
    step()
    return _high_water() - before


def _high_water() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


def copy_bandwidth(like: Tensor) -> float:
    """Bytes read and written in a second by a copy into memory that is already there."""
    source, target = torch.ones_like(like), torch.ones_like(like)
    seconds = interleave({"copy": lambda: target.copy_(source)}, 9)["copy"]
    return 2 * source.numel() * source.element_size() / seconds


def kd_table(sizes: Mapping[tuple[int, int], int]) -> list[str]:
    lines = [KD_HEADER]
    for (samples, classes), rounds in sizes.items():
        logits, teacher = torch.randn(samples, classes), torch.randn(samples, classes)
        steps = {
            "plain": training_step(lambda s, t=teacher: plain_kd(s, t), logits),
            "kd": training_step(lambda s, t=teacher: losses.kd(s, t, temperature=T), logits),
        }
        scratch = logits.clone()
        steps["in place"] = in_place_step(
            lambda s, t=teacher, **o: losses.kd(s, t, temperature=T, **o), scratch
        )
        found = interleave(steps, rounds)
        floor = 12 * logits.numel() / copy_bandwidth(logits)
        row = f"| {samples} x {classes} | {found['plain'] * 1e3:.3f} "
        row += f"| {found['plain'] / found['kd']:.2f}x | {found['plain'] / found['in place']:.2f}x "
        row += f"| {floor / found['kd']:.2f} |"
        big = logits.numel() > 1e7
        for name in steps:
            share = peak_bytes(steps[name]) / logits.numel() if big else float("nan")
            row += f" {share:.2f} |" if big else " - |"
        lines.append(row)
        print(row, flush=True)
    return lines


def eager_ce_and_kd(student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    return 0.1 * F.cross_entropy(student, labels) + 0.9 * plain_kd(student, teacher)


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


def _probs(z: Tensor, temperature: float = 1.0) -> Tensor:
    return F.softmax(z / temperature, 1)


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return F.kl_div(log_q, log_p, log_target=True, reduction="batchmean")


def _logs(z: Tensor, temperature: float = 1.0) -> Tensor:
    return F.log_softmax(z / temperature, 1)


def _eager_jsd(s: Tensor, t: Tensor) -> Tensor:
    mixture = torch.logsumexp(torch.stack([_logs(s), _logs(t)]) - 0.6931472, 0)
    return 2 * (_kl(_logs(t), mixture) + _kl(_logs(s), mixture))


def _eager_skew(s: Tensor, t: Tensor) -> Tensor:
    return _kl(_logs(t), (0.1 * _probs(t) + 0.9 * _probs(s)).log())


def _eager_dkd(s: Tensor, t: Tensor, y: Tensor) -> Tensor:
    target = F.one_hot(y, s.shape[1]).bool()
    q, p = _probs(s, T), _probs(t, T)
    q2 = torch.stack([(q * target).sum(1), (q * ~target).sum(1)], 1)
    p2 = torch.stack([(p * target).sum(1), (p * ~target).sum(1)], 1)
    first = F.kl_div(q2.log(), p2, reduction="batchmean")
    rest = F.kl_div(_logs(s - 4e3 * target, T), _probs(t - 4e3 * target, T), reduction="batchmean")
    return (first + 8 * rest) * T * T


def _eager_dist(s: Tensor, t: Tensor) -> Tensor:
    def correlation(a: Tensor, b: Tensor) -> Tensor:
        return F.cosine_similarity(a - a.mean(1, True), b - b.mean(1, True), eps=1e-8).mean()

    q, p = _probs(s), _probs(t)
    return 2 - correlation(q, p) - correlation(q.T, p.T)


def _standard(z: Tensor) -> Tensor:
    return (z - z.mean(1, True)) / (z.std(1, keepdim=True) + 1e-7)


def _eager_mlkd(s: Tensor, t: Tensor) -> Tensor:
    total = s.new_zeros(())
    for temperature in (2.0, 3.0, 4.0, 5.0, 6.0):
        q, p = _probs(s, temperature), _probs(t, temperature)
        total = total + _kl(_logs(t, temperature), _logs(s, temperature)) * temperature**2
        total = total + ((q @ q.T - p @ p.T) ** 2).sum() / len(s)
        total = total + ((q.T @ q - p.T @ p) ** 2).sum() / s.shape[1]
    return total / 5


def _eager_top_k(s: Tensor, t: Tensor) -> Tensor:
    cells = t.topk(50, 1).indices

    def merged(z: Tensor) -> Tensor:
        log_probs = _logs(z)
        rest = log_probs.scatter(1, cells, -torch.inf).logsumexp(1, keepdim=True)
        return torch.cat([log_probs.gather(1, cells), rest], 1)

    return _kl(merged(t), merged(s))


def _eager_binary(s: Tensor, t: Tensor) -> Tensor:
    target = t.sigmoid()
    cross = F.binary_cross_entropy_with_logits(s, target, reduction="none")
    own = F.binary_cross_entropy_with_logits(t, target, reduction="none")
    return (cross - own).sum(1).mean()


def _eager_curriculum(s: Tensor, t: Tensor, parameter: Tensor) -> Tensor:
    temperature = 1 + 20 * Reversed.apply(parameter).sigmoid()
    return _kl(_logs(t, temperature), _logs(s, temperature)) * temperature**2


def _eager_confidence(s: Tensor, ts: list[Tensor], y: Tensor) -> Tensor:
    surprise = torch.stack([F.cross_entropy(t, y, reduction="none") for t in ts])
    weights = (1 - surprise.softmax(0)) / 2
    each = [F.kl_div(_logs(s, T), _probs(t, T), reduction="none").sum(1) for t in ts]
    return (weights * torch.stack(each)).sum(0).mean() * T * T


def eager_writings(t: Tensor, ts: list[Tensor], y: Tensor) -> dict[str, tuple[Loss, Loss]]:
    """For each loss, a straightforward writing and the library's call, as functions of s."""
    own = losses
    routes = y % 3
    curriculum = own.CurriculumKD()
    return {
        "forward_kl": (lambda s: _kl(_logs(t), _logs(s)), lambda s: own.forward_kl(s, t)),
        "reverse_kl": (lambda s: _kl(_logs(s), _logs(t)), lambda s: own.reverse_kl(s, t)),
        "symmetric_kl": (
            lambda s: (_kl(_logs(s), _logs(t)) + _kl(_logs(t), _logs(s))) / 2,
            lambda s: own.symmetric_kl(s, t),
        ),
        "total_variation": (
            lambda s: (_probs(s) - _probs(t)).abs().sum(1).mean() / 2,
            lambda s: own.total_variation(s, t),
        ),
        "generalised_jsd": (lambda s: _eager_jsd(s, t), lambda s: own.generalised_jsd(s, t)),
        "skew_kl": (lambda s: _eager_skew(s, t), lambda s: own.skew_kl(s, t)),
        "skew_reverse_kl": (
            lambda s: _kl(_logs(s), (0.9 * _probs(t) + 0.1 * _probs(s)).log()),
            lambda s: own.skew_reverse_kl(s, t),
        ),
        "dkd": (lambda s: _eager_dkd(s, t, y), lambda s: own.dkd(s, t, y)),
        "dist": (lambda s: _eager_dist(s, t), lambda s: own.dist(s, t)),
        "standardised_kd": (
            lambda s: plain_kd(_standard(s), _standard(t)),
            lambda s: own.standardised_kd(s, t),
        ),
        "mlkd": (lambda s: _eager_mlkd(s, t), lambda s: own.mlkd(s, t)),
        "CurriculumKD": (
            lambda s: _eager_curriculum(s, t, curriculum.parameter),
            lambda s: curriculum(s, t),
        ),
        "mse_logits": (
            lambda s: F.mse_loss(s, t, reduction="sum") / len(s),
            lambda s: own.mse_logits(s, t),
        ),
        "hard_kd": (lambda s: F.cross_entropy(s, t.argmax(1)), lambda s: own.hard_kd(s, t)),
        "cross_entropy_and_hard_kd": (
            lambda s: (F.cross_entropy(s, y) + F.cross_entropy(s, t.argmax(1))) / 2,
            lambda s: own.cross_entropy_and_hard_kd(s, t, y),
        ),
        "cross_entropy_and_kd": (
            lambda s: eager_ce_and_kd(s, t, y),
            lambda s: own.cross_entropy_and_kd(s, t, y),
        ),
        "binary_kd": (lambda s: _eager_binary(s, t), lambda s: own.binary_kd(s, t)),
        "top_k_kd": (lambda s: _eager_top_k(s, t), lambda s: own.top_k_kd(s, t)),
        "kd_mean_probs": (
            lambda s: (
                F.kl_div(_logs(s, T), sum(_probs(x, T) for x in ts) / 3, reduction="batchmean")
                * T
                * T
            ),
            lambda s: own.kd_mean_probs(s, ts),
        ),
        "kd_geometric_mean": (
            lambda s: plain_kd(s, sum(ts) / 3),
            lambda s: own.kd_geometric_mean(s, ts),
        ),
        "kd_weighted_sum": (
            lambda s: sum(plain_kd(s, x) for x in ts) / 3,
            lambda s: own.kd_weighted_sum(s, ts),
        ),
        "kd_confidence_weighted": (
            lambda s: _eager_confidence(s, ts, y),
            lambda s: own.kd_confidence_weighted(s, ts, y),
        ),
        "kd_routed": (
            lambda s: plain_kd(s, torch.stack(ts)[routes, torch.arange(len(s))]),
            lambda s: own.kd_routed(s, ts, routes),
        ),
    }


def others_table(rounds: int) -> list[str]:
    lines = ["| loss | 128 x 100 | 256 x 1000 |", "|---|---|---|"]
    found: dict[str, list[float]] = {}
    for samples, classes in ((128, 100), (256, 1000)):
        logits, t = torch.randn(samples, classes), torch.randn(samples, classes)
        ts = [t, torch.randn(samples, classes), torch.randn(samples, classes)]
        y = torch.randint(classes, (samples,))
        for name, (eager, own) in eager_writings(t, ts, y).items():
            steps = {"eager": training_step(eager, logits), "own": training_step(own, logits)}
            times = interleave(steps, rounds)
            found.setdefault(name, []).append(times["eager"] / times["own"])
    for name, ratios in found.items():
        lines.append(f"| `{name}` | " + " | ".join(f"{ratio:.2f}x" for ratio in ratios) + " |")
        print(lines[-1], flush=True)
    return lines


def conditions() -> str:
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, 1 thread; torch "
        f"{torch.__version__}; huge pages of the kernel: {pages.read_text().strip()}, asked for by "
        f"THP_MEM_ALLOC_ENABLE={os.environ.get('THP_MEM_ALLOC_ENABLE', '0')}; load "
        f"{os.getloadavg()[0]:.1f} while measuring."
    )


def with_huge_pages() -> str:
    """The first table from a process in which PyTorch asks for huge pages."""
    done = subprocess.run(
        [sys.executable, __file__, "--kd-only"],
        env={**os.environ, "THP_MEM_ALLOC_ENABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--kd-only", action="store_true", help="the first table only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sizes = {s: n for s, n in SIZES.items() if not arguments.quick or s[0] * s[1] < 1e6}
    if arguments.kd_only:
        print(conditions(), end="\n\n")
        print(KD_HEADER)
        kd_table(sizes)
        return
    together = {s: n for s, n in sizes.items() if s not in ((128, 10), (512, 128256))}
    parts = [
        "# Speed and memory of the losses",
        f"Written by `python benchmarks/losses.py --write`.\n\n{__doc__.split(chr(10) * 2)[1]}",
        f"Conditions: {conditions()}",
        "## `kd` against the plain formula (ratio of the times)",
        "\n".join(kd_table(sizes)),
        "### The same with huge pages asked for",
        with_huge_pages() if arguments.write else "",
        "## Several parts in one pass (ratio of the times)",
        "\n".join(together_table(together)),
        "## Every other loss against a straightforward eager writing (ratio of the times)",
        "\n".join(others_table(40)),
    ]
    if arguments.write:
        PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
