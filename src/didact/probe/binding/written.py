"""What the source of a loss says of its parameters beside their names."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from inspect import Parameter
from typing import Any

from torch import nn

_ABSENT = object()
_GETTERS = ("get", "pop")
_PLACES = ("student", "teacher", "labels")


def keywords_read(source: Any) -> list[Parameter]:
    """The entries of ``**kwargs`` that a loss reads: what it only asks for has a default."""
    name = _variadic(source, Parameter.VAR_KEYWORD)
    found: dict[str, Any] = {}
    for node in ast.walk(tree_of(source)) if name else ():
        if isinstance(node, ast.Subscript) and _is(node.value, name):
            key, default = node.slice, Parameter.empty
        elif isinstance(node, ast.Call) and _gets(node, name):
            key, default = node.args[0], _default(node)
        else:
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.setdefault(key.value, default)
    return [Parameter(n, Parameter.KEYWORD_ONLY, default=d) for n, d in found.items()]


def positions_read(source: Any) -> list[Parameter]:
    """The sides that a loss takes from ``*args``: two, or as many as it reads of three."""
    name = _variadic(source, Parameter.VAR_POSITIONAL)
    count = 2
    for node in ast.walk(tree_of(source)) if name else ():
        if isinstance(node, ast.Subscript) and _is(node.value, name):
            place = node.slice.value if isinstance(node.slice, ast.Constant) else 0
            count = max(count, place + 1 if isinstance(place, int) else 0)
        if isinstance(node, ast.Assign) and _is(node.value, name):
            targets = node.targets[0]
            count = max(count, len(targets.elts) if isinstance(targets, ast.Tuple) else 0)
    return [Parameter(n, Parameter.POSITIONAL_ONLY) for n in _PLACES[:count]]


@lru_cache(maxsize=64)
def choices(source: Any) -> Mapping[str, str | bool]:
    """For each name that is compared with texts, the first of these; False for a condition."""
    found: dict[str, str | bool] = {}
    switches: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Attribute | ast.Name):
            uses[_name(node)] += 1
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            name = _name(node.left)
            texts = list(_texts(node.comparators[0])) or _keys(node.comparators[0], source)
            if isinstance(node.ops[0], ast.Eq | ast.In | ast.NotIn) and name and texts:
                found.setdefault(name, _telling(texts))
        if isinstance(node, ast.If | ast.IfExp):
            switches.update(_switches(node.test))
        if isinstance(node, ast.Match):
            texts = [t for case in node.cases for t in _texts(getattr(case.pattern, "value", None))]
            if (name := _name(node.subject)) and texts:
                found.setdefault(name, _telling(texts))
    return {n: False for n, count in switches.items() if uses[n] == count} | found


def _telling(texts: list[str]) -> str:
    """The first text that turns nothing off."""
    return next((t for t in texts if t.lower() not in _OFF), texts[0])


_OFF = ("none", "no", "off", "disabled", "")


def _keys(node: ast.AST, source: Any) -> list[str]:
    """The texts of a global collection."""
    code = inspect.unwrap(getattr(source, "forward", source)) if callable(source) else source
    held = getattr(code, "__globals__", {}).get(node.id) if isinstance(node, ast.Name) else None
    collection = isinstance(held, dict | list | tuple | set | frozenset)
    return [k for k in held if isinstance(k, str)] if held and collection else []


def _switches(test: ast.expr) -> Iterator[str]:
    """The names and attributes that a condition takes for true or false."""
    if isinstance(test, ast.Attribute | ast.Name):
        yield _name(test)
    for each in getattr(test, "values", ()):  # a and b
        yield from _switches(each)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _switches(test.operand)


def tree_of(source: Any) -> ast.AST:
    """The syntax tree of a function, or of the class of a module; empty where there is none."""
    while isinstance(source, functools.partial):
        source = source.func
    found = inspect.unwrap(source) if callable(source) else source
    for each in (found, type(found)):
        try:
            return ast.parse(textwrap.dedent(inspect.getsource(each)))
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
    return ast.Module([], [])


@lru_cache(maxsize=64)
def called(source: Any) -> frozenset[str]:
    """The names and attributes that a loss, or its class, calls: ``layer(x)``, ``layers[0](x)``."""
    found = [node.func for node in ast.walk(tree_of(source)) if isinstance(node, ast.Call)]
    return frozenset(_name(f.value if isinstance(f, ast.Subscript) else f) for f in found)


@lru_cache(maxsize=64)
def only_written(source: Any) -> frozenset[str]:
    """The names whose entries are set, and that are never used for anything but to be returned."""
    tree = tree_of(source)
    stored = Counter(
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            values = getattr(node.value, "elts", [node.value])
            stored.update(v.id for v in values if isinstance(v, ast.Name) and v.id in stored)
    uses = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    return frozenset(name for name, count in stored.items() if uses[name] == count)


@lru_cache(maxsize=64)
def ranks(source: Any) -> Mapping[str, int]:
    """How many dimensions a name has at least, by its subscripts, as 4 in ``t[:, :-1, :, :]``."""
    found: dict[str, int] = {}
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            name, places = _name(node.value), node.slice.elts
            if any(isinstance(p, ast.Constant) and p.value in (None, ...) for p in places):
                continue
            found[name] = max(found.get(name, 0), len(places))
    return found


def attributes_of(source: Any, name: str) -> set[str]:
    """The attributes of a name that a loss reads."""
    return {
        node.attr
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.Attribute) and _is(node.value, name)
    }


def reads(source: Any, name: str) -> bool:
    """Whether a loss reads a name."""
    return any(_is(node, name) for node in ast.walk(tree_of(source)))


@lru_cache(maxsize=64)
def numbers_in(source: Any) -> frozenset[str]:
    """The names that stand where only a number can: an exponent, the bound of a slice, a count."""
    found: set[str] = set()
    for node in ast.walk(tree_of(source)):
        places: list[ast.expr | None] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            places = [node.right]
        elif isinstance(node, ast.Slice):
            places = [node.lower, node.upper, node.step]
        elif isinstance(node, ast.Call) and node.args and _name(node.func) in _COUNTING:
            places = [node.args[-1]]
        found |= {_name(place) for place in places if isinstance(place, ast.Name | ast.Attribute)}
    return frozenset(found)


_COUNTING = ("pow", "range", "topk")


@lru_cache(maxsize=64)
def zipped(source: Any) -> frozenset[str]:
    """The names that a loss walks through side by side, as lists: ``zip(feats_s, feats_t)``."""
    return frozenset(
        _name(each)
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.Call) and _is(node.func, "zip") and len(node.args) > 1
        for each in node.args
        if isinstance(each, ast.Name)
    )


_SIZED = re.compile(r"(Linear|Conv\dd|ConvTranspose\dd|(Batch|Layer|Instance|RMS)Norm(\dd)?)$")


@lru_cache(maxsize=64)
def widths_in(source: Any) -> frozenset[str]:
    """The names that size a layer: ``nn.Linear(d_s, d_t)``, ``nn.BatchNorm2d(c)``."""
    found: set[str] = set()
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Call) and _SIZED.search(_name(node.func)):
            sizes = [*node.args[:2], *(k.value for k in node.keywords)]
            found |= {each.id for each in sizes if isinstance(each, ast.Name)}
    return frozenset(found)


@lru_cache(maxsize=64)
def keyed(source: Any) -> frozenset[str]:
    """The names whose entries are read by text: ``name["x"]``, ``name.get("x")``."""
    found: set[str] = set()
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Subscript):
            held, key = node.value, node.slice
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _GETTERS
            and node.args
        ):
            held, key = node.func.value, node.args[0]
        else:
            continue
        if isinstance(held, ast.Name) and isinstance(key, ast.Constant):
            found |= {held.id} if isinstance(key.value, str) else set()
    return frozenset(found)


@lru_cache(maxsize=64)
def pairs_unpacked(source: Any) -> Mapping[str, tuple[str, str]]:
    """The names that are taken apart into two: ``a, b = name``."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            parts = [_name(part) for part in getattr(node.targets[0], "elts", ())]
            if len(parts) == 2 and all(parts):
                found.setdefault(node.value.id, (parts[0], parts[1]))
    return found


