"""One training step: the teacher's state, the student's gradient, accumulation, two processes."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact._core.errors import UsageError
from didact.losses import kd
from didact.nn import Teacher
from didact.probe import step


def model() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)
    )


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 4, generator=generator), torch.arange(8) % 3


def right(student, teacher, batch):
    images, labels = batch
    with torch.no_grad():
        teacher_logits = teacher(images)
    logits = student(images)
    return F.cross_entropy(logits, labels) + kd(logits, teacher_logits)


def own_backward(student, teacher, batch):
    optimizer = torch.optim.SGD(student.parameters(), 0.1)
    right(student, teacher, batch).backward()
    optimizer.step()
    optimizer.zero_grad()


def cut(student, teacher, batch):
    logits = student(batch[0])
    return F.cross_entropy(logits, batch[1]) + kd(logits.detach(), teacher(batch[0]).detach())


def summed(student, teacher, batch):
    with torch.no_grad():
        teacher_logits = teacher(batch[0])
    return kd(student(batch[0]), teacher_logits, reduction="sum")


def into_teacher(student, teacher, batch):
    logits, target = student(batch[0]), teacher(batch[0])
    value = F.kl_div(logits.log_softmax(-1), target.softmax(-1), reduction="batchmean")
    both = [*student.parameters(), *teacher.parameters()]
    optimizer = torch.optim.SGD(both, 0.1)
    value.backward()
    optimizer.step()


def broken(report) -> set[str]:
    return {r.law for r in report.broken}


@pytest.mark.parametrize("trainer_step", [right, own_backward])
def test_a_right_step_passes_and_leaves_everything_as_it_was(trainer_step):
    student, teacher = model(), Teacher(model())
    before = copy.deepcopy(student.state_dict())
    report = step(trainer_step, student, teacher, batch())
    assert report.ok, report.to_dict()
    for name, value in student.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None for p in student.parameters())
    assert student.training


def test_a_teacher_in_train_mode_is_found_and_its_buffers_put_back():
    teacher = model()
    before = copy.deepcopy(teacher.state_dict())
    assert broken(step(right, model(), teacher, batch())) == {"teacher-mode", "teacher-unchanged"}
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_cut_graph_is_found():
    assert broken(step(cut, model(), model().eval(), batch())) == {"distillation-reaches"}


def test_a_sum_over_the_batch_is_found():
    assert broken(step(summed, model(), model().eval(), batch())) == {"accumulation"}


def test_an_optimiser_with_the_teacher_is_found():
    report = step(into_teacher, model(), model().eval(), batch())
    assert broken(report) == {"teacher-unchanged"}
    assert report.outcome("teacher-gradient").state == "advice"


def test_two_processes_agree_with_one_and_a_sum_does_not():
    torch.manual_seed(0)
    plain = nn.Linear(4, 3), nn.Linear(4, 3).eval()
    assert step(right, *plain, batch(), processes=2).outcome("processes").state == "holds"
    assert step(summed, *plain, batch(), processes=2).outcome("processes").state == "broken"


def test_what_cannot_be_split_is_refused():
    with pytest.raises(UsageError, match="even number"):
        step(right, model(), model().eval(), tuple(t[:7] for t in batch()))
