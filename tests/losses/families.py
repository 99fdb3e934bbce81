"""The six faults of public distillation code, put around every loss from outside.

``mutants.py`` plants faults where their pattern stands in a text; here each loss, whatever
its text, is made to commit each fault that its inputs allow.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from tests.losses.support import Case, make_case, map_tensors, tensors_of
from torch import Tensor

from didact._core.errors import DidactError

Call = Callable[..., Tensor]
Given = dict[str, Any]


def _sides(given: Given) -> list[tuple[str, str]]:
    """Inputs of the student that have a counterpart of the teacher."""
    names = [(n, n.replace("student", "teacher")) for n in given if n.startswith("student")]
    return [(mine, other) for mine, other in names if mine in given and other in given]


def _swap(call: Call, given: Given) -> Tensor:
    if "teachers_logits" in given:
        first, *others = given["teachers_logits"]
        swapped = {"student_logits": first, "teachers_logits": [given["student_logits"], *others]}
        return call(**{**given, **swapped})
    turned = dict(given)
    for mine, other in _sides(given):
        turned[mine], turned[other] = given[other], given[mine]
    return call(**turned)


def _forget_temperature(call: Call, given: Given) -> Tensor:
    default = inspect.signature(call).parameters["temperature"].default
    return call(**given) / given.get("temperature", default) ** 2


def _average_classes(call: Call, given: Given) -> Tensor:
    return call(**given) / given["student_logits"].shape[-1]


def _transpose(call: Call, given: Given) -> Tensor:
    first = 0 if "student_logits" in given else 1
    sides = {n: v for n, v in given.items() if n.startswith(("student", "teacher"))}
    turned = {n: map_tensors(v, lambda t: t.transpose(first, -1)) for n, v in sides.items()}
    return call(**{**given, **turned})


def _turn_sign(call: Call, given: Given) -> Tensor:
    return -call(**given)


def _leak(call: Call, given: Given) -> Tensor:
    teacher = [t for n, v in given.items() if n.startswith("teacher") for t in tensors_of(v)]
    return call(**given) + sum((t - t.detach()).sum() for t in teacher)


FAMILIES: dict[str, tuple[Callable[[Call, Given], Tensor], Callable[[Case], bool]]] = {
    "sides swapped": (
        _swap,
        lambda case: bool(_sides(case.inputs)) or "teachers_logits" in case.inputs,
    ),
    "T squared missing": (_forget_temperature, lambda case: case.takes("temperature")),
    "mean over classes": (_average_classes, lambda case: "student_logits" in case.inputs),
    "other dimension": (_transpose, lambda case: True),
    "sign turned": (_turn_sign, lambda case: True),
    "teacher not detached": (_leak, lambda case: bool(case.names("teacher"))),
}
"""Each fault, and which losses have the inputs for it."""


def applies(name: str, family: str) -> bool:
    """Whether a loss can commit a fault: its own checks do not refuse it, and it alters something.

    A mean of squares, say, does not mind which dimension comes first.
    """
    real = make_case(name)
    if not FAMILIES[family][1](real):
        return False
    try:
        found = faulty(name, family)
        found.loss()
        return family != "other dimension" or _alters(found, real)
    except DidactError:
        return False


def _alters(found: Case, real: Case) -> bool:
    values = [(found.loss(), real.loss()), *zip(found.gradients(), real.gradients(), strict=True)]
    return not all(torch.allclose(one, other, rtol=1e-9, atol=1e-9) for one, other in values)


def faulty(name: str, family: str) -> Case:
    """A case of a loss that commits a fault."""
    real = make_case(name).card.function
    commit = FAMILIES[family][0]
    if not inspect.isclass(real):
        return make_case(name, function=lambda **given: commit(real, given))

    class Faulty(real):  # type: ignore[misc, valid-type]
        def forward(self, **given: Any) -> Tensor:
            return commit(super().forward, given)

    return make_case(name, function=Faulty)
