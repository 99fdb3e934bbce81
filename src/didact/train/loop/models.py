"""From a name, a file, a run folder or an object to a model for this data."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from didact._core.digest import damaged
from didact._core.errors import CheckpointError, ModelError, UnknownNameError
from didact._core.lookup import is_import_path, load
from didact.data import Data
from didact.nn import (
    FunctionModel,
    NoLargerThan,
    Normalisation,
    OnnxModel,
    OwnInputs,
    OwnUnits,
    Weights,
    build_model,
    check_weights,
    is_torchscript,
    load_torchscript,
    load_weights,
    read_weights,
)
from didact.train.loop.cached import CachedLogits, read_logits
from didact.train.record.files import Shapes, read_header, read_tensors, write_tensors
from didact.train.record.result import first_of
from didact.train.record.run_folder import SETTINGS, STUDENT

LIBRARIES = ("timm", "torchvision")
"""Whose models may be named as ``LIBRARY:NAME``."""

ModelLike = str | Path | nn.Module | Callable[..., Any] | Mapping[str, Any]
NormalisationLike = str | Sequence[Sequence[float]]
ImageShape = tuple[int, ...]
CACHED = "npz:"
WEIGHTS = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar")
PROGRAMS = (".onnx", ".torchscript")
_KEYS = ("model", "normalise", "input_size", "trained")
_BUILDER_PARAMETERS = {"num_classes", "image_shape", "in_channels"}


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from.

    Attributes:
        name: What ``run.toml`` and the tables call it.
        build: A fresh model for the data and for images of a shape.
        trained: Whether it comes with weights, so that a teacher need not be trained here.
        architecture: What :func:`didact.nn.build_model` is called with; the name where that is it.
        normalise: What the model was trained to see; None where that is not known.
        input_size: Height and width that it wants; None for those of the data.
        image_shape: Of the images that it was trained on, where the file says so.
        num_classes: That it must have in common with the data, where the file says so.
        units: Mean and deviation of the numbers that it predicts, where the file says so.
    """

    name: str
    build: Callable[[Data, ImageShape], nn.Module]
    trained: bool = False
    architecture: str = ""
    normalise: NormalisationLike | None = None
    input_size: tuple[int, int] | None = None
    image_shape: ImageShape | None = None
    num_classes: int | None = None
    units: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def shape_for(self, data: Data) -> ImageShape:
        """The shape of the images that the model is given, once they are brought to it.

        Raises:
            ModelError: It was trained on images of another shape, or knows other classes.
        """
        known = None
        if self.normalise is not None:
            known = Normalisation.read(self.normalise, data.mean, data.std)
        channels = max(data.image_shape[0], known.channels if known else 1)
        wanted = (channels, *(self.input_size or data.image_shape[1:]))
        if self.num_classes not in (None, data.num_classes):
            raise ModelError(
                f"{self.name} knows {self.num_classes} classes and {data.name} has "
                f"{data.num_classes}; student, teacher and data must have the same classes"
            )
        if self.image_shape is not None and self.image_shape != wanted:
            own = "x".join(map(str, self.image_shape[1:]))
            resizable = len(self.image_shape) == 3 and not data.is_table
            hint = f", or for a teacher --teacher-input-size {own}" if resizable else ""
            raise ModelError(
                f"{self.name} takes images of shape {self.image_shape} and {data.name} has "
                f"{data.image_shape} (channels, height, width); expected the same{hint}"
            )
        return wanted


def name_of(part: object) -> str:
    """How ``run.toml`` calls what the user gave."""
    if isinstance(part, tuple):
        return f"{name_of(part[0])}={part[1]}"
    if isinstance(part, str | Path):
        return str(part)
    if isinstance(part, Mapping):
        return name_of(part.get("model"))
    return str(getattr(part, "__name__", type(part).__name__))


