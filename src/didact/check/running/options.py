"""How to go about a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from didact.check.findings.finding import Safety
from didact.check.running.analysis import Analyse
from didact.check.running.fix import SAFE
from didact.check.wanted.config import Settings

Mode = Literal["report", "fix", "diff"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to go about a run.

    Attributes:
        settings: What is wanted, and where.
        mode: Report only, fix the files, or show what fixing them would change.
        safety: Which fixes may be made.
        jobs: How many processes; 0 leaves it to the number of cores and files.
        analyse: The engine, if not the package's own.
        relevant: The byte scan, if not the package's own.
        cache: Whether answers are kept on disk for the next run; it changes no answer.
    """

    settings: Settings = field(default_factory=Settings)
    mode: Mode = "report"
    safety: frozenset[Safety] = SAFE
    jobs: int = 0
    analyse: Analyse | None = None
    relevant: Callable[[bytes], bool] | None = None
    cache: bool = False
