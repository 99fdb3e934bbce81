"""Few new parameters that change what a frozen vision transformer computes."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import UsageError
from didact.nn.heads.tokens import attended, fed_forward, token_body

Tuner = Literal["adapter", "ssf", "vpt"]
TUNERS: tuple[str, ...] = get_args(Tuner)
_DEVIATION = 0.02


class Adapter(nn.Module):
    """``scale * up(dropout(relu(down(x))))``; 0 at first.

    Args:
        width: Numbers of a token.
        inner: Numbers in between.
        scale: 0.1 in the paper.
        dropout: 0.1 in the authors' code.

    Paper: Chen et al. 2022, AdaptFormer, arXiv:2205.13535, eq. 2.
    """

    def __init__(
        self, width: int, inner: int = 64, *, scale: float = 0.1, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        self.scale, self.dropout = scale, dropout
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(..., width)`` to what is added to it."""
        hidden = F.dropout(F.relu(self.down(tokens)), self.dropout, self.training)
        found: Tensor = self.scale * self.up(hidden)
        return found


class AdaptedBlock(nn.Module):
    """A block with an adapter beside its ``mlp``: both look at what the attention gave.

    There may be several adapters, of which one is active at a time.

    Args:
        block: Of a transformer.

    Attributes:
        active: Which adapter; below 0 for the block as it was.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.adapters = nn.ModuleList()
        self.active = -1

    def add(self, width: int, inner: int) -> list[nn.Parameter]:
        """A new adapter, which becomes the active one; its parameters."""
        new = Adapter(width, inner).to(next(self.block.parameters()))
        self.adapters.append(new)
        self.active = len(self.adapters) - 1
        return list(new.parameters())

    def forward(self, tokens: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same shape."""
        hidden = attended(self.block, tokens)
        found = fed_forward(self.block, hidden)
        if self.active < 0:
            return found
        change: Tensor = self.adapters[self.active](hidden)
        return found + change


class ScaleShift(nn.Module):
    """``scale * x + shift`` with a number of each for every channel; close to ``x`` at first.

    Args:
        width: Channels.
        dim: Where they are.

    Paper: Lian et al. 2022, SSF, arXiv:2210.08823, eq. 2.
    """

    def __init__(self, width: int, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim
        self.scale = nn.Parameter(torch.empty(width).normal_(1, _DEVIATION))
        self.shift = nn.Parameter(torch.empty(width).normal_(0, _DEVIATION))

    def forward(self, features: Tensor) -> Tensor:
        """The same shape."""
        shape = [1] * features.dim()
        shape[self.dim] = -1
        return features * self.scale.view(shape) + self.shift.view(shape)


class PromptedBlock(nn.Module):
    """A block that sees further tokens, learned ones; what it makes of them is dropped.

    Args:
        block: Of a transformer.
        count: How many tokens.
        width: Numbers of a token.

    Paper: Jia et al. 2022, VPT, arXiv:2203.12119, eq. 5 (deep: each block has its own).
    """

    def __init__(self, block: nn.Module, count: int, width: int) -> None:
        super().__init__()
        self.block = block
        self.prompts = nn.Parameter(torch.empty(1, count, width).normal_(0, _DEVIATION))

    def forward(self, tokens: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same shape."""
        seen = torch.cat([tokens, self.prompts.expand(len(tokens), -1, -1)], dim=1)
        found: Tensor = self.block(seen)
        return found[:, : tokens.shape[1]]


def tune(
    network: nn.Module, tuner: Tuner, *, inner: int = 64, prompts: int = 5
) -> list[nn.Parameter]:
    """Put a tuner into a network's vision transformer, in place.

    Args:
        network: It, or a body with a classifier behind it.
        tuner: ``"adapter"`` beside the ``mlp`` of each block, ``"ssf"`` scales and shifts after
            each linear layer and norm, ``"vpt"`` prompts for each block.
        inner: Numbers inside an adapter.
        prompts: Prompts of each block.

    Returns:
        The new parameters: what is to be trained.

    Raises:
        ModelError: The network is no vision transformer.
        UsageError: No such tuner.
    """
    if tuner not in TUNERS:
        raise UsageError(f"tune is {tuner!r}; expected one of {', '.join(TUNERS)}")
    body = token_body(network)
    if tuner == "ssf":
        return _scale_and_shift(body.module)
    found: list[nn.Parameter] = []
    for number, block in enumerate(body.blocks):
        like = body.module.cls_token
        if tuner == "vpt":
            prompted = PromptedBlock(block, prompts, body.width).to(like)
            body.module.blocks[number] = prompted
            found.append(prompted.prompts)
        else:
            adapted = AdaptedBlock(block)
            body.module.blocks[number] = adapted
            found += adapted.add(body.width, inner)
    return found


def _scale_and_shift(body: nn.Module) -> list[nn.Parameter]:
    """A scale and shift behind every convolution, linear layer and layer norm of a transformer."""
    layers = (nn.Conv2d, nn.Linear, nn.LayerNorm)
    inside = ("patch_embed.", "blocks.", "norm", "fc_norm")
    paths = [p for p, m in body.named_modules() if isinstance(m, layers) and p.startswith(inside)]
    found: list[nn.Parameter] = []
    for path in paths:
        layer: Any = body.get_submodule(path)
        dim = 1 if isinstance(layer, nn.Conv2d) else -1
        new = ScaleShift(len(layer.weight), dim).to(layer.weight)
        body.set_submodule(path, nn.Sequential(layer, new))
        found += [new.scale, new.shift]
    return found
