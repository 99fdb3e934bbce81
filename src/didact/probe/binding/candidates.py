"""Which parameter of a loss gets what: every sensible assignment, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from inspect import Parameter
from itertools import chain, permutations, product
from typing import Any

import torch

from didact._core.words import words
from didact.probe.binding.configurations import configuration_of, output_of
from didact.probe.binding.documented import teachers_axis
from didact.probe.binding.networks import ANSWERS
from didact.probe.binding.roles import OUTPUT, Guess, Role, guess
from didact.probe.binding.slots import Slot, given_as_role
from didact.probe.binding.written import pairs_unpacked
from didact.probe.inputs.inputs import Layout

_TENSORS: tuple[Role, ...] = ("student", "teacher", "labels")
_MOST = 30
_SIDES: dict[Role, Role] = {"student": "student_model", "teacher": "teacher_model"}
_BATCHES = frozenset({"batch", "data", "inputs", "input", "sample", "samples", "x", "images"})

_BESIDE: tuple[Layout, ...] = (
    "tokens",
    "maps",
    "vectors",
    "layers",
    "hidden",
    "nested_maps",
    "named_maps",
)

Slots = tuple[Slot, ...]


def candidates(
    source: Any,
    parameters: list[Parameter],
    guesses: Mapping[str, Guess],
    arguments: Mapping[str, Any],
    held: frozenset[Role] = frozenset(),
) -> Iterator[Slots]:
    """Every sensible assignment of roles, the likeliest first; ``held`` is the constructor's."""
    free = [p for p in parameters if p.name not in arguments]
    pairs = pairs_unpacked(source)
    sides = held & {"student_model", "teacher_model"}
    plans = [
        _assignments(free, guesses, each) for each in ([sides, frozenset()] if sides else [held])
    ]
    for roles in chain(*plans):
        if "student_model" not in held and not _has_student(roles, parameters, arguments):
            continue
        optional = [
            p.name
            for p in free
            if p.default is not Parameter.empty and roles[p.name] in ("mask", "labels", "index")
        ]
        for without in [[], optional] if optional else [[]]:
            several = {n for n, r in roles.items() if r == "student"} & pairs.keys()
            features = any(g.features for g in guesses.values())
            for variant in _variants(roles, features=features, heads=bool(several)):
                yield tuple(
                    _slot(
                        source, p, guesses[p.name], roles.get(p.name), arguments, without, variant
                    )
                    for p in parameters
                )


def as_models(guesses: Mapping[str, Guess]) -> Iterator[dict[str, Guess]]:
    """For ``(student, teacher, images)``: the two sides may be models, and the rest a batch."""
    sides = {g.role for g in guesses.values() if g.sure}
    if not sides & {"student", "teacher", "student_model", "teacher_model"} or len(guesses) < 2:
        return
    rest = [n for n, g in guesses.items() if not g.sure and g.role in ("unknown", "student")]
    models = {
        n: g if set(words(n)) & OUTPUT else replace(g, role=_SIDES.get(g.role, g.role))
        for n, g in guesses.items()
    }
    rests: list[Role] = ["images", "batch"] if rest else ["batch"]
    for role in rests:
        yield models | {n: Guess(role) for n in rest}


def _is_batch(name: str, keyed: frozenset[str]) -> bool:
    """Whether a name may be a batch's and its entries are read."""
    return name in keyed and bool(set(words(name)) & _BATCHES)


_GIVEN_LATE: tuple[Role, ...] = (
    "batch",
    "mapping",
    "projector",
    "criterion",
    "student_model",
    "teacher_model",
    "options",
    "count",
    "total",
    "width",
    "classes",
    "channel_numbers",
)


def without_optional_sides(
    parameters: list[Parameter], guesses: Mapping[str, Guess]
) -> dict[str, Guess]:
    """For ``(list_a, list_b, outputs_old=None)``: the sides are those that must be given."""
    optional = [
        p.name
        for p in parameters
        if p.default is None and guesses[p.name].role in ("student", "teacher", "labels")
    ]
    free = [
        p.name
        for p in parameters
        if p.default is Parameter.empty
        and (not guesses[p.name].sure or guesses[p.name].role == "unknown")
    ]
    if not optional or len(free) < _SIDES_OF_A_LOSS:
        return {}
    return {n: Guess("default") if n in optional else g for n, g in guesses.items()}


_SIDES_OF_A_LOSS = 2


def as_required(
    parameters: list[Parameter], guesses: Mapping[str, Guess], keyed: frozenset[str]
) -> dict[str, Guess]:
    """For a loss that asserts to be given what is None by default."""
    left = [p for p in parameters if p.default is None and guesses[p.name].role == "default"]
    asked = {p.name: guess(p.replace(default=Parameter.empty)) for p in left}
    asked = {n: Guess("batch") if _is_batch(n, keyed) else g for n, g in asked.items()}
    asked = {n: g for n, g in asked.items() if g.role in _GIVEN_LATE}
    return {**guesses, **asked} if asked else {}


