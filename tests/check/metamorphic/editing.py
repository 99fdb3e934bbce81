"""What several changes do to a tree: resolve names, insert statements, find free names."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

from tests.check.metamorphic.program import blocks_of, statements

from didact.check.engine.index import CONVENTIONAL

FUNCTIONAL = "torch.nn.functional"
NORMALISERS = ("softmax", "log_softmax", "sigmoid")
MODULES = {
    "softmax": "Softmax",
    "log_softmax": "LogSoftmax",
    "sigmoid": "Sigmoid",
    "kl_div": "KLDivLoss",
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
}
LOSSES = tuple(name for name in MODULES if name not in NORMALISERS)
_FOREIGN = {"tensorflow", "keras", "jax"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
CLOSED = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.IfExp,
    ast.BoolOp,
)
"""Expressions out of which nothing may be taken: it would be computed more often, or always."""


def imports_of(tree: ast.AST) -> dict[str, str]:
    """What the imported names stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found[name.asname or name.name.split(".")[0]] = (
                    name.name if name.asname else name.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                found[name.asname or name.name] = f"{node.module}.{name.name}"
    return found


def stored_names(tree: ast.AST) -> set[str]:
    """Every name that is bound by an assignment or a parameter."""
    return {
        node.id if isinstance(node, ast.Name) else node.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and not _is_load(node))
    }


