"""What a parameter of a loss is, by its name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from didact._core.words import (
    COEFFICIENT,
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
    "coefficient",
    "mask",
    "class_mask",
    "index",
    "top_ids",
    "options",
    "batch",
    "images",
    "reduction",
    "count",
    "total",
    "items",
    "batch_size",
    "classes",
    "old_classes",
    "width",
    "sample_weights",
    "other_loss",
    "criterion",
    "projector",
    "both",
    "mapping",
    "lengths",
    "channel_numbers",
    "sink",
    "entries",
    "teacher_model",
    "student_model",
    "network",
    "device",
    "ignored",
    "beside_features",
    "beside_logits",
    "switch",
    "choice",
    "text",
    "absent",
    "default",
    "unknown",
]
Space = Literal["logits", "probs", "log_probs", "one_hot", "per_sample"]

_TEACHER = TEACHER | {"t", "soft"}
_LABELS = LABELS | {"hard", "truth", "true"}
OUTPUT = word_set(
    "pred preds prediction predictions input inputs output outputs out outs logits logit x scores "
    "feature features feat"
)
_OPTIONS = word_set(
    "params param args arg cfg config conf opt opts hparams options hyperparams settings hyp"
)
_OLD = word_set("old known prev previous seen")
_COUNT = word_set("num n nb classes class cl count size total")
_TIME = word_set("epoch step iteration iter epochs steps iters iterations nepochs")
_SECTIONS = word_set(
    "distill distillation distiller kd train training trainer model solver method state accelerator"
)
_CAPITAL_T = re.compile(r"(^|_)T(_|\d|$)")
_IGNORED = re.compile(r"(ignore|pad(ding)?)_?(token_?)?(id|index|idx|label|value)$")
_ONE_HOT = re.compile(r"one_?hot")
_FEATURE = re.compile(
    r"feat|hidden|embed|emb_|_emb|maps?$|attn|attention_s|^[fg]_[st]$|fm_|(^|_)states?(_|$)"
)
_LOG_PROBS = re.compile(r"log_?prob|log_?p\b|(^|_)log_?[pq](_|$)|logp_|_logp|log_softmax|logsoft")
_PROBS = re.compile(r"prob|(^|_)[pq]_(s|t|stu|tea|student|teacher)|(student|teacher)_[pq]$")


@dataclass(frozen=True, slots=True)
class Guess:
    """The role that a name suggests.

    Attributes:
        role: The role.
        sure: Whether the name leaves no doubt, so that a trial need not try others.
        space: Which numbers the name asks for, should it be the output of a network.
        space_sure: Whether the name says so itself: logits, probabilities or their logarithm.
        features: Whether the name speaks of features rather than of class scores.
        plural: Whether the name speaks of several of them.
    """

    role: Role
    sure: bool = True
    space: Space = "logits"
    space_sure: bool = False
    features: bool = False
    plural: bool = False


@dataclass(frozen=True, slots=True)
class _Named:
    """A parameter, as far as its name, annotation and default tell."""

    name: str
    words: frozenset[str]
    optional: bool
    number: bool
    annotation: str

    @property
    def integer(self) -> bool:
        return self.annotation == "int"


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
    left: Callable[[_Named], object] = lambda _: False
    sure: bool = True


def _no_number(p: _Named) -> bool:
    """A default that is no number is not replaced by one."""
    return p.optional and not p.number


def _optional(p: _Named) -> bool:
    return p.optional


_PROJECTORS = word_set(
    "regressor adapter adapters adaptation aligner projector projectors projection projections "
    "proj projs connector connectors"
)
WIDTHS = word_set("channels dim dims width widths")
_SCORES = word_set("logit logits scores probs logprobs")
"""What has been divided by a temperature has its name beside that of the temperature."""
_APPLIED = frozenset({"generation", "sampling"})
"""A temperature that one side's numbers were made at before."""
_MAPPING = word_set("mapping matches pairs")
_MAPPED = word_set("layer layers block blocks hidden state")
_MANY_OF = word_set("ncrops nviews nlayers nheads nclusters ngroups")
_MANY = word_set("num n nb") | _MANY_OF
TOOLS = word_set("tokenizer processor optimizer scheduler scaler logger writer")
SPARSE = frozenset({"topk", "top", "sampled", "sparse"})
"""What is said of the likeliest classes alone."""
PLACES = frozenset({"ids", "indices", "idx", "index"})
_IMAGES = word_set("image images img imgs pixel values pixels picture pictures 图像 图片")
_SCALE, _SCALE_ALONE = frozenset({"log", "scale"}), frozenset({"scale"})
_VARIANCE = frozenset({"log", "var"})
"""What is learned for each channel."""
_FUNCTION = frozenset({"fn", "func", "function", "type", "name", "criterion"})
_BESIDE = frozenset({"size", "weight", "norm", "fn"})


