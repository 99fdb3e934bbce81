"""The settings of ``didact distill --recipe text``."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from didact.train.distilling.settings import Arm
from didact.train.loop.settings import names_code
from didact.train.loop.step_settings import StepSettings

LIBRARIES = ("hf",)


class TextSettings(StepSettings):
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

    indifferent: ClassVar[frozenset[str]] = StepSettings.indifferent | {"arms"}
    SAMPLES: ClassVar[str] = "texts"
    ONE_MODEL: ClassVar[str] = "language model"

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
