"""From settings and objects to the parts of a run."""

from __future__ import annotations

from collections.abc import Sequence
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


def build_parts(
    chosen: DistillSettings,
    student: ModelLike,
    teachers: Sequence[ModelLike],
    losses: Sequence[LossEntry],
    data: str | Data,
) -> Parts:
    """Find what the settings name; the objects are those that were given instead of names.

    Raises:
        DidactError: A name, file or loss that cannot be used.
    """

    def load(seed: int) -> Data:
        if isinstance(data, Data):
            return data
        return load_data(
            data,
            data_dir=chosen.data_dir,
            seed=seed,
            validation=chosen.validation,
            labelled=chosen.labelled,
            label_noise=chosen.label_noise,
        )

    wanted = teachers if {"teacher", "distilled"} & set(chosen.arms) else ()
    given = chosen.teacher_weights or (1.0,) * len(wanted)
    return Parts(
        load_data=load,
        student=find_model(student, role="student"),
        teachers=[find_model(one, role="teacher") for one in wanted],
        teacher_weights=[weight / sum(given) for weight in given],
        terms=build_terms(losses, chosen.loss_options),
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
