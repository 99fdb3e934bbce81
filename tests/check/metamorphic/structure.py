"""Changes of structure: helpers, other files, classes, lambdas, branches and loops."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tests.check.metamorphic.editing import (
    CLOSED,
    LOSSES,
    NORMALISERS,
    Function,
    Names,
    Replace,
    after_imports,
    assign,
    clone,
    functions_of,
    inherit,
    load,
    loads,
    outermost,
    parameters,
    require,
    rewrite,
    rewrite_functions,
    stores,
)

HELPERS = "helpers.py"


def helper(tree: ast.Module, names: Names) -> bool:
    """Each softmax moves into a function of its own."""
    return bool(_extract(tree, names, NORMALISERS))


def blank_helper(tree: ast.Module, names: Names) -> bool:
    """Each softmax moves into a function whose parameters have names that tell nothing."""
    return bool(_extract(tree, names, NORMALISERS, blank=True))


def loss_helper(tree: ast.Module, names: Names) -> bool:
    """Each loss moves into a function of its own."""
    return bool(_extract(tree, names, LOSSES))


def other_file(tree: ast.Module, names: Names) -> ast.Module | None:
    """Each softmax moves into a function in another file."""
    return _moved(tree, _extract(tree, names, NORMALISERS))


def loss_in_other_file(tree: ast.Module, names: Names) -> ast.Module | None:
    """Each loss moves into a function in another file."""
    return _moved(tree, _extract(tree, names, LOSSES))


def _moved(tree: ast.Module, made: list[ast.stmt]) -> ast.Module | None:
    if not made:
        return None
    imports = [s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
    tree.body = [s for s in tree.body if s not in made]
    moved = [ast.alias(s.name) for s in made]
    tree.body.insert(after_imports(tree), ast.ImportFrom("helpers", moved, 0))
    return ast.Module([*map(clone, imports), *made], [])


def lambdas(tree: ast.Module, names: Names) -> bool:
    """Each softmax moves into a lambda."""
    made = _extract(tree, names, NORMALISERS)
    for function in made:
        value = ast.Lambda(function.args, function.body[0].value)
        place = tree.body.index(function)
        tree.body[place] = inherit(assign(function.name, value), function)
    return bool(made)


def _extract(
    tree: ast.Module, names: Names, wanted: tuple[str, ...], *, blank: bool = False
) -> list[ast.stmt]:
    made: list[ast.stmt] = []

    def change(statement: ast.stmt, local: set[str]) -> list[ast.stmt] | None:
        count = len(made)

        def move(node: ast.expr) -> ast.expr | None:
            if not isinstance(node, ast.Call) or names.functional(node) not in wanted:
                return None
            call, function = _helper_of(node, names, local, blank=blank)
            made.append(inherit(function, statement))
            return call

        Replace(move, closed=True).visit(statement)
        return [statement] if len(made) > count else None

    for function in list(functions_of(tree)):
        local = set(parameters(function)) | {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        rewrite(function, lambda s, local=local: change(s, local))
    place = after_imports(tree)
    tree.body[place:place] = made
    return made


def _helper_of(
    node: ast.Call, names: Names, local: set[str], *, blank: bool
) -> tuple[ast.Call, ast.FunctionDef]:
    """A call and the function with the expression; ``self.T`` becomes a parameter ``T``."""
    given: dict[str, ast.expr] = {}

    def parameter(part: ast.expr) -> ast.expr | None:
        own = isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
        if own and part.value.id == "self":
            name, value = part.attr, part
        elif isinstance(part, ast.Name) and part.id in local and part.id != "self":
            name, value = part.id, part
        else:
            return None
        if blank:
            name = next((n for n, v in given.items() if ast.dump(v) == ast.dump(value)), None)
            name = name or chr(ord("a") + len(given))
        given.setdefault(name, value)
        return load(name)

    body = Replace(parameter).visit(clone(node))
    arguments = ast.arguments([], [ast.arg(n) for n in given], None, [], [], None, [])
    name = names.new("step_" if blank else "soften_" if "soft" in ast.unparse(node) else "part_")
    function = ast.FunctionDef(name, arguments, [ast.Return(body)], [], type_params=[])
    return ast.Call(load(name), list(given.values()), []), function


def inlined(tree: ast.Module, names: Names) -> bool:
    """A function without branches gives way to its statements where it is called."""
    straight = {f.name: f for f in tree.body if _is_straight(f)}
    done: set[str] = set()

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        made: list[ast.stmt] = []

        def put(node: ast.expr) -> ast.expr | None:
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            function = straight.get(node.func.id) if called else None
            body = _body_for(function, node, names) if function else None
            if body is None:
                return None
            done.add(function.name)
            made.extend(body[:-1])
            statement.origins = (*statement.origins, *body[-1].origins)
            return body[-1].value

        if isinstance(statement, ast.Assign | ast.Return | ast.Expr | ast.AugAssign):
            Replace(put, closed=True).visit(statement)
        return [*made, statement] if made else None

    for function in outermost(tree):
        if function.name not in straight or loads(tree, function.name) == 0:
            rewrite(function, change)
    tree.body = [
        s for s in tree.body if getattr(s, "name", "") not in done or loads(tree, s.name) > 0
    ]
    return bool(done)


def _is_straight(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.FunctionDef)
        and isinstance(node.body[-1], ast.Return)
        and all(isinstance(s, ast.Assign | ast.AugAssign) for s in node.body[:-1])
        and not node.decorator_list
        and not any(isinstance(part, CLOSED) for part in ast.walk(node))
        and not node.args.vararg
        and not node.args.kwarg
    )


def _body_for(function: ast.FunctionDef, call: ast.Call, names: Names) -> list[ast.stmt] | None:
    """The statements of a function for the arguments of one call, its names made new."""
    given = parameters(function)
    values = dict(zip(reversed(given), reversed(function.args.defaults), strict=False))
    values |= dict(zip(given, call.args, strict=False))
    values |= {k.arg: k.value for k in call.keywords}
    if set(values) != set(given) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    body = [clone(statement) for statement in function.body]
    local = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name)}
    stored = {name for name in local if any(stores(s, name) for s in body)}
    new = {name: names.new(f"{name}_") for name in local if name in stored or name in given}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                node.id = new.get(node.id, node.id)
    binding = [assign(new[name], clone(values[name])) for name in given if name in new]
    return [*(inherit(statement, function.body[0]) for statement in binding), *body]


def module_class(tree: ast.Module, names: Names) -> bool:
    """A function becomes the ``forward`` of an ``nn.Module``."""
    made = _lonely(tree)
    if not made or names.is_foreign:
        return False
    root = require(tree, names, "torch.nn", "nn")
    for function in made:
        title = "".join(part.title() for part in function.name.split("_")) + "Module"
        function.name = "forward"
        function.args.args.insert(0, ast.arg("self"))
        base = ast.Attribute(load(root), "Module", ast.Load())
        owner = ast.ClassDef(title, [base], [], [function], [], type_params=[])
        tree.body[tree.body.index(function)] = inherit(owner, function)
    return True


def class_attribute(tree: ast.Module, names: Names) -> bool:
    """A parameter with a number for default becomes an attribute of a class."""
    changed = False
    for function in _lonely(tree):
        arguments = function.args.args
        defaults = dict(zip(reversed(arguments), reversed(function.args.defaults), strict=False))
        numbers = {a: d for a, d in defaults.items() if _is_number(d)}
        if not numbers or any(stores(function, a.arg) for a in numbers):
            continue
        Replace(_own({a.arg for a in numbers})).visit(function)
        function.args.args = [ast.arg("self"), *(a for a in arguments if a not in numbers)]
        function.args.defaults = [d for d in function.args.defaults if not _is_number(d)]
        attributes = [inherit(assign(a.arg, d), function) for a, d in reversed(numbers.items())]
        owner = ast.ClassDef(
            names.new("Settings"), [], [], [*attributes, function], [], type_params=[]
        )
        tree.body[tree.body.index(function)] = inherit(owner, function)
        changed = True
    return changed


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _own(wanted: set[str]) -> Callable[[ast.expr], ast.expr | None]:
    def change(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Name) and node.id in wanted:
            return ast.Attribute(load("self"), node.id, ast.Load())
        return None

    return change


def _lonely(tree: ast.Module) -> list[ast.FunctionDef]:
    """Functions of the module that nothing in the file calls."""
    return [
        f
        for f in tree.body
        if isinstance(f, ast.FunctionDef) and not loads(tree, f.name) and not f.decorator_list
    ]


def idle_branch(tree: ast.Module, names: Names) -> bool:
    """Before every step stands a branch that does nothing to it."""

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        if not isinstance(statement, ast.Assign | ast.Return | ast.AugAssign):
            return None
        text = ast.Expr(ast.Call(load("print"), [ast.Constant("step")], []))
        return [ast.If(load("verbose"), [text], []), statement]

    changed = rewrite_functions(tree, change)
    if changed:
        tree.body.insert(after_imports(tree), assign("verbose", ast.Constant(value=False)))
    return changed


def same_branches(tree: ast.Module, names: Names) -> bool:
    """A variable is computed in both branches, in the same way."""

    def change(statement: ast.stmt) -> list[ast.stmt] | None:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            return None
        if not names.functional(statement.value):
            return None
        return [ast.If(load("verbose"), [statement], [clone(statement)])]

    changed = rewrite_functions(tree, change)
    if changed:
        tree.body.insert(after_imports(tree), assign("verbose", ast.Constant(value=False)))
    return changed


def loop_of_one(tree: ast.Module, names: Names) -> bool:
    """The body of a function runs in a loop, once."""
    found = [f for f in outermost(tree) if f.name != "__init__" and not _yields(f)]
    for function in found:
        start = int(ast.get_docstring(function, clean=False) is not None)
        once = ast.Call(load("range"), [ast.Constant(1)], [])
        loop = ast.For(ast.Name("_", ast.Store()), once, function.body[start:], [], lineno=1)
        function.body[start:] = [inherit(loop, function)]
    return bool(found)


def _yields(function: Function) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(function))
