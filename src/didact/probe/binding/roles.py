"""What a parameter of a loss is, by its name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from didact._core.words import (
    FEATURE,
    LABELS,
    NETWORK,
    STUDENT,
    TEACHER,
    TEMPERATURE,
    WEIGHT,
    word_set,
    words,
)

Role = Literal[
    "student",
    "teacher",
    "labels",
    "temperature",
    "weight",
    "mask",
    "index",
    "options",
    "reduction",
    "count",
    "classes",
    "old_classes",
    "width",
    "criterion",
    "teacher_model",
    "student_model",
    "device",
    "default",
    "unknown",
]
Space = Literal["logits", "probs", "log_probs", "one_hot"]

_TEACHER = TEACHER | {"t", "soft"}
_LABELS = LABELS | {"hard", "truth", "true"}
_OUTPUT = word_set(
    "pred preds prediction predictions input inputs output outputs out logits logit x scores "
    "feature features feat"
)
_OPTIONS = word_set("params args cfg config opt opts hparams options hyperparams")
_OLD = word_set("old known prev previous seen")
_COUNT = word_set("num n nb classes class cl count size")
_ONE_HOT = re.compile(r"one_?hot")
_FEATURE = re.compile(r"feat|hidden|embed|emb_|_emb|maps?$|attn|attention_s|^[fg]_[st]$|fm_")


@dataclass(frozen=True, slots=True)
class Guess:
    """The role that a name suggests.

    Attributes:
        role: The role.
        sure: Whether the name leaves no doubt, so that a trial need not try others.
        space: Which numbers the name asks for, should it be the output of a network.
        features: Whether the name speaks of features rather than of class scores.
        plural: Whether the name speaks of several teachers.
    """

    role: Role
    sure: bool = True
    space: Space = "logits"
    features: bool = False
    plural: bool = False


@dataclass(frozen=True, slots=True)
class _Named:
    """A parameter, as far as its name, annotation and default tell."""

    name: str
    words: frozenset[str]
    optional: bool
    number: bool
    integer: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """A role that is no output of a network.

    Attributes:
        role: The role.
        applies: Whether a parameter has it.
        left: Where it is left at its default all the same.
        sure: As for :class:`Guess`.
    """

    role: Role
    applies: Callable[[_Named], object]
    left: Callable[[_Named], bool] = lambda _: False
    sure: bool = True


def _no_number(p: _Named) -> bool:
    """A default that is no number is not replaced by one."""
    return p.optional and not p.number


def _optional(p: _Named) -> bool:
    return p.optional


_RULES: tuple[_Rule, ...] = (
    _Rule("options", lambda p: p.name == "self"),
    _Rule("device", lambda p: p.name == "device"),
    _Rule(
        "temperature",
        lambda p: p.name == "T" or p.words & TEMPERATURE or (p.name == "t" and p.number),
        _no_number,
    ),
    _Rule("mask", lambda p: p.words & {"mask", "masks", "keep"}),
    _Rule("reduction", lambda p: "reduction" in p.words),
    _Rule("index", lambda p: p.words & {"indices", "routes", "idx"}),
    _Rule(
        "criterion",
        lambda p: "criterion" in p.words or p.name in ("loss_fn", "loss_func", "base_loss"),
        _optional,
    ),
    _Rule("weight", lambda p: p.words & WEIGHT and "decay" not in p.words, _no_number),
)
"""The first that applies holds."""

_REQUIRED: tuple[_Rule, ...] = (
    _Rule("old_classes", lambda p: p.words == {"known"} or (p.words & _OLD and p.words & _COUNT)),
    _Rule("width", lambda p: p.words & {"channels", "dim", "width"}),
    _Rule("count", lambda p: p.words & {"epoch", "step", "iteration", "iter", "epochs", "steps"}),
    _Rule(
        "weight",
        lambda p: p.words & {"beta", "gamma", "margin", "delta", "eps", "epsilon", "sigma", "mu"},
        sure=False,
    ),
    _Rule("count", lambda p: p.integer and "classes" not in p.words),
    _Rule("classes", lambda p: "classes" in p.words and "per" not in p.words),
)
"""The same for a parameter without a default."""

_LAST: tuple[_Rule, ...] = (
    _Rule(
        "options", lambda p: p.words & _OPTIONS and not p.words & (_TEACHER | STUDENT), _optional
    ),
)


def guess(parameter: inspect.Parameter) -> Guess:
    """The role of one parameter."""
    named = _Named(
        parameter.name,
        frozenset(words(parameter.name)),
        optional=parameter.default is not inspect.Parameter.empty,
        number=_takes_number(parameter),
        integer=parameter.annotation in (int, "int"),
    )
    for rule in (*_RULES, *(() if named.optional else _REQUIRED), *_LAST):
        if rule.applies(named):
            return Guess("default") if rule.left(named) else Guess(rule.role, rule.sure)
    if named.number:
        return Guess("default" if named.optional else "weight", sure=False)
    return _output(named)


def _output(named: _Named) -> Guess:
    """The two sides, the labels, or what nothing tells."""
    name, known = named.name.lower(), named.words
    space, features = _space(name), bool(known & FEATURE or _FEATURE.search(name))
    if known & NETWORK and known & (_TEACHER | STUDENT):
        return Guess("teacher_model" if known & _TEACHER else "student_model")
    if _ONE_HOT.search(name):
        return Guess("labels", space="one_hot")
    if known & _TEACHER:
        return Guess("teacher", True, space, features, bool(known & {"teachers", "list"}))
    if known & STUDENT:
        return Guess("student", True, space, features)
    if known & {"label", "labels"}:
        return Guess("labels")
    if named.optional and not known & _LABELS:
        return Guess("default")
    if known & _LABELS:
        return Guess("labels", sure=False)
    if known & _OUTPUT:
        return Guess("student", False, space, features)
    return Guess("unknown", False, space, features)


def _space(name: str) -> Space:
    if re.search(r"log_?prob|log_?p\b|logp_|_logp|log_softmax", name):
        return "log_probs"
    return "probs" if "prob" in name else "logits"


def _takes_number(parameter: inspect.Parameter) -> bool:
    default = parameter.default
    if isinstance(default, int | float | str | bool):
        return True
    return parameter.annotation in (int, float, "int", "float", str, bool, "str", "bool")
