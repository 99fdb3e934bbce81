"""Floor 5: recipes, typed functions that name a run fully. One file per data set."""

from __future__ import annotations

from collections.abc import Callable

from didact.recipes._cifar import cifar10, cifar100
from didact.recipes._digits import digits
from didact.recipes._encoder import encoder
from didact.recipes._fashion_mnist import fashion_mnist, mnist
from didact.recipes._learn import (
    learn_cifar10,
    learn_cifar100,
    learn_cifar100_short,
    learn_digits,
    learn_fashion_mnist,
    learn_for_data,
    learn_mnist,
)
from didact.recipes._text import text
from didact.train import DistillSettings

_BY_DATA: dict[str, Callable[[], DistillSettings]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
}


def for_data(data: str | None) -> DistillSettings:
    """The recipe of a data set; for a user's own data, general settings with all labels."""
    name = data or "digits"
    return _BY_DATA[name]() if name in _BY_DATA else DistillSettings.build(data=name)


__all__ = [
    "cifar10",
    "cifar100",
    "digits",
    "encoder",
    "fashion_mnist",
    "for_data",
    "learn_cifar10",
    "learn_cifar100",
    "learn_cifar100_short",
    "learn_digits",
    "learn_fashion_mnist",
    "learn_for_data",
    "learn_mnist",
    "mnist",
    "text",
]
