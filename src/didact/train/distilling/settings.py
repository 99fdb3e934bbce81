"""Everything that decides a distillation run; ``run.toml`` is this, written."""

from __future__ import annotations

from typing import ClassVar, Literal

import tomli_w
from pydantic import Field, field_validator, model_validator

from didact._core.errors import DidactError
from didact.data import SOURCES
from didact.nn import Normalisation
from didact.train.distilling.ramp import Ramp
from didact.train.loop.models import LIBRARIES, named_in, names_program
from didact.train.loop.settings import Number, SharedSettings, names_code, read_size

Arm = Literal["teacher", "alone", "distilled"]
AUTO = "auto"
"""What the run finds out: a task, the loss for it, a teacher's normalisation."""


class DistillSettings(SharedSettings):
    """One distillation run. Rates are per optimiser step, fractions lie in [0, 1].

    ``batch_size`` counts the samples of one optimiser step on all devices together, so that neither
    ``devices`` nor ``accumulate`` changes what is computed.
    """

    indifferent: ClassVar[frozenset[str]] = SharedSettings.indifferent | {
        "arms",
        "onnx",
        "evaluate_on",
        "log",
    }
    may_change_on_resume: ClassVar[frozenset[str]] = SharedSettings.may_change_on_resume | {"log"}

    validation: float = Field(0.2, gt=0, lt=1)
    task: Literal["auto", "single-label", "soft-label", "multi-label", "regression"] = "auto"
    evaluate_on: Literal["test", "validation"] = "test"
    mixup: float = Field(0.0, ge=0)
    cutmix: float = Field(0.0, ge=0)
    class_weight: Literal["balanced"] | tuple[float, ...] | None = None
    sampling: Literal["shuffled", "balanced"] = "shuffled"

    teacher: tuple[str, ...] = ("cnn",)
    teacher_weights: tuple[float, ...] | None = None
    teacher_normalise: tuple[str, ...] = ("auto",)
    teacher_input_size: tuple[tuple[int, int], ...] | None = None
    accept_teacher: bool = False
    combine: Literal["probs", "losses"] = "probs"
    student: str = "mlp"
    student_layer: tuple[str, ...] | None = None
    teacher_layer: tuple[str, ...] | None = None

    loss: tuple[str, ...] = (AUTO,)
    loss_options: dict[str, Number] = Field(default_factory=dict)
    temperature: Ramp = Ramp(4.0)
    kd_weight: Ramp = Ramp(0.9)
    warmup_epochs: int = Field(0, ge=0)

    weight_decay: float = Field(5e-4, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    milestones: tuple[float, ...] = (0.625, 0.75, 0.875)
    teacher_learning_rate: float | None = Field(None, gt=0)
    teacher_epochs: int | None = Field(None, ge=1)
    accumulate: int = Field(1, ge=1)
    select: Literal["last", "validation"] = "last"

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    arms: tuple[Arm, ...] = ("teacher", "alone", "distilled")

    compile: bool = False
    onnx: bool = True
    log: tuple[str, ...] = ()

    @property
    def task_of_data(self) -> str:
        """What the labels are, or ``"auto"``."""
        return self.task

    @property
    def varied(self) -> bool:
        """Whether an image is not the same in each epoch."""
        return self.augment != "none" or max(self.mixup, self.cutmix) > 0

    @field_validator("teacher_normalise", mode="before")
    @classmethod
    def _read_normalisations(cls, value: object) -> object:
        return _normalisations(value)

    @field_validator("teacher_normalise")
    @classmethod
    def _known_normalisations(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if text != AUTO:
                try:
                    Normalisation.read(text, (0.0,), (1.0,))
                except DidactError as error:
                    raise ValueError(f": {error}") from None
        return texts

    @field_validator("teacher_input_size", mode="before")
    @classmethod
    def _read_sizes(cls, value: object) -> object:
        if value is None:
            return None
        if isinstance(value, list | tuple) and not all(isinstance(side, int) for side in value):
            return tuple(read_size(one) for one in value)
        return (read_size(value),)

    @field_validator("student_layer", "teacher_layer", mode="before")
    @classmethod
    def _read_layers(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("temperature", "kd_weight", mode="before")
    @classmethod
    def _read_ramp(cls, value: object) -> object:
        return Ramp.read(value) if isinstance(value, str | int | float) else value

    @field_validator("temperature")
    @classmethod
    def _positive(cls, ramp: Ramp) -> Ramp:
        if min(ramp.ends) <= 0:
            raise ValueError(f"is {ramp}; expected numbers above 0 (4 is usual)")
        return ramp

    @field_validator("kd_weight")
    @classmethod
    def _convex(cls, ramp: Ramp) -> Ramp:
        if min(ramp.ends) < 0 or max(ramp.ends) > 1:
            raise ValueError(f"is {ramp}; expected 0 to 1: the loss is (1 - weight)*CE + weight*KD")
        return ramp

    @model_validator(mode="after")
    def _fits_together(self) -> DistillSettings:
        if not self.arms or len(set(self.arms)) != len(self.arms):
            raise ValueError(f"arms are {list(self.arms)}; expected one or more different arms")
        if "distilled" in self.arms and not self.teacher:
            raise ValueError("arm 'distilled' needs a teacher")
        if not self.loss:
            raise ValueError("loss is empty; expected at least one, such as kd")
        for name in ("teacher_normalise", "teacher_input_size"):
            count = len(getattr(self, name) or (None,))
            if count not in (1, len(self.teacher)):
                raise ValueError(
                    f"{count} of {name.replace('_', '-')} for {len(self.teacher)} teachers; give "
                    "one for all, or one for each, in the same order"
                )
        weights = self.teacher_weights
        if weights is not None and len(weights) != len(self.teacher):
            raise ValueError(
                f"{len(weights)} teacher weights for {len(self.teacher)} teachers; "
                "give one weight for each teacher, in the same order"
            )
        if weights is not None and (min(weights) < 0 or sum(weights) <= 0):
            raise ValueError(f"teacher weights are {list(weights)}; expected positive numbers")
        if self.batch_size % (self.devices * self.accumulate):
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of devices x accumulate = "
                f"{self.devices * self.accumulate}; every part of a step must be of one size"
            )
        return self

    def code(self) -> list[str]:
        """The names of the user's own code and programs in these settings."""
        models = [named_in(name) for name in (self.student, *self.teacher)]
        found = [name for name in models if names_code(name, LIBRARIES)]
        found += [name for name in self.teacher if names_program(name)]
        losses = [name_and_weight(loss)[0] for loss in self.loss]
        found += [name for name in losses if names_code(name, ())]
        found += [name for name in self.log if names_code(name, ())]
        return found + ([self.data] if names_code(self.data, SOURCES) else [])

    def to_toml(self) -> str:
        """The whole of it as TOML, readable by :meth:`build`."""
        plain = self.model_dump(mode="json", exclude_none=True)
        plain["temperature"] = self.temperature.write()
        plain["kd_weight"] = self.kd_weight.write()
        return tomli_w.dumps(plain)


def name_and_weight(loss: str) -> tuple[str, str]:
    """``"dist=0.5"`` is ``("dist", "0.5")``; ``"dist"`` has no weight, ``""``."""
    name, equals, weight = loss.rpartition("=")
    return (name, weight) if equals else (loss, "")


def _normalisations(value: object) -> object:
    """A text, a pair of numbers, or several of either, as texts."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and value and not isinstance(value[0], str):
        is_pair = len(value) == 2 and all(
            isinstance(part, list | tuple) and all(isinstance(v, float | int) for v in part)
            for part in value
        )
        pairs = [value] if is_pair else value
        return tuple(one if isinstance(one, str) else _written(one) for one in pairs)
    return value


def _written(pair: object) -> str:
    """``MEAN/STD`` of two lists of numbers, exactly."""
    try:
        return "/".join(",".join(repr(float(v)) for v in part) for part in pair)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return str(pair)
