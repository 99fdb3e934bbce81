"""The loss is a number, it can be repeated, and a gradient reaches the student alone."""

from __future__ import annotations

import math
from dataclasses import replace
from inspect import isclass

import torch
from torch import nn

from didact._core.i18n import Text
from didact.probe.forms.evaluation import Evaluation
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import EVERY, law


@law(
    "finite",
    title=Text("finite everywhere", "处处有限"),
    maths=Text(
        "The value and every entry of the gradient are numbers for ordinary logits of either sign.",
        "对任意符号的普通 logits，损失值与梯度的每个分量都是有限数。",
    ),
    meaning=Text(
        "`t log t` of a negative number is NaN: raw logits or log-probabilities stand where "
        "probabilities belong.",
        "负数的 `t log t` 是 NaN：应为概率的位置放了原始 logits 或对数概率。",
    ),
    binds=EVERY,
    logits=False,
)
def finite(case: Case) -> Outcome:
    """Three ordinary inputs."""
    evaluations = [case.here] + [case.subject(case.make(seed=s)) for s in (1, 2)]
    bad_values = sum(not abs(e.value) < float("inf") for e in evaluations)
    bad_gradients = sum(not bool(torch.isfinite(e.gradient).all()) for e in evaluations)
    if not bad_values and not bad_gradients and not case.here.connected:
        return holds("the value is finite; there is no gradient", "值有限；没有梯度")
    if not bad_values and not bad_gradients:
        return holds("value and gradient are finite", "值与梯度均有限")
    return breaks(
        f"value not finite on {bad_values} of 3 inputs, gradient on {bad_gradients} of 3",
        f"3 组输入中 {bad_values} 组的值、{bad_gradients} 组的梯度不是有限数",
        values=bad_values,
        gradients=bad_gradients,
    )


@law(
    "reaches-student",
    title=Text("a gradient reaches the student", "梯度到达学生"),
    maths=Text(
        "dL/ds exists, and is not zero where s differs from t.", "dL/ds 存在，且在 s ≠ t 处不为零。"
    ),
    meaning=Text(
        "The student is not used, or its graph is cut by `.item()`, `.detach()`, `.data` or "
        "`no_grad`. Beside a label term this is silent: only the labels teach.",
        "没有用到学生输出，或计算图被 `.item()`、`.detach()`、`.data`、`no_grad` 切断。"
        "若旁边还有标签项，则不会报错：只有标签在起作用。",
    ),
    binds=EVERY,
    logits=False,
)
def reaches_student(case: Case) -> Outcome:
    """Connected, and not zero."""
    here = case.here
    if here.norm > 0 or not bool(torch.isfinite(here.gradient).all()):
        return holds(f"gradient norm {here.norm:.3g}", f"梯度范数 {here.norm:.3g}", norm=here.norm)
    if not _compares(case):
        return measured(
            "as it is called here the loss takes a path that compares nothing with the teacher",
            "在此处的调用方式下，损失走的分支没有与教师做任何比较",
        )
    moved = case.subject(case.inputs.having(student=case.make(seed=9).student))
    if _nothing(here) and _nothing(moved) and (here.connected or case.subject.label_form):
        if _may_be_masked(case):
            return measured("nothing is compared with this mask", "在此掩码下没有比较任何东西")
        beside_labels = case.subject.label_form is not None
        mistakes = ("EMPTY-SLICE", "STUDENT-UNUSED") if beside_labels else ("EMPTY-SLICE",)
        return breaks(
            f"the value is {here.value:.3g} whatever the student says: nothing is compared",
            f"无论学生输出什么，损失值都是 {here.value:.3g}：没有比较任何东西",
            *mistakes,
        )
    same = moved.value == here.value or abs(moved.value - here.value) <= 1e-9 * abs(here.value)
    if same:
        return breaks(
            "the value does not change with the student, and no gradient arrives",
            "损失值不随学生变化，也没有梯度",
            "STUDENT-UNUSED",
        )
    return breaks(
        "the value changes with the student, but its gradient is zero: the graph is cut",
        "损失值随学生变化，但梯度为零：计算图被切断",
        "GRAPH-CUT",
    )


def _compares(case: Case) -> bool:
    """Whether the loss looks at the teacher, and at the student if no name says who that is.

    Where it does not, a switch or an entry that is not there may lead past the distillation.
    """
    binding = case.subject.binding
    if case.declared:
        return True
    if case.subject.has("teacher") and not binding.looks_at("teacher", case.inputs):
        return False
    return binding.names_student or binding.looks_at("student", case.inputs)


def _may_be_masked(case: Case) -> bool:
    """Whether an unknown mask may have taken everything away."""
    return case.subject.has("mask") and not case.declared


def _nothing(evaluation: Evaluation) -> bool:
    """Whether the value is that of an empty sum or mean."""
    return math.isnan(evaluation.value) or abs(evaluation.value) < 1e-12


