"""Corrections of slices, labels, graph and teacher state."""

from __future__ import annotations

import ast

from didact.check.correct.site import Site
from didact.check.engine.names import is_temperature, role_of
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Edit, Span


def fill_slice(site: Site) -> list[Edit]:
    """``x[:0:k]`` as ``x[:, :k]``."""
    for node in ast.walk(site.node) if site.node is not None else ():
        if not isinstance(node, ast.Subscript):
            continue
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts:
            if is_empty(part) and isinstance(part, ast.Slice) and part.step is not None:
                return [site.replace(node, f"{site.text(node.value)}[:, :{site.text(part.step)}]")]
    return []


def class_columns(site: Site) -> list[Edit]:
    """``x[k:]`` as ``x[:, k:]``."""
    for node in ast.walk(site.node) if site.node is not None else ():
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            return [site.replace(node, f"{site.text(node.value)}[:, {site.text(node.slice)}]")]
    return []


def shift_labels(site: Site) -> list[Edit]:
    """Subtract the start of the sliced head from the labels."""
    use = site.use
    if use is None or use.input_node is None or use.target_node is None:
        return []
    start = _start(site, use.input_node)
    if start is None:
        return []
    simple = isinstance(use.target_node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    text = site.text(use.target_node)
    return [site.replace(use.target_node, f"{text if simple else f'({text})'} - {start}")]


def _start(site: Site, node: ast.expr) -> str | None:
    candidates = [node]
    value = site.analysis.value_of(node)
    if value is not None and value.origin is not None:
        candidates.append(value.origin)
    if isinstance(node, ast.Name):
        candidates += [
            s.value
            for s in ast.walk(site.analysis.tree)
            if isinstance(s, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == node.id for t in s.targets)
        ]
    for candidate in candidates:
        for inner in ast.walk(candidate):
            if isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Tuple):
                last = inner.slice.elts[-1]
                if isinstance(last, ast.Slice) and last.lower is not None:
                    return site.text(last.lower)
    return None


_CUTS = {"item", "detach", "cpu", "numpy"}
_WRAPPERS = {"float", "Variable", "tensor", "as_tensor"}


