"""Each setting of a run has an option, and each option reaches a setting."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from didact.cli import distill, learn, main
from didact.train import DistillSettings, EncoderSettings, LearnSettings, TextSettings

NOT_SETTINGS = {"config", "lang", "output", "overwrite", "resume", "trust"}
OF_A_GRID = {"grid", "jobs", "launcher", "launcher_option"}
CALLED = {
    "teacher_weight": "teacher_weights",
    "loss_option": "loss_options",
    "option": "method_options",
    "continue_from": "continues",
}
Settings = type[DistillSettings] | type[LearnSettings]


@pytest.mark.parametrize(
    ("command", "settings"),
    [(distill.command, DistillSettings), (learn.command, LearnSettings)],
    ids=["distill", "learn"],
)
def test_settings_and_options_agree(command: Callable[..., None], settings: Settings) -> None:
    options = set(inspect.signature(command).parameters) - NOT_SETTINGS
    if settings is DistillSettings:
        others = {*TextSettings.model_fields, *EncoderSettings.model_fields}
        options -= OF_A_GRID | (others - set(settings.model_fields))
    assert {CALLED.get(name, name) for name in options} == set(settings.model_fields)


TYPED = {
    "distill": {
        "data": "stripes", "data-dir": "/d", "labelled": "0.5", "label-noise": "0.1",
        "validation": "0.3", "resize": "8x9", "augment": "flip", "student": "mlp-8",
        "teacher": "mlp-9",
        "teacher-weight": "2", "teacher-normalise": "0.5/0.5", "teacher-input-size": "16",
        "accept-teacher": None, "combine": "losses", "loss": "dkd=0.5",
        "loss-option": "dkd.beta=3",
        "temperature": "8:2", "kd-weight": "0.5", "warmup-epochs": "3", "student-layer": "a.b",
        "teacher-layer": "c.d", "optimizer": "adamw", "learning-rate": "0.3",
        "teacher-learning-rate": "0.2", "momentum": "0.5", "weight-decay": "0.01",
        "schedule": "step", "milestones": "0.1,0.2", "decay": "0.5", "epochs": "7",
        "teacher-epochs": "9", "batch-size": "48", "accumulate": "2", "clip-norm": "2",
        "select": "validation", "seeds": "0,5", "arms": "alone,distilled", "accelerator": "cpu",
        "devices": "2", "precision": "bf16-mixed", "threads": "3", "compile": None,
        "no-onnx": None, "workers": "2", "checkpoint-seconds": "5", "task": "regression",
        "evaluate-on": "validation", "mixup": "0.2", "cutmix": "0.5", "class-weight": "1,2",
        "sampling": "balanced", "log": "csv",
    },
    "learn": {
        "data": "stripes", "data-dir": "/d", "labelled": "0.5", "label-noise": "0.1",
        "validation": "0.3", "evaluate-on": "validation", "resize": "7",
        "augment": "flip", "scenario": "task",
        "base": "3", "step": "1", "tasks": "4", "groups": "0,1/2", "class-order": "1993",
        "domains": "rotated", "imbalance": "0.5", "blurry": "0.1", "online": None,
        "method": "lwf,replay", "option": "lwf.weight=3", "memory": "77", "memory-per-class": "5",
        "exemplars": "random", "model": "mlp-8", "optimizer": "adamw", "learning-rate": "0.3",
        "momentum": "0.5", "weight-decay": "0.01", "schedule": "step", "milestones": "0.1,0.2",
        "decay": "0.5", "epochs": "7", "first-epochs": "9", "batch-size": "48", "clip-norm": "2",
        "seeds": "0,5", "jobs": "3", "accelerator": "cpu", "devices": "2",
        "precision": "bf16-mixed", "channels-last": None, "threads": "3", "workers": "2",
        "checkpoint-seconds": "5", "known": "a,b", "normalise": "imagenet", "no-onnx": None,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "option"),
    [(command, option) for command, options in TYPED.items() for option in options],
)
def test_an_option_changes_its_setting_alone(
    monkeypatch: pytest.MonkeyPatch, command: str, option: str
) -> None:
    typed = {
        "--" + option: TYPED[command][option],
    }
    if option in ("loss-option", "teacher-weight"):
        typed |= {"--loss": "dkd"} if option == "loss-option" else {}
    changed = _settings_of(monkeypatch, command, typed)
    name = option.removeprefix("no-").replace("-", "_")
    field = CALLED.get(name, name)
    usual = dict(_settings_of(monkeypatch, command, {}))
    differ = {key for key, value in dict(changed).items() if value != usual[key]}
    allowed = {"data": set(usual)}.get(field, {field, *ALSO.get(option, ())})
    assert field in differ
    assert differ <= allowed


ALSO: dict[str, tuple[str, ...]] = {
    "loss-option": ("loss",),
    "tasks": ("base", "step"),
    "groups": ("base", "step"),
    "known": ("base", "step"),
    "memory-per-class": ("memory",),
    "option": (),
    "evaluate-on": ("validation",),
}


class _Seen(Exception):  # noqa: N818 - not an error
    pass


def _settings_of(
    monkeypatch: pytest.MonkeyPatch, command: str, typed: dict[str, str | None]
) -> DistillSettings | LearnSettings:
    """The settings that a command line comes to, without the run."""
    from didact.cli import _distill_run, _learn_run

    seen: list[Any] = []

    def start(settings: Any, output: Path | None, **rest: Any) -> None:
        seen.append(settings)
        raise _Seen

    words = [word for pair in typed.items() for word in pair if word is not None]
    if "--evaluate-on" in typed:
        words += ["--validation", "0.3"]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["didact", command, *words])
        patch.setattr(_distill_run, "DISTILL", replace(_distill_run.DISTILL, start=start))
        patch.setattr(_learn_run, "LEARN", replace(_learn_run.LEARN, start=start))
        with pytest.raises(_Seen):
            main()
    return seen[0]
