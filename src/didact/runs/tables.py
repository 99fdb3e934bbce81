"""The five tables that runs become, and the one that people plot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import pandas as pd

from didact._core.text import is_unicode

Kind = Literal["text", "key", "integer", "number", "truth", "time"]
"""Of a column: text, text that is part of a key, int64, float64, bool, a moment in UTC."""

DTYPES: Mapping[Kind, str] = {
    "text": "str",
    "key": "str",
    "integer": "int64",
    "number": "float64",
    "truth": "bool",
    "time": "datetime64[us, UTC]",
}
NO_TASK = -1
"""The ``task`` of what belongs to a whole run."""

_KEY: dict[str, Kind] = {"run": "key", "arm": "key", "seed": "integer", "task": "integer"}
TABLES: Mapping[str, Mapping[str, Kind]] = {
    "runs": {
        "run": "key",
        "folder": "text",
        "kind": "text",
        "didact": "text",
        "command": "text",
        "started": "time",
        "complete": "truth",
        "data": "text",
        "student": "text",
        "teacher": "text",
    },
    "settings": {"run": "key", "name": "key", "value": "text"},
    "results": {**_KEY, "name": "key", "value": "number"},
    "epochs": {**_KEY, "stage": "key", "epoch": "integer", "name": "key", "value": "number"},
    "predictions": {
        "run": "key",
        "arm": "key",
        "seed": "integer",
        "image": "integer",
        "label": "integer",
        "predicted": "integer",
        "probability": "number",
    },
}
"""The columns of each table and what they hold; ``value`` of a setting is JSON."""


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of these rows with the types of :data:`TABLES`, sorted by its key."""
    columns = TABLES[name]
    frame = pd.DataFrame([_writable(row) for row in rows], columns=list(columns))
    typed = frame.astype({column: DTYPES[kind] for column, kind in columns.items()})
    return typed.sort_values(key_of(name), kind="stable", ignore_index=True)


def _writable(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row, where a text is no Unicode with what stands for its bytes in JSON."""
    if all(is_unicode(value) for value in row.values() if isinstance(value, str)):
        return row
    return {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in row.items()
    }


def key_of(name: str) -> list[str]:
    """The columns that tell the rows of a table apart."""
    whole = [column for column, kind in TABLES[name].items() if kind in ("key", "integer")]
    return [column for column in whole if column not in ("label", "predicted")]


@dataclass(frozen=True, eq=False)
class Records:
    """Runs as DataFrames; every measured number is one row, so that none is ever missing.

    Attributes:
        runs: One row a run: where it lies, what started it and when.
        settings: One row for each setting of a run; ``value`` is JSON.
        results: One row for each number, arm (or method) and seed; ``task`` is -1 where the number
            belongs to the whole run.
        epochs: One row for each number of each epoch.
        predictions: One row for each test image, arm and seed.
    """

    runs: pd.DataFrame
    settings: pd.DataFrame
    results: pd.DataFrame
    epochs: pd.DataFrame
    predictions: pd.DataFrame

    def named(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def wide(self) -> pd.DataFrame:
        """One row for each run, arm and seed: numbers as columns, then the settings.

        Settings that all runs share are left out, for what a plot or a ``groupby`` needs is what
        differs. A setting keeps its own type where it is a number, a truth or a text; a list stays
        JSON.
        """
        whole = self.results[self.results["task"] == NO_TASK]
        numbers = whole.pivot_table(
            index=["run", "arm", "seed"], columns="name", values="value", sort=False, dropna=False
        ).dropna(how="all")
        numbers.columns.name = None
        texts = self.settings.pivot(index="run", columns="name", values="value")
        differing = texts.loc[:, texts.nunique(dropna=False) > 1].map(_plain).infer_objects()
        differing.columns = [_clear(name, numbers.columns) for name in differing.columns]
        frame = numbers.reset_index().merge(
            self.runs[["run", "folder", "kind", "data", "student", "teacher"]], on="run", how="left"
        )
        return frame.merge(differing.reset_index(), on="run", how="left")


def _plain(text: object) -> object:
    """A number, a truth or a text of JSON; what is a list or missing stays as it is."""
    if not isinstance(text, str):
        return None
    value = json.loads(text)
    return text if isinstance(value, list | dict) else value


def _clear(name: str, taken: pd.Index) -> str:
    """A setting that is called like a number or a column of runs gets a word in front."""
    reserved = {"run", "arm", "seed", "folder", "kind", "data", "student", "teacher"}
    return f"settings.{name}" if name in taken or name in reserved else name
