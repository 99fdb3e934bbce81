"""Shapes that docstrings and comments tell: ``logits: (B, T, V)``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from didact.check.engine.rank_evidence import Rank
from didact.check.engine.spaces import Evidence

_BATCH = r"(?:[BNbn]|bs|bsz|batch\w*|num_?samples|n_?samples)"
_MORE = (
    r"(?:\*?\w*spatial\w*|\.\.\.|[A-Za-z]\w?|\w*_?(?:len|length|size|dim|tokens?|classes|labels)|"
    r"seq\w*|time\w*|frames?|tokens?|positions?|vocab\w*|class(?:es)?|channels?|height|width|depth|"
    r"num_\w+|n_\w+|\d+)"
)
_BETWEEN = r"(?:\s*[,×]\s*|\s+x\s+)"
_SHAPE = re.compile(rf"[\[(]\s*({_BATCH}(?:{_BETWEEN}{_MORE}(?:\s*[-+/]\s*\d+)?)+)\s*,?\s*[\])]")
_NAMED = re.compile(r"(?:^|[\s,;#`*])(\w+)`*\s*(?:\([^()]*\)\s*)?(?::|=|->|is)\s*([^:]*)")
_GENERAL = {"logits", "output", "outputs", "prediction", "predictions", "preds"}
"""Names in a docstring that stand for all parameters that end so."""


def rank_in(text: str) -> int | None:
    """The number of dimensions of the first shape in a text; nothing if it has none."""
    found = _SHAPE.search(text)
    if found is None:
        return None
    parts = [part for part in re.split(_BETWEEN, found[1]) if part.strip()]
    return len(parts) if len(parts) > 1 else None


def shapes_told(
    function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module, comments: Mapping[int, str]
) -> Iterator[tuple[str, Rank]]:
    """Names with the ranks that the docstring and the comments of a function tell."""
    lines = (ast.get_docstring(function, clean=False) or "").split("\n")
    if not isinstance(function, ast.Module) and comments:
        last = function.end_lineno or function.lineno
        lines += [comments[n] for n in range(function.lineno, last + 1) if n in comments]
    names = _parameters(function)
    for line in lines:
        if "(" not in line and "[" not in line:
            continue
        for named in _NAMED.finditer(line):
            count = rank_in(named[2])
            if count is None:
                continue
            rank = Rank(count, exact=False, why=Evidence.NAME)
            yield named[1], rank
            if named[1] in _GENERAL:
                yield from ((name, rank) for name in names if name.endswith(f"_{named[1]}"))


def _parameters(function: ast.AST) -> list[str]:
    signature = getattr(function, "args", None)
    if signature is None:
        return []
    return [a.arg for a in (*signature.posonlyargs, *signature.args, *signature.kwonlyargs)]
