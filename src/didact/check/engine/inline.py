"""Entering functions and classes, of the same file or of another one of the project."""

from __future__ import annotations

import ast
from functools import partial

from didact.check.engine.events import Scope
from didact.check.engine.guess import guess, hinted, named
from didact.check.engine.index import ClassInfo, Function, Index
from didact.check.engine.machine import MAX_DEPTH, Frame, Instance, Kind, Machine, Path, Routine
from didact.check.engine.names import dotted, is_temperature, paired_roles, word_set
from didact.check.engine.rank_hints import hints_of
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Evidence, Role, Space
from didact.check.engine.values import UNKNOWN, Value, join

_SCORES = frozenset({Space.LOGITS, Space.OUTPUT, Space.PROBS, Space.LOG_PROBS, Space.LOSS})
_MODELS = frozenset({Space.MODEL})
_KEEPS_SIGNATURE = word_set(
    "staticmethod classmethod property no_grad inference_mode enable_grad jit script compile "
    "lru_cache cache wraps override abstractmethod autocast custom_fwd typechecked jaxtyped"
)


def call_routine(
    m: Machine, node: ast.Call, routine: Routine, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """The value that a function of the project returns for these arguments."""
    target = routine.node
    too_deep = m.scope.depth >= MAX_DEPTH or id(target) in m.active
    if too_deep or not (
        _matters(routine)
        or _takes(_SCORES, arguments, keywords)
        or (_takes(_MODELS, arguments, keywords) and _leads_on(routine))
    ):
        return UNKNOWN
    if any(isinstance(a, ast.Starred) for a in node.args) or not m.tick():
        return UNKNOWN
    context = m.context
    m.context = (*context, id(node))
    try:
        return run_routine(m, routine, arguments, keywords, node)
    finally:
        m.context = context


def _matters(routine: Routine) -> bool:
    function, known = routine.node, routine.home.relevant_functions
    if isinstance(function, ast.Lambda) or id(function) in known:
        return True
    methods = routine.owner.methods if routine.owner is not None else {}
    start = methods.get("__init__")  # the layers that it makes
    return function.name == "forward" and start is not None and id(start) in known


def _takes(spaces: frozenset[Space], arguments: list[Value], keywords: dict[str, Value]) -> bool:
    """Whether what a helper is given would be lost if it were not entered."""
    return any(value.space in spaces for value in (*arguments, *keywords.values()))


def _leads_on(routine: Routine) -> bool:
    """Whether a function calls others that matter: it hands its models on to them."""
    function, home = routine.node, routine.home
    key = f"leads on {id(function)}"
    return home.once(key, False, partial(_calls_what_matters, function, home))


def _calls_what_matters(function: Function | ast.Lambda, home: Index) -> bool:
    known = home.relevant_functions
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        last = name.rpartition(".")[2]
        called = home.functions.get(last) if name == last else None
        methods = [info.methods[last] for info in home.classes.values() if last in info.methods]
        if any(id(one) in known for one in (called, *methods) if one is not None):
            return True
        found = home.defined(name) if name and called is None and not methods else None
        if found is not None and id(found.what) in found.index.relevant_functions:
            return True
    return False


def run_routine(
    m: Machine,
    routine: Routine,
    arguments: list[Value] | None = None,
    keywords: dict[str, Value] | None = None,
    call: ast.Call | None = None,
) -> Value:
    """Run a function; without arguments, for itself."""
    target = routine.node
    outside = arguments is None
    depth = 0 if outside else m.scope.depth + 1
    owner = routine.owner
    calls = () if call is None else (*m.scope.calls, call)
    scope = Scope(target, owner.node if owner else None, depth, calls)
    frame = Frame(scope, routine.home, hints=hints_of(routine.home, target), owner=owner)
    decorated = not isinstance(target, ast.Lambda) and any(
        "no_grad" in dotted_call(d) or "inference_mode" in dotted_call(d)
        for d in target.decorator_list
    )
    frame.no_grad = decorated or (not outside and m.frame.no_grad)
    m.active.add(id(target))
    with m.entered(frame):
        try:
            bind_parameters(m, frame, routine, arguments, keywords or {})
            if isinstance(target, ast.Lambda):
                return m.evaluate(target.body)
            m.run(target.body)
        finally:
            m.active.discard(id(target))
    return _returned(frame)


def dotted_call(node: ast.expr) -> str:
    """The dotted name of a decorator or context manager, called or not."""
    return dotted(node.func if isinstance(node, ast.Call) else node)


def _returned(frame: Frame) -> Value:
    if not frame.returns:
        return UNKNOWN
    result = frame.returns[0]
    for value in frame.returns[1:]:
        result = join(result, value)
    return result


def bind_parameters(
    m: Machine,
    frame: Frame,
    routine: Routine,
    arguments: list[Value] | None,
    keywords: dict[str, Value],
) -> None:
    """Give the parameters their values: what is passed, else what defaults and names tell."""
    signature = routine.node.args
    parameters = [*signature.posonlyargs, *signature.args]
    defaults: dict[str, ast.expr] = dict(
        zip([p.arg for p in reversed(parameters)], reversed(signature.defaults), strict=False)
    )
    defaults |= {
        p.arg: d
        for p, d in zip(signature.kwonlyargs, signature.kw_defaults, strict=True)
        if d is not None
    }
    given: dict[str, Value] = {}
    if routine.owner is not None and parameters and not _is_static(routine):
        given[parameters[0].arg] = Value(payload=Instance(routine.owner))
        parameters = parameters[1:]
    if arguments is not None:
        changed = _changes_signature(routine)
        for parameter, value in zip(parameters, arguments, strict=False):
            if changed and parameter.arg in keywords:
                break  # the decorator takes what follows for itself
            given[parameter.arg] = value
        given |= keywords
    parameters += signature.kwonlyargs
    roles = paired_roles(p.arg for p in parameters if p.arg not in defaults)
    for parameter in parameters:
        value = _parameter(m, parameter, given.get(parameter.arg), defaults)
        value = _in_a_pair(value, roles.get(parameter.arg))
        frame.env[parameter.arg] = hinted(value, frame.hints.get(id(parameter)))
    for name, value in given.items():
        frame.env.setdefault(name, value)
    for extra in (signature.vararg, signature.kwarg):
        if extra is not None:
            frame.env[extra.arg] = UNKNOWN


def _in_a_pair(value: Value, role: Role | None) -> Value:
    """The ``t`` of ``s, t`` is the teacher's, not a temperature."""
    if role is None:
        return value
    guessed = value.space is Space.SCALAR and value.number is None
    if guessed:
        return Value(role=role, origin=value.origin)
    unknown = value.role is Role.UNKNOWN
    return value.replace(role=role, role_from=Evidence.NAME) if unknown else value


def _changes_signature(routine: Routine) -> bool:
    """Whether a decorator that is not known may take arguments away."""
    decorators = getattr(routine.node, "decorator_list", [])
    return any(dotted_call(d).rsplit(".", 1)[-1] not in _KEEPS_SIGNATURE for d in decorators)


def _is_static(routine: Routine) -> bool:
    decorators = getattr(routine.node, "decorator_list", [])
    return any(dotted_call(d).endswith("staticmethod") for d in decorators)


def _parameter(
    m: Machine, parameter: ast.arg, given: Value | None, defaults: dict[str, ast.expr]
) -> Value:
    name = parameter.arg
    if given is not None:
        plain = given.number is not None and not given.scale.atoms
        if plain and is_temperature(name):
            return given.replace(scale=Scale.of(name))
        known = given.space is not Space.UNKNOWN or given.payload or given.terms
        return named(name, given) if known else _merged(named(name, given), guess(name))
    default = m.evaluate(defaults[name]) if name in defaults else UNKNOWN
    if default.space is Space.CRITERION or isinstance(default.payload, str | Path):
        return default
    if default.number is not None:
        m.defaults[name] = default.number
        return Value(space=Space.SCALAR, scale=Scale.of(name))
    if _is_flag(defaults.get(name)):
        return UNKNOWN
    return guess(name)


def _is_flag(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Constant) and isinstance(default.value, bool)


def _merged(value: Value, guessed: Value) -> Value:
    if value.space is Space.UNKNOWN and guessed.space is Space.SCALAR and not value.sources:
        return guessed
    return value


def from_project(m: Machine, name: str) -> Value | None:
    """What an imported name stands for in another file of the project."""
    found = m.index.defined(name) if name else None
    if found is None:
        return None
    if isinstance(found.what, ClassInfo):
        return Value(payload=Kind(found.what))
    if isinstance(found.what, ast.expr):
        return assigned_elsewhere(m, found.index, name.rsplit(".", 1)[-1])
    return Value(space=Space.FUNCTION, payload=Routine(found.what, found.index))


def assigned_elsewhere(m: Machine, index: Index, name: str) -> Value:
    """What another file assigns to a name outside of its functions."""
    key = (id(index), name)
    expression = index.top_level.get(name)
    if key not in m.elsewhere and expression is not None and m.tick():
        m.elsewhere[key] = UNKNOWN  # a name that is defined by itself
        with m.entered(Frame(Scope(index.tree, depth=1), index)):
            m.elsewhere[key] = m.evaluate(expression)
    return m.elsewhere.get(key, UNKNOWN)
