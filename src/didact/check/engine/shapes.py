"""Functions that change shapes, pick entries, detach or make tensors."""

from __future__ import annotations

import ast

from didact.check.engine.machine import Machine
from didact.check.engine.names import source
from didact.check.engine.reductions import Call, dim_of
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Evidence, Grad, Space
from didact.check.engine.values import UNKNOWN, Term, Value, join, merge_terms


def _detach(_m: Machine, call: Call) -> Value:
    base = call.base
    terms = tuple(term.detached() for term in base.terms)
    if base.terms and call.name == "item":
        return Value(space=Space.SCALAR, terms=terms, grad=Grad.NO, origin=call.node)
    return base.replace(grad=Grad.NO, sources=frozenset(), terms=terms)


def _argmax(m: Machine, call: Call) -> Value:
    m.record("argmax", call.node, base=call.base)
    return Value(
        space=Space.LABELS,
        role=call.base.role,
        role_from=call.base.role_from,
        grad=Grad.NO,
        shifted=True,
        origin=call.node,
    )


def _max(m: Machine, call: Call) -> Value:
    if not call.rest and "dim" not in call.keywords:
        return Value(grad=call.base.grad, sources=call.base.sources)
    return Value(
        items=(
            Value(grad=call.base.grad, role=call.base.role, role_from=call.base.role_from),
            _argmax(m, call),
        )
    )


def _view(_m: Machine, call: Call) -> Value:
    count = len(call.rest)
    if count == 1 and isinstance(call.rest[0][1], ast.Tuple | ast.List):
        count = len(call.rest[0][1].elts)
    elif count == 1 and call.rest[0][0].number is None:
        count = 0
    if any(isinstance(node, ast.Starred) for _, node in call.rest):
        count = 0
    axis = call.base.axis if count and (call.base.axis == -1 or count == call.base.rank) else None
    return call.base.replace(
        rank=count or None, rank_from=Evidence.OPERATION, payload=None, axis=axis, exact=bool(count)
    )


def _flatten(_m: Machine, call: Call) -> Value:
    start, end = dim_of(call.argument(0, "start_dim")), dim_of(call.argument(1, "end_dim"))
    base = call.base
    if start == 0 and end in (1, -2):
        return base.replace(
            rank=2, rank_from=Evidence.OPERATION, axis=None if base.axis != -1 else -1, exact=True
        )
    if end in (None, -1) and (start or 0) >= 0:  # everything from one dimension on
        return base.replace(rank=(start or 0) + 1, rank_from=Evidence.OPERATION, exact=True)
    return base.replace(rank=2, exact=False)


def _unsqueeze(_m: Machine, call: Call) -> Value:
    rank = call.base.rank
    return call.base.replace(
        rank=rank + 1 if rank else None, axis=call.base.axis if rank is None else None
    )


def _transpose(_m: Machine, call: Call) -> Value:
    rank = len(call.rest) if call.name == "permute" and len(call.rest) > 1 else call.base.rank
    exact = call.base.exact if rank == call.base.rank else True
    return call.base.replace(axis=None, rank=rank, exact=exact, payload="transposed")


def _squeeze(_m: Machine, call: Call) -> Value:
    rank = call.base.rank - 1 if call.rest and call.base.rank and call.base.rank > 1 else None
    return call.base.replace(rank=rank, axis=None, payload=None)


def _reshaped(_m: Machine, call: Call) -> Value:
    return call.base.replace(rank=None, axis=None, payload=None)


def _size(_m: Machine, call: Call) -> Value:
    return Value(space=Space.SCALAR, scale=Scale.of(source(call.node)), origin=call.node)


def _stack(_m: Machine, call: Call) -> Value:
    items = call.base.items
    if not items:
        return Value(role=call.base.role, role_from=call.base.role_from, payload="stacked")
    joined = items[0]
    for item in items[1:]:
        joined = join(joined, item)
    sources = frozenset[int]().union(*(item.sources for item in items))
    terms: tuple[Term, ...] = ()
    for item in items:
        terms = merge_terms(terms, item.terms)
    grads = {item.grad for item in items}
    grad = Grad.YES if Grad.YES in grads else (Grad.NO if grads == {Grad.NO} else Grad.UNKNOWN)
    return joined.replace(
        items=None,
        space=Space.LOSS if terms else joined.space,
        terms=terms,
        joined=False,
        sources=sources,
        grad=grad,
        rank=_joint_rank(joined, call.name),
        class_slice=None,
        axis=None,
        payload="stacked" if call.name == "stack" else None,
    )


def _joint_rank(joined: Value, name: str) -> int | None:
    if not joined.rank:
        return None
    return joined.rank + 1 if name == "stack" else joined.rank


def _where(m: Machine, call: Call) -> Value:
    if len(call.rest) < 2:
        return UNKNOWN
    left, right = call.rest[0][0], call.rest[1][0]
    if left.terms and right.terms:
        m.record("where", call.node, base=left, other=call.base)
    return join(left, right).replace(shifted=True, sources=left.sources | right.sources)


def _one_hot(_m: Machine, call: Call) -> Value:
    return Value(space=Space.ONE_HOT, grad=Grad.NO, origin=call.node)


def _like(_m: Machine, call: Call) -> Value:
    """Zeros, ones: of a shape that is written out, or of another tensor's."""
    base = call.base
    rank, exact = (base.rank, base.exact) if call.name.endswith("_like") else _rank_of_sizes(call)
    return Value(
        space=Space.UNKNOWN,
        grad=Grad.NO,
        rank=rank,
        exact=exact and rank is not None,
        payload="filled",
        origin=call.node,
    )


def _rank_of_sizes(call: Call) -> tuple[int | None, bool]:
    """How many sizes ``zeros(a, b, c)`` or ``zeros((a, b, c))`` is given."""
    sizes = sizes_of(call.node)
    return (len(sizes), True) if len(sizes) > 1 else (None, False)


def sizes_of(node: ast.Call) -> list[ast.expr]:
    """The sizes that ``zeros``, ``view`` and their like write out; none where they do not."""
    given = node.args
    if len(given) == 1 or (given and isinstance(given[0], ast.Tuple | ast.List)):
        listed = given[0]
        given = listed.elts if isinstance(listed, ast.Tuple | ast.List) else []
    return [] if any(isinstance(size, ast.Starred) for size in given) else list(given)


HANDLERS = {
    **dict.fromkeys(("detach", "detach_", "item", "numpy", "tolist", "stop_gradient"), _detach),
    **dict.fromkeys(("argmax", "argmin"), _argmax),
    **dict.fromkeys(("max", "min", "topk", "sort"), _max),
    **dict.fromkeys(("view", "reshape"), _view),
    **dict.fromkeys(("transpose", "permute", "t", "swapdims"), _transpose),
    **dict.fromkeys(("one_hot", "to_onehot", "get_one_hot", "make_one_hot", "onehot"), _one_hot),
    **dict.fromkeys(("size", "numel", "nelement", "dim", "element_size"), _size),
    **dict.fromkeys(("stack", "cat", "concat", "concatenate", "hstack"), _stack),
    **dict.fromkeys(("zeros_like", "ones_like", "zeros", "ones", "full", "full_like"), _like),
    **dict.fromkeys(("rand_like", "randn_like"), _like),
    **dict.fromkeys(("unfold", "scatter", "masked_select"), _reshaped),
    "squeeze": _squeeze,
    "flatten": _flatten,
    "unsqueeze": _unsqueeze,
    "where": _where,
}
"""What handles each function or method."""
