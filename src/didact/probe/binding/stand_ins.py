"""What stands for models, batches and options while a loss is tried."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.words import NETWORK, TEACHER, words
from didact.probe.binding.roles import Role, Space, guess_name, guess_option
from didact.probe.binding.written import assigned
from didact.probe.inputs.inputs import OF_IMAGES, OF_POSITIONS, Inputs, Layout

LAYERS = 13
"""Hidden states of a transformer of twelve blocks, the embedding first."""

ANSWERS = ("tensor", "outputs", "with_features", "features_first", "with_layers")
"""What a model may return: logits, an object with ``.logits``, a pair with its features, or with
features by name."""


@dataclass(frozen=True)
class CallContext:
    """What the value of a slot is made from.

    Attributes:
        inputs: The crafted inputs.
        layout: Their shape.
        given: What the user fixed, by parameter, or by dotted name for a part of one.
        seen: The options that the loss asked for by dotted name, and their roles.
        ranked: Whether the teacher speaks of its likeliest classes, with their numbers beside.
        choices: For each name that the code compares with texts, the first of these; False for a
            bare condition.
        answer: What the models return that no parameter is, as one of ``ANSWERS``.
        as_tensors: Whether numbers are passed as tensors.
        numbers: The names that the code uses where only a number can stand.
    """

    inputs: Inputs
    layout: Layout
    given: Mapping[str, Any]
    seen: dict[str, Role]
    ranked: bool = False
    choices: Mapping[str, str | bool] = field(default_factory=dict)
    answer: str = "tensor"
    as_tensors: bool = False
    numbers: frozenset[str] = frozenset()

    def number(self, which: str) -> Any:
        """The temperature or the weight, as a tensor where the loss asks for one."""
        value = getattr(self.inputs, which)
        return torch.tensor(value, dtype=self.inputs.student.dtype) if self.as_tensors else value

    @property
    def channels(self) -> int:
        """How many channels or classes the loss sees."""
        last = self.layout in OF_POSITIONS
        return self.inputs.student.shape[-1 if last else 1]


def in_space(logits: Tensor, space: Space, temperature: float = 1.0) -> Tensor:
    """Logits as the numbers that a parameter asks for, softened where they are probabilities."""
    if space != "logits":
        logits = logits / temperature
    if space == "probs":
        return logits.softmax(-1)
    return logits.log_softmax(-1) if space == "log_probs" else logits


def side(tensor: Tensor, layout: Layout) -> Any:
    """The output of one network in the layout that the loss takes."""
    if layout in ("outputs", "output_sequences"):
        return Outputs(tensor)
    if layout in OF_IMAGES:
        sides = sides_of(tensor.shape[1], layout)
        return tensor.reshape(tensor.shape[0], *sides, tensor.shape[-1]).movedim(-1, 1)
    if layout in _MOVED:
        return tensor.movedim(-1, _MOVED[layout])
    if layout in ("nested", "nested_maps"):
        return Nested(tensor)
    if layout == "lists":
        return [tensor, tensor.roll(1, -1)]
    if layout == "layers":
        return [tensor, F.avg_pool2d(tensor, 2), tensor.mean((2, 3), keepdim=True)]
    if layout == "hidden":
        return layers_of(tensor)
    if layout == "attentions":
        return tuple(attention(layer) for layer in layers_of(tensor))
    return tensor


_MOVED: Mapping[str, int] = {"channels_first": 1, "vocabulary_first": 0}
"""Where the classes stand that are not last."""


def sides_of(positions: int, layout: Layout) -> tuple[int, ...]:
    """The sides of a picture or volume of so many points."""
    return (2, 2, positions // 4) if layout == "volumes" else (2, positions // 2)


def layers_of(tensor: Tensor) -> tuple[Tensor, ...]:
    """One tensor as the hidden states of every layer, each another rotation of it."""
    wide = tensor if tensor.dim() == 3 else tensor[:, None].expand(-1, 4, *tensor.shape[1:])
    return tuple(wide.roll(layer, -1) * (1 + layer / LAYERS) for layer in range(LAYERS))


def attention(hidden: Tensor) -> Tensor:
    """Hidden states as the attention of two heads."""
    scores = hidden @ hidden.transpose(-1, -2) / hidden.shape[-1] ** 0.5
    return torch.stack([scores, 0.5 * scores], 1).softmax(-1)


class Nested(dict[Any, Any]):
    """What the layers of a network took and gave, by the name of a layer, then by side."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(input=tensor, output=tensor, logits=tensor)

    def __missing__(self, name: Any) -> Any:
        return self

    def __contains__(self, name: Any) -> bool:
        return True


