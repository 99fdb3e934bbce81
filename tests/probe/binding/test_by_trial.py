"""What is found by trial or by a word in the documentation."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.probe import probe
from didact.probe.output.table import text_of

KINDS = {"row": lambda x: x, "square": lambda x: x * x}


def kl(student, teacher):
    return F.kl_div(student.log_softmax(-1), teacher.softmax(-1), reduction="batchmean")


class FromSettings(nn.Module):
    def __init__(self, student, teacher, settings):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.warmup = settings.SCHEDULE.WARMUP

    def forward_train(self, image, target):
        mixed = kl(self.student(image), self.teacher(image).detach())
        return F.cross_entropy(self.student(image), target) + mixed / self.warmup


class CalledItself:
    def training_step(self, batch):
        images, _ = batch
        return kl(self.forward(images), self.teacher(images).logits.detach())

    def forward(self, images):
        return self.network(images)


def by_pairs(student_hiddens, teacher_hiddens, layer_mapping, adapters):
    total = 0.0
    for mine, other in layer_mapping.items():
        total = total + F.mse_loss(adapters[mine](student_hiddens[mine]), teacher_hiddens[other])
    return total


def several(student_logits, teacher_logits):
    """A mean of teachers.

    student_logits: (batch, tokens, vocab)
    teacher_logits: (batch, tokens, n_teachers, vocab)
    """
    batch, tokens, _, _ = teacher_logits.shape
    mean = teacher_logits.softmax(-1).mean(2)
    return F.kl_div(student_logits.log_softmax(-1), mean, reduction="sum") / (batch * tokens)


def of_top(student_logits, teacher_ids, teacher_logprobs):
    mine = student_logits.log_softmax(-1).gather(-1, teacher_ids)
    return (teacher_logprobs.exp() * (teacher_logprobs - mine)).sum(-1).mean()


def in_regions(feat_s, feat_t, targets):
    inside = (targets == 1)[:, None]
    batch, _, height, width = feat_s.shape
    return ((feat_s - feat_t) * inside).square().sum() / (batch * height * width)


def of_kind(student_logits, teacher_logits, transform_target):
    assert transform_target in KINDS
    return kl(KINDS[transform_target](student_logits), teacher_logits)


def until(student_logits, teacher_logits, seq_lens):
    keep = torch.arange(student_logits.shape[1]) < seq_lens[:, None]
    terms = student_logits.softmax(-1) - teacher_logits.softmax(-1)
    return (terms.square().sum(-1) * keep).sum() / keep.sum()


class TakenApart(nn.Module):
    def __init__(self, alpha=0.7, temperature=4.0):
        super().__init__()
        self.alpha, self.temperature = alpha, temperature

    def forward(self, outputs, targets):
        if not isinstance(outputs, tuple):
            return F.cross_entropy(outputs, targets)
        student_logits, teacher_logits = outputs
        soft = kl(student_logits / self.temperature, teacher_logits / self.temperature)
        hard = F.cross_entropy(student_logits, targets)
        return self.alpha * soft * self.temperature**2 + (1 - self.alpha) * hard


CASES = [
    (TakenApart, "0.5 x T^2 x forward KL(teacher || student)"),
    (FromSettings.forward_train, "self.warmup = 1, by trial"),
    (CalledItself.training_step, "self.network = a model"),
    (by_pairs, "layer_mapping = pairs of layers"),
    (several, "forward KL(teacher || student)"),
    (of_top, "numbers of the teacher's classes"),
    (in_regions, "targets = class labels"),
    (of_kind, "transform_target = the first text"),
    (until, "seq_lens = the full length of each sample"),
]


@pytest.mark.parametrize(("loss", "said"), CASES, ids=[c[0].__qualname__ for c in CASES])
def test_it_is_bound_and_accused_of_nothing(loss, said):
    found = probe(loss)
    assert said in " ".join(text_of(found, "en").split())
    assert not found.broken
