"""A file, followed once."""

from __future__ import annotations

import ast
import re
from contextlib import suppress

from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.trace.looks import called_by_name, is_method
from didact.check.explain.formula.trace.objects import (
    RAISED,
    ClassValue,
    Closure,
    Entry,
    Function,
    Instance,
    Scope,
    TooMuchError,
    Value,
)
from didact.check.explain.formula.trace.statements import Statements
from didact.check.explain.formula.trace.values import returned_parts
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Each,
    walk,
)


class Tracer(Statements):
    """Follows the code once and keeps what it computes."""

    def run(self) -> Tracer:
        """Follow everything: the module, then each function that nothing called."""
        with suppress(TooMuchError, RecursionError, MemoryError):
            self._toplevel()
        return self

    def _toplevel(self) -> None:
        before = len(self.entries)
        self._foretold()
        try:
            returned = self._block(self.tree.body, self.top)
        except (TooMuchError, RecursionError, MemoryError):
            returned = None
        self._finish(self.tree, returned, self.top, before)
        classes = [n for n in nodes_of(self.tree) if isinstance(n, ast.ClassDef)]
        if self._demonstrated and not any(e.how == "backward" for e in self.entries[before:]):
            del self.entries[before:]
            self._called.clear()
        self._called |= called_by_name(self.tree)
        methods = {id(m) for c in classes for m in c.body if isinstance(m, Function)}
        for cls in classes:
            self._methods(cls)
        for node in nodes_of(self.tree):
            if isinstance(node, Function) and id(node) not in methods | self._called:
                closure = self.top.get(node.name)
                scope = closure.scope if isinstance(closure, Closure) else self.top
                self._enter(Closure(node, scope, self._pasted_owner(node)), node.name)

    def _foretold(self) -> None:
        """What a paste shows behind the lines that call it: functions, objects of losses."""
        for node in self.tree.body:
            if isinstance(node, Function):
                self.top.names[node.name] = Closure(node, self.top)
            if isinstance(node, ast.ClassDef):
                self.top.names[node.name] = ClassValue(node, self.top)
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if not isinstance(target, ast.Name) or self._stores[target.id] != 1:
                continue
            made = isinstance(node.value, ast.Call) and bool(  # type: ignore[attr-defined]
                _LOSS_OBJECT.match(ast.unparse(node.value.func)))  # type: ignore[attr-defined]  # fmt: skip
            if made or isinstance(node.value, ast.Lambda):  # type: ignore[attr-defined]
                self._block([node], self.top)

    def _pasted_owner(self, node: Function) -> Instance | None:
        """The object of a method that was pasted without its class."""
        first = [a.arg for a in [*node.args.posonlyargs, *node.args.args]][:1]
        if first != ["self"]:
            return None
        if self._alone is None:
            empty = ast.parse("class Pasted:\n    pass").body[0]
            assert isinstance(empty, ast.ClassDef)
            empty.body = [n for n in self.tree.body if isinstance(n, Function) and is_method(n)]
            self._alone = Instance(empty, {})
            self._instances.append(self._alone)
        return self._alone

    def _methods(self, node: ast.ClassDef) -> None:
        own = [m for m in node.body if isinstance(m, Function)]
        instance = self._instance(ClassValue(node, self.top), [], {}, free=True)
        first = {"forward": 0, "__call__": 1, "call": 1, "compute_loss": 2}
        for method in sorted(own, key=lambda m: first.get(m.name, 3)):
            if method.name.startswith("__") and method.name != "__call__":
                continue
            if id(method) not in self._called:
                self._enter(Closure(method, self.top, instance), f"{node.name}.{method.name}")

    def _enter(self, closure: Closure, name: str) -> None:
        before = len(self.entries)
        scope = Scope({}, closure.scope)
        assert not isinstance(closure.node, ast.Lambda)
        self._parameters(closure, [], self._compiled_with(closure), scope)
        self._called.add(id(closure.node))
        self._owner = name
        self._depth += 1
        try:
            returned = self._block(closure.node.body, scope)
        finally:
            self._depth -= 1
        self._finish(closure.node, returned, scope, before, name)
        self._owner = ""

    def _compiled_with(self, closure: Closure) -> dict[str, Value]:
        """What Keras' ``compile`` of a model is given where it is called."""
        assert not isinstance(closure.node, ast.Lambda)
        if closure.node.name != "compile":
            return {}
        names = {a.arg for a in [*closure.node.args.args, *closure.node.args.kwonlyargs]}
        given = {n: v for n, v in {**self.told, **self._compiled}.items() if n in names}
        return {name: self._value(value, self.top) for name, value in given.items()}

    def _finish(
        self, node: ast.AST, returned: Value, scope: Scope, before: int, owner: str = ""
    ) -> None:
        """What is returned is a loss; without a return and a backward what was assigned last."""
        if returned is not None and returned is not RAISED:
            for part in returned_parts(returned):
                name = self.labels.get(part, "") or owner
                self.entries.append(Entry(node, part, "return", name, owner))
            return
        if any(e.how == "backward" for e in self.entries[before:]):
            return
        kept = [(n, v) for n, v in scope.names.items() if isinstance(v, Call | Each | Choice)]
        inner = {id(p) for _, v in kept for p in walk(v) if p is not v}
        for name, value in kept:
            if id(value) not in inner:
                self.entries.append(Entry(node, value, "assign", name, owner))


_LOSS_OBJECT = re.compile(r"((torch\.)?nn|(tf\.)?keras\.losses|paddle\.nn)\.\w*Loss|.*\.losses\.")


def trace(tree: ast.Module, words: str = "") -> Tracer:
    """What a file computes; ``words`` around it may say what an attribute is."""
    return Tracer(tree, words).run()
