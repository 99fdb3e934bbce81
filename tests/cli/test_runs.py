"""``didact runs`` from the command line."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.runs.support import distill_run, learn_run

from didact.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    distill_run(tmp_path / "runs/first")
    distill_run(tmp_path / "runs/going", complete=False, temperature=2.0)
    learn_run(tmp_path / "runs/third")
    return tmp_path / "runs"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["didact", "runs", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)


def test_the_runs_are_listed_in_the_order_of_their_starts(folder, monkeypatch, capsys):
    assert run(monkeypatch, folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [
        line.split()[0] for line in lines if line.startswith((" first", " going", " third"))
    ] == [
        "going",
        "first",
        "third",
    ]
    assert "not finished" in next(line for line in lines if "going" in line)
    assert "85.00" in next(line for line in lines if "first" in line)
    assert "nan" not in "".join(lines), "learn and distill side by side, each with its own accuracy"


def test_through_a_database_into_a_file(folder, tmp_path, monkeypatch, capsys):
    url = f"sqlite:///{tmp_path}/runs.db"
    assert run(monkeypatch, folder, "--to", url) == 0
    assert capsys.readouterr().out == "3 runs written\n"
    assert run(monkeypatch, "--from", url, "--to", tmp_path / "a.csv") == 0
    assert run(monkeypatch, folder, "--to", tmp_path / "b.csv") == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert run(monkeypatch, folder, "--to", tmp_path / "e.parquet", "--table", "epochs") == 0
    assert set(pd.read_parquet(tmp_path / "e.parquet")["arm"]) == {"alone", "lwf"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name run folders, or a database with --from"),
        (["runs", "--from", "sqlite:///x.db"], "one of the two"),
        (["nowhere"], "there is no folder nowhere"),
        (["runs", "--to", "a.xls"], "expected .csv or .parquet"),
        (["--from", "sqlite:///x.db"], "there is no database sqlite:///x.db"),
    ],
)
def test_wrong_usage_ends_in_one_sentence(folder, tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_without_pandas_it_says_what_to_install(folder, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("didact.runs")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert run(monkeypatch, folder) == 2
    assert 'pip install "didact[records]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({"test_accuracy": [0.5, 0.75], "nll": [1.0, 2.0]}, "62.50"),
        ({"test_accuracy": [math.nan] * 2, "mean_average_precision": [0.5, 0.5]}, "mAP 50.00"),
        ({"mae": [1234.56, 1234.56]}, "MAE 1235"),
        ({"nll": [1.0, 2.0]}, "–"),
    ],
)
def test_an_arm_is_shown_by_what_it_is_judged_by(
    columns: dict[str, list[float]], shown: str
) -> None:
    pandas = pytest.importorskip("pandas")
    from didact.cli.runs import _result

    assert _result(pandas.DataFrame(columns)) == shown


def changed(folder, **values):
    path = folder / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values), encoding="utf-8")


def test_a_start_before_the_first_year_is_damage(folder, monkeypatch, capsys):
    changed(folder / "first", started="0001-01-01T00:00:00+14:00")
    assert run(monkeypatch, folder) == 2
    assert "result.json is damaged: started is '0001" in capsys.readouterr().err


def test_a_command_with_the_name_of_a_file_in_another_encoding(
    folder, tmp_path, monkeypatch, capsys
):
    changed(folder / "first", command="didact distill --output \udcff")
    assert run(monkeypatch, folder, "--to", tmp_path / "a.csv", "--table", "runs") == 0
    assert r"--output \udcff" in (tmp_path / "a.csv").read_text(encoding="utf-8")


def test_a_terminal_that_does_not_know_its_width_is_written_to(folder, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "0")
    assert run(monkeypatch, folder) == 0
    assert "first" in capsys.readouterr().out
