"""Class-incremental runs, named fully. One function for each data set."""

from __future__ import annotations

from collections.abc import Callable

from didact.train import LearnSettings

LITERATURE_ORDER = 1993


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
    """Split Fashion-MNIST: 5 tasks of 2 classes, 5 epochs each."""
    return learn_mnist().changed(data="fashion-mnist", epochs=5)


def learn_cifar100() -> LearnSettings:
    """CIFAR-100 B0-10 in the literature's schedule.

    ResNet-32, 2,000 exemplars, order of seed 1993, 170 epochs, SGD 0.1 times 0.1 after epochs 80
    and 120, batches of 128; crop, flip and brightness (Zhou et al. 2024, Class-incremental
    learning: a survey, section 5.1).
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
        method=("finetune", "lwf", "icarl", "wa", "joint"),
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
    """The recipe of a data set; for a user's own data, general settings."""
    name = data or "digits"
    return _BY_DATA[name]() if name in _BY_DATA else LearnSettings.build(data=name)
