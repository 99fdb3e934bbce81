"""Statements, followed one after the other."""

from __future__ import annotations

import ast
from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Any

from didact.check.explain.formula.libraries import (
    framework_of,
)
from didact.check.explain.formula.trace.expressions import STEPS
from didact.check.explain.formula.trace.loops import Loops
from didact.check.explain.formula.trace.objects import (
    NONE,
    RAISED,
    ClassValue,
    Closure,
    Entry,
    Function,
    Instance,
    Library,
    Named,
    Scope,
    TooMuchError,
    Value,
)
from didact.check.explain.formula.trace.values import _loaded, returned_parts
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Each,
    Given,
    Node,
    Sequence,
)


class Statements(Loops):
    """Follows statements."""

    def _block(self, body: Items[ast.stmt], scope: Scope) -> Value | None:
        for number, statement in enumerate(body):
            self._steps += 1
            if self._steps > STEPS:
                raise TooMuchError
            if isinstance(statement, ast.If):
                return self._if(statement, body[number + 1 :], scope)
            handler = _STATEMENTS.get(type(statement))
            result = handler(self, statement, scope) if handler is not None else None
            if result is not None:
                return result
        return None

    def _if(self, node: ast.If, rest: Items[ast.stmt], scope: Scope) -> Value | None:
        test = self._test(node.test, scope)
        if isinstance(test, Constant):
            return self._block([*(node.body if test.value else node.orelse), *rest], scope)
        text = ast.unparse(node.test)
        then, other = scope.copy(), scope.copy()
        before = [dict(i.attributes) for i in self._instances]
        first = self._block(node.body, then)
        after = [dict(i.attributes) for i in self._instances]
        for instance, attributes in zip(self._instances, before, strict=False):
            instance.attributes.clear()
            instance.attributes.update(attributes)
        second = self._block(node.orelse, other)
        self._merge_attributes(text, test, after, alone=(first is RAISED, second is RAISED))
        if first is RAISED or (first is not None and second is not None):
            chosen = other if first is RAISED else then
            scope.names = chosen.names
            if first is RAISED:
                return second if second is not None else self._block(rest, scope)
            return first if second is RAISED else self._choice(text, test, first, second)
        if second is RAISED:
            scope.names = then.names
            return first if first is not None else self._block(rest, scope)
        if first is not None:
            scope.names = other.names
            last = self._block(rest, scope)
            return self._choice(text, test, first, last)
        if second is not None:
            scope.names = then.names
            last = self._block(rest, scope)
            return self._choice(text, test, last, second)
        for name in {**then.names, **other.names}:
            a, b = then.names.get(name, scope.get(name)), other.names.get(name, scope.get(name))
            merged = a if a is b else self._choice(text, test, a, b)
            scope.names[name] = merged
            if isinstance(merged, Choice):
                self.labels.setdefault(merged, name)
        return self._block(rest, scope)

    def _merge_attributes(
        self, text: str, test: Node | None, after: list[dict[str, Value]],
        *, alone: tuple[bool, bool],
    ) -> None:  # fmt: skip
        """What the objects hold after a condition: what either branch gave them."""
        for instance, then in zip(self._instances, after, strict=False):
            other = dict(instance.attributes)
            for name in {**then, **other}:
                a, b = then.get(name), other.get(name)
                if alone[0] or a is None:
                    instance.attributes[name] = b
                elif alone[1] or b is None or a is b:
                    instance.attributes[name] = a
                else:
                    instance.attributes[name] = self._choice(text, test, a, b)

    def _test(self, node: ast.expr, scope: Scope) -> Node | None:
        value = self._value(node, scope)
        if isinstance(value, Constant):
            return Constant(bool(value.value))
        return value if isinstance(value, Call) else None

    def _assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self._value(node.value, scope)
        self.values[id(node)] = value
        for target in node.targets:
            self._bind(target, value, scope)

    def _annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            value = self._value(node.value, scope)
            self.values[id(node)] = value
            self._bind(node.target, value, scope)

    def _augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        old = self._value(_loaded(node.target), scope)
        value = self._operate(node.op, old, self._value(node.value, scope), node)
        self.values[id(node)] = value
        self._bind(node.target, value, scope)

    def _bind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, scope)
        elif isinstance(target, ast.Name):
            named = self._constant_name(target.id, value)
            scope.names[target.id] = named
            if isinstance(named, Node) and not isinstance(named, Constant):
                self.labels.setdefault(named, target.id)
        elif isinstance(target, ast.Attribute):
            owner = self._value(target.value, scope)
            if isinstance(owner, Instance):
                owner.attributes[target.attr] = value
                if isinstance(value, Node) and not isinstance(value, Constant | Given):
                    self.labels.setdefault(value, f"self.{target.attr}")
        elif isinstance(target, ast.Subscript):
            base = self._value(target.value, scope)
            key = target.slice.value if isinstance(target.slice, ast.Constant) else None
            if isinstance(base, Named) and isinstance(key, str):
                self._bind(target.value, Named({**base.items, key: value}), scope)
                if isinstance(value, Node) and not isinstance(value, Constant):
                    self.labels.setdefault(value, key)
            elif isinstance(base, Named):
                self._bind(target.value, self._unknown(ast.unparse(target.value), []), scope)
            if isinstance(base, Node) and not isinstance(base, Sequence):
                place = self._key(target.slice, scope)
                given = value if isinstance(value, Node) else self._unknown("?", [])
                self._bind(target.value, Call("put", (base, place, given)), scope)

    def _constant_name(self, name: str, value: Value) -> Value:
        """``T = 4.0``: the name stays in the formula, the number is its default."""
        plain = isinstance(value, Constant) and isinstance(value.value, int | float)
        if not plain or isinstance(value.value, bool) or self._stores[name] != 1:
            return value
        return self._given(name, (), default=value.value)

    def _unpack(self, targets: Items[ast.expr], value: Value, scope: Scope) -> None:
        starred = any(isinstance(t, ast.Starred) for t in targets)
        if isinstance(value, Sequence) and len(value.items) == len(targets) and not starred:
            for target, item in zip(targets, value.items, strict=True):
                self._bind(target, item, scope)
            return
        known = isinstance(value, Call)
        for number, target in enumerate(targets):
            if isinstance(target, ast.Starred):
                target = target.value
            part: Node
            if known and not starred:
                part = Call("index", (value, Constant(number)))
            else:
                text = ast.unparse(target)
                inputs = (value,) if isinstance(value, Node) else ()
                part = self._given(text, inputs, model=getattr(value, "model", False))
            self._bind(target, part, scope)

    def _return(self, node: ast.Return, scope: Scope) -> Value:
        value = self._value(node.value, scope) if node.value is not None else NONE
        if isinstance(node.value, ast.Dict) and node.value.values:
            value = Sequence(tuple(self._value(v, scope) for v in node.value.values))
        if isinstance(value, Named):
            value = Sequence(tuple(value.items.values()))
        self.values[id(node)] = value
        return value

    def _raise(self, node: ast.Raise, scope: Scope) -> Value:
        del node, scope
        return RAISED

    def _expr(self, node: ast.Expr, scope: Scope) -> None:
        value = node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            name, owner = value.func.attr, value.func.value
            base = self._value(owner, scope)
            if name in {"backward", "manual_backward"}:
                given = value.args[0] if value.args else owner
                if self._goes_back(node, given, scope):
                    return
            if name == "append" and isinstance(base, Sequence) and value.args:
                item = self._value(value.args[0], scope)
                self._bind(owner, Sequence((*base.items, item)), scope)
                return
            if name.endswith("_") and not name.endswith("__") and isinstance(base, Node):
                self._bind(owner, self._value(value, scope), scope)
                return
        shown = self._value(value, scope)
        if isinstance(value, ast.Call) and id(value) in self._shown:
            for part in returned_parts(shown):
                if isinstance(part, Call):
                    self.entries.append(Entry(node, part, "assign", ""))

    def _goes_back(self, node: ast.AST, given: ast.expr, scope: Scope) -> bool:
        """Keep what is backpropagated: ``loss.backward()``, ``accelerator.backward(loss)``."""
        base = self._value(given, scope)
        scaled = isinstance(base, Given) and base.text.split("(", 1)[0].endswith("scale")
        if scaled and isinstance(given, ast.Call) and len(base.inputs) == 1:
            base, given = base.inputs[0], given.args[0] if given.args else given
        if not isinstance(base, Node):
            return False
        self.values[id(node)] = base
        label = self.labels.get(base, ast.unparse(given))
        self.entries.append(Entry(node, base, "backward", label, self._owner))
        return True

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> Value | None:
        text = " ".join(ast.unparse(i.context_expr) for i in node.items)
        frozen = "no_grad" in text or "inference_mode" in text
        for item in node.items:
            value = self._value(item.context_expr, scope)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, value, scope)
        before = dict(scope.names)
        self._frozen += frozen
        try:
            result = self._block(node.body, scope)
        finally:
            self._frozen -= frozen
        if frozen:
            for name, value in scope.names.items():
                if value is not before.get(name) and isinstance(value, Call | Given | Each):
                    cut = Call("detach", (value,))
                    self.labels.setdefault(cut, name)
                    scope.names[name] = cut
        return result

    def _try(self, node: ast.Try, scope: Scope) -> Value | None:
        return self._block([*node.body, *node.orelse, *node.finalbody], scope)

    def _define(self, node: Function, scope: Scope) -> None:
        scope.names[node.name] = Closure(node, scope)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.names[node.name] = ClassValue(node, scope)

    def _import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.split(".")[0]
            self._library(alias.name)
            scope.names[alias.asname or path] = Library(path)

    def _importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            path = f"{node.module or ''}.{alias.name}"
            self._library(path)
            if framework_of(path) or path.split(".")[0] in {"numpy", "math", "copy", "functools"}:
                scope.names[alias.asname or alias.name] = Library(path)


_STATEMENTS: dict[type[ast.stmt], Callable[[Statements, Any, Scope], Value | None]] = {
    ast.Assign: Statements._assign,
    ast.AnnAssign: Statements._annassign,
    ast.AugAssign: Statements._augassign,
    ast.Return: Statements._return,
    ast.Raise: Statements._raise,
    ast.Expr: Statements._expr,
    ast.For: Statements._for,
    ast.AsyncFor: Statements._for,
    ast.While: Statements._while,
    ast.With: Statements._with,
    ast.AsyncWith: Statements._with,
    ast.Try: Statements._try,
    ast.FunctionDef: Statements._define,
    ast.AsyncFunctionDef: Statements._define,
    ast.ClassDef: Statements._class,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._importfrom,
}