@law(
    "teacher-gradient",
    title=Text("no gradient reaches the teacher", "教师得不到梯度"),
    maths=Text("dL/dt = 0: the teacher is a constant.", "dL/dt = 0：教师是常量。"),
    meaning=Text(
        "Harmless where the teacher's outputs come from `no_grad`. Where they do not, the teacher "
        "moves towards the student, or memory is spent on its graph.",
        "若教师输出来自 `no_grad` 则无害；否则教师会向学生靠拢，或白白占用显存。",
    ),
    binds=(),
    logits=False,
)
def teacher_gradient(case: Case) -> Outcome:
    """The gradient with respect to the teacher's side."""
    subject = case.subject
    if not subject.has("teacher") and not subject.has("teacher_model"):
        return skipped("the loss has no teacher", "该损失没有教师输入")
    dtype = subject.binding.dtype
    student = case.inputs.student.detach().clone().to(dtype).requires_grad_()
    teacher = case.inputs.teacher.detach().clone().to(dtype).requires_grad_()
    value = subject.binding(case.inputs.having(student=student, teacher=teacher))
    if not value.requires_grad:
        return holds("the teacher is detached", "教师已分离")
    (gradient,) = torch.autograd.grad(value, teacher, allow_unused=True)
    norm = 0.0 if gradient is None else float(gradient.detach().norm())
    if norm == 0:
        return holds("the teacher is detached", "教师已分离", norm=0.0)
    if not math.isfinite(norm):
        return measured("the teacher's gradient is not finite", "教师的梯度不是有限数", norm=norm)
    mistakes = ("TEACHER-GRAD",) if "teacher_model" in subject.binding.roles else ()
    return advises(
        f"a gradient of norm {norm:.3g} reaches the teacher: detach its outputs, or make them "
        "under no_grad",
        f"教师梯度范数 {norm:.3g}：请 detach 教师输出，或在 no_grad 下计算",
        *mistakes,
        norm=norm,
    )


@law(
    "deterministic",
    title=Text("the same inputs give the same loss", "相同输入给出相同损失"),
    maths=Text("L(s, t) computed twice is equal.", "两次计算的 L(s, t) 相等。"),
    meaning=Text(
        "A dropout, a random mask or a memory is inside. Intended for a few losses (MGD, CRD).",
        "内部有 dropout、随机掩码或记忆库。对少数损失（MGD、CRD）属有意设计。",
    ),
    binds=("divergence",),
    logits=False,
)
def deterministic(case: Case) -> Outcome:
    """Two calls with different states of the random generator."""
    evaluations: list[Evaluation] = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            student = case.inputs.student.clone().requires_grad_()
            value = case.subject.binding(case.inputs.having(student=student)).detach()
            evaluations.append(Evaluation(float(value), torch.zeros(1), connected=True))
    gap = abs(evaluations[0].value - evaluations[1].value)
    if not gap > 1e-6 * abs(evaluations[0].value):
        return _remembers(case) or holds("two calls agree", "两次调用一致")
    return breaks(f"two calls differ by {gap:.3g}", f"两次调用相差 {gap:.3g}", gap=gap)


def _remembers(case: Case) -> Outcome | None:
    """What calls one after another of the same module say, whose buffers go on: a moving centre."""
    binding = case.subject.binding
    if not _has_buffers(binding.target.source):
        return None
    target = replace(binding.target, lasting=True, _made={})
    going_on = replace(binding, target=target, seen={}, touched=set())
    values = []
    for _ in range(2):
        torch.manual_seed(1)
        values.append(float(going_on(case.inputs).detach()))
    gap = abs(values[0] - values[1])
    if not gap > 1e-6 * abs(values[0]):
        return None
    names = ", ".join(target.remembered())
    return advises(
        f"a second call of the same module differs by {gap:.3g}: it remembers ({names}); the "
        "other laws speak of a fresh one",
        f"同一模块第二次调用相差 {gap:.3g}：模块有记忆（{names}）；其余定律针对新建的模块",
        gap=gap,
    )


def _has_buffers(source: object) -> bool:
    """A module, or a class of modules, whose instances may have buffers."""
    return isinstance(source, nn.Module) or (isclass(source) and issubclass(source, nn.Module))


@law(
    "inputs-unchanged",
    title=Text("the loss leaves its inputs alone", "不修改输入"),
    maths=Text(
        "The tensors that are passed in have the same values after the call.",
        "调用之后，传入的张量数值不变。",
    ),
    meaning=Text(
        "An operation in place (`t.div_(T)`, `t /= T`) changes the logits for every term that "
        "comes after it.",
        "原地操作（`t.div_(T)`、`t /= T`）会改变后面各项看到的 logits。",
    ),
    binds=(),
    logits=False,
)
def inputs_unchanged(case: Case) -> Outcome:
    """What all calls so far have done."""
    touched = sorted(case.subject.binding.touched)
    if not touched:
        return holds("no operation in place", "没有原地操作")
    words = {"student": "学生", "teacher": "教师"}
    return advises(
        f"changed in place: the logits of the {' and the '.join(touched)}",
        f"被原地修改：{'与'.join(words[t] for t in touched)}的 logits",
        touched=touched,
    )
