"""``didact compare``."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from tests.report.support import make_result, write_run

from didact import metrics
from didact.cli import main
from didact.train import learn


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["didact", *arguments])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    second = make_result(gain=0.01)
    second["arms"]["distilled"]["test_accuracy"][0] += 0.005
    other = make_result(seeds=3)
    return [
        str(write_run(tmp_path / name, result))
        for name, result in (("first", make_result()), ("second", second), ("third", other))
    ]


def test_the_table(runs, monkeypatch, capsys):
    assert run(monkeypatch, "compare", *runs) == 0
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 80
    for part in ("Median", "Quartiles", "95.00 ± 0.55", "paired t-test (same seeds): second",
                 "Welch's t-test (other seeds, not paired): third", "exact sign-flip"):  # fmt: skip
        assert part in text


def test_json_and_markdown(runs, monkeypatch, capsys):
    assert run(monkeypatch, "compare", *runs, "--format", "json", "--metric", "brier") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metric"] == "brier"
    assert [r["name"] for r in found["runs"]] == ["first", "second", "third"]
    assert run(monkeypatch, "compare", *runs, "--format", "markdown", "--arm", "alone") == 0
    assert "student alone" in capsys.readouterr().out


def test_csv_and_latex(runs, monkeypatch, capsys):
    assert run(monkeypatch, "compare", *runs, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["run"] for row in rows] == ["first", "second", "third"]
    assert float(rows[0]["mean"]) == pytest.approx(0.95, abs=0.001)
    assert rows[0]["p"] == ""
    p_values = [float(row["p"]) for row in rows[1:]]
    corrected = [float(row["p_holm"]) for row in rows[1:]]
    assert corrected == metrics.holm(p_values)
    assert run(monkeypatch, "compare", *runs, "--format", "latex") == 0
    text = capsys.readouterr().out
    table = [line for line in text.splitlines() if not line.startswith("%")]
    assert table[0] == r"\begin{tabular}{lrrrrrrr}"
    assert table[-1] == r"\end{tabular}"
    assert {line.count("&") for line in table if line.endswith(r"\\")} == {7}
    assert "%" not in "".join(table).replace(r"\%", "")


def test_the_correction_is_shown_for_several_tests_alone(runs, monkeypatch, capsys):
    run(monkeypatch, "compare", *runs)
    assert "p, Holm" in capsys.readouterr().out
    run(monkeypatch, "compare", *runs[:2])
    assert "Holm" not in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_picture(runs, monkeypatch, capsys, tmp_path, ending):
    path = tmp_path / f"picture.{ending}"
    assert run(monkeypatch, "compare", *runs, "--picture", str(path)) == 0
    begins = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(begins)
    if ending == "svg":
        assert "second" in path.read_text()
    capsys.readouterr()
    assert run(monkeypatch, "compare", *runs, "--picture", str(tmp_path / "a.bmp")) == 2
    assert ".svg" in capsys.readouterr().err


def test_methods_of_learning_runs(monkeypatch, capsys, tmp_path):
    given = {"method": ("finetune", "lwf", "joint"), "epochs": 1, "base": 5, "step": 5,
             "seeds": (0, 1), "model": "mlp-8", "onnx": False}  # fmt: skip
    learn(**given, output=tmp_path / "run")
    assert run(monkeypatch, "compare", str(tmp_path / "run"), "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metric"] == "average_incremental"
    assert [one["name"] for one in found["runs"]] == ["finetune", "lwf", "joint"]
    numbers = json.loads((tmp_path / "run" / "result.json").read_text())["methods"]
    assert found["runs"][1]["values"] == numbers["lwf"]["numbers"]["average_incremental"]
    assert found["runs"][1]["holm_p"] is not None
    other = str(write_run(tmp_path / "distilled", make_result()))
    assert run(monkeypatch, "compare", str(tmp_path / "run"), other) == 2
    assert "different kinds" in capsys.readouterr().err
    assert run(monkeypatch, "compare", str(tmp_path / "run"), "--arm", "lwf") == 2
    assert "two or more" in capsys.readouterr().err


def test_mistakes_are_one_message(runs, tmp_path, monkeypatch, capsys):
    (Path(runs[1]) / "result.json").write_text('{"schema": 1, "ki')
    for arguments, says in (
        ([runs[0]], "two or more"),
        ([runs[0], str(tmp_path / "gone")], "there is no folder"),
        ([runs[0], runs[1]], "damaged or truncated"),
        ([runs[0], runs[2], "--metric", "accuracy"], "did you mean"),
    ):
        assert run(monkeypatch, "compare", *arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert says in captured.err
        assert captured.err.count("\n") == 1
