"""Classifiers that grow: classes are added at the end, and what was learned stays where it is."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import RangeError, ShapeError


@torch.no_grad()
def widened(classifier: nn.Linear, outputs: int, *, inputs: int | None = None) -> nn.Linear:
    """A linear layer with more outputs, and more inputs; what it had keeps its place and value.

    New numbers are drawn as torch draws those of a linear layer of that size. Where only outputs
    are added the logits of old classes stay as they were, but for rounding.

    Args:
        classifier: The layer; it is left as it is.
        outputs: How many outputs there shall be.
        inputs: How many inputs; as many as there are if None.

    Returns:
        A new layer, or ``classifier`` itself where nothing is added.

    Raises:
        RangeError: Fewer than there are.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from didact.nn import widened
        >>> head, features = nn.Linear(4, 2), torch.ones(1, 4)
        >>> gap = widened(head, 5)(features)[:, :2] - head(features)
        >>> gap.abs().max().item() < 1e-6
        True
    """
    inputs = classifier.in_features if inputs is None else inputs
    if outputs < classifier.out_features or inputs < classifier.in_features:
        raise RangeError(
            f"the classifier has {classifier.in_features} inputs and {classifier.out_features} "
            f"outputs; expected at least as many as that, not {inputs} and {outputs}"
        )
    if (inputs, outputs) == (classifier.in_features, classifier.out_features):
        return classifier
    like = classifier.weight
    wider = nn.Linear(
        inputs, outputs, bias=classifier.bias is not None, device=like.device, dtype=like.dtype
    )
    wider.weight[: classifier.out_features, : classifier.in_features] = like
    if classifier.bias is not None:
        wider.bias[: classifier.out_features] = classifier.bias
    return wider


class CosineHead(nn.Module):
    """A classifier of directions: a learned scale times the cosine with each class's vector.

    With several proxies a class has several vectors, and its similarity is the average of their
    cosines weighted by ``softmax`` over the cosines (local similarity classifier).

    Args:
        in_features: The width of the features.
        out_features: The classes to begin with, 0 or more.
        proxies: Vectors of each class; 1 is the plain cosine classifier.
        scale: What the learned factor begins with.

    Raises:
        RangeError: A size that is not possible.

    Papers: Hou et al. 2019, CVPR, section 3.2; with proxies Douillard et al. 2020,
    arXiv:2004.13513, section 3.2, eq. 8.

    Example:
        >>> import torch
        >>> from didact.nn import CosineHead
        >>> head = CosineHead(2, 1)
        >>> head.grow(1, vectors=torch.tensor([[[3.0, 4.0]]]))
        >>> round(head.cosines(torch.tensor([[5.0, 0.0]]))[0, 1].item(), 6)
        0.6
    """

    weight: nn.Parameter
    scale: nn.Parameter

    def __init__(
        self, in_features: int, out_features: int = 0, *, proxies: int = 1, scale: float = 1.0
    ) -> None:
        super().__init__()
        if in_features < 1 or out_features < 0 or proxies < 1:
            raise RangeError(
                f"the head has {in_features} inputs, {out_features} classes and {proxies} vectors "
                "for each; expected at least 1 input, 1 vector and no negative number of classes"
            )
        self.weight = nn.Parameter(torch.empty(0, proxies, in_features))
        self.scale = nn.Parameter(torch.tensor(float(scale)))
        self.grow(out_features)

    @property
    def out_features(self) -> int:
        """How many classes there are."""
        return self.weight.shape[0]

    @property
    def in_features(self) -> int:
        """The width of the features."""
        return self.weight.shape[2]

    @property
    def proxies(self) -> int:
        """Vectors of each class."""
        return self.weight.shape[1]

    @torch.no_grad()
    def grow(self, classes: int, *, vectors: Tensor | None = None) -> None:
        """Add classes after the ones there are.

        Args:
            classes: How many.
            vectors: ``(classes, proxies, width)`` to begin with (imprinted weights); drawn as for
                a new ``nn.Linear`` if None.

        Raises:
            RangeError: A negative number.
            ShapeError: ``vectors`` has another shape.
        """
        if classes < 0:
            raise RangeError(f"the head grows by {classes} classes; expected at least 0")
        wanted = (classes, *self.weight.shape[1:])
        if vectors is None:
            bound = 1 / math.sqrt(self.in_features)
            vectors = self.weight.new_empty(wanted).uniform_(-bound, bound)
        if vectors.shape != wanted:
            raise ShapeError(f"vectors is {tuple(vectors.shape)}; expected {wanted}")
        grown = torch.cat([self.weight, vectors.to(self.weight)])
        self.weight = nn.Parameter(grown, requires_grad=self.weight.requires_grad)

    def cosines(self, features: Tensor) -> Tensor:
        """Similarities from -1 to 1, ``(batch, classes)``, of features ``(batch, width)``."""
        vectors = F.normalize(self.weight, dim=-1).flatten(0, 1)
        cosines = F.linear(F.normalize(features, dim=-1), vectors)
        if self.proxies == 1:
            return cosines
        grouped = cosines.view(len(features), self.out_features, self.proxies)
        return torch.sum(grouped.softmax(-1) * grouped, dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(batch, classes)``: the scale times the cosines."""
        return self.scale * self.cosines(features)
