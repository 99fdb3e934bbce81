"""The settings of ``didact distill --recipe text``."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from didact.train.distilling.settings import Arm
from didact.train.loop.settings import SharedSettings, names_code

LIBRARIES = ("hf",)
OF_IMAGES = ("data_dir", "validation", "labelled", "label_noise", "resize", "augment", "workers")


class TextSettings(SharedSettings):
    """All settings of a run on texts.

    Attributes:
        recipe: What the file of settings is of.
        data: ``pydoc`` or ``text:PATH``.
        student: ``gpt-WIDTHxLAYERS``, ``hf:DIR`` or ``file.py:Name``.
        teacher: The same; one of ``hf:DIR`` is trained already.
        vocabulary: Tokens of the tokenizer that is learnt from the text, where no model has one.
        window: Tokens that a model sees at once.
        student_text: Bytes of the training text that the student sees; 0 for all of it.
        steps: Optimiser steps of a student.
        teacher_steps: Those of the teacher.
        epochs: Into how many parts the steps are cut, each with a look at the validation text.
        batch_size: Windows of a step.
        k: Classes kept of each token of the teacher's.
        temperature: T of the distillation.
        kd_weight: Share of the distillation, from 0 to 1; the rest is the loss on the next token.
        arms: What is trained.
        warmup: Fraction of a model's steps over which its learning rate grows.
    """

    indifferent: ClassVar[frozenset[str]] = SharedSettings.indifferent | {"arms"}

    recipe: Literal["text"] = "text"
    data: str = "pydoc"
    student: str = "gpt-64x2"
    teacher: str = "gpt-128x2"
    vocabulary: int = Field(512, ge=257)
    window: int = Field(128, ge=2)
    student_text: int = Field(32_000, ge=0)
    steps: int = Field(300, ge=1)
    teacher_steps: int = Field(800, ge=1)
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(4, ge=1)
    k: int = Field(64, ge=1)
    temperature: float = Field(1.0, gt=0)
    kd_weight: float = Field(0.9, ge=0, le=1)
    arms: tuple[Arm, ...] = ("teacher", "alone", "distilled")

    optimizer: Literal["sgd", "adamw"] = "adamw"
    learning_rate: float = Field(3e-3, gt=0)
    teacher_learning_rate: float | None = Field(None, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    warmup: float = Field(1 / 16, ge=0, lt=1)
    clip_norm: float | None = Field(1.0, gt=0)
    seeds: tuple[int, ...] = (0, 1, 2)
    devices: int = Field(1, ge=1, le=1)
    select: Literal["last"] = "last"
    accumulate: Literal[1] = 1
    compile: Literal[False] = False

    @property
    def rate_warmup(self) -> float:
        """As ``warmup``."""
        return self.warmup

    def code(self) -> list[str]:
        """The names of the user's own code in these settings."""
        return [name for name in (self.student, self.teacher) if names_code(name, LIBRARIES)]

    @field_validator("teacher", mode="before")
    @classmethod
    def _one_teacher(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            if len(value) != 1:
                raise ValueError(f"is {list(value)}; expected one language model")
            return value[0]
        return value

    @model_validator(mode="after")
    def _nothing_of_images(self) -> TextSettings:
        for name in OF_IMAGES:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name.replace('_', '-')} is not of texts; leave it out")
        return self

    @model_validator(mode="after")
    def _each_part_has_a_step(self) -> TextSettings:
        for name in ("steps", "teacher_steps"):
            if getattr(self, name) % self.epochs:
                raise ValueError(
                    f"{name.replace('_', '-')} is {getattr(self, name)}; expected a multiple of "
                    f"the {self.epochs} epochs into which they are cut"
                )
        return self
