"""Run the laws on a loss."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

import torch

from didact._core.errors import UsageError
from didact._core.i18n import Text
from didact._core.lookup import choose
from didact.probe._bind import bind
from didact.probe._binding import Binding
from didact.probe._case import Case, Kind, Outcome, breaks
from didact.probe._diagnose import best_match, diagnose
from didact.probe._inputs import Layout, make
from didact.probe._law import Law, all_laws
from didact.probe._recognise import isolate, recognise
from didact.probe._report import Report, Result
from didact.probe._roles import Role
from didact.probe._subject import Subject
from didact.probe._table import text_of


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
        ignore: Names of laws not to try.

    Returns:
        The binding, every law, the best known form and the mistakes that they point to.

    Raises:
        UsageError: The loss cannot be bound, or an argument is not understood.

    Example:
        >>> from didact.losses import kd
        >>> from didact.probe import probe
        >>> report = probe(kd)
        >>> report.ok, report.match.en.partition(";")[0]
        (True, '1 x T^2 x forward KL(teacher || student)')
    """
    if kind is not None and kind not in get_args(Kind):
        raise UsageError(f"kind is {kind!r}; expected one of {get_args(Kind)}")
    if layout is not None and layout not in get_args(Layout):
        raise UsageError(f"layout is {layout!r}; expected one of {get_args(Layout)}")
    laws = _laws(ignore)
    named: dict[Role, str | None] = {"student": student, "teacher": teacher, "labels": labels}
    roles: dict[str, Role] = {name: role for role, name in named.items() if name is not None}
    with _one_thread():
        return _probed(fn, laws, kind, (arguments or {}, init or {}, roles, layout))


def _probed(
    fn: Any,
    laws: list[Law],
    kind: Kind | None,
    wishes: tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Role], Layout | None],
) -> Report:
    started = time.process_time()
    arguments, init, roles, layout = wishes
    binding = bind(fn, arguments=arguments, init=init, roles=roles, layout=layout)
    case, notes = _recognised(binding, kind)
    outcomes = {each.name: _tried(each, case) for each in laws}
    return Report(
        name=_name(fn),
        source=_source(fn),
        kind=case.kind,
        declared=kind,
        binding=tuple(binding.rows()),
        notes=(*_returned(binding), *notes),
        match=best_match(case, outcomes),
        results=tuple(Result(e.name, e.title, e.meaning, outcomes[e.name]) for e in laws),
        mistakes=tuple(diagnose(case, outcomes)),
        seconds=time.process_time() - started,
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small tensors are slower with several threads, and far slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def assert_obeys(fn: Any, kind: Kind | None = None, **options: Any) -> Report:
    """Fail a test where a law of the kind breaks.

    Args:
        fn: As for :func:`probe`.
        kind: As for :func:`probe`.
        options: As for :func:`probe`.

    Returns:
        The report.

    Raises:
        AssertionError: A law breaks; the message is the report.
        UsageError: The loss cannot be bound.
    """
    report = probe(fn, kind=kind, **options)
    if not report.ok:
        raise AssertionError(text_of(report))
    return report


def _laws(ignore: Iterable[str]) -> list[Law]:
    laws = all_laws()
    known = {each.name: each for each in laws}
    left_out = {choose(name, known, what="law").name for name in ignore}
    return [each for each in laws if each.name not in left_out]


def _recognised(binding: Binding, kind: Kind | None) -> tuple[Case, list[Text]]:
    isolated = isolate(Subject(binding))
    given = binding.given
    settings: dict[str, float] = {
        s.role: float(given[s.name])
        for s in binding.slots
        if s.name in given and s.role in ("temperature", "weight")
    }
    subject, known = isolated.subject, isolated.fit
    recognised = recognise(subject, known, kind)
    case = Case(subject, recognised, kind is not None, known, settings)
    return case, list(isolated.notes)


def _tried(law: Law, case: Case) -> Outcome:
    """The outcome; a loss that raises on a law's inputs breaks it, and the error is the reason."""
    try:
        return law(case)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = f"{type(error).__name__}: {str(error).strip()[:200]}"
        found = breaks(f"the loss raised {reason}", f"损失抛出异常 {reason}")
        return found if case.kind in law.binds else Outcome("advice", found.text)


def _returned(binding: Binding) -> list[Text]:
    """How one number was made of what the loss returned; silent about the plain case."""
    notes = binding.detailed(make(binding.layout))[1]
    if len(notes) == 1 and notes[0].en == "the value":
        return []
    return [Text("of what is returned: {note}", "返回值处理：{note}").format(note=n) for n in notes]


def _name(fn: Any) -> str:
    found = getattr(fn, "__qualname__", None) or type(fn).__qualname__
    module = getattr(fn, "__module__", None) or type(fn).__module__
    file = re.fullmatch(r"_didact_user_(.+)_[0-9a-f]+", module)
    return f"{file[1] + '.py:' if file else module + '.'}{found}"


def _source(fn: Any) -> str:
    try:
        return inspect.getsourcefile(inspect.unwrap(fn)) or ""
    except TypeError:
        return inspect.getsourcefile(type(fn)) or "" if not inspect.isbuiltin(fn) else ""
