"""What others have written becomes the same distributions, at the same positions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.lm.teaching import CLASSES, WORDS, Model, rows
from torch import Tensor

from didact._core.errors import CheckpointError, DataError, DidactError
from didact.lm import convert
from didact.losses import next_tokens, top_k_kd

yaml, pyarrow = pytest.importorskip("yaml"), pytest.importorskip("pyarrow")
K = 6


@pytest.fixture(scope="module")
def said() -> tuple[Tensor, Tensor]:
    """Token ids, and the teacher's log-probabilities of each one's successor."""
    data = rows(5, 9)
    with torch.no_grad():
        return data, Model().eval()(data).log_softmax(-1)


def lines(path: Path, values: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def vllm(said: tuple[Tensor, Tensor], path: Path, *, within: bool = False) -> Path:
    """As vLLM gives it: about each token at its own place, and the token itself beside the k."""
    values = []
    for tokens, log_probs in zip(*said, strict=True):
        entries: list[Any] = [None]
        for place in range(len(tokens) - 1):
            best = log_probs[place].topk(K)
            entry = {
                str(int(c)): {"logprob": float(p), "rank": rank, "decoded_token": "?"}
                for rank, (p, c) in enumerate(zip(*best, strict=True), 1)
            }
            own = int(tokens[place + 1])
            entry.setdefault(str(own), {"logprob": float(log_probs[place, own]), "rank": 30})
            entries.append(entry)
        value = {"prompt_token_ids": tokens.tolist(), "prompt_logprobs": entries}
        values.append({"choices": [value]} if within else value)
    return lines(path, values)


def axolotl(said: tuple[Tensor, Tensor], path: Path, *, legacy: bool = False) -> Path:
    values = []
    for tokens, log_probs in zip(*said, strict=True):
        best = (log_probs / 2).log_softmax(-1).topk(K)
        kept = (best.values - best.values.logsumexp(-1, True)).tolist()
        ids, nothing = best.indices.tolist(), [-math.inf] * K
        blank = list(range(K))
        values.append({
            "input_ids": tokens.tolist(),
            "target_token_ids": [blank, *ids[:-1]] if legacy else [*ids[:-1], blank],
            "target_logprobs": [nothing, *kept[:-1]] if legacy else [*kept[:-1], nothing],
        })  # fmt: skip
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


@pytest.mark.parametrize("within", [False, True])
def test_log_probabilities_of_vllm_stay_what_they_are(
    tmp_path: Path, said: tuple[Tensor, Tensor], within: bool
) -> None:
    source = f"vllm-jsonl:{vllm(said, tmp_path / 'a.jsonl', within=within)}"
    cache = convert(source, tmp_path / "c", tokenizer=WORDS)
    data, log_probs = said
    assert (cache.header.k, cache.header.classes, len(cache)) == (K, CLASSES, 5)
    kept = cache.read(data)
    found = kept.logits - kept.log_z
    expected = log_probs.gather(-1, kept.ids)
    assert (found - expected)[:, :-1].abs().max() < 1e-6
    torch.testing.assert_close(
        kept.residual()[:, :-1], 1 - log_probs.topk(K).values.exp().sum(-1)[:, :-1]
    )
    torch.testing.assert_close(kept.residual()[:, -1], torch.full((5,), 1 - K / CLASSES))
    student, labels = torch.randn(5, 9, CLASSES), data
    tokens, dense = (next_tokens(student, side, labels) for side in (kept, log_probs))
    torch.testing.assert_close(top_k_kd(*tokens[:2]), top_k_kd(*dense[:2], k=K))
    assert cache.verify().files == 1
    again = convert(source, tmp_path / "c", tokenizer=WORDS)
    assert again.info() == cache.info()
    with pytest.raises(CheckpointError, match="another k"):
        convert(source, tmp_path / "c", tokenizer=WORDS, k=3)


@pytest.mark.parametrize("legacy", [False, True])
def test_rows_of_axolotl_come_to_their_positions(
    tmp_path: Path, said: tuple[Tensor, Tensor], legacy: bool
) -> None:
    path = axolotl(said, tmp_path / "a.jsonl", legacy=legacy)
    kind = "axolotl-legacy" if legacy else "axolotl"
    cache = convert(f"{kind}:{path}", tmp_path / "c", classes=CLASSES, temperature=2.0)
    kept = cache.read(said[0])
    cells = kept.cells(2.0, like=kept.logits)
    best = (said[1] / 2).log_softmax(-1).topk(K)
    expected = (best.values - best.values.logsumexp(-1, True)).exp()
    assert torch.equal(kept.ids[:, :-1], best.indices[:, :-1])
    torch.testing.assert_close(cells.probs[:, :-1, :-1], expected[:, :-1])
    assert kept.residual(2.0)[:, :-1].max() < 1e-5


FORM: dict[str, Any] = {
    "d": CLASSES, "k": 12, "exact_k": 3, "exact_dtype": "float32", "term_dtype": "float32",
    "polynomial_terms": [0, 1, "sqrt"], "delta_encoding": False, "error_diffusion": False,
    "normalize_t": False,
    "residual_bins": [
        {"scale_dtype": "float16", "element_bits": 14, "num_elements": 4},
        {"scale_dtype": "float32", "element_bits": 16, "num_elements": 5},
    ],
}  # fmt: skip
FORMS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "differences": {"delta_encoding": True, "exact_dtype": "float64"},
    "from 0 to 1": {"normalize_t": True, "polynomial_terms": [0, "exp"], "term_dtype": "float64"},
    "without a polynomial": {"polynomial_terms": None},
    "all as they are": {"exact_k": 12, "polynomial_terms": None, "residual_bins": []},
    "half precision": {
        "exact_k": 12, "exact_dtype": "bfloat16", "polynomial_terms": None, "residual_bins": []
    },
}  # fmt: skip
NUMPY = {"float16": np.float16, "float32": np.float32, "float64": np.float64}


def in_bytes(values: np.ndarray[Any, Any], dtype: str) -> bytes:
    if dtype == "bfloat16":
        return torch.from_numpy(values).bfloat16().view(torch.uint8).numpy().tobytes()
    return values.astype(NUMPY[dtype]).tobytes()


def in_bits(numbers: np.ndarray[Any, Any], bits: int) -> bytes:
    text = "".join(f"{int(number):0{bits}b}" for number in numbers)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[n : n + 8], 2) for n in range(0, len(text), 8))


def pressed(log_probs: np.ndarray[Any, Any], form: dict[str, Any]) -> bytes:
    """One token's log-probabilities, written from the description of the format."""
    values = log_probs.astype(np.float64)
    if form["delta_encoding"]:
        values = np.diff(values, prepend=0.0)
    exact = form["exact_k"]
    found, rest = in_bytes(values[:exact], form["exact_dtype"]), values[exact:]
    if terms := form["polynomial_terms"]:
        ranks = np.linspace(0, 1, len(rest)) if form["normalize_t"] else np.arange(len(rest)) * 1.0
        functions = {"sqrt": np.sqrt, "exp": np.exp}
        columns = [ranks**t if isinstance(t, int) else functions[t](ranks) for t in terms]
        matrix = np.stack(columns, -1)
        coefficients = np.linalg.lstsq(matrix, rest)[0]
        found += in_bytes(coefficients, form["term_dtype"])
        rest = rest - matrix @ coefficients
    for part in form["residual_bins"]:
        some, rest = rest[: part["num_elements"]], rest[part["num_elements"] :]
        half = 1 << (part["element_bits"] - 1)
        scale = NUMPY[part["scale_dtype"]](np.abs(some).max() / half)
        steps = np.clip(np.rint(some / float(scale)), -half, half - 1) + half
        found += scale.tobytes() + in_bits(steps, part["element_bits"])
    return found


