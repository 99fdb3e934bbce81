"""Hyperparameters of a distillation by Optuna, judged by the validation split alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from didact._core.optional import require
from didact.train import distill


def objective(suggest: Callable[[Any], dict[str, Any]], **fixed: Any) -> Callable[[Any], float]:
    """What ``study.optimize`` wants: a trial in, the distilled student's validation metric out.

    Each trial is a run folder, ``OUTPUT/trial-7``. The test split is not looked at. With one seed,
    each epoch of the distilled student is reported, so that a pruner can end a trial early.

    Args:
        suggest: From a trial to settings: ``lambda trial: {"temperature":
            trial.suggest_float("temperature", 1, 8)}``.
        fixed: All other arguments of :func:`didact.train.distill`; ``output`` is the folder of the
            trials, ``runs/optuna`` by default.

    Example:
        >>> import optuna
        >>> def suggest(trial):
        ...     return {"temperature": trial.suggest_float("temperature", 1, 8, log=True)}
        >>> study = optuna.create_study(direction="maximize")  # "minimize" for a regression
        >>> study.optimize(objective(suggest, seeds=(0,)), n_trials=20)  # doctest: +SKIP
    """
    optuna = require("optuna", extra="optuna")
    output = fixed.pop("output", "runs/optuna")
    one_seed = len(fixed.get("seeds", ())) == 1

    def run(trial: Any) -> float:
        def on_epoch(row: dict[str, Any]) -> None:
            if one_seed and row["arm"] == "distilled":
                name = next(name for name in row if name.startswith("validation_"))
                trial.report(row[name], row["epoch"])
                if trial.should_prune():
                    raise optuna.TrialPruned

        chosen = {"arms": ("teacher", "distilled"), "onnx": False, **fixed, **suggest(trial)}
        chosen["evaluate_on"] = "validation"
        result = distill(output=f"{output}/trial-{trial.number}", on_epoch=on_epoch, **chosen)
        values = result.validation["distilled"][result.summary["metric"]]
        return float(sum(values) / len(values))

    return run
