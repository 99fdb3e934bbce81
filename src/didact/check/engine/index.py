"""What a file contains: whether it matters, its imports, classes, functions and comments."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar, cast

from didact.check.engine.names import is_language_head

_RELEVANT = re.compile(
    rb"softmax|kl_div|kldiv|cross_?entropy|crossentropy|nll_?loss|distil|logsumexp|teacher|"
    rb"mse_?loss|reduce\s*=\s*['\"]|BCE|lambda\s*[,)=]",
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

FRAMEWORKS = {
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "tf_keras": "tensorflow",
    "jax": "jax",
    "flax": "jax",
    "paddle": "paddle",
    "mxnet": "mxnet",
    "mindspore": "mindspore",
}
"""Imports that say which framework's functions a file calls."""

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


@dataclass(eq=False)
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
    relevant_functions: set[int] = field(default_factory=set)
    """Functions that mention anything of interest, by node id."""
    comments: dict[int, str] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)

    @cached_property
    def scores_vocabulary(self) -> bool:
        """Whether all models of ``transformers`` that the file imports are language models."""
        names = {path.rsplit(".", 1)[-1] for path in self.imports.values()}
        other = any(name.endswith(("Classification", "QuestionAnswering")) for name in names)
        return not other and any(is_language_head(name) for name in names)

    @cached_property
    def framework(self) -> str:
        """Whose code it is: ``"torch"`` unless another framework is imported and PyTorch is not."""
        roots = {path.lstrip(".").split(".")[0] for path in self.imports.values()}
        if "torch" in roots or "pytorch_lightning" in roots:
            return "torch"
        return next((name for root, name in FRAMEWORKS.items() if root in roots), "torch")

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
