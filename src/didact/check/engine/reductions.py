"""Softmax, logarithm, exponential, sums and means."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from didact.check.engine.events import Log, Reduction, Softmax
from didact.check.engine.machine import LogRatio, Machine
from didact.check.engine.names import source
from didact.check.engine.scale import ONE, Scale, as_number
from didact.check.engine.spaces import RAW, Evidence, Space
from didact.check.engine.values import UNKNOWN, Value

NORMALISERS = {
    "softmax": Space.PROBS,
    "log_softmax": Space.LOG_PROBS,
    "sigmoid": Space.SIGMOID_PROBS,
    "logsigmoid": Space.UNKNOWN,
    "gumbel_softmax": Space.PROBS,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call, with its tensor (first) argument taken apart from the others."""

    node: ast.Call
    name: str
    base: Value
    base_node: ast.expr | None
    rest: tuple[tuple[Value, ast.expr], ...]
    keywords: dict[str, tuple[Value, ast.expr]]
    layer: ast.Call | None = None

    def argument(self, position: int, *names: str) -> tuple[Value, ast.expr] | None:
        """A further argument by its place after the tensor, or by name."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.rest[position] if position < len(self.rest) else None


def dim_of(pair: tuple[Value, ast.expr] | None) -> int | None:
    """The dimension that an argument names."""
    if pair is None or pair[0].number is None:
        return None
    return int(pair[0].number)


def normalise(m: Machine, call: Call) -> Value:
    """softmax, log_softmax, sigmoid."""
    pair = call.argument(0, "dim", "axis") if call.layer is None else call.keywords.get("dim")
    elementwise = "sigmoid" in call.name
    dim = None if elementwise else dim_of(pair)
    base = call.base
    rank = base.rank if dim is None or dim < 0 else max(base.rank or 0, dim + 1)
    inner = base.temperature if base.space is Space.LOG_PROBS and base.temperature else ONE
    own = base.scale.power(-1)
    result = Value(
        space=NORMALISERS[call.name],
        role=base.role,
        role_from=base.role_from,
        grad=base.grad,
        temperature=own.times(inner) if base.space is not Space.SCALAR else None,
        axis=dim,
        rank=rank or None,
        rank_from=base.rank_from if base.rank == rank else Evidence.OPERATION,
        exact=base.exact and base.rank == rank,
        class_slice=base.class_slice,
        sources=base.sources,
        origin=call.node,
    )
    key = ("softmax", id(call.node), m.context)
    m.softmaxes[key] = Softmax(
        node=call.node,
        kind=call.name,
        argument=base,
        argument_node=call.base_node,
        dim_node=pair[1] if pair else None,
        dim=dim,
        dim_known=pair is not None or elementwise,
        result=result,
        scope=m.scope,
        layer=call.layer,
    )
    return result


def take_log(m: Machine, call: Call) -> Value:
    """The logarithm."""
    base = call.base
    guarded = _is_guarded(call.base_node)
    m.logs[("log", id(call.node), m.context)] = Log(
        call.node, base, call.base_node, guarded, m.scope
    )
    if isinstance(base.payload, LogRatio):
        return base
    if base.space is Space.PROBS:
        return base.replace(space=Space.LOG_PROBS, scale=ONE, origin=call.node)
    return Value(grad=base.grad, sources=base.sources, role=base.role, role_from=base.role_from)


def _is_guarded(node: ast.expr | None) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return True
    if isinstance(node, ast.Call):
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        return "clamp" in name or name in ("clip", "maximum")
    return False


def reduce(m: Machine, call: Call) -> Value:
    """Sum and mean."""
    kind = "mean" if "mean" in call.name else "sum"
    pair = call.argument(0, "dim", "axis")
    dim = dim_of(pair)
    base = call.base
    listed = pair is not None and dim is None
    step = Reduction(kind, -99 if listed else dim, call.node)
    m.record("reduce", call.node, base=base, name=kind, other=pair[0] if pair else UNKNOWN)
    terms = tuple(term.reduced(step) for term in base.terms)
    whole = pair is None
    keep = "keepdim" in call.keywords or len(call.rest) > 1
    if whole:
        rank: int | None = 0
    else:
        dims = pair[1] if pair is not None else None
        dropped = len(dims.elts) if isinstance(dims, ast.Tuple | ast.List) else 1
        rank = base.rank if keep or not base.rank else max(base.rank - dropped, 0)
    space = Space.LOSS if base.terms or base.space is Space.LOSS else Space.UNKNOWN
    if (
        base.space in (Space.PROBS, Space.MASK, Space.LOGITS, Space.OUTPUT)
        and kind == "mean"
        and not whole
    ):
        space = base.space if dim is not None and dim != base.axis and dim == 0 else Space.UNKNOWN
    return Value(
        space=space,
        grad=base.grad,
        role=base.role,
        role_from=base.role_from,
        terms=terms,
        joined=base.joined,
        sources=base.sources,
        rank=rank,
        rank_from=base.rank_from,
        exact=whole or base.exact,
        axis=base.axis,
        scale=base.scale,
        temperature=base.temperature if space is not Space.UNKNOWN else None,
        origin=base.origin if space in RAW else call.node,
    )


def number_of(node: ast.expr) -> float | None:
    """A literal number, also a negative one."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    return as_number(node.value) if isinstance(node, ast.Constant) else None


def take_exp(_m: Machine, call: Call) -> Value:
    """The exponential."""
    base = call.base
    space = Space.PROBS if base.space is Space.LOG_PROBS and base.scale.is_one else Space.UNKNOWN
    keep = space is Space.PROBS
    return Value(
        space=space,
        role=base.role,
        role_from=base.role_from,
        grad=base.grad,
        sources=base.sources,
        temperature=base.temperature if keep else None,
        axis=base.axis if keep else None,
        rank=base.rank,
        rank_from=base.rank_from,
        exact=base.exact,
        scale=Scale.of(source(call.node)) if base.space is Space.SCALAR else ONE,
        origin=call.node,
    )
