"""What the settings of every kind of run have in common, and what they can do."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from didact._core.errors import UsageError
from didact._core.lookup import is_import_path, suggest
from didact._core.text import file_name, is_unicode
from didact.data import AUGMENTATIONS

Number = float | int | str | bool


class CheckedSettings(BaseModel):
    """Frozen fields; what is wrong is said in one sentence, with the option's name."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, dict) else ():
            for part in value if isinstance(value, list | tuple) else (value,):
                if isinstance(part, str | Path) and not is_unicode(str(part)):
                    raise ValueError(
                        f"{name} is {file_name(str(part))!r}, whose bytes are not UTF-8; "
                        "rename it, so that the run's record can say it"
                    )
        return values

    @classmethod
    def build(cls, **values: Any) -> Self:
        """Validate; pydantic's report becomes one sentence.

        Raises:
            UsageError: A value is out of range, of the wrong type, or of an unknown name.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise UsageError("; ".join(_sentence(dict(e)) for e in error.errors())) from None

    def changed(self, **values: Any) -> Self:
        """The same settings but for some, validated again."""
        return self.build(**{**dict(self), **values})

    def to_toml(self) -> str:
        """The whole of it as TOML, readable by :meth:`build`."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


class SharedSettings(CheckedSettings):
    """What ``distill`` and ``learn`` both ask; each has its own defaults for some of it.

    ``batch_size`` counts the samples of one optimiser step on all devices together. Rates are per
    optimiser step, milestones fractions of the training.
    """

    indifferent: ClassVar[frozenset[str]] = frozenset(
        ("seeds", "data_dir", "accelerator", "devices", "threads", "workers", "checkpoint_seconds")
    )
    """What decides no number of one seed; both kinds of run have more."""

    may_change_on_resume: ClassVar[frozenset[str]] = indifferent - {"seeds"}

    data: str = "digits"
    data_dir: Path | None = None
    validation: float = Field(0.0, ge=0, lt=1)
    labelled: float = Field(1.0, gt=0, le=1)
    label_noise: float = Field(0.0, ge=0, lt=1)
    resize: tuple[int, int] | None = None
    augment: str = "none"

    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = Field(0.05, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "constant"
    milestones: tuple[float, ...] = (0.47, 0.71)
    decay: float = Field(0.1, gt=0, le=1)
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(64, ge=1)
    clip_norm: float | None = Field(None, gt=0)

    seeds: tuple[int, ...] = (0,)

    accelerator: str = "auto"
    devices: int = Field(1, ge=1)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    threads: int | None = Field(None, ge=1, le=4096)
    workers: int = Field(0, ge=0, le=4096)
    checkpoint_seconds: float = Field(20.0, ge=0)

    @classmethod
    def required(cls) -> list[str]:
        """The settings that ``run.toml`` always names: all that are not None by default."""
        return [
            name
            for name, field in cls.model_fields.items()
            if field.get_default(call_default_factory=True) is not None
        ]

    def code(self) -> list[str]:
        """The names of the user's own code in these settings."""
        raise NotImplementedError

    @property
    def task_of_data(self) -> str:
        """What the labels are, where the settings say it."""
        return "auto"

    @property
    def rate_warmup(self) -> float:
        """The fraction of a model's training over which its learning rate grows from 0."""
        return 0.0

    def deciding(self) -> dict[str, Any]:
        """All that decides the numbers of a part of the run; what is finished is kept with it."""
        return self.model_dump(mode="json", exclude=set(self.indifferent))

    @field_validator("*")
    @classmethod
    def _writable(cls, value: object) -> object:
        """A whole number fits where results are kept: it is too late to say so after training."""
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ValueError("is larger than 64 bits; expected a smaller number")
        return value

    @field_validator("augment")
    @classmethod
    def _known_augmentation(cls, name: str) -> str:
        if name not in AUGMENTATIONS:
            raise ValueError(f"is {name!r}; {suggest(name, AUGMENTATIONS)}")
        return name

    @field_validator("resize", mode="before")
    @classmethod
    def _read_size(cls, value: object) -> object:
        return None if value is None else read_size(value)

    @field_validator("seeds")
    @classmethod
    def _different_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if any(abs(seed) >= 2**63 for seed in seeds):
            raise ValueError("are larger than 64 bits; expected numbers such as 0,1,2")
        if not seeds or len(set(seeds)) != len(seeds):
            raise ValueError(f"are {list(seeds)}; expected one or more different numbers")
        return seeds


def read_size(value: object) -> tuple[int, int]:
    """Height and width: ``32``, ``"32"``, ``"32x48"`` or a pair.

    Raises:
        ValueError: Anything else.
    """
    parts: list[Any] = str(value).lower().split("x") if isinstance(value, str | int) else []
    if isinstance(value, list | tuple):
        parts = list(value)
    try:
        sides = [int(part) for part in parts]
    except (TypeError, ValueError):
        sides = []
    if len(sides) == 1:
        sides *= 2
    if len(sides) != 2 or min(sides) < 1:
        raise ValueError(f"is {value!r}; expected a side such as 32, or HEIGHTxWIDTH such as 32x48")
    return sides[0], sides[1]


def _sentence(error: dict[str, Any]) -> str:
    """One of pydantic's errors in words, with the option's name as the command line has it."""
    place = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"there is no setting {place!r}"
    got = "" if error["type"] == "value_error" or not place else f" (got {error['input']!r})"
    return f"{place.replace('_', '-')} {message[:1].lower()}{message[1:]}{got}".strip()


def names_code(name: str, known: Collection[str]) -> bool:
    """Whether a name is of code that would be imported, and not ``KNOWN:something``."""
    return is_import_path(name) and name.partition(":")[0] not in known
