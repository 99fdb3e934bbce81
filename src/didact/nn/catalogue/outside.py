"""Models from elsewhere: timm, torchvision, and the user's own code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from torch import nn

from didact._core.errors import MissingDependencyError, ModelError, UnknownNameError
from didact._core.lookup import load, suggest
from didact.nn.inspection.dry_run import ImageShape, output_shape


def build_from_library(
    library: str, name: str, *, image_shape: ImageShape, num_classes: int
) -> nn.Module:
    """A model of timm or torchvision, without pretrained weights.

    Raises:
        MissingDependencyError: The library is not installed.
        UnknownNameError: The library has no model of that name.
        ModelError: It cannot be built for such images.
    """
    spec = f"{library}:{name}"
    module = _import(library)
    names: list[str] = module.list_models()
    if name not in names:
        raise UnknownNameError(f"{library} has no model {name!r}; {_near(name, names)}")
    create = LIBRARIES[library]
    built = _call(spec, lambda: create(module, name, image_shape[0], num_classes))
    return _checked(spec, built, image_shape, num_classes)


def build_from_path(spec: str, *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """A model that ``pkg.mod:Name`` or ``file.py:Name`` builds.

    Raises:
        UnknownNameError: There is no such object.
        ModelError: It is not callable, fails, or does not give such a model.
    """
    factory = load(spec, what="model")
    if isinstance(factory, nn.Module):
        raise ModelError(
            f"{spec} is a model that exists already, and every run must begin with a new one; "
            "give its class, or a function that builds it"
        )
    if not callable(factory):
        raise ModelError(
            f"{spec} is a {type(factory).__name__}; expected a class or a function that gives an "
            "nn.Module"
        )
    offered = {
        "num_classes": num_classes,
        "image_shape": image_shape,
        "in_channels": image_shape[0],
    }
    arguments = _accepted(factory, offered)
    built = _call(spec, lambda: factory(**arguments))
    return _checked(spec, built, image_shape, num_classes)


def _accepted(factory: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    """Those of the offered arguments that the factory has parameters for."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return {}
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        names.add("num_classes")  # the one that model constructors with **kwargs agree on
    return {name: value for name, value in offered.items() if name in names}


def _call(spec: str, build: Callable[[], Any]) -> Any:
    try:
        return build()
    except Exception as error:
        raise ModelError(f"building {spec} failed: {type(error).__name__}: {error}") from error


def _checked(spec: str, built: Any, image_shape: ImageShape, num_classes: int) -> nn.Module:
    if not isinstance(built, nn.Module):
        raise ModelError(f"{spec} gives a {type(built).__name__}; expected an nn.Module")
    shape = output_shape(built, image_shape, what=spec)
    if shape != (1, num_classes):
        raise ModelError(
            f"{spec} gives an output of shape {shape} for one image; expected (1, {num_classes}): "
            f"logits for {num_classes} classes. It is told so if it has a parameter num_classes"
        )
    return built


def _timm(timm: ModuleType, name: str, channels: int, num_classes: int) -> Any:
    return timm.create_model(name, pretrained=False, num_classes=num_classes, in_chans=channels)


def _torchvision(models: ModuleType, name: str, channels: int, num_classes: int) -> Any:
    if channels != 3:
        raise ModelError(
            f"torchvision's models take 3 channels and these images have {channels}; "
            f"timm:{name} takes any number"
        )
    return models.get_model(name, weights=None, num_classes=num_classes)


LIBRARIES: dict[str, Callable[[ModuleType, str, int, int], Any]] = {
    "timm": _timm,
    "torchvision": _torchvision,
}
"""How each library builds a model: ``(module, name, channels, num_classes)``."""


def _import(library: str) -> ModuleType:
    try:
        return import_module("torchvision.models" if library == "torchvision" else library)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != library:
            raise
        raise MissingDependencyError(
            f"{library} is not installed and this model needs it. "
            f"Install it with: pip install {library}"
        ) from error


def _near(name: str, names: list[str]) -> str:
    """Near names; not all of them, for timm has a thousand."""
    text = suggest(name, names)
    return text if text.startswith("did you mean") else f"it has {len(names)} others"