def distillkit(said: tuple[Tensor, Tensor], folder: Path, **changed: Any) -> Path:
    parquet = pytest.importorskip("pyarrow.parquet")
    form, bits = FORM | changed, math.ceil(math.log2(CLASSES))
    rows = []
    for tokens, log_probs in zip(*said, strict=True):
        best = log_probs[:-1].topk(12)
        rows.append({
            "input_ids": tokens.tolist(),
            "compressed_logprobs": [list(pressed(row.numpy(), form)) for row in best.values],
            "bytepacked_indices": [list(in_bits(row.numpy(), bits)) for row in best.indices],
        })  # fmt: skip
    folder.mkdir()
    (folder / "compression_config.yaml").write_text(yaml.safe_dump(form))
    for number, some in ((2, rows[:2]), (10, rows[2:])):
        table = pyarrow.Table.from_pylist(some)
        parquet.write_table(table, folder / f"data_{number}.parquet")
    return folder


@pytest.mark.parametrize("name", FORMS)
def test_what_distillkit_has_pressed_comes_out_again(
    tmp_path: Path, said: tuple[Tensor, Tensor], name: str
) -> None:
    source = f"distillkit:{distillkit(said, tmp_path / 'd', **FORMS[name])}"
    cache = convert(source, tmp_path / "c")
    data, log_probs = said
    assert (cache.header.k, cache.header.classes, len(cache)) == (12, CLASSES, 5)
    kept = cache.read(data)
    best = log_probs.topk(12)
    assert torch.equal(kept.ids[:, :-1], best.indices[:, :-1])
    gap = (kept.logits - kept.log_z - best.values)[:, :-1].abs().max()
    assert gap < (0.02 if name == "half precision" else 1e-3)
    torch.testing.assert_close(kept.residual()[:, -1], torch.full((5,), 1 - 12 / CLASSES))
    assert torch.equal(cache.read(data[3:4], rows=[3]).ids, kept.ids[3:4])
    fewer = convert(source, tmp_path / "e", tokenizer=WORDS, k=4)
    assert torch.equal(fewer.read(data).ids, kept.ids[..., :4])


