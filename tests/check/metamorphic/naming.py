"""Changes of names: other words, no words, aliases, steps with a name of their own or without."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.check.metamorphic.editing import (
    CLOSED,
    NORMALISERS,
    Function,
    Names,
    Replace,
    assign,
    functions_of,
    load,
    loads,
    parameters,
    require,
    rewrite,
    rewrite_functions,
    stores,
)
from tests.check.metamorphic.program import blocks_of, statements

from didact.check.engine.engine import analyse
from didact.check.engine.names import is_label, role_of
from didact.check.engine.spaces import Role, Space
from didact.check.engine.values import Value

_OTHER_WORDS = {
    "student_logits": "logits_stu",
    "teacher_logits": "logits_tea",
    "teacher_a_logits": "logits_tea_a",
    "teacher_b_logits": "logits_tea_b",
    "teachers_logits": "all_teacher_logits",
    "student_out": "out_student",
    "teacher_out": "out_teacher",
    "student_probs": "probs_s",
    "teacher_probs": "probs_t",
    "student_log_probs": "log_probs_s",
    "teacher_log_probs": "log_probs_t",
    "old_logits": "prev_logits",
    "old_probs": "prev_probs",
    "logits": "scores",
    "labels": "targets",
    "log_probs": "log_p",
    "target": "soft_target",
    "T": "temperature",
    "temperature": "T",
    "tau": "temp",
    "alpha": "lamb",
    "soft": "loss_soft",
    "hard": "loss_hard",
    "loss": "total_loss",
    "total": "loss_sum",
    "student": "stu_net",
    "teacher": "tea_net",
    "model": "network",
    "images": "inputs",
    "known": "n_known",
    "num_old_classes": "nb_old_classes",
    "loss_mask": "valid_mask",
    "optimizer": "opt",
    "one_hot": "onehot",
}
"""Names of the examples, and others that an engineer might have chosen for the same thing."""


def telling_names(tree: ast.Module, names: Names) -> bool:
    """Parameters, variables and attributes get other names that tell the same."""
    own = set(names.stored)
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and isinstance(node.ctx, ast.Store)
    }
    found = {o: n for o, n in _OTHER_WORDS.items() if o in own and n not in names.taken}
    if "T" in found and "temperature" in own:
        return False
    functions = {f.name for f in functions_of(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = found.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = found.get(node.arg, node.arg)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
            node.attr = found.get(node.attr, node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in functions:
            for keyword in node.keywords:
                keyword.arg = found.get(keyword.arg or "", keyword.arg)
    return bool(found)


def blank_names(tree: ast.Module, names: Names) -> bool:
    """Variables whose making tells what they are get names that tell nothing."""
    analysis = analyse(ast.unparse(tree), tree=tree)
    changed = False
    for function in functions_of(tree):
        given = set(parameters(function))
        for statement in list(statements(function)):
            name = _only_target(statement)
            if not name or name in given or stores(function, name) != 1:
                continue
            value = analysis.value_of(statement.value)
            if value is not None and _tells(value, name):
                _rename(function, name, names.new("v"))
                changed = True
    return changed


def _tells(value: Value, name: str) -> bool:
    """Whether a value says by itself whatever its name says."""
    known = value.is_tensor and value.space is not Space.FEATURES and not value.by_name
    role = role_of(name)
    return known and (role is Role.UNKNOWN or role is value.role) and not is_label(name)


def _only_target(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return ""
    target = statement.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _rename(function: Function, old: str, new: str) -> None:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = new


def alias(tree: ast.Module, names: Names) -> bool:
    """Parameters are read through another name: ``v1 = student_logits``."""
    changed = False
    for function in functions_of(tree):
        made = []
        for name in parameters(function):
            if name in ("self", "cls") or stores(function, name) or not loads(function, name):
                continue
            if any(isinstance(part, Function | ast.Lambda) for part in _inside(function)):
                continue
            new = names.new("v")
            for statement in function.body:
                _rename_in(statement, name, new)
            made.append(assign(new, load(name)))
        function.body[_docstring(function) : _docstring(function)] = made
        changed |= bool(made)
    return changed


def _inside(function: Function) -> Iterator[ast.AST]:
    return (part for statement in function.body for part in ast.walk(statement))


def _rename_in(node: ast.AST, old: str, new: str) -> None:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id == old:
            part.id = new


def _docstring(function: Function) -> int:
    return int(ast.get_docstring(function, clean=False) is not None)


def named_steps(tree: ast.Module, names: Names) -> bool:
    """Each softmax or quotient inside an argument gets a variable of its own."""

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        if not isinstance(statement, ast.Assign | ast.Return | ast.Expr | ast.AugAssign):
            return None
        made: list[ast.stmt] = []

        def hoist(node: ast.expr) -> ast.expr | None:
            if not isinstance(node, ast.Call) or not names.functional(node):
                return None
            for index, argument in enumerate(node.args):
                if isinstance(argument, ast.Call | ast.BinOp):
                    name = names.new("v")
                    made.append(assign(name, argument))
                    node.args[index] = load(name)
            return None

        Replace(hoist, closed=True).visit(statement)
        return [*made, statement] if made else None

    return rewrite_functions(tree, change)


def folded_steps(tree: ast.Module, names: Names) -> bool:
    """A variable that is read once, in the next statements, gives way to its expression."""
    changed = False
    for function in functions_of(tree):
        for block in _all_blocks(function):
            for statement in list(block):
                name = _only_target(statement)
                if name and _is_foldable(function, block, statement, name, names):
                    changed = True
    return changed


def _all_blocks(node: ast.AST) -> list[list[ast.stmt]]:
    found = list(blocks_of(node))
    return [*found, *(inner for block in found for s in block for inner in _all_blocks(s))]


def _is_foldable(
    function: Function, block: list[ast.stmt], statement: ast.stmt, name: str, names: Names
) -> bool:
    """Fold it in, if nothing that it reads changes before it is read."""
    if stores(function, name) != 1 or loads(function, name) != 1 or not _is_pure(statement, names):
        return False
    read = {n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)}
    for later in block[block.index(statement) + 1 :]:
        if loads(later, name) and not any(blocks_of(later)):
            whole = [p for p in ast.walk(later) if isinstance(p, CLOSED) and loads(p, name)]
            if whole:
                return False
            Replace(
                lambda n: statement.value if isinstance(n, ast.Name) and n.id == name else None
            ).visit(later)
            later.origins = (*getattr(later, "origins", ()), *statement.origins)
            later.comments = [*statement.comments, *later.comments]
            block.remove(statement)
            return True
        changed = any(stores(later, other) for other in read) or any(blocks_of(later))
        if changed or not isinstance(later, ast.Assign | ast.Return):
            return False
    return False


def _is_pure(statement: ast.stmt, names: Names) -> bool:
    if isinstance(statement.value, ast.BinOp):
        return not any(isinstance(part, ast.Call) for part in ast.walk(statement.value))
    return bool(names.functional(statement.value))


def walrus(tree: ast.Module, names: Names) -> bool:
    """A softmax inside a call is named on the spot: ``f(v1 := F.softmax(x, dim=1))``."""

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        made = 0

        def name_it(node: ast.expr) -> ast.expr | None:
            nonlocal made
            if isinstance(node, ast.Call):
                for index, argument in enumerate(node.args):
                    if names.functional(argument) in NORMALISERS:
                        target = ast.Name(names.new("v"), ast.Store())
                        node.args[index] = ast.NamedExpr(target, argument)
                        made += 1
            return None

        Replace(name_it, closed=True).visit(statement)
        return [statement] if made else None

    return rewrite_functions(tree, change)


def annotations(tree: ast.Module, names: Names) -> bool:
    """Tensors and numbers are annotated, parameters and variables."""
    if names.is_foreign:
        return False
    found = [f for f in functions_of(tree) if _annotate(f)]
    if found:
        require(tree, names, "torch", "torch")
    return bool(found)


def _annotate(function: Function) -> bool:
    tensor = "torch.Tensor"
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    defaults = dict(zip(reversed(arguments), reversed(function.args.defaults), strict=False))
    for argument in arguments:
        if argument.arg in ("self", "cls") or argument.annotation:
            continue
        default = defaults.get(argument)
        if isinstance(default, ast.Constant) and isinstance(default.value, int | float | str):
            argument.annotation = load(type(default.value).__name__)
        elif default is None and ("logits" in argument.arg or argument.arg == "labels"):
            argument.annotation = load(tensor)

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        name = _only_target(statement)
        if not name or stores(function, name) != 1 or not isinstance(statement.value, ast.BinOp):
            return None
        target = ast.Name(name, ast.Store())
        return [ast.AnnAssign(target, load(tensor), statement.value, simple=1)]

    rewrite(function, change)
    return bool(function.args.args)


def chinese_comments(tree: ast.Module, names: Names) -> bool:
    """A comment in Chinese above every statement."""
    for number, statement in enumerate(list(statements(tree))):
        statement.comments = [("before", f"# 第 {number + 1} 步：计算"), *statement.comments]
    return True


def augmented(tree: ast.Module, names: Names) -> bool:
    """``total = a * b + c`` becomes ``total = a * b`` and ``total += c``."""

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        value = getattr(statement, "value", None)
        if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
            return None
        if not isinstance(value.left, ast.BinOp | ast.Call):
            return None
        if isinstance(statement, ast.Return):
            name = names.new("total_")
            end: list[ast.stmt] = [ast.Return(load(name))]
        else:
            name, end = _only_target(statement), []
            if not name or loads(value.right, name):
                return None
        more = ast.AugAssign(ast.Name(name, ast.Store()), ast.Add(), value.right)
        return [assign(name, value.left), more, *end]

    return rewrite_functions(tree, change)


def plain_for_augmented(tree: ast.Module, names: Names) -> bool:
    """``total += c`` becomes ``total = total + c``."""

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        if not isinstance(statement, ast.AugAssign) or not isinstance(statement.target, ast.Name):
            return None
        name = statement.target.id
        return [assign(name, ast.BinOp(load(name), statement.op, statement.value))]

    return rewrite_functions(tree, change)
