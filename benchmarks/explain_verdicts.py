"""Wherever `didact explain` says "equal", do the numbers agree with the definition in PyTorch?

    python benchmarks/explain_verdicts.py PATH... [--verbose]

A PATH is a JSONL file (one loss a line: ``imports``, ``code``, and a ``label`` that a person gave
it: ``right``, ``wrong`` or ``unclear``) or a folder of Python files, of which every function and
small class is taken that compares a student with a teacher. Printed are the verdicts by label, the
losses that were called equal although a person found them wrong (false all-clears), and two
comparisons for those that were called equal: the code, run by PyTorch on random tensors, with the
formula; and each term of the formula, on draws of several sizes, with the definition's own code.
Nothing is imported of a PATH. A loss is run with a handful of builtins and only if it imports
nothing but torch, numpy and math, and reads no name with two underscores.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import json
import re
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.check.explain.support import evaluated, part_of, run

from didact.check.explain import Explanation, explain
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.judge import Judged, judge
from didact.check.explain.formula.verdict import Laboratory, Term

LARGEST = 130
"""Lines of a class that is taken as a whole."""
_LOSS = re.compile(
    r"kl_div|KLDiv|softmax|mse_loss|MSELoss|l1_loss|L1Loss|cosine|cross_entropy|CrossEntropy|BCE"
    r"|normalize|cdist|\.pow\(2\)"
)
_TWO = re.compile(
    r"teacher|student|distil|\bkd\b|_kd|kd_|old_|_old|prev|soft_?target|soft_?label|\btea|\bstu"
    r"|guide|mimic|hint|feat_[st]|[sft]_feat|_[ts]\b|[ts]_logits|logits_[ts]",
    re.IGNORECASE,
)
_IMPORTS = re.compile(r"^(import|from) (torch|numpy|math|copy)\b")
_ALLOWED = {
    name: getattr(builtins, name)
    for name in (
        "abs", "all", "any", "bool", "dict", "enumerate", "float", "int", "isinstance", "len",
        "list", "map", "max", "min", "object", "print", "range", "reversed", "round", "set",
        "sorted", "str", "sum", "super", "tuple", "zip", "Exception", "ValueError", "RuntimeError",
        "TypeError", "NotImplementedError", "KeyError", "AssertionError", "property",
        "staticmethod", "classmethod", "hasattr", "type", "__build_class__", "UserWarning",
        "slice", "callable", "__import__",
    )
} | {"__name__": "loss"}  # fmt: skip
DRAWS = (
    {"seed": 11, "batch": 5, "classes": 6, "temperature": 2.5},
    {"seed": 12, "batch": 3, "classes": 7, "temperature": 4.0},
    {"seed": 13, "batch": 6, "classes": 5, "temperature": 1.5, "positions": 4, "height": 3},
)


@dataclass
class Count:
    """What was found over all losses."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    code: Counter[str] = field(default_factory=Counter)
    terms: Counter[str] = field(default_factory=Counter)
    clears: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    equal: list[dict[str, Any]] = field(default_factory=list)


def losses_in(path: Path) -> Iterator[dict[str, Any]]:
    """The losses of a JSONL file or of the Python files under a folder."""
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            loss = json.loads(line)
            yield {"where": f"{loss['repo']}/{loss['path']}:{loss['start']} {loss['name']}", **loss}
        return
    seen: set[str] = set()
    for file in sorted(path.rglob("*.py")):
        try:
            text = file.read_text("utf-8")
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, OSError):
            continue
        imports = [line for line in text.split("\n") if _IMPORTS.match(line)]
        for node in units(tree):
            lines = text.split("\n")[node.lineno - 1 : node.end_lineno]
            code = textwrap.dedent("\n".join(lines))
            if not (_LOSS.search(code) and _TWO.search(code)):
                continue
            key = ast.dump(node)
            if key in seen:
                continue
            seen.add(key)
            where = f"{file.relative_to(path)}:{node.lineno} {node.name}"
            yield {"where": where, "imports": imports, "code": code, "label": None}


