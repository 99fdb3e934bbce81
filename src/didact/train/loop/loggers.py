"""The numbers of a run in the places where people look at them: TensorBoard, CSV, W&B, MLflow."""

from __future__ import annotations

import math
import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from didact._core import digest
from didact._core.errors import UsageError
from didact._core.lookup import is_import_path, load, suggest
from didact._core.optional import require
from didact.train.record.run_folder import LOGS, Row, RunFolder

KEYS = ("seed", "arm", "epoch", "epochs")


class Logger(Protocol):
    """What is told numbers; every logger of Lightning and of Fabric is one."""

    def log_metrics(self, metrics: dict[str, Any], step: int) -> None:
        """The numbers of one epoch."""


Factory = Callable[[Path, str, Mapping[str, Any]], Logger]
"""From the run folder, the name of the arm and seed such as ``distilled.0``, and the settings."""


def csv(run: Path, name: str, _settings: Mapping[str, Any]) -> Logger:
    """``logs/csv/distilled.0/metrics.csv``."""
    from lightning_fabric.loggers.csv_logs import CSVLogger

    shutil.rmtree(run / LOGS / "csv" / name, ignore_errors=True)  # its rows come again
    return CSVLogger(run / LOGS, name="csv", version=name, flush_logs_every_n_steps=1)


