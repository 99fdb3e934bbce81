"""One document through the engine: what was found in it, after its comments had their say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    analyse_text: Callable[[str], Sequence[Finding]] = lambda _: ()
    """For text that is not Python: the few mistakes that are themselves why it is not."""
    wants: Callable[[str], bool] = lambda _: True
    known: Callable[[str], bool] = lambda _: True


def engine(project: Project | None = None) -> Analyse:
    """The engine of the package, imported when it is first needed."""
    from didact.check.engine.engine import analyse
    from didact.check.rules import findings_of

    def analyse_in_characters(
        source: str, *, path: str, tree: ast.Module | None = None
    ) -> Sequence[Finding]:
        return in_characters(
            findings_of(analyse(source, path=path, tree=tree, project=project)), source
        )

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
            found += context.analyse(saved.code, path=path, tree=tree)
    return unread + unsuppressed(found, code, tree, wants=context.wants, known=context.known)


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
