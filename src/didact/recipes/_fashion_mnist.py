"""MNIST and Fashion-MNIST: a small network learns from a convolutional one."""

from didact.train import DistillSettings


def fashion_mnist() -> DistillSettings:
    """All labels; a ResNet-8x4 teaches a small CNN."""
    return DistillSettings.build(
        data="fashion-mnist",
        validation=0.1,
        augment="none",
        teacher=("cnn",),
        student="mlp",
        epochs=10,
        seeds=(0, 1, 2),
        batch_size=128,
    )


def mnist() -> DistillSettings:
    """As Fashion-MNIST."""
    return fashion_mnist().changed(data="mnist")
