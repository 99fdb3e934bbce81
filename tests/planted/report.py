"""Faults of the pages, tables and sentences about runs."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "report"
TESTS = "tests/report"

FAULTS = [
    Fault(
        "what the student keeps is of other seeds",
        FLOOR,
        "sum(student[:shared]) / max(sum(teacher[:shared]), 1e-12)",
        "sum(student) / max(sum(teacher), 1e-12)",
        f"{TESTS}/test_render.py -k keeps",
    ),
    Fault(
        "alone minus distilled",
        FLOOR,
        "paired_test(distilled[:shared], alone[:shared], level=LEVEL)",
        "paired_test(alone[:shared], distilled[:shared], level=LEVEL)",
        f"{TESTS}/test_render.py -k 'verdict or everything'",
    ),
    Fault(
        "an interval that holds zero shows a difference",
        FLOOR,
        "found.low is None or found.high is None or found.low <= 0 <= found.high",
        "found.low is None or found.high is None",
        f"{TESTS}/test_render.py -k verdict",
    ),
    Fault(
        "a higher error is better",
        FLOOR,
        'return "better" if (found.low > 0) == higher_is_better else "worse"',
        'return "better" if found.low > 0 else "worse"',
        TESTS,
    ),
    Fault(
        "runs of other seeds are paired",
        FLOOR,
        "set(seeds) == set(base_seeds)",
        "len(seeds) == len(base_seeds)",
        f"{TESTS}/distilling/test_compare.py",
    ),
    Fault(
        "seeds are paired in the order of the file",
        FLOOR,
        "paired_test([by_seed[seed] for seed in base_seeds], base)",
        "paired_test(values, base)",
        f"{TESTS}/distilling/test_compare.py",
    ),
    Fault(
        "runs on other data are compared",
        FLOOR,
        '("number of test images", result.data.test, first.data.test),\n',
        "",
        f"{TESTS}/distilling/test_compare.py",
    ),
    Fault(
        "an ensemble costs as much as one teacher",
        FLOOR,
        "sum(known) if known and len(known) == len(values) else None",
        "max(known) if known and len(known) == len(values) else None",
        f"{TESTS}/test_render.py -k several_teachers",
    ),
    Fault(
        "the share of the gap is counted from nothing",
        FLOOR,
        "closed = (learners[best] - low) / (high - low)",
        "closed = learners[best] / high",
        "tests/cli/test_learn.py -k verdict_names",
    ),
    Fault(
        "the worst method is called the best",
        FLOOR,
        "best = max(learners, key=lambda name: learners[name])",
        "best = min(learners, key=lambda name: learners[name])",
        "tests/cli/test_learn.py -k verdict_names",
    ),
    Fault(
        "the calibration gap on the page counts bins, not predictions",
        FLOOR,
        "sum(count * abs(accuracy - confidence) for confidence, accuracy, count in filled)",
        "sum(abs(accuracy - confidence) for confidence, accuracy, count in filled)",
        TESTS,
    ),
    Fault(
        "a small negative number is shown as minus zero",
        FLOOR,
        "if rounded < 0:\n        return MINUS + text",
        "if value < 0:\n        return MINUS + text",
        TESTS,
    ),
    Fault(
        "a whole interval is shown as half of one",
        FLOOR,
        "(difference.high - difference.low) / 2 * scale",
        "(difference.high - difference.low) * scale",
        TESTS,
    ),
]
