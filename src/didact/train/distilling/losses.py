"""From the name of a loss to a term of the objective: which of its parameters gets what."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from didact import losses
from didact._core.errors import UnknownNameError, UsageError
from didact._core.lookup import is_import_path, load, suggest
from didact.train.distilling.settings import name_and_weight

AVAILABLE = (
    "student_logits",
    "teacher_logits",
    "teachers_logits",
    "labels",
    "student_features",
    "teacher_features",
    "indices",
    "temperature",
    "progress",
)
CONSTRUCTOR = (
    "student_channels",
    "teacher_channels",
    "student_dim",
    "teacher_dim",
    "num_samples",
    "batch_size",
)
NORM = ("norm_weight", "norm_bias")
"""Of the batch norm that the teacher's features come from."""
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


@dataclass(frozen=True, slots=True)
class LossChoice:
    """A loss that was asked for, before the models are known.

    Attributes:
        name: As the user named it.
        target: The function, the module, or the class of a module that has yet to be built.
        weight: Its factor.
        inputs: From what a run has to the name of the parameter for it.
        options: Further keyword arguments: of the call, or of the class's constructor.
        labels_optional: Whether the labels may be left out.
    """

    name: str
    target: Callable[..., Any]
    weight: float
    inputs: Mapping[str, str]
    options: Mapping[str, Any]
    labels_optional: bool

    @property
    def wants_norm(self) -> bool:
        """Whether it asks for the batch norm that the teacher's features come from."""
        return set(NORM) <= {p.name for p in _call_parameters(self.target)} - set(self.options)

    @property
    def looks_at_features(self) -> bool:
        """Whether the models must be tapped for it."""
        return bool({"student_features", "teacher_features"} & set(self.inputs))


def choose_losses(
    wanted: Sequence[LossLike | tuple[LossLike, float]], options: Mapping[str, Any]
) -> list[LossChoice]:
    """The distillation losses of a run.

    Args:
        wanted: Names (``"kd"``, ``"dist=0.5"``, ``"file.py:my_loss"``), functions, or pairs of one
            of these and its weight.
        options: Constant keyword arguments, ``"dkd.beta"`` for one loss, ``"beta"`` for all that
            have such a parameter.

    Raises:
        UnknownNameError: No such loss, or no loss has the parameter that an option names.
        UsageError: A weight is not a number, or a loss needs an input that a run does not have.
    """
    choices: list[LossChoice] = []
    used: set[str] = set()
    for entry in wanted:
        loss, weight = entry if isinstance(entry, tuple) else split_weight(entry)
        name, function = _find(loss)
        name = _distinct(name, [choice.name for choice in choices])
        own = _options_for(name, function, options)
        used |= own.keys()
        values = {key.rpartition(".")[2]: value for key, value in own.items()}
        inputs, labels_optional = _bind(name, function, values)
        choices.append(LossChoice(name, function, weight, inputs, values, labels_optional))
    if unused := set(options) - used:
        known = [f"{choice.name}.{option}" for choice in choices for option in _own(choice.target)]
        first = sorted(unused)[0]
        raise UnknownNameError(f"no chosen loss has an option {first!r}; {suggest(first, known)}")
    return choices


def split_weight(loss: LossLike) -> tuple[LossLike, float]:
    """``"dist=0.5"`` is ``("dist", 0.5)``; without a weight it is 1.

    Raises:
        UsageError: What stands behind the ``=`` is not a number above 0.
    """
    if not isinstance(loss, str) or "=" not in loss:
        return loss, 1.0
    name, text = name_and_weight(loss)
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < math.inf:
        raise UsageError(f"the weight in {loss!r} is {text!r}; expected a number above 0")
    return name, weight


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
    return loss, card.function


def _bind(
    name: str, function: Callable[..., Any], options: Mapping[str, Any]
) -> tuple[dict[str, str], bool]:
    """Which parameter gets which input: by its name, the first two unknown ones by position.

    The second value says whether the labels may be left out.
    """
    inputs: dict[str, str] = {}
    unknown: list[str] = []
    labels_optional = False
    for parameter in _call_parameters(function):
        source = ALSO_CALLED.get(parameter.name, parameter.name)
        if parameter.name in options or parameter.name in NORM:
            continue
        if source in AVAILABLE:
            inputs[source] = parameter.name
            labels_optional |= source == "labels" and parameter.default is not parameter.empty
        elif parameter.default is parameter.empty:
            unknown.append(parameter.name)
    if not {"student_logits", "student_features"} & set(inputs):
        for source in ("student_logits", "teacher_logits"):
            if unknown and source not in inputs:
                inputs[source] = unknown.pop(0)
    if inspect.isclass(function):
        unknown += _required_to_build(function)
    if unknown:
        raise UsageError(
            f"loss {name!r} needs {', '.join(unknown)}, which a run does not have; it has "
            f"{', '.join(AVAILABLE)}. Rename the parameter, give it a default, or set it with "
            f"--loss-option {name}.{unknown[0]}=..."
        )
    return inputs, labels_optional


def _call_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a call; of a module, those of its ``forward``."""
    call: Any = getattr(function, "forward", function)
    found = list(inspect.signature(call).parameters.values())
    if inspect.isclass(function):
        found = found[1:]  # self
    return [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _required_to_build(cls: type) -> list[str]:
    """What the constructor of a loss asks for that a run cannot know."""
    parameters = inspect.signature(cls).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.name not in CONSTRUCTOR]


def _own(function: Callable[..., Any]) -> list[str]:
    """The options of a loss: of its constructor, where it is a class."""
    parameters = inspect.signature(function).parameters
    return [name for name in parameters if name not in (*AVAILABLE, *CONSTRUCTOR)]


def _options_for(
    name: str, function: Callable[..., Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    own = set(_own(function))
    named = {f"{name}.{option}" for option in own}
    return {key: value for key, value in options.items() if key in named or key in own}


def _distinct(name: str, taken: Sequence[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