def units(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions, and classes that are small enough to be one loss."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.ClassDef):
            if (node.end_lineno or 0) - node.lineno < LARGEST:
                yield node
            else:
                pending += node.body
        elif isinstance(node, ast.FunctionDef):
            yield node


def tensor(value: object) -> Any:
    """An array of the formula as a tensor."""
    if isinstance(value, list):
        return [tensor(v) for v in value]
    if not isinstance(value, Array):
        return value
    dtype = {"float": torch.float64, "int": torch.int64, "bool": torch.bool}[value.kind]
    return torch.tensor(list(value.data), dtype=dtype).reshape(value.shape)


def agrees(term: Term, judged: Judged) -> bool | None:
    """Whether a term is what the definition's code computes in PyTorch, on draws of every size."""
    results = [_agrees(term, judged, Draw(rank=term.rank, **sizes)) for sizes in DRAWS]  # type: ignore[arg-type]
    if None in results:
        return None
    ratios = [r for r in results if r is not None]
    powers = [
        _power(ratio, sizes["temperature"]) for ratio, sizes in zip(ratios, DRAWS, strict=True)
    ]
    return None not in powers and (len(set(powers)) == 1 or _is_number(term))


def _is_number(term: Term) -> bool:
    return not hasattr(term.temperature, "text")


def _power(ratio: float, temperature: float) -> int | None:
    """The power of T that a ratio is: it stands among the factors of a term, not in its body."""
    for power in (0, -2, -1, 1, 2):
        if abs(abs(ratio) / temperature**power - 1) < 1e-6:
            return power
    return None


def _agrees(term: Term, judged: Judged, draw: Draw) -> float | None:
    assert term.definition is not None
    lab = Laboratory(term.body, judged.kinds, judged.roles, term.rank)
    parts = {"s": term.student, "t": term.teacher, "T": term.temperature, "y": term.labels,
             "pad": term.padding, "eps": term.smoothing, "h": term.hot, "k": term.old,
             "beta": term.scalar, "m": term.mask, "U": term.second}  # fmt: skip
    try:
        values = {k: tensor(lab.raw(n, draw, term.over)) for k, n in parts.items() if n is not None}
        body = lab.number(term.body, draw, term.over)
    except EvaluationError:
        return None
    rank = values["s"].dim()
    scope = {"F": F, "torch": torch, "axis": 1 if rank == 4 else rank - 1, **values}
    source = f"def f():\n{textwrap.indent(term.definition.code, '    ')}\n"
    try:
        exec(source, scope)
        expected = float(scope["f"]())
    except (NameError, RuntimeError, UnboundLocalError, IndexError, TypeError):
        return None
    return body / expected if expected else None


def is_harmless(tree: ast.Module) -> bool:
    """Whether a loss may be run: imports of a few libraries, no double underscores, no files."""
    for node in ast.walk(tree):
        paths = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        paths += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(path.split(".")[0] not in {"torch", "numpy", "math", "copy"} for path in paths):
            return False
        name = getattr(node, "attr", None) or getattr(node, "id", None) or ""
        dunder = name.startswith("__") and name not in {"__init__", "__call__"}
        if dunder or name in {"load", "save", "open", "exec", "eval", "hub", "utils", "compile",
                              "globals", "system", "classes", "ops", "distributed"}:  # fmt: skip
            return False
    return True


def code_agrees(explanation: Explanation, judged: Judged) -> list[bool]:
    """Whether the code, run by PyTorch, computes the formula of each loss that is called equal."""
    tree = ast.parse(explanation.source)
    if not is_harmless(tree):
        return []
    found: list[bool] = []
    for loss in judged.losses:
        if any(t.status != "equal" for t in loss.terms):
            continue
        draw = Draw(rank=loss.branches[0].rank, seed=11, batch=5, classes=6, temperature=2.5)
        with suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = tensor(evaluated(loss.entry.value, judged, draw, defaults=not loss.entry.owner))
            got = part_of(run(tree, loss, judged, draw, builtins=_ALLOWED), loss, judged)
            one = torch.as_tensor(value, dtype=torch.float64).detach()
            other = torch.as_tensor(got, dtype=torch.float64).detach()
            same = one.shape == other.shape
            found.append(same and torch.allclose(one, other, rtol=1e-6, atol=1e-8))
    return found


def look(loss: dict[str, Any], count: Count, *, verbose: bool) -> None:
    """Explain one loss and compare what is claimed."""
    source = "\n".join(loss["imports"]) + "\n" + textwrap.dedent(loss["code"])
    explanation = explain(source)
    outcome, label = explanation.verdict.outcome, loss["label"] or "none"
    count.verdicts[label, outcome] += 1
    if outcome != "equal":
        if verbose:
            print(f"{outcome:8} {label:8} {loss['where']}")
        return
    count.equal.append({**loss, "said": [x.en for x in explanation.summary]})
    if label == "wrong":
        count.clears.append(f"{loss['where']} {loss.get('mistakes')}")
    judged = judge(ast.parse(explanation.source), source)
    results = code_agrees(explanation, judged)
    count.code["not run" if not results else str(all(results))] += 1
    if results and not all(results):
        count.differing.append(f"code: {loss['where']}")
    for term in judged.terms:
        if term.status == "equal":
            same = agrees(term, judged)
            count.terms["not compared" if same is None else str(same)] += 1
            if same is False:
                count.differing.append(f"term {term.definition.key}: {loss['where']}")  # type: ignore[union-attr]
    if verbose:
        print(f"{outcome:8} {label:8} {loss['where']}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", type=Path, help="a JSONL file for the losses called equal")
    arguments = parser.parse_args()
    count = Count()
    for path in arguments.paths:
        for loss in losses_in(path):
            try:
                look(loss, count, verbose=arguments.verbose)
            except Exception as error:  # noqa: BLE001 - counted, and told by name
                count.failed.append(f"{loss['where']}: {type(error).__name__} {error}")
    for (label, outcome), number in sorted(count.verdicts.items()):
        print(f"{label:8} {outcome:8} {number}")
    print(f"false all-clears: {len(count.clears)}", *count.clears, sep="\n  ")
    print(f"losses called equal, run by PyTorch: {dict(count.code)}")
    print(f"terms called equal, beside the definition in PyTorch: {dict(count.terms)}")
    print(f"failed: {len(count.failed)}", *count.failed, sep="\n  ")
    print(f"differing: {len(count.differing)}", *count.differing, sep="\n  ")
    if arguments.keep is not None:
        lines = [json.dumps(loss, ensure_ascii=False) for loss in count.equal]
        arguments.keep.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