def tensorboard(run: Path, name: str, _settings: Mapping[str, Any]) -> Logger:
    """``logs/tensorboard/distilled.0``: ``tensorboard --logdir RUN/logs/tensorboard``."""
    require("tensorboard", extra="tensorboard")
    shutil.rmtree(run / LOGS / "tensorboard" / name, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of protobuf and of what TensorBoard itself imports
        from lightning_fabric.loggers.tensorboard import TensorBoardLogger

        logger = TensorBoardLogger(run / LOGS, name="tensorboard", version=name)
        _ = logger.experiment
    return logger


class WandbLogger:
    """A run of Weights & Biases for each arm and seed, together in a group."""

    def __init__(self, run: Path, name: str, settings: Mapping[str, Any]) -> None:
        wandb = require("wandb", extra="wandb")
        project = os.environ.get("WANDB_PROJECT", "didact")
        self._run = wandb.init(
            dir=str(run),
            project=project,
            group=run.resolve().name,
            name=f"{run.resolve().name}.{name}",
            id=_identity(run, name),
            resume="allow",
            config=dict(settings),
            reinit=True,
        )

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Numbers of an epoch; of one that was logged before, W&B keeps the first."""
        self._run.log(metrics, step=step)

    def finalize(self, status: str) -> None:
        """The end."""
        self._run.finish(exit_code=0 if status == "success" else 1)


class MlflowLogger:
    """A run of MLflow for each arm and seed, tagged with the run folder.

    Where ``MLFLOW_TRACKING_URI`` does not say another place, that is ``logs/mlflow`` in the run
    folder. Every number is logged once, however often the run is resumed.
    """

    def __init__(self, run: Path, name: str, settings: Mapping[str, Any]) -> None:
        tracking = require("mlflow.tracking", extra="mlflow")
        where = os.environ.get("MLFLOW_TRACKING_URI")
        if where is None:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
            where = (run.resolve() / LOGS / "mlflow").as_uri()
        self._client = tracking.MlflowClient(tracking_uri=where)
        experiment = self._client.get_experiment_by_name("didact")
        number = self._client.create_experiment("didact") if experiment is None else (
            experiment.experiment_id
        )  # fmt: skip
        identity = _identity(run, name)
        known = self._client.search_runs([number], f"tags.didact = '{identity}'")
        self._id = known[0].info.run_id if known else self._begun(number, run, name, settings)
        self._last: dict[str, int] = {}
        for metric in known[0].data.metrics if known else ():
            history = self._client.get_metric_history(self._id, metric)
            self._last[metric] = max(entry.step for entry in history)

    def _begun(self, number: str, run: Path, name: str, settings: Mapping[str, Any]) -> str:
        tags = {"didact": _identity(run, name), "run": str(run)}
        begun = self._client.create_run(number, tags=tags, run_name=f"{run.resolve().name}.{name}")
        for key, value in settings.items():
            self._client.log_param(begun.info.run_id, key, str(value)[:500])
        return str(begun.info.run_id)

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Numbers of an epoch that was not logged before."""
        for name, value in metrics.items():
            if self._last.get(name, -1) < step:
                self._client.log_metric(self._id, name, value, step=step)

    def finalize(self, status: str) -> None:
        """The end."""
        ended = "FINISHED" if status == "success" else "KILLED"
        self._client.set_terminated(self._id, ended)


LOGGERS: dict[str, Factory] = {
    "csv": csv,
    "tensorboard": tensorboard,
    "wandb": WandbLogger,
    "mlflow": MlflowLogger,
}


def find_loggers(names: Sequence[str]) -> list[Factory]:
    """From ``--log`` to what makes the loggers; a missing library is noticed here.

    Raises:
        UsageError: No such logger, or a name of the user's own that is no function or class.
        MissingDependencyError: Its library is not installed.
    """
    libraries = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow.tracking"}
    found: list[Factory] = []
    for name in names:
        if is_import_path(name):
            factory = load(name, what="logger")
            if not callable(factory):
                raise UsageError(
                    f"{name} is a {type(factory).__name__}; expected a class or function that is "
                    "called with a folder, and gives an object with log_metrics(metrics, step)"
                )
            found.append(_of_user(factory, name))
        elif name in LOGGERS:
            if name in libraries:
                require(libraries[name], extra=name)
            found.append(LOGGERS[name])
        else:
            raise UsageError(f"no logger is called {name!r}; {suggest(name, LOGGERS)} "
                             "(your own: file.py:MyLogger)")  # fmt: skip
    return found


def _of_user(factory: Any, name: str) -> Factory:
    def make(run: Path, arm: str, settings: Mapping[str, Any]) -> Logger:
        del settings
        try:
            logger: Logger = factory(run / LOGS / arm)
        except Exception as error:
            raise UsageError(f"{name} failed: {type(error).__name__}: {error}") from error
        refuse_what_is_no_logger(logger, name)
        return logger

    return make


def refuse_what_is_no_logger(logger: object, name: str) -> None:
    """Refuse an object that cannot be told numbers.

    Raises:
        UsageError: It has no ``log_metrics``.
    """
    if not callable(getattr(logger, "log_metrics", None)):
        raise UsageError(
            f"the logger {name} is a {type(logger).__name__} without log_metrics(metrics, step); "
            "expected what Lightning calls a Logger"
        )


class ArmLoggers:
    """The loggers of one arm and seed.

    Args:
        loggers: Each with what stands before the names of its numbers: nothing for one that is of
            this arm alone, ``distilled.0/`` for one that hears of all.
        rows: What earlier processes have logged, told again to those that begin anew.
    """

    def __init__(self, loggers: Sequence[tuple[str, Logger]], rows: Sequence[Row]) -> None:
        self._loggers = loggers
        for row in rows:
            self.epoch(row, again=True)

    def __bool__(self) -> bool:
        return bool(self._loggers)

    def epoch(self, row: Row, *, again: bool = False) -> None:
        """The numbers of an epoch's row; to a logger of all arms no number is told twice."""
        numbers = {
            name: float(value)
            for name, value in row.items()
            if name not in KEYS and isinstance(value, int | float) and math.isfinite(value)
        }
        for before, logger in self._loggers:
            if not (again and before):
                self._tell(before, logger, numbers, int(row["epoch"]))

    def end(self, numbers: Mapping[str, float], step: int) -> None:
        """The evidence at the end of the arm, and the end."""
        for before, logger in self._loggers:
            self._tell(before, logger, numbers, step)
        self.close("success")

    def close(self, status: str) -> None:
        """Close the loggers that are of this arm alone."""
        for before, logger in self._loggers:
            finalize = getattr(logger, "finalize", None)
            if not before and callable(finalize):
                finalize(status)

    @staticmethod
    def _tell(before: str, logger: Logger, numbers: Mapping[str, float], step: int) -> None:
        logger.log_metrics({f"{before}{name}": value for name, value in numbers.items()}, step=step)


def _identity(run: Path, name: str) -> str:
    """The same for the same run, arm and seed, also after it was killed."""
    started = RunFolder(run).start().get("started", "")
    return digest.of_text(f"{run.resolve()}:{started}:{name}", 24)
