"""The thing that is probed: a function, a module, or a class to build one from."""

from __future__ import annotations

import copy
import inspect
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any
from unittest import mock

import torch
from torch import nn

from didact._core.words import COEFFICIENT, STUDENT, TEACHER, words
from didact.probe.binding.configurations import configuration_of
from didact.probe.binding.context import CallContext
from didact.probe.binding.machine import this_machine
from didact.probe.binding.options import Options
from didact.probe.binding.roles import Role, guess, guess_option, is_width
from didact.probe.binding.slots import Slot, argument, given_as_role
from didact.probe.binding.written import choices, keywords_read, positions_read, widths_in
from didact.probe.errors import ProbeError

_VARIED = ("temperature", "weight")
_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
_HOLDS_INPUTS = ("teacher_model", "student_model", "network", "options")
"""What a constructor keeps of these would be of the inputs of one call."""


@dataclass(frozen=True)
class Target:
    """How to call what the user named, for every value of its settings.

    Attributes:
        source: The function, module or class.
        built: The slots of its constructor; empty for what needs no construction.
        attributes: Attributes of a finished module that are varied, by name.
        lasting: Whether a module with memory goes on from call to call, as it does in training.
    """

    source: Any
    built: tuple[Slot, ...] = ()
    attributes: Mapping[str, Role] = field(default_factory=dict)
    lasting: bool = False
    _made: dict[Any, Any] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        """Whether it must be constructed."""
        return inspect.isclass(self.source)

    def ready(self, context: CallContext) -> Callable[..., Any]:
        """The callable at the settings of the inputs."""
        if not self.is_class and not self.attributes and not self.lasting:
            return _unspoilt(self.source)
        inputs = context.inputs
        stub = any(slot.role in _HOLDS_INPUTS for slot in self.built)
        shape = tuple(inputs.student.shape)
        key = (inputs.temperature, inputs.weight, shape, inputs.old, inputs.student.dtype)
        if (stub and not self.lasting) or key not in self._made:
            self._made[key] = self._make(context)
        made = self._made[key]
        return made if self.lasting else _unspoilt(made)

    def remembered(self) -> tuple[str, ...]:
        """The buffers of the one module that was called, should there be any."""
        modules = [each for each in self._made.values() if isinstance(each, nn.Module)]
        return tuple(dict.fromkeys(name for m in modules for name, _ in m.named_buffers()))

    def _make(self, context: CallContext) -> Any:
        if not self.is_class:
            module = copy.deepcopy(self.source)
            for name, role in self.attributes.items():
                setattr(module, name, getattr(context.inputs, role))
            return module
        torch.manual_seed(0)
        keywords = {s.name: argument(s, context) for s in self.built if s.role != "default"}
        made = self.source(**keywords)
        return made.to(context.inputs.student.dtype) if isinstance(made, nn.Module) else made


def _unspoilt(found: Any) -> Callable[..., Any]:
    """A module with memory is copied for each call, so that one law cannot disturb the next."""
    if isinstance(found, nn.Module) and any(True for _ in found.buffers()):
        found = copy.deepcopy(found)
    called: Callable[..., Any] = found
    return called


def parameters_of(call: Any) -> list[Parameter]:
    """The parameters that a call takes, without ``self``, ``*args`` and ``**kwargs``."""
    try:
        found = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return [Parameter(n, Parameter.POSITIONAL_ONLY) for n in ("student", "teacher")]
    named = [p for p in found if p.kind not in _VARIADIC]
    if found and not named and (inner := _decorated(call)) is not None:
        return parameters_of(inner)
    read = keywords_read(call)
    named += [p for p in read if p.name not in {each.name for each in named}]
    if not named and any(p.kind is Parameter.VAR_POSITIONAL for p in found):
        return positions_read(call)
    return named


def _decorated(call: Any) -> Any:
    """What a decorator without ``functools.wraps`` hides, should it close over one function."""
    cells = getattr(call, "__closure__", None) or ()
    held = [c.cell_contents for c in cells if inspect.isroutine(c.cell_contents)]
    return held[0] if len(held) == 1 else None


def call_parameters(source: Any) -> list[Parameter]:
    """The parameters of the call that makes the loss: ``forward``, ``__call__`` or the function."""
    if inspect.isclass(source):
        method = source.forward if issubclass(source, nn.Module) else source.__call__
        return parameters_of(method)[1:]
    return parameters_of(source.forward if isinstance(source, nn.Module) else source)


def varied_attributes(source: Any) -> dict[str, Role]:
    """Numbers among a module's attributes that are its temperature or weight."""
    if not isinstance(source, nn.Module):
        return {}
    found: dict[str, Role] = {}
    for name, value in vars(source).items():
        if not isinstance(value, float | int) or isinstance(value, bool):
            continue
        role = guess(Parameter(name, Parameter.KEYWORD_ONLY, default=1.0)).role
        if role in _VARIED:
            found[name] = role
    return found


