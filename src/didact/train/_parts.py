"""From settings and objects to the parts of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from didact._core.errors import UsageError
from didact.data import Data
from didact.data import load as load_data
from didact.train._cell import Parts
from didact.train._losses import LossLike, build_terms
from didact.train._models import ModelLike, checked, find_model
from didact.train._settings import DistillSettings

LossEntry = LossLike | tuple[LossLike, float]


def name_of(part: object) -> str:
    """How ``run.toml`` calls a part."""
    if isinstance(part, tuple):
        return f"{name_of(part[0])}={part[1]}"
    if isinstance(part, str | Path):
        return str(part)
    return str(getattr(part, "__name__", type(part).__name__))


@dataclass(frozen=True)
class Ingredients:
    """What the user gave, names or objects; it can be sent to another process if they can."""

    student: ModelLike
    teachers: Sequence[ModelLike]
    losses: Sequence[LossEntry]
    data: str | Data

    @classmethod
    def named(cls, chosen: DistillSettings) -> Ingredients:
        """Where everything has a name, the settings are enough."""
        return cls(chosen.student, chosen.teacher, list(chosen.loss), chosen.data)


def build_parts(chosen: DistillSettings, given: Ingredients) -> Parts:
    """Find what the settings name; the objects are those that were given instead of names.

    Raises:
        DidactError: A name, file or loss that cannot be used.
    """

    def load(seed: int) -> Data:
        if isinstance(given.data, Data):
            return given.data
        return load_data(
            given.data,
            data_dir=chosen.data_dir,
            seed=seed,
            validation=chosen.validation,
            labelled=chosen.labelled,
            label_noise=chosen.label_noise,
        )

    wanted = given.teachers if {"teacher", "distilled"} & set(chosen.arms) else ()
    weights = chosen.teacher_weights or (1.0,) * len(wanted)
    return Parts(
        load_data=load,
        student=find_model(given.student, role="student"),
        teachers=[find_model(one, role="teacher") for one in wanted],
        teacher_weights=[weight / sum(weights) for weight in weights],
        terms=build_terms(given.losses, chosen.loss_options),
    )


def try_parts(parts: Parts, chosen: DistillSettings) -> None:
    """Find out what cannot work before a folder is made and time is spent.

    Raises:
        DidactError: Data that cannot be read, or models that do not fit it.
    """
    data = parts.load_data(chosen.seeds[0])
    if not len(data.validation):
        raise UsageError(f"{data.name} has no validation split; give --validation 0.1")
    for source in parts.teachers:
        checked(source, data, role="teacher")
    checked(parts.student, data, role="student")
