"""One document through the engine: what was found in it, after its comments had their say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from didact._core.i18n import Text
from didact.check.files.columns import in_characters
from didact.check.files.document import Document
from didact.check.files.salvage import salvage
from didact.check.files.source import UnreadableError, parse_once
from didact.check.findings.finding import Finding
from didact.check.findings.meta import FAILED, META, START
from didact.check.wanted.suppress import unsuppressed

if TYPE_CHECKING:
    from didact.check.engine.project import Project


class Analyse(Protocol):
    """The engine and its rules."""

    def __call__(
        self, source: str, *, path: str, tree: ast.Module | None = None
    ) -> Sequence[Finding]:
        """What is found in one module."""
        ...


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Through what a document is seen: the engine, and the codes that are wanted of it."""

    analyse: Analyse
    plain: Analyse | None = None
    """The same without suggested edits, for trying what a fix does; by default ``analyse``."""
    analyse_text: Callable[[str], Sequence[Finding]] = lambda _: ()
    """For text that is not Python: the few mistakes that are themselves why it is not."""
    wants: Callable[[str], bool] = lambda _: True
    known: Callable[[str], bool] = lambda _: True

    def without_suggestions(self) -> CheckContext:
        """The context for trying what a fix does."""
        return self if self.plain is None else replace(self, analyse=self.plain)


def engine(project: Project | None = None, *, suggesting: bool = False) -> Analyse:
    """The engine of the package, imported when it is first needed.

    Args:
        project: The files that are checked together.
        suggesting: Whether findings get suggested edits, each of which has been tried.
    """
    from didact.check.engine.engine import analyse
    from didact.check.rules import findings_of

    def analyse_in_characters(
        source: str, *, path: str, tree: ast.Module | None = None
    ) -> Sequence[Finding]:
        analysis = analyse(source, path=path, tree=tree, project=project)
        found = findings_of(analysis)
        if suggesting and found:
            from didact.check.correct.suggest import with_suggestions

            with project.trying(path) if project is not None else nullcontext():
                found = with_suggestions(analysis, found, partial(again, path=path))
        return in_characters(found, source)

    def again(source: str, tree: ast.Module, *, path: str) -> Sequence[Finding]:
        return findings_of(analyse(source, path=path, tree=tree, project=project))

    return analyse_in_characters


def engine_for_text() -> Callable[[str], Sequence[Finding]]:
    """The same for text that is not Python."""
    from didact.check.rules import check_source

    return check_source


def findings_in(document: Document, path: str, context: CheckContext) -> list[Finding]:
    """The findings in the lines of ``document.code``, sorted.

    Nothing is raised for any text: what cannot be parsed becomes ``KD002``, and where the engine
    itself fails that becomes ``KD003``.
    """
    try:
        found = _judged(document.code, path, context)
    except (RecursionError, MemoryError):
        found = [UnreadableError(_TOO_DEEP).finding()]
    except Exception as error:  # noqa: BLE001  one bad file must never stop the others
        found = [_failure(error)]
    notes = [note for note in document.notes if context.wants(note.code)]
    found = [finding for finding in found if context.wants(finding.code) or finding.code == FAILED]
    return sorted({*notes, *found}, key=lambda f: (f.span, f.code, f.message.en))


def _judged(code: str, path: str, context: CheckContext) -> list[Finding]:
    unread: list[Finding] = []
    try:
        tree = parse_once(code)
        found = list(context.analyse(code, path=path, tree=tree))
    except UnreadableError as error:
        unread, tree = [error.finding()], ast.Module([], [])
        found = list(context.analyse_text(code))
        saved = salvage(code, error)
        if saved is not None:
            unread, tree = [saved.note], saved.tree
            read = context.analyse(saved.code, path=path, tree=tree)
            found += [_by_hand(finding) for finding in read]
    return unread + unsuppressed(found, code, tree, wants=context.wants, known=context.known)


def _by_hand(finding: Finding) -> Finding:
    """Of a file that does not parse nothing is rewritten: its fixes are shown."""
    fix = finding.fix
    return finding if fix is None else replace(finding, fix=replace(fix, safety="display"))


_TOO_DEEP = Text(
    "cannot be analysed: nested too deeply; nothing in it was checked",
    "无法分析：嵌套过深；其中的代码没有被检查",
)


def _failure(error: Exception) -> Finding:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    message = Text(
        "the checker failed here, which is a defect of didact: {error} (in {where})",
        "检查器在此出错，这是 didact 的缺陷：{error}（位于 {where}）",
    ).format(error=f"{type(error).__name__}: {error}", where=where)
    return Finding(FAILED, META[FAILED].severity, START, message)
