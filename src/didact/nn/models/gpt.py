"""A small language model: a decoder of attention layers with one matrix for reading and saying."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from didact._core.errors import ModelError, RangeError, ShapeError

FORM = "gpt-WIDTHxLAYERS"
_HEAD = 32
_SPREAD = 0.04
"""Of the weights at the start, twice GPT-2's: small networks learn faster from it."""


class GptBlock(nn.Module):
    """Causal attention and a layer of four times the width, each added to what came in.

    Args:
        width: Of the hidden states.
        heads: Of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.RMSNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.before_layer = nn.RMSNorm(width)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same."""
        batch, tokens, width = hidden.shape
        parts = self.queries_keys_values(self.before_attention(hidden))
        query, key, value = parts.view(batch, tokens, 3, self.heads, -1).unbind(2)
        seen = F.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), is_causal=True
        )
        hidden = hidden + self.mix(seen.transpose(1, 2).reshape(batch, tokens, width))
        added: Tensor = self.narrow(F.gelu(self.widen(self.before_layer(hidden))))
        return hidden + added


class Gpt(nn.Module):
    """GPT-2's decoder with RMS normalisation, no biases, and the embedding as output layer.

    Args:
        width: Of the hidden states, a multiple of 32.
        layers: How many blocks.
        classes: Tokens of the vocabulary.
        window: The longest text, in tokens.

    Raises:
        RangeError: A size is below 1, or the width no multiple of 32.

    Paper: Radford et al. 2019, Language models are unsupervised multitask learners.

    Example:
        >>> import torch
        >>> from didact.nn import Gpt
        >>> model = Gpt(64, 2, classes=512, window=128)
        >>> model(torch.randint(512, (2, 10))).shape
        torch.Size([2, 10, 512])
    """

    def __init__(self, width: int, layers: int, *, classes: int, window: int) -> None:
        super().__init__()
        if min(width, layers, classes, window) < 1 or width % _HEAD:
            raise RangeError(
                f"gpt-{width}x{layers} of {classes} classes and {window} tokens; expected sizes of "
                f"1 or more, and a width that {_HEAD} divides"
            )
        self.embedding = nn.Embedding(classes, width)
        self.positions = nn.Embedding(window, width)
        self.blocks = nn.ModuleList(GptBlock(width, width // _HEAD) for _ in range(layers))
        self.normalise = nn.RMSNorm(width)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                last = name.endswith(("mix.weight", "narrow.weight"))
                nn.init.normal_(parameter, std=_SPREAD / (2 * layers) ** 0.5 if last else _SPREAD)

    def hidden(self, ids: Int64[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens width"]:
        """The states that the output layer, ``embedding.weight``, turns into logits."""
        if ids.dim() != 2 or ids.shape[1] > self.positions.num_embeddings:
            raise ShapeError(
                f"token ids are {tuple(ids.shape)}; expected (batch, tokens) of at most "
                f"{self.positions.num_embeddings} tokens"
            )
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden = self.embedding(ids) + self.positions(places)
        for block in self.blocks:
            hidden = block(hidden)
        found: Tensor = self.normalise(hidden)
        return found

    def forward(self, ids: Int64[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens classes"]:
        """Logits of the token behind each."""
        return F.linear(self.hidden(ids), self.embedding.weight)


def build_gpt(name: str, *, classes: int, window: int) -> Gpt:
    """The model of a name ``gpt-WIDTHxLAYERS``.

    Raises:
        ModelError: No such name.
        RangeError: As :class:`Gpt`.
    """
    match = re.fullmatch(r"gpt-([0-9]{1,5})x([0-9]{1,3})", name)
    if match is None:
        raise ModelError(f"no language model is called {name!r}; expected {FORM}, as gpt-64x2")
    return Gpt(int(match[1]), int(match[2]), classes=classes, window=window)
