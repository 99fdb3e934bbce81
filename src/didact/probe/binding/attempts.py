"""Try one way to call a loss, and supply what it asks for by its errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import torch

from didact._core.i18n import Text
from didact.probe.binding.binding import Binding
from didact.probe.binding.networks import Passing
from didact.probe.binding.roles import guess_option
from didact.probe.errors import reason_of

_ROUNDING = 1e-9
_PROCESSES = re.compile("process group|init_process_group")
_A_TENSOR = re.compile(r"'float' object has no attribute '(cuda|to|item|view|float|device|size)'")
_LACKING = re.compile(r"the options have no '\w+'; pass --arg ([\w.]+)=VALUE")
_MOST_BY_TRIAL, MOST_TRIALS = 4, 60
_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
_GLOBAL = ("options", "temperature", "weight", "coefficient", "device", "criterion", "count")
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


def supplied(binding: Binding, trials: Iterator[int]) -> tuple[Binding, Text | None]:
    """The binding, with a group of processes and options where the loss asks for them.

    ``trials`` counts what is left of trials with options whose names say nothing.
    """
    verdict = attempt(binding)
    while verdict is not None:
        name = _UNDEFINED.match(verdict.en)
        if _PROCESSES.search(verdict.en) and not binding.alone:
            binding = replace(binding, alone=True)
        elif _A_TENSOR.search(verdict.en) and not binding.as_tensors:
            binding = replace(binding, as_tensors=True)
        elif name and name[1] not in binding.absent and guess_option(name[1]) in _GLOBAL:
            binding = replace(binding, absent=(*binding.absent, name[1]))
        elif (lacking := _LACKING.search(verdict.en)) and len(binding.by_trial) < _MOST_BY_TRIAL:
            return _by_trial(binding, lacking[1], verdict, trials)
        else:
            break
        verdict = attempt(binding)
    return binding, verdict


def _by_trial(
    binding: Binding, name: str, lacking: Text, trials: Iterator[int]
) -> tuple[Binding, Text | None]:
    """An option whose name says nothing is 1, or a layer that changes nothing where it is called.

    Should neither do, what the loss lacked is the reason.
    """
    for value in (1, Passing()):
        if next(trials, None) is None:
            break
        given, by_trial = ({**each, name: value} for each in (binding.given, binding.by_trial))
        found, verdict = supplied(replace(binding, given=given, by_trial=by_trial), trials)
        if verdict is None:
            return found, None
    return binding, lacking


def constant(binding: Binding) -> Text | None:
    """Said of a loss that gives one number whatever comes in: no distilling path was taken."""
    values = [float(binding(binding.make(seed=seed)).detach()) for seed in (0, 5)]
    apart = abs(values[0] - values[1])
    if not apart <= _ROUNDING * max(1.0, *map(abs, values)):  # nor if there is no number
        return None
    return Text(
        f"the loss is {values[0]:.4g} whatever student, teacher and labels are",
        f"无论学生、教师和标签如何变化，损失恒为 {values[0]:.4g}",
    )
