"""Inputs of the losses on relations; the contrastive one has a memory that stands still."""

from __future__ import annotations

import torch
from tests.losses.support import Sizes, constructor, example


@example("similarity_preserving")
@example("rkd_distance")
@example("rkd_angle")
@example("rkd")
@example("pkt")
@example("cc")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 2, 3, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 5, salt=22),
    }


@constructor("CRD")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_dim": 3,
        "teacher_dim": 6,
        "num_samples": 9,
        "embedding_dim": 4,
        "temperature": 0.5,
        "momentum": 1.0,
    }


@example("CRD")
def _(sizes: Sizes) -> dict[str, object]:
    indices = torch.arange(sizes.batch) * 2
    others = torch.arange(1, 6)
    return {
        "student_features": sizes.randn(sizes.batch, 3, 1, 1, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 6, salt=22),
        "indices": indices,
        "negative_indices": (indices[:, None] + others) % 9,
    }


@constructor("InBatchCRD")
def _(sizes: Sizes) -> dict[str, object]:
    return {"student_dim": 3, "teacher_dim": 6, "embedding_dim": 4, "temperature": 0.5}


@example("InBatchCRD")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 3, 1, 1, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 6, salt=22),
        "classes": torch.arange(sizes.batch) % 3,
    }
