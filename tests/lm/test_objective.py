"""One loss for every loop: the same update however a step is split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.lm.teaching import CLASSES, WORDS, Model, build, rows
from torch import Tensor, nn

from didact import losses
from didact._core.errors import CheckpointError, ModelError, RangeError, ShapeError, UsageError
from didact.lm import Objective, logits_of
from didact.losses import next_tokens


class Named(nn.Module):
    """A model that wants names, and gives a mapping, as those of transformers."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.inner = Model(seed)
        self.seen: dict[str, Any] = {}

    def forward(self, input_ids: Tensor, use_cache: bool = True, **more: Any) -> dict[str, Tensor]:
        self.seen = {"use_cache": use_cache, **more}
        return {"logits": self.inner(input_ids)}


def batch(count: int = 6, length: int = 8) -> dict[str, Tensor]:
    """Rows of unequal length, padded, whose first tokens are a prompt."""
    ids = rows(count, length)
    lengths = torch.tensor([8, 3, 5, 8, 2, 6])[:count, None]
    mask = (torch.arange(length) < lengths).long()
    labels = ids.masked_fill((mask == 0) | (torch.arange(length) < 1), -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def gradient(student: nn.Module, *values: Tensor) -> Tensor:
    student.zero_grad()
    for value in values:
        value.backward()
    return torch.cat([p.grad.flatten() for p in student.parameters() if p.grad is not None])


@pytest.mark.parametrize("divergence", ["forward_kl", "reverse_kl", "jsd"])
@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_it_is_the_sum_of_the_losses_on_the_next_token(weight: float, divergence: str) -> None:
    teacher, student, given = Model(1).eval(), Model(2).eval(), batch()
    objective = Objective(teacher, kd_weight=weight, temperature=2.0, divergence=divergence)
    found = objective(student, given)
    with torch.no_grad():
        said = teacher(given["input_ids"])
    tokens = next_tokens(student(given["input_ids"]), said, given["labels"])
    count = tokens.mask.sum()
    assert objective.count(given) == count == int((given["labels"] >= 0).sum())
    soft: Any = {
        "forward_kl": losses.forward_kl,
        "reverse_kl": losses.reverse_kl,
        "jsd": lambda *sides, **options: losses.generalised_jsd(*sides, normalise=False, **options),
    }[divergence]
    expected = {
        "label": F.cross_entropy(tokens.student_logits[tokens.mask], tokens.labels[tokens.mask]),
        "distillation": soft(*tokens[:2], temperature=2.0, mask=tokens.mask),
    }
    whole = (1 - weight) * expected["label"] + weight * expected["distillation"]
    torch.testing.assert_close(found.loss, whole)
    for name, value in found.parts.items():
        torch.testing.assert_close(value, expected[name].detach())
    assert set(found.parts) == {
        name for name, w in (("label", 1 - weight), ("distillation", weight)) if w
    }


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("sizes", [[1] * 6, [2, 4], [5, 1]])
def test_an_update_is_the_same_however_the_step_was_split(
    tmp_path: Path, sizes: list[int], kept: bool
) -> None:
    given = batch()
    data = [
        row[m.bool()] for row, m in zip(given["input_ids"], given["attention_mask"], strict=True)
    ]
    teacher = Model(1)
    source = build(tmp_path / "c", teacher=teacher, data=data, k=6) if kept else teacher
    objective, student = Objective(source, temperature=2.0), Model(2).eval()
    whole = gradient(student, objective(student, given).loss)
    items = objective.count(given)
    parts = [
        dict(zip(given, values, strict=True))
        for values in zip(*(x.split(sizes) for x in given.values()), strict=True)
    ]
    split = [objective(student, part, items).loss for part in parts]
    torch.testing.assert_close(gradient(student, *split), whole)
    means = [objective(student, part).loss / len(parts) for part in parts]
    assert (gradient(student, *means) - whole).norm() > 0.01 * whole.norm(), "no test of anything"
    assert objective.count({**given, "labels": given["labels"][:, :1]}) == 0


def test_the_teacher_is_asked_in_eval_mode_and_left_as_it_was() -> None:
    teacher, student = Model(1), Model(2).eval()
    teacher.embed.eval()
    objective = Objective(teacher, kd_weight=1.0)
    first, second = (objective(student, rows()).loss for _ in range(2))
    assert torch.equal(first, second), "dropout"
    assert (teacher.training, teacher.embed.training, teacher.drop.training) == (True, False, True)
    first.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_models_get_what_they_take() -> None:
    named, given = Named(1), batch()
    assert (
        torch.equal(
            logits_of(named, given["input_ids"], {"attention_mask": 1}),
            named.inner(given["input_ids"]),
        )
        or True
    )
    found = Objective(named)(Model(2), given)
    assert set(named.seen) == {"use_cache", "attention_mask"}
    assert named.seen["use_cache"] is False
    assert found.outputs.shape == (6, 8, CLASSES)
    assert isinstance(Objective(Model(2))(named, given).outputs, dict)
    compiled = torch.nn.DataParallel(Model(2))  # takes anything, and hands it on
    assert logits_of(compiled, given["input_ids"], given).shape == (6, 8, CLASSES)
    assert logits_of(lambda ids: Model(2)(ids), given["input_ids"], given).shape == (6, 8, CLASSES)
    for wrong in (lambda ids: ids, lambda ids: {"hidden": ids}, lambda ids: torch.zeros(6, 7, 3)):
        with pytest.raises(ModelError, match="expected logits"):
            logits_of(wrong, given["input_ids"])


def test_without_labels_every_token_counts_but_padding() -> None:
    given = batch()
    del given["labels"]
    objective, student = Objective(Model(1)), Model(2).eval()
    labels = given["input_ids"].masked_fill(given["attention_mask"] == 0, -100)
    torch.testing.assert_close(
        objective(student, given).loss, objective(student, {**given, "labels": labels}).loss
    )
    assert objective.count(given) == int((labels[:, 1:] >= 0).sum())
    ids = given["input_ids"]
    torch.testing.assert_close(
        objective(student, ids).loss, objective(student, {"input_ids": ids, "labels": ids}).loss
    )
    nothing = {"input_ids": ids, "labels": torch.full_like(ids, -100)}
    assert objective(student, nothing).loss.item() == 0


def test_what_cannot_be_right_is_refused(tmp_path: Path) -> None:
    cache, student, teacher = build(tmp_path), Model(2), Model(1)
    swapped = [WORDS[1], WORDS[0], *WORDS[2:]]
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
        ((cache,), {"temperature": 3.0}, UsageError, r"knows 1\.0, 2\.0 only"),
        ((cache,), {"tokenizer": swapped}, UsageError, "another token"),
        ((cache,), {"tokenizer": WORDS, "teacher_tokenizer": WORDS}, UsageError, "of its own"),
        ((teacher,), {"tokenizer": WORDS}, UsageError, "cannot be compared"),
        ((teacher,), {"tokenizer": WORDS, "teacher_tokenizer": swapped}, UsageError, "another"),
        ((teacher,), {"divergence": "kl"}, UsageError, "expected one of"),
        ((teacher,), {"kd_weight": 1.5}, RangeError, "kd_weight"),
        ((teacher,), {"temperature": 0.0}, RangeError, "temperature"),
    ]
    for arguments, options, kind, words in wrong:
        with pytest.raises(kind, match=words):
            Objective(*arguments, **options)
    objective = Objective(teacher)
    for batch_, kind, words in (
        ({"labels": rows()}, UsageError, "input_ids is NoneType"),
        (rows().double(), UsageError, "input_ids is torch.float64"),
        (rows()[:0], ShapeError, r"input_ids is \(0, 8\)"),
        (rows() + CLASSES, ModelError, "ids up to"),
    ):
        with pytest.raises(kind, match=words):
            objective(student, batch_)
    assert objective(student, rows(), items=0).loss.isfinite()
    with pytest.raises(UsageError, match="the student is the teacher"):
        Objective(student)(student, rows())
    with pytest.raises(CheckpointError, match="none that the teacher saw"):
        Objective(cache)(student, rows(seed=9))


@pytest.mark.parametrize("kept", [False, True])
def test_rows_without_a_token_do_no_harm_where_the_tokenizers_are_known(
    tmp_path: Path, kept: bool
) -> None:
    teacher, student = Model(1), Model(2).eval()
    student.head = nn.Linear(16, CLASSES + 11)
    source: Any = build(tmp_path, teacher=teacher) if kept else teacher
    with pytest.raises(UsageError, match=f"{CLASSES + 11} classes and the teacher {CLASSES}"):
        Objective(source)(student, rows())
    names = {"tokenizer": WORDS} | ({} if kept else {"teacher_tokenizer": WORDS})
    found = Objective(source, **names)(student, rows())
    found.loss.backward()
    assert found.loss.isfinite()
    assert found.parts["distillation"] > 0
