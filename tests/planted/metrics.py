"""Faults of the numbers about predictions, sequences of tasks and seeds."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "metrics"
TESTS = "tests/metrics"

FAULTS = [
    Fault(
        "the divergence from the teacher is turned round",
        FLOOR,
        "(teacher_log_probs.exp() * (teacher_log_probs - student_log_probs)).sum(dim=-1)",
        "(student_log_probs.exp() * (student_log_probs - teacher_log_probs)).sum(dim=-1)",
        f"{TESTS}/test_predictions.py",
    ),
    Fault(
        "labels and predictions swap their axes in the confusion",
        FLOOR,
        "pairs = targets * classes + flat.argmax(dim=-1)",
        "pairs = flat.argmax(dim=-1) * classes + targets",
        f"{TESTS}/test_predictions.py",
    ),
    Fault(
        "precision is given for recall",
        FLOOR,
        "matrix.diagonal() / matrix.sum(dim=1)",
        "matrix.diagonal() / matrix.sum(dim=0)",
        f"{TESTS}/test_predictions.py",
    ),
    Fault(
        "the Brier score is a mean over the classes",
        FLOOR,
        "error.square().sum(dim=-1).mean()",
        "error.square().mean()",
        f"{TESTS}/test_predictions.py",
    ),
    Fault(
        "every bin of the calibration counts the same",
        FLOOR,
        "((accuracy - confidence).abs() * count / len(targets))[count > 0]",
        "((accuracy - confidence).abs() / bins)[count > 0]",
        f"{TESTS}/test_predictions.py",
    ),
    Fault(
        "over- and underconfidence cancel",
        FLOOR,
        "(accuracy - confidence).abs() * count",
        "(accuracy - confidence) * count",
        f"{TESTS}/test_predictions.py",
    ),
    Fault(
        "the best earlier accuracy includes the last",
        FLOOR,
        "accuracies[k:last, k].max() - accuracies[last, k]",
        "accuracies[k:, k].max() - accuracies[last, k]",
        f"{TESTS}/test_incremental.py",
    ),
    Fault(
        "backward transfer counts the last task",
        FLOOR,
        "(accuracies[-1] - accuracies.diagonal())[:-1].mean()",
        "(accuracies[-1] - accuracies.diagonal()).mean()",
        f"{TESTS}/test_incremental.py",
    ),
    Fault(
        "forward transfer takes the baseline of the task before",
        FLOOR,
        '_per_task(baseline, len(accuracies), "baseline")[1:]',
        '_per_task(baseline, len(accuracies), "baseline")[:-1]',
        f"{TESTS}/test_incremental.py",
    ),
    Fault(
        "the average of a task is over all tasks",
        FLOOR,
        "np.average(accuracies[t, : t + 1], weights=shares[: t + 1])",
        "np.average(accuracies[t], weights=shares)",
        f"{TESTS}/test_incremental.py",
    ),
    Fault(
        "the interval has one degree of freedom too many",
        FLOOR,
        "stats.t.ppf((1 + level) / 2, len(array) - 1)",
        "stats.t.ppf((1 + level) / 2, len(array))",
        f"{TESTS}/test_seeds.py",
    ),
    Fault(
        "Welch's variance is that of the population",
        FLOOR,
        "float(side.var(ddof=1)) / len(side)",
        "float(side.var(ddof=0)) / len(side)",
        f"{TESTS}/test_seeds.py",
    ),
    Fault(
        "the p-value is one-sided",
        FLOOR,
        "2 * stats.t.sf(abs(mean) / error, degrees)",
        "stats.t.sf(abs(mean) / error, degrees)",
        f"{TESTS}/test_seeds.py",
    ),
]
