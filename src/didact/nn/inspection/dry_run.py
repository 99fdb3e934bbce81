"""Running a model once to see its shapes, and leaving no trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from didact._core.errors import DidactError, ModelError

ImageShape = tuple[int, ...]
"""Channels, height, width; of a table the number of its columns alone."""


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients inside; training flags, buffers and RNG as before afterwards.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from didact.nn import undisturbed
        >>> model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()).train()
        >>> with undisturbed(model):
        ...     _ = model(torch.ones(3, 2))
        >>> model.training, model[0].running_mean
        (True, tensor([0., 0.]))
    """
    modules = list(model.modules())
    training = [module.training for module in modules]
    buffers = [(m, n, b, b._version, b.clone()) for m in modules for n, b in _own_buffers(m)]
    devices = {t.device for t in (*_tensors(model),) if t.device.type == "cuda"}
    try:
        with torch.random.fork_rng(devices=list(devices)), torch.no_grad():
            for module in modules:
                module.training = False
            yield
    finally:
        for module, mode in zip(modules, training, strict=True):
            module.training = mode
        for module, name, buffer, version, before in buffers:
            module._buffers[name] = buffer
            if buffer._version != version:
                with torch.no_grad():
                    buffer.copy_(before)


def _own_buffers(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return module.named_buffers(recurse=False, remove_duplicate=False)


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():  # a Teacher hides its parameters, its inner modules do not
        yield from module.parameters(recurse=False)
        yield from module.buffers(recurse=False)


def example_images(model: nn.Module, example: Tensor | ImageShape) -> Tensor:
    """``example`` itself, or one blank image of that shape where the model lives, in its dtype."""
    if isinstance(example, Tensor):
        return example
    like = next((t for t in _tensors(model) if t.is_floating_point()), torch.zeros(()))
    return torch.zeros((1, *example), dtype=like.dtype, device=like.device)


def dry_run(model: nn.Module, example: Tensor | ImageShape, *, what: str = "the model") -> Any:
    """What the model gives for a batch, or for one blank image; the model is left undisturbed.

    Args:
        model: Any model that takes a batch of images.
        example: A batch, or ``(channels, height, width)``.
        what: What the message calls the model.

    Raises:
        ModelError: The model does not take such a batch.
    """
    images = example_images(model, example)
    with undisturbed(model):
        try:
            return model(images)
        except DidactError:
            raise
        except Exception as error:
            raise ModelError(
                f"{what} ({type(model).__name__}) does not take images of shape "
                f"{tuple(images.shape[1:])}: {error}"
            ) from error


def output_shape(
    model: nn.Module, example: Tensor | ImageShape, *, what: str = "the model"
) -> tuple[int, ...]:
    """The shape of the logits; the model is left undisturbed.

    Args:
        model: Any model that takes a batch of images.
        example: A batch, or ``(channels, height, width)`` for one blank image.
        what: What the message calls the model.

    Returns:
        The shape with the batch dimension first: ``(1, classes)``.

    Raises:
        ModelError: The model does not take such a batch, or its output is no tensor of two or
            more dimensions.

    Example:
        >>> from didact.nn import build_model, output_shape
        >>> output_shape(build_model("mlp", image_shape=(1, 8, 8), num_classes=10), (1, 8, 8))
        (1, 10)
    """
    output = dry_run(model, example, what=what)
    if isinstance(output, Tensor) and output.dim() >= 2:
        return tuple(output.shape)
    got = (
        f"a tensor of shape {tuple(output.shape)}"
        if isinstance(output, Tensor)
        else f"a {type(output).__name__}"
    )
    raise ModelError(f"{what} gives {got}; expected one tensor of logits (batch, classes)")
