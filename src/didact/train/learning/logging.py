"""The rows of a method's record, told to the loggers that ``--log`` names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from didact.train.learning.settings import LearnSettings
from didact.train.loop.loggers import ArmLoggers, find_loggers
from didact.train.record.run_folder import Row, RunFolder


class CellLoggers:
    """The loggers of one method and seed.

    Epochs are counted over all tasks and stages. An epoch has its loss, terms, learning rate and
    task; after a task the accuracy on each task so far, ``accuracy_1``, and on all of them.

    Args:
        run: The folder of the whole run.
        name: Of the method and seed, such as ``icarl.0``.
        settings: Of the run; ``log`` names the loggers.
        rows: What earlier processes have logged.
    """

    def __init__(
        self, run: RunFolder, name: str, settings: LearnSettings, rows: Sequence[Row]
    ) -> None:
        plain = settings.model_dump(mode="json")
        factories = find_loggers(settings.log)
        made = [("", make(run.path, name, plain)) for make in factories]
        self._epochs = 0
        self._told = ArmLoggers(made, list(self._counted(rows)))

    def row(self, row: Mapping[str, Any]) -> None:
        """Tell of one row of ``metrics.jsonl``."""
        for counted in self._counted([row]):
            self._told.epoch(counted)

    def close(self, status: str) -> None:
        """The end, ``"success"`` or ``"interrupted"``."""
        self._told.close(status)

    def _counted(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
        for row in rows:
            if "accuracy" in row:
                yield {"epoch": self._epochs, **_accuracies(row)}
            else:
                self._epochs += 1
                terms = {f"terms/{name}": value for name, value in row["terms"].items()}
                kept = ("task", "train_loss", "learning_rate", "seconds")
                yield {"epoch": self._epochs, **{name: row[name] for name in kept}, **terms}


def _accuracies(row: Mapping[str, Any]) -> dict[str, float]:
    """Of the tasks learned so far; what is measured of later ones is left out."""
    return {
        f"accuracy_{number}": value
        for number, value in enumerate(row["accuracy"][: row["task"]], start=1)
        if value is not None
    }
