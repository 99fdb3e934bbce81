"""The files that are checked together: what a name imported from one of them stands for."""

from __future__ import annotations

import ast
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import PurePosixPath
from typing import TypeVar

from didact.check.engine.index import ClassInfo, Definition, Function, Index, owner_of
from didact.check.engine.names import HEADS, word_set
from didact.check.engine.walk import build_index

MAX_MODULES = 160
"""So many modules are kept read at a time: memory stays bounded however large the tree."""
MAX_REEXPORTS = 4
"""How many files an import is followed through: ``from .losses import kd`` in an ``__init__``."""
MAX_TEXT = 4_000_000
"""So many characters of source, likewise: a tree takes a hundred times its text."""
MAX_LOCATED = 100_000
"""So many answers to where a module lies are remembered."""
MAX_CALLERS = 12
"""So many functions of other files are run for the sake of the functions they call here."""
_LIBRARIES = word_set(
    "torch torchvision torchaudio numpy scipy sklearn pandas math copy functools typing os sys "
    "tensorflow keras jax flax paddle mxnet transformers pytorch_lightning lightning"
)
"""Their functions are known by name; a file of the tree never stands in for them."""

_HEAD = "transformers:"
"""Marks, among the modules that a file imports, a model of ``transformers`` that it names."""
_HEADS = re.compile(rb"\b[A-Z]\w*(?:" + "|".join(HEADS).encode() + rb")\b")
_NOTEBOOK = ".ipynb"
_COPIES = "transformers::labels"
"""Marks, likewise, a file that makes the labels of a language model a copy of its input."""
_COPIED = re.compile(rb"labels['\"]?\]?\s*[=:][^=\n]{0,40}input_ids['\"]?\]?(?![\w'\"\]]|\s*\[)")
_NEAR = 3
"""So many imports away the models are looked for that give a file its logits."""

T = TypeVar("T")
Caller = tuple[Index, Function | ast.Module, ClassInfo | None]
"""A function (or the code outside of any), its file, and the class it is a method of."""
Read = Callable[[str], tuple[ast.Module, str] | None]
"""The tree and the text of a file; nothing where it cannot be read."""


