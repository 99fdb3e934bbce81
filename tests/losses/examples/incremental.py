"""Inputs of the incremental losses: the old model knows fewer classes."""

from __future__ import annotations

import torch
from tests.losses.support import Sizes, example


def logits(sizes: Sizes) -> dict[str, object]:
    return {
        "student_logits": sizes.randn(sizes.batch, sizes.classes, salt=1),
        "teacher_logits": sizes.randn(sizes.batch, sizes.classes - 1, salt=2),
    }


@example("lwf")
def _(sizes: Sizes) -> dict[str, object]:
    return logits(sizes)


@example("eeil")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_logits": sizes.randn(sizes.batch, sizes.classes, salt=1),
        "teacher_logits": sizes.randn(sizes.batch, sizes.classes, salt=2),
        "head_sizes": [2, sizes.classes - 2],
    }


@example("binary_distillation")
def _(sizes: Sizes) -> dict[str, object]:
    return {**logits(sizes), "labels": torch.arange(sizes.batch) * 2 % sizes.classes}


@example("lucir_margin")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_logits": sizes.randn(sizes.batch, sizes.classes, salt=1, scale=0.5),
        "labels": torch.arange(sizes.batch) % 2,
        "old_classes": 2,
    }


@example("lucir_less_forget")
@example("podnet_flat")
@example("podnet_spatial")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 2, 3, 2, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 2, 3, 2, salt=22),
    }


@example("afc")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 3, 2, 2, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 3, 2, 2, salt=22),
        "importance": torch.tensor([1.0, 0.25, 4.0], dtype=sizes.dtype),
    }
