"""Bind the parameters of a loss: first by name, then by trial."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from inspect import Parameter, isclass, signature
from itertools import chain, islice, permutations, product
from typing import Any

import torch
from torch import nn

from didact._core.i18n import Text
from didact._core.words import LABELS, TEACHER, word_set, words
from didact.probe.binding.binding import MODELS, Binding
from didact.probe.binding.candidates import Slots, as_batch, as_models, beside, candidates
from didact.probe.binding.documented import documented_layout
from didact.probe.binding.roles import Guess, Role, Space, guess, guess_name, guess_option
from didact.probe.binding.slots import Slot
from didact.probe.binding.stand_ins import ANSWERS, Passing
from didact.probe.binding.target import (
    Target,
    call_parameters,
    constructor_slots,
    owner_of,
    parameters_of,
    varied_attributes,
)
from didact.probe.binding.words import ROLES
from didact.probe.binding.written import (
    attributes_of,
    choices,
    keyed,
    numbers_in,
    pairs_unpacked,
    reads,
)
from didact.probe.errors import ProbeError, reason_of
from didact.probe.inputs.changes import relabelled
from didact.probe.inputs.inputs import BATCH, CLASSES, LOGIT_LAYOUTS, Layout, Sizes

_OLD = 3
_MOST, _ALL = 800, 1500
_ROUNDING = 1e-9
_SHOWN = 3
"""How many of the ways that failed for one reason a message names."""
_ABOUT_SHAPES = re.compile(
    "the loss is|RuntimeError|IndexError|ValueError|ShapeError|AssertionError|KeyError|TypeError|"
    "AttributeError"
)
_PROCESSES = re.compile("process group|init_process_group")
_SQUARE = Sizes(classes=BATCH)
_SQUARE_OLD = Sizes(classes=BATCH + 2, old=BATCH)
_MANY = Sizes(classes=20)
"""For a loss that takes the 8 or 10 likeliest classes."""


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
    _refuse_uncallable(source)
    parameters = call_parameters(source)
    parameters += _keywords(source, parameters, {**arguments, **dict.fromkeys(roles)})
    _check_names(source, parameters, {**arguments, **dict.fromkeys(roles)})
    target = Target(source, constructor_slots(source, init), varied_attributes(source))
    guesses = {p.name: _judge(p, roles, source) for p in parameters}
    guesses |= _labels_of_sides(guesses)
    guesses |= _sparse(guesses) | _both(source, guesses)
    ways = _ways(source, parameters, guesses, arguments, target.built)
    layouts = [layout] if layout else _layouts(source, guesses)
    if language_model and layout is None:
        layouts = ["sequence", "output_sequences"]
    tried: list[tuple[Slots, Text]] = []
    trials = iter(range(_MOST_TRIALS))
    plans = chain(_plans(guesses, target, layouts, old_classes), _told_by_errors(tried, layouts))
    for plan in plans:
        if tried and not any(_ABOUT_SHAPES.match(reason.en) for _, reason in tried):
            break
        fallback: Binding | None = None
        made = (
            Binding(target, slots, wanted, dtype, arguments, sizes=sizes, told=layout is not None)
            for group in ways
            for (sizes, wanted), slots, dtype in product(plan, group, _PRECISIONS)
        )
        for first in islice(chain.from_iterable(map(_answering, made)), _MOST):
            if len(tried) == _ALL:
                break
            slots = first.slots
            binding, verdict = _supplied(first, trials)
            if verdict is None:
                return _with_weights(_with_part(binding))
            if verdict is NO_GRADIENT:
                verdict = _constant(binding) or NO_GRADIENT
            if verdict is NO_GRADIENT:
                fallback = fallback or _with_part(binding)
            else:
                tried.append((slots, verdict))
        if fallback is not None:
            return fallback
    raise ProbeError(*_refusal(guesses, tried))


def _answering(binding: Binding) -> Iterator[Binding]:
    """The binding with each form of answer of the models that the loss holds itself."""
    if not binding.holds_models or any(s.role in MODELS and s.value for s in binding.slots):
        yield binding
        return
    yield from (replace(binding, answer=answer) for answer in ANSWERS)


def _supplied(binding: Binding, trials: Iterator[int]) -> tuple[Binding, Text | None]:
    """The binding, with a group of processes and options where the loss asks for them.

    ``trials`` counts what is left of trials with options whose names say nothing.
    """
    verdict = attempt(binding)
    while verdict is not None:
        name = _UNDEFINED.match(verdict.en)
        if _PROCESSES.search(verdict.en) and not binding.alone:
            binding = replace(binding, alone=True)
        elif _A_TENSOR.search(verdict.en) and not binding.as_tensors:
            binding = replace(binding, as_tensors=True)
        elif name and name[1] not in binding.absent and guess_option(name[1]) in _GLOBAL:
            binding = replace(binding, absent=(*binding.absent, name[1]))
        elif (lacking := _LACKING.search(verdict.en)) and len(binding.by_trial) < _MOST_BY_TRIAL:
            return _by_trial(binding, lacking[1], verdict, trials)
        else:
            break
        verdict = attempt(binding)
    return binding, verdict


def _by_trial(
    binding: Binding, name: str, lacking: Text, trials: Iterator[int]
) -> tuple[Binding, Text | None]:
    """An option whose name says nothing is 1, or a layer that changes nothing where it is called.

    Should neither do, what the loss lacked is the reason.
    """
    for value in (1, Passing()):
        if next(trials, None) is None:
            break
        given, by_trial = ({**each, name: value} for each in (binding.given, binding.by_trial))
        found, verdict = _supplied(replace(binding, given=given, by_trial=by_trial), trials)
        if verdict is None:
            return found, None
    return binding, lacking


def _told_by_errors(tried: list[tuple[Slots, Text]], layouts: list[Layout]) -> Iterator[_Plan]:
    """Sizes that a loss has fixed, such as 100 classes: its errors name them."""
    said = [int(n) for _, reason in tried for n in _NUMBER.findall(reason.en)]
    numbers = [n for n, _ in Counter(said).most_common() if CLASSES < n <= _MOST_CLASSES][:3]
    for n in numbers:
        yield [(Sizes(classes=n, fixed=True), each) for each in layouts if each in LOGIT_LAYOUTS]
    if "teachers" in layouts:
        yield [(Sizes(teachers=n), "teachers") for n in numbers if n <= _MOST_TEACHERS]
    yield [(Sizes(batch=8), each) for each in layouts]


_A_TENSOR = re.compile(r"'float' object has no attribute '(cuda|to|item|view|float|device|size)'")
_LACKING = re.compile(r"the options have no '\w+'; pass --arg ([\w.]+)=VALUE")
_MOST_BY_TRIAL, _MOST_TRIALS = 4, 60
_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
_GLOBAL = ("options", "temperature", "weight", "coefficient", "device", "criterion", "count")
_NUMBER = re.compile(r"(?<![\w.])\d{1,4}(?![\w.])|(?<=CIFAR-)\d+")
_MOST_CLASSES, _MOST_TEACHERS = 2000, 20
NO_GRADIENT = Text("no gradient reaches the student", "没有梯度到达学生")
_PRECISIONS = (torch.float64, torch.float32)


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


def attempt(binding: Binding) -> Text | None:
    """Nothing for a binding by which a gradient reaches the student, else the reason."""
    sample = binding.make()
    student = sample.student.clone().to(binding.dtype).requires_grad_()
    try:
        value = binding(sample.having(student=student))
        if not value.requires_grad:
            return NO_GRADIENT
        (gradient,) = torch.autograd.grad(value, student, allow_unused=True)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return reason_of(error)
    if gradient is None or not bool((gradient != 0).any()):
        return NO_GRADIENT
    return None


def _constant(binding: Binding) -> Text | None:
    """Said of a loss that gives one number whatever comes in: no distilling path was taken."""
    values = [float(binding(binding.make(seed=seed)).detach()) for seed in (0, 5)]
    apart = abs(values[0] - values[1])
    if not apart <= _ROUNDING * max(1.0, *map(abs, values)):  # nor if there is no number
        return None
    return Text(
        f"the loss is {values[0]:.4g} whatever student, teacher and labels are",
        f"无论学生、教师和标签如何变化，损失恒为 {values[0]:.4g}",
    )


def _refuse_uncallable(source: Any) -> None:
    if not callable(source):
        raise ProbeError(
            f"{source!r} cannot be called; expected a function, module or class",
            f"{source!r} 不可调用；应为函数、模块或类",
        )
    if isclass(source) and not issubclass(source, nn.Module) and not _has_call(source):
        name = source.__name__
        raise ProbeError(
            f"the class {name} cannot be called once it is built; expected a forward or __call__, "
            f"or name one of its methods, as {name}.kd_loss",
            f"类 {name} 的实例不可调用；应有 forward 或 __call__，或指定其方法，如 {name}.kd_loss",
        )


def _has_call(source: type) -> bool:
    return any("__call__" in vars(base) for base in source.__mro__)


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


_Plan = list[tuple[Sizes, Layout]]


def _plans(
    guesses: Mapping[str, Guess],
    target: Target,
    layouts: list[Layout],
    old_classes: int | None,
) -> Iterator[_Plan]:
    """Sizes and layouts to try: the ordinary ones first, unless the loss speaks of old classes."""
    asked = [g.role for g in guesses.values()] + [s.role for s in target.built]
    fewer_asked = old_classes is not None or "old_classes" in asked
    if not fewer_asked:
        yield [(Sizes(), each) for each in layouts]
    labelled = any(g.role == "labels" for g in guesses.values())
    sizes = [*_fewer(old_classes or _OLD, True, labelled), _SQUARE_OLD]
    if fewer_asked:
        sizes = [*_fewer(old_classes or _OLD, False, labelled), *sizes]
        sizes.append(replace(_SQUARE_OLD, narrow=False))
    else:
        sizes.insert(0, _SQUARE)
    for each in layouts:
        if each in LOGIT_LAYOUTS:
            yield [(size, each) for size in sizes]
    yield [(_MANY, each) for each in layouts]


def _fewer(old: int, narrow: bool, labelled: bool) -> Iterator[Sizes]:
    batch = next(b for b in range(BATCH, BATCH + 6, 2) if b not in (old, old + 2))
    plain = Sizes(batch, classes=old + 2, old=old, narrow=narrow)
    yield plain
    if labelled:
        yield replace(plain, labelled="new")
        yield replace(plain, labelled="low")


def _labels_of_sides(guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """``student_labels``, and the teacher's beside them, where each side has its own."""
    found = [n for n, g in guesses.items() if g.role == "student" and set(words(n)) & LABELS]
    if not found or not any(g.role == "student" for n, g in guesses.items() if n not in found):
        return {}
    twins = [n.replace("student", "teacher") for n in found]
    return {n: Guess("labels") for n in (*found, *twins) if n in guesses}


