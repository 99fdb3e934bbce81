"""Changes of the form in which one function is called: module, method, keyword, alias, partial."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tests.check.metamorphic.editing import (
    FUNCTIONAL,
    LOSSES,
    MODULES,
    NORMALISERS,
    Names,
    after_imports,
    assign,
    attribute,
    clone,
    imports_of,
    inherit,
    load,
    replace,
    require,
)
from tests.check.metamorphic.program import statements

_CONSTRUCTOR = frozenset(
    ["dim", "reduction", "log_target", "weight", "ignore_index", "label_smoothing", "reduce"]
)
_ARGUMENTS = {
    **dict.fromkeys(NORMALISERS, ("input", "dim")),
    **dict.fromkeys(LOSSES, ("input", "target")),
}


def torch_form(tree: ast.Module, names: Names) -> bool:
    """``F.softmax(x, dim=1)`` becomes ``torch.softmax(x, dim=1)``."""
    calls = [c for c in _calls(tree, names, NORMALISERS, head=FUNCTIONAL) if _has_dim(*c)]
    if not calls:
        return False
    root = require(tree, names, "torch", "torch")
    for call, name in calls:
        call.func = ast.Attribute(load(root), name, ast.Load())
    return True


def method_form(tree: ast.Module, names: Names) -> bool:
    """``F.softmax(x, dim=1)`` becomes ``x.softmax(dim=1)``."""
    calls = [(c, n) for c, n in _calls(tree, names, NORMALISERS) if c.args and _has_dim(c, n)]
    for call, name in calls:
        call.func = ast.Attribute(call.args.pop(0), name, ast.Load())
    return bool(calls)


def module_form(tree: ast.Module, names: Names) -> bool:
    """``F.softmax(x, dim=1)`` becomes ``nn.Softmax(dim=1)(x)``."""
    return _as_objects(tree, names, NORMALISERS)


def criterion_form(tree: ast.Module, names: Names) -> bool:
    """``F.kl_div(a, b, reduction=r)`` becomes ``nn.KLDivLoss(reduction=r)(a, b)``."""
    return _as_objects(tree, names, LOSSES)


def criterion_object(tree: ast.Module, names: Names) -> bool:
    """``F.kl_div(a, b)`` becomes a call of a criterion that the module makes once."""
    made = _Shared(tree, names)
    for call, name in _calls(tree, names, LOSSES):
        if _is_constructible(call, constant=True):
            call.func = made.name_for(call, "criterion_", _construction(tree, names, call, name))
            call.keywords = [k for k in call.keywords if k.arg not in _CONSTRUCTOR]
    return made.insert()


def functional_form(tree: ast.Module, names: Names) -> bool:
    """``nn.KLDivLoss(reduction=r)(a, b)``, also through a name, becomes ``F.kl_div(a, b, ...)``."""
    objects: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and names.module(node.value):
            objects.setdefault(ast.unparse(node.targets[0]), []).append(node.value)
    root = names.imports.get("F") and "F"

    def change(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call):
            return None
        made = node.func if names.module(node.func) else None
        known = objects.get(ast.unparse(node.func), [])
        if len(known) == 1:
            made = known[0]
        name = names.module(made) if made is not None else ""
        if not name or (name in NORMALISERS and made.args):
            return None
        if made.args:
            return None
        keywords = [*node.keywords, *(clone(k) for k in made.keywords)]
        return ast.Call(attribute(f"{root or 'F'}.{name}"), node.args, keywords)

    changed = replace(tree, change)
    if changed and "F" not in imports_of(tree):
        require(tree, names, FUNCTIONAL, "F")
    return changed


def other_alias(tree: ast.Module, names: Names) -> bool:
    """``import torch.nn.functional as func``, ``import torch.nn as tnn``."""
    aliases = {FUNCTIONAL: names.new("func"), "torch.nn": names.new("tnn")}
    known = {n: aliases[p] for n, p in imports_of(tree).items() if p in aliases}
    if not known:
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in known:
            node.id = known[node.id]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name in node.names:
                bound = name.asname or name.name
                if bound in known:
                    name.asname = known[bound]
    return True


def single_imports(tree: ast.Module, names: Names) -> bool:
    """``from torch.nn.functional import softmax, kl_div``."""
    wanted: dict[str, str] = {}
    for call, name in _calls(tree, names, tuple(MODULES), head=FUNCTIONAL):
        if not isinstance(call.func, ast.Attribute):
            continue
        if name not in wanted:
            wanted[name] = name if name not in names.taken else names.new(f"{name}_")
        call.func = load(wanted[name])
    if not wanted:
        return False
    parts = [ast.alias(n, None if a == n else a) for n, a in wanted.items()]
    tree.body.insert(after_imports(tree), ast.ImportFrom(FUNCTIONAL, parts, 0))
    return True


def partial_form(tree: ast.Module, names: Names) -> bool:
    """``soften = functools.partial(F.softmax, dim=1)``, then ``soften(x)``."""
    made = _Shared(tree, names)
    for call, name in _calls(tree, names, tuple(MODULES)):
        constant = [k for k in call.keywords if k.arg and isinstance(k.value, ast.Constant)]
        if constant:
            whole = ast.Call(attribute("functools.partial"), [clone(call.func)], constant)
            call.func = made.name_for(call, f"{name}_", whole)
            call.keywords = [k for k in call.keywords if k not in constant]
    if made.insert():
        require(tree, names, "functools", "functools")
    return bool(made.found)


def keywords_for_positions(tree: ast.Module, names: Names) -> bool:
    """``F.kl_div(a, b)`` becomes ``F.kl_div(input=a, target=b)``."""
    calls = [(c, n) for c, n in _calls(tree, names, tuple(MODULES)) if 0 < len(c.args) < 3]
    calls = [(c, n) for c, n in calls if not any(isinstance(a, ast.Starred) for a in c.args)]
    for call, name in calls:
        given = [ast.keyword(k, v) for k, v in zip(_ARGUMENTS[name], call.args, strict=False)]
        call.args, call.keywords = [], [*given, *call.keywords]
    return bool(calls)


def positions_for_keywords(tree: ast.Module, names: Names) -> bool:
    """``F.softmax(x, dim=1)`` becomes ``F.softmax(x, 1)``; ``input=`` and ``target=`` too."""
    changed = False
    for call, name in _calls(tree, names, tuple(MODULES)):
        for wanted in _ARGUMENTS[name][len(call.args) :]:
            if not call.keywords or call.keywords[0].arg != wanted:
                break
            call.args.append(call.keywords.pop(0).value)
            changed = True
    return changed


def to_device(tree: ast.Module, names: Names) -> bool:
    """What goes into a softmax or a loss passes ``.to("cpu")`` first."""
    return _through(tree, names, lambda v: ast.Call(_method(v, "to"), [ast.Constant("cpu")], []))


def contiguous(tree: ast.Module, names: Names) -> bool:
    """What goes into a softmax or a loss passes ``.contiguous()`` first."""
    return _through(tree, names, lambda v: ast.Call(_method(v, "contiguous"), [], []))


def _has_dim(call: ast.Call, name: str) -> bool:
    """Without a dimension, which ``F.softmax`` alone allows, the other forms do not exist."""
    return name == "sigmoid" or len(call.args) > 1 or any(k.arg == "dim" for k in call.keywords)


def _method(value: ast.expr, name: str) -> ast.Attribute:
    return ast.Attribute(value, name, ast.Load())


def _through(tree: ast.Module, names: Names, wrap: Callable[[ast.expr], ast.expr]) -> bool:
    calls = _calls(tree, names, tuple(MODULES))
    for call, name in calls:
        count = 1 if name in NORMALISERS else 2
        call.args = [wrap(a) if i < count else a for i, a in enumerate(call.args)]
    return bool(calls)


class _Shared:
    """Objects made once in the module, for all calls that want the same."""

    def __init__(self, tree: ast.Module, names: Names):
        self.tree, self.names = tree, names
        self.found: dict[str, tuple[str, ast.expr, list[ast.stmt]]] = {}
        self.owners = {
            id(part): statement for statement in statements(tree) for part in ast.walk(statement)
        }

    def name_for(self, call: ast.Call, stem: str, whole: ast.expr) -> ast.Name:
        """The name of the object that a call is made through."""
        text = ast.unparse(whole)
        if text not in self.found:
            self.found[text] = self.names.new(stem), whole, []
        self.found[text][2].append(self.owners[id(call)])
        return load(self.found[text][0])

    def insert(self) -> bool:
        """Put the objects at the head of the file; each stands for the statements it serves."""
        index = after_imports(self.tree)
        for name, whole, users in reversed(self.found.values()):
            self.tree.body.insert(index, inherit(assign(name, whole), *users))
        return bool(self.found)


def _calls(
    tree: ast.AST, names: Names, wanted: tuple[str, ...], head: str = ""
) -> list[tuple[ast.Call, str]]:
    """The calls of some functions of torch, inner ones first."""
    found = [(node, names.functional(node)) for node in ast.walk(tree)]
    return [
        (node, name)
        for node, name in reversed(found)
        if name in wanted and (not head or names.path(node.func).startswith(head))
    ]


def _is_constructible(call: ast.Call, *, constant: bool) -> bool:
    keywords = {k.arg: k.value for k in call.keywords}
    given = [v for k, v in keywords.items() if k in _CONSTRUCTOR]
    simple = all(isinstance(v, ast.Constant) for v in given) or not constant
    return None not in keywords and len(call.args) < 3 and simple


def _construction(tree: ast.Module, names: Names, call: ast.Call, name: str) -> ast.Call:
    keywords = [k for k in call.keywords if k.arg in _CONSTRUCTOR]
    positional = call.args[1:] if name in NORMALISERS else []
    root = require(tree, names, "torch.nn", "nn")
    return ast.Call(attribute(f"{root}.{MODULES[name]}"), [*positional], keywords)


def _as_objects(tree: ast.Module, names: Names, wanted: tuple[str, ...]) -> bool:
    changed = False
    for call, name in _calls(tree, names, wanted):
        if not _is_constructible(call, constant=False):
            continue
        call.func = _construction(tree, names, call, name)
        call.args = call.args[:1] if name in NORMALISERS else call.args
        call.keywords = [k for k in call.keywords if k.arg not in _CONSTRUCTOR]
        changed = True
    return changed
