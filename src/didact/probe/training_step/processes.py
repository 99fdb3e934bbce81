"""A training step under DDP in two processes of the CPU."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from didact._core.i18n import Text
from didact.probe.errors import ProbeError, reason_of
from didact.probe.training_step.gradients import Frozen, Step, backpropagate
from didact.probe.training_step.made import made

_WORLD = 2
_PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True)
class TwoProcessStep:
    """One step for each of the two processes.

    Attributes:
        parts: The step, the student and the teacher; ``None``: they are made from ``maker``.
        maker: ``file.py:make`` or ``pkg.mod:make``.
        states: The states of student and teacher, where they are made.
        halves: The two halves of the batch.
        unused: Whether some of the student's parameters get no gradient.
    """

    parts: tuple[Step, nn.Module, nn.Module] | None
    maker: str | None
    states: tuple[Mapping[str, Any], Mapping[str, Any]] | None
    halves: tuple[Any, Any]
    unused: bool = False


def gradients_of_two(spec: TwoProcessStep) -> list[Tensor]:
    """The student's gradients, averaged over two processes with half of the batch each.

    Raises:
        ProbeError: A part cannot be sent to another process, or the step fails there.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=_work, args=(r, name, spec)) for r in range(_WORLD)]
        try:
            for worker in workers:
                worker.start()
        except Exception as error:  # pickle raises errors of many types
            _stop(workers)
            reason = reason_of(error)
            raise ProbeError(
                f"the step cannot be sent to another process ({reason.en}); define it and the "
                "models at the top of a module",
                f"训练步无法发送到另一个进程（{reason.zh}）；请把它和模型定义在模块顶层",
            ) from error
        _wait(workers)
        _refuse_failures(workers, sorted(folder.glob("error-*")))
        found = torch.load(folder / "gradients.pt", weights_only=True)
    return list(found)


def _refuse_failures(workers: list[SpawnProcess], written: list[Path]) -> None:
    """Raise what a process has written down, or its exit code."""
    if not written and not any(w.exitcode for w in workers):
        return
    code = next((w.exitcode for w in workers if w.exitcode), 1)
    ended = Text(f"a process ended with exit code {code}", f"进程以退出码 {code} 结束")
    if written:
        said = written[0].read_text(encoding="utf-8")
        ended = Text(said, said)
    raise ProbeError(
        f"the step fails under DDP in two processes: {ended.en}",
        f"训练步在两个进程的 DDP 下失败：{ended.zh}",
    )


def _wait(workers: list[SpawnProcess]) -> None:
    """Until both have ended, one has failed, or patience has."""
    last = time.monotonic() + _PATIENCE.total_seconds()
    while any(w.is_alive() for w in workers) and time.monotonic() < last:
        if any(w.exitcode for w in workers):
            break
        for worker in workers:
            worker.join(0.1)
    _stop(workers)


def _stop(workers: list[SpawnProcess]) -> None:
    for worker in workers:
        if worker.pid is not None:
            worker.terminate() if worker.is_alive() else None
            worker.join()


def _work(rank: int, folder: str, spec: TwoProcessStep) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the step or gloo prints is no report
    torch.set_num_threads(1)
    failed = False
    try:
        _reduced(rank, folder, spec)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        (Path(folder) / f"error-{rank}").write_text(reason_of(error).en, encoding="utf-8")
        failed = True
    sys.stderr.flush()
    os._exit(failed)  # gloo's threads, still alive when Python tidies up, would abort the process


def _reduced(rank: int, folder: str, spec: TwoProcessStep) -> None:
    step, student, teacher = _parts(spec)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=_WORLD,
        timeout=_PATIENCE,
    )
    torch.manual_seed(0)
    with Frozen(student) as noted, Frozen(teacher):
        spread = DistributedDataParallel(student, find_unused_parameters=spec.unused)
        averages = _averages(spread)
        backpropagate(step(spread, teacher, spec.halves[rank]), noted)
    kept = [p for p in student.parameters() if p.requires_grad]
    if rank == 0:
        found = [averages.get(p, torch.zeros_like(p)).detach() for p in kept]
        torch.save(found, Path(folder) / "gradients.pt")
    dist.barrier()  # neither ends while the other still waits for it


def _parts(spec: TwoProcessStep) -> tuple[Step, nn.Module, nn.Module]:
    if spec.parts is not None:
        return spec.parts
    step, student, teacher, _ = made(spec.maker or "")
    if spec.states is not None:
        student.load_state_dict(spec.states[0])
        teacher.load_state_dict(spec.states[1])
    return step, student, teacher


def _averages(spread: DistributedDataParallel) -> dict[nn.Parameter, Tensor]:
    """What DDP makes of each gradient, noted before the step can clear it."""
    noted: dict[nn.Parameter, Tensor] = {}

    def average(state: object, bucket: Any) -> torch.futures.Future[Tensor]:  # noqa: ARG001
        buffer = bucket.buffer().div_(_WORLD)
        reduced = dist.all_reduce(buffer, async_op=True).get_future()

        def note(future: torch.futures.Future[list[Tensor]]) -> Tensor:
            for parameter, gradient in zip(bucket.parameters(), bucket.gradients(), strict=True):
                noted[parameter] = gradient.clone()
            return future.value()[0]

        averaged: torch.futures.Future[Tensor] = reduced.then(note)
        return averaged

    average.__annotations__ = {}  # DDP refuses any that are not its own
    spread.register_comm_hook(None, average)
    return noted
