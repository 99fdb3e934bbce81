"""Loops: sums over lists, and rounds of training."""

from __future__ import annotations

import ast
from collections.abc import Callable

from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.plain import is_zero
from didact.check.explain.formula.trace.expressions import Expressions
from didact.check.explain.formula.trace.looks import (
    appended_names,
    stored_names,
    sums_up,
    trains,
    without_continue,
    written_names,
)
from didact.check.explain.formula.trace.objects import RAISED, Scope, Value
from didact.check.explain.formula.trace.values import addend_of
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
    rebuilt,
    walk,
)


class Loops(Expressions):
    """Follows loops."""

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Value | None:
        loop, items = self._loop(node.iter, scope, sums=sums_up(node))
        if loop is None or trains(node):
            return self._once(node, scope)
        before = scope.copy()
        inside = scope.copy()
        body = without_continue(node.body)
        carried = [*stored_names(body), *appended_names(body), *written_names(body)]
        lists = {n for n in appended_names(body) if isinstance(before.get(n), Sequence)}
        marks = {
            name: Given(f"<{name}>") for name in carried
            if isinstance(before.get(name), Node) and name not in lists
        }  # fmt: skip
        inside.names.update(marks)
        inside.names.update(dict.fromkeys(lists, Sequence(())))
        self._bind(node.target, items, inside)
        returned = self._block(body, inside)
        if returned is not None and returned is not RAISED:
            return returned
        done: dict[Node, Node] = {}
        for name in carried:
            new = inside.names.get(name)
            if name in lists:
                scope.names[name] = self._collected(name, new, before.get(name), loop)
                continue
            mark = marks.get(name)
            scope.names[name] = self._after(name, new, mark, before.get(name), loop, done)
        return self._block(node.orelse, scope) if node.orelse else None

    def _collected(self, name: str, new: Value, old: Value, loop: Loop) -> Value:
        """A list that each round of a loop appends one value to."""
        assert isinstance(old, Sequence)
        test = None
        if isinstance(new, Choice) and isinstance(new.other, Sequence) and not new.other.items:
            test, new = self._condition(new), new.then
        if not isinstance(new, Sequence):
            return self._unknown(name, [])
        if not new.items:
            return old
        single = len(new.items) == 1 and isinstance(new.items[0], Node) and not old.items
        if not single:
            return self._unknown(name, [])
        return self._unrolled(Each(loop, new.items[0], test))

    def _condition(self, choice: Choice) -> Node:
        """The condition of a choice; one that cannot be followed as what is written."""
        return choice.test or self._given(choice.text, (), default=True)

    def _after(
        self, name: str, new: Value, mark: Given | None, old: Value, loop: Loop,
        done: dict[Node, Node],
    ) -> Value:  # fmt: skip
        """What a name holds after a loop: a sum over it where the body adds to it."""
        if not isinstance(new, Node):
            return new
        if new is mark:
            return old
        inner = {m for m in walk(new) if isinstance(m, Given) and m.text.startswith("<")}
        if not inner:
            return self._last(new, loop, done)
        if mark is None or inner != {mark}:
            return self._unknown(name, [])
        rows = _written_rows(new, mark, old, loop)
        if rows is not None:
            self.labels.setdefault(rows, name)
            return rows
        added = addend_of(new, mark)
        if added is None:
            return self._unknown(name, [])
        test = None
        if isinstance(added, Choice) and is_zero(added.other):
            test, added = self._condition(added), added.then
        total: Node = Call("sum", (self._unrolled(Each(loop, added, test)),))
        zero = isinstance(old, Node) and is_zero(old)
        zero = zero or (isinstance(old, Given) and old.default == 0 and old.default is not None)
        if not zero and isinstance(old, Node):
            total = Call("add", (old, total))
        self.labels.setdefault(total, name)
        return total

    def _last(self, node: Node, loop: Loop, done: dict[Node, Node]) -> Node:
        """What a name holds that each round of a loop gives another value: the last one."""

        def last(item: Item) -> Node:
            if item.source < 0:
                return Constant(-1)
            source = loop.sources[item.source]
            return self._lasts.setdefault(source, Call("last", (source,)))

        return self._replaced(node, loop, last, done)

    def _unrolled(self, each: Each) -> Node:
        """A list over items that are written out: each is a term of its own."""
        sources = [s.items if isinstance(s, Sequence) else () for s in each.loop.sources]
        counts = {len(s) for s in sources}
        known = all(isinstance(i, Node) for s in sources for i in s)
        plain = all(isinstance(i, Constant) for s in sources for i in s)
        if each.test is not None or len(counts) != 1 or 0 in counts or plain or not known:
            return each

        def round_of(number: int) -> Node:
            def item_of(item: Item) -> Node:
                found: Node = sources[item.source][number] if item.source >= 0 else Constant(number)
                return found

            return self._replaced(each.body, each.loop, item_of, {})

        return Sequence(tuple(round_of(n) for n in range(counts.pop())))

    def _replaced(
        self, node: Node, loop: Loop, item_of: Callable[[Item], Node], done: dict[Node, Node]
    ) -> Node:
        """A part with the items of a loop exchanged, in what unknown calls are given as well."""

        def change(part: Node) -> Node:
            if part not in done:
                done[part] = changed(part)
                label = self.labels.get(part)
                if label is not None and done[part] is not part:
                    self.labels.setdefault(done[part], label)
            return done[part]

        def changed(part: Node) -> Node:
            if isinstance(part, Item) and part.loop is loop:
                return item_of(part)
            if isinstance(part, Given) and part.inputs:
                inputs = tuple(map(change, part.inputs))
                if inputs == part.inputs:
                    return part
                return self._given(part.text, inputs, default=part.default, model=part.model)
            return rebuilt(part, change)

        return change(node)

    def _once(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Value | None:
        """A loop over batches or epochs: its body once, for any batch."""
        for name in nodes_of(node.target):
            if isinstance(name, ast.Name):
                again = name.id in self._rounds
                self._rounds.add(name.id)
                scope.names[name.id] = Given(name.id) if again else self._given(name.id, ())
        return self._block(without_continue(node.body), scope)

    def _loop(
        self, node: ast.expr, scope: Scope, *, sums: bool = False
    ) -> tuple[Loop | None, Value]:
        """What a loop runs over, and the value of its target; None where it is over batches."""
        text = ast.unparse(node)
        sources: list[Value]
        kind = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        arguments = node.args if isinstance(node, ast.Call) else []
        inner = arguments[0] if kind == "enumerate" and arguments else None
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "zip":
            return self._numbered(inner, scope, sums=sums)
        if kind in {"zip", "enumerate"}:
            sources = [self._value(a, scope) for a in arguments[: 1 if kind == "enumerate" else 9]]
        else:
            sources = [self._value(node, scope)]
        lowered = text.lower()
        batches = ["loader", "dataset", "epoch", "batch", "iter", "tqdm", "steps"]
        batches += [] if sums else ["parameters"]
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

    def _numbered(self, node: ast.Call, scope: Scope, *, sums: bool) -> tuple[Loop | None, Value]:
        """``enumerate(zip(a, b))``: the number beside the items."""
        loop, items = self._loop(node, scope, sums=sums)
        if loop is None:
            return None, None
        return loop, Sequence((Item(loop, -1, "k"), items))

    def _while(self, node: ast.While, scope: Scope) -> Value | None:
        for name in stored_names(node.body):
            if isinstance(scope.get(name), Node):
                scope.names[name] = self._unknown(name, [])
        return self._block(node.body, scope)


def _written_rows(new: Node, mark: Given, old: Value, loop: Loop) -> Node | None:
    """``u[i, y[i]] = v`` for each ``i`` of a range: written for all rows at once."""
    if not isinstance(new, Call) or new.name != "put" or new.args[0] is not mark:
        return None
    key, value = new.args[1:]
    counts = loop.sources[0] if len(loop.sources) == 1 else None
    ranged = isinstance(counts, Call) and counts.name == "range" and len(counts.args) == 1
    if not ranged or not isinstance(counts, Call) or not isinstance(old, Node):
        return None

    def whole(part: Node) -> Node | None:
        if isinstance(part, Item):
            return Call("arange", counts.args) if part.loop is loop else None
        if isinstance(part, Call) and part.name == "index" and isinstance(part.args[1], Item):
            return part.args[0] if part.args[1].loop is loop else None
        return part if isinstance(part, Constant) else None

    inside = key.args if isinstance(key, Call) and key.name == "key" else (key,)
    keys = [whole(k) for k in inside]
    depends = any(isinstance(p, Item) and p.loop is loop for p in walk(value))
    if depends or None in keys:
        return None
    return Call("put", (old, Call("key", tuple(k for k in keys if k is not None)), value))