def is_width(name: str, default: object) -> bool:
    """A number of channels: the default is that of the author's network, not of crafted inputs."""
    named = set(words(name))
    axis = len(named) == 1 and "channels" not in named  # dim=1
    number = isinstance(default, int) and not isinstance(default, bool) and default > 1
    return number and bool(named & WIDTHS) and not axis


def is_mapping(named: frozenset[str]) -> bool:
    """Whether a name says which layer of the student meets which of the teacher."""
    return bool(named & _MAPPING) and (bool(named & _MAPPED) or named == {"matches"})


_RULES: tuple[_Rule, ...] = (
    _Rule("options", lambda p: p.name == "self"),
    _Rule("device", lambda p: "device" in p.words),
    _Rule("items", lambda p: "items" in p.words and p.words & {"num", "n", "in"}),
    _Rule(
        "temperature",
        lambda p: (
            p.name == "T"
            or (p.words & TEMPERATURE and not p.words & (_TIME | _SCORES))
            or (p.name == "t" and p.number)
        ),
        lambda p: _no_number(p) or (p.optional and p.words & _APPLIED),
    ),
    _Rule("class_mask", lambda p: p.words in ({"gt", "mask"}, {"other", "mask"})),
    _Rule("mask", lambda p: p.words & {"mask", "masks", "keep"}),
    _Rule("reduction", lambda p: "reduction" in p.words),
    _Rule("top_ids", lambda p: p.words & SPARSE and p.words & PLACES),
    _Rule(
        "index",
        lambda p: p.words & {"indices", "routes", "idx", "index"} and "ignore" not in p.words,
    ),
    _Rule(
        "criterion",
        lambda p: (
            p.words & {"criterion", "criteria"}
            or p.name in ("loss_fn", "loss_func", "base_loss", "ce_loss_fn")
        ),
        _optional,
    ),
    _Rule("weight", lambda p: p.words & WEIGHT and "decay" not in p.words, _no_number),
)
"""The first that applies holds."""

_REQUIRED: tuple[_Rule, ...] = (
    _Rule("text", lambda p: p.words & {"path", "key"}),
    _Rule("lengths", lambda p: p.words & {"lens", "lengths"}),
    _Rule("mapping", lambda p: is_mapping(p.words)),
    _Rule("old_classes", lambda p: p.words == {"known"} or (p.words & _OLD and p.words & _COUNT)),
    _Rule("ignored", lambda p: _IGNORED.search(p.name)),
    _Rule("batch_size", lambda p: p.words >= {"batch", "size"} or p.words == {"bs"}),
    _Rule("width", lambda p: p.words & WIDTHS),
    _Rule("total", lambda p: p.words & _TIME and p.words & {"max", "total", "num", "n", "all"}),
    _Rule(
        "total",
        lambda p: p.words & {"epochs", "iters", "iterations", "nepochs"} or p.words == {"steps"},
    ),
    _Rule("count", lambda p: p.words & _TIME),
    _Rule("sample_weights", lambda p: "weights" in p.words and not p.number),
    _Rule(
        "weight",
        lambda p: p.words & {"beta", "gamma", "margin", "delta", "eps", "epsilon", "sigma", "mu"},
        sure=False,
    ),
    _Rule("count", lambda p: p.integer and "classes" not in p.words),
    _Rule(
        "classes",
        lambda p: ("classes" in p.words and "per" not in p.words) or p.words >= {"vocab", "size"},
    ),
    _Rule("count", lambda p: p.words & _MANY and (len(p.words) > 1 or p.name in _MANY_OF)),
    _Rule("network", lambda p: p.words <= NETWORK),
    _Rule("absent", lambda p: p.words & TOOLS),
    _Rule("other_loss", lambda p: "loss" in p.words and not p.words & _FUNCTION),
    _Rule("projector", lambda p: p.words & _PROJECTORS),
    _Rule("batch", lambda p: p.words & {"batch", "minibatch"} and not p.words & _BESIDE),
    _Rule("images", lambda p: p.words <= _IMAGES),
    _Rule("channel_numbers", lambda p: p.words in (_SCALE, _VARIANCE, _SCALE_ALONE)),
)
"""The same for a parameter without a default."""