def find_model(wanted: ModelLike, *, role: str) -> ModelSource:
    """The source of a student or a teacher.

    Args:
        wanted: A model name, ``pkg.mod:Name``, a run folder, ``NAME=FILE`` with weights of any
            program, ``FILE.safetensors`` or a TorchScript or ONNX file; a module, a function that
            builds one, a function from images to logits; ``npz:FILE`` with the logits of a
            teacher; or a dictionary with ``model``, one of
            these, and perhaps ``normalise``, ``input_size`` and ``trained``.
        role: ``"student"`` or ``"teacher"``, for the messages and for what is possible.

    Raises:
        CheckpointError: A file that is missing or damaged.
        ModelError: A file that does not say which model it holds.
    """
    if isinstance(wanted, nn.Module):
        return ModelSource(
            type(wanted).__name__, lambda *_: copy.deepcopy(wanted), trained=role == "teacher"
        )
    if isinstance(wanted, Mapping):
        return _from_dictionary(wanted, name_of(wanted), role)
    if not isinstance(wanted, str | Path):
        return _from_function(wanted, name_of(wanted), role)
    text = str(wanted)
    if text.startswith(CACHED) and role == "teacher":
        return _from_logits(text)
    if _is_place(text):
        return _from_place(text, Path(text.partition("::")[0]).expanduser(), role)
    if (split := name_and_file(text)) is not None:
        return _from_weights(split[1], text, role, architecture=split[0])
    if text.partition("::")[0].endswith((*WEIGHTS, *PROGRAMS)):
        raise CheckpointError(f"there is no file {text.partition('::')[0]} for the {role}")
    if role == "teacher" and is_import_path(text):
        return _from_import(text)
    if ("/" in text or "\\" in text) and ".py:" not in text:
        raise CheckpointError(f"there is no run folder or file {text} for the {role}")
    return ModelSource(text, lambda data, shape: _build(text, data, shape), architecture=text)


def _from_logits(text: str) -> ModelSource:
    arrays = read_logits(Path(text.removeprefix(CACHED)).expanduser())
    return ModelSource(
        text, lambda data, _: CachedLogits(arrays, data, text), trained=True, normalise="data"
    )


def _is_place(text: str) -> bool:
    """Whether the whole text is a folder or a file of a model, equals signs and all."""
    path = Path(text.partition("::")[0]).expanduser()
    return path.is_dir() or (path.is_file() and path.suffix in (*WEIGHTS, *PROGRAMS))


def named_in(text: str) -> str:
    """The model that ``NAME=FILE`` names, or the whole text."""
    pair = None if _is_place(text) else name_and_file(text)
    return text if pair is None else pair[0]


def name_and_file(text: str) -> tuple[str, str] | None:
    """``NAME`` and ``FILE`` of ``NAME=FILE``, either of which may have equals signs itself."""
    cuts = [place for place, sign in enumerate(text) if sign == "="]
    pairs = [(text[:cut], text[cut + 1 :]) for cut in cuts]
    named = [pair for pair in pairs if pair[1].partition("::")[0].endswith(WEIGHTS)]
    there = [pair for pair in named if Path(pair[1].partition("::")[0]).expanduser().is_file()]
    return next(iter(there or named), None)


def names_program(text: str) -> bool:
    """Whether a teacher is a file that is itself a program, and would be run."""
    return _is_place(text) and _is_program(Path(text).expanduser())


def _is_program(path: Path) -> bool:
    if path.is_dir() or path.suffix == ".safetensors":
        return False
    return path.suffix == ".onnx" or is_torchscript(path)


def _from_place(text: str, path: Path, role: str) -> ModelSource:
    if path.is_dir():
        if not (path / SETTINGS).is_file():
            raise CheckpointError(f"{path} is not a run folder: it has no {SETTINGS}")
        return _from_weights(str(path / STUDENT), text, role)
    if _is_program(path):
        if role != "teacher":
            raise ModelError(f"{path} is a program that cannot be trained; it can be a teacher")
        if path.suffix == ".onnx":
            return ModelSource(text, lambda *_: OnnxModel(path), trained=True)
        return ModelSource(text, lambda *_: load_torchscript(path), trained=True)
    return _from_weights(text, text, role)


def _from_import(text: str) -> ModelSource:
    """What ``file.py:Name`` is: a model, a dictionary, a function of images, or a builder."""
    found = load(text, what="model")
    if isinstance(found, nn.Module):
        return ModelSource(text, lambda *_: copy.deepcopy(found), trained=True)
    if isinstance(found, Mapping):
        return _from_dictionary(found, text, "teacher")
    if callable(found) and _takes_images(found):
        return ModelSource(text, lambda *_: FunctionModel(found), trained=True)
    if callable(found) and not _parameters(found):
        made = _called(found, text)
        if isinstance(made, Mapping):
            return _from_dictionary(made, text, "teacher")
    return ModelSource(text, lambda data, shape: _build(text, data, shape), architecture=text)


