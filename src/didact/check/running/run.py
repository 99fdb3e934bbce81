"""From paths to a report: read, skip what is of no interest, check, fix, write."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from didact.check.files.finding_files import find_files
from didact.check.files.module import has_imports, read_module
from didact.check.findings.report import FileResult, Report
from didact.check.running.cache import Answer, Cache
from didact.check.running.one import check_file, shown
from didact.check.running.options import Options
from didact.check.running.scan import Scan, scan_all
from didact.check.running.workers import COLLECTING, collecting_seldom, pool
from didact.check.running.writing import Tree, write_all

if TYPE_CHECKING:
    from didact.check.engine.project import Project

FILES_FOR_ONE_MORE_PROCESS = 24
"""Below this many interesting files for each process, starting it costs more than it gains."""


def check_paths(paths: Sequence[str | os.PathLike[str]], options: Options | None = None) -> Report:
    """Check files and folders.

    Raises:
        UsageError: A path does not exist.
    """
    options = options or Options()
    names = [os.fspath(path) for path in paths]
    files = find_files(names, exclude=options.settings.exclude, root=options.settings.root)
    scans = scan_all(files, options)
    cache = Cache.of(names, scans, options)
    known = {scan.path: cache.get(scan) for scan in scans if scan.interesting}
    checked = {path: result for path, result in known.items() if result is not None}
    answers = _check_all([path for path in known if path not in checked], scans, options)
    checked |= {path: answer.result for path, answer in answers.items()}
    cache.keep(answers)
    if options.mode == "fix":
        checked = write_all(checked, Tree.of(names, options.settings.root), options)
    return Report(tuple(checked.get(path) or FileResult(shown(path)) for path in files))


def _check_all(
    paths: Sequence[str], scans: Sequence[Scan], options: Options
) -> Mapping[str, Answer]:
    project = project_of(scans, options)
    jobs = options.jobs or min(os.cpu_count() or 1, len(paths) // FILES_FOR_ONE_MORE_PROCESS)
    if jobs > 1 and len(paths) > 1:
        with pool(jobs, _start_worker, (options, project)) as workers:
            return dict(workers.map(_check_in_worker, paths, chunksize=4))
    with collecting_seldom():
        return {path: _answer(path, options, project) for path in paths}


def project_of(scans: Sequence[Scan], options: Options) -> Project | None:
    """The files as modules that import each other; nothing where there is but one."""
    modules = {shown(scan.path): scan.imports for scan in scans if has_imports(scan.path)}
    if len(modules) < 2 or options.analyse is not None:
        return None
    from didact.check.engine.project import Project

    return Project(modules, read_module)


_SHARED: dict[str, tuple[Options, Project | None]] = {}
"""What a worker is given once, when it starts."""


def _start_worker(options: Options, project: Project | None) -> None:
    gc.set_threshold(*COLLECTING)
    _SHARED["given"] = options, project


def _check_in_worker(path: str) -> tuple[str, Answer]:
    return path, _answer(path, *_SHARED["given"])


def _answer(path: str, options: Options, project: Project | None) -> Answer:
    if project is None:
        return Answer(check_file(path, options))
    project.looked_at()
    result = check_file(path, options, project)
    return Answer(result, project.looked_at() - {shown(path)})
