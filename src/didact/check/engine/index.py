"""What a file contains: whether it matters, its imports, classes, functions and comments."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar, cast

from didact.check.engine.names import dotted, head_rank

_RELEVANT = (
    b"softmax", b"kl_div", b"kldiv", b"cross_entropy", b"crossentropy", b"nll_loss", b"nllloss",
    b"distil", b"logsumexp", b"teacher", b"mse_loss", b"mseloss", b"bce",
    b"old_model", b"model_old",
)  # fmt: skip
"""What a file mentions, in any case, if it can have findings at all."""
_RELEVANT_FORMS = (
    (b"reduce", re.compile(rb"reduce\s*=\s*['\"]")),
    (b"lambda", re.compile(rb"lambda\s*[,)=]")),
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
    "tf": "tensorflow",
    "keras": "keras",
}
"""What these names mean in a file that does not say so: pasted fragments have no imports."""

BUILTINS = frozenset({"pow", "float", "int", "abs", "sum", "dict", "getattr"})
"""Of Python's own functions those that compute with numbers and losses."""
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
T = TypeVar("T")


def relevant(source: bytes) -> bool:
    """Whether a file can have findings at all; a plain scan of its bytes."""
    lowered = source.lower()  # finding plain words in it is ten times as fast as a pattern
    return any(word in lowered for word in _RELEVANT) or any(
        word in lowered and form.search(lowered) is not None for word, form in _RELEVANT_FORMS
    )


@dataclass(slots=True, eq=False)
class ClassInfo:
    """One class of a file; ``bases`` are the last parts of their names."""

    node: ast.ClassDef
    bases: list[str]
    home: Index
    """The file that defines it."""
    methods: dict[str, Function] = field(default_factory=dict)
    assigned: dict[str, list[ast.expr]] = field(default_factory=dict)
    """What is assigned to ``self.name`` anywhere in it, and to names in its body."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """What a name stands for in another file: a function, a class or an assigned expression."""

    index: Index
    what: Function | ClassInfo | ast.expr


class Modules(Protocol):
    """The other files."""

    def find(self, dotted: str, importer: Index) -> Definition | None:
        """What ``package.module.name`` is, seen from a file."""
        ...

    visited: dict[str, Index]

    def watch(self, work: Callable[[], T]) -> tuple[T, dict[str, Index]]:
        """Do some work; which files were entered for it."""
        ...

    def copies_labels(self) -> bool:
        """Whether any file makes the labels of a language model a copy of its input."""
        ...

    def heads(self, path: str) -> frozenset[str]:
        """The models of ``transformers`` that the files around one name."""
        ...


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
    top_level: dict[str, ast.expr] = field(default_factory=dict)
    """What is assigned to names outside of functions and classes, first."""
    stars: list[str] = field(default_factory=list)
    """The modules that everything is imported from."""
    notes: dict[str, object] = field(default_factory=dict)
    """What others have worked out from it once."""
    _in_order: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict)
    path: str = ""
    project: Modules | None = None

    @cached_property
    def logits_rank(self) -> int | None:
        """The rank of ``.logits``, where the file's models of ``transformers`` agree.

        A file that imports none of them gets its models from those that it imports, or that
        import it.
        """
        names = {path.rsplit(".", 1)[-1] for path in self.imports.values()}
        heads = {name for name in names if head_rank(name) or name.endswith("QuestionAnswering")}
        if not heads and self.project is not None:
            heads = set(self.project.heads(self.path))
        ranks = {head_rank(name) for name in heads}
        return ranks.pop() if len(ranks) == 1 else None

    @cached_property
    def framework(self) -> str:
        """Whose code it is: ``"torch"`` unless another framework is imported and PyTorch is not.

        A fragment without imports of either is told by ``tf.`` and ``keras.``.
        """
        roots = {path.lstrip(".").split(".")[0] for path in self.imports.values()}
        if "torch" in roots or "pytorch_lightning" in roots:
            return "torch"
        found = next((name for root, name in FRAMEWORKS.items() if root in roots), None)
        if found is not None:
            return found
        names = {node.id for node in self.of(ast.Name)} & CONVENTIONAL.keys()
        paths = {str(self.lookup(name)).split(".")[0] for name in names}
        return "tensorflow" if paths & {"tensorflow", "keras"} and "torch" not in paths else "torch"

    def lookup(self, name: str) -> str | None:
        """The dotted path that a global name stands for."""
        if name in self.imports:
            return self.imports[name]
        if name in self.bound:
            return None
        return f"builtins.{name}" if name in BUILTINS else CONVENTIONAL.get(name)

    def defined(self, name: str) -> Definition | None:
        """What an imported name, perhaps with attributes, is in another file of the project."""
        if self.project is None:
            return None
        first, _, rest = name.partition(".")
        if first in self.imports:
            return self.project.find(".".join(filter(None, (self.imports[first], rest))), self)
        if first in self.bound:
            return None
        for module in self.stars:
            found = self.project.find(f"{module}.{name}", self)
            if found is not None:
                return found
        return None

    def once(self, key: str, placeholder: T, work: Callable[[], T]) -> T:
        """What some work on the file gives, done once; who asks again has entered its files, too.

        While it is being done, whoever asks is given the placeholder.
        """
        if key not in self.notes:
            self.notes[key] = (placeholder, {})
            project = self.project
            self.notes[key] = (work(), {}) if project is None else project.watch(work)
        result, entered = cast("tuple[T, dict[str, Index]]", self.notes[key])
        if self.project is not None:
            self.project.visited.update(entered)
        return result

    def rests_on(self, path: str) -> bool:
        """Whether anything that was worked out once needed another file."""
        kept = [note for note in self.notes.values() if isinstance(note, tuple)]
        return any(path in entered for _, entered in kept)

    def of(self, kind: type[Node]) -> list[Node]:
        """All nodes of one type, in the order of the file."""
        if kind not in self._in_order:
            found = self.nodes.get(kind, [])
            self._in_order[kind] = sorted(found, key=_place)
        return cast("list[Node]", self._in_order[kind])


def _place(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


MAX_BASES = 6
"""How many base classes above a class are looked at."""


def lineage(info: ClassInfo) -> Iterator[ClassInfo]:
    """A class and the classes above it, the nearest first, in this and other files."""
    seen: set[int] = set()
    waiting = [info]
    while waiting and len(seen) < MAX_BASES:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        for base, node in zip(current.bases, current.node.bases, strict=True):
            parent = current.home.classes.get(base)
            if parent is None:
                found = current.home.defined(dotted(node) or base)
                parent = found.what if found and isinstance(found.what, ClassInfo) else None
            if parent is not None:
                waiting.append(parent)


def method_of(info: ClassInfo, name: str) -> tuple[Function, ClassInfo] | None:
    """A method of a class or of one above it, with the class that defines it."""
    for current in lineage(info):
        if name in current.methods:
            return current.methods[name], current
    return None


def assignments_of(info: ClassInfo, name: str) -> tuple[list[ast.expr], ClassInfo]:
    """What a class, or one above it, assigns to an attribute, with the class that does."""
    for current in lineage(info):
        if name in current.assigned:
            return current.assigned[name], current
    return [], info


def owner_of(index: Index, function: ast.AST) -> ClassInfo | None:
    """The class of a method; nothing for a plain function."""
    inside = isinstance(index.parents.get(id(function)), ast.ClassDef)
    return index.owners.get(id(function)) if inside else None
