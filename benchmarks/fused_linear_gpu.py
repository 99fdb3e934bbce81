"""The losses on tokens on a GPU: ``python benchmarks/fused_linear_gpu.py``, in less than 4 minutes.

8192 tokens of a student 2048 and a teacher 4096 wide, 128,256 classes, bfloat16. Medians of the
device's own clock; memory beyond the inputs and the gradients that are kept. First the kernel is
compared with float64 on a few rows. Nothing is written.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from didact.losses import Head, fused_linear_kd
from didact.losses.fast import kl_kernel

TOKENS, UNITS, CLASSES, ROUNDS = 8192, (2048, 4096), 128_256, 20


def milliseconds(step: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS + 3):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        step()
        end.record()
        torch.cuda.synchronize()
        found.append(begin.elapsed_time(end))
    return statistics.median(found[3:])


def dense() -> None:
    student, teacher = (torch.randn(TOKENS, CLASSES).cuda().bfloat16() for _ in range(2))
    if not kl_kernel.can_run(student, teacher):
        print("there is no kernel here")
        return
    from didact.losses.fast.kl_triton import kl_of_rows

    few = student[:4].clone(), teacher[:4].clone()
    gradient = torch.empty_like(few[0])
    values = kl_of_rows(*few, gradient, temperature=1.0, soft=1.0)
    q, p = (side.double().softmax(-1) for side in few)
    print("error of values", float((values - (p * (p / q).log()).sum(-1)).abs().max()))
    print("error of gradients", float((gradient - (q - p)).norm() / (q - p).norm()))
    time = milliseconds(lambda: kl_of_rows(student, teacher, student, temperature=1.0, soft=1.0))
    traffic = 5 * student.numel() * student.element_size()
    print(f"dense, in place: {time:.2f} ms, {traffic / time / 1e9:.2f} TB/s if rows are read twice")


def fused(workspace: int | None) -> None:
    draw = torch.Generator("cuda").manual_seed(0)
    sides = [
        [
            torch.randn(rows, units, device="cuda", generator=draw).bfloat16() / units**0.25
            for rows in (TOKENS, CLASSES)
        ]
        for units in UNITS
    ]
    hidden, weight = (tensor.requires_grad_() for tensor in sides[0])
    teacher = Head(*sides[1])

    def step() -> None:
        hidden.grad = weight.grad = None
        fused_linear_kd(Head(hidden, weight), teacher, workspace=workspace).backward()

    time = milliseconds(step)
    kept = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    step()
    extra = (torch.cuda.max_memory_allocated() - kept) / 2**30
    size = "by default" if workspace is None else f"{workspace >> 20} MiB"
    print(f"fused_linear_kd, chunks {size}: {time:.1f} ms, {extra:.2f} GiB at the peak")


def main() -> None:
    if not torch.cuda.is_available():
        print("there is no GPU here")
        return
    print(torch.cuda.get_device_name(), torch.__version__)
    dense()
    torch.cuda.empty_cache()
    for workspace in (None, 256 << 20, 1 << 30, 2 << 30):
        fused(workspace)


if __name__ == "__main__":
    main()
