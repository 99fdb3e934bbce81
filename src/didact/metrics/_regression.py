"""Numbers that are predicted: how far off."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from didact.metrics._targets import scores_and_targets


def mean_absolute_error(
    predictions: Float[Tensor, "samples outputs"], targets: Float[Tensor, "samples outputs"]
) -> float:
    """``mean |y - f(x)|``, over samples and outputs, in the units of the targets.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.

    Example:
        >>> import torch
        >>> from didact.metrics import mean_absolute_error
        >>> mean_absolute_error(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [2.0]]))
        0.5
    """
    said, wanted = scores_and_targets(predictions, targets)
    return float((said - wanted).abs().mean())


def root_mean_squared_error(
    predictions: Float[Tensor, "samples outputs"], targets: Float[Tensor, "samples outputs"]
) -> float:
    """``sqrt(mean (y - f(x))^2)``, over samples and outputs, in the units of the targets.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.

    Example:
        >>> import torch
        >>> from didact.metrics import root_mean_squared_error
        >>> root_mean_squared_error(torch.tensor([[3.0], [4.0]]), torch.tensor([[0.0], [0.0]]))
        3.5355339059327378
    """
    said, wanted = scores_and_targets(predictions, targets)
    return float((said - wanted).square().mean().sqrt())


def explained_variance(
    predictions: Float[Tensor, "samples outputs"], targets: Float[Tensor, "samples outputs"]
) -> float:
    """``R^2 = 1 - sum (y - f(x))^2 / sum (y - mean y)^2``, the mean over the outputs.

    An output that never changes counts as explained where it is met exactly, else as not at all.

    Returns:
        At most 1; 0 for whoever always says the mean, below it for worse.

    Raises:
        ShapeError: Not two-dimensional and of one shape, or no sample.
        NonFiniteError: NaN or infinity.

    Example:
        >>> import torch
        >>> from didact.metrics import explained_variance
        >>> explained_variance(torch.tensor([[1.0], [1.0]]), torch.tensor([[0.0], [2.0]]))
        0.0
    """
    said, wanted = scores_and_targets(predictions, targets)
    left = (said - wanted).square().sum(dim=0)
    spread = (wanted - wanted.mean(dim=0)).square().sum(dim=0)
    constant = spread == 0
    share = left / spread.masked_fill(constant, 1.0)
    share[constant] = (left[constant] > 0).double()
    return float((1 - share).mean())
