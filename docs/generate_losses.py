"""Writes ``docs/losses.md`` from the cards and docstrings: ``python docs/generate_losses.py``."""

from __future__ import annotations

import inspect
from pathlib import Path

from didact.losses import (
    CARDS,
    Card,
    Head,
    TopK,
    fused_linear_kd,
    next_tokens,
    standardise_logits,
    standardised,
    token_maps,
)

PAGE = Path(__file__).parent / "losses.md"
FAMILIES = {
    "logits": "Losses on logits",
    "teachers": "Several teachers",
    "features": "Losses on features",
    "relations": "Losses on relations between samples",
    "incremental": "Losses that keep old classes",
}
KINDS = {
    "divergence": "divergence: non-negative, zero with zero gradient where student = teacher",
    "match": "match: non-negative, zero where student = teacher",
    "objective": "objective: not zero at its minimum",
}
HEAD = """# Losses

Every loss takes logits or features, never probabilities; detaches the teacher; computes in float32
or better; refuses shapes that differ; and is finite, with its gradient, at logits of 10 000 in
float32, bfloat16 and float16. Class dimension last, leading dimensions are samples. A loss without
`reduction` compares samples with each other and returns a scalar.

A teacher that holds NaN is named in the error, on a CPU: the finished value is looked at, which
costs no pass over the logits. On a GPU, under `torch.compile` and under `torch.func` nothing is
looked at, and the loss is NaN.

This page is written by `python docs/generate_losses.py` from the losses themselves.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, _contents()]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [
            _section(card) for card in sorted(CARDS.values(), key=_by_name) if card.family == family
        ]
        if family == "logits":
            parts += [_helper(standardise_logits), _helper(standardised)]
        if family == "features":
            parts.append(_helper(token_maps))
    parts.append("## Language models\n")
    parts += [_helper(part) for part in (next_tokens, TopK, fused_linear_kd, Head)]
    return "\n".join(parts)


def _by_name(card: Card) -> str:
    return card.name.lower()


def _contents() -> str:
    lines = ["| loss | formula | paper |", "|---|---|---|"]
    for card in sorted(CARDS.values(), key=_by_name):
        formula = card.formula.replace("|", "\\|")
        lines.append(f"| [`{card.name}`](#{card.name.lower()}) | `{formula}` | {card.paper} |")
    return "\n".join(lines) + "\n"


def _section(card: Card) -> str:
    defaults = ", ".join(f"`{name}={value!r}`" for name, value in card.defaults.items())
    return "\n".join(
        [
            f"### {card.name}",
            "",
            f"- Formula: `{card.formula}`",
            f"- Kind: {KINDS[card.kind]}",
            f"- Defaults: {defaults or 'none'}",
            "",
            *_docstring(card.function),
            "",
        ]
    )


def _helper(function: object) -> str:
    return "\n".join([f"### {function.__name__}", "", *_docstring(function), ""])  # type: ignore[attr-defined]


def _docstring(function: object) -> list[str]:
    """A Google docstring as Markdown: sections in bold, arguments as a list, examples as code."""
    lines: list[str] = []
    code = False
    for line in (inspect.getdoc(function) or "").splitlines():
        example = line.startswith("    ") and (">>>" in line or code)
        if example and not code:
            lines.append("```pycon")
        elif code and not example:
            lines.append("```")
        code = example
        lines.append(line[4:] if code else _text(line))
    return [*lines, "```"] if code else lines


def _text(line: str) -> str:
    line = (
        line.replace("``", "`")
        .replace(":func:", "")
        .replace(":attr:", "")
        .replace(":class:", "")
        .replace(":meth:", "")
    )
    if line in ("Args:", "Returns:", "Raises:", "Example:", "Attributes:"):
        return f"**{line.removesuffix(':')}**\n"
    if line.startswith("    ") and not line.startswith("     ") and ": " in line:
        return f"- {line.strip()}"
    return line.replace("    ", "  ", 1) if line.startswith("    ") else line


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
