"""The quotient of a term and its definition, and how it changes with the sizes."""

from __future__ import annotations

import math
from itertools import combinations

from didact.check.engine.scale import may_hold_square
from didact.check.explain.formula.arrays import EvaluationError
from didact.check.explain.formula.definitions import (
    Definition,
)
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.tree import (
    Constant,
    Given,
    Loop,
    Node,
)
from didact.check.explain.formula.verdict.candidates import Inputs
from didact.check.explain.formula.verdict.definition import defined
from didact.check.explain.formula.verdict.factors import factors, is_same
from didact.check.explain.formula.verdict.laboratory import CLOSE, Laboratory
from didact.check.explain.formula.verdict.law import Law

_SIZES = {
    "T": ("temperature", 3.0), "B": ("batch", 5), "C": ("classes", 7), "S": ("positions", 4),
    "H·W": ("height", 3), "N": ("teachers", 3),
}  # fmt: skip


def law_of(
    lab: Laboratory, body: Node, definition: Definition, inputs: Inputs,
    weights: list[tuple[Node, int]], sign: int, loop: Loop | None,
) -> Law | None:  # fmt: skip
    """What a term is, divided by its definition; None where it is no multiple of it."""
    base = lab.base

    def ratio(draw: Draw) -> float | None:
        below = defined(lab, definition, inputs, draw, loop)
        if below is None or not below:
            return None
        try:
            above = lab.number(body, draw, loop)
        except EvaluationError:
            return None
        value = sign * above / below
        return value if math.isfinite(value) and value else None

    first, second = ratio(base), ratio(base.changed(seed=1))
    if first is None or second is None or not _close(first, second):
        return None
    third = ratio(base.changed(seed=2))
    if third is None or not _close(first, third):
        return None
    powers: dict[str, float] = {}
    constant = first
    for name, (size, value) in _SIZES.items():
        if (name == "S" and lab.rank != 3) or (name == "H·W" and lab.rank != 4):
            continue
        changed = ratio(base.changed(**{size: value}))
        if changed is None or changed * first < 0:
            return None
        old = getattr(base, size)
        step = value / old
        if name == "H·W":
            step = value * (value + 1) / (old * (old + 1))
        if name == "S" and not _is_power(changed / first, step):
            old, step = old - 1, (value - 1) / (old - 1)  # logits without their last position
        if not _is_power(changed / first, step):
            return None
        power = round(math.log(changed / first) / math.log(step) * 2) / 2
        if power:
            powers[name] = power
            size_now = old * (old + 1) if name == "H·W" else old
            constant /= size_now**power
    if definition.power is not None and not _is_one(inputs.temperature):
        owed = definition.power - _given_power(lab, weights, inputs.temperature)
        if lab.incremental and definition.key in {"kd", "soft_ce"} and owed == definition.power:
            owed = 0
        own = powers.pop("T", 0.0)
        if own != owed:
            powers["T"] = own - owed
    elif "T" in powers:
        return None
    if not math.isclose(abs(constant), round(abs(constant) * 120) / 120, rel_tol=1e-6):
        return None
    return Law(round(constant, 9), tuple(powers.items()))


def _is_power(quotient: float, step: float) -> bool:
    """Whether a quotient is a half or whole power of a step."""
    exact = math.log(quotient) / math.log(step)
    return abs(exact - round(exact * 2) / 2) <= 1e-5


def spares_square(
    lab: Laboratory, definition: Definition, inputs: Inputs, weights: list[tuple[Node, int]]
) -> bool:
    """Whether a term has no T², as LwF's own loss has none."""
    return (
        lab.incremental
        and definition.key in {"kd", "soft_ce"}
        and not _is_one(inputs.temperature)
        and _given_power(lab, weights, inputs.temperature) == 0
    )


def _given_power(lab: Laboratory, weights: list[tuple[Node, int]], temperature: Node) -> int:
    """The power of the temperature among the factors of a term."""
    if isinstance(temperature, Constant):
        numbers = [float(w.value) ** p for w, p in weights if isinstance(w, Constant) and w.value]
        for power in (2, 1):
            for size in range(1, len(numbers) + 1):
                for group in combinations(numbers, size):
                    if math.isclose(math.prod(group), temperature.value**power):
                        return power
        return 2 if may_hold_square(math.prod(numbers), temperature.value) else 0
    parts = list(factors(temperature))
    if len(parts) > 1:
        powers = {
            sum(p for w, p in weights if w is part or is_same(w, part)) / power
            for part, power in parts
        }
        return int(powers.pop()) if len(powers) == 1 else 0
    return sum(p for w, p in weights if w is temperature or _same_number(lab, w, temperature))


def _same_number(lab: Laboratory, one: Node, other: Node) -> bool:
    if not isinstance(one, Given) or lab.kinds.get(one) is not Kind.TEMPERATURE:
        return False
    return isinstance(other, Given) and one.text == other.text


def _is_one(node: Node) -> bool:
    return isinstance(node, Constant) and node.value == 1


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=CLOSE)
