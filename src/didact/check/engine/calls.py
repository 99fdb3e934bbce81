"""Calls: what is called, and what comes back."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from didact.check.engine.index import method_of
from didact.check.engine.inline import call_routine
from didact.check.engine.layers import after_layer, after_model
from didact.check.engine.library_calls import Chain, call_layer, call_path, functional
from didact.check.engine.losses import FUNCTIONS, arguments_of, use_loss
from didact.check.engine.machine import (
    Bound,
    Criterion,
    Instance,
    Kind,
    LanguageModel,
    Layer,
    Machine,
    Partial,
    Path,
    Predictor,
    Routine,
)
from didact.check.engine.names import dotted, is_loss, is_model, source, word_set
from didact.check.engine.reductions import NORMALISERS, Call
from didact.check.engine.scale import ONE
from didact.check.engine.spaces import Grad, Role, Space
from didact.check.engine.summaries import construct, made_by
from didact.check.engine.tables import Table, record_method
from didact.check.engine.tensor_methods import TENSOR_METHODS
from didact.check.engine.tensor_ops import tensor_call
from didact.check.engine.unknown_calls import (
    NOT_FORWARD,
    call_unknown,
    embed,
    forward,
    is_embedder,
    other_loss,
    passed_on,
    pieces,
)
from didact.check.engine.values import UNKNOWN, Choice, Record, Value, join

_SELF_RETURNING = word_set("eval train to cuda cpu half float double requires_grad_ module compile")
Keywords = dict[str, Value]


def call(
    m: Machine, node: ast.Call, callee: Value, arguments: list[Value], keywords: Keywords
) -> Value:
    """The value of a call whose parts are known."""
    handler = _BY_PAYLOAD.get(type(callee.payload))
    if handler is None:
        return _shaped(callee, arguments, call_unknown(m, node, callee, arguments))
    return _shaped(callee, arguments, handler(m, node, callee.payload, arguments, keywords))


def _shaped(callee: Value, arguments: list[Value], result: Value) -> Value:
    """A result with the rank that the layer or the model behind it gives it."""
    if result.rank is not None:
        return result
    if callee.space is Space.MODEL:
        return after_model(callee, result)
    payload = callee.payload
    layer = payload.layer if isinstance(payload, Bound) else callee.origin
    return after_layer(layer, arguments[0] if arguments else UNKNOWN, result)


def _call_criterion(
    m: Machine, node: ast.Call, criterion: Criterion, _: list[Value], __: Keywords
) -> Value:
    arguments = arguments_of(criterion.kind, node, m.latest)
    return use_loss(m, node, criterion.kind, arguments, criterion.call)


def _call_layer(m: Machine, node: ast.Call, layer: Layer, _: list[Value], __: Keywords) -> Value:
    return call_layer(m, node, layer)


def _call_class(
    m: Machine, node: ast.Call, kind: Kind, arguments: list[Value], keywords: Keywords
) -> Value:
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    return construct(m, node, kind.info, [] if starred else arguments, keywords)


def _call_partial(
    m: Machine, node: ast.Call, partial: Partial, arguments: list[Value], keywords: Keywords
) -> Value:
    function = partial.function.payload
    name = function.dotted.rsplit(".", 1)[-1] if isinstance(function, Path) else ""
    first, fixed = pieces(m, partial.call)
    if name in FUNCTIONS:
        kind = FUNCTIONS[name]
        return use_loss(m, node, kind, fixed | arguments_of(kind, node, m.latest))
    if name in NORMALISERS:
        plain, named = pieces(m, node)
        return functional(m, node, name, [*first[1:], *plain], fixed | named)
    given = [*partial.arguments, *arguments]
    return call(m, node, partial.function, given, partial.keywords | keywords)


def _call_path(
    m: Machine, node: ast.Call, path: Path, arguments: list[Value], keywords: Keywords
) -> Value:
    if path.dotted == "functools.partial" and arguments:
        return Value(payload=Partial(arguments[0], node, arguments[1:], keywords), origin=node)
    return call_path(m, node, path.dotted, arguments)


def _call_choice(
    m: Machine, node: ast.Call, choice: Choice, arguments: list[Value], keywords: Keywords
) -> Value:
    results = [call(m, node, option, arguments, keywords) for option in choice.options]
    result = results[0]
    for other in results[1:]:
        result = join(result, other)
    return result


def _call_chain(m: Machine, node: ast.Call, chain: Chain, _: list[Value], __: Keywords) -> Value:
    made = forward(m, node, dotted(node.func) or source(node.func))
    space = NORMALISERS.get(chain.kind, Space.UNKNOWN)
    if space is Space.UNKNOWN:
        return made
    return made.replace(space=space, temperature=ONE, axis=-1)


def _call_language_model(
    m: Machine, node: ast.Call, model: LanguageModel, _: list[Value], __: Keywords
) -> Value:
    made = forward(m, node, dotted(node.func) or source(node.func))
    return made.replace(rank=3, exact=True, payload=model)


def _call_predictor(
    m: Machine, node: ast.Call, _: Predictor, __: list[Value], ___: Keywords
) -> Value:
    saved, m.frame.no_grad = m.frame.no_grad, True
    try:
        return forward(m, node, dotted(node.func) or source(node.func))
    finally:
        m.frame.no_grad = saved


def _call_routine(
    m: Machine, node: ast.Call, routine: Routine, arguments: list[Value], keywords: Keywords
) -> Value:
    result = call_routine(m, node, routine, arguments, keywords)
    name = dotted(node.func)
    if result is UNKNOWN:
        result = made_by(m, routine)
    runs = isinstance(node.func, ast.Attribute) and node.func.attr == "forward"
    if runs and not result.terms:
        made = forward(m, node, name or "self.forward")
        return made if result is UNKNOWN else _as_output(result, made)
    if result is UNKNOWN and is_loss(name):
        return other_loss(m, node, arguments)
    return passed_on(m, node, arguments) if result is UNKNOWN else result


def _call_instance(
    m: Machine,
    node: ast.Call,
    instance: Instance,
    arguments: list[Value],
    keywords: Keywords,
) -> Value:
    found = method_of(instance.info, "forward") or method_of(instance.info, "__call__")
    name = dotted(node.func)
    result = UNKNOWN
    if found is not None:
        method, definer = found
        routine = Routine(method, definer.home, instance.info, bound=True)
        result = call_routine(m, node, routine, arguments, keywords)
    if is_loss(name) and not is_model(name):
        return result if result is not UNKNOWN else other_loss(m, node, arguments)
    made = forward(m, node, name or source(node.func))
    if result.terms:
        return result
    return made if _is_open(result) else _as_output(result, made)


def _is_open(result: Value) -> bool:
    """Whether nothing is known of what a ``forward`` returns: then it is the model's output."""
    told = result.is_tensor or result.sources or result.payload or result.items is not None
    return not told and result.space in (Space.UNKNOWN, Space.NONE)


