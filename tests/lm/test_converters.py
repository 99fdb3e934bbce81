"""What others have written becomes the same distributions, at the same positions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.lm.teaching import CLASSES, WORDS, Model, rows
from torch import Tensor

from didact._core.errors import CheckpointError, DataError, DidactError
from didact.lm import convert
from didact.losses import next_tokens, top_k_kd

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
    ("vllm-jsonl", "", {"classes": 9, "temperature": 2.0}, "at 1 alone"),
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
