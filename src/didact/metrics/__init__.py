"""Floor 1: numbers about predictions, about sequences of tasks, and statistics over seeds."""

from didact._core.optional import expect

expect("torch", "numpy", "jaxtyping")

from didact.metrics._agreement import agreement_kl, agreement_top1
from didact.metrics._calibration import (
    Calibration,
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
)
from didact.metrics._classification import accuracy, confusion_matrix, per_class_accuracy
from didact.metrics._comparison import (
    MOST_SEEDS_FOR_EXACT,
    Difference,
    holm,
    paired_test,
    sign_flip_p_value,
    welch_test,
)
from didact.metrics._images import (
    Disagreements,
    majority_class,
    majority_vote,
    mcnemar_test,
    outlying,
    poisson_limits,
    wilson_interval,
)
from didact.metrics._incremental import (
    average_accuracy,
    average_incremental_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    intransigence,
    last_accuracy,
)
from didact.metrics._multilabel import (
    binary_negative_log_likelihood,
    mean_average_precision,
    multilabel_f1,
)
from didact.metrics._regression import (
    explained_variance,
    mean_absolute_error,
    root_mean_squared_error,
)
from didact.metrics._seeds import Interval, Quartiles, mean_interval, quartiles

__all__ = [
    "MOST_SEEDS_FOR_EXACT",
    "Calibration",
    "Difference",
    "Disagreements",
    "Interval",
    "Quartiles",
    "accuracy",
    "agreement_kl",
    "agreement_top1",
    "average_accuracy",
    "average_incremental_accuracy",
    "backward_transfer",
    "binary_negative_log_likelihood",
    "brier_score",
    "confusion_matrix",
    "expected_calibration_error",
    "explained_variance",
    "forgetting",
    "forward_transfer",
    "holm",
    "intransigence",
    "last_accuracy",
    "majority_class",
    "majority_vote",
    "mcnemar_test",
    "mean_absolute_error",
    "mean_average_precision",
    "mean_interval",
    "multilabel_f1",
    "negative_log_likelihood",
    "outlying",
    "paired_test",
    "per_class_accuracy",
    "poisson_limits",
    "quartiles",
    "root_mean_squared_error",
    "sign_flip_p_value",
    "welch_test",
    "wilson_interval",
]
