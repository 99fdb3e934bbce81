"""What a name tells of a value that nothing else tells of."""

from __future__ import annotations

import ast

from didact.check.engine.machine import Bound
from didact.check.engine.names import is_label, is_temperature, is_weight, role_of, space_of
from didact.check.engine.rank_evidence import Rank, stronger
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Evidence, Role, Space
from didact.check.engine.values import Record, Value

_RANKLESS = frozenset(
    {Space.MODEL, Space.CRITERION, Space.OPTIMIZER, Space.SCALAR, Space.NONE, Space.FUNCTION}
)


def named(name: str, value: Value, node: ast.expr | None = None) -> Value:
    """A value under a name: what the value leaves open, the name may tell."""
    open_ended = not value.payload or isinstance(value.payload, Bound)
    if value.space in (Space.SCALAR, Space.UNKNOWN) and not value.terms and open_ended:
        plain = value.number is not None and not value.scale.atoms
        if plain and is_temperature(name):
            return value.replace(space=Space.SCALAR, scale=Scale.of(name))
        own = value.space is Space.SCALAR and (
            is_temperature(name) or is_weight(name.rsplit(".", 1)[-1])
        )
        if own and len(value.scale.atoms) > 1:
            return value.replace(scale=Scale.of(name))
        if value.space is Space.UNKNOWN and value.rank is None:
            guessed = guess(name, node)
            if guessed.space is Space.SCALAR and not value.sources:
                return guessed.replace(origin=value.origin or node)
    if value.role is Role.UNKNOWN and value.space not in (Space.SCALAR, Space.LABELS, Space.MASK):
        role = role_of(name)
        if role is not Role.UNKNOWN:
            return value.replace(role=role, role_from=Evidence.NAME)
    return value


def hinted(value: Value, hint: Rank | None) -> Value:
    """A value whose rank is told by what is done to it elsewhere in the function."""
    if (
        hint is None
        or value.space in _RANKLESS
        or isinstance(value.payload, Record)
        or value.payload == "container"
    ):
        return value
    if value.rank is not None:
        hint = stronger(Rank(value.rank, value.exact, value.rank_from), hint)
    return value.replace(rank=hint.count, exact=hint.exact, rank_from=hint.why)


def guess(name: str, node: ast.expr | None = None) -> Value:
    """What a parameter or an unknown attribute is, by its name alone."""
    last = name.rsplit(".", 1)[-1]
    space = space_of(last)
    if space is Space.LOGITS:
        return Value(space=space, role=role_of(name), space_from=Evidence.NAME, origin=node)
    if space is Space.ONE_HOT:
        return Value(space=space, space_from=Evidence.NAME, origin=node)
    if is_temperature(name) or (is_weight(last) and "weights" not in last):
        return Value(space=Space.SCALAR, scale=Scale.of(name), origin=node)
    if space is Space.LABELS and is_label(last):
        return Value(role=role_of(name), space_from=Evidence.NAME, origin=node)
    return Value(role=role_of(name), origin=node)
