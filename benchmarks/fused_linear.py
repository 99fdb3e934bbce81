"""Distillation through the last layer, beside peers: ``python benchmarks/fused_linear.py``.

Forward plus backward of one training step in float32 on one CPU thread, variants interleaved in one
process, median of the CPU time. ``naive`` projects all tokens of both models and takes PyTorch's
``kl_div``; ``products`` are the four matrix products that any variant needs, alone. TRL's
``ChunkedDivergenceFunction`` runs its PyTorch path on a CPU, not its kernels. Memory is the rise of
the process's high-water mark. Errors are norms of the difference from float64 on the same inputs,
over the norm, where the divergence is 0.03. DistillKit's sparse loss is written from its
definition: a log-softmax of the student, gathered, with the rest spread evenly.

    python benchmarks/fused_linear.py                 prints the tables
    python benchmarks/fused_linear.py --write         writes docs/benchmarks-tokens.md as well
    python benchmarks/fused_linear.py --rounds 5 --tokens 1024 --classes 32000
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from _memory import peak_bytes, settle_heap
from _timing import Step, interleave
from didact._core.processor import processor_name
from didact.losses import Head, TopK, fused_linear_kd, top_k_kd

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-tokens.md"
UNITS = 512, 1024
T = 2.0
K = 64


def heads(tokens: int, classes: int, gap: float = 1.0) -> tuple[Head, Head]:
    """Student and teacher, drawn alike; ``gap`` is how far the student's logits are from its."""
    torch.manual_seed(0)
    own, other = UNITS
    student = Head(torch.randn(tokens, own), torch.randn(classes, own) / own**0.5)
    teacher = Head(torch.randn(tokens, other), torch.randn(classes, other) / other**0.5)
    if gap < 1:  # the same units, a little moved
        hidden = student.hidden
        moved = student.weight + gap * torch.randn(classes, own) / own**0.5
        student, teacher = Head(hidden, moved), Head(hidden, student.weight)
    return student, teacher


def naive(student: Head, teacher: Head) -> Tensor:
    own = F.log_softmax((student.hidden @ student.weight.T) / T, -1)
    with torch.no_grad():
        target = F.log_softmax((teacher.hidden @ teacher.weight.T) / T, -1)
    return F.kl_div(own, target, reduction="batchmean", log_target=True) * T**2


def naive_jsd(student: Head, teacher: Head) -> Tensor:
    own = F.log_softmax((student.hidden @ student.weight.T) / T, -1)
    with torch.no_grad():
        target = F.log_softmax((teacher.hidden @ teacher.weight.T) / T, -1)
    mixed = torch.logsumexp(torch.stack([own, target]), 0) - torch.tensor(2.0).log()
    parts = [
        F.kl_div(mixed, side, reduction="batchmean", log_target=True) for side in (own, target)
    ]
    return sum(parts) * T**2 / 2


def step(loss: Callable[[Head, Head], Tensor], student: Head, teacher: Head) -> Step:
    hidden, weight = (x.clone().requires_grad_() for x in (student.hidden, student.weight))
    return lambda: torch.autograd.grad(loss(Head(hidden, weight), teacher), (hidden, weight))


def products(student: Head, teacher: Head) -> Step:
    def run() -> None:
        logits = student.hidden @ student.weight.T
        torch.mm(teacher.hidden, teacher.weight.T)
        torch.mm(logits, student.weight)
        torch.mm(logits.T, student.hidden)

    return run


def peers(student: Head, teacher: Head) -> Iterator[tuple[str, Step]]:
    """TRL and Liger, as far as they are installed."""
    try:
        from trl.kernels.chunked_divergence import ChunkedDivergenceFunction
    except ImportError:
        print("trl is not installed")
    else:

        def of_trl(beta: float, own: Head, other: Head) -> Tensor:
            sides = (own.hidden, own.weight, None, other.hidden, other.weight, None)
            return ChunkedDivergenceFunction.apply(*sides, beta, T)[0].mean() * T**2

        yield "TRL, KL", step(partial(of_trl, 0.0), student, teacher)
        yield "TRL, JSD", step(partial(of_trl, 0.5), student, teacher)
    try:
        from liger_kernel.chunked_loss import LigerFusedLinearJSDLoss
    except ImportError:
        print("liger-kernel is not installed")
        return
    labels = torch.zeros(len(student.hidden), dtype=torch.int64)
    for name, compiled in (("Liger, uncompiled", False), ("Liger, compiled", True)):
        loss = LigerFusedLinearJSDLoss(
            weight_hard_loss=0.0, weight_soft_loss=1.0, beta=0.0, temperature=T, compiled=compiled,
            chunk_size=1024,
        )  # fmt: skip

        def of_liger(own: Head, other: Head, loss: Callable[..., Tensor] = loss) -> Tensor:
            return loss(own.hidden, own.weight, other.hidden, other.weight, labels) * T**2

        yield name, step(of_liger, student, teacher)


