"""Dosovitskiy et al. 2021: vision transformers, plain."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn.blocks.attention import TransformerBlock
from didact.nn.catalogue.registry import check_sizes, model
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.inspection.dry_run import ImageShape

_HEAD_WIDTH, _SMALL_HEAD_WIDTH, _SMALL = 64, 16, 256


def _paths(sizes: tuple[int, ...]) -> tuple[str, ...]:
    return ("patch_embed", *(f"blocks.{n}" for n in range(sizes[2])), "norm", "embedding")


class PatchEmbed(nn.Module):
    """Each patch as a token: a convolution whose stride is its side."""

    def __init__(self, patch: int, channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        """``(batch, patches, width)``."""
        found: Tensor = self.proj(images)
        return found.flatten(2).transpose(1, 2)


class ClassToken(nn.Module):
    """The first token."""

    def forward(self, tokens: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to ``(batch, width)``."""
        return tokens[:, 0]


class Vit(ImageClassifier):
    """Patches and a class token with learned positions, pre-norm blocks, a linear classifier.

    Its parts are called as in timm's ``VisionTransformer``: ``patch_embed``, ``cls_token``,
    ``pos_embed``, ``blocks``, ``norm``.
    """

    def __init__(
        self, patch: int, width: int, depth: int, image_shape: ImageShape, num_classes: int
    ) -> None:
        super().__init__()
        channels, high, wide = image_shape
        heads = width // (_HEAD_WIDTH if width >= _SMALL else _SMALL_HEAD_WIDTH)
        count = 1 + (high // patch) * (wide // patch)
        self.patch_embed = PatchEmbed(patch, channels, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, count, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.embedding = ClassToken()
        self.classifier = nn.Linear(width, num_classes)
        self.feature_paths = _paths((patch, width, depth))
        for parameter in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(parameter, std=0.02)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def stages(self, images: Tensor) -> Tensor:
        """All tokens after the last norm, ``(batch, 1 + patches, width)``."""
        patches = self.patch_embed(images)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        found: Tensor = self.norm(self.blocks(tokens + self.pos_embed))
        return found


@model(
    "vit-4-64-4",
    pattern=r"vit-(\d+)-(\d+)-(\d+)",
    form="vit-PATCH-WIDTH-DEPTH",
    summary="Plain vision transformer; vit-16-768-12 is ViT-B/16.",
    paper="Dosovitskiy et al. 2021, arXiv:2010.11929",
    feature_paths=_paths,
)
def build_vit(sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """``vit-4-64-4``: patches of 4x4, 64 numbers a token, 4 blocks; heads of 16, of 64 from 256 on.

    Raises:
        ModelError: The image is no whole number of patches, or the width of heads.
    """
    name = "vit-" + "-".join(map(str, sizes))
    check_sizes(name, sizes)
    patch, width, depth = sizes
    channels, high, wide = image_shape
    if high % patch or wide % patch:
        raise ModelError(
            f"{name}: images of {high}x{wide} are no whole number of patches of {patch}x{patch}"
        )
    head = _HEAD_WIDTH if width >= _SMALL else _SMALL_HEAD_WIDTH
    if width % head:
        raise ModelError(f"{name}: the width is {width}; expected a multiple of {head}")
    return Vit(patch, width, depth, (channels, high, wide), num_classes)
