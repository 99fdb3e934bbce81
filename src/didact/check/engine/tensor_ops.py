"""Tensor functions and methods: what they do to spaces, axes, ranks and gradients."""

from __future__ import annotations

from didact.check.engine import arithmetic
from didact.check.engine.handmade import factor_of
from didact.check.engine.machine import Machine
from didact.check.engine.names import word_set
from didact.check.engine.reductions import NORMALISERS, Call, normalise, reduce, take_exp, take_log
from didact.check.engine.scale import ONE, Scale
from didact.check.engine.shapes import HANDLERS as SHAPES
from didact.check.engine.values import UNKNOWN, Value

SAME = word_set(
    "clone contiguous to cuda cpu float double half bfloat16 type type_as requires_grad_ "
    "expand expand_as repeat long int bool interpolate upsample dropout gather index_select "
    "masked_fill masked_fill_ roll flip narrow take_along_dim nan_to_num "
    "as_tensor view_as swapaxes squeeze_ retain_grad tensor_split moveaxis pin_memory clamp_ "
    "copy_"
)
"""They keep what kind of numbers it is."""


def tensor_call(m: Machine, call: Call) -> Value:
    """The value of a call of a tensor function or method."""
    name = call.name
    if name in NORMALISERS:
        return normalise(m, call)
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(m, call)
    if name in SAME:
        kept = call.base.payload if call.base.payload in ("filled", "stacked") else None
        return call.base.replace(number=None, payload=kept, items=None)
    return Value(
        grad=call.base.grad,
        sources=call.base.sources,
        role=call.base.role,
        role_from=call.base.role_from,
        terms=call.base.terms if name in ("sqrt", "exp") else (),
    )


def _clamp(m: Machine, call: Call) -> Value:
    m.record("abs" if "abs" in call.name else "clamp", call.node, base=call.base)
    return call.base.replace(payload=None, origin=call.node)


def _power(m: Machine, call: Call) -> Value:
    pair = call.argument(0, "exponent")
    if pair is None:
        return UNKNOWN
    return arithmetic.power(m, call.node, call.base, pair[0])


def _multiply(m: Machine, call: Call) -> Value:
    pair = call.argument(0, "other")
    if pair is None or call.base_node is None:
        return call.base
    return arithmetic.multiply(m, call.node, (call.base, call.base_node), pair)


def _divide(m: Machine, call: Call) -> Value:
    pair = call.argument(0, "other")
    if pair is None:
        return call.base
    m.record("divide", call.node, base=call.base, other=pair[0])
    factor = factor_of(pair[0], pair[1])
    return arithmetic.scaled(call.base, factor.power(-1)).replace(payload=None)


def _add(m: Machine, call: Call) -> Value:
    pair = call.argument(0, "other")
    if pair is None or call.base_node is None:
        return call.base
    alpha = call.argument(1, "alpha")
    factor = factor_of(*alpha) if alpha is not None else ONE
    minus = call.name.startswith("sub")
    return arithmetic.added(
        m, call.node, (call.base, call.base_node), pair, factor, minus=minus
    ).replace(origin=call.node)


def _lerp(m: Machine, call: Call) -> Value:
    """``lerp(a, b, w)`` is ``(1 - w) * a + w * b``."""
    end, weight = call.argument(0, "end"), call.argument(1, "weight")
    if end is None or weight is None or call.base_node is None:
        return call.base
    factor = factor_of(*weight)
    rest = Scale(1 - factor.const) if not factor.atoms else Scale.of(f"1 - {factor.text}")
    start = (arithmetic.scaled(call.base, rest), call.base_node)
    return arithmetic.added(m, call.node, start, end, factor, minus=False)


def _negative(_m: Machine, call: Call) -> Value:
    return arithmetic.negated(call.base)


_HANDLERS = {
    **SHAPES,
    **dict.fromkeys(("log", "log2", "log10"), take_log),
    **dict.fromkeys(("sum", "mean", "nansum", "nanmean"), reduce),
    **dict.fromkeys(("clamp", "clamp_min", "clip", "abs", "relu", "fabs"), _clamp),
    **dict.fromkeys(("pow", "pow_", "float_power"), _power),
    **dict.fromkeys(("mul", "mul_", "multiply"), _multiply),
    **dict.fromkeys(("div", "div_", "true_divide", "divide"), _divide),
    **dict.fromkeys(("neg", "negative"), _negative),
    **dict.fromkeys(("add", "add_", "sub", "sub_", "subtract"), _add),
    "exp": take_exp,
    "lerp": _lerp,
}
