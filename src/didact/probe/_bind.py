"""Bind the parameters of a loss: first by name, then by trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from inspect import Parameter
from itertools import permutations
from typing import Any

import torch

from didact._core.errors import UsageError
from didact.probe._binding import Binding
from didact.probe._inputs import Layout, make
from didact.probe._roles import Guess, Role, guess
from didact.probe._slots import Slot
from didact.probe._target import (
    Target,
    call_parameters,
    constructor_slots,
    varied_attributes,
)

_TENSORS: tuple[Role, ...] = ("student", "teacher", "labels")


def bind(
    source: Any,
    *,
    arguments: Mapping[str, Any],
    init: Mapping[str, Any],
    roles: Mapping[str, Role],
    layout: Layout | None,
) -> Binding:
    """The first way to call ``source`` in which a gradient reaches the student.

    Raises:
        UsageError: No way was found; the message gives the reason of the likeliest one.
    """
    if not callable(source):
        raise UsageError(f"{source!r} cannot be called; expected a function, module or class")
    parameters = call_parameters(source)
    _check_names(parameters, {**arguments, **roles})
    target = Target(source, constructor_slots(source, init), varied_attributes(source))
    guesses = {p.name: _judge(p, roles) for p in parameters}
    fallback: Binding | None = None
    reasons: list[str] = []
    for wanted in [layout] if layout else _layouts(guesses):
        for slots in _candidates(parameters, guesses, arguments):
            for dtype in (torch.float64, torch.float32):
                binding = Binding(target, slots, wanted, dtype, arguments)
                verdict = _try(binding)
                if verdict == "":
                    return binding
                if verdict != _NO_GRADIENT:
                    reasons.append(verdict)
                    continue
                fallback = fallback or binding
                break
    if fallback is not None:
        return fallback
    raise UsageError(_refusal(guesses, reasons))


_NO_GRADIENT = "no gradient reaches the student"


def _try(binding: Binding) -> str:
    """An empty text for a good binding, else the reason."""
    sample = make(binding.layout)
    student = sample.student.clone().to(binding.dtype).requires_grad_()
    try:
        value = binding(sample.having(student=student))
        if not value.requires_grad:
            return _NO_GRADIENT
        (gradient,) = torch.autograd.grad(value, student, allow_unused=True)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return f"{type(error).__name__}: {str(error).strip()[:300]}"
    if gradient is None or not bool((gradient != 0).any()):
        return _NO_GRADIENT
    return ""


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


def _candidates(
    parameters: list[Parameter], guesses: Mapping[str, Guess], arguments: Mapping[str, Any]
) -> Iterator[tuple[Slot, ...]]:
    """Every sensible assignment of roles, the likeliest first."""
    free = [p for p in parameters if p.name not in arguments]
    for roles in _assignments(free, guesses):
        if "student" not in roles.values():
            continue
        optional = [
            p.name
            for p in free
            if p.default is not Parameter.empty and roles[p.name] in ("mask", "labels", "index")
        ]
        for without in [[], optional] if optional else [[]]:
            for mask in _mask_types(roles):
                yield tuple(
                    _slot(
                        p, guesses[p.name], roles.get(p.name, "default"), arguments, without, mask
                    )
                    for p in parameters
                )


def _mask_types(roles: Mapping[str, Role]) -> list[torch.dtype | None]:
    if "mask" not in roles.values():
        return [None]
    return [torch.bool, torch.float32, torch.int64]


def _slot(
    parameter: Parameter,
    found: Guess,
    role: Role,
    arguments: Mapping[str, Any],
    without: list[str],
    mask: torch.dtype | None,
) -> Slot:
    name, positional = parameter.name, parameter.kind is Parameter.POSITIONAL_ONLY
    if name in arguments:
        settings = ("temperature", "weight", "options")
        if found.role not in settings or not isinstance(arguments[name], int | float):
            return Slot(name, "unknown", value=arguments[name], fixed=True, positional=positional)
    has_default = parameter.default is not Parameter.empty
    if name in without or (role in ("reduction", "count", "unknown") and has_default):
        role = "default"
    return Slot(name, role, found.space, mask if role == "mask" else None, positional=positional)


def _assignments(free: list[Parameter], guesses: Mapping[str, Guess]) -> Iterator[dict[str, Role]]:
    """Roles by name: what is sure stays; what is not is tried in the likeliest order."""
    sure: dict[str, Role] = {p.name: guesses[p.name].role for p in free if guesses[p.name].sure}
    sure |= {p.name: guesses[p.name].role for p in free if guesses[p.name].role == "default"}
    sure |= {p.name: "weight" for p in free if guesses[p.name].role == "weight"}
    unsure = [p.name for p in free if p.name not in sure]
    taken = set(sure.values())
    teacher_known = taken & {"teacher", "teacher_model"}
    sides: tuple[Role, ...] = ("student", "teacher")
    missing = [r for r in sides if r not in taken]
    if teacher_known and "teacher" in missing:
        missing.remove("teacher")
    pool: list[Role] = [*missing]
    if "labels" not in taken:
        pool.append("labels")
    extra: list[Role] = ["labels"] * max(0, len(unsure) - len(pool))
    orders: set[tuple[Role, ...]] = set(permutations([*pool, *extra], len(unsure)))
    tries = sorted(
        orders,
        key=lambda roles: _oddity(roles, unsure, guesses, missing),
    )
    for roles in tries:
        yield {**sure, **dict(zip(unsure, roles, strict=True))}


def _oddity(
    roles: tuple[Role, ...], names: list[str], guesses: Mapping[str, Guess], missing: list[Any]
) -> tuple[int, int, tuple[int, ...]]:
    absent = sum(r not in roles for r in missing)
    unlike = sum(guesses[n].role not in (r, "unknown") for n, r in zip(names, roles, strict=True))
    return absent, unlike, tuple(_TENSORS.index(r) for r in roles)


def _check_names(parameters: list[Parameter], given: Mapping[str, Any]) -> None:
    known = [p.name for p in parameters]
    holders = any(guess(p).role == "options" for p in parameters)
    for name in given:
        if name not in known and not holders:
            raise UsageError(f"{name!r} is no parameter of the loss; expected one of {known}")


def _refusal(guesses: Mapping[str, Guess], reasons: list[str]) -> str:
    bound = ", ".join(f"{n} as {g.role}" for n, g in guesses.items()) or "no parameter at all"
    reason = reasons[0] if reasons else "no parameter can be the student's output"
    return (
        f"the loss cannot be called with crafted inputs. Tried {bound}; the first try ended in: "
        f"{reason}. Name the parts with --student NAME, --teacher NAME, --labels NAME, or fix "
        "others with --arg NAME=VALUE and --init NAME=VALUE."
    )
