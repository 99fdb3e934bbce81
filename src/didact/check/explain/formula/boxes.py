"""Pieces of writing: as text, and as presentation MathML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

_SUPERSCRIPTS = {"2": "²", "3": "³", "-1": "⁻¹", "-2": "⁻²"}


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of writing: a text, a row, a power or a fraction."""

    kind: str
    parts: tuple[Box, ...] = ()
    text: str = ""
    level: int = 9
    """How tightly it binds: 0 a comparison, 1 a sum, 2 a product, 3 a sign, 9 whole."""

    @property
    def plain(self) -> str:
        """As text."""
        if self.kind == "text":
            return self.text
        inner = [p.plain for p in self.parts]
        if self.kind == "power":
            return inner[0] + _SUPERSCRIPTS.get(inner[1], f"^{inner[1]}")
        if self.kind == "fraction":
            return f"{inner[0]}/{inner[1]}"
        return "".join(inner)

    @property
    def mathml(self) -> str:
        """As presentation MathML, without the element around it."""
        if self.kind == "text":
            return _token(self.text)
        if self.kind == "row":
            return "".join(p.mathml for p in self.parts)
        inner = [f"<mrow>{p.mathml}</mrow>" for p in self.parts]
        if self.kind == "power":
            return f"<msup>{inner[0]}{inner[1]}</msup>"
        return f"<mfrac>{inner[0]}{inner[1]}</mfrac>"


def _token(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        return ""
    if stripped.replace(".", "").isdigit():
        return f"<mn>{stripped}</mn>"
    if stripped in "()[]{}+−·/‖,|=<>≤≥@∈;→" or stripped in {"Σ", "==", "!="}:
        return f"<mo>{escape(stripped)}</mo>"
    return f"<mi>{escape(stripped)}</mi>"


def text_box(text: str) -> Box:
    """A text that binds tightly."""
    return Box("text", text=text)


def row(*parts: Box | str, level: int = 9) -> Box:
    """Pieces side by side."""
    return Box("row", tuple(text_box(p) if isinstance(p, str) else p for p in parts), level=level)


def inside(box: Box, level: int) -> Box:
    """A piece in brackets, if it binds less tightly than that."""
    if box.level >= level:
        return box
    return row("(", box, ")")