class Project:
    """The modules of a tree, read when something in them is first asked for.

    Args:
        imports: Each file with the dotted modules that it imports, as it writes them.
        read: Reads one of these files.
    """

    def __init__(self, imports: Mapping[str, frozenset[str]], read: Read) -> None:
        self._read = read
        self._indices: OrderedDict[str, Index | None] = OrderedDict()
        self.visited: dict[str, Index] = {}
        """The files entered for the sake of the one that was adopted last."""
        self._asked: set[str] = set()
        self.arrange(imports)

    def arrange(self, imports: Mapping[str, frozenset[str]]) -> None:
        """Take over which files there are and what they import."""
        self._indices.clear()  # what was worked out rests on what a name leads to
        self._sizes: dict[str, int] = {}
        self._size = 0
        self._located: dict[tuple[object, ...], str | None] = {}
        self._imports = imports
        self._parts = {path: _module_parts(path) for path in sorted(imports)}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path, parts in self._parts.items():
            if path.endswith(_NOTEBOOK):
                continue  # it imports others, and no other file imports it
            self._by_name[parts[-1] if parts else ""].append(path)
        self._importers: dict[str, list[str]] = defaultdict(list)
        for path in self._parts:
            for module in sorted(imports[path]):
                self._importers[module.rsplit(".", 1)[-1]].append(path)

    def forget(self, path: str) -> None:
        """Read a file anew when it is next asked for, and work out anew what rests on it."""
        self._let_go(path)
        resting = [p for p, i in self._indices.items() if i is not None and i.rests_on(path)]
        for other in resting:
            self._let_go(other)

    def looked_at(self) -> frozenset[str]:
        """The files that were looked at since this was last asked."""
        self._asked |= self.visited.keys()
        found, self._asked, self.visited = frozenset(self._asked), set(), {}
        return found

    def adopt(self, path: str, tree: ast.Module, source: str) -> tuple[Index, dict[str, Index]]:
        """Make a file that is being analysed part of the project.

        Returns:
            Its names, and the other files that are entered from now on: to be kept, since what is
            known of their nodes is kept by the nodes' ids.
        """
        index = self._indices.get(path)
        if index is None or index.tree is not tree:
            index = build_index(tree, source)
            index.path, index.project = path, self
            self._keep(path, index, len(source))
        self._asked |= self.visited.keys()
        self.visited = {}
        return index, self.visited

    @contextmanager
    def trying(self, path: str) -> Iterator[None]:
        """Other texts of a file may be adopted in here; it is itself again afterwards."""
        index, visited = self._indices.get(path), self.visited
        size = self._sizes.get(path, 0)
        try:
            yield
        finally:
            self._asked |= self.visited.keys()
            self.visited = visited
            self.forget(path)
            if index is not None:
                self._keep(path, index, size)

    def index(self, path: str) -> Index | None:
        """The names of a file; nothing where it cannot be read."""
        self._asked.add(path)
        if path not in self._indices:
            made = self._read(path)
            index = None if made is None else build_index(*made)
            if index is not None:
                index.path, index.project = path, self
            self._keep(path, index, 0 if made is None else len(made[1]))
        found = self._indices[path]
        self._indices.move_to_end(path)
        while len(self._indices) > MAX_MODULES or (
            self._size > MAX_TEXT and len(self._indices) > 1
        ):
            self._let_go(next(iter(self._indices)))
        return found

    def _keep(self, path: str, index: Index | None, size: int) -> None:
        self._let_go(path)
        self._indices[path], self._sizes[path] = index, size
        self._size += size

    def _let_go(self, path: str) -> None:
        self._indices.pop(path, None)
        self._size -= self._sizes.pop(path, 0)

    def find(self, dotted: str, importer: Index, follow: int = MAX_REEXPORTS) -> Definition | None:
        """What ``package.module.name`` is, seen from a file; nothing for libraries."""
        level = len(dotted) - len(dotted.lstrip("."))
        parts = dotted[level:].split(".")
        if not level and parts[0] in _LIBRARIES:
            return None
        for cut in (len(parts) - 1, len(parts) - 2):
            if cut < (0 if level else 1):
                continue
            path = self.locate(parts[:cut], level, importer.path)
            index = self.index(path) if path is not None and path != importer.path else None
            if index is not None:
                self.visited[index.path] = index
                return self._member(index, parts[cut:], follow)
        return None

    def _member(self, index: Index, names: list[str], follow: int) -> Definition | None:
        name = names[0]
        info = index.classes.get(name)
        if info is not None and len(names) == 1:
            return Definition(index, info)
        if info is not None:
            method = info.methods.get(names[1])
            return None if method is None else Definition(index, method)
        if len(names) > 1:
            return None
        if name in index.functions:
            return Definition(index, index.functions[name])
        if name in index.top_level:
            return Definition(index, index.top_level[name])
        if name in index.imports and follow:
            return self.find(index.imports[name], index, follow - 1)
        for module in index.stars if follow else ():
            found = self.find(f"{module}.{name}", index, follow - 1)
            if found is not None:
                return found
        return None

    def locate(self, parts: list[str], level: int, importer: str) -> str | None:
        """The file of a module: relative to the importer, or below one of the folders above it."""
        key = (importer.rpartition("/")[0], level, *parts)
        if key not in self._located:
            if len(self._located) >= MAX_LOCATED:
                self._located.clear()
            self._located[key] = self._locate(parts, level, PurePosixPath(importer).parent)
        return self._located[key]

    def _locate(self, parts: list[str], level: int, folder: PurePosixPath) -> str | None:
        if level:
            for _ in range(level - 1):
                folder = folder.parent
            whole = [part for part in folder.parts if part != "."] + parts
            return next((p for p in self._candidates(whole) if self._parts[p] == whole), None)
        best: tuple[bool, int, str] | None = None
        for path in self._candidates(parts):
            root = PurePosixPath(*self._parts[path][: -len(parts)])
            above = root == folder or root in folder.parents
            if not above and len(parts) < 2:
                continue  # any file may be called losses.py
            rank = (not above, -len(root.parts) if above else len(root.parts), path)
            best = rank if best is None or rank < best else best
        return best[2] if best is not None else None

    def _candidates(self, parts: list[str]) -> Iterator[str]:
        for path in self._by_name.get(parts[-1] if parts else "", ()):
            if self._parts[path][-len(parts) :] == parts:
                yield path

    def callers(
        self, own: Index
    ) -> Iterator[tuple[Index, Function | ast.Module, ClassInfo | None]]:
        """The functions of other files that use a name of this one, a few of them."""
        parts = self._parts.get(own.path)
        if not parts:
            return
        yield from islice(self._all_callers(own, parts), MAX_CALLERS)

    def _all_callers(self, own: Index, parts: list[str]) -> Iterator[Caller]:
        """First those that use this file, then those that call these."""
        further: list[tuple[Index, str]] = []
        told: set[int] = set()
        for index, function, owner in self._direct_callers(own, parts):
            told.add(id(function))
            yield index, function, owner
            if not isinstance(function, ast.Module):
                further.append((index, function.name if owner is None else owner.node.name))
        for index, name in further:
            for function in _users(index, {name}):
                if id(function) not in told and not isinstance(function, ast.Module):
                    told.add(id(function))
                    yield index, function, owner_of(index, function)

    def _direct_callers(self, own: Index, parts: list[str]) -> Iterator[Caller]:
        doors = {own.path, *(p for p in self._candidates(parts[:-1]) if p.endswith("__init__.py"))}
        paths = {path for part in parts[-2:] for path in self._importers.get(part, ())}
        for path in sorted(paths - {own.path}):
            index = self.index(path) if self._imports_one_of(path, doors) else None
            names = set() if index is None else self._names_from(index, own, doors)
            if index is None or not names:
                continue
            self.visited[path] = index
            for function in _users(index, names):
                yield index, function, owner_of(index, function)

    def watch(self, work: Callable[[], T]) -> tuple[T, dict[str, Index]]:
        """Do some work; which files were entered for it."""
        outer, self.visited = self.visited, {}
        try:
            result = work()
        finally:
            inner, self.visited = self.visited, outer
            outer.update(inner)
        return result, inner

    def heads(self, path: str) -> frozenset[str]:
        """The models of ``transformers`` that the files around one name: the nearest that do."""
        seen, around = {path}, {path}
        for _ in range(_NEAR):
            around = {other for one in around for other in self._neighbours(one)} - seen
            seen |= around
            found = frozenset(head for other in around for head in self._heads_in(other))
            if found or not around:
                return found
        return frozenset()

    def _heads_in(self, path: str) -> Iterator[str]:
        for module in self._imports[path]:
            if module.startswith(_HEAD) and module != _COPIES:
                yield module.removeprefix(_HEAD)

    def copies_labels(self) -> bool:
        """Whether any file makes the labels of a language model a copy of its input."""
        return any(_COPIES in modules for modules in self._imports.values())

    def _neighbours(self, path: str) -> Iterator[str]:
        """The files that a file imports, and those that import it."""
        for module in sorted(self._imports.get(path, ())):
            found = self._place(module, path) if not module.startswith(_HEAD) else None
            if found is not None:
                yield found
        parts = self._parts.get(path)
        for other in self._importers.get(parts[-1], ()) if parts else ():
            if self._imports_one_of(other, {path}):
                yield other

    def _imports_one_of(self, path: str, files: set[str]) -> bool:
        return any(self._place(module, path) in files for module in self._imports[path])

    def _place(self, dotted: str, importer: str) -> str | None:
        level = len(dotted) - len(dotted.lstrip("."))
        parts = dotted[level:].split(".") if dotted[level:] else []
        if not level and (not parts or parts[0] in _LIBRARIES):
            return None
        return self.locate(parts, level, importer)

    def _names_from(self, index: Index, own: Index, doors: set[str]) -> set[str]:
        """The names under which a file knows something of another one.

        Only files that may pass it on are read: most of what a file imports is of others.
        """
        found = set()
        leads: dict[str | None, bool] = {None: False}
        for name, dotted in index.imports.items():
            if self._place(dotted, index.path) == own.path:
                found.add(name)
                continue
            module, dot, _ = dotted.rpartition(".")
            only_dots = dot and not module.strip(".")
            place = self._place(f"{module}." if only_dots else module, index.path)
            if place is not None and place not in leads:
                leads[place] = place in doors or self._imports_one_of(place, doors)
            definition = self.find(dotted, index) if leads[place] else None
            if definition is not None and definition.index is own:
                found.add(name)
        return found


