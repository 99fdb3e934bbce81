"""CIFAR-10: 60,000 colour photographs in 10 classes (Krizhevsky 2009)."""

from __future__ import annotations

from didact.data.loading.download import RemoteFile
from didact.data.loading.registry import Parts, Request, source
from didact.data.sources._cifar import CifarSet, cifar_urls, read_cifar

_ARCHIVE = "cifar-10-python.tar.gz"
CIFAR10 = CifarSet(
    name="cifar10",
    folder="cifar-10-batches-py",
    archive=RemoteFile(_ARCHIVE, "c58f30108f718f92721af3b95e74349a", cifar_urls(_ARCHIVE)),
    train=tuple(f"data_batch_{number}" for number in range(1, 6)),
    test="test_batch",
    meta="batches.meta",
    label_key="labels",
    names_key="label_names",
)


@source(
    "cifar10",
    description="60,000 colour photographs in 10 classes, 10,000 of them the test set",
    licence="not stated by its authors; free to use for research, cite Krizhevsky 2009",
    shape=(3, 32, 32),
    num_classes=10,
)
def read_cifar10(request: Request) -> Parts:
    """The Python archive."""
    return read_cifar(CIFAR10, request)
