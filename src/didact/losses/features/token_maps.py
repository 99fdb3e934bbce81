"""Tokens of a vision transformer as the maps that losses on features compare."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError, ShapeError
from didact.losses.kit.checks import check_tensor


def token_maps(
    tokens: Float[Tensor, "batch tokens dim"],
    *,
    prefix: int = 1,
    size: tuple[int, int] | None = None,
) -> Float[Tensor, "batch dim height width"]:
    """Patch tokens of a vision transformer as maps, for every loss that takes maps.

    A token is a position and its units are channels: :func:`hint`, :func:`attention_transfer`,
    :func:`nst`, :func:`cwd`, :func:`mgd <MGD>` and the others then compare a transformer with
    another, or with a convolutional network whose map has this height and width.

    Args:
        tokens: ``(batch, prefix + height * width, dim)``, row after row as patch embeddings are.
        prefix: Tokens in front that are no patch: the class token, those of distillation and the
            registers. 1 for ViT, 2 for DeiT's distilled models, 0 for Swin.
        size: Height and width in patches; a square if None.

    Returns:
        A view, ``(batch, dim, height, width)``.

    Raises:
        ShapeError: Not three dimensions, or the patches do not fill the size.
        DtypeError: Integer tokens.
        RangeError: ``prefix`` is below 0.

    Example:
        >>> import torch
        >>> from didact.losses import hint, token_maps
        >>> student, teacher = torch.zeros(2, 197, 8), torch.zeros(2, 198, 8)
        >>> hint(token_maps(student), token_maps(teacher, prefix=2)).item()
        0.0
    """
    check_tensor(tokens, name="tokens")
    if prefix < 0:
        raise RangeError(f"prefix is {prefix}; expected 0 or more tokens")
    if tokens.dim() != 3:
        raise ShapeError(f"tokens is {tuple(tokens.shape)}; expected (batch, tokens, dim)")
    patches = tokens.shape[1] - prefix
    height, width = size or (math.isqrt(max(patches, 0)),) * 2
    if height * width != patches or patches < 1:
        raise ShapeError(
            f"tokens is {tuple(tokens.shape)}: {patches} patches after a prefix of {prefix}; "
            f"expected {height} x {width}. Pass prefix= (0 for no class token, more with "
            "registers), or size=(height, width) of a picture that is no square."
        )
    return tokens[:, prefix:].mT.reshape(len(tokens), tokens.shape[2], height, width)
