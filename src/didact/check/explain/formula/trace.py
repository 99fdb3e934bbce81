"""From code to formulas: every value is followed through names, calls, loops and branches."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence as Items
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from didact.check.engine.names import is_model, is_temperature, is_weight, words
from didact.check.explain.formula.libraries import (
    ALIASES,
    CASTS,
    METHODS,
    SAME,
    Layer,
    call,
    framework_of,
    lacks_arguments,
    layer,
    translation,
)
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.operations import OPERATIONS
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Each,
    Given,
    Item,
    Loop,
    Node,
    Sequence,
    walk,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Value = Any
"""A node of the formula, or one of the objects below."""
DEPTH = 8
STEPS = 20_000
_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.BitAnd: "logical_and",
    ast.BitOr: "logical_or",
}  # fmt: skip
_COMPARE = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}  # fmt: skip
_NONE = Constant(None)
_OF_MODELS_TOO = frozenset({"norm", "relu", "sort", "add", "to", "cuda", "cpu", "float", "half"})
"""Methods of tensors that a model may have as well."""


@dataclass(slots=True)
class Scope:
    """Names of one function, over those around it."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None

    def get(self, name: str) -> Value | None:
        """A name's value, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def copy(self) -> Scope:
        """The same names, for one branch."""
        return Scope(dict(self.names), self.outer)


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """A module or function of a library, by its dotted name."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A function of the code, with what it sees."""

    node: Function | ast.Lambda
    scope: Scope
    owner: Instance | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of a class of the code."""

    node: ast.ClassDef
    attributes: dict[str, Value]
    name: str = "self"


@dataclass(frozen=True, slots=True, eq=False)
class ClassValue:
    """A class of the code."""

    node: ast.ClassDef
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A value that the code returns, backpropagates or leaves behind: perhaps its loss."""

    node: ast.AST
    value: Node
    how: str
    """``"backward"``, ``"return"`` or ``"assign"``."""
    name: str
    owner: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of two functions or objects, by a condition."""

    text: str
    test: Node | None
    then: Value
    other: Value


_SETTINGS = frozenset(
    {"self", "cls", "args", "opt", "opts", "cfg", "config", "hparams", "hp", "params", "settings",
     "conf", "flags", "options", "parser"}
)  # fmt: skip
"""Objects with numbers as attributes: their ``T`` is a temperature, no transpose."""


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """A function with some arguments fixed."""

    function: Value
    args: tuple[Value, ...]
    keywords: dict[str, Value]


_OF_TENSORS = frozenset({"shape", "T", "mT", "data", "values", "indices", "ndim", "grad"})


class _TooMuchError(Exception):
    """There is too much to follow."""


_RAISED = object()


class Tracer:
    """Follows the code once and keeps what it computes."""

    def __init__(self, tree: ast.Module, words: str = "") -> None:
        self.tree = tree
        self.told = _told(words)
        self.entries: list[Entry] = []
        self.values: dict[int, Value] = {}
        self.labels: dict[Node, str] = {}
        self.frameworks: set[str] = set()
        self.told_used: set[str] = set()
        self._givens: dict[tuple[str, tuple[Node, ...]], Given] = {}
        self._called: set[int] = set()
        self._depth = 0
        self._steps = 0
        self._loops = 0
        self._frozen = 0
        self._instances: list[Instance] = []
        self._owner = ""
        self._alone: Instance | None = None
        self._demonstrated: set[int] = set()
        self._shown = _shown(tree)
        self._printed = _printed(tree)
        self._stores = Counter(
            n.id for n in nodes_of(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        )
        """How often each name is assigned: a running sum is assigned more than once."""
        self._compiled = _compile_keywords(tree)
        self.top = Scope()

    # The whole

    def run(self) -> Tracer:
        """Follow everything: the module, then each function that nothing called."""
        with suppress(_TooMuchError, RecursionError, MemoryError):
            self._toplevel()
        return self

    def _toplevel(self) -> None:
        before = len(self.entries)
        try:
            returned = self._block(self.tree.body, self.top)
        except (_TooMuchError, RecursionError, MemoryError):
            returned = None
        self._finish(self.tree, returned, self.top, before)
        classes = [n for n in nodes_of(self.tree) if isinstance(n, ast.ClassDef)]
        if self._demonstrated and not any(e.how == "backward" for e in self.entries[before:]):
            del self.entries[before:]
            self._called.clear()
        self._called |= _called_by_name(self.tree)
        methods = {id(m) for c in classes for m in c.body if isinstance(m, Function)}
        for cls in classes:
            self._methods(cls)
        for node in nodes_of(self.tree):
            if isinstance(node, Function) and id(node) not in methods | self._called:
                closure = self.top.get(node.name)
                scope = closure.scope if isinstance(closure, Closure) else self.top
                self._enter(Closure(node, scope, self._pasted_owner(node)), node.name)

    def _pasted_owner(self, node: Function) -> Instance | None:
        """The object of a method that was pasted without its class."""
        first = [a.arg for a in [*node.args.posonlyargs, *node.args.args]][:1]
        if first != ["self"]:
            return None
        if self._alone is None:
            empty = ast.parse("class Pasted:\n    pass").body[0]
            assert isinstance(empty, ast.ClassDef)
            empty.body = [n for n in self.tree.body if isinstance(n, Function) and _is_method(n)]
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
        self._parameters(closure, [], {}, scope)
        self._called.add(id(closure.node))
        self._owner = name
        self._depth += 1
        try:
            returned = self._block(closure.node.body, scope)
        finally:
            self._depth -= 1
        self._finish(closure.node, returned, scope, before, name)
        self._owner = ""

    def _finish(
        self, node: ast.AST, returned: Value, scope: Scope, before: int, owner: str = ""
    ) -> None:
        """What is returned is a loss; without a return and a backward what was assigned last."""
        if returned is not None and returned is not _RAISED:
            for part in _returned(returned):
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

    # Statements

    def _block(self, body: Items[ast.stmt], scope: Scope) -> Value | None:
        for number, statement in enumerate(body):
            self._steps += 1
            if self._steps > STEPS:
                raise _TooMuchError
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
        self._merge_attributes(text, test, after, alone=(first is _RAISED, second is _RAISED))
        if first is _RAISED or (first is not None and second is not None):
            chosen = other if first is _RAISED else then
            scope.names = chosen.names
            if first is _RAISED:
                return second if second is not None else self._block(rest, scope)
            return first if second is _RAISED else self._choice(text, test, first, second)
        if second is _RAISED:
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
            scope.names[name] = a if a is b else self._choice(text, test, a, b)
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

    def _choice(self, text: str, test: Node | None, then: Value, other: Value) -> Value:
        if then is other or other is _RAISED:
            return then
        if then is _RAISED:
            return other
        if isinstance(then, Constant) and isinstance(other, Constant) and then.value == other.value:
            return then
        if then is None or other is None:
            return then if other is None else other
        lists = isinstance(then, Sequence) and isinstance(other, Sequence)
        if lists and len(then.items) == len(other.items):
            pairs = zip(then.items, other.items, strict=True)
            return Sequence(tuple(self._choice(text, test, a, b) for a, b in pairs))
        if isinstance(then, Node) and isinstance(other, Node):
            return Choice(text, test, then, other)
        return Either(text, test, then, other)

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
            if isinstance(base, Node) and not isinstance(base, Sequence):
                key = self._key(target.slice, scope)
                given = value if isinstance(value, Node) else self._unknown("?", [])
                self._bind(target.value, Call("put", (base, key, given)), scope)

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
        value = self._value(node.value, scope) if node.value is not None else _NONE
        if isinstance(node.value, ast.Dict) and node.value.values:
            value = Sequence(tuple(self._value(v, scope) for v in node.value.values))
        self.values[id(node)] = value
        return value

    def _raise(self, node: ast.Raise, scope: Scope) -> Value:
        del node, scope
        return _RAISED

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
            for part in _returned(shown):
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

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Value | None:
        loop, items = self._loop(node.iter, scope)
        if loop is None or _trains(node):
            return self._once(node, scope)
        before = scope.copy()
        inside = scope.copy()
        carried = _stored(node.body)
        marks = {
            name: Given(f"<{name}>") for name in carried
            if isinstance(before.get(name), Node)
        }  # fmt: skip
        inside.names.update(marks)
        self._bind(node.target, items, inside)
        returned = self._block(node.body, inside)
        if returned is not None and returned is not _RAISED:
            return returned
        for name in carried:
            new = inside.names.get(name)
            mark = marks.get(name)
            scope.names[name] = self._after(name, new, mark, before.get(name), loop)
        return self._block(node.orelse, scope) if node.orelse else None

    def _after(self, name: str, new: Value, mark: Given | None, old: Value, loop: Loop) -> Value:
        """What a name holds after a loop: a sum over it where the body adds to it."""
        if not isinstance(new, Node):
            return new
        if new is mark:
            return old
        parts = list(walk(new))
        inner = {m for m in parts if isinstance(m, Given) and m.text.startswith("<")}
        if not inner:
            depends = any(isinstance(p, Item) and p.loop is loop for p in parts)
            return self._unknown(name, []) if depends else new
        if mark is None or inner != {mark}:
            return self._unknown(name, [])
        added = _added(new, mark)
        if added is not None:
            total: Node = Call("sum", (Each(loop, added),))
            zero = isinstance(old, Constant) and old.value == 0
            zero = zero or (isinstance(old, Given) and old.default == 0 and old.default is not None)
            if not zero and isinstance(old, Node):
                total = Call("add", (old, total))
            self.labels.setdefault(total, name)
            return total
        if isinstance(new, Sequence) and isinstance(old, Sequence) and not old.items:
            pass
        return self._unknown(name, [])

    def _once(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Value | None:
        """A loop over batches or epochs: its body once, for any batch."""
        for name in ast.walk(node.target):
            if isinstance(name, ast.Name):
                scope.names[name.id] = self._given(name.id, ())
        totals = {n.target.id for n in ast.walk(node) if isinstance(n, ast.AugAssign)
                  and isinstance(n.target, ast.Name)}  # fmt: skip
        kept = {name: scope.names[name] for name in totals if name in scope.names}
        result = self._block(node.body, scope)
        del kept
        return result

    def _loop(self, node: ast.expr, scope: Scope) -> tuple[Loop | None, Value]:
        """What a loop runs over, and the value of its target; None where it is over batches."""
        text = ast.unparse(node)
        sources: list[Value]
        kind = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        arguments = node.args if isinstance(node, ast.Call) else []
        if kind in {"zip", "enumerate"}:
            sources = [self._value(a, scope) for a in arguments[: 1 if kind == "enumerate" else 9]]
        else:
            sources = [self._value(node, scope)]
        lowered = text.lower()
        batches = ("loader", "dataset", "epoch", "batch", "iter", "tqdm", "parameters", "steps")
        if any(word in lowered for word in batches) or not all(
            isinstance(s, Node) for s in sources
        ):
            return None, None
        self._loops += 1
        loop = Loop(self._loops, tuple(sources), text)
        items: list[Node] = [Item(loop, n, f"{text}[k]") for n in range(len(sources))]
        if kind == "enumerate":
            items.insert(0, Item(loop, -1, "k"))
        return loop, items[0] if len(items) == 1 else Sequence(tuple(items))

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

    def _while(self, node: ast.While, scope: Scope) -> Value | None:
        for name in _stored(node.body):
            if isinstance(scope.get(name), Node):
                scope.names[name] = self._unknown(name, [])
        return self._block(node.body, scope)

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

    def _library(self, path: str) -> None:
        framework = framework_of(path)
        if framework is not None:
            self.frameworks.add(framework)

    # Expressions

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        self._steps += 1
        if self._steps > STEPS:
            raise _TooMuchError
        handler = _EXPRESSIONS.get(type(node))
        value = handler(self, node, scope) if handler is not None else None
        if value is None:
            value = self._unknown(ast.unparse(node), [])
        self.values[id(node)] = value
        return value

    def _given(
        self, text: str, inputs: tuple[Node, ...], *, default: Any = None, model: bool = False
    ) -> Given:
        key = (text, inputs)
        if key not in self._givens:
            self._givens[key] = Given(text, inputs, default, model)
        return self._givens[key]

    def _unknown(self, text: str, inputs: Items[Value], *, model: bool = False) -> Given:
        nodes = tuple(i for i in inputs if isinstance(i, Node))
        return self._given(" ".join(text.split()), nodes, model=model)

    def _constant(self, node: ast.Constant, _scope: Scope) -> Node:
        return Constant(node.value)

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        value = scope.get(node.id)
        if value is not None:
            return value
        if node.id in ALIASES:
            path = ALIASES[node.id]
            if node.id == "F" and "torch" not in self.frameworks and self.frameworks & {"paddle"}:
                path = "paddle.nn.functional"
            self._library(path)
            return Library(path)
        return self._given(node.id, ())

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        base = self._value(node.value, scope)
        if isinstance(base, Library):
            return Library(f"{base.path}.{node.attr}")
        if isinstance(base, Instance):
            if node.attr in base.attributes:
                return base.attributes[node.attr]
            method = _method(base.node, node.attr)
            if method is not None:
                return Closure(method, self.top, base)
            if node.attr in self.told:
                value = self._value(self.told[node.attr], self.top)
                self.told_used.add(node.attr)
                return value
            if node.attr in self._compiled:
                value = self._value(self._compiled[node.attr], self.top)
                if isinstance(value, Constant):
                    return self._given(f"{base.name}.{node.attr}", (), default=value.value)
                return value
            return self._given(f"{base.name}.{node.attr}", ())
        if not isinstance(base, Node):
            return None
        if isinstance(base, Call) and base.name == "detach" and isinstance(base.args[0], Given):
            output = base.args[0]
            if (output.inputs or output.model) and node.attr not in _OF_TENSORS:
                part = self._unknown(ast.unparse(node), output.inputs, model=output.model)
                return Call("detach", (part,))
        named = isinstance(base, Given) and not base.inputs and is_model(base.text)
        if node.attr == "shape" and not named:
            return Call("size", (base,))
        settings = isinstance(base, Given) and bool(_SETTINGS & set(words(base.text)))
        if node.attr in {"T", "mT"} and not named and not settings:
            return Call("t" if node.attr == "T" else "mT", (base,))
        if node.attr == "data":
            return Call("detach", (base,))
        pair = isinstance(base, Call) and base.name in {"max", "min", "topk", "sort"}
        if node.attr in {"values", "indices"} and pair:
            return Call("index", (base, Constant(int(node.attr == "indices"))))
        if node.attr == "ndim":
            return Call("rank", (base,))
        model = isinstance(base, Given) and base.model
        inputs = base.inputs if isinstance(base, Given) else (base,)
        return self._unknown(ast.unparse(node), inputs, model=model)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        base = self._value(node.value, scope)
        key = self._key(node.slice, scope)
        number = key.value if isinstance(key, Constant) else None
        if isinstance(base, Sequence) and isinstance(number, int):
            inside = -len(base.items) <= number < len(base.items)
            if inside:
                return base.items[number]
        if not isinstance(base, Node) or (isinstance(key, Constant) and isinstance(key.value, str)):
            model = isinstance(base, Given) and base.model
            inputs = base.inputs if isinstance(base, Given) else ()
            return self._unknown(ast.unparse(node), inputs, model=model)
        return Call("index", (base, key))

    def _key(self, node: ast.expr, scope: Scope) -> Node:
        if isinstance(node, ast.Slice):
            bounds = [
                self._node(b, scope) if b is not None else _NONE
                for b in (node.lower, node.upper, node.step)
            ]
            return Call("slice", tuple(bounds))
        if isinstance(node, ast.Tuple):
            return Call("key", tuple(self._key(e, scope) for e in node.elts))
        return self._node(node, scope)

    def _node(self, node: ast.expr, scope: Scope) -> Node:
        value = self._value(node, scope)
        return value if isinstance(value, Node) else self._unknown(ast.unparse(node), [])

    def _tuple(self, node: ast.Tuple | ast.List, scope: Scope) -> Value:
        return Sequence(tuple(self._value(e, scope) for e in node.elts))

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Value:
        return Closure(node, scope)

    def _ifexp(self, node: ast.IfExp, scope: Scope) -> Value:
        test = self._test(node.test, scope)
        if isinstance(test, Constant):
            return self._value(node.body if test.value else node.orelse, scope)
        then, other = self._value(node.body, scope), self._value(node.orelse, scope)
        return self._choice(ast.unparse(node.test), test, then, other)

    def _namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Value:
        value = self._value(node.value, scope)
        self._bind(node.target, value, scope)
        return value

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Value:
        first = node.generators[0]
        loop, items = self._loop(first.iter, scope)
        if loop is None or len(node.generators) > 1:
            return None
        inner = Scope({}, scope)
        self._bind(first.target, items, inner)
        tests = [self._node(t, inner) for t in first.ifs]
        if len(tests) > 1:
            return None
        body = self._node(node.elt, inner)
        return Each(loop, body, tests[0] if tests else None)

    def _binop(self, node: ast.BinOp, scope: Scope) -> Value:
        return self._operate(
            node.op, self._value(node.left, scope), self._value(node.right, scope), node
        )

    def _operate(self, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        name = _BINARY.get(type(op))
        if name is None or not isinstance(left, Node) or not isinstance(right, Node):
            inputs = [v for v in (left, right) if isinstance(v, Node)]
            return self._unknown(ast.unparse(node), inputs)
        if isinstance(left, Sequence) and isinstance(right, Sequence) and name == "add":
            return Sequence((*left.items, *right.items))
        if isinstance(left, Constant) and isinstance(right, Constant):
            try:
                value = OPERATIONS[name](left.value, right.value)
            except Exception:  # noqa: BLE001 - strings and the like are no numbers
                return self._unknown(ast.unparse(node), [])
            return Constant(value, _written_factors(left, right) if name == "mul" else ())
        return Call(name, (left, right))

    def _unaryop(self, node: ast.UnaryOp, scope: Scope) -> Value:
        value = self._value(node.operand, scope)
        if not isinstance(value, Node):
            return None
        if isinstance(node.op, ast.USub):
            if isinstance(value, Constant) and isinstance(value.value, int | float):
                return Constant(-value.value)
            return Call("neg", (value,))
        if isinstance(node.op, ast.Not):
            if isinstance(value, Constant):
                return Constant(not value.value)
            return Call("logical_not", (value,))
        return Call("invert", (value,)) if isinstance(node.op, ast.Invert) else value

    def _compare(self, node: ast.Compare, scope: Scope) -> Value:
        left, right = self._value(node.left, scope), self._value(node.comparators[0], scope)
        op = node.ops[0]
        if len(node.ops) > 1 or not isinstance(left, Node) or not isinstance(right, Node):
            return None
        if isinstance(op, ast.Is | ast.IsNot) and isinstance(right, Constant):
            if isinstance(left, Constant):
                return Constant((left.value is right.value) == isinstance(op, ast.Is))
            if isinstance(left, Call | Sequence | Each) and right.value is None:
                return Constant(isinstance(op, ast.IsNot))
            return None
        name = _COMPARE.get(type(op))
        if name is None:
            return None
        if isinstance(left, Constant) and isinstance(right, Constant):
            try:
                return Constant(OPERATIONS[name](left.value, right.value))
            except TypeError:
                return None
        return Call(name, (left, right))

    def _boolop(self, node: ast.BoolOp, scope: Scope) -> Value:
        values = [self._value(v, scope) for v in node.values]
        if all(isinstance(v, Constant) for v in values):
            truths = [bool(v.value) for v in values]
            return Constant(all(truths) if isinstance(node.op, ast.And) else any(truths))
        return None

    # Calls

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        value = self._called_value(node, scope)
        if isinstance(value, Call) and lacks_arguments(value):
            return self._unknown(ast.unparse(node), value.children)
        if _is_tape(node.func) and node.args:
            self._goes_back(node, node.args[0], scope)
        return value

    def _called_value(self, node: ast.Call, scope: Scope) -> Value:
        if isinstance(node.func, ast.Attribute):
            base = self._value(node.func.value, scope)
            if isinstance(base, Node):
                return self._method(node, base, scope)
        function = self._value(node.func, scope)
        args = [self._value(a, scope) for a in node.args if not isinstance(a, ast.Starred)]
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                args += self._spread(argument, scope)
        keywords = {k.arg: self._value(k.value, scope) for k in node.keywords if k.arg}
        return self._apply(node, function, args, keywords)

    def _spread(self, node: ast.Starred, scope: Scope) -> list[Value]:
        value = self._value(node.value, scope)
        if isinstance(value, Sequence):
            return list(value.items)
        return [self._unknown(ast.unparse(node), [value])]

    def _apply(
        self, node: ast.Call, function: Value, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        nodes = [a for a in args if isinstance(a, Node)]
        named = {k: v for k, v in keywords.items() if isinstance(v, Node)}
        if isinstance(function, Closure):
            return self._inline(node, function, args, keywords)
        if isinstance(function, Either):
            then = self._apply(node, function.then, args, keywords)
            other = self._apply(node, function.other, args, keywords)
            return self._choice(function.text, function.test, then, other)
        if isinstance(function, Partial):
            more = {**function.keywords, **keywords}
            return self._apply(node, function.function, [*function.args, *args], more)
        if isinstance(function, ClassValue):
            return self._instance(function, args, keywords)
        if isinstance(function, Instance):
            for name in ("forward", "__call__", "call"):
                method = _method(function.node, name)
                if method is not None:
                    return self._inline(node, Closure(method, self.top, function), args, keywords)
        if isinstance(function, Layer) and len(nodes) == len(args):
            made = function(nodes, named)
            if made is not None:
                return made
        if isinstance(function, Library) and function.path == "functools.partial" and args:
            return Partial(args[0], tuple(args[1:]), keywords)
        if isinstance(function, Library):
            return self._library_call(node, function.path, args, nodes, named)
        if isinstance(function, Given) and not function.inputs:
            same = self._class_named(function.text)
            if same is not None:
                return self._apply(node, self._instance(same, [], {}), args, keywords)
            builtin = self._builtin(node, function.text, args, named)
            if builtin is not None:
                return builtin
        shown = ast.unparse(node)
        model = isinstance(function, Given) and (is_model(function.text) or function.model)
        return self._unknown(shown, [*args, *keywords.values()], model=model)

    def _class_named(self, text: str) -> ClassValue | None:
        """The class of the code that an object is called after: ``teacher`` is a ``Teacher``."""
        wanted = text.rsplit(".", 1)[-1].replace("_", "").lower()
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node.name.lower() == wanted:
                return ClassValue(node, self.top)
        return None

    def _library_call(
        self, node: ast.Call, path: str, args: list[Value], nodes: list[Node],
        named: dict[str, Node],
    ) -> Value:  # fmt: skip
        self._library(path)
        if len(nodes) == len(args):
            made = layer(path, nodes, named)
            if made is not None:
                return made
            function = translation(path)
            result = function(list(nodes), dict(named)) if function is not None else None
            if result is not None:
                return result
        return self._unknown(ast.unparse(node), [*nodes, *named.values()])

    def _builtin(
        self, node: ast.Call, name: str, args: list[Value], keywords: dict[str, Node]
    ) -> Value | None:
        nodes = [a for a in args if isinstance(a, Node)]
        if len(nodes) != len(args):
            return None
        if name in {"len", "range", "abs", "sum", "max", "min", "float", "int", "list", "tuple"}:
            if name == "len" and nodes and isinstance(nodes[0], Sequence):
                return Constant(len(nodes[0].items))
            text = nodes[0].value if nodes and isinstance(nodes[0], Constant) else None
            if name == "float" and isinstance(text, str):
                with suppress(ValueError):
                    return Constant(float(text))
            plain = nodes[0] if len(nodes) == 1 else None
            if name in {"float", "int"} and isinstance(plain, Given) and _is_setting(plain):
                return plain
            if name in {"list", "tuple", "float", "int"}:
                single = {"float": "floating", "int": "integers"}.get(name)
                if not nodes:
                    return Sequence(())
                return nodes[0] if single is None else Call("item", (nodes[0],))
            if name == "sum" and len(nodes) == 2:
                return Call("add", (nodes[1], Call("sum", (nodes[0],))))
            if name in {"max", "min"} and len(nodes) == 2:
                return Call(f"{name}imum", tuple(nodes))
            return Call("length" if name == "len" else name, tuple(nodes))
        if name == "super":
            return self._given("super()", ())
        del node, keywords
        return None

    def _method(self, node: ast.Call, base: Node, scope: Scope) -> Value:
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr.rstrip("_") if node.func.attr != "_" else "_"
        args = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                args += self._spread(argument, scope)
            else:
                args.append(self._value(argument, scope))
        keywords = {k.arg: self._value(k.value, scope) for k in node.keywords if k.arg}
        shape = self._shape_of(node, scope) if name in {"view", "reshape"} else None
        if shape is not None:
            return Call("view_as", (base, shape))
        nodes = [a for a in args if isinstance(a, Node)]
        named = {k: v for k, v in keywords.items() if isinstance(v, Node)}
        model = name in _OF_MODELS_TOO and _is_model_itself(base)
        if not model and len(nodes) == len(args) and not isinstance(base, Sequence):
            if name in SAME:
                return base
            if name in CASTS:
                return Call(CASTS[name], (base,))
            if name == "permute" or name in METHODS:
                made = call(name, [base, *nodes], named)
                if made is not None:
                    return made
        shown = ast.unparse(node)
        inside = base.inputs if isinstance(base, Given) else (base,)
        return self._unknown(shown, [*inside, *args, *keywords.values()], model=model)

    def _shape_of(self, node: ast.Call, scope: Scope) -> Node | None:
        """``x`` of ``view(*x.shape)`` and ``view(x.shape)``."""
        if len(node.args) != 1 or node.keywords:
            return None
        given = node.args[0].value if isinstance(node.args[0], ast.Starred) else node.args[0]
        value = self._value(given, scope)
        whole = isinstance(value, Call) and value.name == "size" and len(value.args) == 1
        return value.args[0] if whole else None

    def _inline(
        self, node: ast.Call, closure: Closure, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        if self._depth >= DEPTH:
            return self._unknown(ast.unparse(node), args)
        self._called.add(id(closure.node))
        sample = any(map(_is_sample, [*args, *keywords.values()]))
        if id(node) in self._printed or (id(node) in self._shown and sample):
            self._demonstrated.add(id(closure.node))
        scope = Scope({}, closure.scope)
        self._parameters(closure, args, keywords, scope, called=True)
        self._depth += 1
        try:
            if isinstance(closure.node, ast.Lambda):
                return self._value(closure.node.body, scope)
            result = self._block(closure.node.body, scope)
        finally:
            self._depth -= 1
        if result is None or result is _RAISED:
            return _NONE
        if self._frozen and isinstance(result, Call):
            return Call("detach", (result,))
        return result

    def _parameters(
        self, closure: Closure, args: Items[Value], keywords: dict[str, Value], scope: Scope,
        *, called: bool = False,
    ) -> None:  # fmt: skip
        arguments = closure.node.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        defaults: dict[str, ast.expr] = dict(
            zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True)
        )
        for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            names.append(parameter.arg)
            if value is not None:
                defaults[parameter.arg] = value
        if closure.owner is not None and names:
            scope.names[names[0]] = closure.owner
            names = names[1:]
        given = dict(zip(names, args, strict=False)) | keywords
        for name in names:
            if name in given:
                scope.names[name] = given[name]
                continue
            default = defaults.get(name)
            value = self._value(default, closure.scope) if default is not None else None
            constant = value.value if isinstance(value, Constant) else None
            number = isinstance(constant, int | float)
            if isinstance(value, Node) and (
                not isinstance(value, Constant) or (called and not number)
            ):
                scope.names[name] = value
            else:
                scope.names[name] = self._given(name, (), default=constant)
        if arguments.vararg is not None:
            scope.names[arguments.vararg.arg] = self._given(arguments.vararg.arg, ())

    def _instance(
        self, cls: ClassValue, args: list[Value], keywords: dict[str, Value], *, free: bool = False
    ) -> Instance:
        del free
        instance = Instance(cls.node, {})
        self._instances.append(instance)
        start = _method(cls.node, "__init__")
        if start is not None and self._depth < DEPTH:
            closure = Closure(start, cls.scope, instance)
            scope = Scope({}, cls.scope)
            self._parameters(closure, args, keywords, scope)
            self._called.add(id(start))
            self._depth += 1
            try:
                self._block(start.body, scope)
            finally:
                self._depth -= 1
        return instance


def _written_factors(left: Constant, right: Constant) -> tuple[float, ...]:
    """The numbers of a product as they are written: the 9 in ``0.5 * 9`` is T² at T = 3."""
    if any(isinstance(c.value, bool) or not isinstance(c.value, int | float)
           for c in (left, right)):  # fmt: skip
        return ()
    return (*(left.factors or (left.value,)), *(right.factors or (right.value,)))


def _is_setting(given: Given) -> bool:
    """Whether a name is a number of the configuration: ``float(T)`` is T."""
    last = given.text.rsplit(".", 1)[-1]
    named = is_temperature(last) or is_weight(last) or isinstance(given.default, int | float)
    return not given.inputs and not given.model and named


def _trains(loop: ast.For | ast.AsyncFor) -> bool:
    """Whether each round of a loop goes back: rounds of training, no addends of a loss."""
    return any(
        isinstance(n, ast.Attribute) and n.attr in {"backward", "manual_backward", "gradient"}
        for n in ast.walk(loop)
    )


def _is_sample(value: Value) -> bool:
    """Whether a value is made of random numbers or of numbers that are written out.

    A function that is given it is only shown.
    """
    if not isinstance(value, Node):
        return False
    parts = list(walk(value))
    if any(isinstance(p, Given) and _RANDOM.search(p.text) for p in parts):
        return True
    made = any(isinstance(p, Call) and p.name == "tensor" for p in parts)
    return made and not any(isinstance(p, Given) for p in parts)


def _shown(tree: ast.Module) -> set[int]:
    """The calls that stand alone, are printed or are kept under a name, outside functions."""
    found: set[int] = set()
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        if isinstance(value, ast.Call):
            found |= {id(value), *(id(a) for a in value.args)}
    return found


def _printed(tree: ast.Module) -> set[int]:
    """The calls whose result is only printed, outside functions."""
    return {
        id(inner)
        for statement in tree.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if isinstance(statement.value.func, ast.Name) and statement.value.func.id == "print"
        for inner in ast.walk(statement.value)
        if isinstance(inner, ast.Call) and inner is not statement.value
    }


_RANDOM = re.compile(r"\b(?:randn|rand|randint|normal|uniform)\(")


def _is_tape(function: ast.expr) -> bool:
    """Whether a call is TensorFlow's way to go backward: ``tape.gradient(loss, variables)``."""
    if not isinstance(function, ast.Attribute) or function.attr != "gradient":
        return False
    return "tape" in ast.unparse(function.value).lower()


