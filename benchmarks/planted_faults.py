"""Plant one fault after another in a copy of the source and see whether the tests notice.

    python benchmarks/planted_faults.py                         # all of them
    python benchmarks/planted_faults.py --floor train --jobs 2
    python benchmarks/planted_faults.py --write docs/planted-faults.md

A fault is seen when the tests named beside it fail. That these tests pass without it is tried
first, so that a broken test is not taken for a watchful one.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from tests.planted import Fault, FaultError, all_faults, place_of  # noqa: E402

TIMEOUT = 300
PASSED, FAILED, INTERRUPTED = 0, 1, 2
"""Of pytest's exit codes; a file that cannot be imported any more interrupts it."""


@dataclass(frozen=True)
class Outcome:
    """What the tests said to one fault.

    Attributes:
        by: The test that failed first, or what pytest said last where none did.
    """

    fault: Fault
    seen: bool
    seconds: float
    by: str


def run_tests(source: Path, tests: str) -> tuple[int | None, str]:
    """Pytest's exit code, None where it took too long, and the end of what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(source / "hypothesis")  # not the user's
    environment.setdefault("OMP_NUM_THREADS", "1")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    arguments = [*command, *(["-n", "0"] if _has_xdist() else []), *shlex.split(tests)]
    try:
        done = subprocess.run(
            arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return None, f"took more than {TIMEOUT} seconds"
    return done.returncode, "\n".join(done.stdout.splitlines()[-12:])


def _has_xdist() -> bool:
    try:
        import xdist  # noqa: F401
    except ImportError:
        return False
    return True


def plant(fault: Fault, source: Path) -> Outcome:
    """Plant the fault in this copy, run its tests, and take it out again.

    Raises:
        FaultError: The fault's text does not stand exactly once, or pytest could not run.
    """
    path, changed = place_of(fault, source / "didact")
    right, began = path.read_text(encoding="utf-8"), time.monotonic()
    path.write_text(changed, encoding="utf-8")
    try:
        code, words = run_tests(source, fault.tests)
    finally:
        path.write_text(right, encoding="utf-8")
    if code not in (PASSED, FAILED, INTERRUPTED, None):
        raise FaultError(f"{fault.floor}: {fault.name}: pytest ended with {code}:\n{words}")
    return Outcome(fault, code != PASSED, time.monotonic() - began, _first_failure(words))


def _first_failure(words: str) -> str:
    """The test that failed, from the end of what pytest printed; its last line where none did."""
    lines = words.splitlines()
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    if failed:
        return failed[0].split(" ", 1)[1].partition(" - ")[0]
    return lines[-1].strip() if lines else ""


def check_tests(faults: Sequence[Fault], source: Path) -> None:
    """Raise where the tests fail without any fault.

    Raises:
        FaultError: They do.
    """
    for tests in sorted({fault.tests for fault in faults}):
        code, words = run_tests(source, tests)
        if code != PASSED:
            raise FaultError(f"without any fault, pytest {tests} ends with {code}:\n{words}")


def plant_all(faults: Sequence[Fault], jobs: int, *, check: bool) -> list[Outcome]:
    """Plant them one at a time in each of ``jobs`` copies of the source."""
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            copy = Path(folder) / str(number)
            shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
            copies.put(copy)

        def one(fault: Fault) -> Outcome:
            copy = copies.get()
            try:
                found = plant(fault, copy)
            finally:
                copies.put(copy)
            said = "seen  " if found.seen else "UNSEEN"
            print(f"{said} {found.seconds:6.1f} s  {fault.floor}: {fault.name}  [{found.by}]")
            return found

        if check:
            copy = copies.get()
            check_tests(faults, copy)
            copies.put(copy)
        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(one, faults))


def table(outcomes: Iterable[Outcome]) -> str:
    """Markdown, a row for each floor and one for all."""
    by_floor: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_floor.setdefault(outcome.fault.floor, []).append(outcome)
    lines = ["| floor | planted | seen | share | not seen |", "|---|---|---|---|---|"]
    every = [outcome for found in by_floor.values() for outcome in found]
    for name, found in [*by_floor.items(), ("all", every)]:
        seen = sum(outcome.seen for outcome in found)
        unseen = "" if name == "all" else "; ".join(o.fault.name for o in found if not o.seen)
        lines.append(f"| {name} | {len(found)} | {seen} | {seen / len(found):.0%} | {unseen} |")
    return "\n".join(lines)


PAGE = """\
# Planted faults

Each fault is one plausible mistake in the source: a wrong sign, a swapped argument, a factor or a
guard that is gone. It is planted in a copy, and the tests that stand beside it in `tests/planted`
are run. A fault is seen when they fail; the same tests pass without it.

{table}

The command: `{command}`
"""


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--floor", action="append", help="only this floor; may be repeated")
    parser.add_argument("--only", help="only the faults whose name contains this")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--no-check", action="store_true", help="do not try the tests first")
    parser.add_argument("--write", type=Path, help="a markdown page for the table")
    options = parser.parse_args()
    faults = [
        fault
        for fault in all_faults()
        if (not options.floor or fault.floor in options.floor)
        and (not options.only or options.only in fault.name)
    ]
    if not faults:
        parser.error("there is no such fault; see tests/planted")
    if options.jobs < 1:
        parser.error(f"--jobs is {options.jobs}; expected at least 1")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        for fault in faults:
            place_of(fault)
        outcomes = plant_all(faults, options.jobs, check=not options.no_check)
    except FaultError as error:
        sys.exit(str(error))
    print("\n" + table(outcomes))
    if options.write is not None:
        command = shlex.join(["python", "benchmarks/planted_faults.py", *sys.argv[1:]])
        text = PAGE.format(table=table(outcomes), command=command)
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