def _variadic(source: Any, kind: Any) -> str:
    """The name of ``*args`` or ``**kwargs``, if the call has one."""
    try:
        found = inspect.signature(source).parameters.values()
    except (TypeError, ValueError):
        return ""
    return next((p.name for p in found if p.kind is kind), "")


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _gets(node: ast.Call, name: str) -> bool:
    called = node.func
    return (
        isinstance(called, ast.Attribute)
        and called.attr in _GETTERS
        and _is(called.value, name)
        and bool(node.args)
    )


def _default(node: ast.Call) -> Any:
    """What a getter falls back on; an entry that must be there has none."""
    if len(node.args) < 2:
        return None if getattr(node.func, "attr", "") == "get" else Parameter.empty
    value = node.args[1]
    return value.value if isinstance(value, ast.Constant) else None


def _name(node: ast.AST) -> str:
    """Of ``x``, ``self.x`` and ``x.lower()``: x."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # mode.lower() == ...
        node = node.func.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.AST | None) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for each in getattr(node, "elts", ()):
        yield from _texts(each)


_HEAVY = re.compile("load|pretrained|open|download|dataset|process_group", re.IGNORECASE)
"""What a constructor reads from elsewhere is not worked out."""


@lru_cache(maxsize=256)
def assigned(source: type) -> dict[str, tuple[tuple[Any, Mapping[str, Any]], ...]]:
    """The lines ``self.name = ...`` of the constructors of a class, compiled, with their names."""
    found: dict[str, list[tuple[Any, Mapping[str, Any]]]] = {}
    for base in source.__mro__:
        start = vars(base).get("__init__")
        if not isinstance(start, types.FunctionType) or base in (nn.Module, object):
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(start)))
            parameters = inspect.signature(start).parameters
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        defaults = {n: p.default for n, p in parameters.items()}
        names = {**start.__globals__, "__defaults__": defaults}
        for name, expression in _lines(tree):
            if _HEAVY.search(ast.unparse(expression)):
                continue
            code = compile(ast.Expression(expression), "<__init__>", "eval")
            found.setdefault(name, []).append((code, names))
    return {name: tuple(lines) for name, lines in found.items()}


def _lines(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for place, value in pairs:
                if (
                    isinstance(place, ast.Attribute)
                    and isinstance(place.value, ast.Name)
                    and place.value.id == "self"
                ):
                    yield place.attr, value
