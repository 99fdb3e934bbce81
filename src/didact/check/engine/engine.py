"""The analysis of one file: everything in it is run once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

from didact.check.engine.events import Forward, Log, LossUse, Operation, Scope, Softmax, Term, Total
from didact.check.engine.expressions import EXPRESSIONS
from didact.check.engine.index import ClassInfo, Function, Index, owner_of
from didact.check.engine.inline import run_routine
from didact.check.engine.machine import Frame, Machine, Routine
from didact.check.engine.project import Project
from didact.check.engine.rank_hints import hints_of
from didact.check.engine.statements import STATEMENTS
from didact.check.engine.teacher_state import ModelFacts, model_facts
from didact.check.engine.values import Value
from didact.check.engine.walk import build_index

Event = TypeVar("Event", LossUse, Forward, Softmax, Log, Operation, Total)
_FIRST = ("__init__", "setup", "build", "_init", "configure")
_ALL_UP_TO = 400
"""In files of up to so many lines every function is run, in longer ones those that matter."""


@dataclass(eq=False)
class Analysis:
    """What is known of one file.

    Attributes:
        tree: The parsed file.
        source: Its text.
        path: Its name.
        uses: Every loss computed, in the order of the file.
        forwards: Every model call.
        softmaxes: Every softmax, log_softmax and sigmoid.
        logs: Every logarithm.
        operations: Other operations, see :class:`Operation`.
        totals: The sums of losses that statements assign, return or backpropagate.
        defaults: The numbers that symbols have by default.
        facts: What the file does to its models.
        index: The names of the file.
    """

    tree: ast.Module
    source: str
    path: str
    index: Index
    uses: list[LossUse] = field(default_factory=list)
    forwards: list[Forward] = field(default_factory=list)
    softmaxes: list[Softmax] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    defaults: dict[str, float] = field(default_factory=dict)
    _values: dict[int, Value] = field(default_factory=dict)
    _terms: dict[int, list[Term]] = field(default_factory=dict)
    _visited: dict[str, Index] = field(default_factory=dict)

    def value_of(self, node: ast.expr) -> Value | None:
        """The inferred value of an expression, where it is evaluated; nothing if it never is."""
        return self._values.get(id(node))

    def terms_of(self, use: LossUse) -> list[Term]:
        """Every form in which a loss was seen: with each factor and reduction on its way."""
        found = self._terms.get(id(use.node), [])
        return [term for term in found if term.use.identity == use.identity]

    def operations_of(self, kind: str) -> list[Operation]:
        """The operations of one kind."""
        return [operation for operation in self.operations if operation.kind == kind]

    @cached_property
    def facts(self) -> ModelFacts:
        """What the file and those that call it do to their models, read when a rule first asks."""
        return model_facts(self.index).beside(map(model_facts, list(self._visited.values())))

    def owns(self, node: ast.AST) -> bool:
        """Whether a node is of this file, not of one that was entered from it."""
        return node is self.tree or id(node) in self.index.parents

    def parent_of(self, node: ast.AST) -> ast.AST | None:
        """The node around a node."""
        return self.index.parents.get(id(node))

    def parent_in_project(self, node: ast.AST) -> ast.AST | None:
        """The node around a node, also where it stands in a file that was entered."""
        for index in (self.index, *self._visited.values()):
            if id(node) in index.parents:
                return index.parents[id(node)]
        return None

    def files(self) -> Iterator[Index]:
        """This file, and those that were entered for it."""
        yield self.index
        yield from (index for index in list(self._visited.values()) if index is not self.index)

    def files_on_the_way(self, scope: Scope) -> Iterator[Index]:
        """This file, and those whose calls led to a place."""
        yield self.index
        for index in list(self._visited.values()):
            if index is not self.index and any(id(call) in index.parents for call in scope.calls):
                yield index

    def statement_of(self, node: ast.AST) -> ast.AST:
        """The statement that a node belongs to."""
        while not isinstance(node, ast.stmt):
            parent = self.parent_of(node)
            if parent is None:
                return node
            node = parent
        return node


def analyse(
    source: str,
    *,
    path: str = "<string>",
    tree: ast.Module | None = None,
    thorough: bool = False,
    project: Project | None = None,
) -> Analysis:
    """Infer what a file computes.

    Args:
        source: The file's text.
        path: Its name, for rules that ask.
        tree: Its syntax tree, if it has been parsed already.
        thorough: Run functions that mention nothing of interest, too.
        project: The files that it may import from, or be imported by.

    Raises:
        SyntaxError: The text is not Python; only if no tree is given.
    """
    tree = ast.parse(source) if tree is None else tree
    if project is None:
        index, visited = build_index(tree, source), dict[str, Index]()
    else:
        index, visited = project.adopt(path, tree, source)
    thorough = thorough or source.count("\n") < _ALL_UP_TO
    machine = Machine(index, {**EXPRESSIONS, **STATEMENTS}, thorough=thorough)
    _run_all(machine, project)
    return _collect(machine, source, path, visited)


def _run_all(m: Machine, project: Project | None) -> None:
    own = m.own
    m.frames.append(Frame(Scope(own.tree), own, hints=hints_of(own, own.tree)))
    _guarded(m, partial(m.run, own.tree.body))
    for index, caller, owner in project.callers(own) if project is not None else ():
        _guarded(m, partial(_run_caller, m, index, caller, owner))
    for function, owner in _routines(own):
        if m.thorough or id(function) in own.relevant_functions:
            _guarded(m, partial(run_routine, m, Routine(function, own, owner)))


def _run_caller(
    m: Machine, index: Index, caller: Function | ast.Module, owner: ClassInfo | None
) -> None:
    """Run a function of another file, for what it gives to the functions of this one."""
    if not isinstance(caller, ast.Module):
        run_routine(m, Routine(caller, index, owner))
        return
    with m.entered(Frame(Scope(caller), index, hints=hints_of(index, caller))):
        m.run(caller.body)


def _guarded(m: Machine, run: Callable[[], object]) -> None:
    """One function that is too deep for the interpreter must not hide the others."""
    depth = len(m.frames)
    m.steps = 0
    try:
        run()
    except (RecursionError, MemoryError):
        pass
    finally:
        del m.frames[max(depth, 1) :]
        m.active.clear()
        m.pending.clear()
        m.context = ()


def _routines(index: Index) -> list[tuple[Function, ClassInfo | None]]:
    """Every function with its class: what constructs first, constructors first in each class."""
    found: list[tuple[Function, ClassInfo | None]] = []
    seen: set[int] = set()
    found += [(function, None) for function in _constructing(index)]
    seen |= {id(function) for function, _ in found}
    for info in index.classes.values():
        methods = sorted(info.methods.values(), key=lambda f: not f.name.startswith(_FIRST))
        found += [(method, info) for method in methods]
        seen |= {id(method) for method in methods}
    functions: list[Function] = [*index.of(ast.FunctionDef), *index.of(ast.AsyncFunctionDef)]
    for function in functions:
        if id(function) not in seen:
            found.append((function, owner_of(index, function)))
    return found


def _constructing(index: Index) -> Iterator[Function]:
    """The plain functions that make objects of the file's own classes."""
    plain = {id(function): function for function in index.functions.values()}
    told: set[int] = set()
    for name in index.of(ast.Name) if index.classes else ():
        if name.id not in index.classes or not isinstance(name.ctx, ast.Load):
            continue
        around: ast.AST | None = name
        while around is not None and id(around) not in plain:
            around = index.parents.get(id(around))
        if around is not None and id(around) not in told:
            told.add(id(around))
            yield plain[id(around)]


def _collect(m: Machine, source: str, path: str, visited: dict[str, Index]) -> Analysis:
    return Analysis(
        tree=m.own.tree,
        source=source,
        path=path,
        index=m.own,
        uses=_in_order(m.uses.values()),
        forwards=_in_order(m.forwards.values()),
        softmaxes=_in_order(m.softmaxes.values()),
        logs=_in_order(m.logs.values()),
        operations=_in_order(m.operations.values()),
        totals=_in_order(m.totals.values()),
        defaults=m.defaults,
        _values=m.values,
        _terms=m.term_log,
        _visited=visited,
    )


def _in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: _place(event.node))


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
