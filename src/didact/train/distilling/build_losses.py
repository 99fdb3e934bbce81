"""From the losses that were asked for to terms for two given models: taps, projectors, modules."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_origin

import torch
from torch import nn

from didact._core.errors import UsageError
from didact.losses import CARDS
from didact.losses.kit.registry import Layers
from didact.nn import Projector
from didact.train.distilling.features import FeaturePair, TappedModel, all_maps, one_pair
from didact.train.distilling.losses import LossChoice
from didact.train.distilling.objective import DistillationTerm, Features


@dataclass(frozen=True, slots=True)
class LossBuildContext:
    """What a loss may need to know to be built."""

    student: TappedModel
    teacher: TappedModel
    image_shape: tuple[int, ...]
    num_samples: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class BuiltLosses:
    """The terms, the taps of those that compare features, and what trains with the student."""

    terms: Sequence[DistillationTerm]
    pairs: Mapping[str, FeaturePair]
    trained: Sequence[nn.Module]

    def features(self) -> dict[str, tuple[Features, Features]]:
        """The features of the last forward, for each loss that wants them."""
        return {name: pair.pair() for name, pair in self.pairs.items()}

    def remove(self) -> None:
        """Take all taps off the models."""
        for pair in self.pairs.values():
            pair.remove()


def build_losses(choices: Sequence[LossChoice], context: LossBuildContext) -> BuiltLosses:
    """Build every loss for the models of a context.

    Raises:
        UsageError: A loss does not take the features of these models.
    """
    terms: list[DistillationTerm] = []
    pairs: dict[str, FeaturePair] = {}
    trained: list[nn.Module] = []
    device = next(context.student.model.parameters()).device
    for choice, part in _by_layers(choices, context):
        function, pair = _build(choice, part)
        if isinstance(function, nn.Module):
            trained.append(function.to(device))
        if pair is not None:
            pairs[choice.name] = pair
            if pair.projector is not None:
                trained.append(pair.projector)
        options = {} if inspect.isclass(choice.target) else choice.options
        term = DistillationTerm(
            choice.name, function, choice.weight, choice.inputs, options, choice.labels_optional
        )
        terms.append(term)
    return BuiltLosses(terms, pairs, trained)


def _by_layers(
    choices: Sequence[LossChoice], context: LossBuildContext
) -> list[tuple[LossChoice, LossBuildContext]]:
    """A loss of one layer once for each pair of layers that was named, its weight shared out.

    Raises:
        UsageError: Not as many layers of the student as of the teacher.
    """
    own, wanted = context.student.layers or (), context.teacher.layers or ()
    if len(own) < 2 and len(wanted) < 2:
        return [(choice, context) for choice in choices]
    if len(own) != len(wanted):
        raise UsageError(
            f"{len(own)} of student-layer and {len(wanted)} of teacher-layer; layers go in pairs, "
            "the first with the first: name equally many"
        )
    found = []
    for choice in choices:
        if not choice.looks_at_features or _layers(choice.target) != "one":
            found.append((choice, context))
            continue
        for student, teacher in zip(own, wanted, strict=True):
            name = f"{choice.name}:{student}-{teacher}"
            part = replace(
                context,
                student=replace(context.student, layers=(student,)),
                teacher=replace(context.teacher, layers=(teacher,)),
            )
            share = replace(choice, name=name, weight=choice.weight / len(own))
            found.append((share, part))
    return found


def _build(choice: LossChoice, context: LossBuildContext) -> tuple[Any, FeaturePair | None]:
    """The function of a loss and its taps."""
    if not choice.looks_at_features:
        is_class = inspect.isclass(choice.target)
        return (choice.target(**choice.options) if is_class else choice.target), None
    if _layers(choice.target) != "one":
        return _build_on_all_maps(choice, context)
    if choice.wants_norm:
        return _build_before_relu(choice, context)
    return _build_on_one(choice, context)


def _build_before_relu(
    choice: LossChoice, context: LossBuildContext
) -> tuple[Any, FeaturePair | None]:
    """A loss on what batch norms give; it is told the teacher's."""
    student, teacher = (
        replace(place, before_relu=True) for place in (context.student, context.teacher)
    )
    path = teacher.stages()[0]
    known = replace(choice, options={**choice.options, **teacher.norm(path)})
    teacher = replace(teacher, layers=(path,))
    student = replace(student, layers=student.layers or tuple(student.stages()[:1]))
    function, pair = _build_on_one(known, replace(context, student=student, teacher=teacher))
    return partial(function, **teacher.norm(path)), pair


