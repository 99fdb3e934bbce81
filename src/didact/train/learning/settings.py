"""Everything that decides a class-incremental run; ``run.toml`` is this, written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from didact.data import Choice, Scenario
from didact.train.loop.checked_settings import CheckedSettings, Number, check_seeds

DEFAULT_MEMORY = 2000
DOES_NOT_MATTER = frozenset(
    ("method", "method_options", "seeds", "jobs", "devices", "threads", "workers")
) | {"data_dir", "checkpoint_seconds", "accelerator"}


class LearnSettings(CheckedSettings):
    """One run of methods x seeds over one stream of tasks.

    ``batch_size`` counts the samples of one optimiser step on all devices together. ``memory`` is
    the number of exemplars in total, for the methods that keep some.
    """

    data: str = "digits"
    data_dir: Path | None = None
    validation: float = Field(0.0, ge=0, lt=1)
    labelled: float = Field(1.0, gt=0, le=1)
    label_noise: float = Field(0.0, ge=0, lt=1)
    augment: str = "none"

    scenario: Scenario = "class"
    base: int | None = Field(None, ge=1)
    step: int | None = Field(None, ge=1)
    tasks: int | None = Field(None, ge=1)
    groups: tuple[tuple[int, ...], ...] | None = None
    class_order: int | tuple[int, ...] | Literal["natural", "seed"] = "natural"
    domains: Literal["permuted", "rotated", "groups"] = "permuted"
    imbalance: float = Field(1.0, gt=0, le=1)
    blurry: float = Field(0.0, ge=0, lt=1)
    online: bool = False
    evaluate_on: Literal["test", "validation"] = "test"

    method: tuple[str, ...] = ("finetune", "lwf", "icarl", "joint")
    method_options: dict[str, Number] = Field(default_factory=dict)
    memory: int | None = Field(None, ge=0)
    memory_per_class: int | None = Field(None, ge=0)
    exemplars: Choice | None = None
    model: str = "mlp"

    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = Field(0.05, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "constant"
    milestones: tuple[float, ...] = (0.47, 0.71)
    decay: float = Field(0.1, gt=0, le=1)
    epochs: int = Field(30, ge=1)
    first_epochs: int | None = Field(None, ge=1)
    batch_size: int = Field(64, ge=1)
    clip_norm: float | None = Field(None, gt=0)

    seeds: tuple[int, ...] = (0,)
    jobs: int = Field(1, ge=1)

    accelerator: str = "auto"
    devices: int = Field(1, ge=1)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    channels_last: bool = False
    threads: int | None = Field(None, ge=1)
    workers: int = Field(0, ge=0)
    checkpoint_seconds: float = Field(20.0, ge=0)

    @field_validator("method")
    @classmethod
    def _different(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) != len(names):
            raise ValueError(f"are {list(names)}; expected one or more different methods")
        return names

    @model_validator(mode="after")
    def _fits_together(self) -> LearnSettings:
        check_seeds(self.seeds)
        if self.memory is not None and self.memory_per_class is not None:
            raise ValueError("give memory or memory-per-class, not both")
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of devices = {self.devices}"
            )
        if self.devices > 1 and self.jobs > 1:
            raise ValueError("several jobs with several devices each are not run; choose one")
        if self.evaluate_on == "validation" and self.validation == 0:
            raise ValueError("evaluate-on validation needs validation above 0, such as 0.2")
        unknown = {key.partition(".")[0] for key in self.method_options} - set(self.method)
        if unknown:
            raise ValueError(
                f"an option is for {', '.join(sorted(unknown))}; the methods of this run are "
                f"{', '.join(self.method)} (write METHOD.OPTION=VALUE)"
            )
        return self

    def options_of(self, method: str) -> dict[str, Number]:
        """The options given to one method."""
        prefix = f"{method}."
        given = self.method_options.items()
        return {key.removeprefix(prefix): value for key, value in given if key.startswith(prefix)}

    @property
    def total_memory(self) -> int:
        """The budget of exemplars over all classes, where there is none per class."""
        return DEFAULT_MEMORY if self.memory is None else self.memory

    def fingerprint(self, method: str | None = None) -> str:
        """Sixteen hexadecimal digits of all that decides the numbers (of one method)."""
        plain = self.model_dump(mode="json", exclude=set(DOES_NOT_MATTER))
        if method is not None:
            plain["method"] = [method, self.options_of(method)]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