_LAST: tuple[_Rule, ...] = (
    _Rule(
        "options",
        lambda p: p.words & _OPTIONS and not p.words & (_TEACHER | STUDENT),
        _optional,
    ),
)


def guess(parameter: inspect.Parameter) -> Guess:
    """The role of one parameter."""
    annotation = parameter.annotation
    if isinstance(parameter.default, bool):
        return Guess("default")
    written = getattr(annotation, "__name__", annotation)
    return _guess(
        _Named(
            parameter.name,
            frozenset(words(parameter.name)),
            optional=parameter.default is not inspect.Parameter.empty,
            number=_takes_number(parameter),
            annotation=str(written),
        )
    )


def guess_name(name: str, *, number: bool = False) -> Guess:
    """The role of an entry or attribute: by its name alone, or if it is known to be a number."""
    known = frozenset(words(name))
    return _guess(_Named(name, known, optional=number, number=number, annotation=""))


def guess_option(name: str) -> Role:
    """The role of something that a loss asks of its options or of itself, by name."""
    named = frozenset(words(name))
    if (named & _OPTIONS and not named & (_TEACHER | STUDENT)) or named <= _SECTIONS:
        return "options"
    if (_CAPITAL_T.search(name) or named & TEMPERATURE) and not named & OUTPUT:
        return "temperature"
    if is_mapping(named):
        return "mapping"
    if named & _PROJECTORS:
        return "projector"
    asked: Role = guess_name(name).role
    if asked in (
        "ignored",
        "old_classes",
        "classes",
        "total",
        "count",
        "device",
        "reduction",
        "criterion",
    ):
        return asked
    if named & (NETWORK | TEACHER | {"student"}) and not named & OUTPUT:
        return "teacher_model" if named & TEACHER else "student_model"
    if asked in ("temperature", "weight", "width", "batch_size", "projector", "sample_weights"):
        return asked
    if named & COEFFICIENT:
        return "coefficient"
    if named & {"use", "is", "has", "with", "enable", "do"}:
        return "switch"
    return "unknown"


def _guess(named: _Named) -> Guess:
    for rule in (*_RULES, *(() if named.optional else _REQUIRED), *_LAST):
        if rule.applies(named):
            return Guess("default") if rule.left(named) else Guess(rule.role, rule.sure)
    if named.number:
        return Guess("default" if named.optional else "weight", sure=False)
    return _output(named)


def _output(named: _Named) -> Guess:
    """The two sides, the labels, or what nothing tells."""
    name, known = named.name.lower(), named.words
    space, sure = _space(name)
    features = bool(known & FEATURE or _FEATURE.search(name))
    plural = _plural(named)

    def side(role: Role, *, certain: bool = True) -> Guess:
        return Guess(role, certain, space, sure, features, plural)

    if known & NETWORK and known & (_TEACHER | STUDENT):
        return Guess("teacher_model" if known & _TEACHER else "student_model")
    if _ONE_HOT.search(name):
        return Guess("labels", space="one_hot")
    if known & _TEACHER and known & STUDENT:
        return side(_last_side(name), certain=True)
    if known & _TEACHER:
        return side("teacher")
    if known & STUDENT:
        return side("student")
    if known & {"label", "labels"}:
        return Guess("labels")
    if named.optional and not known & _LABELS:
        return Guess("default")
    if known & _LABELS:
        return Guess("labels", sure=False)
    if not known & OUTPUT and re.search(r"\bNone\b|Optional", named.annotation):
        return Guess("absent")
    return side("student" if known & OUTPUT else "unknown", certain=False)


def _last_side(name: str) -> Role:
    """Of a name with words of both sides, as ``t_student_logits``: the longest word tells."""
    sides = [w for w in words(name) if w in _TEACHER | STUDENT]
    longest = max(sides, key=len)
    return "teacher" if longest in _TEACHER else "student"


def _plural(named: _Named) -> bool:
    if named.words & {"teachers", "list", "outs"}:
        return True
    return bool(re.match(r"(typing\.)?(list|tuple|sequence)\b", named.annotation.lower()))


def _space(name: str) -> tuple[Space, bool]:
    """The numbers that a name asks for, and whether it says so."""
    if "logit" in name:
        return "logits", True
    if _LOG_PROBS.search(name):
        return "log_probs", True
    if _PROBS.search(name):
        return "probs", "prob" in name
    return "logits", False


def _takes_number(parameter: inspect.Parameter) -> bool:
    default = parameter.default
    if isinstance(default, int | float | str | bool):
        return True
    return parameter.annotation in (int, float, "int", "float", str, bool, "str", "bool")
