"""What ``didact learn`` writes into ``result.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from didact.report.distilling.schema import Data, Part

Matrix = list[list[float | None]]


class LearnInterval(Part):
    """A mean over seeds; no interval where there is one seed."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """The number behind "±"."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Others(Part):
    """Another way to classify with the same network."""

    matrices: list[Matrix]
    numbers: dict[str, list[float]]


class LearnMethod(Part):
    """One method over all seeds."""

    matrices: list[Matrix]
    curves: list[list[float]]
    confusion: list[list[list[list[int]] | None]]
    per_class: list[list[dict[str, float]]]
    seconds: list[float]
    sizes: list[dict[str, int]]
    numbers: dict[str, list[float]]
    intervals: dict[str, LearnInterval]
    others: dict[str, Others] = Field(default_factory=dict)

    @property
    def tasks(self) -> int:
        """How many tasks the stream has."""
        return len(self.matrices[0])

    @property
    def ended(self) -> bool:
        """Whether a seed came to its last task, so that there are numbers."""
        return bool(self.numbers)


class LearnPair(Part):
    """Two methods compared seed by seed."""

    what: str
    number: str
    mean: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


class LearnOutcome(Part):
    """``result.json`` of kind ``"learn"``."""

    schema_: Literal[1] = Field(alias="schema")
    kind: Literal["learn"]
    didact: str = "?"
    command: str = ""
    started: str = ""
    seconds: float | None = None
    data: Data
    protocol: dict[str, Any]
    complete: bool = True
    missing: list[str] = Field(default_factory=list)
    fingerprint: str = ""
    model: str = ""
    seeds: list[int]
    methods: dict[str, LearnMethod]
    paired: list[LearnPair] = Field(default_factory=list)
    versions: dict[str, Any] = Field(default_factory=dict)
    hardware: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_methods(self) -> LearnOutcome:
        if self.complete and not self.methods:
            raise ValueError("no method; expected at least one of a run that is complete")
        return self

    @property
    def scenario(self) -> str:
        """``"class"``, ``"task"`` or ``"domain"``."""
        return str(self.protocol.get("scenario", "class"))
