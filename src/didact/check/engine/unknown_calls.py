"""Calls of what is not known: by its name a model, a loss, a softmax."""

from __future__ import annotations

import ast

from didact.check.engine.events import Forward
from didact.check.engine.losses import Arguments, use_loss
from didact.check.engine.machine import Machine
from didact.check.engine.names import dotted, is_loss, is_model, role_of, source, word_set, words
from didact.check.engine.reductions import Call
from didact.check.engine.spaces import Evidence, Grad, Role, Space
from didact.check.engine.tensor_ops import tensor_call
from didact.check.engine.values import UNKNOWN, Value

NOT_FORWARD = word_set(
    "parameters named_parameters state_dict load_state_dict zero_grad modules named_modules "
    "children named_children buffers apply generate save_pretrained register_forward_hook "
    "add_module size shape get dim numel no_sync save load step backward register_buffer "
    "extend append items keys values freeze unfreeze print_trainable_parameters set_default "
    "copy update named_buffers share_memory save_checkpoint gradient_checkpointing_enable "
    "set_epoch data_ptr element_size index add clear pop setdefault insert remove sort reverse "
    "popitem fromkeys count"
)


_EMBEDDERS = ("embedding", "embedder", "extractor")


def is_embedder(name: str) -> bool:
    """Whether a callable is named like a model that gives features."""
    return words(name)[-1:] != () and words(name)[-1] in _EMBEDDERS


def embed(m: Machine, node: ast.Call, model: str) -> Value:
    """A model that gives features is run."""
    made = forward(m, node, model)
    return made.replace(space=Space.FEATURES, space_from=Evidence.MODEL)


def pieces(
    m: Machine, node: ast.Call
) -> tuple[list[tuple[Value, ast.expr]], dict[str, tuple[Value, ast.expr]]]:
    """The arguments by position and by name, with their expressions."""
    plain = [(m.latest.get(id(a), UNKNOWN), a) for a in node.args]
    named = {k.arg: (m.latest.get(id(k.value), UNKNOWN), k.value) for k in node.keywords if k.arg}
    return plain, named


def forward(m: Machine, node: ast.Call, model: str) -> Value:
    """A model is run."""
    no_grad = m.frame.no_grad
    key = id(node)
    role = role_of(model)
    value = Value(
        space=Space.OUTPUT,
        space_from=Evidence.MODEL,
        role=role,
        role_from=Evidence.MODEL,
        grad=Grad.NO if no_grad else Grad.YES,
        sources=frozenset() if no_grad else frozenset({key}),
        origin=node,
    )
    given = [m.latest.get(id(a), UNKNOWN) for a in (*node.args, *(k.value for k in node.keywords))]
    inputs = frozenset[int]().union(*(argument.sources for argument in given))
    student = any(argument.role is Role.STUDENT for argument in given)
    m.forwards[(key, m.context)] = Forward(
        key, node, model, value, no_grad, m.scope, inputs=inputs, takes_student=student
    )
    return value


def other_loss(m: Machine, node: ast.Call, arguments: list[Value]) -> Value:
    """The value of a loss of which the name alone is known."""
    named: Arguments = {}
    for name, value, argument in zip(("input", "target"), arguments, node.args, strict=False):
        named[name] = (value, argument)
    for keyword in node.keywords:
        if keyword.arg and keyword.arg not in named:
            named[keyword.arg] = (m.latest.get(id(keyword.value), UNKNOWN), keyword.value)
    made = use_loss(m, node, "other", named)
    sources = frozenset[int]().union(*(a.sources for a in arguments))
    return made.replace(sources=sources)


def call_unknown(m: Machine, node: ast.Call, callee: Value, arguments: list[Value]) -> Value:
    """The value of calling something that was not found: a model, perhaps, or nothing."""
    name = dotted(node.func)
    if name and name.rsplit(".", 1)[-1] in NOT_FORWARD:
        return UNKNOWN
    if callee.space is Space.MODEL or (
        name and is_model(name) and not is_loss(name.rsplit(".", 1)[-1])
    ):
        return forward(m, node, name or source(node.func))
    if is_embedder(name):
        return embed(m, node, name)
    iterated = callee.role is Role.TEACHER and role_of(name) is Role.UNKNOWN and not is_loss(name)
    if name and iterated:
        return forward(m, node, name).replace(role=Role.TEACHER)
    if name and "softmax" in words(name) and arguments and name[:1].islower():
        plain, named = pieces(m, node)
        kind = "log_softmax" if "log" in words(name) else "softmax"
        base, base_node = plain[0] if plain else (UNKNOWN, None)
        return tensor_call(
            m, Call(node, kind, base, base_node, tuple(plain[1:]), named | _unknown_dim(node))
        )
    if name and is_loss(name) and arguments:
        return other_loss(m, node, arguments)
    last = name.rsplit(".", 1)[-1]
    if last in ("to_onehot", "get_one_hot", "make_one_hot", "onehot", "one_hot", "to_one_hot"):
        return Value(space=Space.ONE_HOT, grad=Grad.NO, origin=node)
    made = passed_on(m, node, arguments)
    return made.replace(terms=arguments[0].terms) if len(arguments) == 1 else made


def passed_on(m: Machine, node: ast.Call, arguments: list[Value]) -> Value:
    """What an unknown function makes of its arguments: whose they are, and their graph."""
    role, role_from = Role.UNKNOWN, Evidence.NAME
    for argument in arguments:
        if argument.role is not Role.UNKNOWN:
            role, role_from = argument.role, argument.role_from
    if m.frame.no_grad:
        return Value(role=role, role_from=role_from, grad=Grad.NO, origin=node)
    sources = frozenset[int]().union(*(a.sources for a in arguments))
    return Value(role=role, role_from=role_from, sources=sources, origin=node)


def _unknown_dim(node: ast.Call) -> dict[str, tuple[Value, ast.expr]]:
    return {"dim": (UNKNOWN, node)}
