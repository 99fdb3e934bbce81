"""What a model itself adds to the loss it is trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class HasOwnTerms(Protocol):
    """A module with terms of its own in the loss, such as a soft decision tree."""

    def take_own_terms(self) -> Mapping[str, Tensor]:
        """The terms of the last forward pass in training mode, each the mean over the batch.

        They are given once: taking them lets go of their graph.
        """
        ...


def modules_with_own_terms(model: nn.Module) -> list[HasOwnTerms]:
    """The modules of a model that have terms of their own, itself included."""
    return [module for module in model.modules() if isinstance(module, HasOwnTerms)]


def own_terms(model: nn.Module) -> dict[str, Tensor]:
    """What a model adds to the loss after a forward pass in training mode; often nothing.

    Example:
        >>> import torch
        >>> from didact.nn import build_model, own_terms
        >>> tree = build_model("soft-tree-3", image_shape=(1, 8, 8), num_classes=10)
        >>> logits = tree(torch.randn(4, 1, 8, 8))
        >>> sorted(own_terms(tree))
        ['balance', 'leaves']
        >>> own_terms(build_model("mlp", image_shape=(1, 8, 8), num_classes=10))
        {}
    """
    return taken(modules_with_own_terms(model))


def taken(modules: list[HasOwnTerms]) -> dict[str, Tensor]:
    """The terms of modules that are known to have some, added up by name."""
    found: dict[str, Tensor] = {}
    for module in modules:
        for name, value in module.take_own_terms().items():
            found[name] = found[name] + value if name in found else value
    return found
