"""A value that is computed and that nothing reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss, is_model, is_temperature, role_of, words
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import (
    Function,
    blocks_of,
    calls_in,
    loops_around,
    reads,
    scopes_of,
    target_of,
)
from didact.check.explain.mistakes._losses import LOSSES
from didact.check.explain.mistakes.dead_norm import normalised_name
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

UNREAD = "KE150"
OTHER = "KE168"
CODES = {UNREAD: ("VALUE-UNREAD",), OTHER: ("SUM-NOT-TRAINED",)}
_COUNTERS = frozenset({"epoch", "step", "iteration", "iter", "it", "ep", "progress", "global"})
_WEIGHTS = frozenset(
    {
        "alpha", "beta", "gamma", "lam", "lambda", "lamb", "lmbda", "lamda", "weight", "coef",
        "coeff", "ratio", "mu", "eta", "w", "wt", "scale", "lr", "decay", "momentum",
    }
)  # fmt: skip
_TENSORS = frozenset(
    {
        "softmax", "log_softmax", "sigmoid", "normalize", "mean", "sum", "stack", "cat", "where",
        "view", "reshape", "permute", "transpose", "unsqueeze", "squeeze", "clamp", "pow", "abs",
        "exp", "log", "sqrt", "one_hot", "detach", "clone", "bmm", "matmul", "ne", "eq", "index",
        "gather", "flatten", "masked_fill", "relu", "interpolate", "float",
    }
)  # fmt: skip
_NOW = re.compile(r"(cur|curr|current|now|new|this|epoch|step|eff|anneal\w*|dyn\w*)_T$")
_ASIDE = frozenset(
    {
        "pred", "preds", "predicted", "acc", "accuracy", "correct", "time", "start", "end", "best",
        "elapsed", "seconds", "msg", "log", "eta", "size", "num", "count", "total", "hits",
    }
)  # fmt: skip
"""What such names hold is for the log."""


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Scope by scope, where the code goes on to a loss that is returned or goes back."""
    for scope in scopes_of(tree):
        ends = [n.lineno for n in calls_in(scope, "backward")]
        ends += [n.lineno for n in nodes_of(scope) if isinstance(n, ast.Return) and n.value]
        if not ends or reads(scope, "locals"):
            continue
        for block in blocks_of(scope):
            for statement in block:
                name = target_of(statement)
                if not name or name.startswith("_") or reads(tree, name):
                    continue
                if _is_on_the_way(tree, statement, ends) and not _is_shared(scope, name):
                    yield from _unread(statement, name, block, scope)


def _is_on_the_way(tree: ast.Module, statement: ast.stmt, ends: list[int]) -> bool:
    """Whether a loss comes behind a statement, in its own or in the next round."""
    if any(line > statement.lineno for line in ends):
        return True
    return any(calls_in(loop, "backward") for loop in loops_around(tree, statement))


def _is_shared(scope: ast.Module | Function, name: str) -> bool:
    return any(name in n.names for n in nodes_of(scope) if isinstance(n, ast.Global | ast.Nonlocal))


def _unread(
    statement: ast.stmt, name: str, block: list[ast.stmt], scope: ast.AST
) -> Iterator[Finding]:
    value = statement.value  # type: ignore[attr-defined]
    called = {_name_of(n.func) for n in nodes_of(value) if isinstance(n, ast.Call)}
    if _is_total(name, value):
        yield from _other_goes_back(statement, name, value, block)
        return
    if is_loss(name) or called & LOSSES or any(map(is_loss, called)):
        return  # a rule of check finds them
    normalised = normalised_name(value)
    if normalised is not None and "norm" in name.lower():
        return  # so does dead_norm
    parts = set(words(name))
    if _is_scheduled(name, value):
        yield _schedule(statement, name, value, block)
    elif _is_mask(parts, value):
        fix = _masked(name, statement, scope)
        yield _found("KE150-MASK", statement, Severity.WARNING, fix, name=name)
    elif _is_output(value):
        if sum(_is_output(n) and ast.unparse(n.func) == ast.unparse(value.func)
               for n in nodes_of(scope) if isinstance(n, ast.Call)) == 1:  # fmt: skip
            model = ast.unparse(value.func)
            yield _found("KE150-OUTPUT", statement, Severity.WARNING, name=name, model=model)
    elif not parts & _ASIDE and called & _TENSORS:
        yield _found(UNREAD, statement, Severity.INFO, name=name)


def _is_total(name: str, value: ast.expr) -> bool:
    """Whether a value is a sum of losses that have names."""
    parts = {n.id for n in nodes_of(value) if isinstance(n, ast.Name)}
    calls = any(isinstance(n, ast.Call) for n in nodes_of(value))
    named = is_loss(name) or "total" in words(name)
    return named and isinstance(value, ast.BinOp) and not calls and any(map(is_loss, parts))


def _other_goes_back(
    statement: ast.stmt, name: str, value: ast.expr, block: list[ast.stmt]
) -> Iterator[Finding]:
    """``total = ce + kd`` and then ``ce.backward()``."""
    parts = {n.id for n in nodes_of(value) if isinstance(n, ast.Name)}
    for call in [c for s in block if s.lineno >= statement.lineno for c in calls_in(s, "backward")]:
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id in parts:
            fix = Fix(
                (Edit(span(owner), name),), "unsafe", Text("Go back from the sum", "对总和反传")
            )
            message = OWN[OTHER].format(name=name, other=owner.id)
            yield Finding(OTHER, Severity.ERROR, span(call), message, fix)


