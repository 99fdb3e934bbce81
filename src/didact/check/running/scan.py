"""A look at the bytes of all files: which are worth reading, and what they import."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

from didact.check.files.module import has_imports, is_module, is_notebook
from didact.check.files.source import read_bytes
from didact.check.running.options import Options
from didact.check.running.workers import pool

FILES_FOR_SCANNING_TOGETHER = 1000
"""From so many files on their bytes are read by all cores."""

LARGEST_BYSTANDER = 60_000
"""Bytes of a module that has nothing to check; a larger one costs more to read than it tells."""

_MENTIONS_US = re.compile(rb"noqa[^\n]*KD[0-9]|#\s*kd:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the bytes of a file tells.

    Attributes:
        path: The file.
        imports: The modules that it imports.
        interesting: Whether there is something to check in it, not only a way to other files.
        digest: Of its bytes; empty where it cannot be read.
    """

    path: str
    imports: frozenset[str]
    interesting: bool = True
    digest: str = ""


def scan_all(files: Sequence[str], options: Options) -> list[Scan]:
    """The files that have something to look at, in the order given."""
    scan = partial(scan_file, options=options)
    jobs = options.jobs or (os.cpu_count() or 1)
    if jobs > 1 and len(files) >= FILES_FOR_SCANNING_TOGETHER:
        with pool(jobs) as workers:
            found = list(workers.map(scan, files, chunksize=64))
    else:
        found = [scan(path) for path in files]
    return [scan for scan in found if scan is not None]


def scan_file(path: str, options: Options) -> Scan | None:
    """The scan of a file that has something to look at; what cannot be read is told of."""
    try:
        data = read_bytes(path)
    except OSError:
        return Scan(path, frozenset())
    return scan_bytes(path, data, options)


def scan_bytes(path: str, data: bytes, options: Options) -> Scan | None:
    """The same for a file's content."""
    interesting = is_relevant(data, options)
    from didact.check.engine.project import heads_in, imports_in, in_lines

    if not interesting and not path.endswith("__init__.py"):
        if not is_module(path) or len(data) > LARGEST_BYSTANDER:
            return None
        return Scan(path, heads_in(data), interesting=False, digest=digest_of(data))
    imports = frozenset[str]()
    if has_imports(path):
        imports = imports_in(in_lines(data) if is_notebook(path) else data)
    return Scan(path, imports, interesting, digest_of(data))


def digest_of(data: bytes) -> str:
    """What tells one content from another."""
    return blake2b(data, digest_size=16).hexdigest()


def is_relevant(data: bytes, options: Options) -> bool:
    """Whether the bytes hold a name of interest, or a comment that speaks to the checker."""
    if _relevant(options)(data):
        return True
    lowered = data.lower()  # looking for two plain words first is much faster
    return (b"noqa" in lowered or b"kd:" in lowered) and _MENTIONS_US.search(data) is not None


def _relevant(options: Options) -> Callable[[bytes], bool]:
    if options.relevant is not None:
        return options.relevant
    from didact.check.engine.index import relevant

    return relevant
