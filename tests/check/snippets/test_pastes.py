"""Each paste gives exactly the code that stands in it, and so does each change of that code."""

from __future__ import annotations

from typing import Any

import pytest
from tests.check.snippets.support import (
    EXPLAINED,
    LOSSLESS,
    LOSSY,
    PASTES,
    expectations,
    paste,
    shape,
    without_comments,
)

from didact.check.snippet import recover

ROWS = expectations()
KEPT = 0.95
"""The share of pastes whose nesting is guessed right from their code alone."""


def test_there_are_enough_in_both_languages() -> None:
    assert len(ROWS) >= 120
    assert sum(row["language"] == "zh" for row in ROWS) >= 50
    assert sum(row["language"] == "en" for row in ROWS) >= 50
    files = [path.name for folder in (PASTES, EXPLAINED) for path in folder.glob("*.txt")]
    assert {row["file"] for row in ROWS} == set(files)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"].removesuffix(".txt"))
def test_the_code_is_recovered(row: dict[str, Any]) -> None:
    recovered = recover(paste(row["file"]))
    assert shape(recovered.source) == shape(row["recovered"]), recovered.source
    assert len(recovered.line_map) == recovered.source.count("\n")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"].removesuffix(".txt"))
def test_the_question_is_given_back(row: dict[str, Any]) -> None:
    question = recover(paste(row["file"])).question
    assert (question.text if question else None) == row["asked"]
    if question is not None:
        chinese = any("\u4e00" <= c <= "\u9fff" for c in row["asked"])
        assert question.language == ("zh" if chinese else "en")


@pytest.mark.parametrize("form", LOSSLESS)
def test_what_a_page_adds_changes_nothing(form: str) -> None:
    for row in ROWS:
        code = row["recovered"].rstrip("\n")
        got = recover(LOSSLESS[form](code)).source
        assert shape(got) == shape(code), (row["file"], got)


@pytest.mark.parametrize("form", LOSSY)
def test_lost_newlines_and_indentation_are_guessed_right_mostly(form: str) -> None:
    wrong = []
    for row in ROWS:
        code = without_comments(row["recovered"]).rstrip("\n")
        if shape(recover(LOSSY[form](code)).source) != shape(code):
            wrong.append(row["file"])
    assert len(wrong) <= (1 - KEPT) * len(ROWS), wrong
