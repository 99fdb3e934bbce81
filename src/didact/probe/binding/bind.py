"""Bind the parameters of a loss: first by name, then by trial."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from inspect import Parameter, isclass, signature
from itertools import chain, islice, product
from typing import Any

import torch

from didact._core.i18n import Text
from didact.probe.binding.attempts import MOST_TRIALS, NO_GRADIENT, attempt, constant, supplied
from didact.probe.binding.binding import MODELS, Binding
from didact.probe.binding.candidates import (
    Slots,
    as_batch,
    as_models,
    as_required,
    beside,
    candidates,
    without_optional_sides,
)
from didact.probe.binding.guesses import guesses_of
from didact.probe.binding.networks import ANSWERS
from didact.probe.binding.plans import Plan, layouts_of, plans, told_by_errors
from didact.probe.binding.refusals import check_names, refusal, refuse_uncallable
from didact.probe.binding.roles import Guess, Role, guess_option
from didact.probe.binding.slots import Slot
from didact.probe.binding.target import (
    Target,
    call_parameters,
    constructor_slots,
    owner_of,
    parameters_of,
    varied_attributes,
)
from didact.probe.binding.written import attributes_of, keyed
from didact.probe.errors import ProbeError
from didact.probe.inputs.changes import relabelled
from didact.probe.inputs.inputs import Layout

_MOST, _ALL, _PATIENCE = 400, 1500, 10.0
"""Trials of one reading with one plan, trials in all, and seconds of the processor in all."""
_PRECISIONS = (torch.float64, torch.float32)
_ABOUT_SHAPES = re.compile(
    "the loss is|RuntimeError|IndexError|ValueError|ShapeError|AssertionError|KeyError|TypeError|"
    "AttributeError"
)


def bind(
    source: Any,
    *,
    arguments: Mapping[str, Any],
    init: Mapping[str, Any],
    roles: Mapping[str, Role],
    layout: Layout | None,
    old_classes: int | None = None,
    language_model: bool = False,
) -> Binding:
    """The first way to call ``source`` in which a gradient reaches the student.

    Raises:
        ProbeError: No way was found; the message gives the reasons of the likeliest ones.
    """
    refuse_uncallable(source)
    parameters = call_parameters(source)
    parameters += _keywords(source, parameters, {**arguments, **dict.fromkeys(roles)})
    check_names(source, parameters, {**arguments, **dict.fromkeys(roles)})
    target = Target(source, constructor_slots(source, init), varied_attributes(source))
    guesses = guesses_of(source, parameters, roles)
    ways = _ways(source, parameters, guesses, arguments, target.built)
    layouts = [layout] if layout else layouts_of(source, guesses, target.built)
    if language_model and layout is None:
        layouts = ["sequence", "output_sequences"]
    search = _Search(target, ways, arguments, layout is not None)
    to_try = chain(
        plans(guesses, target, layouts, old_classes), told_by_errors(search.tried, layouts)
    )
    for plan in to_try:
        if search.ended:
            break
        found = search.of(plan)
        if found is not None:
            return found
    raise ProbeError(*refusal(guesses, search.tried))


@dataclass
class _Search:
    """The ways to call a loss, and those that failed.

    Attributes:
        target: What is called.
        ways: What each parameter may get, by reading of the names.
        arguments: What the user gave.
        told: Whether the user said the layout.
        tried: What failed, and why.
        trials: What is left of trials with options whose names say nothing.
        started: When the search began, in seconds of the processor.
    """

    target: Target
    ways: list[list[Slots]]
    arguments: Mapping[str, Any]
    told: bool
    tried: list[tuple[Slots, Text]] = field(default_factory=list)
    trials: Iterator[int] = field(default_factory=lambda: iter(range(MOST_TRIALS)))
    started: float = field(default_factory=time.process_time)

    @property
    def ended(self) -> bool:
        """Whether nothing that failed speaks of shapes, which others might mend, or it is late."""
        about = any(_ABOUT_SHAPES.match(reason.en) for _, reason in self.tried)
        return self._late or bool(self.tried and not about)

    @property
    def _late(self) -> bool:
        return len(self.tried) >= _ALL or time.process_time() - self.started > _PATIENCE

    def of(self, plan: Plan) -> Binding | None:
        """The first binding of these sizes and layouts; one without a gradient if there is none."""
        fallback: Binding | None = None
        for first in chain.from_iterable(map(_answered, self._made(plan))):
            if self._late:
                break
            binding, verdict = supplied(first, self.trials)
            if verdict is None:
                return _with_weights(_with_part(binding))
            if verdict is NO_GRADIENT:
                verdict = constant(binding) or NO_GRADIENT
            if verdict is NO_GRADIENT:
                fallback = fallback or _with_part(binding)
            else:
                self.tried.append((first.slots, verdict))
        return fallback

    def _made(self, plan: Plan) -> Iterator[Iterator[Binding]]:
        for group in self.ways:
            yield (
                Binding(
                    self.target,
                    slots,
                    wanted,
                    dtype,
                    self.arguments,
                    sizes=sizes,
                    told=self.told,
                )
                for (sizes, wanted), slots, dtype in product(plan, group, _PRECISIONS)
            )


def _answered(made: Iterator[Binding]) -> Iterator[Binding]:
    """The first of one reading; a reading that has many must leave room for the next."""
    return islice(chain.from_iterable(map(_answering, made)), _MOST)


def _answering(binding: Binding) -> Iterator[Binding]:
    """The binding with each form of answer of the models that the loss holds itself."""
    if not binding.holds_models or any(s.role in MODELS and s.value for s in binding.slots):
        yield binding
        return
    yield from (replace(binding, answer=answer) for answer in ANSWERS)


def _ways(
    source: Any,
    parameters: list[Parameter],
    guesses: Mapping[str, Guess],
    arguments: Mapping[str, Any],
    built: tuple[Slot, ...],
) -> list[list[Slots]]:
    """What each parameter may get: outputs first, then models, then batches."""
    readings = [guesses, *as_models(guesses)]
    if apart := beside(guesses):
        readings.insert(0, apart)
    if batch := as_batch(guesses, keyed(source)):
        readings += [batch, *as_models(batch)]
    late = (
        as_required(parameters, guesses, keyed(source)),
        without_optional_sides(parameters, guesses),
    )
    readings += [each for each in late if each]
    held = frozenset(s.role for s in built)
    if any(p.name == "self" for p in parameters):
        held |= {guess_option(name) for name in attributes_of(source, "self")} & MODELS
    owner = owner_of(source) if any(p.name == "self" for p in parameters) else None

    def owned(slots: Slots) -> Slots:
        return tuple(
            replace(s, value=owner) if s.name == "self" and not s.fixed else s for s in slots
        )

    return [
        [owned(slots) for slots in candidates(source, parameters, r, arguments, held)]
        for r in readings
    ]


def _with_part(binding: Binding) -> Binding:
    """Of several tensors that are returned, the one that teacher and labels change most."""
    inputs = binding.make()
    try:
        values = [float(v.detach()) for v in binding.all_parts(inputs)]
        others = [
            inputs.having(teacher=binding.make(seed=5).teacher),
            inputs.having(labels=relabelled(inputs)),
        ]
        changed = [[float(v.detach()) for v in binding.all_parts(o)] for o in others]
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return binding
    by_teacher, by_labels = ([a != b for a, b in zip(values, c, strict=False)] for c in changed)
    scores = [2 * t + y for t, y in zip(by_teacher, by_labels, strict=False)]
    best = max(range(len(scores)), key=lambda place: (scores[place], -place))
    chosen = replace(binding, part=best)
    return chosen if attempt(chosen) is None else binding


def _with_weights(binding: Binding) -> Binding:
    """Numbers that are called weights and weigh no term are left at their defaults.

    The value is a straight line in a weight; in what sharpens or bends it is not.
    """
    if not any(s.role == "weight" for s in (*binding.slots, *binding.target.built)):
        return binding
    inputs = binding.make()
    try:
        low, middle, high = (
            float(binding(inputs.having(weight=w)).detach()) for w in (0.25, 0.5, 0.75)
        )
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return binding
    if not abs(low - 2 * middle + high) > 1e-4 * max(abs(low), abs(middle), abs(high)):
        return binding
    defaults = _defaults(binding.target.source)
    slots, built = (
        tuple(replace(s, role="default") if _held(s, defaults) else s for s in each)
        for each in (binding.slots, binding.target.built)
    )
    left = replace(binding, slots=slots, target=replace(binding.target, built=built, _made={}))
    return left if attempt(left) is None else binding


def _held(slot: Slot, defaults: frozenset[str]) -> bool:
    return slot.role == "weight" and slot.name in defaults and not slot.fixed


def _defaults(source: Any) -> frozenset[str]:
    """The parameters of the call and of the constructor that have a default."""
    known = call_parameters(source) + (parameters_of(source) if isclass(source) else [])
    return frozenset(p.name for p in known if p.default is not Parameter.empty)


def _keywords(source: Any, known: list[Parameter], given: Mapping[str, Any]) -> list[Parameter]:
    """The names that the user gives to a loss that takes ``**kwargs``."""
    try:
        found = signature(source).parameters.values()
    except (TypeError, ValueError):
        return []
    if not any(p.kind is Parameter.VAR_KEYWORD for p in found):
        return []
    names = {p.name for p in known}
    return [
        Parameter(n, Parameter.KEYWORD_ONLY) for n in given if n not in names and n.isidentifier()
    ]
