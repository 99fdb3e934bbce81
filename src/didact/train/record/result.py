"""The one schema of ``result.json``: ``distill`` and ``learn`` write through it, reports read it.

Beside it, the lines of ``metrics.jsonl`` and the entries of ``disagreements.json``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from didact._core.digest import damaged
from didact._core.errors import RunFolderError
from didact._core.text import printable

SCHEMA = 1
_TOO_LARGE = 2**63
Json = dict[str, Any]
Matrix = list[list[float | None]]
Arm = Literal["teacher", "alone", "distilled"]


class Part(BaseModel):
    """A piece of JSON: what is not known is ignored, NaN is refused."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _is_shown_as_it_is(cls, value: Any) -> Any:
        """A stranger's result must not speak to the terminal, nor overflow what draws it."""
        return without_controls(value)


def without_controls(value: Any) -> Any:
    """The same, where each text is one that can be shown.

    Raises:
        ValueError: A whole number has more than 64 bits.
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        raise ValueError("a whole number has more than 64 bits")
    if isinstance(value, dict):
        return {without_controls(name): without_controls(entry) for name, entry in value.items()}
    return [without_controls(entry) for entry in value] if isinstance(value, list) else value


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
    samples: str = ""
    train: int | None = None
    labelled: int | None = None
    label_noise: float | None = None
    validation: int | None = None
    test: int | None = None
    num_classes: int | None = None
    class_names: list[str] = []
    image_shape: list[int] = []


class ArmNumbers(Part):
    """One way to train, measured on the test set: one number for each seed that is done."""

    test_accuracy: list[float] = []
    validation_accuracy: list[float] = []
    mean_average_precision: list[float] = []
    f1_macro: list[float] = []
    f1_micro: list[float] = []
    bits_per_byte: list[float] = []
    neighbours_kept: list[float] = []
    mae: list[float] = []
    rmse: list[float] = []
    r2: list[float] = []
    nll: list[float] = []
    ece: list[float] = []
    brier: list[float] = []
    agreement_top1: list[float] = []
    agreement_kl: list[float] = []
    agreement_labels: list[float] = []
    distance_from_teacher: list[float] = []
    train_seconds: list[float] = []

    def values(self, metric: str) -> list[float]:
        """The numbers of one metric, empty where it was not measured."""
        return self.by_metric().get(metric, [])

    def by_metric(self) -> dict[str, list[float]]:
        """All of them."""
        return dict(self)


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


class Difference(Part):
    """A difference over seeds; no interval where there is one seed."""

    mean: float
    low: float | None = None
    high: float | None = None
    level: float | None = None
    p_value: float | None = None
    test: str = ""
    differences: list[float] = []
    note: str = ""


class NamedDifference(Difference):
    """Which of two is compared with which."""

    what: str


class Result(Part):
    """``result.json`` of kind ``"distill"``."""

    schema_: Literal[1] = Field(alias="schema")
    kind: Literal["distill"]
    didact: str = "?"
    command: str = ""
    started: str = ""
    seconds: float | None = None
    complete: bool = False
    task: str = "single-label"
    metric: str = "test_accuracy"
    evaluated_on: str = "test"
    data: Data
    models: Models = Models()
    loss: dict[str, Any] = {}
    seeds: list[int]
    student_seed: int | None = None
    student_arm: str = ""
    epoch_chosen_by: str = ""
    arms: dict[Arm, ArmNumbers]
    validation: dict[Arm, ArmNumbers] = {}
    paired: NamedDifference | None = None
    reliability: dict[Arm, Reliability] = {}
    onnx: Onnx | None = None
    versions: dict[str, Any] = {}
    hardware: dict[str, Any] = {}
    files: dict[str, str] = {}


class ArmPredictions(Part):
    """What one model says of each test image."""

    arm: str
    seed: int
    predicted: list[int]
    probability: list[float]


class Predictions(Part):
    """``predictions.json``: the labels of the test images, and each arm's and seed's answers."""

    labels: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    arms: list[ArmPredictions]

    @model_validator(mode="after")
    def _answer_for_each_image(self) -> Predictions:
        for one in self.arms:
            if not len(one.predicted) == len(one.probability) == len(self.labels):
                raise ValueError(
                    f"{one.arm} of seed {one.seed} has {len(one.predicted)} answers for "
                    f"{len(self.labels)} images"
                )
        return self

    def of(self, arm: str, seed: int) -> list[int] | None:
        """The classes that an arm of a seed predicts; None where there is no such model."""
        found = [one.predicted for one in self.arms if (one.arm, one.seed) == (arm, seed)]
        return found[0] if found else None


class Row(Part):
    """One line of ``metrics.jsonl``: one epoch of one arm. A loss that diverged may be NaN.

    Several teachers are the arms ``teacher-1``, ``teacher-2``, ...
    """

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=True)

    seed: int
    arm: str
    epoch: int
    epochs: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    validation_accuracy: float | None = None
    validation_mean_average_precision: float | None = None
    validation_bits_per_byte: float | None = None
    validation_neighbours_kept: float | None = None
    validation_mae: float | None = None
    validation_rmse: float | None = None
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


class TreeNode(Part):
    """A node of a soft decision tree that is shown."""

    png: str


class TreeEnd(Part):
    """What lies below a node of the last level that is drawn."""

    share: Annotated[float, Field(ge=0, le=1.001)]
    answer: Annotated[int, Field(ge=0, alias="class")]
    probability: float


class TreeTurn(Part):
    """A node on an image's way, and the probability of turning right there."""

    node: Annotated[int, Field(ge=0)]
    right: float


class TreeExample(Part):
    """The way of one test image."""

    index: int
    label: Annotated[int, Field(ge=0)]
    png: str
    turns: list[TreeTurn]
    leaf: int
    answer: Annotated[int, Field(ge=0, alias="class")]
    probability: float