def beside(guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """For logits and features of a student: one of the two is compared, the other stands still.

    Where the teacher has logits these are compared, else the features.
    """
    sides = {n: g for n, g in guesses.items() if g.role in ("student", "teacher") and g.sure}
    features = {n for n, g in sides.items() if g.features}
    scores = {n for n in sides if n not in features}
    if not {"student"} <= {guesses[n].role for n in features}:
        return {}
    if not {"student"} <= {guesses[n].role for n in scores}:
        return {}
    if any(guesses[n].role == "teacher" for n in scores):
        return {n: Guess("beside_features") if n in features else g for n, g in guesses.items()}
    return {
        n: Guess("beside_logits")
        if n in scores
        else Guess("labels", space="per_sample")
        if g.role == "labels"
        else g
        for n, g in guesses.items()
    }


def as_batch(guesses: Mapping[str, Guess], keyed: frozenset[str]) -> dict[str, Guess]:
    """A parameter that may be a batch, by its name or as its entries are read, taken for one."""
    if any(g.role == "batch" for g in guesses.values()):
        return {}
    held = [
        n
        for n, g in guesses.items()
        if not g.sure
        and g.role in ("unknown", "student")
        and (n in keyed or set(words(n)) & _BATCHES)
    ]
    if not held:
        return {}
    return {n: Guess("batch") if n in held else g for n, g in guesses.items()}


def _has_student(
    roles: Mapping[str, Role], parameters: list[Parameter], arguments: Mapping[str, Any]
) -> bool:
    sources = {"student", "student_model", "network", "batch", "both"}
    if sources & set(roles.values()):
        return True
    if any(p.name == "self" for p in parameters):
        return True
    return any(str(v).replace("-", "_") in (*sources, "model") for v in arguments.values())


_Variant = dict[str, Any]


def _variants(roles: Mapping[str, Role], *, features: bool, heads: bool) -> list[_Variant]:
    """What roles leave open: the type of a mask, the form of a batch, what a model returns."""
    asked = set(roles.values())
    axes: list[list[tuple[str, Any]]] = []
    if "mask" in asked:
        axes.append(
            [
                ("mask", (dtype, with_channel))
                for with_channel in (False, True)
                for dtype in (torch.bool, torch.float32, torch.int64)
            ]
        )
    if "beside_features" in asked:
        axes.append([("beside_features", layout) for layout in _BESIDE])
    if features and "labels" in asked:
        axes.append([("labels", None), ("labels", "points")])
    if heads:
        axes.append([("student", None), ("student", "heads")])
    if "batch" in asked:
        axes.append([("batch", form) for form in ("dict", "pair")])
    if asked & {"student_model", "teacher_model", "network"}:
        axes.append([("model", answer) for answer in ANSWERS])
    if "index" in asked:
        axes.append([("index", None), ("index", "none")])
    return [dict(each) for each in product(*axes)]


def _slot(
    source: Any,
    parameter: Parameter,
    found: Guess,
    assigned: Role | None,
    arguments: Mapping[str, Any],
    without: list[str],
    variant: _Variant,
) -> Slot:
    name, positional = parameter.name, parameter.kind is Parameter.POSITIONAL_ONLY
    role: Role = assigned or "default"
    slot = Slot(
        name,
        role,
        found.space,
        positional=positional,
        space_sure=found.space_sure,
        sure=found.sure and found.role == role,
    )
    if name in arguments:
        return given_as_role(slot, arguments[name])
    entries = {k.partition(".")[2]: v for k, v in arguments.items() if k.startswith(f"{name}.")}
    if entries and found.role not in ("options", "batch") and role not in ("options", "batch"):
        each = tuple(given_as_role(replace(slot, name=k), v) for k, v in entries.items())
        return replace(slot, role="entries", value=each)
    has_default = parameter.default is not Parameter.empty
    if name in without or (
        role in ("reduction", "count", "total", "unknown", "coefficient") and has_default
    ):
        return replace(slot, role="default")
    if role == "index" and variant.get("index") == "none":
        return replace(slot, fixed=True)
    if role == "options":
        return replace(slot, value=configuration_of(parameter, source))
    if role == "both":
        return replace(slot, value="teacher_first" if found.plural else None)
    if role in ("student", "teacher") and (held := output_of(parameter, source)):
        return replace(slot, value=held)
    if role == "teacher":
        return replace(slot, value=teachers_axis(source, name))
    if role == "network":
        return replace(slot, value=variant.get("model"))
    return replace(slot, value=variant.get(role.removeprefix("student_").removeprefix("teacher_")))


def _assignments(
    free: list[Parameter], guesses: Mapping[str, Guess], held: frozenset[Role]
) -> Iterator[dict[str, Role]]:
    """Roles by name: what is sure stays; what is not is tried in the likeliest order."""
    sure: dict[str, Role] = {p.name: guesses[p.name].role for p in free if guesses[p.name].sure}
    settled = ("default", "weight", "batch", "images", "choice", "network", "absent", "count")
    sure |= {p.name: guesses[p.name].role for p in free if guesses[p.name].role in settled}
    unsure = [p.name for p in free if p.name not in sure]
    taken = set(sure.values()) | held
    taken |= {"student", "teacher"} if "both" in taken else set()
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
