"""A student's side without gradient."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.words.summary import CUT_ALONE, CUT_BESIDE, CUT_UNKNOWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CODES = {"KE123": ("STUDENT-CUT",)}


# A student without gradient


def _cut_students(judged: Judged, loss: Loss) -> Iterator[Finding]:
    dead = [t for t in loss.terms if t.dead and not t.cut and t.definition is not None
            and t.definition.key != "ewc"]  # fmt: skip
    if not dead:
        return
    students = {
        judged.tracer.labels.get(g, g.text) for t in dead if t.student is not None
        for g in leaves(t.student)
    }  # fmt: skip
    block = _block_of(judged.tracer.tree, students)
    if block is None:
        place, fix = _detached_student(judged, loss, dead)
        yield finding("KE123", Severity.ERROR, place or loss.entry.node, fix, how="detach",
                       effect=effect_of_cut(loss))  # fmt: skip
        return
    yield finding(
        "KE123", Severity.ERROR, block.items[0].context_expr, _moved_out(block, students),
        how=ast.unparse(block.items[0].context_expr), effect=effect_of_cut(loss),
    )  # fmt: skip


def effect_of_cut(loss: Loss) -> Text:
    """What a term without gradient does to its loss: nothing beside others, an error alone."""
    others = [t for t in loss.terms if not t.dead and not t.cut]
    if any(t.definition is not None for t in others):
        return CUT_BESIDE
    return CUT_ALONE if not others and loss.entry.how == "backward" else CUT_UNKNOWN


def _detached_student(
    judged: Judged, loss: Loss, dead: list[Term]
) -> tuple[ast.AST | None, Fix | None]:
    """The ``detach()`` on the student's side, and the change that takes it away."""
    detached = [
        n for n in nodes_of(judged.tracer.tree)
        if _owner(n) is not None
    ]  # fmt: skip
    for node in detached:
        value = judged.tracer.values.get(id(node))
        inside = isinstance(value, Call) and any(
            value in set(walk(t.body)) and t.student in set(walk(value)) for t in dead
        )
        if inside:
            return node, _let_through(judged.tracer.tree, node)
    own = [n for n in detached if any(n is inner for inner in nodes_of(loss.entry.node))]
    if len(own) == 1 and len(detached) == 1:  # behind an `if`, where the formula has branches
        return own[0], _let_through(judged.tracer.tree, own[0])
    return None, None


def _owner(node: ast.AST) -> ast.expr | None:
    """``x`` of ``x.detach()`` and ``x.data``."""
    if isinstance(node, ast.Attribute):
        return node.value if node.attr == "data" else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value if node.func.attr == "detach" else None
    return None


def _let_through(tree: ast.Module, detached: ast.AST) -> Fix:
    """The tensor without its ``detach()``, which goes to the other side where that has none."""
    owner = _owner(detached)
    edits = [Edit(span(detached), ast.unparse(owner))] if owner is not None else []
    stored = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)
              and isinstance(n.ctx, ast.Store)}  # fmt: skip
    for call in nodes_of(tree):
        if not isinstance(call, ast.Call) or len(call.args) != 2 or detached not in call.args:
            continue
        other = next(a for a in call.args if a is not detached)
        if isinstance(other, ast.Name) and other.id not in stored:
            edits.append(Edit(span(other), f"{other.id}.detach()"))
    return Fix(tuple(edits), "unsafe", Text("Let the gradient through", "让梯度通过"))


def _cut_forwards(tree: ast.Module) -> Iterator[Finding]:
    """A student's forward pass inside ``no_grad`` where a ``backward()`` comes behind."""
    backwards = [n.lineno for n in nodes_of(tree) if isinstance(n, ast.Call)
                 and last_name(n.func) == "backward"]  # fmt: skip
    for block in nodes_of(tree):
        if not isinstance(block, ast.With) or not _freezes(block):
            continue
        if not any(line > (block.end_lineno or block.lineno) for line in backwards):
            continue
        for statement in block.body:
            value = statement.value if isinstance(statement, ast.Assign) else None
            forward = isinstance(value, ast.Call) and role_of(ast.unparse(value.func))
            if forward is Role.STUDENT and isinstance(statement, ast.Assign):
                names = {ast.unparse(statement.targets[0]), ast.unparse(statement.value)}
                how = block.items[0].context_expr
                yield finding("KE123", Severity.ERROR, how, _moved_out(block, names),
                               how=ast.unparse(how), effect=CUT_UNKNOWN)  # fmt: skip
                return


def _freezes(block: ast.With) -> bool:
    return any(
        last_name(getattr(i.context_expr, "func", i.context_expr)) in {"no_grad", "inference_mode"}
        for i in block.items
    )


def _block_of(tree: ast.Module, names: set[str]) -> ast.With | None:
    """The innermost block without a graph that reads the student."""
    found = None
    for node in nodes_of(tree):
        if isinstance(node, ast.With) and any(
            last_name(getattr(i.context_expr, "func", i.context_expr))
            in {"no_grad", "inference_mode"} for i in node.items
        ) and _reads(node.body, names):  # fmt: skip
            found = node
    return found


def _reads(body: list[ast.stmt], names: set[str]) -> bool:
    bare = {n.split("(", 1)[0] for n in names}
    return any(
        (isinstance(n, ast.Name) and n.id in bare) or ast.unparse(n) in names
        for s in body for n in nodes_of(s) if isinstance(n, ast.Name | ast.Call)
    )  # fmt: skip


def _moved_out(block: ast.With, names: set[str]) -> Fix | None:
    """The student's statements behind the block, where they are its last ones."""
    carried = set(names)
    late: list[ast.stmt] = []
    for statement in block.body:
        if late or _reads([statement], carried):
            late.append(statement)
            carried |= {n.id for n in nodes_of(statement) if isinstance(n, ast.Name)
                        and isinstance(n.ctx, ast.Store)}  # fmt: skip
    if not late or not all(_reads([s], carried) for s in late):
        return None
    message = Text("Move the student out of the block", "把学生移到块外")
    indent = " " * block.col_offset
    edits = []
    if len(late) == len(block.body):
        head = Span(block.lineno, block.col_offset, block.body[0].lineno, block.body[0].col_offset)
        edits.append(Edit(head, ""))
        late = late[1:]
    for statement in late:
        if any(s.end_lineno == statement.lineno for s in block.body if s is not statement):
            return None
        margin = Span(statement.lineno, 0, statement.lineno, statement.col_offset)
        edits.append(Edit(margin, indent))
    return Fix(tuple(edits), "unsafe", message)


def in_formulas(look: Look) -> Iterator[Finding]:
    """In PyTorch alone."""
    if not look.is_torch:
        return
    if not {"STUDENT-NO-GRAD", "GRAPH-CUT", "ITEM-IN-GRAPH"} & look.known:
        for loss in look.judged.losses:
            yield from _cut_students(look.judged, loss)
    if not any(t.dead for t in look.judged.terms) and "STUDENT-NO-GRAD" not in look.known:
        yield from _cut_forwards(look.judged.tracer.tree)
