"""A training step under DDP in two processes of the CPU."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from didact.probe._gradients import Frozen, Step, backpropagate, split

_WORLD = 2


def gradients_of_two(
    step: Step, student: nn.Module, teacher: nn.Module, batch: Any
) -> list[Tensor]:
    """The student's gradients after two processes with half of the batch each."""
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        workers = [
            context.Process(target=_work, args=(rank, folder, step, student, teacher, half))
            for rank, half in enumerate(split(batch))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        failed = [w.exitcode for w in workers if w.exitcode]
        if failed:
            raise RuntimeError(f"a process of the DDP check ended with exit code {failed[0]}")
        found = torch.load(Path(folder) / "gradients.pt", weights_only=True)
    return list(found)


def _work(
    rank: int, folder: str, step: Step, student: nn.Module, teacher: nn.Module, half: Any
) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=_WORLD
    )
    try:
        torch.manual_seed(0)
        with Frozen(student) as noted, Frozen(teacher):
            spread = DistributedDataParallel(student)
            backpropagate(step(spread, teacher, half), noted)
            kept = [p for p in student.parameters() if p.requires_grad]
            gradients = [
                torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for p in kept
            ]
        if rank == 0:
            torch.save(gradients, Path(folder) / "gradients.pt")
    finally:
        dist.destroy_process_group()