def constructor_slots(source: Any, given: Mapping[str, Any]) -> tuple[Slot, ...]:
    """What the constructor of a class gets.

    Raises:
        ProbeError: A required argument has a name that says nothing, or ``given`` a name too many.
    """
    if not inspect.isclass(source):
        if given:
            raise ProbeError(
                f"--init {sorted(given)} is for a class; this is no class",
                f"--init {sorted(given)} 只用于类；这不是类",
            )
        return ()
    slots = []
    known = (
        [] if source.__init__ in (nn.Module.__init__, object.__init__) else parameters_of(source)
    )
    for parameter in known:
        if parameter.name in given:
            slots.append(given_as_role(Slot(parameter.name, "default"), given[parameter.name]))
            continue
        role = _built_role(parameter)
        sized = widths_in(source)  # type: ignore[arg-type]
        if parameter.name in sized and _side_or_unknown(parameter, role):
            role = "width"
        said = choices(source).get(parameter.name)  # type: ignore[arg-type]
        if isinstance(said, str) and parameter.default is Parameter.empty:
            role = "choice"
        if role in ("unknown", "labels") or (
            role == "weight"
            and parameter.default not in (Parameter.empty, None)
            and not isinstance(parameter.default, int | float)
        ):
            if parameter.default is Parameter.empty:
                raise ProbeError(
                    f"the constructor needs {parameter.name!r} and the name does not say what it "
                    f"is; pass --init {parameter.name}=VALUE",
                    f"构造函数需要 {parameter.name!r}，但从名称看不出含义；"
                    f"请传 --init {parameter.name}=VALUE",
                )
            role = "default"
        if role in ("mask", "reduction", "index") and parameter.default is not Parameter.empty:
            role = "default"
        held = configuration_of(parameter, source) if role == "options" else None
        slots.append(Slot(parameter.name, role, value=held))
    _refuse_unknown(given, [p.name for p in known], "--init")
    return tuple(slots)


def _built_role(parameter: Parameter) -> Role:
    """What a constructor gets: a side that it takes is a model, and so is a network."""
    role = guess(parameter).role
    if role in ("student", "teacher"):
        if set(words(parameter.name)) & COEFFICIENT and parameter.default is None:
            return "default"
        numbers = isinstance(parameter.default, int | float | str)
        if numbers and is_width(parameter.name, parameter.default):
            return "width"
        return "default" if numbers else f"{role}_model"  # type: ignore[return-value]
    if role == "default" and is_width(parameter.name, parameter.default):
        return "width"
    if role == "unknown":
        asked = guess_option(parameter.name)
        return asked if parameter.default is Parameter.empty else "unknown"
    return role


def _side_or_unknown(parameter: Parameter, role: Role) -> bool:
    """Whether a name says whose it is, as ``c_student`` or ``d_s=32``, and perhaps nothing more."""
    if parameter.default is Parameter.empty:
        return role in ("student_model", "teacher_model", "unknown", "labels", "temperature")
    number = isinstance(parameter.default, int) and not isinstance(parameter.default, bool)
    return (
        number
        and guess(parameter).role in ("student", "teacher", "default")
        and bool(set(words(parameter.name)) & (STUDENT | TEACHER | {"t"}))
    )


def owner_of(source: Any) -> type | None:
    """The class that a function stands in, as ``Trainer`` for ``Trainer.kd``, if it is found."""
    path = getattr(source, "__qualname__", "").rpartition(".")[0]
    found: Any = getattr(source, "__globals__", {})
    for part in path.split(".") if path else []:
        found = found.get(part) if isinstance(found, dict) else getattr(found, part, None)
    return found if inspect.isclass(found) else None


def _refuse_unknown(given: Mapping[str, Any], known: list[str], option: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ProbeError(
            f"{option} {unknown[0]}: no such parameter; expected one of {known}",
            f"{option} {unknown[0]}：没有这个参数；应为 {known} 之一",
        )


def globals_of(source: Any) -> dict[str, Any]:
    """The global names that a loss reads."""
    made = source.forward if isinstance(source, nn.Module) else source
    if inspect.isclass(source):
        made = getattr(source, "forward", None) or vars(source).get("__call__", source)
    found: dict[str, Any] = getattr(inspect.unwrap(made), "__globals__", {})
    return found


def _supplied(absent: Sequence[str], context: CallContext) -> dict[str, Any]:
    """What the script of a loss defines only when it is run, by what the names say."""
    return {name: Options(context, "").named(name) for name in absent}


def call(
    target: Target, slots: tuple[Slot, ...], context: CallContext, absent: Sequence[str] = ()
) -> Any:
    """Call the loss; what it prints and warns of is swallowed."""
    with warnings.catch_warnings(), ExitStack() as stack:
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        warnings.simplefilter("ignore")
        stack.enter_context(torch.enable_grad())
        stack.enter_context(this_machine())
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        ready = target.ready(context)
        used = [s for s in slots if s.role != "default" or s.fixed]
        positions = [argument(s, context) for s in used if s.positional]
        keywords = {s.name: argument(s, context) for s in used if not s.positional}
        stack.enter_context(mock.patch.dict(globals_of(target.source), _supplied(absent, context)))
        try:
            return ready(*positions, **keywords)
        except SystemExit as stopped:
            raise ProbeError(
                f"the loss ended the program with exit code {stopped.code}",
                f"损失函数结束了程序，退出码 {stopped.code}",
            ) from stopped
