"""Expressions, followed to nodes of the formula."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from typing import Any

from didact.check.engine.names import is_label, is_model, words
from didact.check.explain.formula.libraries import (
    ALIASES,
)
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.operations import OPERATIONS
from didact.check.explain.formula.trace.calls import Calls
from didact.check.explain.formula.trace.looks import method_of
from didact.check.explain.formula.trace.objects import (
    NONE,
    Closure,
    Instance,
    Library,
    Named,
    Scope,
    TooMuchError,
    Value,
)
from didact.check.explain.formula.trace.values import is_text_item, written_factors
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Node,
    Sequence,
)

STEPS = 20_000
DEEPEST = 100
"""So many operations on each other are followed; what is deeper is an unknown part."""
_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.BitAnd: "logical_and",
    ast.BitOr: "logical_or",
}  # fmt: skip
_COMPARE = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}  # fmt: skip
_SETTINGS = frozenset(
    {"self", "cls", "args", "opt", "opts", "cfg", "config", "hparams", "hp", "params", "settings",
     "conf", "flags", "options", "parser"}
)  # fmt: skip
"""Objects with numbers as attributes: their ``T`` is a temperature, no transpose."""
_OF_TENSORS = frozenset({"shape", "T", "mT", "data", "values", "indices", "ndim", "grad"})

_PI = frozenset({"math.pi", "numpy.pi", "torch.pi"})


_ORDER = re.compile(
    r"^(torch|paddle|tf\.random|np\.random|numpy\.random|jax\.random)\.(randperm|permutation|shuffle)\("
    r"|^(rand_?|random_?)?perm(utation)?$"
)


def _is_order(key: Node) -> bool:
    """Whether an index puts the samples of a batch into another order."""
    return isinstance(key, Given) and bool(_ORDER.search(key.text))


class Expressions(Calls):
    """Follows expressions."""

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        self._steps += 1
        if self._steps > STEPS:
            raise TooMuchError
        handler = _EXPRESSIONS.get(type(node))
        value = handler(self, node, scope) if handler is not None else None
        if value is None:
            value = self._unknown(ast.unparse(node), [])
        if isinstance(value, Node) and self._depth_of(value) > DEEPEST:
            value = Given("…")
        self.values[id(node)] = value
        return value

    def _constant(self, node: ast.Constant, _scope: Scope) -> Node:
        return Constant(node.value)

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        value = scope.get(node.id)
        if value is not None:
            return value
        backend = node.id == "K" and "tensorflow" not in self.frameworks  # a number of classes
        if node.id in ALIASES and not backend:
            path = ALIASES[node.id]
            if node.id == "F" and "torch" not in self.frameworks and self.frameworks & {"paddle"}:
                path = "paddle.nn.functional"
            self._library(path)
            return Library(path)
        return self._given(node.id, ())

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        base = self._value(node.value, scope)
        if isinstance(base, Library):
            path = f"{base.path}.{node.attr}"
            return Constant(math.pi) if path in _PI else Library(path)
        if isinstance(base, Instance):
            if node.attr in base.attributes:
                value = base.attributes[node.attr]
                outside = not isinstance(node.value, ast.Name) or node.value.id != "self"
                if outside and isinstance(value, Constant) and _moves(base.node, node.attr):
                    return self._given(f"{ast.unparse(node)}", ())
                return value
            method = method_of(base.node, node.attr)
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
        if isinstance(base, Named):
            return base.items.get(str(number))
        if isinstance(base, Node) and is_text_item(key):
            inputs = base.inputs if isinstance(base, Given) else (base,)
            return self._unknown(ast.unparse(node), [*inputs, key])
        if isinstance(base, Sequence) and isinstance(number, int):
            inside = -len(base.items) <= number < len(base.items)
            if inside:
                return base.items[number]
        if not isinstance(base, Node) or (isinstance(key, Constant) and isinstance(key.value, str)):
            model = isinstance(base, Given) and base.model
            inputs = base.inputs if isinstance(base, Given) else ()
            return self._unknown(ast.unparse(node), inputs, model=model)
        if isinstance(base, Given) and is_label(base.text) and _is_order(key):
            return self._unknown(ast.unparse(node), [base, key])
        return Call("index", (base, key))

    def _key(self, node: ast.expr, scope: Scope) -> Node:
        if isinstance(node, ast.Slice):
            bounds = [
                self._node(b, scope) if b is not None else NONE
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

    def _dict(self, node: ast.Dict, scope: Scope) -> Value:
        keys = [k.value if isinstance(k, ast.Constant) else None for k in node.keys]
        values = [self._value(v, scope) for v in node.values]
        if not all(isinstance(k, str) for k in keys):
            return None
        return Named({str(k): v for k, v in zip(keys, values, strict=True)})

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
        counts = any(isinstance(n, ast.BinOp) for n in nodes_of(node.elt))
        loop, items = self._loop(first.iter, scope, sums=counts)
        if loop is None or len(node.generators) > 1:
            return None
        inner = Scope({}, scope)
        self._bind(first.target, items, inner)
        tests = [self._node(t, inner) for t in first.ifs]
        if len(tests) > 1:
            return None
        body = self._node(node.elt, inner)
        return self._unrolled(Each(loop, body, tests[0] if tests else None))

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
            return Constant(value, written_factors(left, right) if name == "mul" else ())
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


_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any, Scope], Value]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._subscript,
    ast.Tuple: Expressions._tuple,
    ast.List: Expressions._tuple,
    ast.Dict: Expressions._dict,
    ast.Lambda: Expressions._lambda,
    ast.IfExp: Expressions._ifexp,
    ast.NamedExpr: Expressions._namedexpr,
    ast.ListComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.BinOp: Expressions._binop,
    ast.UnaryOp: Expressions._unaryop,
    ast.Compare: Expressions._compare,
    ast.BoolOp: Expressions._boolop,
    ast.Call: Expressions._call,
}


def _moves(cls: ast.ClassDef, attribute: str) -> bool:
    """Whether a method adds to a number that the constructor sets: a count of what was stored."""
    return any(
        isinstance(n, ast.AugAssign) and ast.unparse(n.target) == f"self.{attribute}"
        for n in ast.walk(cls)
    )
