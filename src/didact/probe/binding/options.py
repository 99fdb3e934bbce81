"""What stands for ``self``, for options and for models: each may hold the others."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from didact._core.words import NETWORK, words
from didact.probe.binding.context import CallContext, in_space, layers_of
from didact.probe.binding.networks import Head, Layers, Outputs, Pairs, Passing, side
from didact.probe.binding.roles import OUTPUT, TOOLS, Role, guess_name, guess_option, is_width
from didact.probe.binding.written import assigned, called

_OPTION_VALUES: dict[Role, Callable[[CallContext], Any]] = {
    "temperature": lambda c: c.number("temperature"),
    "weight": lambda c: c.number("weight"),
    "coefficient": lambda _: 1.0,
    "classes": lambda c: c.inputs.classes,
    "count": lambda _: 2,
    "total": lambda _: 4,
    "device": lambda _: torch.device("cpu"),
    "reduction": lambda _: "mean",
    "criterion": lambda _: nn.CrossEntropyLoss(),
    "width": lambda c: c.channels,
    "batch_size": lambda c: c.inputs.student.shape[0],
    "projector": lambda _: Passing(),
    "mapping": lambda _: Pairs(),
    "sample_weights": lambda c: torch.ones(c.inputs.classes, dtype=c.inputs.student.dtype),
    "switch": lambda _: False,
    "ignored": lambda _: -100,
}


_SAME_MODEL = ("module", "model", "network", "net", "backbone", "encoder", "base_model")
"""Parts of a model that answer as the whole does."""
_HEADS = ("lm_head", "embed_out", "output_layer", "classifier", "fc")


class Model(nn.Module):
    """A model that answers every input with the same logits.

    They are copied at each call, so that ``no_grad`` around it cuts their graph, as a model's.
    """

    def __init__(self, context: CallContext, which: str, answer: str) -> None:
        super().__init__()
        self._context, self._which, self._answer = context, which, answer

    def forward(self, *_inputs: Any, **_options: Any) -> Any:
        """The logits, in the form that is tried."""
        logits: Tensor = getattr(self._context.inputs, self._which) * 1.0
        if self._answer == "outputs":
            return Outputs(logits, self._context.inputs.labels, self._which)
        answer = side(logits, self._context.layout)
        features = layers_of(logits)[-1].mean(1)
        if self._answer == "with_features":
            return answer, features
        if self._answer == "with_layers":
            return answer, Layers(logits)
        if self._answer == "features_first":
            return features, answer
        if isinstance(answer, Tensor):
            answer = answer.view_as(answer)
            answer.logits = answer.view_as(answer)  # type: ignore[attr-defined]
        return answer

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("__"):
                raise
            if name in _SAME_MODEL:
                return self
            if name in _HEADS:
                return Head(getattr(self._context.inputs, self._which))
            role = guess_option(name)
            if role in _OPTION_VALUES:
                return _OPTION_VALUES[role](self._context)
            if role == "options":
                return Options(self._context, f"{self._which}.{name}")
            raise


class Options:
    """``self``, ``args`` or ``cfg``: it answers by name, as an attribute or an item, at any depth.

    As ``self`` it stands for an instance of a class and says so to ``isinstance`` and ``super()``,
    which its methods call; ``type`` tells the truth, and so does ``repr``. What ``__init__`` writes
    down is worked out when it is asked for, one attribute at a time: the constructor is not run.
    """

    def __init__(self, context: CallContext, path: str, source: type | None = None) -> None:
        self.__dict__.update(_context=context, _path=path, _source=source)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "training":
            return True
        if name == "forward" and (network := self._network()) is not None:
            return network
        context, path = self._context, f"{self._path}.{name}"
        given = self._told(name)
        if given is not None:
            return context.given[given]
        if self._source is not None:
            answered, value = self._of_class(name)
            if answered:
                return value
        return self._by_name(name, path)

    def _network(self) -> Model | None:
        """The student, where a section of options by its name is called as a model is."""
        last = self._path.rpartition(".")[2]
        if self._source is not None and last == "self" and self._has_no_forward():
            last = "model"  # its base has the call
        if not set(words(last)) & NETWORK:
            return None
        self._context.seen[self._path] = "student_model"
        return Model(self._context, "student", self._context.answer)

    def _has_no_forward(self) -> bool:
        return getattr(self._source, "forward", None) in (None, nn.Module.forward)

    def _told(self, name: str) -> str | None:
        """Under which name the user gave a value, should there be one."""
        path = f"{self._path}.{name}"
        known = self._context.given
        return next((g for g in (path, path.partition(".")[2], name) if g in known), None)

    def tells(self, name: str) -> bool:
        """Whether the user gave a value."""
        return self._told(name) is not None

    def named(self, name: str) -> Any:
        """What a global name stands for."""
        return self._by_name(name, name)

    def _by_name(self, name: str, path: str) -> Any:
        context, role = self._context, guess_option(name)
        if name in _SILENT:
            return lambda *_, **__: None
        if context.choices.get(name) is False:
            return False
        if _says_output(name):
            found = guess_name(name)
            context.seen[path] = found.role
            tensor = in_space(getattr(context.inputs, found.role), found.space)
            several = found.features and name.endswith("s") and context.layout != "layers"
            return [tensor, tensor.roll(1, -1)] if several else side(tensor, context.layout)
        if role == "options" or set(words(name)) & TOOLS:
            return Options(context, path)
        if role in ("teacher_model", "student_model"):
            context.seen[path] = role
            return Model(context, role.removesuffix("_model"), context.answer)
        if role == "old_classes" and context.inputs.old is not None:
            context.seen[path] = role
            return context.inputs.old
        if role == "unknown" and name in context.choices:
            return context.choices[name]
        if role == "unknown" and name in context.numbers:
            role = "count"
        if role not in _OPTION_VALUES:
            raise AttributeError(f"the options have no {name!r}; pass --arg {path}=VALUE")
        if role in ("temperature", "weight"):
            context.seen[path] = role
        return _OPTION_VALUES[role](context)

    def _of_class(self, name: str) -> tuple[bool, Any]:
        """What the class itself says of a name: a method, a constant, or a line of ``__init__``."""
        source: type = self._source
        plain = inspect.getattr_static(source, name, _ABSENT)
        own = not hasattr(nn.Module, name) or (name == "forward" and plain is not nn.Module.forward)
        if isinstance(plain, types.FunctionType) and own:
            return True, types.MethodType(plain, self)
        if isinstance(plain, property) and plain.fget is not None and own:
            return True, plain.fget(self)
        if plain is not _ABSENT and own:
            return True, getattr(source, name)
        if guess_option(name) in ("teacher_model", "student_model"):
            return False, None
        for expression, names in assigned(source).get(name, ()):
            try:
                value = eval(expression, dict(names), _Names(self, names))
            except Exception:  # noqa: BLE001 - it needs more than the name tells
                continue
            asked = guess_option(name)
            if not isinstance(value, Tensor) and not value and _says_output(name):
                return False, None
            later = value is None and (asked in _OPTION_VALUES or name in called(source))
            if later or (asked == "old_classes" and not value):
                return False, None  # filled in later, by what the name says
            return True, value
        return False, None

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class that it stands for."""
        return self.__dict__["_source"] or Options

    def __repr__(self) -> str:
        """What it is: no object of that class."""
        source = self.__dict__["_source"]
        return f"<stand-in for {source.__name__ if source else self.__dict__['_path']}>"

    def __getitem__(self, name: Any) -> Any:
        try:
            return getattr(self, name)
        except (AttributeError, TypeError) as error:
            raise KeyError(str(error)) from error

    def __contains__(self, name: str) -> bool:
        return guess_option(name) in (*_OPTION_VALUES, "options") or name in self._context.given

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict's."""
        try:
            return getattr(self, name)
        except AttributeError:
            return default

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """As a module's."""
        return self.forward(*arguments, **options)


