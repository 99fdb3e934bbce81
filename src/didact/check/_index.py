"""What a file contains: whether it matters, its imports, classes, functions and comments."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TypeVar, cast

_RELEVANT = re.compile(
    rb"softmax|kl_div|kldiv|cross_?entropy|crossentropy|nll_?loss|distil|logsumexp|teacher|"
    rb"mse_?loss|reduce\s*=\s*['\"]|BCE|lambda\s*[,)=]",
    re.IGNORECASE,
)
_WORDS = re.compile(
    r"softmax|sigmoid|kl_?div|kld|entropy|nll|distil|logsumexp|teacher|student|loss|criterion|\blog\b|"
    r"backward|detach|logit|prob|temperature|old_|prev",
    re.IGNORECASE,
)
CONVENTIONAL = {
    "F": "torch.nn.functional",
    "nn": "torch.nn",
    "torch": "torch",
    "optim": "torch.optim",
    "np": "numpy",
    "copy": "copy",
    "functional": "torch.nn.functional",
    "Variable": "torch.autograd.Variable",
    "deepcopy": "copy.deepcopy",
}
"""What these names mean in a file that does not say so: pasted fragments have no imports."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Node = TypeVar("Node", bound=ast.AST)


def relevant(source: bytes) -> bool:
    """Whether a file can have findings at all; a plain scan of its bytes."""
    return _RELEVANT.search(source) is not None


@dataclass(slots=True, eq=False)
class ClassInfo:
    """One class of the file."""

    node: ast.ClassDef
    bases: list[str]
    methods: dict[str, Function] = field(default_factory=dict)
    assigned: dict[str, list[ast.expr]] = field(default_factory=dict)
    """What is assigned to ``self.name`` anywhere in it, and to names in its body."""


@dataclass(slots=True, eq=False)
class Index:
    """The names of one file."""

    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    classes: dict[str, ClassInfo] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    owners: dict[int, ClassInfo] = field(default_factory=dict)
    """The class of a method, by the method node's id."""
    parents: dict[int, ast.AST] = field(default_factory=dict)
    nodes: dict[type[ast.AST], list[ast.AST]] = field(default_factory=lambda: defaultdict(list))
    """The nodes of the file by their type, in no order."""
    matters: set[int] = field(default_factory=set)
    """Functions that mention anything of interest, by node id."""
    comments: dict[int, str] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)

    def lookup(self, name: str) -> str | None:
        """The dotted path that a global name stands for."""
        if name in self.imports:
            return self.imports[name]
        if name in self.bound:
            return None
        return CONVENTIONAL.get(name)

    def method(self, info: ClassInfo, name: str, depth: int = 0) -> Function | None:
        """A method of a class or of its bases in the same file."""
        if name in info.methods:
            return info.methods[name]
        for base in info.bases if depth < 4 else ():
            parent = self.classes.get(base)
            if parent and parent is not info and (found := self.method(parent, name, depth + 1)):
                return found
        return None

    def assignments(self, info: ClassInfo, name: str, depth: int = 0) -> list[ast.expr]:
        """What a class, or a base of it in the same file, assigns to an attribute."""
        if name in info.assigned:
            return info.assigned[name]
        for base in info.bases if depth < 4 else ():
            parent = self.classes.get(base)
            if parent and parent is not info:
                found = self.assignments(parent, name, depth + 1)
                if found:
                    return found
        return []

    def of(self, kind: type[Node]) -> list[Node]:
        """All nodes of one type, in the order of the file."""
        found = cast("list[Node]", self.nodes.get(kind, []))
        return sorted(found, key=lambda node: (node.lineno, node.col_offset)) if found else []  # type: ignore[attr-defined]


def build_index(tree: ast.Module, source: str) -> Index:
    """Read the names of a file in one walk."""
    index = Index(tree)
    _walk(tree, index)
    index.comments = _comments(source)
    return index


def _walk(tree: ast.Module, index: Index) -> None:
    stack: list[tuple[ast.AST, ClassInfo | None, tuple[int, ...]]] = [(tree, None, ())]
    while stack:
        node, owner, functions = stack.pop()
        owner, functions = _enter(node, owner, functions, index)
        index.nodes[type(node)].append(node)
        for name in node._fields:
            value = getattr(node, name, None)
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST) and child._fields:
                    index.parents[id(child)] = node
                    stack.append((child, owner, functions))


def _enter(
    node: ast.AST, owner: ClassInfo | None, functions: tuple[int, ...], index: Index
) -> tuple[ClassInfo | None, tuple[int, ...]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        _import(node, index)
    elif isinstance(node, ast.ClassDef):
        info = ClassInfo(node, [_last(base) for base in node.bases])
        index.classes.setdefault(node.name, info)
        index.bound.add(node.name)
        return info, functions
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if owner is not None and index.parents.get(id(node)) is owner.node:
            owner.methods[node.name] = node
            index.owners[id(node)] = owner
        else:
            index.functions.setdefault(node.name, node)
            if owner is not None:
                index.owners[id(node)] = owner
        index.bound.add(node.name)
        functions = (*functions, id(node))
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store) and not functions:
            index.bound.add(node.id)
        _mark(node.id, functions, index)
    elif isinstance(node, ast.Attribute):
        _mark(node.attr, functions, index)
    elif isinstance(node, ast.arg):
        _mark(node.arg, functions, index)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and owner is not None:
        _class_assignment(node, owner, index)
    return owner, functions


def _mark(name: str, functions: tuple[int, ...], index: Index) -> None:
    if functions and functions[-1] not in index.matters and _WORDS.search(name):
        index.matters.update(functions)


def _import(node: ast.Import | ast.ImportFrom, index: Index) -> None:
    for alias in node.names:
        if isinstance(node, ast.Import):
            name = alias.asname or alias.name.split(".")[0]
            index.imports[name] = alias.name if alias.asname else name
        elif alias.name != "*":
            module = "." * node.level + (node.module or "")
            index.imports[alias.asname or alias.name] = f"{module}.{alias.name}"


def _class_assignment(node: ast.Assign | ast.AnnAssign, owner: ClassInfo, index: Index) -> None:
    if node.value is None:
        return
    in_body = index.parents.get(id(node)) is owner.node
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Attribute) and _last(target.value) == "self":
            owner.assigned.setdefault(target.attr, []).append(node.value)
        elif in_body and isinstance(target, ast.Name):
            owner.assigned.setdefault(target.id, []).append(node.value)


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _comments(source: str) -> dict[int, str]:
    """Each line's comment: what follows the first ``#`` with no quote left open before it."""
    found: dict[int, str] = {}
    for number, line in enumerate(source.split("\n"), 1) if "#" in source else ():
        start = line.find("#")
        if start >= 0 and not (line.count('"', 0, start) % 2 or line.count("'", 0, start) % 2):
            found[number] = line[start:]
    return found