def _build_on_one(choice: LossChoice, context: LossBuildContext) -> tuple[Any, FeaturePair | None]:
    built: list[Any] = []

    def attempt(student_features: Features, teacher_features: Features) -> object:
        function: Any = choice.target
        if inspect.isclass(function):
            shapes = _shape(student_features), _shape(teacher_features)
            function = function(**_constructor(choice, context, *shapes))
        built[:] = [function]
        tried = {"student_features", "teacher_features", "indices", "temperature"}
        if set(choice.inputs) <= tried:
            return _call(choice, function, student_features, teacher_features)
        return None

    pair = one_pair(context.student, context.teacher, context.image_shape, attempt, choice.name)
    return built[0], pair


def _call(choice: LossChoice, function: Any, student: Features, teacher: Features) -> object:
    given: dict[str, Any] = {
        "student_features": student,
        "teacher_features": teacher,
        "indices": torch.arange(len(student)) % 2,
        "temperature": 1.0,
    }
    arguments = {parameter: given[name] for name, parameter in choice.inputs.items()}
    was_training = isinstance(function, nn.Module) and function.training
    options = {} if inspect.isclass(choice.target) else choice.options
    if was_training:
        function.eval()  # a trial must leave a memory as it was
    try:
        return function(**arguments, **options)
    finally:
        if was_training:
            function.train()


def _build_on_all_maps(choice: LossChoice, context: LossBuildContext) -> tuple[Any, FeaturePair]:
    own = all_maps(context.student, context.image_shape)
    wanted = all_maps(context.teacher, context.image_shape)
    is_class = inspect.isclass(choice.target)
    if len(own) != len(wanted) and _layers(choice.target) == "pairs":
        raise UsageError(
            f"{choice.name} pairs the stages of both models and the student has {len(own)} and "
            f"the teacher {len(wanted)}; take models with equally many"
        )
    shapes = list(own.values()), list(wanted.values())
    function: Any = choice.target
    projectors: nn.Module | None = None
    if is_class:
        function = function(**_constructor(choice, context, *shapes))
    elif shapes[0] != shapes[1]:
        device = next(context.student.model.parameters()).device
        pairs = zip(*shapes, strict=True)
        projectors = nn.ModuleList(Projector(*pair) for pair in pairs).to(device)
    paths = list(own), list(wanted)
    return function, FeaturePair(context.student, context.teacher, paths, projectors, several=True)


def _constructor(
    choice: LossChoice, context: LossBuildContext, student: Any, teacher: Any
) -> dict[str, Any]:
    """The arguments of a loss's constructor: the options, and what the context tells."""
    known = {
        "student_channels": _channels(student),
        "teacher_channels": _channels(teacher),
        "student_dim": _units(student),
        "teacher_dim": _units(teacher),
        "num_samples": context.num_samples,
        "batch_size": context.batch_size,
    }
    parameters = inspect.signature(choice.target).parameters
    return {name: known[name] for name in parameters if name in known} | dict(choice.options)


def _channels(shapes: Any) -> Any:
    return [shape[1] for shape in shapes] if isinstance(shapes, list) else shapes[1]


def _units(shapes: Any) -> int:
    return 0 if isinstance(shapes, list) else int(torch.Size(shapes[1:]).numel())


def _shape(features: Features) -> tuple[int, ...]:
    assert isinstance(features, torch.Tensor)
    return tuple(features.shape)


def _layers(target: Any) -> Layers:
    """What a loss of didact's says of itself; of the user's own, what its annotation says."""
    for card in CARDS.values():
        if card.function is target:
            return card.layers
    call = getattr(target, "forward", target)
    try:
        parameters = inspect.signature(call, eval_str=True).parameters
    except Exception:  # noqa: BLE001 - an annotation may name what is imported for types alone
        return "one"
    annotation = parameters["student_features"].annotation
    return "pairs" if get_origin(annotation) in (Sequence, list) else "one"
