"""Wherever `didact explain` says "equal", do the numbers agree with the definition in PyTorch?

    python benchmarks/explain_verdicts.py FOLDER [--verbose]

FOLDER holds ``losses_A.jsonl``: one loss a line, with its ``imports``, its ``code`` and a ``label``
(``right``, ``wrong`` or ``unclear``, as read by a person). Printed are the verdicts by label, the
losses that were called equal although a person found them wrong (false all-clears), and for how
many terms that were called equal PyTorch computes the same from the definition's own code. A
verdict that names other shapes for which the code departs is counted apart. Nothing of FOLDER is
imported; the terms are evaluated, not executed.
"""

from __future__ import annotations

import argparse
import ast
import json
import textwrap
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F

from didact.check.explain import explain
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.judge import Judged, judge
from didact.check.explain.formula.verdict import Laboratory, Term


def tensor(value: object) -> object:
    """An array of the formula as a tensor."""
    if not isinstance(value, Array):
        return value
    dtype = {"float": torch.float64, "int": torch.int64, "bool": torch.bool}[value.kind]
    return torch.tensor(list(value.data), dtype=dtype).reshape(value.shape)


def agrees(term: Term, judged: Judged) -> bool | None:
    """Whether a term is what the definition's code computes in PyTorch; None if not comparable."""
    assert term.definition is not None
    lab = Laboratory(term.body, judged.kinds, judged.roles, term.rank)
    draw = Draw(rank=term.rank, seed=11, batch=5, classes=6, temperature=2.5)
    names = {"s": term.student, "t": term.teacher, "T": term.temperature}
    if not set("yhk") & set(term.definition.code.replace("(", " ").split()):
        try:
            values = {k: tensor(lab.raw(n, draw, term.over)) for k, n in names.items() if n}
            body = lab.number(term.body, draw, term.over)
        except EvaluationError:
            return None
        rank = getattr(values["s"], "dim", lambda: 0)()
        scope = {"F": F, "torch": torch, "axis": 1 if rank == 4 else rank - 1, **values}
        source = f"def f():\n{textwrap.indent(term.definition.code, '    ')}\n"
        try:
            exec(source, scope)
            expected = scope["f"]()
        except (NameError, RuntimeError):
            return None
        expected = float(expected)
        ratio = body / expected if expected else float("nan")
        return abs(abs(ratio) - 1) < 1e-6 or _is_power(ratio, draw)
    return None


def _is_power(ratio: float, draw: Draw) -> bool:
    """A power of T that stands among the factors of the term, not in its body."""
    return any(abs(ratio / draw.temperature**power - 1) < 1e-6 for power in (-2, -1, 1, 2))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    verdicts: Counter[tuple[str, str]] = Counter()
    numbers: Counter[str] = Counter()
    clears: list[str] = []
    conditional = 0
    for line in (arguments.folder / "losses_A.jsonl").read_text("utf-8").splitlines():
        loss = json.loads(line)
        source = "\n".join(loss["imports"]) + "\n" + textwrap.dedent(loss["code"])
        explanation = explain(source)
        outcome, label = explanation.verdict.outcome, loss["label"] or "none"
        verdicts[label, outcome] += 1
        if outcome != "equal":
            continue
        warned = any("Mind the shape" in note.en for note in explanation.verdict.notes)
        conditional += warned
        if label == "wrong":
            told = " (the shape is warned of)" if warned else ""
            clears.append(f"{loss['repo']} {loss['name']} {loss['mistakes']}{told}")
        judged = judge(ast.parse(explanation.source))
        for term in judged.terms:
            if term.status == "equal":
                numbers[str(agrees(term, judged))] += 1
                if arguments.verbose and agrees(term, judged) is False:
                    print("differs:", loss["repo"], loss["name"], term.definition.key)  # type: ignore[union-attr]
    for (label, outcome), count in sorted(verdicts.items()):
        print(f"{label:8} {outcome:8} {count}")
    print(f"equal, with other shapes warned of: {conditional}")
    print(f"false all-clears: {len(clears)}", *clears, sep="\n  ")
    print(f"equal terms that PyTorch confirms: {dict(numbers)}")


if __name__ == "__main__":
    main()
