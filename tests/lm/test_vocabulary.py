"""Ids that mean the same, padded ids, and ids that do not: found before anything is trained."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from didact._core.errors import ShapeError, UsageError
from didact.lm import Vocabulary, pair_vocabularies
from didact.losses import TopK

WORDS = ["the", "cat", "sat", "on", "a", "mat", ".", "猫", " ", "\n"]
IDS = {word: number for number, word in enumerate(WORDS)}


class Transformers:
    """As tokenizers and transformers have it."""

    def get_vocab(self) -> dict[str, int]:
        return IDS


class SentencePiece:
    def get_piece_size(self) -> int:
        return len(WORDS)

    def id_to_piece(self, number: int) -> str:
        return WORDS[number]


class TikToken:
    n_vocab = len(WORDS) + 2

    def decode_single_token_bytes(self, number: int) -> bytes:
        if number >= len(WORDS):
            raise KeyError(number)
        return WORDS[number].encode()


@pytest.mark.parametrize("tokenizer", [IDS, WORDS, Transformers(), SentencePiece()])
def test_whatever_has_ids_has_a_vocabulary(tokenizer: Any) -> None:
    assert Vocabulary.of(tokenizer).digest == Vocabulary.of(WORDS).digest
    pair = pair_vocabularies(tokenizer, Transformers())
    assert (pair.kind, pair.classes, pair.only_student, pair.only_teacher) == ("same", 10, (), ())


def test_a_tokenizer_of_bytes_has_one_too() -> None:
    assert Vocabulary.of(TikToken()).size == len(WORDS)
    assert pair_vocabularies(TikToken(), TikToken()).kind == "same"


def test_the_tokenizers_of_the_libraries_are_understood() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(IDS, unk_token="."))
    assert Vocabulary.of(plain).digest == Vocabulary.of(IDS).digest
    plain.add_special_tokens(["<|end|>"])
    assert pair_vocabularies(plain, IDS).only_student == (10,)
    transformers = pytest.importorskip("transformers")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=plain)
    assert pair_vocabularies(fast, plain).kind == "same"


@pytest.mark.parametrize("seed", range(20))
def test_ids_that_mean_other_tokens_are_refused_and_shown(seed: int) -> None:
    """A permuted vocabulary of the same size, which a comparison of sizes lets through."""
    draw = random.Random(seed)
    first, second = draw.sample(range(len(WORDS)), 2)
    words = list(WORDS)
    words[first], words[second] = words[second], words[first]
    least = min(first, second)
    with pytest.raises(UsageError, match="2 of 10 ids mean another token") as error:
        pair_vocabularies(WORDS, words)
    assert f"{least} is {WORDS[least]!r} to the student and {words[least]!r}" in str(error.value)


def test_of_many_ids_the_first_five_are_shown() -> None:
    with pytest.raises(UsageError) as error:
        pair_vocabularies(WORDS, [*WORDS[1:], WORDS[0]])
    assert str(error.value).count(" to the student") == 5
    assert "9 is" not in str(error.value)


def test_rows_without_a_token_are_harmless_and_get_no_probability() -> None:
    pair = pair_vocabularies(IDS, IDS, student_classes=16, teacher_classes=12)
    assert (pair.kind, pair.classes) == ("padded", 12)
    logits = torch.randn(2, 3, 12)
    found = pair.align(logits)
    assert found.shape == (2, 3, 16)
    torch.testing.assert_close(found.softmax(-1)[..., :10], logits[..., :10].softmax(-1))
    assert found.softmax(-1)[..., 10:].sum() == 0, "rows that no token has"
    cut = pair_vocabularies(IDS, IDS, student_classes=12, teacher_classes=16)
    assert torch.equal(cut.align(found), found[..., :12])
    with pytest.raises(ShapeError, match="16"):
        cut.align(logits)


def test_what_is_kept_of_a_teacher_is_brought_to_the_classes_of_the_student() -> None:
    logits = torch.randn(2, 3, 12)
    logits[..., 10:] = -20.0
    kept = TopK.of(logits, 4)
    more = pair_vocabularies(IDS, IDS, student_classes=16, teacher_classes=12).align(kept)
    fewer = pair_vocabularies(IDS, IDS, student_classes=10, teacher_classes=12).align(kept)
    assert (more.shape, fewer.shape) == ((2, 3, 16), (2, 3, 10))
    assert torch.equal(more.residual(), kept.residual())
    pair = pair_vocabularies(IDS, IDS, student_classes=10, teacher_classes=12)
    with pytest.raises(UsageError, match="the teacher kept class 11 and the student has 10"):
        pair.align(TopK.of(-logits, 4))


def test_a_row_without_a_token_of_the_teacher_teaches_nothing() -> None:
    """The student's new token lies where the teacher has a row that was never trained."""
    more = {**IDS, "<|tool|>": 10}
    pair = pair_vocabularies(more, IDS, student_classes=13, teacher_classes=12)
    assert (pair.only_student, pair.silent) == ((10,), (10, 11))
    logits = torch.randn(2, 3, 12)
    found = pair.align(logits)
    assert found.softmax(-1)[..., 10:].sum() == 0
    torch.testing.assert_close(found.softmax(-1)[..., :10], logits[..., :10].softmax(-1))
    assert logits.abs().max() < 100, "the teacher's own are left alone"
    same = pair_vocabularies(IDS, IDS)
    assert same.align(logits[..., :10].contiguous()).shape == (2, 3, 10)


def test_a_token_that_one_side_lacks_is_said() -> None:
    more = {**IDS, "<|tool|>": 10}
    pair = pair_vocabularies(more, IDS, student_classes=12, teacher_classes=12)
    assert (pair.kind, pair.only_student, pair.only_teacher) == ("padded", (10,), ())


def test_what_is_no_vocabulary_is_refused() -> None:
    for wrong in ({0: "a"}, {"a": -1}):
        with pytest.raises(UsageError, match="is no id; expected a mapping"):
            Vocabulary.of(wrong)
    with pytest.raises(UsageError, match="int is no tokenizer"):
        Vocabulary.of(3)
    with pytest.raises(UsageError, match="id 0 stands for two tokens"):
        Vocabulary.of({"a": 0, "b": 0})
    with pytest.raises(UsageError, match="no tokens"):
        Vocabulary.of({})
    with pytest.raises(UsageError, match="2 tokens of the teacher have no row in its 8 classes"):
        pair_vocabularies(IDS, IDS, teacher_classes=8)
    with pytest.raises(UsageError, match="one family"):
        pair_vocabularies({"a": 0}, {"a": 1})
