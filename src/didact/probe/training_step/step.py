"""Check one real training step: the teacher's state, the student's gradient, accumulation, DDP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from torch import nn

from didact._core.i18n import Text
from didact.probe.forms.mistakes import MISTAKES
from didact.probe.judging.case import Outcome
from didact.probe.output.report import Report, Result
from didact.probe.training_step import step_checks as checks
from didact.probe.training_step.gradients import Frozen, Step
from didact.probe.training_step.made import checked
from didact.probe.training_step.step_checks import Run

_Check = Callable[[Run], Outcome]


def step(
    trainer_step: Step,
    student: nn.Module,
    teacher: nn.Module,
    batch: Any,
    *,
    processes: int = 1,
    maker: str | None = None,
) -> Report:
    """Check one training step on the real models and a real batch.

    Both models are put back as they were: parameters, buffers, modes and gradients.

    Args:
        trainer_step: ``trainer_step(student, teacher, batch)``; returns the loss, or calls
            ``backward()`` itself. An optimiser may step.
        student: The student.
        teacher: The teacher.
        batch: A tensor, tuple, list, dict or dataclass of tensors with the samples first.
        processes: With 2, the step is repeated under DDP in two processes of the CPU, each with
            half of the batch; ``trainer_step`` and the models must then be picklable, and a
            script needs its ``if __name__ == "__main__"``.
        maker: ``file.py:make`` or ``pkg.mod:make``, a function without arguments that returns
            ``(trainer_step, student, teacher, batch)``; the two processes call it, so that
            nothing but the states of the models is sent.

    Returns:
        One result for each check: ``teacher-mode``, ``teacher-unchanged``, ``teacher-gradient``,
        ``student-gradient``, ``distillation-reaches``, ``accumulation`` and ``processes``.

    Raises:
        ProbeError: The step raises, or gives no gradient path.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from didact.losses import kd
        >>> from didact.probe import step
        >>> student, teacher = nn.Linear(3, 4), nn.Linear(3, 4).eval()
        >>> def my_step(student, teacher, batch):
        ...     with torch.no_grad():
        ...         teacher_logits = teacher(batch)
        ...     return kd(student(batch), teacher_logits)
        >>> step(my_step, student, teacher, torch.randn(8, 3)).ok
        True
    """
    started = time.process_time()
    with Frozen(student, still=False), Frozen(teacher, still=False):
        run = Run(trainer_step, student, teacher, batch, processes, maker)
        results = tuple(
            Result(name, title, meaning, check(run)) for name, title, meaning, check in _CHECKS
        )
    keys = [k for r in results if r.state in ("broken", "advice") for k in r.outcome.mistakes]
    return Report(
        name=getattr(trainer_step, "__qualname__", type(trainer_step).__qualname__),
        source="",
        kind="objective",
        declared="objective",
        binding=(),
        notes=(),
        match=Text("a training step", "一个训练步"),
        results=results,
        mistakes=tuple(MISTAKES[key] for key in dict.fromkeys(keys)),
        seconds=time.process_time() - started,
    )


def step_of(make: Any, spec: str, *, processes: int = 1) -> Report:
    """Check the step that a function makes.

    Args:
        make: A function without arguments; it returns ``(step, student, teacher, batch)``.
        spec: Its name, ``file.py:make`` or ``pkg.mod:make``, by which other processes find it.
        processes: As for :func:`step`.

    Raises:
        ProbeError: The function raises or returns something else, or the step raises.
    """
    trainer_step, student, teacher, batch = checked(make, spec)
    return step(trainer_step, student, teacher, batch, processes=processes, maker=spec)


_CHECKS: tuple[tuple[str, Text, Text, _Check], ...] = (
    (
        "teacher-mode",
        Text("the teacher runs in eval mode", "教师处于 eval 模式"),
        Text(
            "Dropout and batch statistics make its targets noise; call teacher.eval().",
            "dropout 与批统计使目标带噪声；请调用 teacher.eval()。",
        ),
        checks.teacher_mode,
    ),
    (
        "teacher-unchanged",
        Text("the teacher is unchanged", "教师不变"),
        Text(
            "Its buffers drift in train mode, or the optimiser has its parameters.",
            "train 模式下缓冲区会漂移，或优化器里有它的参数。",
        ),
        checks.teacher_unchanged,
    ),
    (
        "teacher-gradient",
        Text("no gradient reaches the teacher", "教师得不到梯度"),
        Text("Run the teacher under no_grad.", "请在 no_grad 下运行教师。"),
        checks.teacher_gradient,
    ),
    (
        "student-gradient",
        Text("a gradient reaches the student", "梯度到达学生"),
        Text("Nothing is learnt.", "什么也学不到。"),
        checks.student_gradient,
    ),
    (
        "distillation-reaches",
        Text("the distillation term reaches the student", "蒸馏项传到学生"),
        Text(
            "The student's graph is cut, or the teacher is not used: only labels teach.",
            "学生的计算图被切断，或没有用到教师：只有标签在起作用。",
        ),
        checks.distillation_reaches,
    ),
    (
        "accumulation",
        Text("accumulation changes nothing", "梯度累积不改变结果"),
        Text(
            "A sum over the batch, or samples that interact.", "对批次求和，或样本之间有相互作用。"
        ),
        checks.accumulation,
    ),
    (
        "processes",
        Text("two processes give the same gradient", "两个进程梯度相同"),
        Text(
            "A sum over the batch, or work that DDP does not see.",
            "对批次求和，或有 DDP 看不到的计算。",
        ),
        checks.processes,
    ),
)
