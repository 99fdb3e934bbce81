"""How many dimensions names have, as far as a function's own text tells.

The interpreter follows a value forwards; a parameter has no value to follow, but what is done to
it tells: ``b, c, h, w = x.shape``, ``x[:, :-1, :]``, ``x.permute(0, 2, 3, 1)``. Such evidence goes
backwards, from an operation to the assignments and parameters that its operand came from.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from didact.check.engine.index import ClassInfo, Function, Index, method_of, owner_of
from didact.check.engine.names import dotted, is_temperature, space_of, word_set
from didact.check.engine.rank_evidence import (
    Rank,
    call_evidence,
    is_about_rank,
    number,
    shape_evidence,
    stronger,
    subscript_evidence,
    unpack_evidence,
)
from didact.check.engine.shape_words import rank_in, shapes_told
from didact.check.engine.spaces import Evidence, Space

Hints = dict[int, Rank]
"""What is told of a parameter or of a name at its assignment, by the node's id."""
Body = Function | ast.Lambda | ast.Module
_KEEPING = word_set(
    "softmax log_softmax logsigmoid sigmoid float half double bfloat16 to cuda cpu detach clone "
    "contiguous log exp clamp clamp_min clip masked_fill div mul type type_as relu abs sqrt pow "
    "nan_to_num zeros_like ones_like rand_like randn_like full_like roll flip expand_as cumsum "
    "transpose swapaxes dropout interpolate upsample normalize layer_norm tanh gelu"
)
"""Functions and methods whose result has as many dimensions as what they are applied to."""
_REDUCING = word_set("argmax argmin sum mean max min logsumexp amax amin")
_OTHER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_MAX_PUSHES = 40
"""So many assignments one piece of evidence is followed back through."""
_MAX_CALLEES = 2
"""So deep functions are looked into for what they do to their parameters."""


_Branches = tuple[tuple[int, int], ...]
"""The conditions around a place, each with the branch that is taken."""


class _Told(NamedTuple):
    """What a function's text tells, and the places where each name is given a value."""

    hints: Hints
    targets: dict[str, list[int]]


class _Binding(NamedTuple):
    """An assignment to a name: where it ends, what is assigned, in which branches it stands."""

    end: tuple[int, int]
    target: ast.AST
    value: ast.expr | None
    branches: _Branches


def hints_of(index: Index, function: Body, depth: int = 0) -> Hints:
    """What the text of a function tells about the ranks of its names, worked out once."""
    own = _read(index, function, depth)
    if depth or not any(space_of(name) is Space.LOGITS for name in own.targets):
        return own.hints
    key = f"ranks {id(function)} with others"
    return index.once(key, own.hints, partial(_with_others, index, own))


def _read(index: Index, function: Body, depth: int) -> _Told:
    reader = _Reader(index, function, depth)
    return index.once(f"ranks {id(function)} {depth}", _Told({}, {}), reader.read)


def _with_others(index: Index, own: _Told) -> Hints:
    """The hints, with what other functions of the file know of logits that are called the same."""
    elsewhere: dict[str, Rank] = index.once("ranks of logits", {}, partial(_of_logits, index))
    hints = dict(own.hints)
    for name, targets in own.targets.items():
        if name in elsewhere:
            for target in targets:
                known = hints.get(target)
                hints[target] = stronger(known, elsewhere[name]) if known else elsewhere[name]
    return hints


def _of_logits(index: Index) -> dict[str, Rank]:
    """The rank of each name for logits, where the functions of a file agree on it."""
    found: dict[str, Rank] = {}
    functions: list[Function] = [*index.of(ast.FunctionDef), *index.of(ast.AsyncFunctionDef)]
    for function in functions:
        if id(function) not in index.relevant_functions:
            continue
        told = _read(index, function, 0)
        for name, targets in told.targets.items():
            if space_of(name) is not Space.LOGITS:
                continue
            for rank in (told.hints[target] for target in targets if target in told.hints):
                known = found.get(name, rank)
                flat = known.contradicts(rank) or (rank.exact and rank.count < 3)
                found[name] = Rank(0, exact=True) if flat else stronger(known, rank)
    return {
        name: Rank(rank.count, exact=False, why=Evidence.NAME)
        for name, rank in found.items()
        if rank.count >= 3
    }


