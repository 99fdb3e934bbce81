"""The 1,797 handwritten digits that scikit-learn carries: nothing to download."""

from __future__ import annotations

import numpy as np
import torch

from didact.data.loading.registry import Parts, Request, source
from didact.data.splits.split import Split
from didact.data.splits.subsets import complement, fixed_test_indices


@source(
    "digits",
    description="1,797 handwritten digits, comes with scikit-learn; 360 of them are the test set",
    licence="CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)",
    shape=(1, 8, 8),
    num_classes=10,
)
def read_digits(_request: Request) -> Parts:
    """The digits, with their grey levels 0..16 spread over 0..255.

    The test images are a fixed fifth, 360, stratified by class, the same for every seed.
    """
    from sklearn.datasets import load_digits

    grey, digit = load_digits(return_X_y=True)
    scaled = np.round(grey * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    everything = Split(torch.from_numpy(scaled), torch.from_numpy(digit.astype(np.int64)))
    test = fixed_test_indices(everything.labels, 10)
    train = complement(test, len(everything))
    names = tuple(str(number) for number in range(10))
    return Parts(everything.subset(train), everything.subset(test), names)
