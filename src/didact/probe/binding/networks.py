"""What networks give, and what stands between the two sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.words import TEACHER, words
from didact.probe.binding.context import LAYERS, attention, layers_of, sides_of
from didact.probe.binding.roles import guess_option
from didact.probe.inputs.inputs import OF_IMAGES, Layout

ANSWERS = ("tensor", "outputs", "with_features", "features_first", "with_layers")
"""What a model may return: logits, an object with ``.logits``, a pair with its features, or with
features by name."""


NAMED = 3
"""How many layers are there when all names are asked for."""


class Nested(dict[Any, Any]):
    """What the layers of a network took and gave, by the name of a layer, then by side."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(input=tensor, output=tensor, logits=tensor)

    def __missing__(self, name: Any) -> Any:
        return self

    def __contains__(self, name: Any) -> bool:
        return True


class Named(dict[Any, Any]):
    """Features by the names of layers: every name has the same."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(dict.fromkeys(range(NAMED), tensor))

    def __missing__(self, name: Any) -> Any:
        return self[0]

    def __contains__(self, name: Any) -> bool:
        return True

    def get(self, _name: Any, _default: Any = None) -> Any:
        """As a dict's in which every name is."""
        return self[0]


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


_OF_SIDE = {"teacher": TEACHER, "student": frozenset({"student"})}
_WORDS_OF_SIDES = frozenset().union(*_OF_SIDE.values())


class Outputs(dict[Any, Any]):
    """What many models return: a dict whose entries are attributes."""

    def __init__(self, logits: Tensor, labels: Tensor | None = None, of: str = "") -> None:
        super().__init__(logits=logits)
        self._labels = labels
        self._others = _WORDS_OF_SIDES - (_OF_SIDE.get(of) or frozenset())

    def __missing__(self, name: Any) -> Any:
        logits = dict.__getitem__(self, "logits")
        if set(words(str(name))) & self._others:
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
        said = any(word in str(name) for word in ("logit", "hidden", "attention", "feature"))
        return said and not set(words(str(name))) & self._others

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Head(nn.Module):
    """The last layer of a language model: hidden states of crafted models are its logits."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", torch.eye(logits.shape[-1], dtype=logits.dtype))
        self.bias = None

    def forward(self, hidden: Tensor) -> Tensor:
        """What came in."""
        return hidden


class Pairs(list[tuple[int, int]]):
    """Which layer of the student meets which of the teacher: a list of pairs, or a dictionary."""

    def __init__(self) -> None:
        super().__init__([(0, 0), (1, 1)])

    def items(self) -> list[tuple[int, int]]:
        """As a dictionary's."""
        return list(self)

    def __getattr__(self, name: str) -> Any:
        """What an object that holds the pairs has: itself, and layers that change nothing."""
        held = {"mapping": self, "projector": Passing()}.get(guess_option(name))
        if held is None or name.startswith("__"):
            raise AttributeError(name)
        return held


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


def side(tensor: Tensor, layout: Layout, of: str = "") -> Any:
    """The output of one network in the layout that the loss takes."""
    if layout in ("outputs", "output_sequences"):
        return Outputs(tensor, of=of)
    if layout in OF_IMAGES:
        sides = sides_of(tensor.shape[1], layout)
        return tensor.reshape(tensor.shape[0], *sides, tensor.shape[-1]).movedim(-1, 1)
    if layout in _MOVED:
        return tensor.movedim(-1, _MOVED[layout])
    if layout in ("nested", "nested_maps"):
        return Nested(tensor)
    if layout in ("named_maps", "named_tokens"):
        return Named(tensor)
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
