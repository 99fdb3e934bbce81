"""Bind the parameters of a loss: first by name, then by trial."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from inspect import Parameter, isclass, signature
from itertools import islice, product
from typing import Any

import torch
from torch import nn

from didact._core.i18n import Text
from didact.probe.binding.binding import Binding
from didact.probe.binding.candidates import candidates
from didact.probe.binding.roles import Guess, Role, guess
from didact.probe.binding.target import (
    Target,
    call_parameters,
    constructor_slots,
    varied_attributes,
)
from didact.probe.binding.words import ROLES
from didact.probe.errors import ProbeError, reason_of
from didact.probe.inputs.inputs import BATCH, LOGIT_LAYOUTS, Layout, Sizes

_OLD = 3
_MOST = 500
_ABOUT_SHAPES = re.compile(
    "RuntimeError|IndexError|ValueError|ShapeError|AssertionError|AttributeError: the options"
)
_SQUARE = Sizes(classes=BATCH)
_SQUARE_OLD = Sizes(classes=BATCH + 2, old=BATCH)


def bind(
    source: Any,
    *,
    arguments: Mapping[str, Any],
    init: Mapping[str, Any],
    roles: Mapping[str, Role],
    layout: Layout | None,
    old_classes: int | None = None,
) -> Binding:
    """The first way to call ``source`` in which a gradient reaches the student.

    Raises:
        ProbeError: No way was found; the message gives the reason of the likeliest one.
    """
    if not callable(source):
        raise ProbeError(
            f"{source!r} cannot be called; expected a function, module or class",
            f"{source!r} 不可调用；应为函数、模块或类",
        )
    if isclass(source) and not issubclass(source, nn.Module) and not _has_call(source):
        name = source.__name__
        raise ProbeError(
            f"the class {name} cannot be called once it is built; expected a forward or __call__, "
            f"or name one of its methods, as {name}.kd_loss",
            f"类 {name} 的实例不可调用；应有 forward 或 __call__，或指定其方法，如 {name}.kd_loss",
        )
    parameters = call_parameters(source)
    parameters += _keywords(source, parameters, {**arguments, **dict.fromkeys(roles)})
    _check_names(parameters, {**arguments, **dict.fromkeys(roles)})
    target = Target(source, constructor_slots(source, init), varied_attributes(source))
    guesses = {p.name: _judge(p, roles) for p in parameters}
    slots = list(candidates(parameters, guesses, arguments))
    if models := _as_models(guesses):
        slots += list(candidates(parameters, models, arguments))
    reasons: list[Text] = []
    for plan in _plans(guesses, target, layout, old_classes):
        if reasons and not any(_ABOUT_SHAPES.match(r.en) for r in reasons):
            break
        fallback: Binding | None = None
        ways = product(plan, slots, (torch.float64, torch.float32))
        for (sizes, wanted), each, dtype in islice(ways, _MOST):
            binding = Binding(target, each, wanted, dtype, arguments, sizes=sizes)
            verdict = attempt(binding)
            if verdict is None:
                return binding
            if verdict is NO_GRADIENT:
                fallback = fallback or binding
            else:
                reasons.append(verdict)
        if fallback is not None:
            return fallback
    raise ProbeError(*_refusal(guesses, reasons))


NO_GRADIENT = Text("no gradient reaches the student", "没有梯度到达学生")


def attempt(binding: Binding) -> Text | None:
    """Nothing for a binding by which a gradient reaches the student, else the reason."""
    sample = binding.make()
    student = sample.student.clone().to(binding.dtype).requires_grad_()
    try:
        value = binding(sample.having(student=student))
        if not value.requires_grad:
            return NO_GRADIENT
        (gradient,) = torch.autograd.grad(value, student, allow_unused=True)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return reason_of(error)
    if gradient is None or not bool((gradient != 0).any()):
        return NO_GRADIENT
    return None


def _has_call(source: type) -> bool:
    return any("__call__" in vars(base) for base in source.__mro__)


def _keywords(source: Any, known: list[Parameter], given: Mapping[str, Any]) -> list[Parameter]:
    """The names that the user gives to a loss that takes ``**kwargs``."""
    try:
        found = signature(source).parameters.values()
    except (TypeError, ValueError):
        return []
    if not any(p.kind is Parameter.VAR_KEYWORD for p in found):
        return []
    names = {p.name for p in known}
    return [Parameter(n, Parameter.KEYWORD_ONLY) for n in given if n not in names]


def _as_models(guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """For ``(student, teacher, images)``: the two sides may be models."""
    models: dict[Role, Role] = {"student": "student_model", "teacher": "teacher_model"}
    sides = [g.role for g in guesses.values() if g.sure]
    if len(guesses) < 3 or not {"student", "teacher"} <= set(sides):
        return {}
    return {n: replace(g, role=models.get(g.role, g.role)) for n, g in guesses.items()}


_Plan = list[tuple[Sizes, Layout]]


def _plans(
    guesses: Mapping[str, Guess], target: Target, layout: Layout | None, old_classes: int | None
) -> Iterator[_Plan]:
    """Sizes and layouts to try: the ordinary ones first, unless the loss speaks of old classes."""
    asked = [g.role for g in guesses.values()] + [s.role for s in target.built]
    layouts = [layout] if layout else _layouts(guesses)
    fewer_asked = old_classes is not None or "old_classes" in asked
    if not fewer_asked:
        yield [(Sizes(), each) for each in layouts]
    labelled = any(g.role == "labels" for g in guesses.values())
    sizes = [*_fewer(old_classes or _OLD, True, labelled), _SQUARE_OLD]
    if fewer_asked:
        sizes = [*_fewer(old_classes or _OLD, False, labelled), *sizes]
        sizes.append(replace(_SQUARE_OLD, narrow=False))
    else:
        sizes.insert(0, _SQUARE)
    for each in layouts:
        if each in LOGIT_LAYOUTS:
            yield [(size, each) for size in sizes]


def _fewer(old: int, narrow: bool, labelled: bool) -> Iterator[Sizes]:
    batch = next(b for b in range(BATCH, BATCH + 6, 2) if b not in (old, old + 2))
    plain = Sizes(batch, classes=old + 2, old=old, narrow=narrow)
    yield plain
    if labelled:
        yield replace(plain, labelled="new")
        yield replace(plain, labelled="low")


def _judge(parameter: Parameter, roles: Mapping[str, Role]) -> Guess:
    found = guess(parameter)
    if parameter.name in roles:
        return replace(found, role=roles[parameter.name], sure=True)
    return found


def _layouts(guesses: Mapping[str, Guess]) -> list[Layout]:
    sides = [g for g in guesses.values() if g.role in ("student", "teacher", "unknown")]
    if any(g.features for g in sides):
        return ["maps", "vectors", "layers", "classes"]
    if any(g.plural for g in sides):
        return ["teachers", "classes", "sequence"]
    return ["classes", "sequence", "outputs", "teachers", "vectors", "maps", "layers"]


def _check_names(parameters: list[Parameter], given: Mapping[str, Any]) -> None:
    known = [p.name for p in parameters]
    holders = any(guess(p).role == "options" for p in parameters)
    for name in given:
        if name not in known and not holders:
            raise ProbeError(
                f"{name!r} is no parameter of the loss; expected one of {known}",
                f"{name!r} 不是该损失的参数；应为 {known} 之一",
            )


def _refusal(guesses: Mapping[str, Guess], reasons: list[Text]) -> tuple[str, str]:
    bound = Text(
        ", ".join(f"{n} = {ROLES[g.role].en}" for n, g in guesses.items()),
        "、".join(f"{n} = {ROLES[g.role].zh}" for n, g in guesses.items()),
    )
    bound = bound if guesses else Text("no parameter at all", "没有任何参数")
    none = Text("no parameter can be the student's output", "没有参数可以作为学生的输出")
    said = Text(
        "the loss cannot be called with crafted inputs. Tried {bound}; the first try ended in: "
        "{reason}. Name the parts with --student NAME, --teacher NAME, --labels NAME, or fix "
        "others with --arg NAME=VALUE and --init NAME=VALUE.",
        "无法用构造的输入调用该损失。已尝试 {bound}；第一次尝试的结果：{reason}。"
        "请用 --student NAME、--teacher NAME、--labels NAME 指明各参数，"
        "或用 --arg NAME=VALUE、--init NAME=VALUE 固定其余参数。",
    ).format(bound=bound, reason=reasons[0] if reasons else none)
    return said.en, said.zh
