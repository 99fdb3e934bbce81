"""Class-incremental runs, named fully. One function for each data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from didact.train import LearnSettings

LITERATURE_ORDER = 1993
LITERATURE_METHODS = ("finetune", "lwf", "icarl", "bic", "wa", "podnet", "der", "joint")


def learn_digits() -> LearnSettings:
    """The digits of scikit-learn, two classes at a time, ten exemplars a class at the end."""
    return LearnSettings.build(
        data="digits",
        step=2,
        memory=100,
        model="mlp",
        epochs=30,
        batch_size=32,
        learning_rate=0.05,
        threads=1,
    )


def learn_mnist() -> LearnSettings:
    """Split MNIST in one pass: 5 tasks of 2 classes, a perceptron of 400-400, 2,000 exemplars."""
    return LearnSettings.build(
        data="mnist",
        step=2,
        memory=2000,
        model="mlp-400-400",
        epochs=1,
        batch_size=128,
        learning_rate=0.01,
    )


def learn_fashion_mnist() -> LearnSettings:
    """Split Fashion-MNIST in one pass, with the settings of Split MNIST.

    The learning rate was chosen on validation images (docs/results-learn.md). At 0.05, sums of
    binary terms and DER++ diverge unless gradients are clipped.
    """
    return learn_mnist().changed(data="fashion-mnist")


def learn_cifar100() -> LearnSettings:
    """CIFAR-100 B0-10 in the literature's schedule.

    ResNet-32, 2,000 exemplars, order of seed 1993, 170 epochs, SGD 0.1 times 0.1 after epochs 80
    and 120, batches of 128; crop, flip and brightness (Zhou et al. 2024, Class-incremental
    learning: a survey).
    """
    return LearnSettings.build(
        data="cifar100",
        step=10,
        class_order=LITERATURE_ORDER,
        memory=2000,
        model="resnet32",
        augment="crop-flip-brightness",
        epochs=170,
        batch_size=128,
        learning_rate=0.1,
        weight_decay=2e-4,
        schedule="step",
        milestones=(80 / 170, 120 / 170),
        method=LITERATURE_METHODS,
        method_options={"joint.from_scratch": True},
    )


def learn_cifar100_short() -> LearnSettings:
    """CIFAR-100 B0-10 shortened for two CPU cores: not the literature's schedule.

    Same classes, order and memory as :func:`learn_cifar100`; ResNet-8 instead of ResNet-32, 2
    epochs instead of 170, no augmentation, bfloat16.
    """
    return learn_cifar100().changed(
        model="resnet8",
        augment="none",
        epochs=2,
        batch_size=64,
        schedule="cosine",
        precision="bf16-mixed",
        channels_last=True,
        threads=1,
        method=(*LITERATURE_METHODS, "replay"),
        method_options={"joint.from_scratch": False},
    )


def learn_cifar10() -> LearnSettings:
    """CIFAR-10, two classes at a time, otherwise as CIFAR-100."""
    return learn_cifar100().changed(data="cifar10", step=2, class_order="natural")


_BY_DATA: dict[str, Callable[[], LearnSettings]] = {
    "digits": learn_digits,
    "mnist": learn_mnist,
    "fashion-mnist": learn_fashion_mnist,
    "cifar10": learn_cifar10,
    "cifar100": learn_cifar100,
}


def learn_for_data(data: str | None) -> LearnSettings:
    """The recipe of a data set; for a user's own data, general settings.

    A folder or file that is called like a known set (``folder:/data/cifar100``,
    ``npz:mnist.npz``) is taken for it and gets its recipe.
    """
    name = data or "digits"
    if name in _BY_DATA:
        return _BY_DATA[name]()
    kind, _, path = name.partition(":")
    known = _BY_DATA.get(Path(path).name.removesuffix(".npz"))
    if kind in ("folder", "npz") and known is not None:
        return known().changed(data=name)
    return LearnSettings.build(data=name)