def _says_output(name: str) -> bool:
    """Whether an attribute keeps what a network gave, as ``_teacher_logits`` does."""
    found = guess_name(name)
    ends = words(name)[-1] in OUTPUT if words(name) else False  # logit_stand is none
    tells = found.features or found.space != "logits" or (found.space_sure and ends)
    return tells and found.role in ("student", "teacher") and found.space != "one_hot"


_ABSENT = object()
_SILENT = ("log", "log_dict", "log_metrics", "print")
"""What a trainer has from its base, and only writes with."""


class _Names(dict[str, Any]):
    """The local names of ``__init__``: its parameters, each by what its name says."""

    def __init__(self, owner: Options, known: Mapping[str, Any]) -> None:
        super().__init__(self=owner)
        self._owner, self._known = owner, known

    def __missing__(self, name: str) -> Any:
        defaults: Mapping[str, Any] = self._known["__defaults__"]
        if name not in defaults:
            raise KeyError(name)
        default = defaults[name]
        owner = self._owner
        path = f"{owner._path}.{name}"
        if is_width(name, default):
            return owner._context.channels
        number = isinstance(default, int | float) and not isinstance(default, bool)
        if default is not inspect.Parameter.empty and not (
            number and guess_option(name) in ("temperature", "weight")
        ):
            return default
        return owner._by_name(name, path)