def _returned(value: Value) -> list[Node]:
    """The parts of what is returned; of ``(loss, outputs) if flag else loss`` the loss."""
    if isinstance(value, Sequence):
        return [part for part in value.items if isinstance(part, Node)]
    if isinstance(value, Choice) and isinstance(value.then, Sequence) != isinstance(
        value.other, Sequence
    ):
        then, other = (_first(v) for v in (value.then, value.other))
        if then is None or other is None:
            return [part for part in (then, other) if part is not None]
        return [then if then is other else Choice(value.text, value.test, then, other)]
    return [value] if isinstance(value, Node) else []


def _first(value: Node) -> Node | None:
    if not isinstance(value, Sequence):
        return value
    return next((part for part in value.items if isinstance(part, Node)), None)


def _method(node: ast.ClassDef, name: str) -> Function | None:
    return next((m for m in node.body if isinstance(m, Function) and m.name == name), None)


def _is_method(node: Function) -> bool:
    return [a.arg for a in [*node.args.posonlyargs, *node.args.args]][:1] == ["self"]


def _is_model_itself(node: Node) -> bool:
    """Whether a name stands for a model, not for what it returns."""
    if not isinstance(node, Given) or node.model:
        return False
    return is_model(node.text) and not is_output(node.text)


def is_output(text: str) -> bool:
    """Whether a name with a model in it is what the model returns."""
    words = text.lower().replace(".", "_").split("_")
    return bool({"logits", "logit", "output", "outputs", "out", "feat", "features", "pred",
                 "preds", "prob", "probs", "scores"} & set(words))  # fmt: skip


