"""Soft decision trees (Frosst, Hinton 2017): a path of linear filters to a leaf with a class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn.blocks.binary_tree import BinaryTree, level_slice
from didact.nn.catalogue.registry import model
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.inspection.dry_run import ImageShape

BALANCE = 0.1
MOST_LEVELS = 12
_LEAST = 1e-6


class PathProbabilities(nn.Module):
    """From the filters' answers to the probability of each leaf.

    ``P(leaf) = prod_i p_i^[the path turns right at i] (1 - p_i)^[it turns left]``, with
    ``p_i = sigmoid(w_i x + b_i)``.

    Attributes:
        depth: Of the tree: ``2^depth - 1`` inner nodes in level order, ``2^depth`` leaves.
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth

    def forward(self, answers: Tensor) -> Tensor:
        """The leaves' probabilities ``(batch, 2^depth)`` of answers ``(batch, 2^depth - 1)``."""
        return self.levels(torch.sigmoid(answers))[-1]

    def levels(self, right: Tensor) -> list[Tensor]:
        """The probability of reaching each node of each level, of probabilities to turn right."""
        reached = [torch.ones_like(right[:, :1])]
        for depth in range(self.depth):
            turn = right[:, level_slice(depth)]
            both = torch.stack([reached[-1] * (1 - turn), reached[-1] * turn], dim=2)
            reached.append(both.flatten(1))
        return reached


class LeafDistributions(nn.Linear):
    """One distribution over the classes for each leaf, ``Q = softmax(phi)``.

    In training the leaves are averaged, ``z = sum_l P(l) log Q(l)``; afterwards the most probable
    leaf answers alone, ``z = log Q(argmax_l P(l))``.
    """

    def __init__(self, leaves: int, num_classes: int) -> None:
        super().__init__(leaves, num_classes, bias=False)

    def forward(self, probabilities: Tensor) -> Tensor:
        """Logits ``(batch, classes)`` of the leaves' probabilities ``(batch, leaves)``."""
        log_probs = F.log_softmax(_at_least_single(self.weight), dim=0)
        if self.training:
            return F.linear(_at_least_single(probabilities), log_probs)
        return log_probs.t()[probabilities.argmax(dim=1)]


@dataclass(frozen=True, slots=True)
class Turn:
    """One node on an image's path.

    Attributes:
        node: Its index in level order.
        right: The probability of turning right there; the path turns to the likelier side.
    """

    node: int
    right: float


