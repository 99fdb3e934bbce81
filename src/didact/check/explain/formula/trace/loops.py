"""Loops: sums over lists, and rounds of training."""

from __future__ import annotations

import ast

from didact.check.explain.formula.trace.expressions import Expressions
from didact.check.explain.formula.trace.looks import stored_names, trains
from didact.check.explain.formula.trace.objects import RAISED, Scope, Value
from didact.check.explain.formula.trace.values import addend_of
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Item,
    Loop,
    Node,
    Sequence,
    walk,
)


class Loops(Expressions):
    """Follows loops."""

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Value | None:
        loop, items = self._loop(node.iter, scope)
        if loop is None or trains(node):
            return self._once(node, scope)
        before = scope.copy()
        inside = scope.copy()
        carried = stored_names(node.body)
        marks = {
            name: Given(f"<{name}>") for name in carried
            if isinstance(before.get(name), Node)
        }  # fmt: skip
        inside.names.update(marks)
        self._bind(node.target, items, inside)
        returned = self._block(node.body, inside)
        if returned is not None and returned is not RAISED:
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
        added = addend_of(new, mark)
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

    def _while(self, node: ast.While, scope: Scope) -> Value | None:
        for name in stored_names(node.body):
            if isinstance(scope.get(name), Node):
                scope.names[name] = self._unknown(name, [])
        return self._block(node.body, scope)
