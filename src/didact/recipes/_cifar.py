"""CIFAR-10 and CIFAR-100 with the schedule of the distillation literature."""

from didact.train import DistillSettings


def cifar100() -> DistillSettings:
    """ResNet-56 to ResNet-20: SGD, 240 epochs, 0.05 times 0.1 at 150, 180, 210, T = 4.

    Tian, Krishnan, Isola 2020 (arXiv:1910.10699, section 4) and those who follow it, on the loss
    ``0.1 * CE + 0.9 * KD``.
    """
    return DistillSettings.build(
        data="cifar100",
        validation=0.02,
        augment="crop-flip",
        teacher=("resnet56",),
        student="resnet20",
        temperature=4.0,
        kd_weight=0.9,
        learning_rate=0.05,
        weight_decay=5e-4,
        schedule="step",
        milestones=(150 / 240, 180 / 240, 210 / 240),
        epochs=240,
        batch_size=64,
        seeds=(0, 1, 2),
    )


def cifar10() -> DistillSettings:
    """As CIFAR-100."""
    return cifar100().changed(data="cifar10")
