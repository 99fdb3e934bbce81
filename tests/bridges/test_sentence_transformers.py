"""The trainer of sentence-transformers, with the real library and random embeddings of words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from didact._core.errors import UsageError
from didact.losses import rkd

os.environ.setdefault("HF_HUB_OFFLINE", "1")
library = pytest.importorskip("sentence_transformers")
datasets = pytest.importorskip("datasets")
tokenizers = pytest.importorskip("tokenizers")

from didact.bridges.sentence_transformers import (  # noqa: E402 - it wants the library
    EmbeddingDistillation,
)

pytestmark = pytest.mark.filterwarnings("ignore")
WORDS = [f"w{number}" for number in range(20)]
TEXTS = [" ".join(WORDS[(7 * n + m) % 20] for m in range(2 + n % 4)) for n in range(16)]


def net(units: int, seed: int, words: list[str] = WORDS) -> Any:
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(seed)
    model = tokenizers.models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="w0")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    static = StaticEmbedding(tokenizer, embedding_dim=units)
    return library.SentenceTransformer(modules=[static], device="cpu")


def trained(place: Path, loss: Any, columns: dict[str, Any]) -> Any:
    made = library.SentenceTransformerTrainingArguments(
        output_dir=str(place), max_steps=40, per_device_train_batch_size=8, learning_rate=0.05,
        report_to=[], use_cpu=True, save_strategy="no", disable_tqdm=True, logging_steps=20,
        lr_scheduler_type="constant",
    )  # fmt: skip
    trainer = library.SentenceTransformerTrainer(
        loss.model, args=made, train_dataset=datasets.Dataset.from_dict(columns), loss=loss
    )
    trainer.train()
    return trainer


def closeness(student: Any, teacher: Any, project: Any = None) -> float:
    own, other = (torch.from_numpy(model.encode(TEXTS)) for model in (student, teacher))
    own = own if project is None else project(own).detach()
    return torch.cosine_similarity(own, other).mean().item()


@pytest.mark.parametrize("live", [True, False])
def test_a_student_comes_nearer_to_a_live_and_to_a_kept_teacher(tmp_path: Path, live: bool) -> None:
    teacher, student = net(12, 1), net(6, 2)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    columns: dict[str, Any] = {"sentence": TEXTS}
    if live:
        loss = EmbeddingDistillation(student, teacher)
    else:
        loss = EmbeddingDistillation(student, teacher_units=12)
        columns["label"] = teacher.encode(TEXTS).tolist()
    start = closeness(student, teacher, loss.project)
    trainer = trained(tmp_path, loss, columns)
    assert closeness(student, teacher, loss.project) > start + 0.3
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert not any("teacher" in name for name, _ in loss.named_modules())
    assert {"cosine", "rkd"} <= {name for row in trainer.state.log_history for name in row}


def test_its_parts_are_those_of_the_definition() -> None:
    teacher, student = net(6, 1), net(6, 2)
    features = [student.preprocess(TEXTS[:8]), student.preprocess(TEXTS[8:])]

    def embed(model: Any) -> Tensor:
        made: Tensor = torch.cat([model(dict(one))["sentence_embedding"] for one in features])
        return made.detach()

    found = EmbeddingDistillation(student, teacher, relations=0.5)(features)
    own, other = embed(student), embed(teacher)
    torch.testing.assert_close(
        found["cosine"], 1 - (own * other).sum(-1).div(own.norm(dim=-1) * other.norm(dim=-1)).mean()
    )
    torch.testing.assert_close(found["rkd"], 0.5 * rkd(own, other))
    both = torch.stack([other[:8], other[8:]], 1)
    kept = EmbeddingDistillation(student, relations=0)(features, both)
    torch.testing.assert_close(kept["cosine"], found["cosine"])
    assert set(kept) == {"cosine"}
    single = EmbeddingDistillation(student)(features[:1], other[:8])
    expected = EmbeddingDistillation(student, teacher)(features[:1])
    assert all(torch.equal(single[name], expected[name]) for name in single)


def test_other_words_and_a_silent_teacher_are_refused() -> None:
    student = net(6, 2)
    with pytest.raises(UsageError, match="2 of 20 ids mean another token"):
        EmbeddingDistillation(student, net(6, 1, [WORDS[1], WORDS[0], *WORDS[2:]]))
    with pytest.raises(UsageError, match="no teacher speaks"):
        EmbeddingDistillation(student)([student.preprocess(TEXTS)])
