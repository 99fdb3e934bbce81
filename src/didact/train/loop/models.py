"""From a name, a file, a run folder or an object to a model for this data."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError, UnknownNameError
from didact.data import Data
from didact.nn import build_model
from didact.train.record.digest import damaged
from didact.train.record.files import Shapes, read_header, read_tensors, write_tensors
from didact.train.record.result import first_of
from didact.train.record.run_folder import SETTINGS, STUDENT

LIBRARIES = ("timm", "torchvision")
"""Whose models may be named as ``LIBRARY:NAME``."""

ModelLike = str | Path | nn.Module | Callable[[], nn.Module]


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from.

    Attributes:
        name: What ``run.toml`` and the tables call it.
        build: A fresh model for the data.
        trained: Whether it comes with weights, so that a teacher need not be trained here.
    """

    name: str
    build: Callable[[Data], nn.Module]
    trained: bool = False


def name_of(part: object) -> str:
    """How ``run.toml`` calls what the user gave."""
    if isinstance(part, tuple):
        return f"{name_of(part[0])}={part[1]}"
    if isinstance(part, str | Path):
        return str(part)
    return str(getattr(part, "__name__", type(part).__name__))


def find_model(wanted: ModelLike, *, role: str) -> ModelSource:
    """The source of a student or a teacher.

    Args:
        wanted: A model name, ``pkg.mod:Name``, a run folder, a ``.safetensors`` file,
            ``NAME=FILE.safetensors``, a module, or a function that builds one.
        role: ``"student"`` or ``"teacher"``, for the messages.

    Raises:
        CheckpointError: A file that is missing or damaged.
        ModelError: A file that does not say which model it holds.
    """
    if isinstance(wanted, nn.Module):
        return ModelSource(
            type(wanted).__name__, lambda _: copy.deepcopy(wanted), trained=role == "teacher"
        )
    if not isinstance(wanted, str | Path):
        name = getattr(wanted, "__name__", type(wanted).__name__)
        return ModelSource(name, lambda _: wanted())
    text = str(wanted)
    name, equals, file = text.partition("=")
    if equals and file.endswith(".safetensors"):
        return _from_file(Path(file), text, model=name)
    if text.endswith(".safetensors"):
        return _from_file(Path(text), text)
    path = Path(text).expanduser()
    if path.is_dir():
        if not (path / SETTINGS).is_file():
            raise CheckpointError(f"{path} is not a run folder: it has no {SETTINGS}")
        return _from_file(path / STUDENT, text)
    if ("/" in text or "\\" in text) and ".py:" not in text:
        raise CheckpointError(f"there is no run folder or file {text} for the {role}")
    return ModelSource(text, lambda data: _build(text, data))


def checked(source: ModelSource, data: Data, *, role: str) -> nn.Module:
    """Build the model and try it on two images of zeros, without touching its state.

    Raises:
        ModelError: It cannot take the images or knows another number of classes.
    """
    model = source.build(data)
    was_training = model.training
    model.eval()
    images = torch.zeros(2, *data.image_shape)
    first = next((p for p in model.parameters()), None)
    if first is not None:
        images = images.to(first.device)
    try:
        with torch.no_grad():
            logits = model(images)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ModelError(
            f"the {role} {source.name} cannot take images of shape {data.image_shape} "
            f"(channels, height, width): {error}"
        ) from error
    model.train(was_training)
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != 2:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ModelError(f"the {role} {source.name} returns {got}; expected logits (2, classes)")
    if logits.shape[1] != data.num_classes:
        raise ModelError(
            f"the {role} {source.name} knows {logits.shape[1]} classes and {data.name} has "
            f"{data.num_classes}; student, teacher and data must have the same classes"
        )
    return model


def save_model(path: Path, state: Mapping[str, Tensor], name: str, data: Data) -> None:
    """Write a model so that :func:`find_model` can load it again."""
    about = {
        "model": name,
        "num_classes": data.num_classes,
        "image_shape": list(data.image_shape),
        "mean": list(data.mean),
        "std": list(data.std),
        "class_names": list(data.class_names),
    }
    write_tensors(path, state, about)


