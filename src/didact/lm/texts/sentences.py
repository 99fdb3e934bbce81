"""Sentences by name: what every Python has, or the user's own lines, with labels where they have.

A text file has a sentence on each line; CSV, TSV and JSON lines have a column for the label too.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from didact._core.errors import DataError, UsageError
from didact.lm.texts.documents import docstrings_by_package

ENDINGS = (".txt", ".csv", ".tsv", ".jsonl")
TEXT_COLUMNS = ("text", "sentence", "utterance", "query", "文本", "句子")
LABEL_COLUMNS = ("label", "intent", "class", "category", "标签", "类别")
PARTS = ("train", "validation", "test")
LINE = '{"text": "...", "label": "..."}'
LONGEST = 10_000
"""Characters of a sentence; what is behind them is not read."""
SHORTEST_DOC, LONGEST_DOC, PACKAGES = 20, 300, 20
_KEEPS_A_TEST = ("test", "validation", "", "train")
"""Of the same sentence twice, the one in the part that comes first here is kept."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """Different sentences, in the order in which they were read.

    Attributes:
        name: How they were asked for.
        texts: Each once.
        labels: What class each is of; None where that is not known.
        groups: Sentences that stand in one place, such as a docstring, have the same number.
        parts: ``"train"``, ``"validation"`` or ``"test"``, where the files say it; else ``""``.
        rows: Which of all sentences, repeated ones counted, each is.
        read: How many there were, with those that are repeated.
        contradicted: How many repeated ones had another label.
        notes: What a user should know of the files.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[str | None, ...]
    groups: tuple[int, ...]
    parts: tuple[str, ...]
    rows: tuple[int, ...]
    read: int
    contradicted: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    label: str | None = None
    group: int | None = None
    part: str = ""


def read_sentences(name: str) -> Sentences:
    """The sentences of a name.

    ``pydoc`` are those in the docstrings of Python's standard library; the label is the package,
    for the twenty packages that say most. ``text:PATH`` is a file ending in .txt, .csv, .tsv or
    .jsonl, or a folder with files ``train``, ``test`` and, if wanted, ``validation`` of such an
    ending. They are UTF-8, or Chinese in GB18030.

    Raises:
        UsageError: No such name.
        DataError: Nothing can be read there.
    """
    if name == "pydoc":
        return _different(name, list(_of_docstrings()), [])
    kind, colon, place = name.partition(":")
    if kind != "text" or not colon or not place:
        raise UsageError(f"the data are {name!r}; expected pydoc or text:PATH of sentences")
    rows: list[_Row] = []
    notes: list[str] = []
    for part, path in _files(Path(place).expanduser()):
        rows += [_Row(r.text, r.label, None, part) for r in _read(path, notes)]
    if not rows:
        raise DataError(f"there is no sentence in {place}; expected one on each line")
    return _different(name, rows, notes)


def read_lines(path: str | Path) -> list[str]:
    """The sentences of one file, in their order and as often as they stand there.

    One that is blank is ``""``, so that answers and lines stay beside each other.

    Raises:
        DataError: It cannot be read, or ends otherwise than :func:`read_sentences` wants.
    """
    ((_, file),) = _files(_a_file(Path(path).expanduser()))
    return [row.text for row in _read(file, [], blank=True)]


def _a_file(place: Path) -> Path:
    if place.is_dir():
        raise DataError(f"{place} is a folder; expected a file with a sentence on each line")
    return place


def _files(place: Path) -> list[tuple[str, Path]]:
    """Files with the part that each is, which is ``""`` for a single one."""
    if place.is_file():
        if place.suffix.lower() not in ENDINGS:
            raise DataError(f"{place} ends in {place.suffix!r}; expected {', '.join(ENDINGS)}")
        return [("", place)]
    if not place.is_dir():
        raise DataError(f"there is no file or folder {place}; expected text:PATH of one that is")
    found = []
    for part in PARTS:
        there = [place / f"{part}{ending}" for ending in ENDINGS]
        files = [path for path in there if path.is_file()]
        if len(files) > 1:
            raise DataError(f"{place} has {files[0].name} and {files[1].name}; expected one")
        found += [(part, path) for path in files]
    if not {"train", "test"} <= {part for part, _ in found}:
        raise DataError(
            f"{place} has not both train and test; expected files such as train.csv and test.csv, "
            "or the path of a single file"
        )
    return found