def _called(function: Callable[..., Any], text: str) -> Any:
    try:
        return function()
    except Exception as error:
        raise ModelError(f"building {text} failed: {type(error).__name__}: {error}") from error


def _from_function(function: Callable[..., Any], name: str, role: str) -> ModelSource:
    if role == "teacher" and _takes_images(function):
        return ModelSource(name, lambda *_: FunctionModel(function), trained=True)
    return ModelSource(name, lambda *_: function())


def _takes_images(function: Callable[..., Any]) -> bool:
    """Whether a function has one parameter that must be given and is none of a builder's."""
    wanted = _parameters(function)
    return not inspect.isclass(function) and len(wanted) == 1 and not wanted & _BUILDER_PARAMETERS


def _parameters(function: Callable[..., Any]) -> set[str]:
    """The parameters that must be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set()
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {p.name for p in parameters if p.default is p.empty and p.kind in by_place}


def _from_dictionary(given: Mapping[str, Any], name: str, role: str) -> ModelSource:
    unknown = sorted(set(map(str, given)) - set(_KEYS))
    if unknown or "model" not in given:
        what = f"has {', '.join(unknown)}" if unknown else "has no 'model'"
        raise ModelError(
            f"the dictionary of the {role} {name} {what}; expected model, and perhaps normalise, "
            "input_size and trained"
        )
    source = find_model(given["model"], role=role)
    size = given.get("input_size")
    return replace(
        source,
        name=name,
        trained=bool(given.get("trained", source.trained)),
        normalise=given.get("normalise", source.normalise),
        input_size=(size, size) if isinstance(size, int) else size,
    )


def checked(source: ModelSource, data: Data, *, role: str) -> nn.Module:
    """Build the model, give it the inputs it knows, and try it on two images of zeros.

    Raises:
        ModelError: It cannot take the images or knows another number of classes.
    """
    built = source.build(data, source.shape_for(data))
    if isinstance(built, CachedLogits):
        return built  # it has looked at the data itself
    model = with_units(with_inputs(built, source, data), source, data, role)
    was_training = model.training
    model.eval()
    images = torch.zeros(2, *data.image_shape)
    first = next((p for p in model.parameters()), None)
    if first is not None:
        images = images.to(first.device)
    try:
        with torch.no_grad():
            logits = model(images)
    except (RuntimeError, ValueError, TypeError, IndexError, ModelError) as error:
        other = "; for another size give --teacher-input-size" if role == "teacher" else ""
        raise ModelError(
            f"the {role} {source.name} cannot take images of shape {data.image_shape} "
            f"(channels, height, width): {error}{other}"
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


def with_inputs(
    model: nn.Module,
    source: ModelSource,
    data: Data,
    normalisation: Normalisation | None = None,
) -> nn.Module:
    """The model behind what brings the data's images to those that it was trained on.

    Args:
        model: As it was built.
        source: Whose normalisation and size count, where no other is given.
        data: By whose statistics the images come normalised.
        normalisation: Instead of the source's.
    """
    text = "data" if source.normalise is None else source.normalise
    own = normalisation or Normalisation.read(text, data.mean, data.std)
    size = source.input_size
    if isinstance(model, CachedLogits):
        return model
    same_size = size is None or tuple(size) == data.image_shape[1:]
    if same_size and (own.mean, own.std) == (tuple(data.mean), tuple(data.std)):
        return model
    return OwnInputs(model, own, data.mean, data.std, size)


def with_units(model: nn.Module, source: ModelSource, data: Data, role: str) -> nn.Module:
    """A model of numbers that is trained here, or was, answers in the units of the data."""
    if data.task != "regression" or isinstance(model, CachedLogits):
        return model
    if source.units is not None:
        mean, std = (torch.tensor(part) for part in source.units)
        return OwnUnits(model, mean, std)
    outside = source.trained and role == "teacher"
    return model if outside else OwnUnits(model, *data.units())


def save_model(path: Path, model: nn.Module, name: str, data: Data) -> None:
    """Write a model so that :func:`find_model` can load it again."""
    mean, std, shape = tuple(data.mean), tuple(data.std), data.image_shape
    units = {}
    if isinstance(model, OwnUnits):
        units = {"target_mean": model.mean.tolist(), "target_std": model.std.tolist()}
        model = model.model
    if isinstance(model, OwnInputs):
        channels, own = model.channels, model.own
        mean, std = (part * (channels // len(part)) for part in (own.mean, own.std))
        shape = (channels, *(model.size or shape[1:]))
        model = model.model
    about = {
        "model": name,
        "num_classes": data.num_classes,
        "image_shape": list(shape),
        "mean": list(mean),
        "std": list(std),
        "class_names": list(data.class_names),
        **units,
    }
    write_tensors(path, model.state_dict(), about)


def _build(name: str, data: Data, shape: ImageShape) -> nn.Module:
    return build_model(name, image_shape=shape, num_classes=data.num_classes)


class ModelHeader(BaseModel):
    """What a model's file says of it; all of it may be missing in another program's file."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)

    model: str | None = Field(None, max_length=1000)
    num_classes: int | None = Field(None, ge=1)
    image_shape: list[int] | None = Field(None, min_length=1, max_length=3)
    target_mean: list[float] | None = None
    target_std: list[float] | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    class_names: list[str] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> ModelHeader:
        sizes = {len(part) for part in (self.mean, self.std) if part is not None}
        if self.image_shape is not None and len(self.image_shape) == 2:
            raise ValueError("image_shape has two numbers; expected three, or one for a table")
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


