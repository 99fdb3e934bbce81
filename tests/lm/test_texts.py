"""Texts by name, a tokenizer of our own, and windows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from didact._core.errors import DataError, UsageError
from didact.lm import (
    encode,
    notes_on_tokenizer,
    read_documents,
    read_tokenizer,
    train_tokenizer,
    windows_of,
)
from didact.lm.texts.documents import SHORTEST


def test_every_python_has_text() -> None:
    documents = read_documents("pydoc")
    assert len(documents.texts) > 50
    assert sum(map(len, documents.texts)) > 300_000
    assert sum(map(len, documents.plenty)) > 1_000_000
    assert all(len(text) >= SHORTEST for text in documents.plenty)
    assert len(set(documents.plenty)) == len(documents.plenty)
    assert documents.digest == read_documents("pydoc").digest


def test_files_of_the_users_own_are_texts(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# second\n", "utf-8")
    (tmp_path / "a.txt").write_text("猫 sat", "utf-8")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "d.jsonl").write_text(
        "\n".join(json.dumps({"text": text}) for text in ("third", "fourth", " "))
    )
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    documents = read_documents(f"text:{tmp_path}")
    assert documents.texts == ("猫 sat", "# second\n", "third", "fourth")
    assert read_documents(f"text:{tmp_path / 'a.txt'}").texts == ("猫 sat",)
    assert documents.digest != read_documents(f"text:{tmp_path / 'a.txt'}").digest


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"\xff\xfe\x00", "not UTF-8"),
        ("a.jsonl", b'{"text": "x"}\n{"no": 1}', "line 2"),
        ("a.jsonl", b"[3]", "line 1"),
        ("a.png", b"x", "no text"),
        ("a.txt", b"  \n", "no text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_documents(f"text:{tmp_path}")
    with pytest.raises(DataError, match="no file or folder"):
        read_documents(f"text:{tmp_path / 'other'}")
    with pytest.raises(UsageError, match="expected pydoc or text:PATH"):
        read_documents("wikipedia")


def test_windows_have_all_tokens_in_order() -> None:
    found = windows_of([[1, 2, 3], [4], [5, 6, 7, 8]], 3)
    assert torch.equal(found, torch.tensor([[1, 2, 3], [4, 5, 6]]))
    with pytest.raises(DataError, match="8 tokens and a window 9"):
        windows_of([[1, 2, 3], [4], [5, 6, 7, 8]], 9)


def test_a_tokenizer_of_our_own_has_a_token_for_everything(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    texts = ["def kd(student, teacher):\n    return student - teacher\n"] * 20
    tokenizer = train_tokenizer(texts, 300)
    assert tokenizer.get_vocab_size() <= 300
    for text in (texts[0], "猫\u2028🦜 \x00", ""):
        (ids,) = encode(tokenizer, [text])
        assert tokenizer.decode(ids) == text
        assert tokenizer.id_to_token(ids[-1]) == "<|end|>"
    assert len(encode(tokenizer, texts)[0]) < len(texts[0]) / 2
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert read_tokenizer(tmp_path).get_vocab() == tokenizer.get_vocab()
    assert train_tokenizer(texts, 300).to_str() == tokenizer.to_str()
    with pytest.raises(UsageError, match="257"):
        train_tokenizer(texts, 256)
    with pytest.raises(DataError, match="there is no"):
        read_tokenizer(tmp_path / "none")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="no tokenizer"):
        read_tokenizer(tmp_path)


def test_a_model_of_transformers_is_read_from_its_folder(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from didact._core.errors import ModelError
    from didact.lm import TeacherCache, read_transformers

    tokenizer = train_tokenizer(["some words of a text, said again and again"], 260)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(tmp_path)
    config = transformers.GPT2Config(
        vocab_size=264,
        n_positions=32,
        n_embd=8,
        n_layer=1,
        n_head=1,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    model, own = read_transformers(tmp_path)
    rows = windows_of(encode(own, ["some words of a text, again"] * 4), 8)
    cache = TeacherCache.build(tmp_path / "c", model, rows, k=4, tokenizer=own)
    assert cache.header.classes == 264
    TeacherCache.open(tmp_path / "c", tokenizer=tokenizer, teacher=model)
    with pytest.raises(ModelError, match=r"no config\.json"):
        read_transformers(tmp_path / "c")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"without its tokenizer; expected .*tokenizer\.json"):
        read_transformers(tmp_path)
    assert read_transformers(tmp_path, tokenizer=tokenizer)[1] is tokenizer


def test_a_tokenizer_that_does_not_fit_is_told() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    own = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0, "rain": 1, "wind": 2}, unk_token="[UNK]")
    )
    own.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    assert notes_on_tokenizer("mine", own, 3, ["rain wind", "rain song"]) == []
    (larger,) = notes_on_tokenizer("mine", own, 2, ["rain"])
    assert "has 3 tokens and the model vectors for 2" in larger
    (unknown,) = notes_on_tokenizer("mine", own, 3, ["a song", "of rain"])
    assert "75 % of the tokens are unknown" in unknown