def _as_output(result: Value, made: Value) -> Value:
    """What a model's ``forward`` returns, as the output of that model: each part of it, too."""
    payload, items = result.payload, result.items
    if isinstance(payload, Record):
        payload = Record(tuple((k, _as_output(v, made)) for k, v in payload.entries))
    if items is not None:
        items = tuple(_as_output(item, made) for item in items)
    if not (result.is_tensor or result.sources or items or isinstance(payload, Record)):
        return result
    if result.terms:
        return result
    grad = made.grad if result.grad is not Grad.NO else result.grad
    role, role_from = made.role, made.role_from
    if role is Role.UNKNOWN:
        role, role_from = result.role, result.role_from
    return result.replace(
        role=role,
        role_from=role_from,
        grad=grad,
        sources=result.sources | made.sources,
        payload=payload,
        items=items,
    )


def _is_container(value: Value) -> bool:
    return isinstance(value.payload, Record) or value.payload == "container"


def _call_method(
    m: Machine, node: ast.Call, bound: Bound, arguments: list[Value], _: Keywords
) -> Value:
    base, name = bound.base, bound.name
    full = dotted(node.func)
    if isinstance(base.payload, Record):
        entry = record_method(m, node, base.payload, name)
        if entry is not None:
            return entry
    if isinstance(base.payload, Table) and name == "get" and node.args:
        key = node.args[0]
        return base.payload.get(key.value if isinstance(key, ast.Constant) else None)
    if name in ("backward", "manual_backward"):
        loss = base
        if arguments and not base.terms and not base.is_tensor:
            loss = arguments[0]  # accelerator.backward(loss), self.manual_backward(loss)
        m.total(node, loss, "backward")
        m.record("backward", node, base=loss)
        return UNKNOWN
    if name in ("append", "update") and arguments:
        return base
    if base.space is Space.MODEL or (not base.is_tensor and not base.terms and is_model(full)):
        if name in _SELF_RETURNING:
            return base if base.space is Space.MODEL else Value(space=Space.MODEL, role=base.role)
        if name not in NOT_FORWARD and name not in TENSOR_METHODS and not _is_container(base):
            made = forward(m, node, full)
            return after_model(base, made) if name in ("forward", "__call__") else made
    if isinstance(base.payload, Criterion | Layer | Instance) and name in _SELF_RETURNING:
        return base
    if not (base.is_tensor or base.terms) and is_embedder(full):
        return embed(m, node, full)
    plain, named = pieces(m, node)
    made = tensor_call(m, Call(node, name, base, bound.base_node, tuple(plain), named))
    known = made.space is not Space.UNKNOWN or made.sources or made.terms
    if not known and is_loss(name) and not base.is_tensor and arguments:
        return other_loss(m, node, arguments)
    return made


_BY_PAYLOAD: dict[
    type[object], Callable[[Machine, ast.Call, Any, list[Value], Keywords], Value]
] = {
    Bound: _call_method,
    Chain: _call_chain,
    Choice: _call_choice,
    LanguageModel: _call_language_model,
    Criterion: _call_criterion,
    Instance: _call_instance,
    Kind: _call_class,
    Layer: _call_layer,
    Partial: _call_partial,
    Path: _call_path,
    Predictor: _call_predictor,
    Routine: _call_routine,
}