def _is_mask(parts: set[str], value: ast.expr) -> bool:
    """Whether a value selects positions: a comparison called a mask, or of labels."""
    compared = any(
        isinstance(n, ast.Compare)
        or (isinstance(n, ast.Call) and _name_of(n.func) in {"ne", "eq", "gt", "lt"})
        for n in nodes_of(value)
    )
    ignored = any(isinstance(n, ast.Constant) and n.value == 100 for n in nodes_of(value))
    return compared and ("mask" in parts or ignored)


def _masked(name: str, statement: ast.stmt, scope: ast.AST) -> Fix | None:
    """``(kl * mask).sum() / mask.sum()`` where the loss of each position has a name."""
    each = {target_of(s) for s in nodes_of(scope) if isinstance(s, ast.Assign)
            and "reduction='none'" in ast.unparse(s.value)}  # fmt: skip
    means = [
        n for n in calls_in(scope, "mean")
        if not n.args and not n.keywords and n.lineno > statement.lineno
        and isinstance(n.func, ast.Attribute) and ast.unparse(n.func.value) in each
    ]  # fmt: skip
    if len(means) != 1:
        return None
    owner = ast.unparse(means[0].func.value)  # type: ignore[attr-defined]
    text = f"(({owner} * {name}).sum() / {name}.sum())"
    message = Text("Average over the selected positions", "只对选中的位置取平均")
    return Fix((Edit(span(means[0]), text),), "unsafe", message)


def _is_scheduled(name: str, value: ast.expr) -> bool:
    """Whether a value is a weight or a temperature, or changes with the training."""
    if isinstance(value, ast.BinOp | ast.IfExp):
        return not _is_text(value) and (_changes(name) or _counts(value))
    called = isinstance(value, ast.Call) and _counts(value)
    return called and _changes(name) and "lr" not in words(name)


def _name_of(function: ast.expr) -> str:
    """The name of a function of tensors; those of numpy and os are others."""
    owner = ast.unparse(function).split(".")[0]
    return "" if owner in {"np", "numpy", "os", "math", "random"} else last_name(function)


def _is_text(value: ast.expr) -> bool:
    return any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in nodes_of(value))


def _changes(name: str) -> bool:
    """Whether a name is that of a temperature or a weight; ``norm_T`` may be the teacher's."""
    if is_temperature(name):
        return not name.endswith("_T") or _NOW.match(name) is not None
    return bool(set(words(name)) & _WEIGHTS)


def _found(
    code: str, node: ast.AST, severity: Severity, fix: Fix | None = None, **values: object
) -> Finding:
    return Finding(UNREAD, severity, span(node), OWN[code].format(**values), fix)


def _counts(value: ast.expr) -> bool:
    """Whether a value changes with the epoch or the step."""
    return any(isinstance(n, ast.Name) and set(words(n.id)) & _COUNTERS for n in nodes_of(value))


def _is_output(value: ast.expr) -> bool:
    """Whether a value is what a teacher says."""
    name = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
    plain = bool(name) and name.replace(".", "").replace("_", "").isalnum()
    return plain and is_model(name) and role_of(name) is Role.TEACHER


def _schedule(statement: ast.stmt, name: str, value: ast.expr, block: list[ast.stmt]) -> Finding:
    """A temperature or a weight that was meant to change with the training."""
    known = {ast.unparse(n) for n in nodes_of(value) if isinstance(n, ast.Name | ast.Attribute)}
    bases = {k for k in known if is_temperature(k)} if is_temperature(name) else set()
    bases = bases or {k for k in known if is_temperature(k) or set(words(k)) & _WEIGHTS}
    users = [s for s in block if s is not statement and any(_is_one_of(n, bases)
             for n in nodes_of(s))]  # fmt: skip
    if not users:
        return _found("KE150-CHANGING", statement, Severity.WARNING, name=name)
    base = next(ast.unparse(n) for n in nodes_of(users[0]) if _is_one_of(n, bases))
    fix = _used_instead(statement, name, value, users, base, block)
    return _found("KE150-SCHEDULE", statement, Severity.WARNING, fix, name=name, base=base)


def _is_one_of(node: ast.AST, names: set[str]) -> bool:
    return (
        isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node) in names
    )


def _used_instead(
    statement: ast.stmt, name: str, value: ast.expr, users: list[ast.stmt], base: str,
    block: list[ast.stmt],
) -> Fix | None:  # fmt: skip
    """The new value in place of the old one, computed before its first use."""
    edits = [
        Edit(span(n), name) for user in users for n in nodes_of(user)
        if _is_one_of(n, {base})
    ]  # fmt: skip
    first = users[0]
    if first.lineno < statement.lineno:
        between = block[block.index(first) : block.index(statement)]
        made = {n.id for s in between for n in nodes_of(s) if isinstance(n, ast.Name)
                and isinstance(n.ctx, ast.Store)}  # fmt: skip
        needed = {n.id for n in nodes_of(value) if isinstance(n, ast.Name)}
        shared = any(s is not statement and s.lineno == statement.lineno for s in block)
        if made & needed or shared or statement.end_lineno != statement.lineno:
            return None
        place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
        edits.append(Edit(place, f"{ast.unparse(statement)}\n{' ' * first.col_offset}"))
        edits.append(Edit(Span(statement.lineno, 0, statement.lineno + 1, 0), ""))
    return Fix(tuple(edits), "unsafe", Text("Use the new value", "使用新算出的值"))
