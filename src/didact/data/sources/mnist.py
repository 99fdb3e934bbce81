"""MNIST: 70,000 handwritten digits (LeCun, Cortes, Burges 1998)."""

from __future__ import annotations

from didact.data.loading.registry import Parts, Request, source
from didact.data.sources._idx import IdxSet, read_idx_set

MNIST = IdxSet(
    name="mnist",
    places=("mnist", "MNIST/raw"),
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    md5=(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    class_names=tuple(str(number) for number in range(10)),
)


@source(
    "mnist",
    description="70,000 handwritten digits, 10,000 of them the test set",
    licence="CC BY-SA 3.0",
    shape=(1, 28, 28),
    num_classes=10,
)
def read_mnist(request: Request) -> Parts:
    """The four IDX files."""
    return read_idx_set(MNIST, request)
