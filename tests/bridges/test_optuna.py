"""Optuna, with the real library: trials are run folders, judged by validation, pruned early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

import optuna

from didact.bridges.optuna import objective

pytestmark = pytest.mark.filterwarnings("ignore")  # of features that Optuna calls experimental

QUICK: dict[str, Any] = {
    "student": "mlp-8", "teacher": "mlp-16", "epochs": 2, "seeds": (0,), "batch_size": 256,
}  # fmt: skip


def suggest(trial: Any) -> dict[str, Any]:
    return {"temperature": trial.suggest_categorical("temperature", [1.0, 4.0])}


def study(pruner: Any = None) -> Any:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=0)
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def test_trials_are_runs_judged_by_the_validation_split(tmp_path: Path) -> None:
    found = study()
    found.optimize(objective(suggest, output=tmp_path, **QUICK), n_trials=2)
    for trial in found.trials:
        result = json.loads((tmp_path / f"trial-{trial.number}" / "result.json").read_text())
        assert result["evaluated_on"] == "validation"
        assert "test_accuracy" not in result["arms"]["distilled"]
        assert trial.value == result["validation"]["distilled"]["validation_accuracy"][0]


def test_a_pruned_trial_ends_early(tmp_path: Path) -> None:
    pruner = optuna.pruners.ThresholdPruner(lower=1.1)  # no accuracy is above 1
    found = study(pruner)
    found.optimize(objective(suggest, output=tmp_path, **QUICK), n_trials=1)
    assert [trial.state for trial in found.trials] == [optuna.trial.TrialState.PRUNED]
    rows = (tmp_path / "trial-0" / "metrics.jsonl").read_text().splitlines()
    assert sum('"distilled"' in row for row in rows) == 1