class _Reader:
    """Reads one function."""

    def __init__(self, index: Index, function: Body, depth: int) -> None:
        self._index = index
        self._function = function
        self._depth = depth
        self._owner = owner_of(index, function) if _is_method(function) else None
        self._bindings: dict[str, list[_Binding]] = defaultdict(list)
        self._evidence: list[tuple[ast.expr, Rank]] = []
        self._links: list[tuple[ast.expr, ast.expr]] = []
        self._hints: Hints = {}
        self._clashes: set[int] = set()
        self._branches: dict[int, _Branches] = {}
        self._here: _Branches = ()
        self._left = 0

    def read(self) -> _Told:
        """What the function tells."""
        self._bind_parameters()
        body = self._function.body
        self._visit(body if isinstance(body, list) else [body], doubt=False)
        for expression, rank in self._evidence:
            self._left = _MAX_PUSHES
            self._push(expression, rank)
        for one, other in self._links:
            self._share(one, other)
        self._read_words()
        for target in self._clashes:
            self._hints.pop(target, None)
        targets = {name: [id(b.target) for b in found] for name, found in self._bindings.items()}
        return _Told(self._hints, targets)

    def _bind_parameters(self) -> None:
        if isinstance(self._function, ast.Module):
            return
        signature = self._function.args
        for argument in (*signature.posonlyargs, *signature.args, *signature.kwonlyargs):
            self._bindings[argument.arg].append(_Binding((0, 0), argument, None, ()))

    def _visit(self, nodes: list[ast.stmt] | list[ast.expr], *, doubt: bool) -> None:
        """Collect bindings and evidence; ``doubt``: in a branch for tensors of another rank."""
        stack: list[tuple[ast.AST, bool, _Branches]] = [(node, doubt, ()) for node in nodes]
        while stack:
            node, doubt, self._here = stack.pop()
            kind = type(node)
            if kind in _OTHER_SCOPES:
                continue
            if kind is ast.If:
                stack.extend(self._cases(node, doubt))  # type: ignore[arg-type]
                continue
            if kind is ast.Name:
                self._branches[id(node)] = self._here
                continue
            handler = _VISITS.get(kind)
            if handler is not None:
                handler(self, node, doubt)
            here = self._here
            for name in node._fields:  # as ast.iter_child_nodes, which takes twice as long
                value = getattr(node, name, None)
                stack += [
                    (child, doubt, here)
                    for child in (value if value.__class__ is list else (value,))
                    if isinstance(child, ast.AST) and child._fields
                ]

    def _cases(self, node: ast.If, doubt: bool) -> Iterator[tuple[ast.AST, bool, _Branches]]:
        yield node.test, doubt, self._here
        doubt = doubt or is_about_rank(node.test)
        for branch, body in enumerate((node.body, node.orelse)):
            here = (*self._here, (id(node), branch))
            yield from ((statement, doubt, here) for statement in body)

    def add(self, expression: ast.expr, rank: Rank | None, *, doubt: bool) -> None:
        """Keep a piece of evidence."""
        if rank is None:
            return
        self._evidence.append((expression, rank.in_doubt() if doubt else rank))

    def visit_assign(self, node: ast.Assign, doubt: bool) -> None:
        """An assignment: names are bound; a shape that is unpacked tells the rank."""
        end = (node.end_lineno or 0, node.end_col_offset or 0)
        for target in node.targets:
            self._bind(target, node.value, end)
            found = unpack_evidence(target, node.value)
            if found is not None:
                self.add(*found, doubt=doubt)
        told = rank_in(self._index.comments.get(node.lineno, ""))
        if told is not None:
            self.add(node.value, Rank(told, why=Evidence.NAME), doubt=doubt)

    def visit_annotated(self, node: ast.AnnAssign, _doubt: bool) -> None:
        """An assignment with a type."""
        self._bind(node.target, node.value, (node.end_lineno or 0, node.end_col_offset or 0))

    def visit_loop(self, node: ast.For | ast.AsyncFor, _doubt: bool) -> None:
        """A loop binds its target."""
        self._bind(node.target, None, (node.iter.end_lineno or 0, node.iter.end_col_offset or 0))

    def _bind(self, target: ast.expr, value: ast.expr | None, end: tuple[int, int]) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for element, part in zip(target.elts, _elements(value, target), strict=True):
                self._bind(element, part, end)
        elif name := dotted(target) if isinstance(target, ast.Name | ast.Attribute) else "":
            self._bindings[name].append(_Binding(end, target, value, self._here))

    def visit_subscript(self, node: ast.Subscript, doubt: bool) -> None:
        """``x[:, :-1, :]`` and ``x.shape[2]``."""
        found = shape_evidence(node) or subscript_evidence(node)
        if found is not None:
            self.add(*found, doubt=doubt)

    def visit_call(self, node: ast.Call, doubt: bool) -> None:
        """A call that only tensors of some rank can be given to."""
        for expression, rank in call_evidence(node, self._index):
            self.add(expression, rank, doubt=doubt)
        link = _sides_of_loss(node)
        if link is not None:
            self._links.append(link)
        for expression, rank in self._wanted_by_callee(node):
            self.add(expression, rank, doubt=doubt)

    def visit_assert(self, node: ast.Assert, doubt: bool) -> None:
        """``assert x.dim() == 4``."""
        for compare in ast.walk(node.test):
            if isinstance(compare, ast.Compare) and isinstance(compare.ops[0], ast.Eq):
                count, tensor = number(compare.comparators[0]), _measured(compare.left)
                if count is not None and tensor is not None:
                    self.add(tensor, Rank(count, exact=True), doubt=doubt)

    def _wanted_by_callee(self, node: ast.Call) -> Iterator[tuple[ast.expr, Rank]]:
        """What a function of the project does to the parameters that it is given."""
        if self._depth >= _MAX_CALLEES or not (node.args or node.keywords):
            return
        found = _callee(self._index, self._owner, node)
        if found is None:
            return
        function, home, bound = found
        hints = hints_of(home, function, self._depth + 1)
        if not hints:
            return
        parameters = [*function.args.posonlyargs, *function.args.args]
        for parameter, argument in zip(parameters[bound:], node.args, strict=False):
            if isinstance(argument, ast.Starred):
                return
            if id(parameter) in hints:
                yield argument, hints[id(parameter)]
        named = {p.arg: p for p in (*parameters, *function.args.kwonlyargs)}
        for keyword in node.keywords:
            if keyword.arg in named and id(named[keyword.arg]) in hints:
                yield keyword.value, hints[id(named[keyword.arg])]

    def _push(self, node: ast.expr, rank: Rank) -> None:
        """Bring evidence from an expression to the assignments behind it."""
        self._left -= 1
        if self._left < 0 or rank.count < 1:
            return
        if isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and dotted(node)):
            binding = self._reaching(node)
            if binding is not None:
                self._note(binding.target, rank)
                if binding.value is not None:
                    self._push(binding.value, rank)
                return
        for inner, shift in _operand(node):
            self._push(inner, rank.shifted(shift))

    def _reaching(self, node: ast.expr) -> _Binding | None:
        """The assignment that a name has its value from: the last one before."""
        found = None
        place = node.lineno, node.col_offset
        taken = dict(self._branches.get(id(node), ()))
        for binding in self._bindings.get(dotted(node), ()):
            if binding.end > place or (found is not None and binding.end < found.end):
                continue
            if all(taken.get(choice, branch) == branch for choice, branch in binding.branches):
                found = binding
        return found

    def _note(self, target: ast.AST, rank: Rank) -> None:
        old = self._hints.get(id(target))
        if old is not None and old.contradicts(rank):
            self._clashes.add(id(target))
        self._hints[id(target)] = rank if old is None else stronger(old, rank)

    def _share(self, one: ast.expr, other: ast.expr) -> None:
        """Both sides of a loss have the same rank."""
        for source, sink in ((one, other), (other, one)):
            known = self._known(source)
            if known is not None:
                self._left = _MAX_PUSHES
                self._push(sink, known)

    def _known(self, node: ast.expr) -> Rank | None:
        for _ in range(_MAX_PUSHES):
            name = dotted(node) if isinstance(node, ast.Name | ast.Attribute) else ""
            if name:
                binding = self._reaching(node)
                if binding is None:
                    return None
                if id(binding.target) in self._hints:
                    return self._hints[id(binding.target)]
                if binding.value is None:
                    return None
                node = binding.value
                continue
            kept = [inner for inner, shift in _operand(node) if shift == 0]
            if len(kept) != 1:
                return None
            node = kept[0]
        return None

    def _read_words(self) -> None:
        """Shapes in the docstring and in comments, for what nothing else tells of."""
        if isinstance(self._function, ast.Lambda):
            return
        for name, rank in shapes_told(self._function, self._index.comments):
            for binding in self._bindings.get(name, ()):
                self._left = _MAX_PUSHES
                self._note(binding.target, rank)
                if binding.value is not None:
                    self._push(binding.value, rank)


