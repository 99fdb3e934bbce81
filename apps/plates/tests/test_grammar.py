"""The grammar of GA 36 and the search under it."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from didact_plates.grammar import ALPHABET, FORMS, HANZI, INDEX, best_text, form_of, is_valid


def frames_of(text: str, sure: float = 0.9) -> np.ndarray:
    """Log-probabilities that spell ``text``: two frames a character, a blank after each."""
    rows = []
    for character in text:
        for index in (1 + INDEX[character], 1 + INDEX[character], 0):
            row = np.full(1 + len(ALPHABET), (1 - sure) / len(ALPHABET))
            row[index] = sure
            rows.append(row)
    return np.log(np.array(rows))


def test_the_alphabet_has_34_letters_and_digits_and_38_hanzi() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 72
    assert len(HANZI) == 38
    assert not set("IO") & set(ALPHABET)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("京A12345", "ordinary"),
        ("粤B8K88Z", "ordinary"),
        ("京A1234警", "special"),
        ("粤Z1234港", "special"),
        ("使123456", "embassy"),
        ("京AD12345", "new energy, small"),
        ("京AFA2345", "new energy, small"),
        ("京A12345D", "new energy, large"),
    ],
)
def test_each_form_is_known(text: str, form: str) -> None:
    found = form_of(text)
    assert found is not None
    assert found.name == form


@pytest.mark.parametrize(
    "text",
    ["", "京", "A123456", "京112345", "京A1234", "京AO2345", "京A1234京", "京AZ12345", "使12345A"],
)
def test_what_no_form_allows(text: str) -> None:
    assert not is_valid(text)


@pytest.mark.parametrize("text", ["京A88888", "沪C00112", "苏EF01234", "京A1234学", "使111222"])
def test_the_search_finds_what_the_frames_spell(text: str) -> None:
    found, score = best_text(frames_of(text))
    assert found == text
    assert -6 < score < 0


def test_the_grammar_decides_between_d_and_zero() -> None:
    frames = frames_of("京012345")
    frames[3:5, 1 + INDEX["D"]] = np.log(0.08)
    assert best_text(frames)[0] == "京D12345"


def test_what_surely_is_blank_still_parts_equal_characters() -> None:
    frames = frames_of("京A11111", sure=0.9999)
    frames = np.repeat(frames, 3, axis=0)
    assert best_text(frames)[0] == "京A11111"


def test_no_plate_in_frames_without_characters() -> None:
    blank = np.full((32, 1 + len(ALPHABET)), np.log(1e-9))
    blank[:, 0] = 0.0
    assert best_text(blank) == ("", -np.inf)


def test_the_score_is_that_of_all_paths() -> None:
    logits = torch.randn(16, 1 + len(ALPHABET), generator=torch.Generator().manual_seed(0))
    for place, character in enumerate("使123456"):
        logits[2 * place, 1 + INDEX[character]] += 9
        logits[2 * place + 1, 0] += 9
    frames = logits.log_softmax(-1)
    found, score = best_text(frames.numpy(), beam=60)
    target = torch.tensor([[1 + INDEX[character] for character in found]])
    loss = F.ctc_loss(frames[:, None], target, (16,), (len(found),), reduction="sum")
    assert found == "使123456"
    assert score == pytest.approx(-float(loss), abs=0.03)


def test_every_form_begins_with_a_hanzi() -> None:
    assert all(set(form.places[0]) <= set(HANZI) for form in FORMS)
