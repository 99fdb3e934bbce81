"""Texts by name: what every Python has, or the user's own files."""

from __future__ import annotations

import hashlib
import json
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from didact._core.errors import DataError, UsageError

ENDINGS = (".txt", ".md", ".rst", ".py", ".jsonl")
_DOCSTRING = re.compile(r'^[ \t]+[rRuU]?"""(.+?)"""', re.MULTILINE | re.DOTALL)
SHORTEST = 80
"""Letters of a docstring; shorter ones are names of arguments."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Texts, each a whole.

    Attributes:
        name: How they were asked for.
        texts: In a fixed order.
        plenty: More text of the same kind, which a student is not shown.
    """

    name: str
    texts: tuple[str, ...]
    plenty: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Of all texts in their order."""
        found = hashlib.sha256()
        for text in (*self.texts, "\0", *self.plenty):
            found.update(len(text).to_bytes(8, "little") + text.encode("utf-8", "surrogatepass"))
        return found.hexdigest()


def read_documents(name: str) -> Documents:
    """The texts of a name.

    ``pydoc`` are the topics of Python's own help, and as more text of the kind the docstrings of
    its standard library. ``text:PATH`` is a file or a folder of files ending in .txt, .md, .rst,
    .py, or .jsonl with an object with a ``text`` on each line; a file, or such a line, is a text.

    Raises:
        UsageError: No such name.
        DataError: Nothing can be read there.
    """
    if name == "pydoc":
        return Documents(name, tuple(_topics()), tuple(_docstrings()))
    kind, colon, place = name.partition(":")
    if kind != "text" or not colon or not place:
        raise UsageError(f"the text is {name!r}; expected pydoc or text:PATH")
    files = _files(Path(place))
    texts = tuple(text for path in files for text in _read(path) if text.strip())
    if files and not texts:
        raise DataError(f"there is no text in {place}: its files hold nothing")
    if not texts:
        raise DataError(f"there is no text in {place}; expected files ending in {_endings()}")
    return Documents(name, texts)


def _endings() -> str:
    return ", ".join(ENDINGS)


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(p for p in place.rglob("*") if p.suffix in ENDINGS and p.is_file())
    if not place.is_file():
        raise DataError(f"there is no file or folder {place}; expected text:PATH of one that is")
    return [place]


def _read(path: Path) -> Iterator[str]:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise DataError(
            f"{path} is not UTF-8; bring it to that encoding, such as by iconv -f GB18030 -t UTF-8"
        ) from None
    if path.suffix != ".jsonl":
        yield text
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield str(json.loads(line)["text"])
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"line {number} of {path} is no object with a text; expected "
                '{"text": "..."} on each line'
            ) from None


def _topics() -> list[str]:
    topics: dict[str, str] = import_module("pydoc_data.topics").topics
    return [topics[name] for name in sorted(topics)]


def _docstrings() -> Iterator[str]:
    seen = set()
    for _, text in docstrings_by_package():
        if len(text) >= SHORTEST and text not in seen:
            seen.add(text)
            yield text


def docstrings_by_package() -> Iterator[tuple[str, str]]:
    """Those of the standard library with the package or module that each is of.

    They are found by their form: parsing all of it would take a minute.
    """
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        if {"site-packages", "test", "tests", "idle_test"} & set(path.parts):
            continue
        try:
            source = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        package = path.relative_to(library).parts[0].removesuffix(".py")
        for match in _DOCSTRING.finditer(source):
            yield package, match[1].strip()
