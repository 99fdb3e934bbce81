"""What a term is, divided by its definition."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """``constant · Π size^power``: what a term is, divided by its definition."""

    constant: float
    powers: tuple[tuple[str, float], ...] = ()

    @property
    def is_one(self) -> bool:
        """Whether the two are equal."""
        return not self.powers and abs(self.constant - 1) < 1e-6

    @property
    def text(self) -> str:
        """``1/T²``, ``1/C``, ``−1``, ``16``."""
        over = [_power(n, -p) for n, p in self.powers if p < 0]
        upper = [_power(n, p) for n, p in self.powers if p > 0]
        constant = self.constant
        if abs(constant - 1) > 1e-6 or not upper:
            inverse = round(1 / constant, 6) if constant else 0.0
            if constant > 0 and constant < 1 and inverse == int(inverse) and not over:
                over.append(f"{inverse:g}")
                constant = 1.0
            if abs(constant - 1) > 1e-6 or not upper:
                upper.insert(0, f"{constant:.4g}".replace("-", "−"))
        text = "·".join(upper)
        if not over:
            return text
        below = "·".join(over)
        return f"{text}/({below})" if "·" in below else f"{text}/{below}"


def _power(name: str, power: float) -> str:
    if power == 1:
        return name
    shown = {2.0: "²", 3.0: "³"}.get(power, f"^{power:g}")
    return f"({name}){shown}" if "·" in name else name + shown
