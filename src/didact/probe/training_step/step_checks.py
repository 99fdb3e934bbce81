"""What is checked on one real training step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from didact.probe.errors import ProbeError, reason_of
from didact.probe.judging.case import Outcome, advises, breaks, holds, skipped
from didact.probe.training_step.batch import split
from didact.probe.training_step.gradients import Frozen, Step, difference, gradients_of
from didact.probe.training_step.other_teacher import noise, turned_outputs

_CLOSE = 1e-3
_Gradients = list[Tensor]


class Run:
    """One training step as it is, and what it did to the teacher.

    Raises:
        ProbeError: The step raises.
    """

    def __init__(
        self,
        step: Step,
        student: nn.Module,
        teacher: nn.Module,
        batch: Any,
        processes: int,
        maker: str | None,
    ) -> None:
        self.step, self.student, self.teacher, self.batch = step, student, teacher, batch
        self.processes, self.maker = processes, maker
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
        except ProbeError:
            raise
        except Exception as error:
            reason = reason_of(error)
            raise ProbeError(
                f"the step raised {reason.en}", f"训练步抛出异常 {reason.zh}"
            ) from error
        finally:
            for hook in watched:
                hook.remove()

    def gradients(self, batch: Any) -> _Gradients:
        """The student's gradients, with normalisation and dropout held still."""
        return gradients_of(self.step, self.student, self.teacher, batch)


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
        return breaks(text, chinese, "TEACHER-TRAIN-MODE", calls=training)
    return advises(text + "; none of them cares", chinese + "；但没有模块受其影响", calls=training)


def _depends_on_mode(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd)


def teacher_unchanged(run: Run) -> Outcome:
    """Whether its parameters and buffers are the same bits, and its own."""
    owned = {id(p) for p in run.student.parameters()}
    shared = [id(p) in owned for p in run.teacher.parameters()]
    if shared and all(shared):
        return breaks(
            "the teacher's parameters are the student's own: they change together",
            "教师的参数就是学生的参数：两者一起变化",
            "ALIAS-TEACHER",
        )
    moved = [n for n, v in run.before.items() if not torch.equal(v, run.after[n])]
    if not moved:
        return holds("parameters and buffers are the same bits", "参数与缓冲区逐位不变")
    parameters = {n for n, _ in run.teacher.named_parameters()}
    trained = any(n in parameters for n in moved)
    shown = ", ".join(moved[:3])
    return breaks(
        f"changed: {shown} ({len(moved)} in all)",
        f"已改变：{shown}（共 {len(moved)} 个）",
        "OPT-HAS-TEACHER" if trained else "BN-DRIFT",
        changed=moved,
    )


def teacher_gradient(run: Run) -> Outcome:
    """Whether a gradient reached it."""
    norm = run.reached.norm()
    if not norm:
        return holds("none", "没有")
    text = f"gradient norm {norm:.3g}", f"梯度范数 {norm:.3g}"
    return advises(*text, "TEACHER-GRAD", norm=norm)


def student_gradient(run: Run) -> Outcome:
    """Whether one reached the student."""
    norm = float(torch.cat([g.flatten() for g in run.gradient]).norm()) if run.gradient else 0.0
    if norm > 0:
        return holds(f"gradient norm {norm:.3g}", f"梯度范数 {norm:.3g}", norm=norm)
    return breaks("zero", "为零", "GRAPH-CUT")


def distillation_reaches(run: Run) -> Outcome:
    """Whether the student's gradient changes with what the teacher says."""
    if not run.modes:
        return skipped("the teacher was not called", "没有调用教师")
    plain, gap = run.gradients(run.batch), 0.0
    for other in (turned_outputs, noise):
        with other(run.teacher):
            gap = max(gap, difference(run.gradients(run.batch), plain))
        if gap > 1e-6:
            return holds(
                f"another teacher changes it by {gap:.2g}", f"换一个教师时变化 {gap:.2g}", gap=gap
            )
    return breaks(
        "another teacher leaves the student's gradient as it is: the term does not reach it",
        "换一个教师后学生梯度不变：蒸馏项没有传到学生",
        "GRAPH-CUT",
        gap=gap,
    )


def accumulation(run: Run) -> Outcome:
    """The mean of two halves against the whole, with normalisation and dropout held still."""

    def halves(parts: tuple[Any, Any]) -> _Gradients:
        first, second = (run.gradients(part) for part in parts)
        return [(a + b) / 2 for a, b in zip(first, second, strict=True)]

    return _against_whole(run, halves, "two halves differ from the whole", "两半与整体相差")


def processes(run: Run) -> Outcome:
    """Two processes with half of the batch each, against one with all of it."""
    if run.processes != 2:
        return skipped("pass processes=2 to try it", "传入 processes=2 即可检查")
    from didact.probe.training_step.processes import TwoProcessStep, gradients_of_two

    def two(parts: tuple[Any, Any]) -> _Gradients:
        unused = any(not bool(g.any()) for g in run.gradient)
        if run.maker is None:
            models = copy.deepcopy(run.student), copy.deepcopy(run.teacher)
            return gradients_of_two(TwoProcessStep((run.step, *models), None, None, parts, unused))
        states = run.student.state_dict(), run.teacher.state_dict()
        return gradients_of_two(TwoProcessStep(None, run.maker, states, parts, unused))

    return _against_whole(run, two, "2 processes differ from one", "2 个进程与 1 个相差")


def _against_whole(
    run: Run, parts: Callable[[tuple[Any, Any]], _Gradients], words: str, chinese: str
) -> Outcome:
    try:
        batch, *both = split(run.batch)
        whole, mean = run.gradients(batch), parts((both[0], both[1]))
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        return advises(f"cannot be tried: {reason.en}", f"无法检查：{reason.zh}")
    gap = difference(mean, whole)
    text = f"{words} by {gap:.1e}", f"{chinese} {gap:.1e}"
    if gap <= _CLOSE:
        return holds(*text, gap=gap)
    factors = {"BATCH-SUM": 2.0, "BATCH-TWICE": 0.5}
    named = [
        name for name, by in factors.items() if difference([by * g for g in mean], whole) <= _CLOSE
    ]
    return breaks(*text, *named, gap=gap)
