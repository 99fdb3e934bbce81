"""The trainers of transformers and TRL, with the real libraries and random models of a few kB."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.lm.teaching import Model
from torch import Tensor, nn

from didact._core.errors import UsageError
from didact.lm import Objective, TeacherCache

os.environ.setdefault("HF_HUB_OFFLINE", "1")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from didact.bridges.transformers import Distils  # noqa: E402 - it wants the library

pytestmark = pytest.mark.filterwarnings("ignore")
CLASSES, PAD = 37, 0
LENGTHS = (9, 3, 5, 9, 2, 6, 4, 7)


def net(seed: int, classes: int = CLASSES) -> Any:
    torch.manual_seed(seed)
    settings = transformers.GPT2Config(
        vocab_size=classes, n_positions=16, n_embd=16, n_layer=1, n_head=2,
        resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=1, eos_token_id=1,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(settings)


def tokenizer(swapped: bool = False) -> Any:
    """37 words, of which two may have changed places."""
    library = pytest.importorskip("tokenizers")
    words = [f"w{number}" for number in range(CLASSES)]
    if swapped:
        words[5], words[6] = words[6], words[5]
    model = library.models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="w2")
    own = library.Tokenizer(model)
    own.pre_tokenizer = library.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="w0", eos_token="w1", unk_token="w2"
    )


def texts() -> list[Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [torch.randint(3, CLASSES, (length,), generator=draw) for length in LENGTHS]


def padded(rows: list[dict[str, Any]]) -> dict[str, Tensor]:
    """A batch of unequal rows, the first two tokens of each a prompt."""
    made = [torch.as_tensor(row["input_ids"]) for row in rows]
    ids = nn.utils.rnn.pad_sequence(made, batch_first=True, padding_value=PAD)
    mask = (torch.arange(ids.shape[1]) < torch.tensor([len(row) for row in made])[:, None]).long()
    labels = ids.masked_fill((mask == 0) | (torch.arange(ids.shape[1]) < 2), -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def arguments(place: Path, size: int, **changed: Any) -> dict[str, Any]:
    return {
        "output_dir": str(place), "per_device_train_batch_size": size,
        "gradient_accumulation_steps": len(LENGTHS) // size, "max_steps": 1, "learning_rate": 0.5,
        "optim": "sgd", "lr_scheduler_type": "constant", "max_grad_norm": 0.0, "report_to": [],
        "use_cpu": True, "logging_steps": 1, "save_strategy": "no", "disable_tqdm": True, "seed": 0,
        "bf16": False,
    } | changed  # fmt: skip


class Distilling(Distils, transformers.Trainer): ...


def trained(place: Path, size: int, teacher: Any, **more: Any) -> tuple[Any, Tensor]:
    student = more.pop("model", None) or net(2)
    before = torch.cat([p.detach().flatten().clone() for p in student.parameters()])
    made = transformers.TrainingArguments(
        **arguments(place, size, remove_unused_columns=False, **more.pop("args", {}))
    )
    trainer = Distilling(
        model=student, args=made, teacher=teacher, data_collator=padded,
        train_dataset=[{"input_ids": text} for text in texts()], **more,
    )  # fmt: skip
    trainer.train()
    after = torch.cat([p.detach().flatten().cpu() for p in student.parameters()])
    return trainer, after - before


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> TeacherCache:
    return TeacherCache.build(
        tmp_path_factory.mktemp("cache"), net(1), texts(), k=CLASSES, tokenizer=tokenizer()
    )


def test_the_update_is_that_of_the_whole_step_however_it_is_split(
    tmp_path: Path, cache: TeacherCache
) -> None:
    student = net(2)
    objective, batch = Objective(net(1)), padded([{"input_ids": text} for text in texts()])
    objective(student, batch).loss.backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in student.parameters()]
    expected = -0.5 * torch.cat([grad.flatten() for grad in grads])
    for size, teacher in ((8, net(1)), (2, net(1)), (1, net(1)), (2, cache)):
        trainer, update = trained(tmp_path, size, teacher)
        assert (update - expected).norm() < 1e-5 * expected.norm(), (size, teacher)
        assert trainer.train_dataset is not None
    logged = next(row for row in trainer.state.log_history if "loss" in row)
    whole = 0.1 * logged["label_loss"] + 0.9 * logged["distillation_loss"]
    assert logged["label_loss"] > logged["distillation_loss"] > 0
    assert whole == pytest.approx(logged["loss"], rel=1e-4)


def test_it_evaluates_and_no_checkpoint_holds_the_teacher(tmp_path: Path) -> None:
    teacher = net(1)
    trainer, _ = trained(
        tmp_path, 4, teacher, args={"save_strategy": "steps", "save_steps": 1, "max_steps": 1},
        eval_dataset=[{"input_ids": text} for text in texts()[:4]], objective={"kd_weight": 1.0},
    )  # fmt: skip
    found = trainer.evaluate()["eval_loss"]
    student = trainer.model.eval()
    batch = padded([{"input_ids": text} for text in texts()[:4]])
    with torch.no_grad():
        expected = Objective(teacher, kd_weight=1.0)(student, batch).loss
    assert found == pytest.approx(expected.item(), rel=1e-5)
    (path,) = tmp_path.rglob("model.safetensors")
    own = sum(p.numel() for p in student.parameters())
    assert path.stat().st_size < 4 * own * 1.5
    assert trainer.predict(trainer.eval_dataset).predictions.shape == (4, 9, CLASSES)


def test_a_module_of_ones_own_goes_as_well(tmp_path: Path) -> None:
    """It takes no labels and gives plain logits."""
    updates = [trained(tmp_path, size, Model(1), model=Model(2).eval())[1] for size in (8, 2)]
    assert updates[0].norm() > 0


def test_other_tokenizers_are_refused_and_unknown_ones_are_said(
    tmp_path: Path, cache: TeacherCache
) -> None:
    def build(teacher: Any, **more: Any) -> Any:
        made = transformers.TrainingArguments(**arguments(tmp_path, 8))
        return Distilling(model=net(2), args=made, teacher=teacher, train_dataset=[], **more)

    for teacher, more in ((cache, {}), (net(1), {"teacher_tokenizer": tokenizer()})):
        assert build(teacher, processing_class=tokenizer(), **more).objective._vocabularies
        with pytest.raises(UsageError, match="2 of 37 ids mean another token"):
            build(teacher, processing_class=tokenizer(swapped=True), **more)
    with pytest.warns(UserWarning, match="is not known; pass teacher_tokenizer"):
        build(net(1))
    padded_head = net(1, CLASSES + 3)
    assert build(
        padded_head, processing_class=tokenizer(), teacher_tokenizer=tokenizer()
    ).objective._vocabularies


def test_two_lines_teach_in_the_sft_trainer_of_trl(tmp_path: Path) -> None:
    trl, datasets = pytest.importorskip("trl"), pytest.importorskip("datasets")

    class Tuning(Distils, trl.SFTTrainer): ...

    said = [" ".join(f"w{int(number)}" for number in text) for text in texts()]
    updates = []
    for size in (8, 2):
        student = net(2)
        before = student.transformer.wte.weight.detach().clone()
        trainer = Tuning(
            model=student, teacher=net(1), teacher_tokenizer=tokenizer(),
            processing_class=tokenizer(),
            args=trl.SFTConfig(**arguments(tmp_path, size, max_length=16, dataset_num_proc=None)),
            train_dataset=datasets.Dataset.from_dict({"text": said}),
        )  # fmt: skip
        trainer.train()
        updates.append(student.transformer.wte.weight.detach() - before)
        history = trainer.state.log_history[0]
        assert {"label_loss", "distillation_loss"} <= set(history)
    assert updates[0].norm() > 0
    assert (updates[1] - updates[0]).norm() < 1e-5 * updates[0].norm()
