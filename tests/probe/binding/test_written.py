"""What the source of a loss says beside the names of its parameters is given to it."""

# ruff: noqa: N803 - T is the letter of public code

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from didact.probe import ProbeError, probe

FORWARD = "forward KL(teacher || student)"
WITH_T = f"1 x T^2 x {FORWARD}"


def kd(student, teacher, T=1.0):
    p = F.softmax(teacher / T, -1)
    return F.kl_div(F.log_softmax(student / T, -1), p, reduction="batchmean") * T**2


def only_keywords(**kwargs):
    return kd(kwargs["student_logits"], kwargs["teacher_logits"], kwargs.get("temperature", 2.0))


def keyword_beside(student, teacher, **options):
    return kd(student, teacher, options["T"])


def positions(*args):
    student, teacher, labels = args
    return kd(student, teacher) + F.cross_entropy(student, labels)


def undisclosed(function):
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@undisclosed
def decorated(student, teacher, labels, alpha=0.5):
    return alpha * kd(student, teacher) + (1 - alpha) * F.cross_entropy(student, labels)


def by_text(student, teacher, mode):
    if mode == "kl":
        return kd(student, teacher)
    if mode == "mse":
        return F.mse_loss(student, teacher)
    raise ValueError(mode)


def by_match(student, teacher, kind):
    match kind:
        case "kl":
            return kd(student, teacher)
    raise ValueError(kind)


@dataclass
class Settings:
    temperature: float
    mode: str
    layers: list[int] = field(default_factory=lambda: [0, 1])


class Configured(nn.Module):
    def __init__(self, config: Settings):
        super().__init__()
        self.config = config

    def forward(self, student_logits, teacher_logits):
        assert isinstance(self.config, Settings)
        assert self.config.mode == "kl"
        assert self.config.layers == [0, 1]
        return kd(student_logits, teacher_logits, self.config.temperature)


class Keeps:
    """What its networks gave stands in attributes."""

    def __init__(self):
        self._tch_logp = None
        self.T = 4.0
        self.stu_feats, self.tch_feats = [], []

    def of_logits(self, logits):
        if self._tch_logp is None:
            return torch.tensor(0.0)
        return kd(logits, self._tch_logp, self.T)

    def of_features(self):
        if not self.stu_feats or not self.tch_feats:
            return torch.tensor(0.0)
        pairs = zip(self.stu_feats, self.tch_feats, strict=True)
        return sum(F.mse_loss(s, t.detach()) for s, t in pairs)

    def of_mode(self, student_logits, teacher_logits):
        if self.gated:
            raise RuntimeError
        return kd(student_logits, teacher_logits) if self.kd_mode == "logit" else None


class Base:
    def term(self, student, teacher):
        return kd(student, teacher, self.args.temperature)


class Inherits(Base):
    def loss(self, student, teacher):
        return super().term(student, teacher)


class OldClasses:
    def __init__(self):
        self._old_num_classes = 0

    def loss(self, logits, old_logits):
        known = min(self._old_num_classes, logits.shape[1])
        if known <= 1:
            return torch.tensor(0.0)
        return kd(logits[:, :known], old_logits[:, :known])


def of_global_options(student_logits, teacher_logits):
    return kd(student_logits, teacher_logits, args.temperature)


class HoldsModels(nn.Module):
    def __init__(self, model_s, model_t):
        super().__init__()
        self.student, self.teacher = model_s, model_t

    def forward(self, x, y):
        with torch.no_grad():
            teacher = self.teacher(x)
        student = self.student(x)
        return kd(student, teacher, 4.0) + F.cross_entropy(student, y)


def of_network(tokenizer, model, teacher_outputs, batch):
    assert tokenizer is None
    student = model(**batch)
    return kd(student, teacher_outputs)