def _different(name: str, rows: Sequence[_Row], notes: list[str]) -> Sentences:
    """Each sentence once: what is in the test may not be learnt."""
    best: dict[str, int] = {}
    contradicted = 0
    for number, row in enumerate(rows):
        key = " ".join(row.text.split())
        if (known := best.setdefault(key, number)) == number:
            continue
        old = rows[known]
        contradicted += None not in (old.label, row.label) and old.label != row.label
        rank = _KEEPS_A_TEST.index
        if (rank(row.part), row.label is None) < (rank(old.part), old.label is None):
            best[key] = number
    kept = sorted(best.values())
    if cut := sum(len(rows[n].text) > LONGEST for n in kept):
        notes.append(f"sentences of over {LONGEST} characters, not read beyond them: {cut}")
    alone = len(rows)  # the number of a group that no docstring has
    return Sentences(
        name,
        tuple(rows[n].text[:LONGEST] for n in kept),
        tuple(rows[n].label for n in kept),
        tuple(alone + n if (group := rows[n].group) is None else group for n in kept),
        tuple(rows[n].part for n in kept),
        tuple(kept),
        len(rows),
        contradicted,
        tuple(notes),
    )


def _read(path: Path, notes: list[str], *, blank: bool = False) -> Iterator[_Row]:
    text = _decoded(path, notes)
    kind = path.suffix.lower()
    if kind == ".txt":
        lines = text.removesuffix("\n").split("\n") if text else []
        yield from (_Row(line.strip()) for line in lines if blank or line.strip())
    elif kind == ".jsonl":
        yield from _of_json_lines(path, text, blank=blank)
    else:
        yield from _of_table(path, text, "\t" if kind == ".tsv" else ",", blank=blank)


def _decoded(path: Path, notes: list[str]) -> str:
    """UTF-8, UTF-16 with its mark, or Chinese in GB18030."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return _plain_ends(content.decode(encoding))
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if not _is_chinese(text):
        raise DataError(
            f"{path} is neither UTF-8 nor Chinese in GB18030; expected text in one of them"
        )
    notes.append(f"{path} is not UTF-8; it is read as GB18030")
    return _plain_ends(text)


def _plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_chinese(text: str) -> bool:
    """Whether what is no ASCII is of the usual characters, as it is not in another encoding."""
    others = [letter for letter in text if letter > "\x7f"]
    usual = sum(bool(letter.encode("gb2312", "ignore")) for letter in others)
    return bool(others) and usual >= 0.9 * len(others)


def _of_json_lines(path: Path, text: str, *, blank: bool) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"line {number} of {path} is no JSON ({error}); expected {LINE} on each line"
            ) from None
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise DataError(
                f"line {number} of {path} is no object with a text; expected {LINE} on each line"
            )
        if blank or value["text"].strip():
            yield _Row(value["text"].strip(), _label(path, number, value.get("label")))


def _label(path: Path, number: int, value: Any) -> str | None:
    if isinstance(value, list | dict):
        raise DataError(
            f"line {number} of {path} has the label {value!r}; expected a word or a number"
        )
    if value is None or value != value or not str(value).strip():
        return None
    return str(value).strip()


def _of_table(path: Path, text: str, comma: str, *, blank: bool) -> Iterator[_Row]:
    limit = csv.field_size_limit(2**31 - 1)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=comma))
    except csv.Error as error:
        raise DataError(f"{path} is no table that can be read: {error}") from None
    finally:
        csv.field_size_limit(limit)
    if not lines:
        return
    names = [name.strip().lower() for name in lines[0]]
    sentence = next((names.index(name) for name in TEXT_COLUMNS if name in names), None)
    label = next((names.index(name) for name in LABEL_COLUMNS if name in names), None)
    if sentence is None:
        raise DataError(
            f"the first line of {path} is {lines[0][:4]}; expected the names of the columns, one "
            f"of them {', '.join(TEXT_COLUMNS[:4])}, and for the labels {LABEL_COLUMNS[0]}"
        )
    for number, line in enumerate(lines[1:], 2):
        if len(line) <= sentence or not (blank or line[sentence].strip()):
            continue
        found = line[label] if label is not None and len(line) > label else None
        yield _Row(line[sentence].strip(), _label(path, number, found))


def _of_docstrings() -> Iterator[_Row]:
    """Sentences of docstrings; each docstring is a group, and the package the label."""
    rows = [
        _Row(piece, package, group)
        for group, (package, text) in enumerate(docstrings_by_package())
        for piece in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(text.split()))
        if SHORTEST_DOC <= len(piece) <= LONGEST_DOC
    ]
    counts: dict[str, int] = {}
    for row in rows:
        counts[str(row.label)] = counts.get(str(row.label), 0) + 1
    largest = sorted(counts, key=lambda package: (-counts[package], package))[:PACKAGES]
    for row in rows:
        yield row if row.label in largest else _Row(row.text, None, row.group)
