"""What ``+ - * / ** @`` make of spaces, temperatures and scales."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from didact.check.engine.handmade import Side, by_hand, factor_of, joint_grad
from didact.check.engine.losses import named_loss
from didact.check.engine.machine import LogRatio, Machine
from didact.check.engine.names import dotted, is_hard_loss, source
from didact.check.engine.scale import ONE, Scale
from didact.check.engine.spaces import NORMALISED, Grad, Role, Space
from didact.check.engine.values import UNKNOWN, Value, merge_terms

_SCORES = frozenset({Space.LOGITS, Space.OUTPUT, Space.FEATURES}) | NORMALISED
_NUMBERS = (Space.SCALAR, Space.NONE)


def binary(m: Machine, node: ast.BinOp | ast.AugAssign, left: Value, right: Value) -> Value:
    """The value of a binary operation; ``AugAssign`` has a target in place of a left operand."""
    left_node = node.target if isinstance(node, ast.AugAssign) else node.left
    right_node = node.value if isinstance(node, ast.AugAssign) else node.right
    handler = _OPERATORS.get(type(node.op))
    if handler is not None:
        return handler(m, node, (left, left_node), (right, right_node))
    return Value(space=Space.SCALAR) if left.space is right.space is Space.SCALAR else UNKNOWN


def scaled(value: Value, factor: Scale) -> Value:
    """A value times a factor."""
    terms = tuple(term.times(factor) for term in value.terms)
    number = value.number * factor.const if value.number is not None and not factor.atoms else None
    return value.replace(scale=value.scale.times(factor), terms=terms, number=number)


def negated(value: Value) -> Value:
    """Minus a value."""
    return scaled(value, Scale(-1.0))


def multiply(m: Machine, node: ast.AST, one: Side, other: Side) -> Value:
    """A product."""
    (left, left_node), (right, right_node) = one, other
    m.record("multiply", node, base=left, other=right)
    plain = not (left.terms or right.terms)  # ``loss.item()`` is a number, too
    if left.space is Space.SCALAR and right.space is Space.SCALAR and plain:
        return _scalar(left, right, factor_of(left, left_node).times(factor_of(right, right_node)))
    made = by_hand(m, node, one, other) or by_hand(m, node, other, one)
    if made is not None:
        return made
    if _is_base(left, right):
        return _with_factor(left, right, right_node)
    return _with_factor(right, left, left_node)


def _is_base(left: Value, right: Value) -> bool:
    if bool(left.terms) != bool(right.terms):
        losses, other = (left, right) if left.terms else (right, left)
        weight = other.space in _SCORES and all(term.cut for term in losses.terms)
        return bool(left.terms) is not weight  # a detached loss may weigh scores
    if left.space in _NUMBERS:
        return False
    return left.is_tensor or not right.is_tensor


def _with_factor(base: Value, factor: Value, factor_node: ast.expr) -> Value:
    if factor.terms and base.space in _SCORES:
        factor = factor.replace(terms=(), space=Space.UNKNOWN)
    made = scaled(base, factor_of(factor, factor_node))
    if factor.is_tensor and not base.terms and base.space is not Space.LOSS:
        keeps = factor.space in (Space.MASK, Space.LOSS) and base.is_tensor
        made = made.replace(space=base.space if keeps else Space.UNKNOWN, scale=ONE)
    weighs = base.partial or factor.rank or factor.sources or factor.role is not Role.UNKNOWN
    if base.space in NORMALISED and factor.space is Space.UNKNOWN and weighs and not base.terms:
        made = made.replace(space=Space.UNKNOWN, scale=ONE)  # attention weights times a tensor
    sources = base.sources | factor.sources
    return made.replace(
        sources=sources,
        grad=joint_grad(base, factor),
        payload=base.payload if base.payload == "filled" else None,
        items=None,
        number=made.number,
    )


def _divide(m: Machine, node: ast.AST, one: Side, other: Side) -> Value:
    (left, left_node), (right, right_node) = one, other
    m.record("divide", node, base=left, other=right)
    factor = factor_of(right, right_node)
    if left.space is Space.SCALAR and right.space is Space.SCALAR:
        return _scalar(left, right, factor_of(left, left_node).over(factor), divide=True)
    if left.space in (Space.PROBS, Space.SIGMOID_PROBS) and right.space is left.space:
        return Value(
            payload=LogRatio(left, right),
            grad=joint_grad(left, right),
            sources=left.sources | right.sources,
        )
    made = scaled(left, factor.power(-1))
    if right.is_tensor and not left.terms:
        made = made.replace(scale=ONE)
    if left.space is Space.SCALAR and right.space is not Space.SCALAR:
        made = UNKNOWN if right.is_tensor else made
    return made.replace(
        sources=left.sources | right.sources,
        grad=joint_grad(left, right),
        payload="filled" if left.payload == "filled" else None,
    )


def _scalar(left: Value, right: Value, scale: Scale, *, divide: bool = False) -> Value:
    number = None
    if left.number is not None and right.number is not None:
        by = (1 / right.number if right.number else None) if divide else right.number
        number = left.number * by if by is not None else None
    return Value(space=Space.SCALAR, scale=scale, number=number)


def _add(m: Machine, node: ast.BinOp | ast.AugAssign, one: Side, other: Side) -> Value:
    left, right = one[0], other[0]
    minus = isinstance(node.op, ast.Sub)
    m.record("add", node, base=left, other=right)
    if left.terms or right.terms:
        left, right = (_as_term(m, side, beside) for side, beside in ((one, right), (other, left)))
        return _sum_of_losses(left, negated(right) if minus else right)
    if left.space is Space.SCALAR and right.space is Space.SCALAR:
        return _scalar_sum(node, left, right, minus=minus)
    if "filled" in (left.payload, right.payload):
        made = left if left.payload == "filled" else right
        return Value(
            grad=_grad_of_filled(left, right),
            rank=made.rank,
            exact=made.exact,
            payload="filled",
            origin=made.origin,
        )
    if left.space is Space.LABELS or (left.by_name and left.space is Space.UNKNOWN):
        return left.replace(shifted=True)
    if minus and left.space is right.space is Space.LOG_PROBS:
        ratio = LogRatio(left, right)
        return Value(
            payload=ratio, grad=joint_grad(left, right), sources=left.sources | right.sources
        )
    if right.space is Space.SCALAR or left.space is Space.SCALAR:
        base = left if right.space is Space.SCALAR else right
        small = right.number is not None and abs(right.number) < 1e-2
        return base if small else base.replace(temperature=None, scale=ONE)
    same = left.space if left.space is right.space else Space.UNKNOWN
    return Value(
        space=Space.UNKNOWN if minus else same,
        role=left.role if left.role is right.role else type(left.role).UNKNOWN,
        role_from=left.role_from,
        space_from=left.space_from,
        temperature=left.temperature if left.temperature == right.temperature else None,
        axis=left.axis if left.axis == right.axis else None,
        rank=left.rank or right.rank,
        rank_from=left.rank_from if left.rank else right.rank_from,
        exact=left.exact and right.exact and left.rank == right.rank,
        scale=_common(left.scale, right.scale),
        grad=joint_grad(left, right),
        sources=left.sources | right.sources,
        origin=node if isinstance(node, ast.expr) else None,
    )


def _common(left: Scale, right: Scale) -> Scale:
    """The factor of a sum: what both summands share, ``1 / T`` of ``w * a / T + v * b / T``."""
    if left == right:
        return left
    shared = tuple(atom for atom in left.atoms if atom in right.atoms)
    return Scale(1.0, shared) if shared else ONE


def added(
    m: Machine, node: ast.Call, one: Side, other: Side, factor: Scale, *, minus: bool
) -> Value:
    """``x.add(y, alpha=a)`` and ``x.sub(y)``."""
    operation = ast.Sub() if minus else ast.Add()
    both = ast.copy_location(ast.BinOp(one[1], operation, other[1]), node)
    value = other[0] if factor.is_one else scaled(other[0], factor)
    return _add(m, both, one, (value, other[1]))


def _grad_of_filled(left: Value, right: Value) -> Grad:
    """A tensor of zeros has a graph as soon as something that has one is added to it."""
    added = right if left.payload == "filled" else left
    constant = added.payload == "filled" or added.space in _NUMBERS
    return Grad.NO if constant and added.grad is not Grad.YES else joint_grad(left, right)


def _as_term(m: Machine, side: Side, beside: Value) -> Value:
    """An operand of a sum of losses; one that is named like the hard loss counts as it."""
    value, node = side
    factor, named = Scale(), node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for part, weight in ((node.left, node.right), (node.right, node.left)):
            if is_hard_loss(dotted(part)):
                factor, named = factor_of(m.latest.get(id(weight), UNKNOWN), weight), part
    if value.terms or not beside.terms or not is_hard_loss(dotted(named)):
        return value
    return scaled(named_loss(m, named, value), factor)


def _scalar_sum(node: ast.AST, left: Value, right: Value, *, minus: bool) -> Value:
    if left.number is not None and right.number is not None:
        number = left.number - right.number if minus else left.number + right.number
        return Value(space=Space.SCALAR, number=number, scale=Scale(number) if number else ONE)
    if minus and left.number == 1 and right.scale.const == 1 and len(right.scale.atoms) == 1:
        return Value(space=Space.SCALAR, scale=Scale.of(f"1 - {right.scale.text}"))
    return Value(space=Space.SCALAR, scale=Scale.of(source(node)))


def _sum_of_losses(left: Value, right: Value) -> Value:
    return Value(
        space=Space.LOSS,
        grad=joint_grad(left, right),
        terms=merge_terms(left.terms, right.terms),
        joined=left.joined or right.joined,
        sources=left.sources | right.sources,
        rank=left.rank if left.terms else right.rank,
        rank_from=left.rank_from if left.terms else right.rank_from,
        axis=left.axis if left.terms else right.axis,
    )


def power(m: Machine, node: ast.AST, base: Value, exponent: Value) -> Value:
    """A power: of a temperature, or of a distribution (which changes its temperature)."""
    m.record("power", node, base=base, other=exponent)
    if base.space is Space.SCALAR:
        if exponent.number is None:
            return Value(space=Space.SCALAR, scale=Scale.of(source(node)))
        try:
            number = None if base.number is None else float(base.number**exponent.number)
        except (ArithmeticError, TypeError, ValueError):
            number = None
        return Value(space=Space.SCALAR, scale=base.scale.power(exponent.number), number=number)
    if base.space is Space.UNKNOWN and exponent.number is not None and not base.sources:
        return base.replace(scale=base.scale.power(exponent.number), terms=())
    return Value(
        grad=base.grad,
        sources=base.sources,
        role=base.role,
        role_from=base.role_from,
        rank=base.rank,
        rank_from=base.rank_from,
        exact=base.exact,
    )


def _power(m: Machine, node: ast.AST, one: Side, other: Side) -> Value:
    return power(m, node, one[0], other[0])


def _matrix_product(_m: Machine, _node: ast.AST, one: Side, other: Side) -> Value:
    left, right = one[0], other[0]
    scores = left.space is right.space is Space.FEATURES
    return Value(
        space=Space.LOGITS if scores else Space.UNKNOWN,
        grad=joint_grad(left, right),
        sources=left.sources | right.sources,
    )


def _mask(_m: Machine, _node: ast.AST, _one: Side, _other: Side) -> Value:
    return Value(space=Space.MASK)


_OPERATORS: dict[type[ast.operator], Callable[[Machine, Any, Side, Side], Value]] = {
    ast.Mult: multiply,
    ast.Div: _divide,
    ast.Add: _add,
    ast.Sub: _add,
    ast.Pow: _power,
    ast.MatMult: _matrix_product,
    ast.BitAnd: _mask,
    ast.BitOr: _mask,
}
