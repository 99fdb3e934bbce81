"""What a parameter of a loss is, by its name."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Literal

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

_TEACHER = {"teacher", "teachers", "t", "tea", "tch", "old", "prev", "ref", "reference", "soft"}
_STUDENT = {"student", "students", "stu", "s", "new", "cur", "current"}
_OUTPUT = {"pred", "preds", "prediction", "predictions", "input", "inputs", "output", "outputs"}
_OUTPUT |= {"out", "logits", "logit", "x", "scores", "features", "feature", "feat"}
_LABELS = {"label", "labels", "y", "target", "targets", "gt", "truth", "hard", "true"}
_TEMPERATURE = {"temperature", "temp", "tau", "temper", "temperatures"}
_WEIGHT = {"alpha", "lambda", "lam", "lmbda", "lambd", "lmda", "weight", "ratio", "λ", "α", "w"}
_OPTIONS = {"params", "args", "cfg", "config", "opt", "opts", "hparams", "options", "hyperparams"}
_OLD = {"old", "known", "prev", "previous", "seen"}
_COUNT = {"num", "n", "nb", "classes", "class", "cl", "count", "size"}
_ONE_HOT = re.compile(r"one_?hot")
_FEATURE = re.compile(r"feat|hidden|embed|emb_|_emb|maps?$|attn|attention_s|^f_[st]$|^g_[st]$|fm_")


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


def guess(parameter: inspect.Parameter) -> Guess:
    """The role of one parameter."""
    name, words = parameter.name, _words(parameter.name)
    number = _takes_number(parameter)
    found = _setting(name, words, parameter, number)
    if found is not None:
        return found
    if number:
        return Guess("default" if _has_default(parameter) else "weight", sure=False)
    return _tensor(name, words, parameter)


def _tensor(name: str, words: set[str], parameter: inspect.Parameter) -> Guess:
    space = _space(name.lower())
    features = bool(_FEATURE.search(name.lower()))
    optional = _has_default(parameter)
    if words & {"model", "net", "network"} and words & (_TEACHER | _STUDENT):
        return Guess("teacher_model" if words & _TEACHER else "student_model")
    if _ONE_HOT.search(name.lower()):
        return Guess("labels", space="one_hot")
    if words & _TEACHER:
        return Guess("teacher", True, space, features, "teachers" in words or "list" in words)
    if words & _STUDENT:
        return Guess("student", True, space, features)
    if words & {"label", "labels"}:
        return Guess("labels")
    if optional and not words & _LABELS:
        return Guess("default")
    if words & _LABELS:
        return Guess("labels", sure=False)
    if words & _OUTPUT:
        return Guess("student", False, space, features)
    return Guess("unknown", False, space, features)


def _setting(
    name: str, words: set[str], parameter: inspect.Parameter, number: bool
) -> Guess | None:
    """The roles that are no output of a network."""
    if name in ("self", "device"):
        return Guess("options" if name == "self" else "device")
    tensorless = number or not _has_default(parameter)
    if name == "T" or words & _TEMPERATURE or (name == "t" and number):
        return Guess("temperature") if tensorless else Guess("default")
    if words & {"mask", "masks", "keep"}:
        return Guess("mask")
    if words & {"reduction"}:
        return Guess("reduction")
    if words & {"indices", "routes", "idx"}:
        return Guess("index")
    if words & {"criterion"} or name in ("loss_fn", "loss_func", "base_loss"):
        return Guess("default" if _has_default(parameter) else "criterion")
    if words & _WEIGHT and not words & {"decay"}:
        return Guess("weight") if tensorless else Guess("default")
    if not _has_default(parameter):
        if words == {"known"} or (words & _OLD and words & _COUNT):
            return Guess("old_classes")
        if words & {"channels", "dim", "width"}:
            return Guess("width")
        if words & {"epoch", "step", "iteration", "iter", "epochs", "steps"}:
            return Guess("count")
        if words & {"beta", "gamma", "margin", "delta", "eps", "epsilon", "sigma", "mu"}:
            return Guess("weight", sure=False)
        if parameter.annotation in (int, "int") and not words & {"classes"}:
            return Guess("count")
        if words & {"classes"} and words & {"num", "n", "classes"} and "per" not in words:
            return Guess("classes")
    if words & _OPTIONS and not words & (_TEACHER | _STUDENT):
        return Guess("default" if _has_default(parameter) else "options")
    return None


def _words(name: str) -> set[str]:
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return {word for word in re.split(r"[_\d]+", split.lower()) if word}


def _space(name: str) -> Space:
    if re.search(r"log_?prob|log_?p\b|logp_|_logp|log_softmax", name):
        return "log_probs"
    return "probs" if "prob" in name else "logits"


def _has_default(parameter: inspect.Parameter) -> bool:
    return parameter.default is not inspect.Parameter.empty


def _takes_number(parameter: inspect.Parameter) -> bool:
    default = parameter.default
    if isinstance(default, int | float | str | bool):
        return True
    return parameter.annotation in (int, float, "int", "float", str, bool, "str", "bool")
