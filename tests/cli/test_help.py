"""Help pages, lists and completion: grouped, with true defaults and an example each."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from didact.cli import COMMANDS, main
from didact.cli._groups import DEFAULTS, GROUPS
from didact.train import DistillSettings, LearnSettings

SETTINGS: dict[str, Any] = {"distill": DistillSettings, "learn": LearnSettings}


def page(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    try:
        sys.argv[:] = ["didact", *words]
        main()
    except SystemExit as ended:
        assert not ended.code, capsys.readouterr()  # noqa: PT017 - the command ends so
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["didact"])


@pytest.mark.parametrize("command", list(SETTINGS))
def test_every_option_stands_in_one_group(command: str) -> None:
    options = set(inspect.signature(import_module(f"didact.cli.{command}").command).parameters)
    options.discard("lang")
    grouped = [name for names in GROUPS[command].values() for name in names if name in options]
    assert sorted(grouped) == sorted(options)


@pytest.mark.parametrize("command", list(SETTINGS))
def test_the_defaults_of_the_page_are_those_of_the_settings(command: str) -> None:
    settings = dict(SETTINGS[command].build())
    for name, text in DEFAULTS[command].items():
        value = settings[name]
        written = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert written.removesuffix(".0") == text, name
    unsaid = {
        name for name, value in settings.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        and name not in DEFAULTS[command]
    }  # fmt: skip
    assert not unsaid


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(page(capsys, command, "--help").split())
    assert f"didact {command} " in text.split("Options:")[0].partition("[OPTIONS]")[2], text[:400]


def test_the_page_of_distill_has_groups_and_names_the_tasks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = page(capsys, "distill", "--help")
    for title in GROUPS["distill"]:
        assert f"\n{title}:\n" in text
    for task in ("single-label", "multi-label", "regression", "soft-label"):
        assert task in text
    assert "[default: 0.9]" in text


@pytest.mark.parametrize("kind", ["data", "models", "losses", "methods"])
def test_lists_come_as_json_too(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(page(capsys, "list", kind, "--format", "json"))
    assert len(rows) > 5
    assert all(row["name"] for row in rows)


def test_the_list_of_losses_is_readable_and_says_what_the_command_cannot_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = page(capsys, "list", "losses")
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    rows = {
        row["name"]: row for row in json.loads(page(capsys, "list", "losses", "--format", "json"))
    }
    assert rows["kd"]["distill"]
    assert rows["ofd"]["distill"]
    assert not rows["SimKD"]["distill"]
    assert text.count("not for --loss") == sum(not row["distill"] for row in rows.values())


def test_the_shell_completes_commands_and_options() -> None:
    def completed(words: str, place: int) -> list[str]:
        asked = {"_DIDACT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)}
        code = "import sys; sys.argv = ['didact']; from didact.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | asked, capture_output=True, text=True
        )
        return done.stdout.split()

    assert completed("didact dis", 1) == ["distill"]
    assert "--temperature" in completed("didact distill --temp", 2)
