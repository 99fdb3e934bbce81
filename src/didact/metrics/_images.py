"""What one set of test images says: of one accuracy, of a rare error, of two models on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from didact._core.errors import DtypeError, RangeError, ShapeError
from didact.metrics._seeds import Interval, check_level, quartiles


def wilson_interval(hits: int, count: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of one rate: ``(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)``.

    Read it when there is one model and one test set: it says how far the accuracy may be off
    because other images could have been drawn. It does not know of seeds. Unlike ``p ± 2 s`` it
    stays within 0 and 1 and has a length at 0 and at 1.

    Args:
        hits: How many images are right.
        count: How many images there are.
        level: The confidence level, between 0 and 1.

    Raises:
        RangeError: No image, more hits than images, or a level outside 0 and 1.

    Paper: Wilson 1927, Probable inference, the law of succession, and statistical inference.

    Example:
        >>> from didact.metrics import wilson_interval
        >>> interval = wilson_interval(90, 100)
        >>> round(interval.low, 4), interval.mean, round(interval.high, 4)
        (0.8256, 0.9, 0.9448)
    """
    _check_counts(hits, count)
    check_level(level)
    share = hits / count
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    low, high = ((middle + end) / (1 + z * z / count) for end in (-half, half))
    return Interval(share, max(low, 0.0) if hits else 0.0, min(high, 1.0), level, count)


