"""Configurations and outputs as instances of the dataclass that an annotation names."""

from __future__ import annotations

import dataclasses
import inspect
import types
from inspect import Parameter
from typing import Any, Literal, Union, get_args, get_origin

from torch import Tensor, nn

from didact._core.words import words
from didact.probe.binding.context import CallContext, attention, in_space, layers_of
from didact.probe.binding.options import Options
from didact.probe.binding.roles import PLACES, SPARSE, guess_name, guess_option

_VARIED = ("temperature", "weight")


def configuration_of(parameter: Parameter, source: Any) -> type | None:
    """The dataclass that a parameter is annotated with, if its name can be found."""
    return next(filter(_is_dataclass, _members(parameter, source)), None)


def output_of(parameter: Parameter, source: Any) -> type | None:
    """The dataclass that holds the output of a network, by its annotation; logits come first.

    None, where a tensor may stand in its place.
    """
    found = [each for each in _members(parameter, source) if each is not types.NoneType]
    if not all(map(_is_dataclass, found)):
        return None
    dense = [c for c in found if any("logit" in f.name for f in dataclasses.fields(c))]
    sparse = [c for c in found if any(_likeliest(f.name) for f in dataclasses.fields(c))]
    return next(iter([*dense, *sparse]), None)


def _is_dataclass(held: Any) -> bool:
    return inspect.isclass(held) and dataclasses.is_dataclass(held)


def _members(parameter: Parameter, source: Any) -> tuple[Any, ...]:
    """The types of an annotation: the one that it is, or those of its union."""
    found = parameter.annotation
    if isinstance(found, str):
        call = source.__init__ if inspect.isclass(source) else inspect.unwrap(source)
        call = getattr(call, "forward", call) if isinstance(call, nn.Module) else call
        known = getattr(call, "__globals__", {})
        try:
            found = eval(found, dict(known))
        except Exception:  # noqa: BLE001 - the names of an annotation need not exist
            return ()
    return get_args(found) if get_origin(found) in (Union, types.UnionType) else (found,)


def filled(held: Any, logits: Tensor, context: CallContext) -> Any:
    """The output of a network as an instance of its dataclass."""
    values = {f.name: _output(f, logits, context) for f in dataclasses.fields(held) if f.init}
    return held(**{n: v for n, v in values.items() if v is not dataclasses.MISSING})


def _output(field: dataclasses.Field[Any], logits: Tensor, context: CallContext) -> Any:
    name = field.name
    if "logit" in name:
        return in_space(logits, guess_name(name).space)
    has_default = (field.default, field.default_factory) != (dataclasses.MISSING,) * 2
    if guess_name(name).features:
        layers = layers_of(logits)
        return tuple(map(attention, layers)) if "attention" in name else layers
    if has_default:
        return dataclasses.MISSING
    if _likeliest(name):
        places = logits.argsort(-1, descending=True)
        ids = set(words(name)) & PLACES
        return places if ids else logits.log_softmax(-1).gather(-1, places)
    if field.type in (bool, "bool"):
        return "log" in words(name)
    known = {"temperature": 1.0, "classes": context.inputs.classes}
    return known.get(guess_option(name))


def _likeliest(name: str) -> bool:
    """Whether a field is of the likeliest classes alone."""
    return bool(set(words(name)) & SPARSE)


def options(context: CallContext, name: str, held: Any) -> Any:
    """What stands for options: an instance of its dataclass, or an object that answers by name."""
    if not dataclasses.is_dataclass(held):
        return Options(context, name, held)
    asked = Options(context, name)
    values = {f.name: _value(f, asked) for f in dataclasses.fields(held) if f.init}
    return held(**{n: v for n, v in values.items() if v is not dataclasses.MISSING})  # type: ignore[operator]


def _value(field: dataclasses.Field[Any], asked: Options) -> Any:
    """By its name where that varies or nothing else is said; else the field's default."""
    without = (field.default, field.default_factory) == (dataclasses.MISSING,) * 2
    numeric = without or isinstance(field.default, int | float)
    if asked.tells(field.name) or (guess_option(field.name) in _VARIED and numeric):
        return getattr(asked, field.name)
    if not without:
        return dataclasses.MISSING
    if get_origin(field.type) is Literal:
        return get_args(field.type)[0]
    return getattr(asked, field.name)
