"""CIFAR-100: 60,000 colour photographs in 100 classes (Krizhevsky 2009); the fine labels."""

from __future__ import annotations

from didact.data.loading.download import RemoteFile
from didact.data.loading.registry import Parts, Request, source
from didact.data.sources._cifar import CifarSet, cifar_urls, read_cifar

_ARCHIVE = "cifar-100-python.tar.gz"
CIFAR100 = CifarSet(
    name="cifar100",
    folder="cifar-100-python",
    archive=RemoteFile(_ARCHIVE, "eb9058c3a382ffc7106e4002c42a8d85", cifar_urls(_ARCHIVE)),
    train=("train",),
    test="test",
    meta="meta",
    label_key="fine_labels",
    names_key="fine_label_names",
)


@source(
    "cifar100",
    description="60,000 colour photographs in 100 classes, 10,000 of them the test set",
    licence="not stated by its authors; free to use for research, cite Krizhevsky 2009",
    shape=(3, 32, 32),
    num_classes=100,
)
def read_cifar100(request: Request) -> Parts:
    """The Python archive."""
    return read_cifar(CIFAR100, request)