def test_folders_that_distillkit_has_not_written_are_refused(
    tmp_path: Path, said: tuple[Tensor, Tensor]
) -> None:
    place = distillkit(said, tmp_path / "d")
    source, form = f"distillkit:{place}", place / "compression_config.yaml"

    def refused(words: str, **options: Any) -> None:
        with pytest.raises(DidactError, match=words):
            convert(source, tmp_path / "c", **options)
        assert not (tmp_path / "c").exists()

    refused("at temperature 1 alone", temperature=2.0)
    for text, words in (
        ("a: [", "not of the form"),
        ("d: 3", "not of the form"),
        (yaml.safe_dump(FORM | {"polynomial_terms": ["log"]}), "not of the form"),
        (yaml.safe_dump(FORM | {"exact_k": 2}), "expected 43 bytes for each token"),
        (yaml.safe_dump(FORM | {"d": 33}), "do not belong together"),
    ):
        form.write_text(text)
        refused(words)
    form.unlink()
    refused("sample-logits has written")
    form.write_text(yaml.safe_dump(FORM))
    other = pyarrow.Table.from_pylist([{"input_ids": [1], "packed_indices": [[1]]}])
    pytest.importorskip("pyarrow.parquet").write_table(other, place / "data_0.parquet")
    refused("no column compressed_logprobs")
    (place / "data_0.parquet").write_bytes(b"PAR1")
    refused("no parquet file")
    for path in place.glob("*.parquet"):
        path.unlink()
    refused("no parquet files")


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("vllm-jsonl", '{"a": 1}', {"classes": 9}, "prompt_token_ids"),
    ("vllm-jsonl", "[1]", {"classes": 9}, "line 1 .* no JSON object"),
    ("vllm-jsonl", "{", {"classes": 9}, "no JSON object"),
    ("vllm-jsonl", '{"prompt_token_ids": [1], "prompt_logprobs": [null]}', {"classes": 9}, "says"),
    (
        "vllm-jsonl",
        '{"prompt_token_ids": [1, 2], "prompt_logprobs": [null]}',
        {"classes": 9},
        "has 2 tokens and speaks of 1",
    ),
    (
        "vllm-jsonl",
        '{"prompt_token_ids": [1, 2], "prompt_logprobs": [null, {"3": -0.1}]}',
        {"classes": 9, "k": 2},
        "only 1 classes are known",
    ),
    ("vllm-jsonl", "", {"classes": 9, "temperature": 2.0}, "at temperature 1 alone"),
    ("vllm-jsonl", "", {}, "pass classes"),
    ("axolotl", '{"input_ids": [1, 2]}', {"classes": 9}, "target_token_ids"),
    ("parquet", "", {"classes": 9}, "expected one of"),
]


@pytest.mark.parametrize(("kind", "text", "options", "words"), WRONG)
def test_files_of_another_form_are_refused(
    tmp_path: Path, kind: str, text: str, options: dict[str, Any], words: str
) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DidactError, match=words):
        convert(f"{kind}:{tmp_path / 'a.jsonl'}", tmp_path / "c", **options)
    assert not (tmp_path / "c").exists()
    with pytest.raises(DataError, match="no file"):
        convert(f"axolotl:{tmp_path / 'b.jsonl'}", tmp_path / "c", classes=9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value["prompt_logprobs"].__setitem__(2, None), "nothing is said at posit"),
        (lambda value: value["prompt_logprobs"].__setitem__(2, {}), "nothing is said at position"),
        (lambda value: value["prompt_logprobs"][3].update({"1": 0.7}), "has 0.7, which is no log"),
        (lambda value: value["prompt_logprobs"][3].update({"1": math.nan}), "has nan, which is no"),
        (lambda value: value["prompt_token_ids"].__setitem__(4, 99999), "has the token 99999"),
    ],
)
def test_what_no_teacher_can_have_said_is_refused_with_its_line(
    tmp_path: Path, said: tuple[Tensor, Tensor], change: Any, words: str
) -> None:
    file = vllm(said, tmp_path / "a.jsonl")
    values = [json.loads(line) for line in file.read_text().splitlines()]
    change(values[2])
    lines(file, values)
    with pytest.raises(DataError, match=words) as refused:
        convert(f"vllm-jsonl:{file}", tmp_path / "c", tokenizer=WORDS)
    assert " 3 of " in str(refused.value)
    assert not (tmp_path / "c").exists()