def speed(tokens: int, classes: int, rounds: int) -> list[str]:
    student, teacher = heads(tokens, classes)
    own = partial(fused_linear_kd, temperature=T)
    steps: dict[str, Step] = {
        "naive": step(naive, student, teacher),
        "naive, JSD": step(naive_jsd, student, teacher),
        "four products": products(student, teacher),
        "fused_linear_kd": step(own, student, teacher),
        "fused_linear_kd, JSD": step(partial(own, divergence="jsd"), student, teacher),
        **dict(peers(student, teacher)),
    }
    times = interleave(steps, rounds)
    lines = [
        "| step | CPU ms | naive / it | products / it | memory, MiB |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in times.items():
        memory = peak_bytes(steps[name]) / 2**20
        naively = times["naive, JSD" if "JSD" in name else "naive"]
        lines.append(
            f"| {name} | {seconds * 1e3:.0f} | {naively / seconds:.2f} "
            f"| {times['four products'] / seconds:.0%} | {memory:.0f} |"
        )
        print(lines[-1], flush=True)
    return lines


def errors(tokens: int, classes: int) -> list[str]:
    """Of value and gradients, from float64 on the same inputs."""
    lines = ["| inputs | KL | value | hidden states | weight |", "|---|---|---|---|---|"]
    for dtype in (torch.float32, torch.bfloat16):
        sides = [Head(h.hidden.to(dtype), h.weight.to(dtype)) for h in heads(tokens, classes, 0.25)]
        found = []
        for kind in (dtype, torch.float64):
            hidden, weight = (
                x.to(kind).requires_grad_() for x in (sides[0].hidden, sides[0].weight)
            )
            other = Head(sides[1].hidden.to(kind), sides[1].weight.to(kind))
            value = fused_linear_kd(Head(hidden, weight), other, temperature=1.0)
            found.append((value.detach(), *torch.autograd.grad(value, (hidden, weight))))
        row = [
            f"{float((mine.double() - exact).norm() / exact.norm()):.1e}"
            for mine, exact in zip(*found, strict=True)
        ]
        lines.append(f"| {str(dtype)[6:]} | {float(found[1][0]):.3f} | {' | '.join(row)} |")
        print(lines[-1], flush=True)
    return lines


def distillkit(student: Tensor, ids: Tensor, log_probs: Tensor) -> Tensor:
    """The sparse divergence with the missing probability spread evenly on both sides."""
    own = F.log_softmax(student.float() / T, -1).gather(-1, ids)
    probs, classes = log_probs.exp(), student.shape[-1] - ids.shape[-1]
    inside = (probs * (log_probs - own)).sum(-1)
    rest = (1 - probs.sum(-1)).clamp_min(1e-9)
    own_rest = (1 - own.exp().sum(-1)).clamp_min(1e-9)
    outside = rest * ((rest / classes).log() - (own_rest / classes).log())
    return (inside + outside).mean() * T**2


def sparse(tokens: int, classes: int, rounds: int) -> list[str]:
    torch.manual_seed(0)
    ranks = torch.arange(1, classes + 1).log().neg()
    teacher = ranks[torch.stack([torch.randperm(classes) for _ in range(tokens)])]
    teacher += torch.randn_like(teacher)
    student, kept = teacher + torch.randn_like(teacher), TopK.of(teacher, K, temperatures=(T,))
    log_probs = kept.logits / T - kept.log_z
    leaf = student.clone().requires_grad_()
    writings: dict[str, Callable[[], Tensor]] = {
        "dense eager": lambda: (
            F.kl_div(
                F.log_softmax(leaf / T, -1),
                F.log_softmax(teacher / T, -1),
                reduction="batchmean",
                log_target=True,
            )
            * T**2
        ),
        "DistillKit's form": lambda: distillkit(leaf, kept.ids, log_probs),
        "`top_k_kd` of a `TopK`": lambda: top_k_kd(leaf, kept, temperature=T),
        "the same, reverse KL": lambda: top_k_kd(
            leaf, kept, temperature=T, divergence="reverse_kl"
        ),
        "the same, JSD": lambda: top_k_kd(leaf, kept, temperature=T, divergence="jsd"),
    }
    steps = {
        name: partial(lambda loss: torch.autograd.grad(loss(), leaf), loss)
        for name, loss in writings.items()
    }
    times = interleave(steps, rounds)
    own = times["`top_k_kd` of a `TopK`"]
    lines = ["| loss | CPU ms | it / `top_k_kd` |", "|---|---|---|"]
    for name, seconds in times.items():
        lines.append(f"| {name} | {seconds * 1e3:.0f} | {seconds / own:.2f} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--classes", type=int, default=32000)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    settle_heap()
    size = f"{chosen.tokens} tokens, {chosen.classes} classes"
    load = os.getloadavg()[0]
    parts = [
        f"# Speed and memory of the losses on tokens ({processor_name()})",
        "Written by `python benchmarks/fused_linear.py --write`.\n\n" + __doc__.split("\n\n")[1],
        f"Conditions: {processor_name()}, {os.cpu_count()} cores, 1 thread; torch "
        f"{torch.__version__}; load {load:.1f} at the start.",
        f"## Through the last layer: {size}, student {UNITS[0]} and teacher {UNITS[1]} wide, T = 2",
        "\n".join(speed(chosen.tokens, chosen.classes, chosen.rounds)),
        "## Errors",
        "\n".join(errors(min(512, chosen.tokens), min(8000, chosen.classes))),
        f"## A kept teacher: {size}, k = {K}, T = 2",
        "\n".join(sparse(chosen.tokens, chosen.classes, chosen.rounds)),
    ]
    if chosen.write:
        PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