def _both(source: Any, guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """One parameter that the code takes apart into the outputs of student and teacher."""
    for name, parts in pairs_unpacked(source).items():
        roles = [guess_name(part).role for part in parts]
        if name in guesses and not guesses[name].sure and {*roles} == {"student", "teacher"}:
            return {name: Guess("both", plural=roles[0] == "teacher")}
    return {}


_IDS, _VALUES = word_set("ids indices"), word_set("values logprobs probs")


def _sparse(guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """``target_ids`` beside ``target_values``: the teacher's likeliest classes, and what it says.

    The values are logarithms of probabilities: what a server of a language model gives. Beside a
    temperature the names do not say whether it is in them already: that is for the user to say.
    """
    if any(g.role == "temperature" for g in guesses.values()):
        return {}
    said = {n: frozenset(words(n)) for n in guesses}
    for ids, values in permutations(said, 2):
        shared = said[ids] & said[values] & (TEACHER | LABELS)
        if shared and said[ids] & _IDS and said[values] & _VALUES:
            space: Space = "probs" if "probs" in said[values] else "log_probs"
            return {ids: Guess("top_ids"), values: Guess("teacher", space=space)}
    return {}


def _judge(parameter: Parameter, roles: Mapping[str, Role], source: Any) -> Guess:
    found = guess(parameter)
    required = parameter.default is Parameter.empty
    told = found.role in ("unknown", "weight", "labels") or not found.sure
    if required and told and parameter.name in choices(source):
        found = Guess("choice")
    unsure = found.role == "unknown" or (found.role in ("labels", "student") and not found.sure)
    if required and unsure and parameter.name in numbers_in(source):
        found = Guess("count")
    if parameter.name in roles:
        return replace(found, role=roles[parameter.name], sure=True)
    return found


_LOGITS: tuple[Layout, ...] = (
    "classes",
    "sequence",
    "dense",
    "outputs",
    "output_sequences",
    "lists",
    "teachers",
    "vectors",
    "maps",
    "layers",
    "hidden",
    "volumes",
    "channels_first",
    "vocabulary_first",
    "nested",
    "nested_maps",
)
_FEATURES: tuple[Layout, ...] = (
    "maps",
    "vectors",
    "tokens",
    "layers",
    "hidden",
    "attentions",
    "classes",
    "nested_maps",
)


def _layouts(source: Any, guesses: Mapping[str, Guess]) -> list[Layout]:
    """The shapes to try, what the loss says of itself first."""
    sides = {n: g for n, g in guesses.items() if g.role in ("student", "teacher", "unknown")}
    first: list[Layout] = []
    scores = {g.role for g in sides.values() if g.sure and not g.features}
    features = any(g.features for g in sides.values()) and not {"student", "teacher"} <= scores
    named = {word for n in sides for word in words(n)}
    if any(g.plural for g in sides.values()):
        first += ["layers", "hidden"] if features else ["teachers", "lists"]
        if all(g.plural for g in sides.values() if g.role == "student"):
            first.reverse()
    if features and named & {"attention", "attentions", "attn", "attns", "att"}:
        first.append("attentions")
    if features and named & {"hidden", "hiddens"}:
        first += ["tokens", "hidden"]
    chooses = set(guesses) & {"class_dim", "dim", "axis"}
    said = None if chooses else documented_layout(source, features=features)
    if said is not None:
        first.append(said)
    return list(dict.fromkeys([*first, *(_FEATURES if features else _LOGITS)]))


def _check_names(source: Any, parameters: list[Parameter], given: Mapping[str, Any]) -> None:
    known = [p.name for p in parameters]
    holders = any(guess(p).role == "options" for p in parameters)
    for name in given:
        root = name.partition(".")[0]
        if root not in known and not holders and not ("." in name and reads(source, root)):
            raise ProbeError(
                f"{name!r} is no parameter of the loss; expected one of {known}",
                f"{name!r} 不是该损失的参数；应为 {known} 之一",
            )


def _refusal(guesses: Mapping[str, Guess], tried: list[tuple[Slots, Text]]) -> tuple[str, str]:
    """All that was tried, the likeliest first: the ways that failed alike stand together."""
    groups: dict[str, tuple[Text, dict[str, Text]]] = {}
    for slots, reason in tried:
        key = re.sub(r"\d+", "#", reason.en)
        way = _listed((s.name, s.role) for s in slots if not s.fixed)
        groups.setdefault(key, (reason, {}))[1].setdefault(way.en, way)
    if not groups:
        none = Text("no parameter can be the student's output", "没有参数可以作为学生的输出")
        bound = _listed((n, g.role) for n, g in guesses.items())
        groups["none"] = none, {bound.en: bound}
    lines = [_line(reason, list(ways.values())) for reason, ways in groups.values()]
    said = Text(
        "the loss cannot be called with crafted inputs. Tried, the likeliest first:\n{lines}\n"
        "Name the parts with --student NAME, --teacher NAME, --labels NAME, or give "
        "others with --arg NAME=VALUE (a value, or one of student, teacher, labels, mask, model, "
        "batch; NAME.KEY for an entry) and --init NAME=VALUE.",
        "无法用构造的输入调用该损失。已尝试（按可能性排序）：\n{lines}\n"
        "请用 --student NAME、--teacher NAME、--labels NAME 指明各参数，"
        "或用 --arg NAME=VALUE（数值，或 student、teacher、labels、mask、model、batch 之一；"
        "字典项写作 NAME.KEY）、--init NAME=VALUE 给出其余参数。",
    )
    text = Text("\n".join(t.en for t in lines), "\n".join(t.zh for t in lines))
    said = said.format(lines=text)
    return said.en, said.zh


def _line(reason: Text, ways: list[Text]) -> Text:
    """One reason, and the ways that failed for it."""
    more = len(ways) - _SHOWN
    rest = Text(f"; and {more} more ways", f"；另有 {more} 种方式") if more > 0 else Text("", "")
    shown = ways[:_SHOWN]
    return Text(
        f"  {'; '.join(w.en for w in shown)}{rest.en}\n    {reason.en}",
        f"  {'；'.join(w.zh for w in shown)}{rest.zh}\n    {reason.zh}",
    )


def _listed(roles: Iterable[tuple[str, Role]]) -> Text:
    pairs = list(roles)
    if not pairs:
        return Text("no parameter at all", "没有任何参数")
    return Text(
        ", ".join(f"{n} = {ROLES[r].en}" for n, r in pairs),
        "、".join(f"{n} = {ROLES[r].zh}" for n, r in pairs),
    )
