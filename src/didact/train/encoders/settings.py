"""The settings of ``didact distill --recipe encoder``."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from didact.train.distilling.settings import Arm
from didact.train.loop.settings import names_code
from didact.train.loop.step_settings import StepSettings

LIBRARIES = ("hf", "npy")
MINILM = "minilm"
COSINE = "cosine"


class EncoderSettings(StepSettings):
    """All settings of a run on sentences.

    Attributes:
        recipe: What the file of settings is of.
        data: ``pydoc`` or ``text:PATH``.
        student: ``static-WIDTH``, ``attention-WIDTHxLAYERS`` or ``file.py:Name``.
        teacher: ``minilm`` (the extra ``encoder``), ``hf:DIR``, ``npy:FILE`` with a vector for each
            sentence, ``file.py:Name``, or a student's name for one that is trained here.
        vocabulary: Tokens of the tokenizer that is learnt from the sentences.
        window: The longest sentence of a student, in tokens.
        labels_per_class: Labels of each class that a seed may use; 0 for all.
        loss: What distils, each with its weight: ``cosine``, or losses on logits or features.
        loss_options: Of these losses.
        steps: Optimiser steps of a student.
        teacher_steps: Those of a teacher that is trained here.
        epochs: Into how many parts the steps are cut, each with a look at the validation part.
        batch_size: Sentences of a step.
        temperature: T of losses on logits.
        arms: What is trained.
        warmup: Fraction of a model's steps over which its learning rate grows.
        onnx: Whether the student is exported.
    """

    indifferent: ClassVar[frozenset[str]] = StepSettings.indifferent | {"arms", "onnx"}
    SAMPLES: ClassVar[str] = "sentences"
    ONE_MODEL: ClassVar[str] = "encoder"

    recipe: Literal["encoder"] = "encoder"
    data: str = "pydoc"
    student: str = "static-64"
    teacher: str = MINILM
    vocabulary: int = Field(4096, ge=257)
    window: int = Field(64, ge=1)
    labels_per_class: int = Field(10, ge=0)
    loss: tuple[str, ...] = (COSINE, "kd")
    loss_options: dict[str, float | int | str | bool] = Field(default_factory=dict)
    temperature: float = Field(1.0, gt=0)
    steps: int = Field(300, ge=1)
    teacher_steps: int = Field(300, ge=1)
    epochs: int = Field(5, ge=1)
    batch_size: int = Field(128, ge=2)
    arms: tuple[Arm, ...] = ("teacher", "alone", "distilled")
    onnx: bool = True

    optimizer: Literal["sgd", "adamw"] = "adamw"
    learning_rate: float = Field(1e-2, gt=0)
    teacher_learning_rate: float | None = Field(None, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    warmup: float = Field(1 / 16, ge=0, lt=1)
    clip_norm: float | None = Field(1.0, gt=0)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
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
        losses = (name.rpartition("=")[0] or name for name in self.loss)
        named = (self.student, self.teacher, *losses)
        return [name for name in named if names_code(name, LIBRARIES)]

    @field_validator("arms")
    @classmethod
    def _has_a_student(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if not {"alone", "distilled"} & set(arms):
            raise ValueError(f"are {', '.join(arms)}; expected alone or distilled among them")
        return arms