class TreeRecord(Part):
    """``tree.json``: the upper levels of a soft decision tree and the ways of some images."""

    depth: Annotated[int, Field(ge=1, le=64)]
    levels: Annotated[int, Field(ge=1, le=8)]
    nodes: dict[str, TreeNode]
    bottom: list[TreeEnd]
    examples: list[TreeExample]

    @model_validator(mode="after")
    def _one_end_below_each_node(self) -> TreeRecord:
        if len(self.bottom) != 2**self.levels:
            raise ValueError(f"bottom has {len(self.bottom)} entries for {self.levels} levels")
        return self


class LearnInterval(Part):
    """A mean over seeds; no interval where there is one seed."""

    mean: float
    low: float | None = None
    high: float | None = None
    level: float | None = None
    count: int | None = None
    note: str = ""

    @property
    def half_width(self) -> float | None:
        """The number behind "±"."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Others(Part):
    """Another way to classify with the same network."""

    matrices: list[Matrix]
    numbers: dict[str, list[float]]


class ClassAccuracy(Part):
    """How many of a class's test images are recognised at the end."""

    label: int
    accuracy: float
    test: int


class LearnMethod(Part):
    """One method over all seeds."""

    matrices: list[Matrix]
    curves: list[list[float]]
    confusion: list[list[list[list[int]] | None]]
    per_class: list[list[ClassAccuracy]]
    seconds: list[float]
    sizes: list[dict[str, int]]
    numbers: dict[str, list[float]]
    intervals: dict[str, LearnInterval]
    others: dict[str, Others] = Field(default_factory=dict)
    task_aware_matrices: list[Matrix | None] = Field(default_factory=list)
    class_confusion: list[list[tuple[int, int, int]]] = Field(default_factory=list)
    over_images: dict[str, list[LearnInterval]] = Field(default_factory=dict)

    @property
    def tasks(self) -> int:
        """How many tasks the stream has."""
        return len(self.matrices[0])

    @property
    def ended(self) -> bool:
        """Whether a seed came to its last task, so that there are numbers."""
        return bool(self.numbers)


class LearnPair(NamedDifference):
    """Two methods compared seed by seed."""

    number: str


class HandedOn(Part):
    """Which method and seed a run hands on."""

    method: str
    seed: int


class EarlierRun(Part):
    """A run that this one went on from, or one before that."""

    run: str
    command: str = ""
    started: str = ""
    didact: str = ""
    data: str = ""
    data_digest: str | None = None
    classes: int | None = None
    methods: list[str] = Field(default_factory=list)


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
    handed_on: HandedOn | None = None
    history: list[EarlierRun] = Field(default_factory=list)
    onnx: Onnx | None = None
    versions: dict[str, Any] = Field(default_factory=dict)
    hardware: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_methods(self) -> LearnOutcome:
        if self.complete and not self.methods:
            raise ValueError("no method; expected at least one of a run that is complete")
        return self

    @property
    def scenario(self) -> str:
        """``"class"``, ``"task"`` or ``"domain"``."""
        return str(self.protocol.get("scenario", "class"))


class StreamFacts(Part):
    """``stream.json``: what the numbers of a cell are measured on."""

    data: Data
    test_sizes: list[int]
    class_order: list[int]
    protocol: dict[str, Any]

    @model_validator(mode="after")
    def _fits_together(self) -> StreamFacts:
        sizes = self.protocol.get("train_sizes")
        if not isinstance(sizes, list) or len(sizes) != len(self.test_sizes):
            raise ValueError("protocol.train_sizes is not one number for each task")
        return self


class CellResult(StreamFacts):
    """``cell.json``: one method with one seed."""

    method: str
    seed: int
    matrix: Matrix
    other_matrices: dict[str, Matrix]
    confusion: list[list[list[int]] | None]
    per_class: list[ClassAccuracy]
    seconds: list[float]
    sizes: list[dict[str, int]]
    epochs: int | None = None
    random_accuracy: list[float] | None = None
    task_aware_matrix: Matrix | None = None
    class_confusion: list[tuple[int, int, int]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_whole(self) -> CellResult:
        tasks = len(self.test_sizes)
        told = [] if self.task_aware_matrix is None else [self.task_aware_matrix]
        for matrix in (self.matrix, *told, *self.other_matrices.values()):
            if [len(row) for row in matrix] != [tasks] * tasks:
                raise ValueError(f"a matrix is not {tasks} x {tasks}")
        for name in ("seconds", "sizes", "confusion"):
            if len(dict(self)[name]) != tasks:
                raise ValueError(f"{name} has not one entry for each of the {tasks} tasks")
        return self


def refuse_malformed(kind: type[Part], value: object, path: Path) -> None:
    """Refuse a file that lacks a part, or has one of another type.

    Raises:
        CheckpointError: It does; the message names the first.
    """
    try:
        kind.model_validate(value)
    except ValidationError as error:
        raise damaged(path, first_of(error)) from None


R = TypeVar("R", Result, LearnOutcome)


def as_written(kind: type[R], value: Json) -> Json:
    """What ``result.json`` holds: ``value`` through the schema, in the schema's order.

    Raises:
        RunFolderError: A part of it is wrong, such as a number that is not finite.
    """
    try:
        return kind.model_validate(value).model_dump(mode="json", by_alias=True, exclude_unset=True)
    except ValidationError as error:
        raise RunFolderError(
            f"the result of the run cannot be written: {first_of(error)}; what was trained is kept"
        ) from None


def first_of(error: ValidationError) -> str:
    """The first of pydantic's complaints: where, and what."""
    detail = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in detail["loc"]) or "the whole"
    return f"{place}: {detail['msg']}"
