"""What the settings of every kind of run can do: be validated, changed, and written as TOML."""

from __future__ import annotations

from typing import Any, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from didact._core.errors import UsageError

Number = float | int | str | bool


class CheckedSettings(BaseModel):
    """Frozen fields; what is wrong is said in one sentence, with the option's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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


def check_seeds(seeds: tuple[int, ...]) -> None:
    """Refuse none, and one that is there twice.

    Raises:
        ValueError: As pydantic wants it from a validator.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"seeds are {list(seeds)}; expected one or more different numbers")


def _sentence(error: dict[str, Any]) -> str:
    """One of pydantic's errors in words, with the option's name as the command line has it."""
    place = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"there is no setting {place!r}"
    got = "" if error["type"] == "value_error" or not place else f" (got {error['input']!r})"
    return f"{place.replace('_', '-')} {message[:1].lower()}{message[1:]}{got}".strip()
