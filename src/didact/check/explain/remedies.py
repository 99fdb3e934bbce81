"""Changes that take a mistake of the training away, where the code shows what was meant."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from didact.check.correct.site import span
from didact.check.engine.names import is_loss, is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.findings.finding import Edit, Finding, Severity, Span


def remedies(tree: ast.Module, finding: Finding, kinds: tuple[str, ...]) -> list[list[Edit]]:
    """The ways to mend a finding that no corrector of ``check`` mends; columns are bytes."""
    found = [list(edits) for kind in kinds if kind in _BY_KIND
             for edits in [list(_BY_KIND[kind](tree, finding))]]  # fmt: skip
    return [edits for edits in found if edits]


def _at(tree: ast.Module, finding: Finding) -> Iterator[ast.AST]:
    for node in nodes_of(tree):
        if isinstance(node, ast.expr | ast.stmt) and span(node) == finding.span:
            yield node


def _added_up(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``total = loss`` in a loop as ``total += loss``."""
    for node in _at(tree, finding):
        if isinstance(node, ast.Assign):
            target = text_of(node.targets[0])
            yield Edit(span(node), f"{target} += {ast.unparse(node.value)}")
            return


def _exchanged(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """The two weights of a moving average, each in the other's place."""
    for node in _at(tree, finding):
        for inner in nodes_of(node):
            pair = _weights_of(inner)
            if pair is not None:
                one, other = pair
                yield Edit(span(one), ast.unparse(other))
                yield Edit(span(other), ast.unparse(one))
                return


def _weights_of(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """``a`` and ``b`` of ``p.mul_(a).add_(q, alpha=b)``, ``p`` and ``q`` of ``a * p + b * q``."""
    if isinstance(node, ast.Call) and last_name(node.func) == "add_":
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        alpha = next((k.value for k in node.keywords if k.arg == "alpha"), None)
        if isinstance(inner, ast.Call) and last_name(inner.func) == "mul_" and inner.args and alpha:
            return inner.args[0], alpha
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_averaged_in(side) for side in (node.left, node.right)]
        if sides[0] is not None and sides[1] is not None:
            return sides[0], sides[1]
    return None


def _averaged_in(node: ast.expr) -> ast.expr | None:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return None
    others = [side for side in (node.left, node.right) if not _is_weight(side)]
    return others[0] if len(others) == 1 else None


def _is_weight(node: ast.expr) -> bool:
    """A number, a plain name, an attribute of self, or 1 minus one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return isinstance(node.left, ast.Constant) and _is_weight(node.right)
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "self"
    return isinstance(node, ast.Constant | ast.Name)


def _trained_again(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``model.train()`` at the start of the outermost loop that ends in evaluation mode."""
    for node in _at(tree, finding):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        loops = [n for n in nodes_of(tree) if isinstance(n, ast.For | ast.While)
                 and any(inner is node for inner in nodes_of(n))]  # fmt: skip
        if not loops:
            return
        first = loops[0].body[0]
        place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
        indent = " " * first.col_offset
        yield Edit(place, f"{ast.unparse(node.func.value)}.train()\n{indent}")
        return


def _given_to_the_optimiser(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``[*student.parameters(), *regressor.parameters()]``."""
    made = next((n for n in _at(tree, finding) if isinstance(n, ast.Assign)), None)
    if made is None or not isinstance(made.targets[0], ast.Name):
        return
    name = made.targets[0].id
    for node in nodes_of(tree):
        first = node.args[0] if isinstance(node, ast.Call) and node.args else None
        if isinstance(first, ast.Call) and last_name(first.func) == "parameters":
            late = node.lineno < made.lineno  # type: ignore[attr-defined]
            if late:
                return
            yield Edit(span(first), f"[*{ast.unparse(first)}, *{name}.parameters()]")
            return


def _per_place(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``/ (h * w)`` behind a ``kl_div`` of maps whose height and width have names.

    Of sequences whose number of positions has none, each position as a row.
    """
    names = _sizes(tree)
    if not names:
        yield from _rows(tree, finding)
        return
    for node in _at(tree, finding):
        if isinstance(node, ast.Call) and last_name(node.func) == "kl_div":
            count = " * ".join(names)
            shown = f"({count})" if len(names) > 1 else count
            yield Edit(span(node), f"{ast.unparse(node)} / {shown}")
            return


def _sizes(tree: ast.Module) -> list[str]:
    """The names of the sizes behind the classes in ``b, c, h, w = x.shape``, or ``b, s, v``."""
    for node in nodes_of(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Tuple):
            continue
        if not ast.unparse(node.value).endswith((".shape", ".size()")):
            continue
        names = [ast.unparse(e) for e in node.targets[0].elts]
        sizes = names[2:] if len(names) == 4 else names[1:2] if len(names) == 3 else []
        if sizes and "_" not in sizes:
            return sizes
    return []


def without_return(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions that compute a loss or an output, by their name, and give nothing back."""
    for node in nodes_of(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        inner = list(nodes_of(node))
        gives = any(isinstance(n, ast.Return | ast.Yield | ast.YieldFrom | ast.Raise)
                    for n in inner)  # fmt: skip
        last = node.body[-1]
        if gives or not isinstance(last, ast.Assign) or not isinstance(last.targets[0], ast.Name):
            continue
        trains = any(isinstance(n, ast.Attribute) and n.attr == "backward" for n in inner)
        of_loss = is_loss(node.name) and is_loss(last.targets[0].id) and not trains
        if node.name in {"compute_loss", "forward"} or of_loss:
            yield node


def returned_at_the_end(function: ast.FunctionDef) -> list[Edit]:
    """The value that a function computes last given back."""
    last = function.body[-1]
    where = span(last)
    name = last.targets[0].id  # type: ignore[attr-defined]
    arguments = {a.arg for a in [*function.args.args, *function.args.kwonlyargs]}
    outputs = outputs_of(function)
    given = f"({name}, {outputs}) if return_outputs else {name}"
    given = given if outputs and "return_outputs" in arguments else name
    end = Span(where.end_line, where.end_column, where.end_line, where.end_column)
    return [Edit(end, f"\n{' ' * function.body[0].col_offset}return {given}")]


def outputs_of(function: ast.FunctionDef) -> str:
    """The name that holds what the model that is trained puts out."""
    return next(
        (n.targets[0].id for n in function.body if isinstance(n, ast.Assign)
         and isinstance(n.targets[0], ast.Name) and isinstance(n.value, ast.Call)
         and ast.unparse(n.value.func) in {"model", "self.model"}), "",
    )  # fmt: skip


def _cleared_first(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``zero_grad()`` before the ``backward()`` that it stands behind."""
    for node in nodes_of(tree):
        body = getattr(node, "body", None)
        block: list[ast.stmt] = body if isinstance(body, list) else []
        for at, late in enumerate(block):
            if not isinstance(late, ast.Expr) or late.lineno != finding.span.line:
                continue
            if not ast.unparse(late).endswith(".zero_grad()"):
                continue
            back = next((s for s in reversed(block[:at]) if isinstance(s, ast.Expr)
                         and ".backward(" in ast.unparse(s)), None)  # fmt: skip
            if back is None:
                return
            if block[at - 1] is back:
                yield Edit(span(back), ast.unparse(late))
                yield Edit(span(late), ast.unparse(back))
            elif not any(s is not late and s.lineno == late.lineno for s in block):
                start = Span(back.lineno, back.col_offset, back.lineno, back.col_offset)
                yield Edit(start, f"{ast.unparse(late)}\n{' ' * back.col_offset}")
                yield Edit(Span(late.lineno, 0, late.lineno + 1, 0), "")
            return


def _the_student_instead(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``SGD(teacher.parameters())`` with the student that the code runs."""
    students = {
        ast.unparse(n.func) for n in nodes_of(tree)
        if isinstance(n, ast.Call) and is_model(ast.unparse(n.func))
        and role_of(ast.unparse(n.func)) is Role.STUDENT
    }  # fmt: skip
    for node in nodes_of(tree):
        first = node.args[0] if isinstance(node, ast.Call) and node.args else None
        if getattr(node, "lineno", 0) != finding.span.line or not isinstance(first, ast.Call):
            continue
        owner = first.func.value if isinstance(first.func, ast.Attribute) else None
        alone = owner is not None and role_of(ast.unparse(owner)) is Role.TEACHER
        if alone and last_name(first.func) == "parameters" and len(students) == 1:
            yield Edit(span(owner), students.pop())  # type: ignore[arg-type]
            return


def _kept_as_it_is(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``torch.tensor(loss)`` and ``Variable(loss.data)`` as the loss itself."""
    again = {id(n.value): n for n in nodes_of(tree) if isinstance(n, ast.Assign)}
    for node in nodes_of(tree):
        if not isinstance(node, ast.Call) or node.lineno != finding.span.line or not node.args:
            continue
        if last_name(node.func) not in {"tensor", "as_tensor", "Variable", "FloatTensor"}:
            continue
        value = node.args[0]
        if isinstance(value, ast.Attribute) and value.attr == "data":
            value = value.value
        elif isinstance(value, ast.Call) and last_name(value.func) in {"item", "detach"}:
            value = value.func.value if isinstance(value.func, ast.Attribute) else value
        statement = again.get(id(node))
        if statement is not None and ast.unparse(statement.targets[0]) == ast.unparse(value):
            yield Edit(Span(statement.lineno, 0, statement.lineno + 1, 0), "")
            return
        if not isinstance(value, ast.List | ast.Tuple | ast.Constant):
            yield Edit(span(node), ast.unparse(value))
            return


def _student_with_graph(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """The block without a graph around the teacher's statements alone."""
    for function in nodes_of(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = function.lineno <= finding.span.line <= (function.end_lineno or 0)
        for mark in function.decorator_list if inside else ():
            if "no_grad" in ast.unparse(mark):
                yield Edit(Span(mark.lineno, 0, mark.lineno + 1, 0), "")
                return
    for block in nodes_of(tree):
        if not isinstance(block, ast.With) or "no_grad" not in ast.unparse(block.items[0]):
            continue
        targets = [s.targets[0] for s in block.body if isinstance(s, ast.Assign)]
        if len(targets) != len(block.body) or not all(isinstance(t, ast.Name) for t in targets):
            continue
        frozen = [s for s in block.body if isinstance(s, ast.Assign) and isinstance(
            s.value, ast.Call) and role_of(ast.unparse(s.value.func)) is Role.TEACHER]  # fmt: skip
        others = [s for s in block.body if s not in frozen]
        named = {t.id for t in targets if isinstance(t, ast.Name)}
        if not others or any(isinstance(n, ast.Name) and n.id in named for s in frozen
                             for n in nodes_of(s.value)):  # fmt: skip
            continue
        margin = " " * block.col_offset
        lines = [f"{ast.unparse(block).split(chr(10))[0]}"] if frozen else []
        lines += [f"{margin}    {ast.unparse(s)}" for s in frozen]
        lines += [f"{margin}{ast.unparse(s)}" for s in others]
        yield Edit(span(block), "\n".join(lines).lstrip())
        return


def _rows(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``.flatten(0, -2)`` behind both softmaxes over the last dimension."""
    for node in _at(tree, finding):
        if finding.severity is Severity.INFO or not isinstance(node, ast.Call):
            continue
        sides = [
            n for n in node.args if isinstance(n, ast.Call)
            and last_name(n.func) in {"softmax", "log_softmax"}
            and any(ast.unparse(d) in {"-1", "2"} for d in _dims(n))
        ]  # fmt: skip
        if len(sides) == 2 == len(node.args):
            yield from (Edit(span(n), f"{ast.unparse(n)}.flatten(0, -2)") for n in sides)
            return


def _dims(node: ast.Call) -> list[ast.expr]:
    """The dimension of a softmax."""
    named = [k.value for k in node.keywords if k.arg == "dim"]
    return named or node.args[-1:]


def _over_the_classes(tree: ast.Module, finding: Finding) -> Iterator[Edit]:
    """``dim=-1`` in both softmaxes of a divergence that is summed over the last dimension."""
    for node in _at(tree, finding):
        if not isinstance(node, ast.Call) or last_name(node.func) != "kl_div":
            continue
        softmaxes = [n for n in node.args if isinstance(n, ast.Call)
                     and last_name(n.func) in {"softmax", "log_softmax"}]  # fmt: skip
        dims = [d for n in softmaxes for d in _dims(n)]
        if len(dims) == 2 and all(ast.unparse(d) == "1" for d in dims):
            yield from (Edit(span(d), "-1") for d in dims)
            return


_BY_KIND: dict[str, Callable[[ast.Module, Finding], Iterator[Edit]]] = {
    "OPT-HAS-TEACHER": _the_student_instead,
    "GRAPH-CUT": _kept_as_it_is,
    "ITEM-IN-GRAPH": _kept_as_it_is,
    "STUDENT-NO-GRAD": _student_with_graph,
    "ZERO-GRAD-LATE": _cleared_first,
    "SUM-OVERWRITTEN": _added_up,
    "EMA-REVERSED": _exchanged,
    "STUDENT-EVAL-MODE": _trained_again,
    "NOT-IN-OPTIMIZER": _given_to_the_optimiser,
    "BATCHMEAN-3D": _per_place,
    "DIM-SEQ": _over_the_classes,
}


def is_per_place(judged: Judged, line: int) -> bool:
    """Whether the divergence of a line is equal to its definition for maps or sequences."""
    for term in judged.terms:
        if term.rank < 3 or term.status != "equal":
            continue
        for node in nodes_of(judged.tracer.tree):
            value = judged.tracer.values.get(id(node))
            if getattr(node, "lineno", 0) == line and value is not None and value is term.body:
                return True
    return False
