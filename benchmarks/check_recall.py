"""How many labelled mistakes of public code does `didact check` find, how many right places flag?

    python benchmarks/check_recall.py LABELS.csv FOLDER [--verbose]

LABELS.csv has the columns repo, path, commit, start_line, end_line, label, reason. FOLDER holds
the repositories as ``owner+name`` (a bare repository, a clone, or either of them under ``repo/``),
or as plain folders with the files. A file is read at the commit named, else at HEAD, else from
the folder, and checked for itself.

With the columns repo, path, start, end, verdict, kinds and, for notebooks, line, cell and
line_in_cell instead, FOLDER holds plain folders, and each repository is checked as a whole: helpers
and callers in other files count. ``verdict`` is ``right``, ``wrong`` or ``unclear`` (left out).

A labelled mistake counts as found if a rule that names that kind in its ``CATALOGUE`` has a finding
within three lines of the place. A place labelled ``clean`` counts as flagged if any rule has a
finding of severity warning or error that starts in it; infos are counted apart.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from didact.check import Diagnostic, Options, Selection, Settings, check_paths
from didact.check.engine.engine import analyse
from didact.check.findings.finding import Finding, Severity
from didact.check.rules import RULES, findings_of

SLACK = 3


@dataclass(frozen=True)
class Place:
    """One row of the labels."""

    repo: str
    path: str
    commit: str
    start: int
    end: int
    labels: tuple[str, ...]


def read_places(labels: Path) -> list[Place]:
    """The rows, a row with several labels kept as one place."""
    with labels.open(encoding="utf-8", newline="") as file:
        return [
            Place(
                row["repo"],
                row["path"],
                row["commit"],
                int(row["start_line"]),
                int(row["end_line"]),
                tuple(label.removesuffix("(latent)") for label in row["label"].split("|")),
            )
            for row in csv.DictReader(file)
        ]


def read_source(folder: Path, place: Place) -> str | None:
    """The file at its commit, at HEAD, or in the folder."""
    base = folder / place.repo.replace("/", "+")
    for directory in (base, base / "repo", base / ".git", base / "repo" / ".git"):
        if not (directory / "HEAD").exists():
            continue
        for commit in (place.commit, "HEAD"):
            command = ["git", "--git-dir", str(directory), "show", f"{commit}:{place.path}"]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode == 0:
                return done.stdout.decode("utf-8", "replace")
    plain = base / place.path
    return plain.read_text(encoding="utf-8", errors="replace") if plain.exists() else None


def findings_in(source: str, place: Place) -> list[Finding]:
    """The findings near a place; nothing if the file does not parse."""
    try:
        found = findings_of(analyse(source, path=place.path))
    except SyntaxError:
        return []
    low, high = place.start - SLACK, place.end + SLACK
    return [f for f in found if f.span.line <= high and f.span.end_line >= low]


def measure_projects(labels: Path, folder: Path, *, verbose: bool) -> None:
    """Measure and print for labels of whole repositories."""
    with labels.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["verdict"] != "unclear"]
    reports = {
        repo: _check_project(folder / repo.replace("/", "+")) for repo in {r["repo"] for r in rows}
    }
    count: Counter[str] = Counter()
    for row in rows:
        near = [d for d in reports[row["repo"]] if _is_near(d, row, SLACK)]
        wanted = _kinds_of(row)
        got = {kind for kind in wanted if _codes_for(kind) & {d.code for d in near}}
        if row["verdict"] == "wrong":
            count.update(
                places=1, labels=len(wanted), found=len(got), hit=bool(got), any=bool(near)
            )
        else:
            inside = [d for d in near if _is_near(d, row, 0)]
            loud = [d for d in inside if d.finding.severity is not Severity.INFO]
            count.update(right=1, flagged=bool(loud), informed=bool(inside) and not loud)
        if verbose and (wanted - got or (row["verdict"] == "right" and near)):
            codes = sorted({d.code for d in near})
            place = f"{row['repo']} {row['path']}:{row['start']}-{row['end']}"
            print(f"{row['verdict']} {place} wanted {sorted(wanted)} has {codes}")
    print(f"labels found               {count['found']}/{count['labels']}")
    print(f"places with a hit          {count['hit']}/{count['places']}")
    print(f"places with any finding    {count['any']}/{count['places']}")
    print(f"right places flagged       {count['flagged']}/{count['right']}", end="")
    print(f" (and {count['informed']} with an info)")


def _check_project(folder: Path) -> list[Diagnostic]:
    """The findings in a repository; paths are made relative to it."""
    options = Options(Settings(root=folder, selection=Selection(("KD",))))
    report = check_paths([folder], options)
    return [
        replace(d, path=Path(d.path).resolve().relative_to(folder.resolve()).as_posix())
        for d in report.diagnostics
    ]


def _is_near(diagnostic: Diagnostic, row: dict[str, str], slack: int) -> bool:
    """Whether a finding lies in a labelled place; lines in a notebook count from its cell."""
    start, end = int(row["start"]), int(row["end"])
    if row.get("cell"):
        if diagnostic.cell is None or diagnostic.cell != int(row["cell"]) + 1:
            return False
        shift = int(row["line"]) - int(row["line_in_cell"])
        start, end = start - shift, end - shift
    span = diagnostic.finding.span
    same = diagnostic.path == row["path"]
    return same and span.line <= end + slack and span.end_line >= start - slack


def _kinds_of(row: dict[str, str]) -> set[str]:
    """The kinds of a label; what is outside of the catalogue goes by the word before its reason."""
    kinds = set(filter(None, row["kinds"].split(";")))
    said = re.findall(r"(?:^|; )([A-Z0-9][A-Z0-9-]+):", row["why"])
    return {said[0] if kind == "OTHER" and said else kind for kind in kinds}


_SAYS_TOO = {
    "KD106": ("ARGS-REVERSED",),  # of two softmaxes: the sides exchanged
    "KD107": ("KL-INPUT-PROBS", "KL-TARGET-LOG"),
    "KD119": ("KL-INPUT-RAW", "KL-TARGET-RAW"),
    "KD123": ("SWAPPED",),
    "KD124": ("SOFTMAX-OF-SOFTMAX",),  # says that one of the two is wrong
    "KD125": ("CE-ON-PROBS", "SOFTMAX-OF-SOFTMAX"),
    "KD209": ("UNDEFINED-VAR",),
    "KD210": ("NO-T2",),
    "KD211": ("T-ONE-SIDE",),
    "KD512": ("TEACHER-TRAIN-MODE",),
    "KD313": ("BATCH-TWICE", "NORMALISED-TWICE", "NORMALISED-THRICE"),
    "KD304": ("KL-MEAN",),  # kl_div(..., reduction="none").mean() is the same number
}
"""Rules that find several kinds at once and say so in their message; the same kind in Keras."""


def _codes_for(kind: str) -> set[str]:
    """The rules for a kind; ``ABS/CLAMP-HIDES-NEGATIVE`` stands for two."""
    names = {kind}
    if "/" in kind:
        head, _, tail = kind.partition("/")
        rest = tail.partition("-")[2]
        names |= {f"{head}-{rest}", tail}
    told = {code for code, kinds in _SAYS_TOO.items() if kind in kinds}
    return told | {code for code, rule in RULES.items() if names & set(rule.catalogue)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if "verdict" in options.labels.open(encoding="utf-8").readline():
        measure_projects(options.labels, options.folder, verbose=options.verbose)
        return
    kinds = {kind: code for code, rule in RULES.items() for kind in rule.catalogue}
    hits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    places = found_places = clean = flagged = informed = missing = 0
    for place in read_places(options.labels):
        source = read_source(options.folder, place)
        if source is None:
            missing += 1
            continue
        near = findings_in(source, place)
        codes = {finding.code for finding in near}
        if place.labels == ("clean",):
            clean += 1
            inside = [f for f in near if place.start <= f.span.line <= place.end]
            loud = [f for f in inside if f.severity is not Severity.INFO]
            flagged += bool(loud)
            informed += bool(inside) and not loud
            if options.verbose and inside:
                marks = [finding.code for finding in inside]
                print(f"clean, flagged  {place.repo} {place.path}:{place.start} {marks}")
            continue
        got = [label for label in place.labels if kinds.get(label, "?") in codes]
        places += 1
        found_places += bool(got)
        totals.update(place.labels)
        hits.update(got)
        if options.verbose and len(got) < len(place.labels):
            lost = [label for label in place.labels if label not in got]
            print(f"missed {lost}  {place.repo} {place.path}:{place.start} has {sorted(codes)}")
    print(f"\n{'kind':28}found of")
    for kind in sorted(totals):
        print(f"{kind:28}{hits[kind]:5}{totals[kind]:5}")
    recall, by_place = sum(hits.values()) / max(totals.total(), 1), found_places / max(places, 1)
    print(f"\nlabels found           {sum(hits.values())}/{totals.total()} = {recall:.1%}")
    print(f"places with a hit      {found_places}/{places} = {by_place:.1%}")
    share = flagged / max(clean, 1)
    print(f"clean places flagged   {flagged}/{clean} = {share:.1%} (and {informed} with an info)")
    print(f"places not available   {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
