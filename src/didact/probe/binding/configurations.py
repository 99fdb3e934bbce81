"""A configuration as an instance of the dataclass that an annotation names."""

from __future__ import annotations

import dataclasses
import inspect
from inspect import Parameter
from typing import Any, Literal, get_args, get_origin

from didact.probe.binding.context import CallContext
from didact.probe.binding.options import Options
from didact.probe.binding.roles import guess_option

_VARIED = ("temperature", "weight")


def configuration_of(parameter: Parameter, source: Any) -> type | None:
    """The dataclass that a parameter is annotated with, if its name can be found."""
    found = parameter.annotation
    if isinstance(found, str):
        code = source.__init__ if inspect.isclass(source) else inspect.unwrap(source)
        found = getattr(code, "__globals__", {}).get(found)
    return found if inspect.isclass(found) and dataclasses.is_dataclass(found) else None


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
