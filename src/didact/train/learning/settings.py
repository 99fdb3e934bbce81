"""Everything that decides a class-incremental run; ``run.toml`` is this, written."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from didact.data import SOURCES, Choice, Scenario
from didact.methods import METHODS
from didact.nn import Normalisation
from didact.train.loop.models import LIBRARIES, named_in
from didact.train.loop.settings import Number, SharedSettings, names_code
from didact.train.record.checkpoint import fingerprint_of

DEFAULT_MEMORY = 2000


class LearnSettings(SharedSettings):
    """One run of methods x seeds over one stream of tasks.

    ``batch_size`` counts the samples of one optimiser step on all devices together. ``memory`` is
    the number of exemplars in total, for the methods that keep some.
    """

    indifferent: ClassVar[frozenset[str]] = SharedSettings.indifferent | {
        "method",
        "method_options",
        "jobs",
        "log",
        "onnx",
    }

    may_change_on_resume: ClassVar[frozenset[str]] = SharedSettings.may_change_on_resume | {
        "jobs",
        "log",
        "onnx",
    }

    scenario: Scenario = "class"
    base: int | None = Field(None, ge=1)
    step: int | None = Field(None, ge=1)
    tasks: int | None = Field(None, ge=1)
    groups: tuple[tuple[int | str, ...], ...] | None = None
    class_order: int | Literal["natural", "seed"] | tuple[int | str, ...] = "natural"
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
    known: tuple[str, ...] | None = None
    normalise: str | None = None
    continues: str | None = None

    first_epochs: int | None = Field(None, ge=0)
    jobs: int = Field(1, ge=1)
    channels_last: bool = False
    onnx: bool = True
    log: tuple[str, ...] = ()

    @field_validator("method")
    @classmethod
    def _different(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) != len(names):
            raise ValueError(f"are {list(names)}; expected one or more different methods")
        return names

    @model_validator(mode="after")
    def _fits_together(self) -> LearnSettings:
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
        if self.normalise is not None:
            Normalisation.read(self.normalise, (), ())
        self._can_begin_so()
        unknown = {key.partition(".")[0] for key in self.method_options} - set(self.method)
        if unknown:
            raise ValueError(
                f"an option is for {', '.join(sorted(unknown))}; the methods of this run are "
                f"{', '.join(self.method)} (write METHOD.OPTION=VALUE)"
            )
        return self

    def changed(self, **values: Any) -> Self:
        """The same settings but for some; options of methods stay while the method does."""
        methods, given = values.get("method", self.method), values.get("method_options", {})
        kept = {k: v for k, v in self.method_options.items() if k.partition(".")[0] in methods}
        return super().changed(**{**values, "method_options": kept | given})

    def _can_begin_so(self) -> None:
        if self.known is not None and self.first_epochs not in (None, 0):
            raise ValueError("known classes are not learned again; leave out first-epochs")
        if self.known is not None and len(set(self.known)) < max(len(self.known), 1):
            raise ValueError(f"known is {list(self.known)}; expected different names")
        if self.continues is None and self.known is None:
            return
        told = {"base": self.base, "imbalance": self.imbalance != 1, "blurry": self.blurry}
        if wrong := [name for name, value in told.items() if value]:
            raise ValueError(f"{wrong[0]} is of the first tasks; here some classes are known")
        if self.scenario != "class":
            raise ValueError(
                f"classes are added to a model that knows some in scenario class, not "
                f"{self.scenario}"
            )

    @property
    def begins_trained(self) -> bool:
        """Whether the classes of the first task are known to the network from the beginning."""
        return self.known is not None or self.first_epochs == 0

    def options_of(self, method: str) -> dict[str, Number]:
        """The options given to one method."""
        prefix = f"{method}."
        given = self.method_options.items()
        return {key.removeprefix(prefix): value for key, value in given if key.startswith(prefix)}

    @property
    def total_memory(self) -> int:
        """The budget of exemplars over all classes, where there is none per class."""
        return DEFAULT_MEMORY if self.memory is None else self.memory

    def code(self) -> list[str]:
        """The names of the user's own code in these settings."""
        found = [name for name in self.method if names_code(name, METHODS)]
        model = named_in(self.model)
        found += [model] if names_code(model, LIBRARIES) else []
        found += [name for name in self.log if names_code(name, ())]
        return found + ([self.data] if names_code(self.data, SOURCES) else [])

    def deciding_of(self, method: str) -> dict[str, Any]:
        """All that decides the numbers of one method."""
        return self.deciding() | {"method": [method, self.options_of(method)]}

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of all that decides the numbers of every method."""
        return fingerprint_of(self.deciding())