_VISITS: dict[type[ast.AST], Callable[[_Reader, ast.AST, bool], None]] = {
    ast.Assign: _Reader.visit_assign,  # type: ignore[dict-item]
    ast.AnnAssign: _Reader.visit_annotated,  # type: ignore[dict-item]
    ast.For: _Reader.visit_loop,  # type: ignore[dict-item]
    ast.Subscript: _Reader.visit_subscript,  # type: ignore[dict-item]
    ast.Call: _Reader.visit_call,  # type: ignore[dict-item]
    ast.Assert: _Reader.visit_assert,  # type: ignore[dict-item]
}


def _elements(value: ast.expr | None, target: ast.Tuple | ast.List) -> list[ast.expr | None]:
    """What the elements of a target are given; ``a, b = f(a, b)`` gives back what it was given."""
    if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        return list(value.elts)
    given = value.args if isinstance(value, ast.Call) else []
    by_name = {argument.id: argument for argument in given if isinstance(argument, ast.Name)}
    return [by_name.get(getattr(element, "id", "")) for element in target.elts]


def _is_method(function: ast.AST) -> bool:
    return isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)


def _measured(node: ast.expr) -> ast.expr | None:
    """``x`` of ``x.dim()``, ``x.ndim``, ``len(x.shape)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value if node.func.attr in ("dim", "ndimension") else None
    if isinstance(node, ast.Call) and dotted(node.func) == "len" and node.args:
        inner = node.args[0]
        if isinstance(inner, ast.Call):
            inner = inner.func
        shaped = isinstance(inner, ast.Attribute) and inner.attr in ("shape", "size")
        return inner.value if shaped and isinstance(inner, ast.Attribute) else None
    return node.value if isinstance(node, ast.Attribute) and node.attr == "ndim" else None


def _operand(node: ast.expr) -> Iterator[tuple[ast.expr, int]]:
    """What an expression has its rank from, and by how much the operand's rank is larger."""
    if isinstance(node, ast.BinOp):
        yield from _of_binary(node)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand, 0
    elif isinstance(node, ast.Compare):
        yield node.left, 0
    elif isinstance(node, ast.Attribute) and node.attr == "data":
        yield node.value, 0
    elif isinstance(node, ast.Subscript):
        dropped = _dropped(node.slice)
        if dropped is not None:
            yield node.value, dropped
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_binary(node: ast.BinOp) -> Iterator[tuple[ast.expr, int]]:
    left, right = node.left, node.right
    if isinstance(node.op, ast.Div | ast.Pow) or _is_number(right):
        yield left, 0
    elif _is_number(left):
        yield right, 0


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or is_temperature(dotted(node))