def _is_load(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


class Names:
    """What the names of a file mean, and which are taken."""

    def __init__(self, tree: ast.Module):
        self.imports = imports_of(tree)
        stored = stored_names(tree)
        read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        for name, path in CONVENTIONAL.items():
            foreign = path.split(".")[0] in _FOREIGN
            if name not in stored and (name in read or not foreign):
                self.imports.setdefault(name, path)
        self.stored = stored
        self.taken = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | stored
        self.taken |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        self.taken |= {n.name for n in ast.walk(tree) if isinstance(n, Function | ast.ClassDef)}

    @property
    def is_foreign(self) -> bool:
        """Whether the file is another framework's, to which nothing of PyTorch can be added."""
        return bool({path.split(".")[0] for path in self.imports.values()} & _FOREIGN)

    def path(self, node: ast.AST) -> str:
        """The dotted path of a name or attribute, as imported; empty if there is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.stored:
            return ""
        root = self.imports.get(node.id)
        return ".".join([root, *reversed(parts)]) if root else ""

    def functional(self, node: ast.AST) -> str:
        """``softmax`` where a node calls ``F.softmax`` or ``torch.softmax``; empty otherwise."""
        if not isinstance(node, ast.Call):
            return ""
        head, _, last = self.path(node.func).rpartition(".")
        return last if head in (FUNCTIONAL, "torch") and last in MODULES else ""

    def module(self, node: ast.AST) -> str:
        """``kl_div`` where a node makes an ``nn.KLDivLoss``; empty otherwise."""
        if not isinstance(node, ast.Call):
            return ""
        head, _, last = self.path(node.func).rpartition(".")
        known = {module: name for name, module in MODULES.items()}
        return known.get(last, "") if head == "torch.nn" else ""

    def new(self, stem: str) -> str:
        """A name that is free, taken from now on."""
        number = 1
        while f"{stem}{number}" in self.taken:
            number += 1
        self.taken.add(f"{stem}{number}")
        return f"{stem}{number}"


def require(tree: ast.Module, names: Names, path: str, alias: str) -> str:
    """The name for an imported path; imported under an alias if it is not yet."""
    for name, known in names.imports.items():
        if known == path and name in imports_of(tree):
            return name
    node: ast.stmt
    head, _, last = path.rpartition(".")
    node = (
        ast.Import([ast.alias(path, None if alias == path else alias)])
        if not head or alias != last
        else ast.ImportFrom(head, [ast.alias(last)], 0)
    )
    tree.body.insert(start_of(tree.body), node)
    names.imports[alias] = path
    return alias


def start_of(body: list[ast.stmt]) -> int:
    """Where code may begin: after a docstring and ``from __future__``."""
    index = 0
    while index < len(body) and (
        (isinstance(body[index], ast.Expr) and isinstance(body[index].value, ast.Constant))
        or (isinstance(body[index], ast.ImportFrom) and body[index].module == "__future__")
    ):
        index += 1
    return index


def after_imports(tree: ast.Module) -> int:
    """The place after the last import of a file."""
    indices = [i for i, s in enumerate(tree.body) if isinstance(s, ast.Import | ast.ImportFrom)]
    return max(indices, default=start_of(tree.body) - 1) + 1


def inherit(node: ast.stmt, *sources: ast.stmt) -> ast.stmt:
    """A new statement that stands for others."""
    origins = {number for source in sources for number in getattr(source, "origins", ())}
    for statement in (node, *statements(node)):
        if not hasattr(statement, "origins"):
            statement.origins = tuple(sorted(origins))
            statement.comments = []
    return node


def rewrite(tree: ast.AST, change: Callable[[ast.stmt], list[ast.stmt] | None]) -> bool:
    """Put other statements in the place of each simple one; whether anything was changed."""
    changed = False
    for block in list(blocks_of(tree)):
        made: list[ast.stmt] = []
        for statement in block:
            if any(blocks_of(statement)):
                changed |= rewrite(statement, change)
                made.append(statement)
                continue
            new = change(statement)
            if new is None:
                made.append(statement)
                continue
            changed = True
            made += [inherit(part, statement) for part in new]
        block[:] = made
    return changed


class Replace(ast.NodeTransformer):
    """Put other expressions in the place of some; ``change`` gives nothing to leave one."""

    def __init__(self, change: Callable[[ast.expr], ast.expr | None], closed: bool = False):
        self.change = change
        self.closed = closed
        self.changed = 0

    def visit(self, node: ast.AST) -> ast.AST:
        """Inner expressions first."""
        if self.closed and isinstance(node, CLOSED):
            return node
        node = self.generic_visit(node)
        new = self.change(node) if isinstance(node, ast.expr) else None
        if new is None:
            return node
        self.changed += 1
        return ast.copy_location(new, node)


def replace(tree: ast.AST, change: Callable[[ast.expr], ast.expr | None]) -> bool:
    """Replace expressions anywhere; whether anything was."""
    replacer = Replace(change)
    replacer.visit(tree)
    return bool(replacer.changed)


def functions_of(tree: ast.AST) -> Iterator[Function]:
    """Every function, methods too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def outermost(tree: ast.AST) -> list[Function]:
    """The functions that are in no other function."""
    found = list(functions_of(tree))
    inner = {
        id(part)
        for function in found
        for statement in function.body
        for part in ast.walk(statement)
        if isinstance(part, Function)
    }
    return [function for function in found if id(function) not in inner]


def rewrite_functions(tree: ast.AST, change: Callable[[ast.stmt], list[ast.stmt] | None]) -> bool:
    """``rewrite`` inside functions only, each statement once."""
    return sum(rewrite(function, change) for function in outermost(tree)) > 0


def parameters(function: Function | ast.Lambda) -> list[str]:
    """The names of a function's parameters."""
    given = function.args
    found = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    found += [extra for extra in (given.vararg, given.kwarg) if extra]
    return [argument.arg for argument in found]


def loads(node: ast.AST, name: str) -> int:
    """How often a name is read."""
    return sum(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
        for part in ast.walk(node)
    )


def stores(node: ast.AST, name: str) -> int:
    """How often a name is bound by a statement."""
    return sum(
        isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load)
        for part in ast.walk(node)
    )


def load(name: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(name, ast.Load())


def attribute(text: str) -> ast.expr:
    """The expression of a text."""
    return ast.parse(text, mode="eval").body


def assign(name: str, value: ast.expr) -> ast.Assign:
    """``name = value``."""
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=1)


def clone(node: ast.AST) -> ast.AST:
    """A copy."""
    return copy.deepcopy(node)
