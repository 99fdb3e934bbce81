"""Fixed files back on the disk, after everything has been checked as it stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from didact._core.i18n import Text
from didact.check.files.source import UnreadableError
from didact.check.files.write import replace_file
from didact.check.findings.report import FileResult
from didact.check.running.one import cannot_be_used, check_file, unread
from didact.check.running.options import Options


@dataclass(frozen=True, slots=True)
class Tree:
    """The folders that a run was asked to look at: what it may write to.

    Attributes:
        folders: Without links.
    """

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, paths: Sequence[str], root: Path) -> Tree:
        """The folders among the paths, those of the files among them, and the configuration's."""
        whole = [Path(path).absolute() for path in paths]
        folders = [path if path.is_dir() else path.parent for path in whole]
        return cls(tuple(folder.resolve() for folder in (root, *folders)))

    def holds(self, path: str) -> bool:
        """Whether a file, or what it links to, lies in one of the folders."""
        target = Path(path).resolve()
        return any(target.is_relative_to(folder) for folder in self.folders)


def write_all(
    results: Mapping[str, FileResult], tree: Tree, options: Options
) -> dict[str, FileResult]:
    """Write what was fixed; the results as they are then."""
    return {
        path: result if result.data is None else _written(path, result, tree, options)
        for path, result in results.items()
    }


def _written(path: str, result: FileResult, tree: Tree, options: Options) -> FileResult:
    if not tree.holds(path):
        unfixed = check_file(path, replace(options, mode="report"))
        told = unread(path, UnreadableError(_OUTSIDE.format(target=Path(path).resolve())), options)
        return replace(unfixed, diagnostics=(*told.diagnostics, *unfixed.diagnostics))
    try:
        replace_file(Path(path), result.before, result.data or b"")
    except OSError as error:
        return unread(path, cannot_be_used(error), options)
    return replace(result, before=b"", data=None)


_OUTSIDE = Text(
    "not fixed: it links to {target}, outside of what is checked; name that file to fix it",
    "未修正：它链接到 {target}，在检查范围之外；如需修正请直接指定该文件",
)
