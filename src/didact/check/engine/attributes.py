"""Attributes: of modules, of objects of the file's classes, of tensors and outputs."""

from __future__ import annotations

import ast

from didact.check.engine.guess import guess, named
from didact.check.engine.index import ClassInfo, assignments_of, method_of
from didact.check.engine.inline import bind_parameters, from_project
from didact.check.engine.losses import named_loss
from didact.check.engine.machine import MAX_DEPTH, Bound, Frame, Instance, Machine, Path, Routine
from didact.check.engine.names import dotted, is_class_count
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Evidence, Grad, Space
from didact.check.engine.values import UNKNOWN, Record, Value, join
from didact.check.engine.walk import pairs

MAX_ASSIGNMENTS = 8
"""Of the assignments to one attribute so many are joined; after that nothing in common is left."""


def attribute(m: Machine, node: ast.Attribute) -> Value:
    """The value of ``base.name``."""
    base = m.evaluate(node.value)
    name = dotted(node)
    if name and name in m.frame.env:
        return m.frame.env[name]
    payload = base.payload
    if isinstance(payload, Path):
        path = f"{payload.dotted}.{node.attr}"
        return from_project(m, name) or _from_path(path, name, node)
    if isinstance(payload, Instance):
        found = _member(m, payload.info, node)
        if found is not None:
            return found
    return _tensor_attribute(m, base, node, name)


def _from_path(path: str, name: str, node: ast.Attribute) -> Value:
    if path.startswith(("torch", "numpy", "copy", "math", ".")) or node.attr[:1].isupper():
        return Value(payload=Path(path))
    guessed = guess(name, node)
    return (
        guessed if guessed.space is Space.SCALAR else Value(payload=Path(path), role=guessed.role)
    )


def _tensor_attribute(m: Machine, base: Value, node: ast.Attribute, name: str) -> Value:
    attribute = node.attr
    if isinstance(base.payload, Record):
        entry = base.payload.get(attribute)
        if entry is not None:
            return entry
    if attribute == "data" and not isinstance(base.payload, Path | Instance):
        terms = tuple(term.detached() for term in base.terms)
        return base.replace(grad=Grad.NO, sources=frozenset(), terms=terms)
    if attribute in ("T", "mT", "H") and (base.is_tensor or base.sources):
        return base.replace(axis=None, payload="transposed")
    if attribute in ("shape", "ndim", "device", "dtype"):
        return Value(space=Space.SCALAR if attribute == "ndim" else Space.UNKNOWN, origin=node)
    if base.space is Space.OUTPUT or base.sources:
        return _field(m, base, attribute, node)
    if attribute in ("indices", "values") and base.items and len(base.items) == 2:
        return base.items[attribute == "indices"]
    guessed = guess(name or attribute, node)
    if guessed.space is Space.SCALAR or not (base.is_tensor or base.terms or base.payload):
        if is_class_count(attribute) and guessed.space is Space.UNKNOWN:
            return Value(space=Space.SCALAR, scale=Scale.of(name or attribute), origin=node)
        if guessed.space is Space.SCALAR:
            return guessed
        if guessed.space is Space.LOGITS:
            return guessed.replace(payload=Bound(base, node.value, attribute))
    bound = Bound(base, node.value, attribute)
    space = Space.MODEL if base.space is Space.MODEL else Space.UNKNOWN
    return Value(space=space, payload=bound, role=guessed.role, origin=node)


def _field(m: Machine, base: Value, attribute: str, node: ast.expr) -> Value:
    if attribute in ("logits", "logit"):
        made = base.replace(space=Space.LOGITS, space_from=Evidence.MODEL, payload=None)
        if base.rank is None and m.index.logits_rank is not None:
            return made.replace(rank=m.index.logits_rank, exact=True, rank_from=Evidence.MODEL)
        return made
    if attribute == "loss" and base.space is Space.OUTPUT:
        return named_loss(m, node, base)
    if attribute in ("out", "output"):
        return base.replace(payload=None)
    if attribute in ("features", "hidden_states", "last_hidden_state", "pooler_output"):
        return base.replace(
            space=Space.FEATURES, space_from=Evidence.MODEL, payload=None, rank=None
        )
    return Value(
        payload=Bound(base, node.value, attribute) if isinstance(node, ast.Attribute) else None,
        role=base.role,
        role_from=base.role_from,
        grad=base.grad,
        sources=base.sources,
        origin=node,
    )


