"""``didact cache``, once its options are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from torch import Tensor, nn

from didact import lm
from didact._core.errors import ModelError, RangeError, UsageError
from didact._core.lookup import is_import_path, load
from didact.cli._console import console
from didact.cli._speech import said


@dataclass(frozen=True)
class Text:
    """A teacher and a text, as they were typed."""

    teacher: str | None
    tokenizer: Path | None
    data: str | None
    window: int | None
    batch_size: int

    def model(self) -> tuple[nn.Module, Any]:
        """The teacher and its tokenizer.

        Raises:
            UsageError: One of them is not named.
            ModelError: The teacher is no model.
        """
        if self.teacher is None:
            raise UsageError("name the teacher with --teacher: hf:DIR or file.py:Name")
        kind, _, place = self.teacher.partition(":")
        if kind == "hf":
            given = None if self.tokenizer is None else lm.read_tokenizer(self.tokenizer)
            return lm.read_transformers(place, tokenizer=given)
        if not is_import_path(self.teacher):
            raise UsageError(f"--teacher is {self.teacher!r}; expected hf:DIR or file.py:Name")
        if self.tokenizer is None:
            raise UsageError("name the tokenizer of this teacher with --tokenizer FILE")
        made = load(self.teacher, what="model")
        if not isinstance(made, nn.Module) and callable(made):
            made = made()
        if not isinstance(made, nn.Module):
            raise ModelError(
                f"{self.teacher} gave {type(made).__name__}; expected a torch.nn.Module"
            )
        return made, lm.read_tokenizer(self.tokenizer)

    def rows(self, tokenizer: Any, rows: int | None = None) -> Tensor:
        """The windows of the text, for a model with so many rows of token vectors.

        Raises:
            UsageError: No text is named.
        """
        if self.data is None:
            raise UsageError("name the text with --data: pydoc or text:PATH")
        texts = lm.read_documents(self.data).texts
        for note in lm.notes_on_tokenizer(str(self.teacher), tokenizer, rows, texts):
            console(stderr=True).print(said(note), markup=False, highlight=False)
        window = 512 if self.window is None else self.window
        return lm.windows_of(lm.encode(tokenizer, texts), window)


def build(
    folder: Path,
    text: Text,
    k: int,
    temperatures: tuple[float, ...],
    logits: str | None,
    ids: str,
) -> None:
    """Run the teacher over the text, or over the rest of it."""
    model, tokenizer = text.model()
    rows = text.rows(tokenizer, lm.rows_of(model))
    with _progress("rows") as told:
        lm.TeacherCache.build(
            folder,
            model,
            rows,
            k=k,
            temperatures=temperatures,
            tokenizer=tokenizer,
            name=str(text.teacher),
            logits=logits,  # type: ignore[arg-type]
            ids=ids,  # type: ignore[arg-type]
            batch_size=text.batch_size,
            progress=told,
        )
    info(folder)


def verify(folder: Path, text: Text, rows: int) -> None:
    """Compare every file with its digest, and some rows with the teacher run again."""
    against = data = None
    if rows < 1:
        raise RangeError(f"rows is {rows}; expected 1 or more")
    if text.teacher is None and text.data is not None:
        raise UsageError("the text is for the teacher to read again; add --teacher")
    cache = lm.TeacherCache.open(folder)
    if text.teacher is not None:
        own = cache.header.tokens // cache.header.rows
        if text.window not in (None, own):
            raise UsageError(
                f"the window is {text.window} and the rows of {folder} have {own} tokens; leave "
                "out --window"
            )
        text = replace(text, window=own)
        against, tokenizer = text.model()
        cache = lm.TeacherCache.open(folder, tokenizer=tokenizer, teacher=against)
        every = text.rows(tokenizer)
        data = every[:: max(1, len(every) // rows)][:rows]
    with _progress("files") as told:
        found = cache.verify(against=against, rows=data, progress=told)
    print_ = console().print
    print_(said(f"{found.files} files, {found.bytes} bytes: each has its digest"))
    if against is not None:
        print_(
            said(
                f"{found.rows} rows again: logits differ by at most {found.largest:.3g}, two runs "
                f"of the teacher by {found.control:.3g}"
            )
        )


def info(folder: Path) -> None:
    """What a cache answers for, and how large it is."""
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in lm.TeacherCache.open(folder).info().items():
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        if isinstance(value, dict | tuple):
            values = value.items() if isinstance(value, dict) else value
            shown = ", ".join(
                " ".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in values
            )
        table.add_row(name.replace("_", " "), escape(shown or "-"))
    console().print(table)


def convert(
    source: str,
    folder: Path,
    tokenizer: Path | None,
    classes: int | None,
    k: int | None,
    temperature: list[float] | None,
) -> None:
    """A cache from what another program has written."""
    if temperature is not None and len(temperature) != 1:
        raise UsageError("what is converted knows one temperature; give --temperature once")
    with _progress("rows") as told:
        lm.convert(
            source,
            folder,
            tokenizer=None if tokenizer is None else lm.read_tokenizer(tokenizer),
            classes=classes,
            k=k,
            temperature=temperature[0] if temperature else 1.0,
            progress=told,
        )
    info(folder)


@contextmanager
def _progress(what: str) -> Iterator[lm.Progress]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(said(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
