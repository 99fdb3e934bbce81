"""``didact learn`` as it is typed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from didact import cli
from didact._core.errors import RunFolderError, UsageError
from didact.cli._learn_options import settings_from
from didact.recipes import learn_cifar100, learn_for_data
from didact.report import learn_table, learn_verdict, render
from didact.train import LearnSettings, partial_summary

FAST = ["--epochs", "1", "--accelerator", "cpu", "--threads", "1", "--no-onnx"]


def didact(*arguments: str) -> Any:
    runner = CliRunner()
    return runner.invoke(cli.build(["learn"]), ["learn", *arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("cli") / "run"
    methods = ["--method", "finetune,icarl,joint", "--seeds", "2"]
    result = didact("--output", str(folder), *methods, *FAST)
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_the_comparison_is_printed(run: tuple[Path, str]) -> None:
    _, output = run
    lines = [line.split() for line in output.splitlines() if line.strip()]
    header = next(words for words in lines if words[:1] == ["task"])
    assert header == ["task", "1", "2", "3", "4", "5"]
    rows = {words[0]: words[1:] for words in lines if words[0] in ("finetune", "icarl", "joint")}
    assert set(rows) == {"finetune", "icarl", "joint"}
    assert "average" in output
    assert "forgot" in output
    assert "closes" in output
    assert "Traceback" not in output
    assert all(len(line) <= 80 for line in output.splitlines() if line.split()[:1] == ["icarl"])


def test_the_report_shows_matrices_curves_and_confusion(run: tuple[Path, str]) -> None:
    folder, _ = run
    page = (folder / "report.html").read_text()
    assert page.count('aria-label="Accuracy matrix of') == 3
    assert page.count('aria-label="Confusion by task of') == 3
    assert page.count('title="icarl, class ') == 10
    assert "Accuracy over the classes seen so far, after each task" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    matrix = json.loads((folder / "result.json").read_text())["methods"]["icarl"]["matrices"]
    mean = sum(rows[4][0] for rows in matrix) / 2
    assert f"after task 5, on task 1: {100 * mean:.1f}%" in page
    assert render(folder) == folder / "report.html"


def test_a_run_that_is_not_finished_has_a_page_that_says_so(
    run: tuple[Path, str], tmp_path: Path
) -> None:
    """icarl has one seed and joint two tasks of one; finetune has not begun."""
    folder = tmp_path / "run"
    shutil.copytree(run[0], folder)
    whole = json.loads((folder / "result.json").read_text())["methods"]
    for name in ("result.json", "report.html", "cells/joint.0/cell.json"):
        (folder / name).unlink()
    for name in ("finetune.0", "finetune.1", "icarl.1", "joint.1"):
        shutil.rmtree(folder / "cells" / name)
    rows = folder / "cells" / "joint.0" / "metrics.jsonl"
    lines = rows.read_text().splitlines()
    ends = [number for number, line in enumerate(lines) if '"accuracy"' in line]
    rows.write_text("\n".join(lines[: ends[1] + 1]) + '\n{"method": "jo')
    found = partial_summary(folder)
    assert found["complete"] is False
    assert found["missing"] == [
        "finetune, seed 0: not begun",
        "finetune, seed 1: not begun",
        "icarl, seed 1: not begun",
        "joint, seed 0: 2 of 5 tasks",
        "joint, seed 1: not begun",
    ]
    icarl, joint = found["methods"]["icarl"], found["methods"]["joint"]
    assert icarl["numbers"]["last"] == whole["icarl"]["numbers"]["last"][:1]
    assert "intransigence" not in icarl["numbers"]  # joint has no such seed yet
    assert joint["numbers"] == {}
    assert joint["matrices"] == [[*whole["joint"]["matrices"][0][:2], *[[None] * 5] * 3]]
    assert joint["curves"] == [whole["joint"]["curves"][0][:2]]
    page = render(folder).read_text()
    assert "Not finished: 5 cells are missing. icarl ends with" in page
    assert "joint, seed 0: 2 of 5 tasks" in page
    assert f"didact learn --resume {folder}" in page


def test_a_run_that_was_killed_at_once_has_a_page_too(tmp_path: Path) -> None:
    settings = LearnSettings(method=("lwf",), seeds=(0,))
    (tmp_path / "run.toml").write_text(settings.to_toml(), encoding="utf-8")
    page = render(tmp_path).read_text()
    assert "Not finished: 1 cell is missing." in page
    assert "lwf, seed 0: not begun" in page
    (tmp_path / "result.json").write_text('{"kind": "learn", "schema": 1}')
    with pytest.raises(RunFolderError, match="is damaged"):
        render(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["--memory", "20"], "--memory has no effect: lwf keeps no exemplars"),
        (["--exemplars", "random"], "--exemplars has no effect: lwf keeps no exemplars"),
        (["--domains", "rotated"], "--domains has no effect: it is for --scenario domain"),
        (["--online"], "--epochs has no effect: --online is one pass"),
        (["--milestones", "0.5"], "--milestones has no effect: it is for --schedule step"),
        (["--optimizer", "adamw", "--momentum", "0"], "--momentum has no effect: it is for"),
        (["--groups", "0,1/2"], "one class in task 2: it learns nothing of it; --option lwf.clas"),
        (["--groups", "0,1/2", "--class-order", "7"], "--class-order has no effect: --groups say"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_has_no_effect_is_said(arguments: list[str], note: str, tmp_path: Path) -> None:
    fewer = [] if "--groups" in arguments else ["--base", "9", "--step", "1"]
    options = ["--method", "lwf", "--output", str(tmp_path / "run"), *fewer, *FAST, *arguments]
    result = didact(*options)
    assert result.exit_code == 0, result.output
    assert note in result.output


def test_what_has_an_effect_is_not_spoken_of(run: tuple[Path, str]) -> None:
    assert "note:" not in run[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scenario", "task"], ("2 at a time, task-incremental", "over all tasks, each told")),
        (
            ["--scenario", "domain", "--tasks", "2", "--online"],
            ("2 permuted domains, domain-incremental", "1 x one pass", "over all domains"),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_words_are_those_of_the_scenario(
    arguments: list[str], words: tuple[str, ...], tmp_path: Path
) -> None:
    fast = ["--epochs", "1"] if "--online" not in arguments else []
    where = ["--method", "lwf", "--output", str(tmp_path / "run"), "--threads", "1", *fast]
    output = " ".join(didact(*where, *arguments).output.split())
    assert all(word in output for word in words), output


def test_whole_image_domains_replace_the_cut_of_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cut = learn_for_data(None).changed(base=4, step=2)
    monkeypatch.setattr("didact.recipes.learn_for_data", lambda data: with_cut)
    run = ["--method", "finetune", "--output", str(tmp_path / "run"), *FAST]
    result = didact(*run, "--scenario", "domain")
    assert result.exit_code == 0, result.output
    assert "5 permuted domains, domain-incremental" in " ".join(result.output.split())


def test_the_same_command_does_not_overwrite_and_resume_adds(run: tuple[Path, str]) -> None:
    folder, _ = run
    again = didact("--output", str(folder), *FAST)
    assert again.exit_code != 0
    assert "exists already" in str(again.exception)
    more = didact("--resume", str(folder), "--method", "finetune,lwf")
    assert more.exit_code == 0, more.output
    found = json.loads((folder / "result.json").read_text())
    assert list(found["methods"]) == ["finetune", "lwf"]


def test_a_run_is_repeated_from_its_configuration(run: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = run
    changes = ["--method", "finetune", "--seeds", "1"]
    result = didact("--config", str(folder / "run.toml"), "--output", str(tmp_path / "x"), *changes)
    assert result.exit_code == 0, result.output
    first, second = (
        json.loads((one / "cells" / "finetune.0" / "cell.json").read_text())["matrix"]
        for one in (folder, tmp_path / "x")
    )
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "icarll"], "did you mean 'icarl'"),
        (["--step", "0"], "step"),
        (["--tasks", "11"], "11 tasks for 10 classes"),
        (["--groups", "0,1//2"], "task 2 has no class"),
        (["--option", "lwf"], "expected METHOD.OPTION=VALUE"),
        (["--option", "lwf.classes=old"], "lwf.classes"),
        (["--class-order", "first"], "--class-order is 'first'"),
        (["--memory", "3", "--method", "icarl"], "not one exemplar for each of 10 classes"),
        (["--resume", "nowhere"], "not a run folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_mistake_is_one_message_and_exit_code_2(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["didact", "learn", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "runs").exists()


def test_options_become_settings() -> None:
    values = settings_from(
        {
            "method": "lwf, icarl",
            "seeds": "3",
            "groups": "0,1/2",
            "class_order": "1993",
            "option": ["lwf.weight=2", "lwf.classes=seen", "simplecil.train_first=False"],
        }
    )
    assert values == {
        "method": ("lwf", "icarl"),
        "seeds": (0, 1, 2),
        "groups": (("0", "1"), ("2",)),
        "class_order": 1993,
        "method_options": {
            "lwf.weight": 2,
            "lwf.classes": "seen",
            "simplecil.train_first": False,
        },
    }
    assert settings_from({"seeds": "7,"}) == {"seeds": (7,)}
    assert settings_from({"seeds": "0,3"}) == {"seeds": (0, 3)}
    with pytest.raises(UsageError, match="numbers with commas"):
        settings_from({"seeds": "a"})
    assert settings_from({"known": "cat"}) == {"known": ("cat",)}
    for none in ("names.txt", "lists/names"):
        with pytest.raises(UsageError, match="cannot read the names of classes from"):
            settings_from({"known": none})


def test_recipes() -> None:
    assert learn_for_data(None).method == ("finetune", "lwf", "icarl", "joint")
    assert learn_for_data("folder:x").data == "folder:x"
    literature = learn_cifar100()
    assert (literature.step, literature.class_order, literature.memory) == (10, 1993, 2000)
    assert [round(170 * m) for m in literature.milestones] == [80, 120]


def test_many_tasks_fit_the_table_and_the_page(tmp_path: Path) -> None:
    from rich.console import Console

    result = didact("--output", str(tmp_path / "run"), "--step", "1", "--method", "lwf", *FAST)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "run" / "result.json").read_text())
    one = found["methods"]["lwf"]
    one["curves"] = [one["curves"][0] * 3]
    one["matrices"] = [[[row[0]] * 30 for row in one["matrices"][0] * 3]]
    console = Console(width=80, record=True)
    console.print(learn_table(found))
    assert "..." in console.export_text()
    assert "lwf ends with" in learn_verdict(found)


@pytest.mark.parametrize(
    ("option", "stored"),
    [
        (["--memory-per-class", "3"], 30),
        (["--memory", "40"], 40),
        (["--memory", "0"], 0),
        ([], 100),
    ],
)
def test_the_memory_that_is_typed_replaces_that_of_the_recipe(
    option: list[str], stored: int, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = didact("--method", "icarl", "--step", "5", "--output", str(run), *FAST, *option)
    assert result.exit_code == 0, result.output
    found = json.loads((run / "result.json").read_text())
    assert found["methods"]["icarl"]["sizes"][0]["exemplars"] == stored


def test_the_verdict_names_the_best_and_its_share_of_the_gap(run: tuple[Path, str]) -> None:
    found = json.loads((run[0] / "result.json").read_text())
    learned = next(iter(found["methods"].values()))
    ends = {"finetune": 0.2, "lwf": 0.3, "icarl": 0.5, "joint": 0.6}
    found["methods"] = {
        name: {**learned, "numbers": {**learned["numbers"], "last": [value, value]}}
        for name, value in ends.items()
    }
    text = " ".join(learn_verdict(found).split())
    assert text.startswith("icarl ends with 50.0% over all classes")
    assert "fine-tuning ends with 20.0%" in text
    assert "with 60.0%: icarl closes 75% of the gap" in text


def test_the_methods_are_listed() -> None:
    result = CliRunner().invoke(cli.build(["list"]), ["list", "methods"])
    assert result.exit_code == 0
    for name in ("finetune", "icarl", "joint", "lwf"):
        assert f"\n{name} " in result.output


@pytest.mark.parametrize("option", ["--memory", "--epochs", "--batch-size"])
def test_a_number_too_large_to_be_kept_is_refused_before_training(
    option, tmp_path, monkeypatch, capsys
):
    words = [option, "9" * 25, "--method", "icarl", "--output", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", ["didact", "learn", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "is larger than 64 bits" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
