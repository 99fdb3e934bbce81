"""Which names of a function are bound where they are read: a walk along its paths."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from didact.check.engine.index import Index
from didact.check.engine.nodes import nodes_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
_LEAVING = ("exit", "_exit", "quit", "abort", "error", "fail", "skip", "fatal")
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class _Path:
    """What is bound on the way: on some way, on every way, and whether the way goes on."""

    some: set[str]
    every: set[str]
    alive: bool = True

    def copy(self) -> _Path:
        return _Path(set(self.some), set(self.every), self.alive)


@dataclass(frozen=True, slots=True)
class OneBranch:
    """A name that one branch binds: the ``if``, what stands around it, the part up to a loop."""

    branch: ast.If
    guards: tuple[int, ...]
    loops: int


@dataclass(slots=True)
class Bindings:
    """The reads of a function's own names that nothing precedes.

    Attributes:
        never: Reads that no binding can precede, the first of each name.
        counts: How often each name is bound by an assignment.
        perhaps: Reads that only one branch of an ``if`` precedes, with that branch.
    """

    own: set[str]
    counts: dict[str, int]
    never: dict[str, ast.Name] = field(default_factory=dict)
    perhaps: dict[str, tuple[ast.Name, ast.If]] = field(default_factory=dict)
    _branches: dict[str, OneBranch] = field(default_factory=dict)
    _guards: tuple[int, ...] = ()
    _loops: int = 0

    def read(self, node: ast.expr | None, path: _Path) -> None:
        """Note what an expression reads, after what it names on the way."""
        for part in nodes_of(node) if node is not None else ():
            if isinstance(part, ast.NamedExpr):
                _bind(part.target, path)
        sometimes = _conditional(node)
        for name in _loads(node):
            if name.id not in self.own or not path.alive:
                continue
            if name.id not in path.some:
                self.never.setdefault(name.id, name)
            branch = self._branches.get(name.id)
            if branch is None or name.id in path.every or id(name) in sometimes:
                continue
            if _same(self._guards, branch):
                self.perhaps.setdefault(name.id, (name, branch.branch))

    def run(self, body: list[ast.stmt], path: _Path) -> None:
        """Follow statements in order."""
        for statement in body:
            if path.alive:
                self._statement(statement, path)

    def _statement(self, node: ast.stmt, path: _Path) -> None:
        if isinstance(node, ast.If):
            self._if(node, path)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            self._loop(node, path)
        elif isinstance(node, ast.Try | ast.TryStar):
            self._try(node, path)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self.read(item.context_expr, path)
                _bind(item.optional_vars, path)
            self.run(node.body, path)
        elif isinstance(node, ast.Match):
            self._match(node, path)
        else:
            self._simple(node, path)

    def _simple(self, node: ast.stmt, path: _Path) -> None:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            self.read(node.value, path)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets if node.value is not None else ():
                self.read(target, path)
                _bind(target, path)
        elif isinstance(node, ast.AugAssign):
            self.read(node.value, path)
            if isinstance(node.target, ast.Name):
                self.read(
                    ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target), path
                )
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                _add(path, (alias.asname or alias.name).split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            _add(path, node.name)
        elif isinstance(node, ast.Delete):
            path.every -= {t.id for t in node.targets if isinstance(t, ast.Name)}
        else:
            for child in ast.iter_child_nodes(node):
                self.read(child if isinstance(child, ast.expr) else None, path)
            path.alive = not _leaves(node)

    def _if(self, node: ast.If, path: _Path) -> None:
        self.read(node.test, path)
        other = path.copy()
        guards, self._guards = self._guards, (*self._guards, id(node))
        self.run(node.body, path)
        self.run(node.orelse, other)
        self._guards = guards
        if path.alive and other.alive and _ends_in_else(node):
            for name in path.every - other.every:
                if self._only_in(name, node.body):
                    self._branches[name] = OneBranch(node, guards, self._loops)
            for name in other.every - path.every if _is_plain(node.orelse) else ():
                if self._only_in(name, node.orelse):
                    self._branches[name] = OneBranch(node, guards, self._loops)
        _meet(path, other)

    def _only_in(self, name: str, body: list[ast.stmt]) -> bool:
        """Whether a name is bound in these statements and nowhere else."""
        inside = sum(n.id == name for part in body for n in nodes_of(part) if _is_store(n))  # type: ignore[attr-defined]
        return inside == self.counts.get(name, 0) > 0

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, path: _Path) -> None:
        self.read(node.test if isinstance(node, ast.While) else node.iter, path)
        path.some |= {n.id for n in nodes_of(node) if _is_store(n) and isinstance(n, ast.Name)}
        path.some |= _defined_in(node.body)
        inside = path.copy()
        if not isinstance(node, ast.While):
            _bind(node.target, inside)
        guards, self._guards = self._guards, (*self._guards, id(node))
        loops, self._loops = self._loops, len(self._guards)
        self.run(node.body, inside)
        self._guards, self._loops = guards, loops
        path.some |= inside.some
        endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant)
        if endless:
            path.every |= inside.every if inside.alive else set()
        self.run(node.orelse, path)

    def _try(self, node: ast.Try | ast.TryStar, path: _Path) -> None:
        before = path.copy()
        guards, self._guards = self._guards, (*self._guards, id(node))
        self.run(node.body, path)
        before.some |= path.some
        self.run(node.orelse, path)
        for handler in node.handlers:
            other = before.copy()
            if handler.name:
                _add(other, handler.name)
            self.run(handler.body, other)
            _meet(path, other)
        self._guards = guards
        alive, path.alive = path.alive, True
        self.run(node.finalbody, path)
        path.alive = path.alive and alive

    def _match(self, node: ast.Match, path: _Path) -> None:
        self.read(node.subject, path)
        before = path.copy()
        for case in node.cases:
            other = before.copy()
            for part in nodes_of(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    _add(other, name)
            self.run(case.body, other)
            path.some |= other.some


def bindings_of(function: Function) -> Bindings:
    """Follow every path through a function."""
    given = function.args
    extra = [a for a in (given.vararg, given.kwarg) if a is not None]
    names = {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs, *extra)}
    elsewhere = {
        name
        for part in _own_nodes(function)
        if isinstance(part, ast.Global | ast.Nonlocal)
        for name in part.names
    }
    stores = [n.id for n in _own_nodes(function) if isinstance(n, ast.Name) and _is_store(n)]
    own = {*stores} | _defined_in(function.body)
    found = Bindings(own - elsewhere, Counter(stores))
    found.run(function.body, _Path(set(names), set(names)))
    return found


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions, classes and comprehensions inside."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_INNER, *_COMPREHENSIONS)):
            waiting += ast.iter_child_nodes(node)


def _defined_in(body: list[ast.stmt]) -> set[str]:
    """What definitions and imports bind."""
    found: set[str] = set()
    for statement in body:
        for node in (statement, *_own_nodes(statement)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(a.asname or a.name).split(".")[0] for a in node.names}
            elif isinstance(node, ast.ExceptHandler) and node.name:
                found.add(node.name)
    return found


def _loads(node: ast.AST | None) -> Iterator[ast.Name]:
    """The names that an expression reads when it is evaluated."""
    waiting = [] if node is None else [(node, frozenset[str]())]
    while waiting:
        part, hidden = waiting.pop()
        if isinstance(part, ast.Lambda):
            continue
        if isinstance(part, _COMPREHENSIONS):
            hidden |= {n.id for n in nodes_of(part) if isinstance(n, ast.Name) and _is_store(n)}
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id not in hidden:
            yield part
        waiting += [(child, hidden) for child in ast.iter_child_nodes(part)]


def _conditional(node: ast.AST | None) -> set[int]:
    """The parts of an expression that are not always evaluated: after ``and``, in ``x if y``."""
    found: set[int] = set()
    for part in nodes_of(node) if node is not None else ():
        inner: list[ast.expr] = []
        if isinstance(part, ast.BoolOp):
            inner = part.values[1:]
        elif isinstance(part, ast.IfExp):
            inner = [part.body, part.orelse]
        elif isinstance(part, _COMPREHENSIONS):
            found |= {id(inside) for inside in nodes_of(part)}
        found |= {id(inside) for branch in inner for inside in nodes_of(branch)}
    return found


def _is_store(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _bind(target: ast.AST | None, path: _Path) -> None:
    for node in nodes_of(target) if target is not None else ():
        if isinstance(node, ast.Name) and _is_store(node):
            _add(path, node.id)


def _add(path: _Path, name: str) -> None:
    path.some.add(name)
    path.every.add(name)


def _meet(path: _Path, other: _Path) -> None:
    if not path.alive:
        path.some, path.every, path.alive = other.some | path.some, other.every, other.alive
        return
    path.some |= other.some
    if other.alive:
        path.every &= other.every


def _same(guards: tuple[int, ...], branch: OneBranch) -> bool:
    """Whether a read stands where the branch stands, or further out: nothing more guards it.

    After a loop around the branch the name may have been bound on another round.
    """
    return guards == branch.guards[: len(guards)] and branch.loops <= len(guards)


def _ends_in_else(node: ast.If) -> bool:
    """Whether a chain of ``elif`` ends in an ``else``."""
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
    return bool(node.orelse)


def _is_plain(body: list[ast.stmt]) -> bool:
    return not (len(body) == 1 and isinstance(body[0], ast.If))


def _leaves(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
        return True
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Constant) and not node.test.value
    if not isinstance(call, ast.Call):
        return False
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in _LEAVING


def bound_around(index: Index, function: ast.AST) -> frozenset[str]:
    """The names that a function, or one around it, binds anywhere in its body."""
    outermost, around = function, index.parents.get(id(function))
    while around is not None and not isinstance(around, ast.Module):
        outermost, around = around, index.parents.get(id(around))
    key = f"names bound in {id(outermost)}"
    return index.once(key, frozenset[str](), partial(bound_in, outermost))


def bound_in(place: ast.AST) -> frozenset[str]:
    """The names that anything in it binds."""
    found: set[str] = set()
    for node in nodes_of(place):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler | _NAMED):
            found.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            found.add(node.rest or "")
    return frozenset(found)


_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def free_names(function: Function) -> Iterator[ast.Name]:
    """The names that a function's body reads, functions inside it included."""
    found: list[ast.Name] = []
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.append(node)
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):  # those of local names are not evaluated
                parts = value if isinstance(value, list) else [value]
                waiting += [part for part in parts if isinstance(part, ast.AST)]
    yield from sorted(found, key=lambda node: (node.lineno, node.col_offset))
