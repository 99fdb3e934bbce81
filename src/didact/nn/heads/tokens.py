"""A vision transformer as tokens in, tokens out: what prompts and adapters need of one.

It is known by the names of its parts, which are those of timm's ``VisionTransformer``:
``patch_embed``, ``cls_token``, ``pos_embed``, ``blocks`` with ``norm1``, ``attn`` (``qkv``,
``proj``, ``num_heads``), ``norm2`` and ``mlp``, and ``norm``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import ModelError

_PARTS = ("patch_embed", "cls_token", "pos_embed", "blocks", "norm")
_OF_A_BLOCK = ("norm1", "attn", "norm2", "mlp")


@dataclass(frozen=True)
class TokenBody:
    """The transformer inside a network.

    Attributes:
        module: It, with the names of timm's parts.
    """

    module: Any

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """The blocks, from first to last."""
        return list(self.module.blocks)

    @property
    def width(self) -> int:
        """Numbers of a token."""
        return int(self.module.cls_token.shape[-1])

    def embed(self, images: Tensor) -> Tensor:
        """The tokens before the first block, the class token first: ``(batch, tokens, width)``."""
        module = self.module
        patches = module.patch_embed(images)
        if hasattr(module, "_pos_embed"):
            tokens: Tensor = module._pos_embed(patches)
        else:
            first = module.cls_token.expand(len(patches), -1, -1)
            tokens = torch.cat([first, patches], dim=1) + module.pos_embed
        found: Tensor = part(module, "norm_pre")(part(module, "patch_drop")(tokens))
        return found

    def after(self, tokens: Tensor) -> Tensor:
        """The tokens after the last block, normalised."""
        found: Tensor = self.module.norm(tokens)
        return found

    def pooled(self, tokens: Tensor) -> Tensor:
        """The feature that some of the normalised tokens give, their mean: ``(batch, width)``."""
        found: Tensor = part(self.module, "fc_norm")(tokens.mean(1))
        return found


def token_body(network: nn.Module) -> TokenBody:
    """The vision transformer that a network is, or is made of.

    Raises:
        ModelError: It is none, or its parts have other names.
    """
    candidates: list[Any] = [network, getattr(network, "body", None)]
    for candidate in candidates:
        if candidate is not None and all(hasattr(candidate, name) for name in _PARTS):
            blocks = list(candidate.blocks)
            if blocks and all(hasattr(b, name) for b in blocks for name in _OF_A_BLOCK):
                return TokenBody(candidate)
    raise ModelError(
        f"{type(network).__name__} is no vision transformer with the parts {', '.join(_PARTS)} and "
        f"blocks of {', '.join(_OF_A_BLOCK)}; expected one of timm's, vit-PATCH-WIDTH-DEPTH, or "
        "your own with those names"
    )


def part(module: nn.Module, name: str) -> nn.Module:
    """A part that not every transformer has; one that does nothing where it is missing."""
    found = getattr(module, name, None)
    return found if isinstance(found, nn.Module) else nn.Identity()


def through_block(
    block: Any, tokens: Tensor, keys: Tensor | None = None, values: Tensor | None = None
) -> Tensor:
    """One block, whose attention may have further keys and values (prefix tuning).

    Args:
        block: Of a transformer.
        tokens: ``(batch, tokens, width)``.
        keys: ``(batch, length, width)``; they stand beside those of the tokens.
        values: Likewise.

    Paper: Li and Liang 2021, arXiv:2101.00190; in vision transformers Wang et al. 2022,
    arXiv:2204.04799, section 4.2.
    """
    return fed_forward(block, attended(block, tokens, keys, values))


def attended(
    block: Any, tokens: Tensor, keys: Tensor | None = None, values: Tensor | None = None
) -> Tensor:
    """The first half of a block: ``x + attn(norm1(x))``."""
    hidden = block.norm1(tokens)
    mixed = block.attn(hidden) if keys is None else _attend(block.attn, hidden, keys, values)
    found: Tensor = tokens + part(block, "drop_path1")(part(block, "ls1")(mixed))
    return found


def fed_forward(block: Any, tokens: Tensor) -> Tensor:
    """The second half of a block: ``x + mlp(norm2(x))``."""
    hidden = block.mlp(block.norm2(tokens))
    found: Tensor = tokens + part(block, "drop_path2")(part(block, "ls2")(hidden))
    return found


def _attend(attention: Any, tokens: Tensor, keys: Tensor, values: Tensor | None) -> Tensor:
    batch, count, width = tokens.shape
    heads = attention.num_heads

    def by_head(found: Tensor) -> Tensor:
        return found.reshape(batch, -1, heads, width // heads).transpose(1, 2)

    query, key, value = (by_head(f) for f in attention.qkv(tokens).chunk(3, dim=-1))
    query, key = part(attention, "q_norm")(query), part(attention, "k_norm")(key)
    key = torch.cat([by_head(keys), key], dim=2)
    value = torch.cat([by_head(keys if values is None else values), value], dim=2)
    mixed = F.scaled_dot_product_attention(query, key, value)
    mixed = part(attention, "norm")(mixed.transpose(1, 2).reshape(batch, count, width))
    found: Tensor = part(attention, "proj_drop")(attention.proj(mixed))
    return found