class Renormalised(nn.Module):
    """A model that was trained on images normalised by another mean and standard deviation."""

    scale: Tensor
    shift: Tensor

    def __init__(self, model: nn.Module, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("scale", scale.reshape(1, -1, 1, 1))
        self.register_buffer("shift", shift.reshape(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """``model(images * scale + shift)``."""
        logits: Tensor = self.model(images * self.scale + self.shift)
        return logits


def _build(name: str, data: Data) -> nn.Module:
    return build_model(name, image_shape=data.image_shape, num_classes=data.num_classes)


class ModelHeader(BaseModel):
    """What a model's file says of it; all of it may be missing in another program's file."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)

    model: str | None = Field(None, max_length=1000)
    num_classes: int | None = Field(None, ge=1)
    image_shape: list[int] | None = Field(None, min_length=3, max_length=3)
    mean: list[float] | None = None
    std: list[float] | None = None
    class_names: list[str] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> ModelHeader:
        sizes = {len(part) for part in (self.mean, self.std) if part is not None}
        if self.image_shape is not None and sizes - {self.image_shape[0]}:
            raise ValueError("mean and std are not one number for each channel")
        if self.std is not None and min(self.std, default=1) <= 0:
            raise ValueError("std is not above 0")
        return self


def read_model_header(path: Path) -> tuple[Shapes, ModelHeader]:
    """The shapes of the weights in a file, and what it says of them.

    Raises:
        CheckpointError: The file or its header is damaged.
    """
    shapes, about = read_header(path)
    try:
        return shapes, ModelHeader.model_validate(about)
    except ValidationError as error:
        raise damaged(path, f"its header, {first_of(error)}") from None


def _from_file(path: Path, text: str, model: str | None = None) -> ModelSource:
    shapes, header = read_model_header(path)
    name = model or header.model
    if name is None:
        raise ModelError(
            f"{path} does not say which model it holds; name it: --teacher resnet56={path}"
        )
    if model is None:
        _refuse_code(name, path)
    return ModelSource(text, lambda data: _load(name, path, shapes, header, data), trained=True)


def _refuse_code(name: str, path: Path) -> None:
    """A name out of a file is one of the zoo or of a library, never code that would be imported.

    Raises:
        ModelError: It is something else.
    """
    library, colon, rest = name.partition(":")
    if colon and not (library in LIBRARIES and re.fullmatch(r"[\w.-]+", rest)):
        raise ModelError(
            f"{path} holds a model called {name!r}, and code is imported only when you name it. "
            f"If you know that code: --teacher {name}={path}"
        )


def _load(name: str, path: Path, shapes: Shapes, header: ModelHeader, data: Data) -> nn.Module:
    shape, classes = header.image_shape, header.num_classes or data.num_classes
    if classes != data.num_classes:
        raise ModelError(
            f"the teacher {path} knows {classes} classes and {data.name} has {data.num_classes}; "
            "student, teacher and data must have the same classes"
        )
    if shape is not None and tuple(shape) != data.image_shape:
        raise ModelError(
            f"the teacher {path} takes images of shape {tuple(shape)} and {data.name} has "
            f"{data.image_shape} (channels, height, width); expected the same"
        )
    try:
        model = _build(name, data)
        _compare_shapes(shapes, model)
        model.load_state_dict(read_tensors(path)[0])
    except UnknownNameError as error:
        raise ModelError(f"{path} holds a model called {name!r}: {error}") from error
    except RuntimeError as error:
        raise ModelError(
            f"the weights in {path} do not fit the model {name}: {_first_of(error)}"
        ) from error
    return _renormalised(model, header, data)


def _first_of(error: RuntimeError, length: int = 160) -> str:
    """The first thing that ``load_state_dict`` complains of, whose lists can be pages long."""
    text = " ".join(str(error).splitlines()[1:2]).strip()
    return text if len(text) <= length else text[:length].rpartition(",")[0] + ", ..."


def _compare_shapes(shapes: Shapes, model: nn.Module) -> None:
    """Before any weight is read: a file may be larger than the memory.

    Raises:
        RuntimeError: As ``load_state_dict`` has it.
    """
    for name, wanted in model.state_dict().items():
        if name in shapes and shapes[name] != tuple(wanted.shape):
            raise RuntimeError(
                f"\nsize mismatch for {name}: {shapes[name]} in the file, "
                f"{tuple(wanted.shape)} in the model"
            )
    if unexpected := set(shapes) - set(model.state_dict()):
        raise RuntimeError(f"\nunexpected {', '.join(sorted(unexpected)[:3])} in the file")


def _renormalised(model: nn.Module, header: ModelHeader, data: Data) -> nn.Module:
    mean: Sequence[float] = header.mean or data.mean
    std: Sequence[float] = header.std or data.std
    if list(mean) == list(data.mean) and list(std) == list(data.std):
        return model
    own_mean, own_std = torch.tensor(data.mean), torch.tensor(data.std)
    scale = own_std / torch.tensor(std)
    return Renormalised(model, scale, (own_mean - torch.tensor(mean)) / torch.tensor(std))
