"""Small encoders of sentences: a mean of token vectors, or a few layers of attention before it."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from didact._core.errors import ModelError, RangeError, ShapeError

PADDING = 0
"""The id of the token that fills up the shorter sentences of a batch; it counts for nothing."""
FORM = "static-WIDTH or attention-WIDTHxLAYERS"
_HEAD = 32
_SPREAD = 0.1


class StaticEncoder(nn.Module):
    """The mean of a vector for each token, brought to the dimension that is wanted.

    ``W mean_t e(id_t)``: no order, no context, and no faster encoder than this.

    Args:
        width: Of the token vectors.
        classes: Tokens of the vocabulary; id 0 is padding.
        dimension: Of the sentence vectors; equal to the width, there is no ``W``.

    Raises:
        RangeError: A size is below 1.

    Paper: Iyyer et al. 2015, Deep unordered composition rivals syntactic methods for text
    classification, without the layers above the mean.

    Example:
        >>> import torch
        >>> from didact.nn import StaticEncoder
        >>> encoder = StaticEncoder(64, classes=4096, dimension=384)
        >>> encoder(torch.tensor([[7, 8, 9], [5, 0, 0]])).shape
        torch.Size([2, 384])
    """

    def __init__(self, width: int, *, classes: int, dimension: int) -> None:
        super().__init__()
        _refuse_sizes(f"static-{width}", width, classes, dimension)
        self.embedding = _embedding(classes, width)
        self.project = _projection(width, dimension)

    def forward(self, ids: Int64[Tensor, "batch tokens"]) -> Float[Tensor, "batch dimension"]:
        """One vector for each sentence, of any length; zero for one without tokens."""
        _refuse_ids(ids)
        found: Tensor = self.project(_mean(self.embedding(ids), ids))
        return found


class AttentionEncoder(nn.Module):
    """Layers of attention over the tokens of a sentence, then the mean of what they give.

    Args:
        width: Of the hidden states, a multiple of 32.
        layers: How many.
        classes: Tokens of the vocabulary; id 0 is padding.
        dimension: Of the sentence vectors.
        window: The longest sentence, in tokens.

    Raises:
        RangeError: A size is below 1, or the width no multiple of 32.

    Paper: Reimers and Gurevych 2019, Sentence-BERT, section 3: pooling by the mean.

    Example:
        >>> import torch
        >>> from didact.nn import AttentionEncoder
        >>> encoder = AttentionEncoder(64, 1, classes=4096, dimension=384, window=64)
        >>> encoder(torch.tensor([[7, 8, 9], [5, 0, 0]])).shape
        torch.Size([2, 384])
    """

    def __init__(
        self, width: int, layers: int, *, classes: int, dimension: int, window: int
    ) -> None:
        super().__init__()
        name = f"attention-{width}x{layers}"
        _refuse_sizes(name, width, layers, classes, dimension, window)
        if width % _HEAD:
            raise RangeError(f"{name} has heads of {_HEAD}; expected a width that {_HEAD} divides")
        self.embedding = _embedding(classes, width)
        self.positions = nn.Embedding(window, width)
        nn.init.normal_(self.positions.weight, std=_SPREAD)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(layers))
        self.normalise = nn.RMSNorm(width)
        self.project = _projection(width, dimension)

    def forward(self, ids: Int64[Tensor, "batch tokens"]) -> Float[Tensor, "batch dimension"]:
        """One vector for each sentence."""
        _refuse_ids(ids)
        if ids.shape[1] > self.positions.num_embeddings:
            raise ShapeError(
                f"token ids are {tuple(ids.shape)}; expected at most "
                f"{self.positions.num_embeddings} tokens"
            )
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden = self.embedding(ids) + self.positions(places)
        seen = (ids != PADDING) | (places == 0)  # a sentence without tokens looks at one of them
        for block in self.blocks:
            hidden = block(hidden, seen[:, None, None, :])
        found: Tensor = self.project(_mean(self.normalise(hidden), ids))
        return found


class _Block(nn.Module):
    """Attention and a layer of four times the width, each added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // _HEAD
        self.before_attention = nn.RMSNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.before_layer = nn.RMSNorm(width)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, hidden: Tensor, seen: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same; ``seen`` says which tokens are looked at."""
        batch, tokens, width = hidden.shape
        parts = self.queries_keys_values(self.before_attention(hidden))
        query, key, value = parts.view(batch, tokens, 3, self.heads, _HEAD).unbind(2)
        looked = F.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=seen
        )
        hidden = hidden + self.mix(looked.transpose(1, 2).reshape(batch, tokens, width))
        added: Tensor = self.narrow(F.gelu(self.widen(self.before_layer(hidden))))
        return hidden + added


def build_sentence_encoder(
    name: str, *, classes: int, dimension: int | None = None, window: int
) -> nn.Module:
    """The encoder of a name ``static-WIDTH`` or ``attention-WIDTHxLAYERS``.

    Args:
        name: Of it.
        classes: Tokens of the vocabulary.
        dimension: Of the sentence vectors; the width by default.
        window: The longest sentence, in tokens.

    Raises:
        ModelError: No such name.
        RangeError: A size that cannot be.
    """
    static = re.fullmatch(r"static-([0-9]{1,5})", name)
    if static is not None:
        width = int(static[1])
        return StaticEncoder(width, classes=classes, dimension=dimension or width)
    attention = re.fullmatch(r"attention-([0-9]{1,5})x([0-9]{1,3})", name)
    if attention is None:
        raise ModelError(f"no encoder is called {name!r}; expected {FORM}, as static-64")
    width, layers = int(attention[1]), int(attention[2])
    return AttentionEncoder(
        width, layers, classes=classes, dimension=dimension or width, window=window
    )


def _embedding(classes: int, width: int) -> nn.Embedding:
    made = nn.Embedding(classes, width, padding_idx=PADDING)
    nn.init.normal_(made.weight, std=_SPREAD)
    with torch.no_grad():
        made.weight[PADDING] = 0
    return made


def _projection(width: int, dimension: int) -> nn.Module:
    return nn.Identity() if width == dimension else nn.Linear(width, dimension)


def _mean(hidden: Tensor, ids: Tensor) -> Tensor:
    """Over the tokens that are no padding."""
    counts = (ids != PADDING).to(hidden.dtype)[..., None]
    return (hidden * counts).sum(1) / counts.sum(1).clamp(min=1)


def _refuse_sizes(name: str, *sizes: int) -> None:
    if min(sizes) < 1:
        raise RangeError(f"{name} has sizes {list(sizes)}; expected 1 or more of each")


def _refuse_ids(ids: Tensor) -> None:
    if ids.dim() != 2:
        raise ShapeError(f"token ids are {tuple(ids.shape)}; expected (batch, tokens)")
