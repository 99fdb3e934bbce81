"""Faults planted in the source, each of which the tests of its floor must see.

One file for each floor holds ``FAULTS``. ``benchmarks/planted_faults.py`` plants them one at a time
in a copy of the source and runs the tests that are named beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "didact"


class FaultError(Exception):
    """A fault cannot be planted: its text is not in the floor, or more than once."""


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Attributes:
        name: What is wrong, in a few words.
        floor: The folder under ``src/didact``.
        old: The text that is right; it stands exactly once in the floor's files, whichever it is.
        new: The text that is wrong.
        tests: The arguments of pytest, files and options, separated by spaces.
    """

    name: str
    floor: str
    old: str
    new: str
    tests: str


def all_faults() -> list[Fault]:
    """Those of every file beside this one, floor by floor."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    floors = [name for name in names if name != "__init__" and not name.startswith("test_")]
    return [fault for name in floors for fault in import_module(f"tests.planted.{name}").FAULTS]


def place_of(fault: Fault, package: Path = PACKAGE) -> tuple[Path, str]:
    """The file that has the fault's text, and what the file becomes.

    Raises:
        FaultError: The text does not stand exactly once in the floor, or nothing would change.
    """
    found = [
        (path, text, times)
        for path in sorted((package / fault.floor).rglob("*.py"))
        if (times := (text := path.read_text(encoding="utf-8")).count(fault.old))
    ]
    total = sum(times for _, _, times in found)
    if total != 1:
        where = ", ".join(str(path.relative_to(package)) for path, _, _ in found) or "no file"
        raise FaultError(
            f"{fault.floor}: {fault.name}: {fault.old!r} stands {total} times ({where}); "
            "expected exactly once: give the text as it is now, with enough around it"
        )
    if fault.old == fault.new:
        raise FaultError(f"{fault.floor}: {fault.name}: the fault changes nothing")
    path, text, _ = found[0]
    return path, text.replace(fault.old, fault.new)
