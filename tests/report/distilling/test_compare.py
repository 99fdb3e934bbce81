"""Runs side by side: the right test, its name, and refusals."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from tests.report.support import make_result, make_rows, write_run

from didact import metrics
from didact._core.errors import RunFolderError, UnknownNameError
from didact.report import compare, comparison_json, comparison_markdown, comparison_table


def test_same_seeds_are_paired_whatever_their_order(tmp_path: Path):
    first, second = make_result(), make_result(gain=0.02)
    values = second["arms"]["distilled"]["test_accuracy"]
    values[0] += 0.01
    base = first["arms"]["distilled"]["test_accuracy"]
    expected = metrics.paired_test(values, base)
    second["seeds"].reverse()
    for arm in second["arms"].values():
        for numbers in arm.values():
            numbers.reverse()
    found = compare([write_run(tmp_path / "a", first), write_run(tmp_path / "b", second)])
    assert found.runs[0].difference is None
    difference = found.runs[1].difference
    assert difference is not None
    assert difference.test == "paired t-test"
    assert difference.p_value == pytest.approx(expected.p_value)
    assert found.runs[1].sign_flip_p == metrics.sign_flip_p_value(expected.differences)


def test_other_seeds_are_not_paired(tmp_path: Path):
    second = make_result(gain=0.02)
    second["seeds"] = [5, 6, 7, 8, 9]
    found = compare([write_run(tmp_path / "a", make_result()), write_run(tmp_path / "b", second)])
    difference = found.runs[1].difference
    assert difference is not None
    assert difference.test == "Welch's t-test"
    assert difference.differences == ()
    assert found.runs[1].sign_flip_p is None


def test_any_metric_and_arm(tmp_path: Path):
    folders = [write_run(tmp_path / n, make_result()) for n in ("a", "b")]
    found = compare(folders, metric="nll", arm="teacher")
    assert list(found.runs[0].values) == make_result()["arms"]["teacher"]["nll"]
    with pytest.raises(UnknownNameError, match="did you mean 'nll'"):
        compare(folders, metric="nl")
    with pytest.raises(UnknownNameError, match="distilled"):
        compare(folders, arm="distiled")
    with pytest.raises(RunFolderError, match="it has it for: alone, distilled"):
        compare(folders, metric="agreement_kl", arm="teacher")


@pytest.mark.parametrize(("key", "value"), [("name", "mnist"), ("test", 10_000)])
def test_other_data_is_refused(tmp_path: Path, key: str, value: object):
    other = make_result()
    other["data"][key] = value
    with pytest.raises(RunFolderError, match=rf"{value} .*digits|{value} .*360"):
        compare([write_run(tmp_path / "a", make_result()), write_run(tmp_path / "b", other)])


def test_other_labels_and_unfinished_runs_are_warned_of(tmp_path: Path):
    other = make_result()
    other["data"]["labelled"] = 200
    other["complete"] = False
    found = compare([write_run(tmp_path / "a", make_result()), write_run(tmp_path / "b", other)])
    assert len(found.warnings) == 2
    text = comparison_markdown(found)
    assert "Warning: b has labelled 200; a has 115." in text
    assert "Warning: b is not finished" in text


def test_names_are_as_long_as_they_must_be(tmp_path: Path):
    folders = [write_run(tmp_path / n / "run", make_result()) for n in ("x", "y")]
    assert [run.name for run in compare(folders).runs] == ["x/run", "y/run"]
    twice = compare([folders[0], folders[0]])
    assert [run.name for run in twice.runs] == ["run", "run"]


def test_markdown_and_json(tmp_path: Path):
    runs = [tmp_path / "a|b", tmp_path / "c"]
    found = compare([write_run(runs[0], make_result()), write_run(runs[1], make_result(seeds=3))])
    text = comparison_markdown(found)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[2].startswith("| a\\|b | 5 | 95.00 ± 0.55 | 95.00 | 94.72–95.28 |")
    assert "Welch's t-test (other seeds, not paired): c." in text
    values = comparison_json(found)
    assert values["runs"][1]["difference"]["test"] == "Welch's t-test"
    assert values["runs"][0]["quartiles"]["median"] == pytest.approx(0.95)


def test_one_run_or_an_unfinished_one_is_refused(tmp_path: Path):
    whole = write_run(tmp_path / "a", make_result())
    with pytest.raises(RunFolderError, match="two or more"):
        compare([whole])
    with pytest.raises(RunFolderError, match="not finished"):
        compare([whole, write_run(tmp_path / "b", rows=make_rows(seeds=1, epochs=1))])


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_no_number_is_cut_off_in_a_narrow_terminal(tmp_path: Path, columns: int):
    folders = [write_run(tmp_path / n, make_result()) for n in ("a-run-of-some-length", "b")]
    found = compare(folders)
    console = Console(width=columns, file=io.StringIO(), record=True)
    console.print(comparison_table(found, columns))
    shown = console.export_text()
    assert "…" not in shown
    assert max(map(len, shown.split("\n"))) <= columns
    for run in found.runs:
        assert f"{100 * run.quartiles.median:.2f}" in shown
        assert f"{100 * run.interval.mean:.2f}" in shown
