"""The table and the verdict in the terminal and in a log file."""

import io

import pytest
from rich.console import Console
from tests.report.support import make_result

from didact import metrics
from didact._core.errors import RunFolderError
from didact.report import evidence_table, verdict
from didact.report.distilling.evidence import direction
from didact.report.drawing import format as fmt


def printed(result, **options) -> str:
    file = io.StringIO()
    Console(file=file, width=80, **options).print(evidence_table(result))
    return file.getvalue()


def test_it_fits_into_80_columns_without_colour():
    text = printed(make_result())
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert "…" not in text
    line = next(line for line in text.splitlines() if line.startswith("Test accuracy, %"))
    numbers = ["97.89 ± 0.83", "90.33 ± 0.29", "95.00 ± 0.55", "+4.67 ± 0.62"]
    assert [cell for cell in numbers if cell in line] == numbers
    for label in ("Parameters", "Size on disk", "Latency / batch", "KL from teacher", "ECE, %"):
        assert label in text
    assert "5 seeds" in text


def test_numbers_as_wide_as_they_come_are_not_cut():
    result = make_result()
    for arm in result["arms"].values():
        arm["test_accuracy"] = [0.0, 1.0, 1.0, 1.0, 1.0]
        arm["nll"] = [20.0, 30.0, 21.0, 22.0, 25.0]
    result["models"]["teacher"][0]["parameters"] = 138_357_544
    assert "…" not in printed(result)


def test_colour_says_better_and_worse():
    assert "\x1b[1;32m" in printed(make_result(), force_terminal=True, color_system="standard")
    worse = printed(make_result(gain=-0.03), force_terminal=True, color_system="standard")
    assert "\x1b[1;31m" in worse


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_better_depends_on_the_metric(higher_is_better: bool):
    rise = metrics.paired_test([0.9, 0.8, 0.85], [0.1, 0.1, 0.1])
    expected = "better" if higher_is_better else "worse"
    assert direction(rise, higher_is_better=higher_is_better) == expected
    fall = metrics.paired_test([0.1, 0.1, 0.1], [0.9, 0.8, 0.85])
    assert direction(fall, higher_is_better=not higher_is_better) == expected
    none = metrics.paired_test([0.1, 0.2, 0.3], [0.2, 0.1, 0.3])
    assert direction(none, higher_is_better=higher_is_better) == "unclear"


def test_one_seed_says_that_there_is_no_test():
    text = printed(make_result(seeds=1))
    assert "±" not in text
    assert "One seed: no intervals and no test." in text


def test_the_verdict_in_one_line():
    text = verdict(make_result())
    assert text.startswith("The distilled student is 4.67 points above the student alone. 95%")
    assert "+4.05 to +5.28 points, p < 0.001 (paired t-test, 5 seeds)." in text
    assert text.endswith("with 0.8% of its parameters and 12% of its latency.")
    assert "\n" not in text


def test_what_is_no_result_is_refused():
    with pytest.raises(RunFolderError, match="schema"):
        verdict({})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (fmt.number(-0.0001, 2, sign=True), "0.00"),
        (fmt.number(-1.005, 1), "−1.0"),
        (fmt.size(999), "999 B"),
        (fmt.size(5_204), "5.20 kB"),
        (fmt.size(999_999), "1.00 MB"),
        (fmt.size(11_200_000), "11.2 MB"),
        (fmt.size(2_500_000_000), "2.50 GB"),
        (fmt.p_value(0.0004), "p < 0.001"),
        (fmt.p_value(0.0123), "p = 0.012"),
        (fmt.p_value(None), ""),
        (fmt.milliseconds(12.345), "12.3 ms"),
        (fmt.milliseconds(0.0321), "0.032 ms"),
        (fmt.duration(41.26), "41.3 s"),
        (fmt.duration(185), "3 min 5 s"),
        (fmt.duration(7500), "2 h 5 min"),
    ],
)
def test_formats(shown: str, expected: str):
    assert shown == expected
