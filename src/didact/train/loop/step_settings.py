"""What the settings of runs on words have in common: steps in parts, one teacher, no images."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import field_validator, model_validator

from didact.train.loop.settings import SharedSettings

OF_IMAGES = ("data_dir", "validation", "labelled", "label_noise", "resize", "augment", "workers")


class StepSettings(SharedSettings):
    """Settings of a run whose length is told in optimiser steps.

    Attributes:
        SAMPLES: What it learns from, as messages say it.
        ONE_MODEL: What its one teacher is, likewise.
    """

    SAMPLES: ClassVar[str]
    ONE_MODEL: ClassVar[str]

    @field_validator("teacher", mode="before", check_fields=False)
    @classmethod
    def _one_teacher(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            if len(value) != 1:
                raise ValueError(f"is {list(value)}; expected one {cls.ONE_MODEL}")
            return value[0]
        return value

    @model_validator(mode="after")
    def _nothing_of_images(self) -> Self:
        for name in OF_IMAGES:
            if getattr(self, name) != type(self).model_fields[name].default:
                said = name.replace("_", "-")
                raise ValueError(f"{said} is not of {self.SAMPLES}; leave it out")
        return self

    @model_validator(mode="after")
    def _each_part_has_a_step(self) -> Self:
        for name in ("steps", "teacher_steps"):
            if getattr(self, name) % self.epochs:
                raise ValueError(
                    f"{name.replace('_', '-')} is {getattr(self, name)}; expected a multiple of "
                    f"the {self.epochs} epochs into which they are cut"
                )
        return self