def _users(index: Index, names: set[str]) -> Iterator[Function | ast.Module]:
    """The outermost functions that use one of the names; the module where its own code does."""
    seen: set[int] = set()
    attributes: set[str] = set()
    for node in index.of(ast.Name):
        if node.id not in names or not isinstance(node.ctx, ast.Load):
            continue
        assigned = index.parents.get(id(node))
        while assigned is not None and not isinstance(assigned, ast.stmt):
            assigned = index.parents.get(id(assigned))
        for target in getattr(assigned, "targets", ()):
            if isinstance(target, ast.Attribute):
                attributes.add(target.attr)
        function = _function_around(index, node)
        if id(function) not in seen:
            seen.add(id(function))
            yield function
    for attribute in index.of(ast.Attribute) if attributes else ():
        if attribute.attr in attributes and isinstance(attribute.ctx, ast.Load):
            function = _function_around(index, attribute)
            if id(function) not in seen:
                seen.add(id(function))
                yield function


def _function_around(index: Index, node: ast.AST) -> Function | ast.Module:
    found: Function | ast.Module = index.tree
    around: ast.AST | None = node
    while around is not None:
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            found = around
        around = index.parents.get(id(around))
    return found


def _module_parts(path: str) -> list[str]:
    parts = [part for part in PurePosixPath(path).with_suffix("").parts if part != "."]
    return parts[:-1] if parts and parts[-1] == "__init__" else parts


