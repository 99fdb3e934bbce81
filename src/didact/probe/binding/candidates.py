"""Which parameter of a loss gets what: every sensible assignment, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import Parameter
from itertools import permutations
from typing import Any

import torch

from didact.probe.binding.roles import Guess, Role
from didact.probe.binding.slots import Slot

_TENSORS: tuple[Role, ...] = ("student", "teacher", "labels")
_MOST = 30


def candidates(
    parameters: list[Parameter], guesses: Mapping[str, Guess], arguments: Mapping[str, Any]
) -> Iterator[tuple[Slot, ...]]:
    """Every sensible assignment of roles, the likeliest first."""
    free = [p for p in parameters if p.name not in arguments]
    for roles in _assignments(free, guesses):
        if not {"student", "student_model"} & set(roles.values()):
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
    sides: tuple[Role, ...] = ("student", "teacher")
    missing = [r for r in sides if not {r, f"{r}_model"} & taken]
    pool: list[Role] = [*missing] if "labels" in taken else [*missing, "labels"]
    orders = set(_orders(len(unsure), missing, pool))
    tries = sorted(orders, key=lambda roles: _oddity(roles, unsure, guesses, missing))
    for roles in tries[:_MOST]:
        yield {**sure, **dict(zip(unsure, roles, strict=True))}


def _orders(count: int, missing: list[Role], pool: list[Role]) -> Iterator[tuple[Role, ...]]:
    """The missing sides at every place, labels elsewhere; or as many of both as there is room."""
    if count < len(pool):
        yield from permutations(pool, count)
        return
    for places in permutations(range(count), len(missing)):
        roles: list[Role] = ["labels"] * count
        for place, role in zip(places, missing, strict=True):
            roles[place] = role
        yield tuple(roles)


def _oddity(
    roles: tuple[Role, ...], names: list[str], guesses: Mapping[str, Guess], missing: list[Any]
) -> tuple[int, int, tuple[int, ...]]:
    absent = sum(r not in roles for r in missing)
    unlike = sum(guesses[n].role not in (r, "unknown") for n, r in zip(names, roles, strict=True))
    return absent, unlike, tuple(_TENSORS.index(r) for r in roles)