class Several(nn.Module):
    def __init__(self, out_dim, ncrops, warmup_teacher_temp_epochs, nepochs, student_temp=0.5):
        super().__init__()
        self.schedule = np.linspace(1.0, 1.0, nepochs - warmup_teacher_temp_epochs + 3)
        self.ncrops, self.student_temp = ncrops, student_temp
        self.register_buffer("center", torch.zeros(1, out_dim))

    def forward(self, student_output, teacher_output, epoch):
        student = (student_output / self.student_temp).chunk(self.ncrops)
        soft = F.softmax((teacher_output - self.center) / self.schedule[epoch], -1)
        soft = soft.detach().chunk(2)
        self.center = 0.9 * self.center + 0.1 * self._mean(teacher_output)
        return -(soft[0] * student[1].log_softmax(-1)).sum(-1).mean()

    @torch.no_grad()
    def _mean(self, output):
        total = output.sum(0, keepdim=True)
        dist.all_reduce(total)
        return total / (len(output) * dist.get_world_size())


class Result(NamedTuple):
    count: int
    terms: dict[str, Any]


@dataclass
class Output:
    loss: torch.Tensor
    note: str = ""


RIGHT = [
    (only_keywords, WITH_T),
    (keyword_beside, WITH_T),
    (positions, f"1 x {FORWARD}"),
    (decorated, f"0.5 x {FORWARD}"),
    (by_text, f"1 x {FORWARD}"),
    (by_match, f"1 x {FORWARD}"),
    (Configured, WITH_T),
    (Keeps.of_logits, f"16 x {FORWARD}"),
    (Keeps.of_mode, f"1 x {FORWARD}"),
    (Inherits.loss, WITH_T),
    (OldClasses.loss, f"1 x {FORWARD} over the teacher's 3 classes"),
    (of_global_options, WITH_T),
    (HoldsModels, f"16 x {FORWARD}"),
    (of_network, f"1 x {FORWARD}"),
    (lambda s, t: {"losses": {"kd": kd(s, t)}, "n": 3}, f"1 x {FORWARD}"),
    (lambda s, t: Result(3, {"kd": kd(s, t)}), f"1 x {FORWARD}"),
    (lambda s, t: Output(kd(s, t)), f"1 x {FORWARD}"),
]


@pytest.mark.parametrize(("loss", "form"), RIGHT, ids=lambda v: getattr(v, "__name__", None))
def test_it_is_bound_without_options_and_judged_rightly(loss, form):
    report = probe(loss)
    assert report.match.en.startswith(form), (report.match.en, report.binding)
    assert report.ok, [r.law for r in report.broken]


@pytest.mark.parametrize("loss", [Keeps.of_features, Several])
def test_what_is_no_known_form_is_bound_and_accused_of_nothing(loss):
    report = probe(loss)
    assert report.ok
    assert report.outcome("reaches-student").state == "holds"


def fixed_classes(student, teacher):
    return kd(student.reshape(-1, 100), teacher.reshape(-1, 100))


def volumes(student, teacher):
    assert student.dim() == 5
    terms = F.kl_div(student.log_softmax(1), teacher.softmax(1), reduction="none")
    return terms.sum(1).mean()


def channels_first(student, teacher):
    """Both ``[B, C, L]``."""
    _, _, _ = student.shape
    terms = F.kl_div(student.log_softmax(1), teacher.softmax(1), reduction="none")
    return terms.sum(1).mean()


def channels_first_unsaid(student, teacher):
    _, _, _ = student.shape
    return channels_first(student, teacher)


def vocabulary_first(student, teacher):
    """Both ``[V, B, S]``."""
    rows = [x.permute(1, 2, 0).flatten(0, 1) for x in (student, teacher)]
    return kd(*rows)


def ten_teachers(student_logits, teachers_logits):
    weights = torch.full((10, 1, 1), 0.1, dtype=student_logits.dtype)
    return kd(student_logits, (weights * torch.stack(teachers_logits)).sum(0))


@pytest.mark.parametrize(
    "loss",
    [
        fixed_classes,
        volumes,
        channels_first,
        channels_first_unsaid,
        vocabulary_first,
        ten_teachers,
    ],
)
def test_the_shape_that_a_loss_takes_is_found(loss):
    report = probe(loss)
    assert report.match.en.startswith(f"1 x {FORWARD}"), report.match.en
    assert report.ok, [(r.law, r.outcome.text.en) for r in report.broken]


