"""The answers of ``didact predict``, as text, CSV or JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator

from didact._core.text import file_name, printable
from didact.cli._console import console
from didact.train import Prediction


def show(answers: Iterable[Prediction], task: str, output: str, what: str = "file") -> int:
    """Print each answer as soon as it is there; JSON comes as one list.

    Args:
        answers: Of ``Predictor.predict``.
        task: Whether the values are probabilities or numbers.
        output: ``"text"``, ``"csv"`` or ``"json"``.
        what: What the answers are of.

    Returns:
        How many files could not be read; each of them is said on the error stream.
    """
    unread: list[Prediction] = []
    answers = _said(answers, unread)
    value = "value" if task == "regression" else "probability"
    if output == "csv":
        _show_csv(answers, value, what)
    elif output == "json":
        whole = [_as_json(answer, value, what) for answer in answers]
        sys.stdout.write(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    else:
        for answer in answers:
            sys.stdout.write(_as_text(answer, task) + "\n")
    return len(unread)


def _said(answers: Iterable[Prediction], unread: list[Prediction]) -> Iterator[Prediction]:
    """The answers; what could not be read is said and gathered."""
    for answer in answers:
        if answer.error is None:
            yield answer
        else:
            text = printable(f"error: {answer.error}")
            console(stderr=True).print(text, markup=False, soft_wrap=True, highlight=False)
            unread.append(answer)


def _as_text(answer: Prediction, task: str) -> str:
    """``photos/1.png  owl 97.3 %, cat 2.1 %``."""
    said = [
        f"{printable(name)} {value:.4g}"
        if task == "regression"
        else f"{printable(name)} {100 * value:.1f} %"
        for name, value in answer.classes
    ]
    return f"{file_name(str(answer.file))}  {', '.join(said)}".rstrip()


def _as_json(answer: Prediction, value: str, what: str) -> dict[str, object]:
    classes = [{"class": name, value: number} for name, number in answer.classes]
    first = classes[0] if classes else {"class": None, value: None}
    return {what: file_name(str(answer.file)), **first, "classes": classes}


def _show_csv(answers: Iterable[Prediction], value: str, what: str) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([what, "rank", "class", value])
    for answer in answers:
        if not answer.classes:
            writer.writerow([file_name(str(answer.file)), 1, "", ""])
        for rank, (name, number) in enumerate(answer.classes, start=1):
            writer.writerow([file_name(str(answer.file)), rank, name, f"{number:.6g}"])
