"""The network that a method makes grow, as the type checker sees it."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from didact._core.errors import ModelError


class GrowingNetwork(nn.Module):
    """What the methods ask of a network, for the type checker alone.

    Any module with these two serves, and none has to be derived from this class: see
    :func:`check_network`.

    Attributes:
        classifier: The linear layer from the features to the logits, or a cosine head.
    """

    classifier: Any

    def features(self, images: Tensor) -> Tensor:
        """The penultimate features, ``(batch, width)``."""
        raise NotImplementedError


def check_network(network: nn.Module) -> GrowingNetwork:
    """A new network, which needs ``features`` and a linear ``classifier`` to grow.

    Raises:
        ModelError: It lacks one of them.
    """
    if not isinstance(getattr(network, "classifier", None), nn.Linear) or not callable(
        getattr(network, "features", None)
    ):
        raise ModelError(
            f"{type(network).__name__} has no linear layer called classifier or no function "
            "features(images); a model that learns new classes needs both, with "
            "forward(images) = classifier(features(images))"
        )
    return growing(network)


def growing(network: nn.Module) -> GrowingNetwork:
    """A network that has been checked before, such as the copy inside a teacher."""
    return cast("GrowingNetwork", network)