def in_lines(notebook: bytes) -> bytes:
    """The JSON of a notebook with the lines of its cells on lines of their own, unquoted."""
    lines = notebook.replace(b"\\n", b"\n").split(b"\n")
    return b"\n".join(line.strip(b'", []\t\r') for line in lines)


def imports_in(source: bytes) -> frozenset[str]:
    """The modules that a text imports, found without parsing it."""
    found = set()
    for line in source.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] in (b"from", b"import"):
            names = words[1:2] if words[0] == b"from" else b" ".join(words[1:]).split(b",")
            for name in names:
                found.add(name.split()[0].decode("utf-8", "replace") if name.split() else "")
            if words[0] == b"from" and len(words) > 3:  # from . import losses
                for name in b" ".join(words[3:]).strip(b"()\\ ").split(b","):
                    if name.split():
                        found.add(name.split()[0].decode("utf-8", "replace"))
    return frozenset(found - {""}) | heads_in(source)


def heads_in(source: bytes) -> frozenset[str]:
    """The models of ``transformers`` that a text names, marked among its imports."""
    if b"transformers" not in source:
        return frozenset()
    found = {_HEAD + name.decode() for name in _HEADS.findall(source)}
    return frozenset(found | {_COPIES} if _COPIED.search(source) is not None else found)