class Layers(dict[Any, Any]):
    """The features of a network by name: maps of every layer where it is a plural, else one."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self._flat = layers_of(logits)[-1].mean(1)

    def __missing__(self, name: Any) -> Any:
        maps = self._flat[:, :, None, None].expand(-1, -1, 4, 4)
        if not isinstance(name, str) or not name.endswith("s"):
            return self._flat
        return [maps * (1 + layer) for layer in range(4)]


class Outputs(dict[Any, Any]):
    """What many models return: a dict whose entries are attributes."""

    def __init__(self, logits: Tensor, labels: Tensor | None = None) -> None:
        super().__init__(logits=logits)
        self._labels = labels

    def __missing__(self, name: Any) -> Any:
        logits = dict.__getitem__(self, "logits")
        if set(words(str(name))) & {*TEACHER, "student"}:
            raise KeyError(f"{name!r} of the output of one model")
        if name == 0:
            return logits
        if isinstance(name, int):
            return layers_of(logits)[-1]
        if "attention" in name:
            return tuple(attention(layer) for layer in layers_of(logits))
        if "hidden" in name or "feature" in name:
            return layers_of(logits) if name.endswith("s") else layers_of(logits)[-1]
        if "loss" in name and self._labels is not None:
            return F.cross_entropy(logits.flatten(0, -2), self._labels.flatten())
        return logits

    def __contains__(self, name: Any) -> bool:
        return any(word in str(name) for word in ("logit", "hidden", "attention", "feature"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Pairs(list[tuple[int, int]]):
    """Which layer of the student meets which of the teacher: a list of pairs, or a dictionary."""

    def __init__(self) -> None:
        super().__init__([(0, 0), (1, 1)])

    def items(self) -> list[tuple[int, int]]:
        """As a dictionary's."""
        return list(self)


class Passing(nn.Module):
    """Layers between the two sides, one or many, that change nothing."""

    layer_mapping = Pairs()

    def forward(self, *inputs: Any, **_options: Any) -> Any:
        """What came in: both sides, where both are given."""
        tensors = [x for x in inputs[1:] if isinstance(x, Tensor)]
        return (inputs[0], *tensors) if tensors else inputs[0]

    def __getitem__(self, _name: Any) -> Passing:
        return self

    def __contains__(self, _name: Any) -> bool:
        return True

    def __iter__(self) -> Iterator[Passing]:
        return iter([self] * LAYERS)


_SAME_MODEL = ("module", "model", "network", "net", "backbone", "encoder", "base_model")
"""Parts of a model that answer as the whole does."""


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
            return Outputs(logits, self._context.inputs.labels)
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
            role = guess_option(name)
            if role in _OPTION_VALUES:
                return _OPTION_VALUES[role](self._context)
            if role == "options":
                return Options(self._context, f"{self._which}.{name}")
            raise


class Batch(dict[str, Any]):
    """A batch as a dictionary: its entries are found by what their names say."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        count = context.inputs.labels
        mask = context.inputs.mask
        super().__init__(
            input_ids=count.clamp(min=0),
            attention_mask=torch.ones_like(count) if mask is None else mask.long(),
            labels=count,
        )

    def __missing__(self, name: str) -> Any:
        given = self._context.given
        key = next((k for k in given if k.endswith(f".{name}")), None)
        guessed = guess_name(name)
        role: str = guessed.role if key is None else str(given[key])
        inputs = self._context.inputs
        if role in ("student", "teacher"):
            found = side(in_space(getattr(inputs, role), guessed.space), self._context.layout)
            several = guessed.plural and (role == "teacher" or "list" in name)
            return [found] * inputs.copies if several else found
        if role == "labels":
            return inputs.labels
        if role in ("temperature", "weight"):
            return getattr(inputs, role)
        if role == "mask":
            return dict.__getitem__(self, "attention_mask")
        if role == "unknown" and any(w in name for w in ("image", "pixel", "input", "x")):
            return torch.zeros(inputs.student.shape[0], 3, dtype=inputs.student.dtype)
        raise KeyError(f"{name!r} of the batch; pass --arg batch.{name}=ROLE")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict's; an entry that no name explains is not there."""
        try:
            return self[name]
        except KeyError:
            return default

    def pop(self, name: str, *default: Any) -> Any:
        """As :meth:`get`; the batch is made anew for each call."""
        found = self[name] if not default else self.get(name, default[0])
        dict.pop(self, name, None)
        return found

    def to(self, *_where: Any, **_options: Any) -> Batch:
        """It is there already."""
        return self


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
        if role == "options":
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
            if (value is None and asked in _OPTION_VALUES) or (
                not value and asked == "old_classes"
            ):
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
    tells = found.features or found.space != "logits" or found.space_sure
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
        number = isinstance(default, int | float) and not isinstance(default, bool)
        if default is not inspect.Parameter.empty and not (
            number and guess_option(name) in ("temperature", "weight")
        ):
            return default
        return owner._by_name(name, path)