def _called_by_name(tree: ast.Module) -> set[int]:
    """The functions that other functions of the file call: they are parts, no losses themselves."""
    inside: dict[str, set[int]] = {}
    functions = [n for n in nodes_of(tree) if isinstance(n, Function)]
    for function in [*functions, tree]:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                inside.setdefault(name, set()).add(id(function))
    return {id(f) for f in functions if inside.get(f.name, set()) - {id(f), id(tree)}}


def _stored(body: Items[ast.stmt]) -> list[str]:
    return list(dict.fromkeys(
        n.id for s in body for n in ast.walk(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ))  # fmt: skip


def _loaded(target: ast.expr) -> ast.expr:
    return target


def _added(new: Node, mark: Given) -> Node | None:
    """``x`` where the value is ``mark + x`` and x does not read the mark."""
    if not isinstance(new, Call) or new.name not in {"add", "sub"}:
        return None
    left, right = new.args
    if mark not in set(walk(right)):
        rest = left
        addend = Call("neg", (right,)) if new.name == "sub" else right
    elif new.name == "add" and mark not in set(walk(left)):
        rest, addend = right, left
    else:
        return None
    if rest is mark:
        return addend
    before = _added(rest, mark)
    return None if before is None else Call("add", (before, addend))


def _compile_keywords(tree: ast.Module) -> dict[str, ast.expr]:
    """What Keras' ``compile`` is given: attributes of the model by these names."""
    found: dict[str, ast.expr] = {}
    for node in nodes_of(tree):
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if method and node.func.attr == "compile":  # type: ignore[attr-defined]
            found |= {k.arg: k.value for k in node.keywords if k.arg}  # type: ignore[attr-defined]
    return found


_STATEMENTS: dict[type[ast.stmt], Callable[[Tracer, Any, Scope], Value | None]] = {
    ast.Assign: Tracer._assign,
    ast.AnnAssign: Tracer._annassign,
    ast.AugAssign: Tracer._augassign,
    ast.Return: Tracer._return,
    ast.Raise: Tracer._raise,
    ast.Expr: Tracer._expr,
    ast.For: Tracer._for,
    ast.AsyncFor: Tracer._for,
    ast.While: Tracer._while,
    ast.With: Tracer._with,
    ast.AsyncWith: Tracer._with,
    ast.Try: Tracer._try,
    ast.FunctionDef: Tracer._define,
    ast.AsyncFunctionDef: Tracer._define,
    ast.ClassDef: Tracer._class,
    ast.Import: Tracer._import,
    ast.ImportFrom: Tracer._importfrom,
}
_EXPRESSIONS: dict[type[ast.expr], Callable[[Tracer, Any, Scope], Value]] = {
    ast.Constant: Tracer._constant,
    ast.Name: Tracer._name,
    ast.Attribute: Tracer._attribute,
    ast.Subscript: Tracer._subscript,
    ast.Tuple: Tracer._tuple,
    ast.List: Tracer._tuple,
    ast.Lambda: Tracer._lambda,
    ast.IfExp: Tracer._ifexp,
    ast.NamedExpr: Tracer._namedexpr,
    ast.ListComp: Tracer._comprehension,
    ast.GeneratorExp: Tracer._comprehension,
    ast.BinOp: Tracer._binop,
    ast.UnaryOp: Tracer._unaryop,
    ast.Compare: Tracer._compare,
    ast.BoolOp: Tracer._boolop,
    ast.Call: Tracer._call,
}


_TOLD = re.compile(
    r"self\.(?P<name>\w+)\s*=\s*(?P<value>(?:(?:torch\.)?nn|(?:tf\.)?keras\.losses|paddle\.nn)"
    r"\.\w+\([\w=\"', .]*\))"
)
"""A loss object that the words around the code name."""


def _told(words: str) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for match in _TOLD.finditer(words):
        with suppress(SyntaxError, ValueError):
            found[match["name"]] = ast.parse(match["value"], mode="eval").body
    return found


def trace(tree: ast.Module, words: str = "") -> Tracer:
    """What a file computes; ``words`` around it may say what an attribute is."""
    return Tracer(tree, words).run()
