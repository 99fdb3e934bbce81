"""One training step: the teacher's state, the student's gradient, accumulation, two processes."""

import copy
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.losses import kd
from didact.nn import Teacher
from didact.probe import ProbeError, step, step_of


@dataclass
class SimpleBatch:
    images: torch.Tensor
    labels: torch.Tensor


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


def gone(student, teacher, batch):
    raise KeyError("no such batch")


def nothing(student, teacher, batch):
    return None


def both(trainer_step=right):
    """What ``--step`` names: a step with its models and its batch."""
    torch.manual_seed(0)
    return trainer_step, model(), model().eval(), batch()


def broken(report) -> set[str]:
    return {r.law for r in report.broken}


def named(report) -> list[str]:
    return [m.key for m in report.mistakes]


@pytest.mark.parametrize("trainer_step", [right, own_backward])
def test_a_right_step_passes_and_leaves_everything_as_it_was(trainer_step):
    student, teacher = model(), Teacher(model())
    before = copy.deepcopy(student.state_dict())
    report = step(trainer_step, student, teacher, batch())
    assert report.ok, report.to_dict()
    assert not report.mistakes
    for name, value in student.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None for p in student.parameters())
    assert student.training


def test_normalisation_is_held_still_though_the_step_asks_for_train_mode():
    def training(student, teacher, batch):
        student.train()
        return right(student, teacher, batch)

    report = step(training, model(), Teacher(model()), batch())
    assert report.outcome("accumulation").state == "holds", report.outcome("accumulation").text.en


def test_a_teacher_in_train_mode_is_named_and_its_buffers_put_back():
    teacher = model()
    before = copy.deepcopy(teacher.state_dict())
    report = step(right, model(), teacher, batch())
    assert broken(report) == {"teacher-mode", "teacher-unchanged"}
    assert named(report) == ["TEACHER-TRAIN-MODE", "BN-DRIFT"]
    assert report.to_dict("zh")["mistakes"][0]["codes"] == ["KD501"]
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_cut_graph_is_named():
    report = step(cut, model(), model().eval(), batch())
    assert broken(report) == {"distillation-reaches"}
    assert named(report) == ["GRAPH-CUT"]


def test_a_sum_over_the_batch_is_named():
    report = step(summed, model(), model().eval(), batch())
    assert broken(report) == {"accumulation"}
    assert named(report) == ["BATCH-SUM"]


def test_an_optimiser_with_the_teacher_is_named():
    report = step(into_teacher, model(), model().eval(), batch())
    assert broken(report) == {"teacher-unchanged"}
    assert named(report) == ["OPT-HAS-TEACHER", "TEACHER-GRAD"]


def test_a_teacher_that_is_the_student_is_named():
    same = model().eval()
    assert "ALIAS-TEACHER" in named(step(right, same, same, batch()))


def test_two_processes_agree_with_one_though_the_step_clears_its_gradients():
    torch.manual_seed(0)
    plain = nn.Linear(4, 3), nn.Linear(4, 3).eval()
    report = step(own_backward, *plain, batch(), processes=2)
    assert report.outcome("processes").state == "holds", report.outcome("processes").text.en


def test_two_processes_see_a_sum_and_make_their_own_step():
    name = f"{__file__}:both_summed"
    report = step_of(both_summed, name, processes=2)
    assert report.outcome("processes").state == "broken"
    assert named(report) == ["BATCH-SUM"]


def both_summed():
    return both(summed)


def test_a_step_that_another_process_cannot_have_is_said():
    report = step(lambda *a: right(*a), *both()[1:], processes=2)
    outcome = report.outcome("processes")
    assert outcome.state == "advice"
    assert "cannot be sent to another process" in outcome.text.en
    assert "无法发送" in outcome.text.zh


@pytest.mark.parametrize(
    "halved",
    [
        lambda images, labels: {"images": images, "labels": labels, "weights": torch.ones(3)},
        lambda images, labels: [images[:7], labels[:7]],
        SimpleBatch,
    ],
)
def test_batches_of_many_forms_are_halved(halved):
    def any_batch(student, teacher, given):
        values = vars(given).values() if isinstance(given, SimpleBatch) else given
        images, labels = list(given.values() if isinstance(given, dict) else values)[:2]
        return right(student, teacher, (images, labels))

    report = step(any_batch, model(), model().eval(), halved(*batch()))
    assert report.outcome("accumulation").state == "holds", report.outcome("accumulation").text.en


def test_what_cannot_be_split_is_said_and_the_rest_is_checked():
    one = tuple(t[:1] for t in batch())
    report = step(right, model().eval(), model().eval(), one)
    assert report.ok
    assert "at least 2 samples" in report.outcome("accumulation").text.en


@pytest.mark.parametrize(
    ("trainer_step", "message"),
    [(gone, "the step raised KeyError: 'no such batch'"), (nothing, "called no backward")],
)
def test_a_step_that_gives_no_gradient_path_is_refused(trainer_step, message):
    with pytest.raises(ProbeError, match=message) as raised:
        step(trainer_step, model(), model().eval(), batch())
    assert "训练步" in raised.value.text.zh


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: (1, 2), r"returned \(int, int\); expected \(step, student, teacher, batch\)"),
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (3, "is of type int; expected a function"),
    ],
)
def test_a_maker_of_something_else_is_refused(made, message):
    with pytest.raises(ProbeError, match=message):
        step_of(made, "file.py:make")