def poisson_limits(errors: int, count: int, level: float = 0.95) -> Interval:
    """Limits of a rare error's rate: ``χ²(2k)/2n`` and ``χ²(2k + 2)/2n``; none seen has one limit.

    Read it when errors are few beside many images (false alarms, say). For ``errors = 0`` all of
    the doubt lies above: the upper limit is one-sided, ``-log(1 - level)/n``, the exact form of the
    "rule of three".

    Args:
        errors: How many were seen.
        count: Among how many.
        level: The confidence level, between 0 and 1.

    Raises:
        RangeError: No image, more errors than images, or a level outside 0 and 1.

    Paper: Garwood 1936, Fiducial limits for the Poisson distribution.

    Example:
        >>> from didact.metrics import poisson_limits
        >>> round(100 * poisson_limits(0, 265).high, 2)
        1.13
    """
    _check_counts(errors, count)
    check_level(level)
    from scipy import stats

    outside = 1 - level if errors == 0 else (1 - level) / 2
    low = 0.0 if errors == 0 else float(stats.chi2.ppf(outside, 2 * errors)) / 2
    high = float(stats.chi2.ppf(1 - outside, 2 * errors + 2)) / 2
    return Interval(errors / count, low / count, min(1.0, high / count), level, count)


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Two models on the same images.

    Attributes:
        only_a: Images that only the first has right.
        only_b: Images that only the second has right.
        both: Images that both have right.
        neither: Images that neither has right.
        p_value: Two-sided, exact; 1 where they never differ.
    """

    only_a: int
    only_b: int
    both: int
    neither: int
    p_value: float

    @property
    def difference(self) -> float:
        """The accuracy of the first minus that of the second."""
        return (self.only_a - self.only_b) / (self.only_a + self.only_b + self.both + self.neither)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)


def mcnemar_test(a: Bool[Tensor, " images"], b: Bool[Tensor, " images"]) -> Disagreements:
    """McNemar's exact test: of ``n`` images that one model alone has right, ``k`` are the first's.

    ``p = min(1, 2 P(X <= min(k, n - k)))`` with ``X`` binomial ``(n, 1/2)``. Read it when two
    models were tested on the same images: the images that both have right or wrong say nothing,
    and leaving them out makes small differences visible that two separate rates hide.

    Args:
        a: ``(images,)``, whether the first model has each image right.
        b: ``(images,)``, the second, in the same order.

    Raises:
        ShapeError: No image, or not as many of one as of the other.
        DtypeError: Not boolean.

    Paper: McNemar 1947, Note on the sampling error of the difference between correlated
    proportions.

    Example:
        >>> import torch
        >>> from didact.metrics import mcnemar_test
        >>> a = torch.tensor([True] * 10 + [False] * 2 + [True] * 88)
        >>> b = torch.tensor([False] * 10 + [True] * 2 + [True] * 88)
        >>> found = mcnemar_test(a, b)
        >>> found.only_a, found.only_b, round(found.p_value, 3)
        (10, 2, 0.039)
    """
    for name, value in (("a", a), ("b", b)):
        if value.dtype != torch.bool:
            raise DtypeError(
                f"{name} is {value.dtype}; expected torch.bool, whether each image is right"
            )
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ShapeError(
            f"a is {tuple(a.shape)} and b is {tuple(b.shape)}; expected one value for each of the "
            "same images"
        )
    from scipy import stats

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    differ = only_a + only_b
    p_value = float(stats.binomtest(only_a, differ).pvalue) if differ else 1.0
    return Disagreements(only_a, only_b, int((a & b).sum()), int((~a & ~b).sum()), p_value)


def majority_class(labels: Int[Tensor, " images"]) -> tuple[int, float]:
    """The commonest class and its share: the accuracy of whoever always names it.

    Read it before an accuracy on classes of unequal size. A tie goes to the lower class.

    Args:
        labels: ``(images,)``, integers from 0.

    Raises:
        ShapeError: No image.

    Example:
        >>> import torch
        >>> from didact.metrics import majority_class
        >>> majority_class(torch.tensor([0, 2, 2, 1]))
        (2, 0.5)
    """
    if labels.ndim != 1 or not len(labels):
        raise ShapeError(f"labels is {tuple(labels.shape)}; expected one label for each image")
    counts = labels.bincount()
    commonest = int(counts.argmax())
    return commonest, int(counts[commonest]) / len(labels)


def majority_vote(classes: Sequence[Int[Tensor, " images"]]) -> Int[Tensor, " images"]:
    """The mode of several models' answers, image by image; a tie goes to the lower class.

    Read its accuracy beside that of the mean over seeds: what an ensemble of the same models
    would reach.

    Args:
        classes: For each model the predicted class of each image, ``(images,)``.

    Raises:
        ShapeError: No model, no image, or models with other images.

    Example:
        >>> import torch
        >>> from didact.metrics import majority_vote
        >>> answers = [torch.tensor([0, 1]), torch.tensor([0, 2]), torch.tensor([1, 2])]
        >>> majority_vote(answers).tolist()
        [0, 2]
    """
    shapes = [tuple(answers.shape) for answers in classes]
    if not shapes or len(set(shapes)) != 1 or len(shapes[0]) != 1 or not shapes[0][0]:
        raise ShapeError(f"classes are {shapes}; expected the same images from each model")
    votes = torch.nn.functional.one_hot(torch.stack(list(classes)).long()).sum(dim=0)
    return votes.argmax(dim=1)


def outlying(values: Sequence[float]) -> list[int]:
    """Places of values more than 1.5 interquartile ranges outside the quartiles.

    Read it before a mean over seeds: one run that diverged moves the mean and not the median.

    Args:
        values: One for each seed.

    Raises:
        ShapeError: No value.
        NonFiniteError: NaN or infinity among the values.

    Paper: Tukey 1977, Exploratory data analysis, section 2D.

    Example:
        >>> from didact.metrics import outlying
        >>> outlying([0.91, 0.92, 0.90, 0.91, 0.11])
        [4]
    """
    q1, _, q3 = quartiles(values)
    reach = 1.5 * (q3 - q1)
    return [k for k, value in enumerate(values) if value < q1 - reach or value > q3 + reach]


def _check_counts(hits: int, count: int) -> None:
    if count < 1 or not 0 <= hits <= count:
        raise RangeError(f"{hits} of {count}; expected a count from 0 to a total of at least 1")
