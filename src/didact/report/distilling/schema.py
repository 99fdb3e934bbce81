"""What a finished run writes into ``result.json``, and what is optional in it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1


class Part(BaseModel):
    """A piece of JSON: what is not known is ignored, NaN is refused."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Latency(Part):
    """Milliseconds for one batch: the median and the quartiles of many."""

    median: float
    q1: float | None = None
    q3: float | None = None
    batch_size: int | None = None


class Model(Part):
    """One network and what it costs."""

    name: str
    parameters: int | None = None
    bytes: int | None = None
    latency_ms: Latency | None = None


class Models(Part):
    """The networks of a run; teachers may be several."""

    teacher: list[Model] = []
    student: Model | None = None


class Data(Part):
    """The data set and how much of it was used."""

    name: str
    train: int | None = None
    labelled: int | None = None
    label_noise: float | None = None
    validation: int | None = None
    test: int | None = None
    num_classes: int | None = None
    class_names: list[str] = []
    image_shape: list[int] = []


class Arm(Part):
    """One way to train, measured on the test set: one number for each seed that is done."""

    test_accuracy: list[float] = []
    nll: list[float] = []
    ece: list[float] = []
    brier: list[float] = []
    agreement_top1: list[float] = []
    agreement_kl: list[float] = []
    train_seconds: list[float] = []

    def values(self, metric: str) -> list[float]:
        """The numbers of one metric, empty where it was not measured."""
        found: list[float] = getattr(self, metric)
        return found


class Reliability(Part):
    """The bins of a reliability diagram; an empty bin has no confidence and no accuracy."""

    edges: list[float]
    confidence: list[float | None]
    accuracy: list[float | None]
    count: list[int]


class Onnx(Part):
    """How far the exported student is from the trained one."""

    checked: bool
    images: int | None = None
    max_abs_difference: float | None = None


class Result(Part):
    """``result.json``."""

    schema_: Literal[1] = Field(alias="schema")
    kind: Literal["distill"]
    didact: str = "?"
    command: str = ""
    started: str = ""
    seconds: float | None = None
    complete: bool = False
    data: Data
    models: Models = Models()
    loss: dict[str, Any] = {}
    seeds: list[int]
    student_seed: int | None = None
    epoch_chosen_by: str = ""
    arms: dict[Literal["teacher", "alone", "distilled"], Arm]
    reliability: dict[Literal["teacher", "alone", "distilled"], Reliability] = {}
    onnx: Onnx | None = None
    versions: dict[str, Any] = {}
    hardware: dict[str, Any] = {}


class Row(BaseModel):
    """One line of ``metrics.jsonl``: one epoch of one arm. A loss that diverged may be NaN.

    Several teachers are the arms ``teacher-1``, ``teacher-2``, ...
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    seed: int
    arm: str
    epoch: int
    epochs: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    validation_accuracy: float | None = None
    validation_nll: float | None = None


class Disagreement(Part):
    """One test image that student and teacher see differently."""

    index: int | None = None
    label: int | str
    teacher_class: int | str
    teacher_confidence: float | None = None
    student_class: int | str
    student_confidence: float | None = None
    png: str = ""
