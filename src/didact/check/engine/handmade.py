"""Losses that are written out: ``p * log q`` and ``p * (log p - log q)``."""

from __future__ import annotations

import ast

from didact.check.engine.events import LossUse, Term
from didact.check.engine.machine import LogRatio, Machine
from didact.check.engine.names import source
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import RAW, Grad, Role, Space
from didact.check.engine.values import Value

NUMBERS = (Space.SCALAR, Space.NONE)
Side = tuple[Value, ast.expr]
"""An operand: its value and its expression."""


def factor_of(value: Value, node: ast.expr) -> Scale:
    """A value as a factor: a product of symbols, or its own source text as a symbol."""
    if value.space is Space.SCALAR:
        if value.number is not None and not value.scale.atoms:
            return Scale(value.number)
        return value.scale if not value.scale.is_one else Scale.of(source(node))
    made = Scale.of(source(value.origin if value.origin is not None else node))
    known = value.space is Space.UNKNOWN and value.origin is not None and not value.terms
    return made.times(value.scale) if known else made


def joint_grad(left: Value, right: Value) -> Grad:
    """Whether a gradient flows through what is made of two values."""
    if Grad.YES in (left.grad, right.grad):
        return Grad.YES
    constant = (Grad.NO, Grad.NO)
    sides = tuple(Grad.NO if v.space in NUMBERS else v.grad for v in (left, right))
    return Grad.NO if sides == constant else Grad.UNKNOWN


def by_hand(m: Machine, node: ast.AST, one: Side, other: Side) -> Value | None:
    """Recognise ``p * log q`` and ``p * (log p - log q)``."""
    (weight, weight_node), (logs, logs_node) = one, other
    if not isinstance(node, ast.expr) or weight.space in (
        Space.SCALAR,
        Space.LOG_PROBS,
        Space.LOSS,
        Space.MASK,
    ):
        return None
    if isinstance(logs.payload, LogRatio):
        if weight.space is not Space.PROBS:
            return None
        upper, lower = logs.payload.upper, logs.payload.lower
        if _is_turned(weight, upper, lower):  # q * (log p - log q) is -KL(q || p)
            sides = (upper, logs_node), (lower, weight_node)
            return _hand_term(m, node, "kl_by_hand", *sides, logs.scale.times(Scale(-1)))
        sides = (lower, logs_node), (upper, weight_node)
        return _hand_term(m, node, "kl_by_hand", *sides, logs.scale)
    if logs.space is not Space.LOG_PROBS or isinstance(weight.payload, LogRatio):
        return None
    if weight.space in (Space.FEATURES, Space.LABELS) or (weight.space in RAW and _is_row(weight)):
        return None
    return _hand_term(
        m,
        node,
        "soft_cross_entropy",
        (logs, logs_node),
        (weight, weight_node),
        logs.scale.times(weight.scale),
    )


def _is_turned(weight: Value, upper: Value, lower: Value) -> bool:
    """Whether the weight is the distribution whose logarithm is subtracted."""
    if Role.UNKNOWN in (weight.role, upper.role, lower.role):
        return False
    return weight.role is lower.role and weight.role is not upper.role


def _is_row(value: Value) -> bool:
    """One number for each sample, such as a critic's, weighs what is no distribution."""
    return value.rank is not None and value.exact and value.rank < 2


def _hand_term(
    m: Machine, node: ast.expr, kind: str, log_side: Side, weight: Side, scale: Scale
) -> Value:
    use = LossUse(
        node=node,
        kind=kind,
        input=log_side[0],
        target=weight[0],
        input_node=log_side[1],
        target_node=weight[1],
        reduction="none",
        log_target=None,
        scope=m.scope,
        under_no_grad=m.frame.no_grad,
    )
    m.loss(use)
    sources = log_side[0].sources | weight[0].sources
    shaped = log_side[0] if log_side[0].rank else weight[0]
    return Value(
        space=Space.LOSS,
        grad=joint_grad(log_side[0], weight[0]),
        terms=(Term(use, scale),),
        sources=sources,
        rank=shaped.rank,
        rank_from=shaped.rank_from,
        exact=shaped.exact,
        axis=log_side[0].axis,
        scale=scale,
        origin=node,
    )
