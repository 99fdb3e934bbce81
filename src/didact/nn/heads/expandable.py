"""A network that gets a further backbone, or a further last stage, with each task."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.heads.heads import widened


class ExpandableNetwork(nn.Module):
    """Backbones side by side: their features in a row are the input of one classifier.

    All but the newest backbone are frozen: they need no gradient, and their BatchNorm stands
    still whatever mode the network is in.

    Args:
        network: The first backbone, with ``features(images)`` and a linear ``classifier``.

    Attributes:
        backbones: The networks; their own classifiers are not used.
        width: The width of one backbone's features.
        classifier: From all features in a row to the logits.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.classifier, backbone = _taken_apart(network)
        self.width = self.classifier.in_features
        self.backbones = nn.ModuleList([backbone])

    def expand(self, outputs: int) -> None:
        """Freeze what there is, add a backbone that begins as a copy of the newest, and classes.

        The classifier keeps what it had for the old features and the old classes.

        Args:
            outputs: How many classes there are now.
        """
        added = copy.deepcopy(self.backbones[-1]).requires_grad_(True)
        self.backbones.requires_grad_(False)
        self.backbones.append(added)
        self.classifier = widened(
            self.classifier, outputs, inputs=self.classifier.in_features + self.width
        )
        self.train(self.training)

    def train(self, mode: bool = True) -> ExpandableNetwork:
        """Sets the mode of the newest backbone; the frozen ones stay in eval mode."""
        super().train(mode)
        for frozen in list(self.backbones)[:-1]:
            frozen.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """The features of all backbones, oldest first, ``(batch, width * backbones)``."""
        members: Any = list(self.backbones)
        return torch.cat([backbone.features(images) for backbone in members], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)``."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


class ExpandableStage(nn.Module):
    """One shared body and a last stage for each task: their features in a row are classified.

    All but the newest last stage are frozen, and the body too from the second task on if asked for.

    Args:
        network: A model of the zoo; its stages come from ``feature_paths``, and the one before
            the embedding is the last.
        freeze_body: Whether the body stays as the first task left it.

    Attributes:
        body: The first network, its own last stage included.
        added: The further last stages.
        width: The width of one last stage's features.
        classifier: From all features in a row to the logits.

    Raises:
        ModelError: The model does not say what its stages are, or has fewer than two.
    """

    def __init__(self, network: nn.Module, *, freeze_body: bool = False) -> None:
        super().__init__()
        if not isinstance(network, ImageClassifier) or len(network.feature_paths) < 3:
            raise ModelError(
                f"{type(network).__name__} cannot be cut into a body and a last stage; expected a "
                "model of didact's zoo with two stages or more, such as resnet32 or cnn"
            )
        self.last_path = network.feature_paths[-2]
        self.freeze_body = freeze_body
        self.classifier, self.body = _taken_apart(network)
        self.width = self.classifier.in_features
        self.added = nn.ModuleList()

    def expand(self, outputs: int) -> None:
        """Freeze the last stages, add one that begins as a copy of the newest, and classes.

        Args:
            outputs: How many classes there are now.
        """
        newest = self.added[-1] if len(self.added) else self._first
        added = copy.deepcopy(newest).requires_grad_(True)
        self.body.requires_grad_(not self.freeze_body)
        self._first.requires_grad_(False)
        self.added.requires_grad_(False)
        self.added.append(added)
        self.classifier = widened(
            self.classifier, outputs, inputs=self.classifier.in_features + self.width
        )
        self.train(self.training)

    def train(self, mode: bool = True) -> ExpandableStage:
        """Sets the mode of what is trained; the frozen parts stay in eval mode."""
        super().train(mode)
        if len(self.added):
            self.body.train(mode and not self.freeze_body)
            for frozen in (self._first, *list(self.added)[:-1]):
                frozen.eval()
        return self

    @property
    def _first(self) -> nn.Module:
        """The last stage of the first task."""
        first: nn.Module = self.body.get_submodule(self.last_path)
        return first

    def features(self, images: Tensor) -> Tensor:
        """The features of all last stages, oldest first."""
        with _input_of(self._first) as seen:
            parts: list[Tensor] = [self.body.features(images)]
        parts += [self.body.embedding(stage(seen[0])) for stage in self.added]
        return torch.cat(parts, dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)``."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


def _taken_apart(network: Any) -> tuple[nn.Linear, Any]:
    """The classifier, and the network without it."""
    classifier = network.classifier
    network.classifier = nn.Identity()
    return classifier, network


@contextmanager
def _input_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """What the module is called with while the context lasts."""
    seen: list[Tensor] = []

    def note(_: nn.Module, arguments: tuple[Any, ...]) -> None:
        seen.append(arguments[0])

    handle = module.register_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()
