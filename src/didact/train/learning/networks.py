"""The network that a run begins with: new, or one that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError
from didact._core.lookup import is_import_path
from didact.data import Data, Split
from didact.nn import Weights, build_model, load_weights, read_weights
from didact.train.loop.models import (
    ModelHeader,
    ModelLike,
    name_and_file,
    name_of,
    read_model_header,
    refuse_code,
)
from didact.train.record.run_folder import MODEL, SETTINGS, STUDENT

Build = Callable[[Data, int], nn.Module]
FEATURES = "features"
"""The model of a learner whose samples are features already."""


@dataclass(frozen=True)
class NetworkSource:
    """Where the network comes from.

    Attributes:
        architecture: What :func:`didact.nn.build_model` is called with; the name of a function
            where it is one, which cannot be found again by its name.
        build: A network for the data, with that many outputs and with the weights, if any.
        file: The weights that it begins with.
        header: What their file says of them; all of it may be missing.
    """

    architecture: str
    build: Build
    file: Path | None = None
    header: ModelHeader = field(default_factory=lambda: ModelHeader.model_validate({}))


class GivenFeatures(nn.Module):
    """No network: the samples, rows of numbers, are the features."""

    def __init__(self, data: Data, classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(data.image_shape[0], classes)

    def features(self, rows: Tensor) -> Tensor:
        """The rows as they are."""
        return rows

    def forward(self, rows: Tensor) -> Tensor:
        """Logits ``(batch, classes)``."""
        logits: Tensor = self.classifier(rows)
        return logits


def find_network(
    model: ModelLike, *, with_weights: bool = True, new_head: bool = True
) -> NetworkSource:
    """The source of what the user gave.

    Args:
        model: A name of :data:`didact.nn.MODELS`, of a library or of the user's code;
            ``NAME=FILE``, with weights of any program; a run folder or a ``.safetensors`` file of
            didact; or a function ``(data, classes)`` that builds a network.
        with_weights: Whether they are wanted. Without, the file need not be there.
        new_head: Whether a head for another number of classes begins anew; it is refused else.

    Raises:
        CheckpointError: There is no such file, or it is damaged.
        ModelError: A module, which has a fixed number of classes and cannot be built anew.
    """
    if not isinstance(model, str | Path):
        if isinstance(model, nn.Module | Mapping) or not callable(model):
            raise ModelError(
                f"the model is {type(model).__name__}; expected a name, or a function "
                "(data, classes) that builds a network, since it must be built for any number"
            )
        return NetworkSource(name_of(model), model)
    if model == FEATURES:
        return NetworkSource(FEATURES, lambda data, classes: GivenFeatures(data, classes))
    text = str(model)
    place = Path(text.partition("::")[0]).expanduser()
    if place.is_dir() or place.is_file():
        return _of_didact(place, new_head)
    pair = name_and_file(text)
    if pair is None:
        if ("/" in text or "\\" in text) and not is_import_path(text):
            raise CheckpointError(f"there is no run folder or file {text} for the model")
        return NetworkSource(text, _named(text))
    if not with_weights:
        return NetworkSource(pair[0], _named(pair[0]))
    where, _, key = pair[1].partition("::")
    path = Path(where).expanduser()
    build = _loaded(pair[0], path, read_weights(path, key), new_head)
    if path.suffix != ".safetensors":
        return NetworkSource(pair[0], build, path)
    return NetworkSource(pair[0], build, path, read_model_header(path)[1])


def _of_didact(place: Path, new_head: bool) -> NetworkSource:
    path = place
    if place.is_dir():
        if not (place / SETTINGS).is_file():
            raise CheckpointError(f"{place} is not a run folder: it has no {SETTINGS}")
        path = next((f for f in (place / MODEL, place / STUDENT) if f.is_file()), place / MODEL)
    if path.suffix != ".safetensors" or not path.is_file():
        raise CheckpointError(
            f"there is no model in {path}; expected a run folder, a .safetensors file of didact, "
            "or NAME=FILE with weights of any program"
        )
    _, header = read_model_header(path)
    if header.model is None:
        raise ModelError(
            f"{path} does not say which model it holds; name it: --model resnet56={path}"
        )
    refuse_code(header.model, path, "--model")
    return NetworkSource(
        header.model, _loaded(header.model, path, read_weights(path), new_head), path, header
    )


def _named(name: str) -> Build:
    def build(data: Data, classes: int) -> nn.Module:
        return build_model(name, image_shape=data.image_shape, num_classes=classes)

    return build


def _loaded(name: str, path: Path, weights: Weights, new_head: bool) -> Build:
    """The model with the weights of a file."""

    def build(data: Data, classes: int) -> nn.Module:
        network = build_model(name, image_shape=data.image_shape, num_classes=classes)
        load_weights(network, weights, what=str(path), new_classifier=new_head)
        return network

    return build


def bare_data(
    name: str,
    image_shape: tuple[int, ...],
    class_names: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> Data:
    """What is known of data without any image of it."""
    empty = Split(torch.empty(0, *image_shape, dtype=_kind(image_shape)), _no_labels())
    nothing = torch.ones(0, dtype=torch.bool)
    return Data(name, empty, empty, empty, class_names, mean, std, nothing)


def _no_labels() -> Tensor:
    return torch.empty(0, dtype=torch.int64)


def _kind(image_shape: tuple[int, ...]) -> torch.dtype:
    """Rows of features are numbers; images are bytes, unless something else is given."""
    return torch.float32 if len(image_shape) == 1 else torch.uint8
