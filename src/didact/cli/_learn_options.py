"""From the options of ``didact learn`` to the fields of ``LearnSettings``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from didact._core.errors import UsageError
from didact.cli import _shared as options


def settings_from(given: dict[str, Any]) -> dict[str, Any]:
    """Lists, numbers and pairs out of what was typed.

    Raises:
        UsageError: Something that is not of the expected form.
    """
    values = dict(given)
    if "method" in values:
        values["method"] = tuple(part.strip() for part in values["method"].split(",") if part)
    if "option" in values:
        values["method_options"] = dict(
            options.setting(text, "option", "METHOD.OPTION=VALUE, as lwf.weight=3")
            for text in values.pop("option")
        )
    if "milestones" in values:
        values["milestones"] = tuple(options.numbers(values["milestones"], "milestones", float))
    if "seeds" in values:
        values["seeds"] = options.seeds(values["seeds"])
    if "groups" in values:
        values["groups"] = tuple(_names(group) for group in values["groups"].split("/"))
    if "known" in values:
        values["known"] = _known(values["known"])
    if values.get("class_order") not in (None, "natural", "seed"):
        names = _names(values["class_order"])
        values["class_order"] = _seed_or(names)
    return values


def _names(text: str) -> tuple[str, ...]:
    """``cat,dog`` as two names."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _seed_or(names: tuple[str, ...]) -> int | tuple[str, ...]:
    """A single number is a seed, several are classes."""
    if len(names) == 1:
        return int(options.numbers(names[0], "class-order", int)[0])
    return names


def _is_path(text: str) -> bool:
    """A name of a file and hardly one of a class, whether the file is there or not."""
    return "/" in text or text.lower().endswith((".txt", ".csv", ".json", ".names"))


def _known(text: str) -> tuple[str, ...]:
    """Names with commas between, or the lines of a file.

    Raises:
        UsageError: The file cannot be read.
    """
    path = Path(text).expanduser()
    if "," in text or not (path.is_file() or _is_path(text)):
        return _names(text)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the names of classes from {path}: {error}") from None
    return tuple(line.strip() for line in lines if line.strip())