def without_call(site: Site) -> list[Edit]:
    """``loss.item()``, ``loss.data`` or ``torch.tensor(loss)`` as ``loss`` where it is added up."""
    if site.node is None:
        return []
    statement = site.analysis.statement_of(site.node)
    names = {
        n.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    for other in ast.walk(site.analysis.tree):
        if not isinstance(other, ast.Assign | ast.AugAssign | ast.Return) or other.value is None:
            continue
        for node in ast.walk(other.value):
            inner = _cut(node)
            cut = isinstance(inner, ast.Name) and inner.id in names
            if inner is not None and (cut or inner is site.node):
                return [site.replace(node, site.text(inner))]
    return []


def _cut(node: ast.AST) -> ast.expr | None:
    """What is taken out of the graph here, if anything is."""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        return node.value
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr in _CUTS and not node.args:
        return node.func.value
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return node.args[0] if name in _WRAPPERS and node.args else None


def keep_detached(site: Site) -> list[Edit]:
    """``x.detach()`` alone on a line as ``x = x.detach()``."""
    node = site.node
    call = node.value if isinstance(node, ast.Expr) else node
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        name = site.text(call.func.value)
        return [site.replace(call, f"{name} = {site.text(call)}")]
    return []


def teacher_without_graph(site: Site) -> list[Edit]:
    """The teacher's forward under ``torch.no_grad()``, if nothing else stands in its statement."""
    if site.node is None:
        return []
    statement = site.analysis.statement_of(site.node)
    indent = " " * getattr(statement, "col_offset", 0)
    if not isinstance(statement, ast.Assign) or not _is_alone(site.node, statement.value):
        return _run_before(site, site.node, statement, indent)
    text = site.text(statement)
    if "\n" in text:
        return []
    return [site.replace(statement, f"with torch.no_grad():\n{indent}    {text}")]


def _run_before(site: Site, forward: ast.AST, statement: ast.AST, indent: str) -> list[Edit]:
    """``t = teacher(x)`` under ``no_grad`` before a statement that calls it among other things."""
    simple = isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
    if not simple or not isinstance(forward, ast.Call):
        return []
    around = site.analysis.parent_of(forward)
    while around is not None and around is not statement:
        if isinstance(around, ast.Lambda | ast.comprehension | ast.IfExp | ast.BoolOp):
            return []
        if isinstance(around, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
            return []
        around = site.analysis.parent_of(around)
    on_line = [
        s for s in ast.walk(site.analysis.tree)
        if isinstance(s, ast.stmt) and s is not statement
        and statement.lineno in (s.lineno, s.end_lineno)  # type: ignore[attr-defined]
        and not (s.lineno < statement.lineno and hasattr(s, "body"))  # type: ignore[attr-defined]
    ]  # fmt: skip
    name = f"{ast.unparse(forward.func).rsplit('.', 1)[-1]}_out"
    taken = {n.id for n in ast.walk(site.analysis.tree) if isinstance(n, ast.Name)}
    text = site.text(forward)
    if on_line or name in taken or not name.isidentifier() or "\n" in text:
        return []
    line, column = statement.lineno, statement.col_offset  # type: ignore[attr-defined]
    before = f"with torch.no_grad():\n{indent}    {name} = {text}\n{indent}"
    return [Edit(Span(line, column, line, column), before), site.replace(forward, name)]


def _is_alone(forward: ast.AST, value: ast.expr) -> bool:
    """Whether a value is made of the forward, modules and a temperature, of no other tensor."""
    inside = {id(n) for n in ast.walk(forward)}
    others = {n.id for n in ast.walk(value) if isinstance(n, ast.Name) and id(n) not in inside}
    return all(n in {"torch", "F", "nn", "self"} or is_temperature(n) for n in others)


def evaluated_teacher(site: Site) -> list[Edit]:
    """``teacher.eval()`` behind the line that builds it; before its forward where it is a part."""
    for forward in site.analysis.forwards:
        if role_of(forward.model.split(".")[-1]) is not Role.TEACHER:
            continue
        if not site.analysis.owns(forward.node):
            continue
        built = [
            n for n in ast.walk(site.analysis.tree)
            if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == forward.model
        ]  # fmt: skip
        run = site.analysis.statement_of(forward.node)
        indent = " " * getattr(run, "col_offset", 0)
        if forward.model.startswith("self.") and not _is_trainer(forward.scope.owner):
            around = site.analysis.parent_of(run)
            run = around if isinstance(around, ast.With) else run
            indent = " " * getattr(run, "col_offset", 0)
            text = f"{forward.model}.eval()\n{indent}{site.text(run)}"
            return [site.replace(run, text)]
        if len(built) == 1:
            indent = " " * built[0].col_offset
            text = f"{site.text(built[0])}\n{indent}{forward.model}.eval()"
            return [site.replace(built[0], text)]
    return []


def _is_trainer(owner: ast.ClassDef | None) -> bool:
    """Whether a class is no module, so that nothing puts its parts back to training."""
    bases = [ast.unparse(base) for base in owner.bases] if owner is not None else []
    return not any("Module" in base for base in bases)


def detached_target(site: Site) -> list[Edit]:
    """``.detach()`` behind a target that belongs to a graph."""
    use = site.use
    if use is None or use.target_node is None:
        return []
    simple = isinstance(use.target_node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    text = site.text(use.target_node)
    return [site.replace(use.target_node, f"{text if simple else f'({text})'}.detach()")]


def same_positions(site: Site) -> list[Edit]:
    """The teacher's ``x[:, 1:]`` as ``x[:, :-1]``, where it is cut only once in the file."""
    found = [
        (n, e) for n in ast.walk(site.analysis.tree)
        if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Tuple)
        and role_of(ast.unparse(n.value).split(".")[0]) is Role.TEACHER
        for e in n.slice.elts if ast.unparse(e) == "1:"
    ]  # fmt: skip
    return [site.replace(found[0][1], ":-1")] if len(found) == 1 else []


def student_alone(site: Site) -> list[Edit]:
    """``list(s.parameters()) + list(teacher.parameters())`` as ``s.parameters()``."""
    for node in ast.walk(site.analysis.tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
            continue
        owners = [_owner_of_parameters(part) for part in (node.left, node.right)]
        roles = [role_of(ast.unparse(o)) if o is not None else Role.UNKNOWN for o in owners]
        for place, other in ((0, 1), (1, 0)):
            kept = owners[other]
            if roles[place] is Role.TEACHER and roles[other] is not Role.TEACHER and kept:
                return [site.replace(node, f"{site.text(kept)}.parameters()")]
    return _student_instead(site)


def _student_instead(site: Site) -> list[Edit]:
    """``SGD(teacher.parameters())`` with the parameters of the only student that is run."""
    made = site.node if isinstance(site.node, ast.Call) else None
    owner = _owner_of_parameters(made) if made is not None else None
    students = {
        forward.model for forward in site.analysis.forwards
        if role_of(forward.model) is Role.STUDENT and not forward.under_no_grad
    }  # fmt: skip
    if owner is None or role_of(ast.unparse(owner)) is not Role.TEACHER or len(students) != 1:
        return []
    return [site.replace(owner, students.pop())]


def _owner_of_parameters(node: ast.expr) -> ast.expr | None:
    """``m`` of ``list(m.parameters())`` and ``[*m.parameters()]``."""
    inner = node.args[0] if isinstance(node, ast.Call) and node.args else node
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
        return inner.func.value if inner.func.attr == "parameters" else None
    return None


def cleared_gradients(site: Site) -> list[Edit]:
    """``optimizer.zero_grad()`` right before the only ``backward()`` of a loop."""
    calls = [n for n in ast.walk(site.analysis.tree) if isinstance(n, ast.Call)]
    methods = [(c, c.func) for c in calls if isinstance(c.func, ast.Attribute)]
    back = [c for c, f in methods if f.attr == "backward"]
    owners = {ast.unparse(f.value) for _, f in methods if f.attr == "step"}
    steps = sorted(o for o in owners if "sched" not in o.lower())
    if len(back) != 1 or len(steps) != 1:
        return []
    statement = site.analysis.statement_of(back[0])
    if not isinstance(statement, ast.stmt):
        return []
    alone = all(
        s is statement or s.lineno != statement.lineno
        for s in ast.walk(site.analysis.tree) if isinstance(s, ast.stmt)
    )  # fmt: skip
    between = f"\n{' ' * statement.col_offset}" if alone else "; "
    return [site.replace(statement, f"{steps[0]}.zero_grad(){between}{site.text(statement)}")]


def own_copy(site: Site) -> list[Edit]:
    """``teacher = model`` as a deep copy, made before the loop that trains."""
    if site.node is None:
        return []
    made = site.analysis.statement_of(site.node)
    if not isinstance(made, ast.Assign) or not isinstance(made.value, ast.Name | ast.Attribute):
        return []
    copied = f"copy.deepcopy({site.text(made.value)})"
    loop = _training_loop(site, made)
    alone = loop is not None and all(
        s is made or made.lineno not in (s.lineno, s.end_lineno) for s in loop.body
    )
    if loop is None or not alone or loop.body[0].lineno == loop.lineno:
        return [site.replace(made.value, copied)]
    before = Span(loop.lineno, loop.col_offset, loop.lineno, loop.col_offset)
    line = Span(made.lineno, 0, (made.end_lineno or made.lineno) + 1, 0)
    text = f"{site.text(made.targets[0])} = {copied}\n{' ' * loop.col_offset}"
    return [Edit(before, text), Edit(line, "")]


def _training_loop(site: Site, made: ast.Assign) -> ast.For | None:
    """The loop over epochs or batches whose body makes the copy and holds the training."""
    loop = site.analysis.parent_of(made)
    if not isinstance(loop, ast.For) or len(loop.body) == 1:
        return None
    later = loop.body[loop.body.index(made) + 1 :] if made in loop.body else []
    trains = any(
        isinstance(part, ast.Attribute) and part.attr == "backward"
        for statement in later
        for part in ast.walk(statement)
    )
    tasks = "task" in ast.unparse(loop.target).lower() + ast.unparse(loop.iter).lower()
    return loop if trains and not tasks else None


def is_empty(part: ast.expr) -> bool:
    """Whether a slice ends where it begins, whatever the tensor."""
    if not isinstance(part, ast.Slice) or not isinstance(part.upper, ast.Constant):
        return False
    lower = part.lower.value if isinstance(part.lower, ast.Constant) else 0
    literal = part.lower is None or isinstance(part.lower, ast.Constant)
    forward = part.step is None or not isinstance(part.step, ast.UnaryOp)
    return literal and lower == part.upper.value and forward
