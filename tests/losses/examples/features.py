"""Inputs of the losses on features that have more than one tensor for each side."""

from __future__ import annotations

import torch
from tests.losses.support import SIZE_IN_HALF, Sizes, constructor, example
from torch import nn

Shape = tuple[int, int, int]


@example("fsp")
def _(sizes: Sizes) -> dict[str, object]:
    shapes = [(sizes.batch, 3, 2, 2), (sizes.batch, 2, 2, 2), (sizes.batch, 4, 2, 2)]
    return {
        side: [sizes.randn(*shape, salt=first + k) for k, shape in enumerate(shapes)]
        for side, first in (("student_features", 31), ("teacher_features", 41))
    }


@example("ofd")
def _(sizes: Sizes) -> dict[str, object]:
    shape = (sizes.batch, 3, 2, 2)
    return {
        "student_features": sizes.randn(*shape, salt=21),
        "teacher_features": sizes.randn(*shape, salt=22),
        "norm_weight": sizes.randn(3, salt=23),
        "norm_bias": sizes.randn(3, salt=24, scale=0.5),
    }


@constructor("VID")
@constructor("FT")
@constructor("MGD")
def _(sizes: Sizes) -> dict[str, object]:
    return {"student_channels": 3, "teacher_channels": 4}


def maps(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 3, 3, 3, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 4, 3, 3, salt=22),
    }


example("VID")(maps)
example("FT")(maps)


@example("MGD")
def _(sizes: Sizes) -> dict[str, object]:
    kept = torch.arange(sizes.batch * 9).reshape(sizes.batch, 1, 3, 3) % 3 != 1
    return {**maps(sizes), "keep": kept}


@example("hint")
@example("attention_transfer")
@example("ab")
@example("ickd")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 3, 3, 2, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 3, 3, 2, salt=22),
    }


@example("nst")
def _(sizes: Sizes) -> dict[str, object]:
    space = (3, 2) if sizes.seed % 2 == 0 else (3, 4)  # more positions than channels
    return {
        "student_features": sizes.randn(sizes.batch, 3, *space, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 3, *space, salt=22),
    }


@constructor("SimKD")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_shape": (3, 4, 4),
        "teacher_shape": (4, 3, 3),
        "classifier": nn.Linear(4, sizes.classes),
    }


@example("SimKD")
def _(sizes: Sizes) -> dict[str, object]:
    return {
        "student_features": sizes.randn(sizes.batch, 3, 4, 4, salt=21),
        "teacher_features": sizes.randn(sizes.batch, 4, 3, 3, salt=22),
    }


def layers(sizes: Sizes, student: list[Shape], teacher: list[Shape]) -> dict[str, object]:
    sides = {"student_features": (student, 51), "teacher_features": (teacher, 61)}
    return {
        side: [sizes.randn(sizes.batch, *shape, salt=salt + k) for k, shape in enumerate(shapes)]
        for side, (shapes, salt) in sides.items()
    }


@constructor("ReviewKD")
def _(sizes: Sizes) -> dict[str, object]:
    return {"student_channels": [1, 3, 3], "teacher_channels": [2, 2, 3]}


@example("ReviewKD")
def _(sizes: Sizes) -> dict[str, object]:
    student, teacher = [(1, 5, 5), (3, 3, 3), (3, 1, 1)], [(2, 6, 6), (2, 2, 2), (3, 1, 1)]
    return layers(sizes, student, teacher)


@constructor("SemCKD")
def _(sizes: Sizes) -> dict[str, object]:
    return {"student_channels": [3, 1], "teacher_channels": [1, 2], "batch_size": 8}


@example("SemCKD")
def _(sizes: Sizes) -> dict[str, object]:
    return layers(sizes, [(3, 3, 3), (1, 3, 1)], [(1, 1, 1), (2, 4, 5)])


# Squared differences of products of features: the gradient grows with the third power.
SIZE_IN_HALF["fsp"] = 20.0
