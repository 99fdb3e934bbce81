"""Students by name, and the network of a run: an encoder and, where there are labels, a head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact._core.lookup import load
from didact.nn import build_sentence_encoder
from didact.train.encoders.settings import LIBRARIES
from didact.train.loop.settings import names_code

SCALE = 10.0
"""Length of the vectors that a head is given: unit vectors would leave its logits small."""
AT_ONCE = 256
PENALTY = 0.3
"""Inverse of the weight decay of a head that is fitted alone, in the units of scikit-learn's C."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of our own or of the user's that is still to be built.

    Attributes:
        name: As the user typed it.
        build: From the tokens of the vocabulary and of the longest sentence, and the dimension
            that is wanted (None for its own), to a network from ids to vectors.
    """

    name: str
    build: Callable[[int, int, int | None], nn.Module] = field(repr=False)


class SentenceClassifier(nn.Module):
    """Vectors of length 1 and, where there are labels, logits.

    Args:
        encoder: From ids ``(batch, tokens)`` to ``(batch, dimension)``.
        dimension: Of its vectors.
        classes: Of the labels; 0 for none.
    """

    def __init__(self, encoder: nn.Module, dimension: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(dimension, classes) if classes else None

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, dimension)`` and ``(batch, classes)``."""
        vectors = F.normalize(self.encoder(ids), dim=-1)
        return vectors, vectors[:, :0] if self.head is None else self.logits_of(self.head, vectors)

    @staticmethod
    def logits_of(head: nn.Module, vectors: Tensor) -> Tensor:
        """What a head says of vectors of length 1."""
        logits: Tensor = head(SCALE * vectors)
        return logits


def encoder_of(name: str) -> Encoder:
    """The encoder of a name.

    Raises:
        ModelError: There is none, or it is no network.
        UnknownNameError: It cannot be imported.
    """
    if names_code(name, LIBRARIES):
        return Encoder(name, _users_own(name))
    build_sentence_encoder(name, classes=2, window=1)  # a wrong name is said before all else

    def build(classes: int, window: int, dimension: int | None) -> nn.Module:
        return build_sentence_encoder(name, classes=classes, window=window, dimension=dimension)

    return Encoder(name, build)


def _users_own(name: str) -> Callable[[int, int, int | None], nn.Module]:
    make = load(name, what="model")
    if not callable(make) or isinstance(make, nn.Module):
        raise ModelError(f"{name} is no function; expected one of (classes, window, dimension)")

    def build(classes: int, window: int, dimension: int | None) -> nn.Module:
        made: Any = make(classes, window, dimension)
        if not isinstance(made, nn.Module):
            raise ModelError(f"{name} gave {type(made).__name__}; expected a torch.nn.Module")
        return made

    return build


def network(
    encoder: Encoder, *, tokens: int, window: int, dimension: int | None, classes: int
) -> SentenceClassifier:
    """The network of a run, with weights at random.

    Raises:
        ModelError: The encoder gives no vectors of the dimension that is wanted.
    """
    made = encoder.build(tokens, window, dimension)
    with torch.no_grad():
        found = made(torch.ones(2, min(window, 3), dtype=torch.int64))
    if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != 2:
        raise ModelError(
            f"{encoder.name} gave {getattr(found, 'shape', type(found).__name__)} for token ids "
            f"(2, {min(window, 3)}); expected vectors (2, dimension)"
        )
    if dimension is not None and found.shape[1] != dimension:
        raise ModelError(
            f"{encoder.name} gives vectors of {found.shape[1]}; expected {dimension}, as the "
            "teacher's are"
        )
    return SentenceClassifier(made, found.shape[1], classes)


def trimmed(ids: Tensor) -> Tensor:
    """Without the columns behind the end of every sentence, but for one."""
    used = (ids != 0).any(0).nonzero()
    return ids[:, : int(used[-1]) + 1 if len(used) else 1]


@torch.no_grad()
def encoded(model: SentenceClassifier, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors and logits of many sentences; the model is left in the mode it was in."""
    training = model.training
    model.eval()
    device = next((p.device for p in model.parameters()), ids.device)
    parts = [model(trimmed(some).to(device)) for some in torch.split(ids, AT_ONCE)]
    model.train(training)
    return torch.cat([vectors for vectors, _ in parts]), torch.cat([logits for _, logits in parts])


def fitted_head(vectors: Tensor, labels: Tensor) -> nn.Linear:
    """Multinomial logistic regression on vectors that stand still.

    The minimum of ``mean CE + |W|^2 / (2 C N)``, which is convex: it depends on no seed.

    Args:
        vectors: ``(N, dimension)`` of length 1.
        labels: ``(N,)``; every class is among them.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=PENALTY, max_iter=1000)
    regression.fit(SCALE * vectors.float().cpu().numpy(), labels.cpu().numpy())
    weight, bias = torch.tensor(regression.coef_), torch.tensor(regression.intercept_)
    if len(weight) == 1:  # scikit-learn has one row for two classes
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    head = nn.Linear(vectors.shape[1], len(bias), device=vectors.device)
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
    return head
