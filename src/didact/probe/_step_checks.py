"""What is checked on one real training step."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from didact.probe._case import Outcome, advises, breaks, holds, skipped
from didact.probe._gradients import Frozen, Step, difference, gradients_of, split

_CLOSE = 1e-3


class Run:
    """One training step as it is, and what it did to the teacher."""

    def __init__(
        self, step: Step, student: nn.Module, teacher: nn.Module, batch: Any, processes: int
    ) -> None:
        self.step, self.student, self.teacher, self.batch = step, student, teacher, batch
        self.processes = processes
        self.modes: list[bool] = []
        self.before = {n: v.detach().clone() for n, v in teacher.state_dict().items()}
        watched = [
            m.register_forward_pre_hook(lambda module, _: self.modes.append(module.training))
            for m in teacher.modules()
        ]
        self.reached = Frozen(teacher, still=False)
        try:
            with self.reached:
                self.gradient = gradients_of(step, student, teacher, batch, still=False)
                self.after = {n: v.detach().clone() for n, v in teacher.state_dict().items()}
        finally:
            for hook in watched:
                hook.remove()


def teacher_mode(run: Run) -> Outcome:
    """In which mode the teacher's modules ran."""
    if not run.modes:
        return skipped("the teacher was not called", "没有调用教师")
    training = sum(run.modes)
    if not training:
        return holds(
            "every module of the teacher ran in eval mode", "教师的所有模块均处于 eval 模式"
        )
    layers = [m for m in run.teacher.modules() if _depends_on_mode(m)]
    text = f"{training} calls of the teacher's modules in train mode"
    chinese = f"教师模块有 {training} 次在 train 模式下运行"
    if layers:
        return breaks(text, chinese, calls=training)
    return advises(text + "; none of them cares", chinese + "；但没有模块受其影响", calls=training)


def _depends_on_mode(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd)


def teacher_unchanged(run: Run) -> Outcome:
    """Whether its parameters and buffers are the same bits."""
    moved = [n for n, v in run.before.items() if not torch.equal(v, run.after[n])]
    if not moved:
        return holds("parameters and buffers are the same bits", "参数与缓冲区逐位不变")
    shown = ", ".join(moved[:3])
    return breaks(
        f"changed: {shown} ({len(moved)} in all)", f"已改变：{shown}（共 {len(moved)} 个）"
    )


def teacher_gradient(run: Run) -> Outcome:
    """Whether a gradient reached it."""
    norm = run.reached.norm()
    if not norm:
        return holds("none", "没有")
    return advises(f"gradient norm {norm:.3g}", f"梯度范数 {norm:.3g}", norm=norm)


def student_gradient(run: Run) -> Outcome:
    """Whether one reached the student."""
    norm = float(torch.cat([g.flatten() for g in run.gradient]).norm())
    if norm > 0:
        return holds(f"gradient norm {norm:.3g}", f"梯度范数 {norm:.3g}", norm=norm)
    return breaks("zero", "为零")


def distillation_reaches(run: Run) -> Outcome:
    """Whether the student's gradient changes with what the teacher says."""

    def other(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        return _turned(output)

    args = (run.step, run.student, run.teacher, run.batch)
    plain = gradients_of(*args)
    hook = run.teacher.register_forward_hook(other)
    try:
        changed = gradients_of(*args)
    finally:
        hook.remove()
    gap = difference(changed, plain)
    if gap > 1e-6:
        return holds(
            f"another teacher changes it by {gap:.2g}", f"换一个教师时变化 {gap:.2g}", gap=gap
        )
    return breaks(
        "another teacher leaves the student's gradient as it is: the term does not reach it",
        "换一个教师后学生梯度不变：蒸馏项没有传到学生",
        gap=gap,
    )


def _turned(output: Any) -> Any:
    """Another opinion: the classes rolled by one."""
    if isinstance(output, Tensor):
        return output.roll(1, -1) + 0.5 * output
    if isinstance(output, dict):
        for key, value in output.items():
            output[key] = _turned(value)
        return output
    if isinstance(output, list | tuple) and not hasattr(output, "_fields"):
        return type(output)(_turned(o) for o in output)
    return output


def accumulation(run: Run) -> Outcome:
    """The mean of two halves against the whole, with normalisation and dropout held still."""
    halves = split(run.batch)
    whole = gradients_of(run.step, run.student, run.teacher, run.batch)
    parts = [gradients_of(run.step, run.student, run.teacher, h) for h in halves]
    mean = [(a + b) / 2 for a, b in zip(*parts, strict=True)]
    gap = difference(mean, whole)
    if gap <= _CLOSE:
        return holds(
            f"two halves differ from the whole by {gap:.1e}", f"两半与整体相差 {gap:.1e}", gap=gap
        )
    return breaks(
        f"two halves differ from the whole by {gap:.2g}", f"两半与整体相差 {gap:.2g}", gap=gap
    )


def processes(run: Run) -> Outcome:
    """Two processes with half of the batch each, against one with all of it."""
    if run.processes != 2:
        return skipped("pass processes=2 to try it", "传入 processes=2 即可检查")
    from didact.probe._processes import gradients_of_two

    whole = gradients_of(run.step, run.student, run.teacher, run.batch)
    student, teacher = copy.deepcopy(run.student), copy.deepcopy(run.teacher)
    found = gradients_of_two(run.step, student, teacher, run.batch)
    gap = difference(found, whole)
    if gap <= _CLOSE:
        return holds(
            f"2 processes differ from one by {gap:.1e}", f"2 个进程与 1 个相差 {gap:.1e}", gap=gap
        )
    return breaks(
        f"2 processes differ from one by {gap:.2g}", f"2 个进程与 1 个相差 {gap:.2g}", gap=gap
    )
