"""The laws of language models, each with a loss that breaks it alone."""

# ruff: noqa: N803 - T is the letter of public code

import pytest
import torch
import torch.nn.functional as F

from didact.probe import probe

LAWS = {"partition", "padding", "padding-added", "shift", "vocabulary", "bfloat16"}


def tokens(student, teacher, T=1.0):
    p = (teacher / T).softmax(-1)
    return F.kl_div((student / T).log_softmax(-1), p, reduction="none").sum(-1) * T**2


def right(logits, teacher_logits, labels, num_items_in_batch, T=2.0):
    """In float32 whatever comes in; a sum that is divided by the tokens of the step."""
    wide = torch.promote_types(logits.dtype, torch.float32)
    kept = labels[:, 1:] != -100
    value = tokens(logits[:, :-1].to(wide), teacher_logits[:, :-1].to(wide), T)
    return (value * kept).sum() / num_items_in_batch


def items_unused(logits, teacher_logits, labels, num_items_in_batch, T=2.0):
    kept = labels[:, 1:] != -100
    value = tokens(logits[:, :-1].float(), teacher_logits[:, :-1].float(), T)
    return (value * kept).sum() / kept.sum()


def teacher_shifted(logits, teacher_logits, labels, T=2.0):
    kept = labels[:, 1:] != -100
    return tokens(logits[:, :-1], teacher_logits[:, 1:], T)[kept].mean()


def labels_shifted_twice(logits, teacher_logits, labels, T=2.0):
    hard = F.cross_entropy(logits[:, :-2].flatten(0, 1), labels[:, 2:].flatten())
    kept = labels[:, 1:] != -100
    return hard + tokens(logits[:, :-1], teacher_logits[:, :-1], T)[kept].mean()


def divided_by_all(logits, teacher_logits, labels, T=2.0):
    kept = labels != -100
    return (tokens(logits, teacher_logits, T) * kept).mean()


def filled_with_zeros(student_logits, teacher_logits, labels, T=2.0):
    missing = teacher_logits.shape[-1] - student_logits.shape[-1]
    kept = labels != -100
    return tokens(F.pad(student_logits, (0, missing)), teacher_logits, T)[kept].mean()


def summed_in_bfloat16(student_logits, teacher_logits, labels, T=1.0):
    p, log_q = (teacher_logits / T).softmax(-1), (student_logits / T).log_softmax(-1)
    kept = (labels != -100).to(p.dtype)
    return ((p * (p.log() - log_q)).sum(-1) * kept).sum() / kept.sum()


def states(report) -> dict[str, str]:
    return {r.law: r.state for r in report.results if r.law in LAWS}


def test_a_right_loss_obeys_them_all():
    report = probe(right, language_model=True)
    assert set(states(report).values()) == {"holds"}, report.to_dict()
    assert report.ok
    assert not report.mistakes


@pytest.mark.parametrize(
    ("loss", "law", "mistake"),
    [
        (items_unused, "partition", "ITEMS-UNUSED"),
        (teacher_shifted, "shift", "TEACHER-SHIFTED"),
        (labels_shifted_twice, "shift", "LABELS-SHIFTED"),
        (divided_by_all, "padding-added", "PAD-UNMASKED"),
        (filled_with_zeros, "vocabulary", "VOCABULARY-FILLED"),
    ],
)
def test_a_broken_law_is_named(loss, law, mistake):
    report = probe(loss)
    assert states(report)[law] == "broken", report.to_dict()
    assert mistake in [m.key for m in report.mistakes]
    assert not {n for n, s in states(report).items() if s == "broken"} - {law, "padding"}


def test_bfloat16_is_advice_unless_a_language_model_is_asked_for():
    assert states(probe(summed_in_bfloat16))["bfloat16"] == "advice"
    assert states(probe(summed_in_bfloat16, language_model=True))["bfloat16"] == "broken"


def test_a_mean_over_micro_batches_is_measured_not_accused():
    def mean(logits, teacher_logits, labels):
        return tokens(logits, teacher_logits)[labels != -100].mean()

    report = probe(mean)
    assert states(report)["partition"] == "measured"
    assert report.ok


def test_a_loss_of_rows_is_no_language_model():
    def rows(student_logits, teacher_logits):
        return tokens(student_logits, teacher_logits).mean()

    assert set(states(probe(rows)).values()) == {"skipped"}