def _dropped(key: ast.expr) -> int | None:
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    count = 0
    for part in parts:
        if isinstance(part, ast.Slice):
            continue
        if isinstance(part, ast.Constant) and part.value is ...:
            continue
        if isinstance(part, ast.Constant) and part.value is None:
            count -= 1
        elif number(part) is not None:
            count += 1
        else:
            return None
    return count


def _of_call(node: ast.Call) -> Iterator[tuple[ast.expr, int]]:
    name, base, rest = parts_of_call(node)
    if base is None:
        return
    if "kl_div" in name and any(getattr(k.value, "value", "") == "none" for k in node.keywords):
        yield from ((argument, 0) for argument in node.args[:2])
    elif name in _KEEPING:
        yield base, 0
        if name == "expand_as" and rest:
            yield rest[0], 0
    elif name == "unsqueeze":
        yield base, -1
    elif name == "squeeze" and rest:
        yield base, 1
    elif name in _REDUCING:
        dim = next((k.value for k in node.keywords if k.arg in ("dim", "axis")), None)
        dim = rest[0] if dim is None and rest else dim
        keeps = any(k.arg in ("keepdim", "keepdims") for k in node.keywords) or len(rest) > 1
        if dim is not None and number(dim) is not None:
            yield base, 0 if keeps else 1


def parts_of_call(node: ast.Call) -> tuple[str, ast.expr | None, list[ast.expr]]:
    """A call's last name, the tensor it works on, and its further arguments."""
    function = node.func
    if isinstance(function, ast.Name):
        return function.id, node.args[0] if node.args else None, node.args[1:]
    if not isinstance(function, ast.Attribute):
        return "", None, []
    root = dotted(function.value)
    if root in ("F", "torch", "nn.functional", "torch.nn.functional", "functional", "T.F"):
        return function.attr, node.args[0] if node.args else None, node.args[1:]
    return function.attr, function.value, list(node.args)


def _sides_of_loss(node: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    name = dotted(node.func).rsplit(".", 1)[-1].lower()
    if len(node.args) >= 2 and ("kl_div" in name or "kldiv" in name or "mse" in name):
        return node.args[0], node.args[1]
    return None


def _callee(
    index: Index, owner: ClassInfo | None, node: ast.Call
) -> tuple[Function, Index, int] | None:
    """The function of the project that is called, its file, and how many parameters are bound."""
    function = node.func
    if isinstance(function, ast.Name):
        if function.id in index.functions:
            return index.functions[function.id], index, 0
        if function.id not in index.imports and not index.stars:
            return None
        found = index.defined(function.id)
        if found is not None and isinstance(found.what, ast.FunctionDef):
            return found.what, found.index, 0
        return None
    if isinstance(function, ast.Attribute) and dotted(function.value) == "self" and owner:
        method = method_of(owner, function.attr)
        if method is not None:
            static = any(dotted(d) == "staticmethod" for d in method[0].decorator_list)
            return method[0], method[1].home, 0 if static else 1
    return None
