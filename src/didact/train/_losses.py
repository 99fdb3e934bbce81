"""From the name of a loss to a term of the objective: which of its parameters gets what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from didact import losses
from didact._core.errors import UnknownNameError, UsageError
from didact._core.lookup import is_import_path, load, suggest
from didact.train._objective import DistillationTerm

AVAILABLE = (
    "student_logits",
    "teacher_logits",
    "teachers_logits",
    "labels",
    "student_features",
    "teacher_features",
    "temperature",
)
ALSO_CALLED = {
    "student": "student_logits",
    "student_output": "student_logits",
    "teacher": "teacher_logits",
    "teacher_output": "teacher_logits",
    "targets": "labels",
    "target": "labels",
    "T": "temperature",
}

LossLike = str | Callable[..., Tensor]


def build_terms(
    wanted: Sequence[LossLike | tuple[LossLike, float]], options: Mapping[str, Any]
) -> list[DistillationTerm]:
    """The distillation terms of a run.

    Args:
        wanted: Names (``"kd"``, ``"dist=0.5"``, ``"file.py:my_loss"``), functions, or pairs of one
            of these and its weight.
        options: Constant keyword arguments, ``"dkd.beta"`` for one loss, ``"beta"`` for all that
            have such a parameter.

    Raises:
        UnknownNameError: No such loss, or no loss has the parameter that an option names.
        UsageError: A weight is not a number, or a loss needs an input that a run does not have.
    """
    terms: list[DistillationTerm] = []
    used: set[str] = set()
    for entry in wanted:
        loss, weight = entry if isinstance(entry, tuple) else split_weight(entry)
        name, function = _find(loss)
        name = _distinct(name, [term.name for term in terms])
        own = _options_for(name, function, options)
        used |= own.keys()
        values = {key.rpartition(".")[2]: value for key, value in own.items()}
        terms.append(
            DistillationTerm(name, function, weight, _bind(name, function, values), values)
        )
    if unused := set(options) - used:
        known = [f"{term.name}.{option}" for term in terms for option in _optional(term.function)]
        first = sorted(unused)[0]
        raise UnknownNameError(f"no chosen loss has an option {first!r}; {suggest(first, known)}")
    return terms


def split_weight(loss: LossLike) -> tuple[LossLike, float]:
    """``"dist=0.5"`` is ``("dist", 0.5)``; without a weight it is 1.

    Raises:
        UsageError: What stands behind the ``=`` is not a number above 0.
    """
    if not isinstance(loss, str) or "=" not in loss:
        return loss, 1.0
    name, _, text = loss.rpartition("=")
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if weight <= 0:
        raise UsageError(f"the weight in {loss!r} is {text!r}; expected a number above 0")
    return name, weight


def needs_features(terms: Sequence[DistillationTerm]) -> bool:
    """Whether a term looks at features, so that the models must be tapped."""
    return any({"student_features", "teacher_features"} & set(term.inputs) for term in terms)


def needs_teacher(terms: Sequence[DistillationTerm]) -> bool:
    """Whether a term looks at the teacher at all."""
    return any(
        {"teacher_logits", "teachers_logits", "teacher_features"} & set(term.inputs)
        for term in terms
    )


def _find(loss: LossLike) -> tuple[str, Callable[..., Tensor]]:
    if not isinstance(loss, str):
        return getattr(loss, "__name__", type(loss).__name__), loss
    if is_import_path(loss):
        found = load(loss, what="loss")
        if not callable(found):
            raise UsageError(f"{loss} is a {type(found).__name__}; expected a function")
        return loss.rpartition(":")[2], found
    card = losses.CARDS.get(loss)
    if card is None:
        raise UnknownNameError(
            f"no loss is called {loss!r}; {suggest(loss, losses.CARDS)} (your own: file.py:my_loss)"
        )
    if inspect.isclass(card.function):
        raise UsageError(
            f"loss {loss!r} is a module with parameters of its own; build it in Python and pass it "
            "to didact.train.distill(loss=...), or use it in your own loop"
        )
    return loss, card.function


def _bind(name: str, function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, str]:
    """Which parameter gets which input: by its name, the first two unknown ones by position."""
    parameters = list(inspect.signature(function).parameters.values())
    inputs: dict[str, str] = {}
    unknown: list[str] = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        source = ALSO_CALLED.get(parameter.name, parameter.name)
        if parameter.name in options:
            continue
        if source in AVAILABLE and (parameter.default is parameter.empty or source != "labels"):
            inputs[source] = parameter.name
        elif parameter.default is parameter.empty:
            unknown.append(parameter.name)
    for source in ("student_logits", "teacher_logits"):
        if unknown and source not in inputs and "student_features" not in inputs:
            inputs[source] = unknown.pop(0)
    if unknown:
        raise UsageError(
            f"loss {name!r} needs {', '.join(unknown)}, which a run does not have; it has "
            f"{', '.join(AVAILABLE)}. Rename the parameter, give it a default, or set it with "
            f"--loss-option {name}.{unknown[0]}=..."
        )
    return inputs


def _optional(function: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.name not in AVAILABLE]


def _options_for(
    name: str, function: Callable[..., Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    own = {f"{name}.{option}" for option in _optional(function)}
    shared = set(_optional(function))
    return {key: value for key, value in options.items() if key in own or key in shared}


def _distinct(name: str, taken: Sequence[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