class SoftTree(ImageClassifier):
    r"""A soft decision tree of a given depth.

    Every inner node is a linear filter on the pixels that turns an image right with probability
    ``p_i = sigmoid(w_i x + b_i)``; every leaf holds one distribution over the classes. Trained by
    the expected negative log-likelihood over the leaves, with targets ``t``,

    ``L = sum_l P(l|x) (-sum_k t_k log Q_k(l)) = -sum_k t_k z_k``,  ``z = sum_l P(l|x) log Q(l)``.

    The logits in training are ``z``. Cross-entropy takes their softmax, which is larger than ``L``
    by ``logsumexp(z) <= 0``; so the tree gives ``-logsumexp(z)`` as a term of its own, ``leaves``,
    and cross-entropy or KD at temperature 1 plus this term is the paper's loss for labels, soft
    targets, or a mixture of them. The other own term, ``balance``, keeps each node using both of
    its subtrees: ``-lambda sum_i 2^-depth(i) (log(a_i) + log(1 - a_i)) / 2``, where ``a_i`` is the
    running mean of ``p_i`` over the images that reach the node, with a window of ``2^depth(i)``
    batches. The paper's inverse temperature of the filters is part of their weights here.

    Args:
        depth: Of the tree.
        image_shape: ``(channels, height, width)``.
        num_classes: The number of logits.
        balance: lambda; the paper's is 0.1.
    """

    embedding: PathProbabilities
    reached: Tensor
    turned: Tensor
    per_depth: Tensor

    def __init__(
        self,
        depth: int,
        image_shape: ImageShape,
        num_classes: int,
        *,
        balance: float = BALANCE,
    ) -> None:
        super().__init__()
        self.depth, self.balance, self.image_shape = depth, balance, image_shape
        inner = 2**depth - 1
        self.flatten = nn.Flatten()
        self.filters = nn.Linear(math.prod(image_shape), inner)
        self.embedding = PathProbabilities(depth)
        self.classifier = LeafDistributions(2**depth, num_classes)
        self.feature_paths = ("filters", "embedding")
        self.register_buffer("reached", torch.zeros(inner))
        self.register_buffer("turned", torch.zeros(inner))
        halved = torch.cat([torch.full((2**d,), 2.0**-d) for d in range(depth)])
        self.register_buffer("per_depth", halved, persistent=False)
        self._own: dict[str, Tensor] = {}

    def stages(self, images: Tensor) -> Tensor:
        """What the filters say, ``(batch, 2^depth - 1)``."""
        answers: Tensor = self.filters(self.flatten(images))
        return answers

    def forward(self, images: Tensor) -> Tensor:
        """Log-probabilities of the most probable leaf; in training the mean over the leaves."""
        answers = _at_least_single(self.stages(images))
        logits: Tensor = self.classifier(self.embedding(answers))
        if self.training and torch.is_grad_enabled():
            self._own = {
                "leaves": -torch.logsumexp(logits, dim=1).mean(),
                "balance": self._unbalanced(answers),
            }
        return logits

    def take_own_terms(self) -> Mapping[str, Tensor]:
        """See :class:`didact.nn.HasOwnTerms`."""
        found, self._own = self._own, {}
        return found

    def _unbalanced(self, answers: Tensor) -> Tensor:
        right = torch.sigmoid(answers)
        reaching = torch.cat(self.embedding.levels(right)[:-1], dim=1)
        window = self.per_depth
        reached = torch.lerp(self.reached, reaching.mean(0), window)
        turned = torch.lerp(self.turned, (reaching * right).mean(0), window)
        self.reached.copy_(reached.detach())
        self.turned.copy_(turned.detach())
        mean = (turned / reached.clamp(min=_LEAST)).clamp(_LEAST, 1 - _LEAST)
        both = (mean.log() + (1 - mean).log()) / 2
        return -self.balance * (window * both).sum()

    def __getstate__(self) -> dict[str, Any]:
        """Without the terms of a step, whose graph cannot be copied."""
        return self.__dict__ | {"_own": {}}

    @torch.no_grad()
    def path(self, image: Tensor) -> tuple[list[Turn], int]:
        """The nodes on the way of one image ``(channels, height, width)``, and its leaf.

        The leaf is the most probable one, counted from the left.
        """
        right = torch.sigmoid(_at_least_single(self.stages(image.unsqueeze(0))))
        leaf = int(self.embedding.levels(right)[-1].argmax())
        nodes = BinaryTree(range(2 ** (self.depth + 1) - 1)).path(2**self.depth - 1 + leaf)[:-1]
        return [Turn(node, float(right[0, node])) for node in nodes], leaf

    @torch.no_grad()
    def tree(self) -> BinaryTree[Tensor]:
        """Filters ``(channels, height, width)`` at the inner nodes, probabilities at the leaves."""
        filters = self.filters.weight.reshape(-1, *self.image_shape)
        leaves = _at_least_single(self.classifier.weight).softmax(dim=0).t()
        return BinaryTree([*filters, *leaves])

    def extra_repr(self) -> str:
        """What the printed module says of itself."""
        return f"depth={self.depth}, balance={self.balance}"


def _at_least_single(values: Tensor) -> Tensor:
    """Half precision as float32; what is finer stays."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


@model(
    "soft-tree-5",
    pattern=r"soft-tree-(\d+)",
    form="soft-tree-DEPTH",
    summary="A soft decision tree: linear filters that turn left or right, a class at each leaf.",
    paper="Frosst, Hinton 2017, arXiv:1711.09784",
    feature_paths=("filters", "embedding"),
)
def build_soft_tree(
    sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int
) -> nn.Module:
    """``soft-tree-8`` is the paper's on MNIST: 255 filters and 256 leaves."""
    if not 1 <= sizes[0] <= MOST_LEVELS:
        raise ModelError(
            f"soft-tree-{sizes[0]} has 2^{sizes[0]} leaves; expected a depth from 1 to "
            f"{MOST_LEVELS}, such as soft-tree-5"
        )
    return SoftTree(sizes[0], image_shape, num_classes)
