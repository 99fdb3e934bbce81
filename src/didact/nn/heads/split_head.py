"""A model from elsewhere as a body that gives features, and the linear layer at its end."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.inspection.dry_run import ImageShape, dry_run, example_images, undisturbed


class BodyAndHead(nn.Module):
    """A model cut before its last linear layer.

    Attributes:
        body: The model, with an identity in the place of that layer.
        classifier: The layer.
        path: Where the layer was in the model.
    """

    def __init__(self, body: nn.Module, classifier: nn.Linear, path: str = "") -> None:
        super().__init__()
        self.body = body
        self.classifier = classifier
        self.path = path

    def features(self, images: Tensor) -> Tensor:
        """What the last layer gets, ``(batch, width)``."""
        found: Tensor = self.body(images)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)``."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def split_head(model: nn.Module, image_shape: ImageShape) -> nn.Module:
    """The model with ``features(images)`` and a linear ``classifier``, as growing heads need.

    A model whose ``forward`` is ``classifier(features(images))`` stays as it is. Any other is cut
    before the linear layer whose output is the model's: ``fc`` of a ResNet, ``head`` of a
    transformer, the last layer of a perceptron.

    Args:
        model: From timm, torchvision or the user; cut in place.
        image_shape: ``(channels, height, width)``, for one run that finds the layer.

    Raises:
        ModelError: The model does not take such images, or no linear layer gives its output.

    Example:
        >>> from torch import nn
        >>> from didact.nn import split_head
        >>> model = split_head(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), (1, 2, 2))
        >>> model.classifier
        Linear(in_features=4, out_features=3, bias=True)
    """
    if isinstance(model, ImageClassifier) or _is_split(model, image_shape):
        return model
    path = _path_of_head(model, image_shape)
    head = model.get_submodule(path) if path is not None else None
    if path is None or not isinstance(head, nn.Linear):
        raise ModelError(
            f"no linear layer of {type(model).__name__} gives its logits; a model that learns new "
            "classes ends in one, or has a linear layer called classifier and a function "
            "features(images), with forward(images) = classifier(features(images))"
        )
    if path == "":
        return BodyAndHead(nn.Identity(), head)
    model.set_submodule(path, nn.Identity())
    return BodyAndHead(model, head, path)


def state_as_it_came(network: nn.Module) -> dict[str, Tensor]:
    """The weights of a network that may have been cut, under the names that the model had.

    Example:
        >>> from torch import nn
        >>> from didact.nn import split_head, state_as_it_came
        >>> network = split_head(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), (1, 2, 2))
        >>> list(state_as_it_came(network))
        ['1.weight', '1.bias']
    """
    state = network.state_dict()
    if not isinstance(network, BodyAndHead):
        return state
    head = f"{network.path}." if network.path else ""
    return {
        name.removeprefix("body.")
        if name.startswith("body.")
        else head + name.removeprefix("classifier."): value
        for name, value in state.items()
    }


def _is_split(model: nn.Module, image_shape: ImageShape) -> bool:
    """Whether the model is its classifier on its features, tried on one image of noise."""
    classifier, features = (getattr(model, name, None) for name in ("classifier", "features"))
    if not isinstance(classifier, nn.Linear) or not callable(features):
        return False
    blank = example_images(model, image_shape)
    noise = torch.randn(blank.shape, generator=torch.Generator().manual_seed(0)).to(blank)
    logits = dry_run(model, noise)
    with undisturbed(model):
        try:
            again = classifier(features(noise))
        except RuntimeError:  # features that are maps, as torchvision's DenseNet has them
            return False
    same: bool = logits.shape == again.shape and torch.allclose(logits, again, rtol=1e-4, atol=1e-5)
    return same


def _path_of_head(model: nn.Module, image_shape: ImageShape) -> str | None:
    """The path of the layer that gives the model's output from rows of features."""
    given: dict[str, Tensor] = {}
    names = {module: path for path, module in model.named_modules()}

    def record(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        if arguments[0].dim() == 2:
            given[names[module]] = output

    handles = [m.register_forward_hook(record) for m in names if isinstance(m, nn.Linear)]
    try:
        logits = dry_run(model, image_shape)
    finally:
        for handle in handles:
            handle.remove()
    return next((path for path, output in given.items() if output is logits), None)