def refuse_code(name: str, path: Path, option: str = "--teacher") -> None:
    """A name out of a file is one of the zoo or of a library, never code that would be imported.

    Args:
        name: Of the model.
        path: The file.
        option: By which the user may name that code.

    Raises:
        ModelError: It is something else.
    """
    library, colon, rest = name.partition(":")
    if colon and not (library in LIBRARIES and re.fullmatch(r"[\w.-]+", rest)):
        raise ModelError(
            f"{path} holds a model called {name!r}, and code is imported only when you name it. "
            f"If you know that code: {option} {name}={path}"
        )


def _from_weights(file: str, text: str, role: str, architecture: str | None = None) -> ModelSource:
    where, _, place = file.partition("::")
    path = Path(where).expanduser()
    if path.suffix == ".safetensors":
        shapes, about = read_model_header(path)
        weights = Weights({n: torch.empty(s, device="meta") for n, s in shapes.items()})
    else:
        weights, about = read_weights(path, place), ModelHeader.model_validate({})
    name = architecture or about.model
    if name is None:
        raise ModelError(
            f"{path} does not say which model it holds; name it: --{role} resnet56={path}"
        )
    if architecture is None:
        refuse_code(name, path)
    shape = None if about.image_shape is None else tuple(about.image_shape)
    return ModelSource(
        text,
        lambda data, shape: _load(
            name, path, weights, data, shape, role, typed=architecture is not None
        ),
        trained=True,
        architecture=name,
        normalise=None if about.mean is None or about.std is None else (about.mean, about.std),
        image_shape=shape,
        num_classes=about.num_classes if role == "teacher" else None,
        units=_units_of(about) if role == "teacher" else None,
    )


def _units_of(about: ModelHeader) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if about.target_mean is None or about.target_std is None:
        return None
    return tuple(about.target_mean), tuple(about.target_std)


def _load(
    name: str,
    path: Path,
    weights: Weights,
    data: Data,
    shape: ImageShape,
    role: str,
    *,
    typed: bool,
) -> nn.Module:
    try:
        with nullcontext() if typed else NoLargerThan(weights, what=str(path)):
            model = _build(name, data, shape)
    except UnknownNameError as error:
        raise ModelError(f"{path} holds a model called {name!r}: {error}") from error
    fresh = role == "student"
    if path.suffix == ".safetensors":  # shapes first: a file may be larger than the memory
        check_weights(model, weights, what=str(path), new_classifier=fresh)
        weights = Weights(read_tensors(path)[0])
    load_weights(model, weights, what=str(path), new_classifier=fresh)
    return model
