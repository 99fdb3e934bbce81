"""Run the laws on a loss."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import torch

from didact._core.i18n import Language, Text
from didact.probe.binding.bind import bind
from didact.probe.binding.binding import Binding
from didact.probe.binding.roles import Role
from didact.probe.errors import ProbeError, nearest, reason_of
from didact.probe.forms.mistakes import MISTAKES
from didact.probe.inputs.inputs import Layout
from didact.probe.judging.case import Case, Kind, Outcome, breaks
from didact.probe.judging.diagnose import best_match, diagnose
from didact.probe.judging.law import Law
from didact.probe.judging.readings import best_reading
from didact.probe.judging.recognise import recognise
from didact.probe.laws import all_laws
from didact.probe.output.about import name_of, returned, sized, source_of
from didact.probe.output.report import Report, Result
from didact.probe.output.table import text_of


def probe(
    fn: Any,
    *,
    kind: Kind | None = None,
    arguments: Mapping[str, Any] | None = None,
    init: Mapping[str, Any] | None = None,
    student: str | None = None,
    teacher: str | None = None,
    labels: str | None = None,
    layout: Layout | None = None,
    old_classes: int | None = None,
    language_model: bool = False,
    ignore: Iterable[str] = (),
) -> Report:
    """Call a distillation loss on crafted inputs and say which laws hold.

    Args:
        fn: A function, an ``nn.Module``, or a class to build one from.
        kind: ``"divergence"``, ``"match"`` or ``"objective"``; by default it is recognised.
        arguments: Values for parameters of the call, or of its options object, by name.
        init: Values for the constructor of a class.
        student: The parameter that is the student's output, where the name does not say so.
        teacher: The parameter that is the teacher's.
        labels: The parameter that is the labels.
        layout: The shape of the outputs: ``"classes"`` is ``[B, C]``, ``"sequence"`` ``[B, S, C]``,
            ``"teachers"`` a list, ``"maps"``, ``"vectors"`` and ``"layers"`` are features.
        old_classes: How many classes the teacher knows, where the student has more; by default
            the loss is tried with the same classes on both sides.
        language_model: Whether the loss is one of a language model: ``[B, S, C]``, with labels of
            -100 or a mask where a token does not count. By default this is found by trial.
        ignore: Names of laws not to try.

    Returns:
        The binding, every law, the best known form and the mistakes that they point to.

    Raises:
        ProbeError: The loss cannot be bound, or an argument is not understood.

    Example:
        >>> from didact.losses import kd
        >>> from didact.probe import probe
        >>> report = probe(kd)
        >>> report.ok, report.match.en.partition(";")[0]
        (True, '1 x T^2 x forward KL(teacher || student)')
    """
    if kind is not None and kind not in get_args(Kind):
        raise _unknown("kind", kind, get_args(Kind))
    if layout is not None and layout not in get_args(Layout):
        raise _unknown("layout", layout, get_args(Layout))
    if old_classes is not None and old_classes < 1:
        raise ProbeError(
            f"old_classes is {old_classes}; expected 1 or more",
            f"old_classes 为 {old_classes}；应至少为 1",
        )
    laws = _laws(ignore)
    named: dict[Role, str | None] = {"student": student, "teacher": teacher, "labels": labels}
    roles: dict[str, Role] = {name: role for role, name in named.items() if name is not None}
    with _undisturbed():
        started = time.process_time()
        binding = bind(
            fn,
            arguments=arguments or {},
            init=init or {},
            roles=roles,
            layout=layout,
            old_classes=old_classes,
            language_model=language_model,
        )
        try:
            return _probed(fn, laws, kind, binding, started, language_model)
        except Exception as error:
            reason = reason_of(error)
            raise ProbeError(
                f"the loss took one input and failed on the next: {reason.en}",
                f"损失接受了一组输入，却在下一组上失败：{reason.zh}",
            ) from error


def _probed(
    fn: Any,
    laws: list[Law],
    kind: Kind | None,
    binding: Binding,
    started: float,
    language_model: bool,
) -> Report:
    case, notes = _recognised(binding, kind)
    case = replace(case, language_model=language_model)
    binding = case.subject.binding
    outcomes = {each.name: _tried(each, case) for each in laws}
    evidence = diagnose(case, outcomes)
    return Report(
        name=name_of(fn),
        source=source_of(fn),
        kind=case.kind,
        declared=kind,
        binding=tuple(binding.rows()),
        notes=(*sized(binding), *returned(binding), *notes),
        match=best_match(case, outcomes),
        results=tuple(Result(e.name, e.title, e.meaning, outcomes[e.name]) for e in laws),
        mistakes=tuple(MISTAKES[key] for key in evidence),
        evidence=tuple(evidence.values()),
        seconds=time.process_time() - started,
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """One thread, which is faster for small tensors; random numbers go on as before."""
    before, states = torch.get_num_threads(), (random.getstate(), np.random.get_state())  # noqa: NPY002
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def assert_obeys(
    fn: Any, kind: Kind | None = None, *, language: Language = "en", **options: Any
) -> Report:
    """Fail a test where a law of the kind breaks.

    Args:
        fn: As for :func:`probe`.
        kind: As for :func:`probe`.
        language: The language of the message, ``"en"`` or ``"zh"``.
        options: As for :func:`probe`.

    Returns:
        The report.

    Raises:
        AssertionError: A law breaks; the message is the report.
        ProbeError: The loss cannot be bound.
    """
    report = probe(fn, kind=kind, **options)
    if not report.ok:
        raise AssertionError(text_of(report, language))
    return report


def _laws(ignore: Iterable[str]) -> list[Law]:
    laws = all_laws()
    known = {each.name: each for each in laws}
    left_out = list(ignore)
    for name in left_out:
        if name not in known:
            near = nearest(name, known)
            raise ProbeError(
                f"no law is called {name!r}; {near.en}", f"没有名为 {name!r} 的定律；{near.zh}"
            )
    return [each for each in laws if each.name not in left_out]


def _unknown(what: str, name: object, known: tuple[str, ...]) -> ProbeError:
    return ProbeError(
        f"{what} is {name!r}; expected one of {known}", f"{what} 为 {name!r}；应为 {known} 之一"
    )


def _recognised(binding: Binding, kind: Kind | None) -> tuple[Case, list[Text]]:
    isolated = best_reading(binding)
    binding = isolated.subject.binding
    subject, known = isolated.subject, isolated.fit
    recognised = recognise(subject, known, kind)
    case = Case(subject, recognised, kind is not None, known)
    return case, list(isolated.notes)


_NO_NUMBER = re.compile(r"\bnan\b")
"""A comparison with what is no number shows nothing."""


def _tried(law: Law, case: Case) -> Outcome:
    """The outcome; a loss that raises on a law's inputs breaks it, and the error is the reason.

    Not so where the user gave a tensor, whose size fits the first inputs alone.
    """
    try:
        outcome = law(case)
        unknown = outcome.state == "holds" and _NO_NUMBER.search(outcome.text.en)
        return Outcome("measured", outcome.text) if unknown else outcome
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        raised = breaks(f"the loss raised {reason.en}", f"损失抛出异常 {reason.zh}")
        held = any(isinstance(v, torch.Tensor) for v in case.subject.binding.given.values())
        counts = case.kind in law.binds and case.may_accuse(law.name) and not held
        return raised if counts else Outcome("measured", raised.text)
