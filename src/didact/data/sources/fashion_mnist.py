"""Fashion-MNIST: 70,000 pictures of clothes (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747)."""

from __future__ import annotations

from didact.data.loading.registry import Parts, Request, source
from didact.data.sources._idx import IdxSet, read_idx_set

FASHION_MNIST = IdxSet(
    name="fashion-mnist",
    places=("fashion-mnist", "FashionMNIST/raw"),
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    md5=(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)


@source(
    "fashion-mnist",
    description="70,000 pictures of clothes in ten kinds, 10,000 of them the test set",
    licence="MIT",
    shape=(1, 28, 28),
    num_classes=10,
)
def read_fashion_mnist(request: Request) -> Parts:
    """The four IDX files."""
    return read_idx_set(FASHION_MNIST, request)