def test_a_softmax_over_the_positions_of_a_sequence_is_still_named():
    def loss(student_logits, teacher_logits):
        """Both ``[B, S, V]``."""
        _, _, _ = student_logits.shape
        log_q = student_logits.log_softmax(1)
        return F.kl_div(log_q, teacher_logits.softmax(1), reduction="none").sum(-1).mean()

    assert "DIM-SEQ" in [m.key for m in probe(loss).mistakes]


def test_cuda_is_not_needed():
    def loss(student, teacher):
        torch.cuda.synchronize()
        student = student.type(torch.cuda.FloatTensor)
        return kd(student * torch.ones(1, device="cuda"), teacher.cuda())

    assert probe(loss).ok


def test_a_path_that_distils_nothing_accuses_nobody():
    def loss(student_logits, teacher_logits, ready=False):
        return kd(student_logits, teacher_logits) if ready else torch.tensor(0.0)

    with pytest.raises(ProbeError, match="the loss is 0 whatever"):
        probe(loss)
    assert probe(loss, arguments={"ready": True}).ok


def test_a_number_without_a_graph_is_named_of_whatever_type():
    for number in (float, lambda v: v.numpy(), lambda v: np.float32(v)):
        report = probe(lambda s, t, number=number: number(kd(s, t).detach()))
        assert [m.key for m in report.mistakes] == ["GRAPH-CUT"]


def test_labels_that_are_not_read_accuse_nobody_of_padding():
    def loss(student_logits, teacher_logits, targets):
        return kd(student_logits.flatten(0, 1), teacher_logits.flatten(0, 1))

    assert probe(loss, layout="sequence").ok


def test_points_of_a_picture_that_are_ignored_may_be_distilled():
    def loss(student_logits, teacher_logits, labels):
        """Both ``[B, C, H, W]``."""
        log_q, p = student_logits.log_softmax(1), teacher_logits.softmax(1)
        soft = F.kl_div(log_q, p, reduction="none").sum(1).mean()
        return soft + F.cross_entropy(student_logits, labels, ignore_index=-100)

    report = probe(loss)
    assert report.ok
    assert report.outcome("padding").state == "measured"


class ByLayer(nn.Module):
    def __init__(self, student_module_path, teacher_module_path, temperature, module_io="output"):
        super().__init__()
        self.places = (student_module_path, teacher_module_path)
        self.io, self.T = module_io, temperature

    def forward(self, student_io_dict, teacher_io_dict, *args):
        student, teacher = self.places
        return kd(student_io_dict[student][self.io], teacher_io_dict[teacher][self.io], self.T)


class MapsByLayer(ByLayer):
    def forward(self, student_io_dict, teacher_io_dict):
        student, teacher = student_io_dict[self.places[0]], teacher_io_dict[self.places[1]]
        assert student[self.io].dim() == 4
        return F.mse_loss(student[self.io], teacher[self.io])


def test_outputs_are_found_by_the_names_of_layers():
    assert probe(ByLayer).match.en.startswith(WITH_T)
    report = probe(MapsByLayer)
    assert report.ok
    assert "takes features" in report.match.en


def divided_by_length(student, teacher):
    positions = student.size(1)
    return kd(student, teacher) / positions


def divided_by_classes(student, teacher):
    return kd(student, teacher) / student.size(-1)


def test_a_division_by_the_length_is_no_mean_over_classes():
    report = probe(divided_by_length)
    assert report.ok
    assert ("student", "the student's logits [B, S, C]") in [(n, t.en) for n, t in report.binding]
    assert [r.law for r in probe(divided_by_classes).broken] == ["class-count"]


class Projects:
    def loss(self, student_feats, teacher_feats):
        return F.mse_loss(self.stu_to_tea_proj(student_feats), teacher_feats)


def test_a_projection_between_two_networks_is_no_network():
    assert probe(Projects.loss).outcome("reaches-student").state == "holds"
