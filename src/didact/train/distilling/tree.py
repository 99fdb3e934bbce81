"""What a soft decision tree has learnt, written beside the student for the report."""

from __future__ import annotations

import base64
import io
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from didact.data import Data
from didact.nn import SoftTree
from didact.train.loop.evaluate import png_of, test_batches

SHOWN_LEVELS = 4
MOST_EXAMPLES = 10
MISTAKES = 2

Json = dict[str, Any]


@torch.no_grad()
def tree_of(model: nn.Module, data: Data) -> Json | None:
    """The content of ``tree.json``; None where the model is no tree, or the data no images.

    The upper levels and all nodes on the paths of some test images: the first of each class, and
    two that the tree has wrong. A filter is grey where a pixel does not count, lighter where it
    turns right.
    """
    if not isinstance(model, SoftTree) or len(data.image_shape) != 3:
        return None
    device = next(model.parameters()).device
    batches = list(test_batches(data, "test", device).epoch(0))
    images = torch.cat([batch.images for batch in batches])
    labels = torch.cat([batch.labels for batch in batches]).cpu()
    paths = model.eval().features(images).cpu()
    tree = model.tree()
    leaves = torch.stack(tree.level(model.depth)).cpu()
    chosen = _chosen(leaves[paths.argmax(1)].argmax(1), labels)
    walks = [(index, *model.path(images[index])) for index in chosen]
    shown = set(range(2 ** min(model.depth, SHOWN_LEVELS) - 1))
    shown |= {turn.node for _, turns, _ in walks for turn in turns}
    return {
        "depth": model.depth,
        "levels": min(model.depth, SHOWN_LEVELS),
        "nodes": {str(node): {"png": _filter(tree[node].cpu())} for node in sorted(shown)},
        "bottom": _bottom(paths.mean(0), leaves, min(model.depth, SHOWN_LEVELS)),
        "examples": [
            {
                "index": index,
                "label": int(labels[index]),
                "png": png_of(data.test, index),
                "turns": [{"node": turn.node, "right": round(turn.right, 4)} for turn in turns],
                "leaf": leaf,
                "class": int(leaves[leaf].argmax()),
                "probability": round(float(leaves[leaf].max()), 4),
            }
            for index, turns, leaf in walks
        ],
    }


def _chosen(found: Tensor, labels: Tensor) -> list[int]:
    """The first image of each class, and the first mistakes."""
    firsts = [int((labels == label).nonzero()[0]) for label in sorted(set(labels.tolist()))]
    wrong = (found != labels).nonzero().flatten().tolist()
    right = [index for index in firsts if index not in wrong[:MISTAKES]]
    return sorted(right[: MOST_EXAMPLES - MISTAKES]) + wrong[:MISTAKES]


def _bottom(reached: Tensor, leaves: Tensor, levels: int) -> list[Json]:
    """Below each node of the last level that is drawn: how much comes there, and what it says."""
    parts = reached.reshape(2**levels, -1)
    mixed = (parts.unsqueeze(2) * leaves.reshape(2**levels, parts.shape[1], -1)).sum(1)
    share = parts.sum(1)
    mixed = mixed / share.clamp(min=1e-12).unsqueeze(1)
    return [
        {
            "share": round(float(amount), 4),
            "class": int(row.argmax()),
            "probability": round(float(row.max()), 4),
        }
        for amount, row in zip(share, mixed, strict=True)
    ]


def _filter(weights: Tensor) -> str:
    """A filter as PNG: 0 is mid-grey, the largest weight white or black."""
    scaled = 127.5 + 127.5 * weights / weights.abs().max().clamp(min=1e-12)
    pixels = scaled.round().clamp(0, 255).to(torch.uint8)
    if len(pixels) not in (1, 3):
        pixels = pixels.float().mean(0, keepdim=True).to(torch.uint8)
    array = pixels.permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(array if len(pixels) == 3 else array[:, :, 0]).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
