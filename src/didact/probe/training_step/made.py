"""A training step that a function of the user makes."""

from __future__ import annotations

from typing import Any

from torch import nn

from didact._core.lookup import load
from didact.probe.errors import ProbeError, reason_of
from didact.probe.training_step.gradients import Step

Made = tuple[Step, nn.Module, nn.Module, Any]


def made(spec: str) -> Made:
    """``(step, student, teacher, batch)`` as the function that ``spec`` names returns them.

    Raises:
        ProbeError: It raises, or returns something else.
        UnknownNameError: It cannot be imported.
    """
    return checked(load(spec, what="function"), spec)


def checked(make: Any, spec: str) -> Made:
    """The same for a function at hand.

    Raises:
        ProbeError: It raises, or returns something else.
    """
    if not callable(make):
        name = type(make).__name__
        raise ProbeError(
            f"{spec} is of type {name}; expected a function that returns "
            "(step, student, teacher, batch)",
            f"{spec} 的类型是 {name}；应为返回 (step, student, teacher, batch) 的函数",
        )
    try:
        found = make()
    except Exception as error:
        reason = reason_of(error)
        raise ProbeError(f"{spec} raised {reason.en}", f"{spec} 抛出异常 {reason.zh}") from error
    if isinstance(found, tuple | list) and len(found) == 4:
        step, student, teacher, batch = found
        if callable(step) and isinstance(student, nn.Module) and isinstance(teacher, nn.Module):
            return step, student, teacher, batch
    shown = type(found).__name__
    if isinstance(found, tuple | list):
        shown = f"({', '.join(type(each).__name__ for each in found)})"
    raise ProbeError(
        f"{spec} returned {shown}; expected (step, student, teacher, batch): a function, two "
        "modules and what the function takes",
        f"{spec} 返回了 {shown}；应为 (step, student, teacher, batch)：一个函数、两个模块及其输入",
    )
