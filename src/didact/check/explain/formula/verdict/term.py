"""One addend of a loss, with what it is."""

from __future__ import annotations

from dataclasses import dataclass

from didact.check.explain.formula.definitions import (
    Definition,
)
from didact.check.explain.formula.tree import (
    Loop,
    Node,
)
from didact.check.explain.formula.verdict.law import Law


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One addend of a loss, with what it is.

    Attributes:
        weights: Its free factors, each with its power.
        body: What is left.
        definition: The named loss that it is, or is a multiple of.
        law: What it is, divided by the definition.
        student: The part that stands for ``s``.
        teacher: The part that stands for ``t``.
        temperature: The part that stands for ``T``.
        over: The loop that it is summed over.
        cut: It stands outside the graph.
        rank: For which number of dimensions this holds.
        mean: It is a number per sample, of which the mean was taken.
        wrong_sign: The addend that has the wrong sign.
        labels: The part that stands for ``y``; the next ones for the definition's other names.
    """

    weights: tuple[tuple[Node, int], ...]
    body: Node
    definition: Definition | None = None
    law: Law | None = None
    student: Node | None = None
    teacher: Node | None = None
    temperature: Node | None = None
    over: Loop | None = None
    cut: bool = False
    rank: int = 2
    mean: bool = False
    wrong_sign: Node | None = None
    labels: Node | None = None
    scalar: Node | None = None
    old: Node | None = None
    hot: Node | None = None
    padding: Node | None = None
    smoothing: Node | None = None
    mask: Node | None = None
    second: Node | None = None
    centre: Node | None = None
    dead: bool = False
    """The student's side is computed without gradient."""

    @property
    def status(self) -> str:
        """``"equal"``, ``"departs"`` or ``"unknown"``."""
        if self.definition is None or self.law is None:
            return "unknown"
        right = self.law.is_one and self.wrong_sign is None
        return "equal" if right else "departs"
