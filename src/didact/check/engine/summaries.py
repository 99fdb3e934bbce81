"""What classes and functions of the project give, worked out apart and once for all callers.

A model's ``forward`` is run for the rank of what it returns, a function that makes models for what
it makes. They are run on a machine of their own: what happens in them is no event of the file that
is analysed.
"""

from __future__ import annotations

import ast
from functools import partial

from didact.check.engine.events import Scope
from didact.check.engine.index import ClassInfo, Index, lineage, method_of
from didact.check.engine.inline import run_routine
from didact.check.engine.machine import MAX_STEPS, Frame, Instance, Machine, Routine
from didact.check.engine.names import is_model, word_set, words
from didact.check.engine.spaces import Evidence, Space
from didact.check.engine.values import UNKNOWN, Value, join

_TOLD = frozenset({Space.MODEL, Space.CRITERION, Space.FUNCTION})
"""What is kept of the arguments of a constructor: things that are called later."""
_STEPS = 8_000
"""Statements and expressions that one summary may take."""
_MAKERS = word_set(
    "build create make get load init initialize prepare setup instantiate define construct "
    "generate choose select"
)


def construct(
    m: Machine,
    node: ast.Call,
    info: ClassInfo,
    arguments: list[Value],
    keywords: dict[str, Value],
) -> Value:
    """An object of a class of the project; a model's rank is that of what it returns."""
    _remember(m, info, arguments, keywords)
    bases = {base for current in lineage(info) for base in current.bases}
    module = not bases.isdisjoint(("Module", "LightningModule"))
    found = method_of(info, "forward")
    if not module and found is None:
        return Value(payload=Instance(info), origin=node)
    value = Value(space=Space.MODEL, payload=Instance(info), origin=node)
    if found is None:
        return value
    returned = _summary(m, Routine(found[0], found[1].home, info, bound=True))
    return value.replace(rank=returned.rank, exact=returned.exact, rank_from=Evidence.MODEL)


def _remember(
    m: Machine, info: ClassInfo, arguments: list[Value], keywords: dict[str, Value]
) -> None:
    """Keep what a constructor is given: its attributes are made of that."""
    found = method_of(info, "__init__")
    if found is None or not (arguments or keywords):
        return
    signature = found[0].args
    names = [parameter.arg for parameter in (*signature.posonlyargs, *signature.args)][1:]
    given = dict(zip(names, arguments, strict=False)) | {
        name: value for name, value in keywords.items() if name in names
    }
    told = {name: value for name, value in given.items() if value.space in _TOLD or value.payload}
    known = m.constructed.get(id(found[0]))
    if known is not None:
        told = {name: join(known[name], told[name]) for name in known.keys() & told.keys()}
    if told != known:
        m.constructed[id(found[0])] = told
        m.attributes.clear()  # they may have been worked out without it


def made_by(m: Machine, routine: Routine) -> Value:
    """The models that a function makes, which was not entered for its arguments."""
    name = getattr(routine.node, "name", "")
    found = words(name)
    if not name or not (is_model(name) or (found and found[0] in _MAKERS)):
        return UNKNOWN
    made = _summary(m, routine)
    if made.items and any(item.space is Space.MODEL for item in made.items):
        return Value(items=tuple(_model(item) for item in made.items))
    return _model(made)


def _model(value: Value) -> Value:
    if value.space is not Space.MODEL:
        return UNKNOWN
    return value.replace(sources=frozenset(), terms=())


def _summary(m: Machine, routine: Routine) -> Value:
    """What a function returns when nothing is known of its arguments."""
    home, owner = routine.home, routine.owner
    key = f"summary {id(routine.node)} {id(owner.node) if owner else 0}"
    return home.once(key, UNKNOWN, partial(_run_apart, m, home, routine))


def _run_apart(m: Machine, home: Index, routine: Routine) -> Value:
    machine = Machine(home, m.handlers, thorough=True, steps=MAX_STEPS - _STEPS)
    machine.frames.append(Frame(Scope(home.tree), home))
    try:
        return run_routine(machine, routine)
    except RecursionError:
        return UNKNOWN
