"""Terms at another scale than their definition, or with its sign turned."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.judge import Judged, Loss, has_square_in_front
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.kept import name_at
from didact.check.explain.mistakes._look import Look, finding, place
from didact.check.explain.mistakes.channels_instead import in_formulas as over_channels
from didact.check.explain.mistakes.not_a_mixture import is_no_mixture
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CODES = {
    "KE105": ("NO-T2",),
    "KE106": ("SIGN-MISSING",),
    "KE113": ("BATCHMEAN-3D",),
    "KE114": ("KL-MEAN",),
    "KE119": ("MULTI-TEACHER-SUM",),
    "KE194": ("BATCH-SUM",),
}


def _of_term(
    judged: Judged, loss: Loss, term: Term, known: frozenset[str], places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    node = place(term.body, loss, places)
    if term.wrong_sign is not None and term.definition is not None:
        yield finding(
            "KE106", Severity.ERROR, node, _flipped(term.wrong_sign, places),
            formula=term.definition.formula,
        )  # fmt: skip
        return
    if term.law is None or term.law.is_one or term.definition is None:
        return
    if term.definition.key in GENERIC:
        return  # a comparison of any two parts, at any scale
    if term.law.constant < 0 and "SIGN-MISSING" not in known:
        fix = _turned(judged, term, places)
        yield finding("KE106", Severity.ERROR, node, fix, formula=term.definition.formula)
    powers = dict(term.law.powers)
    kinds = {"S": "BATCHMEAN-3D", "H·W": "BATCHMEAN-3D", "C": "KL-MEAN", "T": "NO-T2",
             "N": "MULTI-TEACHER-SUM", "B": "BATCH-SUM"}  # fmt: skip
    codes = {"BATCHMEAN-3D": "KE113", "KL-MEAN": "KE114", "NO-T2": "KE105",
             "MULTI-TEACHER-SUM": "KE119", "BATCH-SUM": "KE194"}  # fmt: skip
    covered = known | ({"NO-T2"} if {"T-POW1", "WEIGHT-TYPO", "T-TWICE"} & known else set())
    if {"REDUCE-KWARG", "CLASS-MEAN"} & known:
        covered |= {"KL-MEAN"}
    for size, power in powers.items():
        kind = kinds.get(size)
        if kind is None or kind in covered:
            continue
        grows = kind in {"BATCHMEAN-3D", "BATCH-SUM"}
        if grows != (power > 0) and kind != "MULTI-TEACHER-SUM":
            continue
        if kind == "NO-T2" and (len(loss.terms) == 1 or has_square_in_front(judged, term)):
            continue  # alone, T² only rescales the learning rate
        fix = _rescaled(kind, term, places, judged)
        alone = kind == "BATCH-SUM" and len(loss.terms) == 1
        severity = Severity.INFO if alone else Severity.WARNING
        yield finding(codes[kind], severity, node, fix, factor=term.law.text, size=size,
                       name=term.definition.name)  # fmt: skip


def _rescaled(kind: str, term: Term, places: Mapping[Node, ast.AST], judged: Judged) -> Fix | None:
    """The factor that is missing behind the call that computes the term."""
    node = places.get(term.body)
    if kind == "BATCH-SUM":
        return _batchmean(term, places)
    if not isinstance(node, ast.Call):
        return None
    if kind == "MULTI-TEACHER-SUM":
        return _averaged(judged, node)
    if kind == "KL-MEAN":
        return _summed(node)
    factor = None
    if kind == "NO-T2" and isinstance(term.temperature, Given | Constant):
        given = term.temperature
        text = given.text if isinstance(given, Given) else f"{given.value:g}"
        factor = f" * {text} ** 2"
    padded = term.rank == 3 and "attention_mask=" in ast.unparse(judged.tracer.tree)
    if kind == "BATCHMEAN-3D" and isinstance(term.student, Given) and not padded:
        name = name_at(judged, term.student, span(node))
        if name is None:
            return None
        sizes = f"{name}.size(1)" if term.rank == 3 else f"({name}.size(2) * {name}.size(3))"
        factor = f" / {sizes}"
    if factor is None:
        return None
    message = Text("Bring it to the scale of the definition", "恢复定义的尺度")
    return Fix((Edit(span(node), ast.unparse(node) + factor),), "unsafe", message)


def _averaged(judged: Judged, node: ast.Call) -> Fix | None:
    """``loss += term / len(teachers)`` where a loop over the teachers adds the terms up."""
    tree = judged.tracer.tree
    loops = [n for n in nodes_of(tree) if isinstance(n, ast.For)
             and any(inner is node for inner in nodes_of(n))]  # fmt: skip
    added = [n for loop in loops for n in nodes_of(loop) if isinstance(n, ast.AugAssign)
             and any(inner is node for inner in nodes_of(n.value))]  # fmt: skip
    if len(loops) != 1 or len(added) != 1 or not isinstance(loops[0].iter, ast.Name):
        return None
    count = f"len({loops[0].iter.id})"
    value = added[0].value
    product = isinstance(value, ast.Call) or (
        isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)
    )
    where = span(value)
    end = Span(where.end_line, where.end_column, where.end_line, where.end_column)
    start = Span(where.line, where.column, where.line, where.column)
    edits = [Edit(end, f" / {count}" if product else f") / {count}")]
    edits += [] if product else [Edit(start, "(")]
    return Fix(tuple(edits), "unsafe", Text("Average over the teachers", "对教师取平均"))


def _batchmean(term: Term, places: Mapping[Node, ast.AST]) -> Fix | None:
    """``reduction="sum"`` of a divergence as ``"batchmean"``."""
    for part in walk(term.body):
        node = places.get(part)
        if not isinstance(part, Call) or part.name != "kl_div" or not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg == "reduction" and ast.unparse(keyword.value) == "'sum'":
                edit = Edit(span(keyword.value), "'batchmean'")
                return Fix((edit,), "unsafe", Text("Average over the batch", "对批取平均"))
    return None


def _summed(node: ast.Call) -> Fix | None:
    """``jnp.mean(p * log q)`` with the sum over the classes inside."""
    inner = node.args[0] if len(node.args) == 1 and not node.keywords else None
    library, name = ast.unparse(node.func).rpartition(".")[::2]
    sums = {("tf", "reduce_mean"): "tf.reduce_sum", ("jnp", "mean"): "jnp.sum"}
    function = sums.get((library, name))
    if function is None or not isinstance(inner, ast.BinOp):
        return None
    edit = Edit(span(inner), f"{function}({ast.unparse(inner)}, axis=-1)")
    return Fix((edit,), "unsafe", Text("Sum over the classes", "先对类别求和"))


def _flipped(part: Node, places: Mapping[Node, ast.AST]) -> Fix | None:
    """The fix of a sum in which one sign is wrong: only ``a + b`` with the addend on the right."""
    inner = part.args[0] if isinstance(part, Call) and part.name == "neg" else part
    node = places.get(inner)
    if not isinstance(node, ast.expr):
        return None
    source = ast.unparse(node)
    return Fix((Edit(span(node), f"-{source}" if inner is part else source),), "unsafe",
               Text("Change the sign", "改变符号"))  # fmt: skip


def _turned(judged: Judged, term: Term, places: Mapping[Node, ast.AST]) -> Fix | None:
    """The minus before a term taken away, its difference turned round, else a minus more."""
    message = Text("Change the sign", "改变符号")
    body = places.get(term.body)
    around = _minus_around(judged, body) if body is not None else None
    if around is not None:
        return Fix((around,), "unsafe", message)
    for part in walk(term.body):
        node = places.get(part) if isinstance(part, Call) and part.name == "sub" else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            sides = (node.left, node.right)
            if all(isinstance(side, ast.Name | ast.Call | ast.Attribute) for side in sides):
                edits = [Edit(span(a), ast.unparse(b)) for a, b in (sides, sides[::-1])]
                return Fix(tuple(edits), "unsafe", message)
    if not isinstance(body, ast.Call | ast.Name):
        return None
    return Fix((Edit(span(body), f"-{ast.unparse(body)}"),), "unsafe", message)


def _minus_around(judged: Judged, body: ast.AST) -> Edit | None:
    """``-kd`` without its minus, ``ce - kd`` as a sum."""
    for node in nodes_of(judged.tracer.tree):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            within = list(nodes_of(node.operand))
            if any(n is body for n in within) and not any(isinstance(n, ast.Add) for n in within):
                where = span(node)
                return Edit(Span(where.line, where.column, where.line, where.column + 1), "")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            within = list(nodes_of(node.right))
            if any(n is body for n in within) and not any(isinstance(n, ast.Add) for n in within):
                return Edit(span(node), f"{ast.unparse(node.left)} + {ast.unparse(node.right)}")
    return None


def in_formulas(look: Look) -> Iterator[Finding]:
    """Term by term."""
    if any(over_channels(look)):
        return  # softened over other numbers than those that are divided by
    for loss in look.judged.losses:
        no_square = {"NO-T2"} if is_no_mixture(look, loss) else set()
        for term in loss.terms:
            known = look.known | no_square
            yield from _of_term(look.judged, loss, term, known, look.places)