def _member(m: Machine, info: ClassInfo, node: ast.Attribute) -> Value | None:
    found = method_of(info, node.attr)
    if found is not None:
        method, definer = found
        routine = Routine(method, definer.home, info, bound=True)
        return Value(space=Space.FUNCTION, payload=routine)
    value = attribute_of(m, info, node.attr)
    if value is not None:
        name = f"self.{node.attr}"
        if value.number is not None or (value.space is Space.SCALAR and value.scale.is_one):
            if value.number is not None:
                m.defaults[name] = value.number
            return Value(space=Space.SCALAR, scale=Scale.of(name), origin=node)
        return _as_attribute(value, name, node)
    return None


def _as_attribute(value: Value, name: str, node: ast.Attribute) -> Value:
    guessed = guess(name, node)
    if value.payload is None and value.space in (Space.UNKNOWN, Space.SCALAR, Space.LOGITS):
        if guessed.space is Space.SCALAR:
            return guessed
        if value.space is Space.SCALAR:
            return value
        if is_class_count(node.attr):
            return Value(space=Space.SCALAR, scale=Scale.of(name), origin=node)
        bound = Bound(Value(role=guessed.role), node.value, node.attr, value.origin)
        return Value(payload=bound, role=guessed.role, origin=node)
    return named(name, value, node)


def attribute_of(m: Machine, info: ClassInfo, name: str) -> Value | None:
    """What the class assigns to an attribute, wherever it does so."""
    key = (id(info), name)
    if key in m.attributes:
        return m.attributes[key]
    if key in m.pending:
        return None
    m.pending.add(key)
    try:
        value = _assigned(m, info, name)
    finally:
        m.pending.discard(key)
    if value is not None:
        m.attributes[key] = value
    return value


def _assigned(m: Machine, info: ClassInfo, name: str) -> Value | None:
    expressions, definer = assignments_of(info, name)
    if not expressions:
        return _constructor_default(m, info, name)
    start = definer.methods.get("__init__")
    result: Value | None = None
    for expression in expressions[:MAX_ASSIGNMENTS]:
        value = _in_constructor(m, info, definer, start, expression)
        result = value if result is None else join(result, value)
    return result


def _constructor_default(m: Machine, info: ClassInfo, name: str) -> Value | None:
    """A base class elsewhere keeps what the constructor was given under the same name."""
    found = method_of(info, "__init__")
    if found is None:
        return None
    start, definer = found
    frame = Frame(m.scope, definer.home, owner=info)
    with m.entered(frame):
        _bind_constructor(m, frame, Routine(start, definer.home, info))
    value = frame.env.get(name)
    return value if value is not None and value.space is Space.CRITERION else None


def _bind_constructor(m: Machine, frame: Frame, start: Routine) -> None:
    """Give the parameters of ``__init__`` what its callers give, as far as they were seen."""
    given = m.constructed.get(id(start.node))
    if given is None:
        bind_parameters(m, frame, start, None, {})
    else:
        bind_parameters(m, frame, start, [], given)


def _in_constructor(
    m: Machine, info: ClassInfo, definer: ClassInfo, start: ast.AST | None, expression: ast.expr
) -> Value:
    frame = Frame(m.scope, definer.home, owner=info)
    with m.entered(frame):
        if isinstance(start, ast.FunctionDef):
            _bind_constructor(m, frame, Routine(start, definer.home, info))
            expression = _made_before(start, frame, expression)
        local = isinstance(
            expression, ast.Call | ast.Name | ast.Constant | ast.Attribute | ast.Lambda
        )
        return m.evaluate(expression) if local and m.scope.depth <= MAX_DEPTH else UNKNOWN


def _made_before(start: ast.FunctionDef, frame: Frame, expression: ast.expr) -> ast.expr:
    """What a local variable of the constructor was given, once: ``loss = nn.KLDivLoss()``."""
    if not isinstance(expression, ast.Name) or expression.id in frame.env:
        return expression
    given = [
        value
        for node in start.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        for part, value in pairs(target, node.value)
        if isinstance(part, ast.Name) and part.id == expression.id
    ]
    return given[0] if len(given) == 1 else expression
