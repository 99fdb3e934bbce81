"""What code does with a parameter tells what it is: dictionaries, dataclasses, widths, sinks."""

# ruff: noqa: N803 - T is the letter of public code

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.probe import probe


def kl(student, teacher, T=1.0):
    log_q, p = F.log_softmax(student / T, -1), F.softmax(teacher / T, -1)
    return F.kl_div(log_q, p, reduction="none").sum(-1) * T * T


def features_by_name(student_features: dict, teacher_features: dict):
    total = torch.zeros((), device=next(iter(student_features.values())).device)
    for mine, other in (("stage_2", "layer2"), ("stage_4", "layer3")):
        if mine in student_features and other in teacher_features:
            a, b = (f.pow(2).mean(1) for f in (student_features[mine], teacher_features[other]))
            total = total + (a - b).pow(2).sum(-1).mean()
    return total


class Projected(nn.Module):
    """The defaults are the widths of the author's networks."""

    def __init__(self, student_dim: int = 192, teacher_dim: int = 1024):
        super().__init__()
        self.projector = nn.Linear(student_dim, teacher_dim)

    def forward(self, student_features, teacher_features):
        return F.mse_loss(self.projector(student_features), teacher_features)


class PairedLayers(nn.Module):
    def __init__(self, student_dims, teacher_dims):
        super().__init__()
        self.pairs = min(len(student_dims), len(teacher_dims))

    def forward(self, student_features, teacher_features):
        pairs = zip(student_features[-self.pairs :], teacher_features[-self.pairs :], strict=True)
        return sum(F.mse_loss(a, b.detach()) for a, b in pairs)


class AdaptsOneSide(nn.Module):
    def __init__(self, adapter):
        super().__init__()
        self.adapter = adapter

    def forward(self, teacher_features, student_features):
        if self.adapter == "student":
            return F.mse_loss(student_features, teacher_features)
        return None


@dataclass
class Mapping:
    layer_mapping: list
    projections: list | None


@dataclass
class Dense:
    generation_temperature: float
    hidden_states: tuple | None
    vocab_size: int
    logits: Tensor


@dataclass
class Sparse:
    generation_temperature: float
    sparse_ids: Tensor
    sparse_values: Tensor
    log_values: bool


def of_a_signal(student_outputs, signal: Sparse | Dense, temperature: float):
    if isinstance(signal, Dense):
        return kl(student_outputs.logits, signal.logits, temperature).mean()
    raise AssertionError("sparse signals are for another function")


def of_likeliest(student_logits, signal: Sparse):
    mine = student_logits.log_softmax(-1).gather(-1, signal.sparse_ids)
    values = signal.sparse_values if signal.log_values else signal.sparse_values.log()
    return (values.exp() * (values - mine)).sum(-1).mean()


def layers_by_mapping(
    student_outputs, teacher_outputs, mask=None, hidden_state_mapping: Mapping | None = None
):
    assert hidden_state_mapping is not None, "hidden states need a mapping"
    total = 0.0
    for place, (mine, other) in enumerate(hidden_state_mapping.layer_mapping):
        student = student_outputs.hidden_states[mine]
        if hidden_state_mapping.projections is not None:
            student = hidden_state_mapping.projections[place](student)
        total = total + F.mse_loss(student, teacher_outputs.hidden_states[other])
    return total


def at_a_temperature(student_logits, target_token_ids, target_logprobs, target_mask, T):
    mine = (student_logits / T).log_softmax(-1).gather(-1, target_token_ids)
    kept = target_mask.bool()
    each = target_logprobs.exp() * (target_logprobs - mine)
    return T * T * (each * kept).sum() / kept[..., 0].sum()


def of_items(student_logits, teacher_logits, mask, num_items_in_batch):
    return (kl(student_logits, teacher_logits) * mask).sum() / num_items_in_batch


class WritesALog:
    def loss(self, outputs, teacher_outputs, output_data, distiller, log):
        labels = output_data[f"teacher_{distiller.teacher_model_type}_label"]
        counts = labels.ne(-100)
        loss = (kl(outputs.logits, teacher_outputs.logits) * counts).sum() / counts.sum()
        log["kd"] = loss
        return loss, log


class BuiltLater(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = None

    def layer_loss(self, feat_s, feat_t):
        feat_s, feat_t = self.norm(feat_s, feat_t)
        return F.mse_loss(feat_s, feat_t)


def of_a_side(student_outputs, labels, teacher_data):
    loss = F.cross_entropy(student_outputs["logits"], labels)
    if "teacher_logits" in teacher_data:
        loss = loss + kl(student_outputs["logits"], teacher_data["teacher_logits"]).mean()
    return loss


def attentions_of_two(list_a, list_b, labels=None, outputs_old=None):
    assert len(list_a) == len(list_b)
    return sum((a.pow(2).mean(1) - b.pow(2).mean(1)).norm() for a, b in zip(list_a, list_b))  # noqa: B905


def asked_by_a_condition(student_features, teacher_features, normalize_features):
    if normalize_features:
        student_features = student_features / student_features.norm(dim=1, keepdim=True)
    return F.mse_loss(student_features, teacher_features)


def by_scale(regressor, log_scale, f_s, f_t):
    variance = (1 + log_scale.exp()).log().view(1, -1, 1, 1) + 1e-5
    return (0.5 * ((regressor(f_s) - f_t) ** 2 / variance + variance.log())).mean()


def projected_before(student_proj, teacher_features):
    return (student_proj - teacher_features).abs().pow(4.0).sum().log()


class OfTwoHeads(nn.Module):
    """The model gives the outputs of two heads; one text of three turns distilling off."""

    def __init__(self, base_criterion: nn.Module, teacher_model: nn.Module, kind_type: str, tau):
        super().__init__()
        assert kind_type in ["none", "soft", "hard"]
        self.base, self.teacher, self.kind, self.tau = base_criterion, teacher_model, kind_type, tau

    def forward(self, inputs, outputs, labels):
        if not isinstance(outputs, torch.Tensor):
            outputs, distilled = outputs
        loss = self.base(outputs, labels)
        if self.kind == "none":
            return loss
        with torch.no_grad():
            teacher = self.teacher(inputs)
        return loss + kl(distilled, teacher, self.tau).mean()


def needs_its_batch(student_logits, teacher_logits, T=2.0, inputs=None):
    if inputs is None or "labels" not in inputs:
        raise ValueError("inputs must be given")
    kept = inputs["labels"] != -100
    return (kl(student_logits, teacher_logits, T) * kept).sum() / kept.sum()


def without_the_true_class(student_logits, teacher_logits, gt_mask, T):
    student, teacher = (x / T - 1000 * gt_mask for x in (student_logits, teacher_logits))
    return T * T * kl(student, teacher).mean()


class Seq2SeqTrainer:
    pass


class OfSequences(Seq2SeqTrainer):
    def compute_loss(self, model, inputs):
        log_q = F.log_softmax(model(**inputs).logits, -1)
        with torch.no_grad():
            p = F.softmax(self.teacher(**inputs).logits, -1)
        return F.kl_div(log_q, p, reduction="batchmean")


class Standardised:
    """``logit_stand`` is a switch, not what a network gave."""

    def __init__(self, cfg):
        self.stand = 0
        self.logit_stand = cfg.EXPERIMENT.LOGIT_STAND

    def forward_train(self, image, target):
        student, teacher = self.student(image), self.teacher(image)
        if self.logit_stand > 3:
            student = student / student.std(-1, keepdim=True)
        return F.cross_entropy(student, target) + kl(student, teacher).mean()


BOUND = [
    OfTwoHeads,
    without_the_true_class,
    features_by_name,
    Projected,
    PairedLayers,
    AdaptsOneSide,
    layers_by_mapping,
    BuiltLater.layer_loss,
    attentions_of_two,
    asked_by_a_condition,
    by_scale,
    projected_before,
]
KNOWN = {
    of_a_signal: "1 x T^2 x forward KL",
    of_likeliest: "1 x forward KL",
    at_a_temperature: "1 x T^2 x forward KL",
    of_items: "1 x forward KL",
    WritesALog.loss: "1 x forward KL",
    of_a_side: "1 x forward KL",
    needs_its_batch: "1 x T^2 x forward KL",
    Standardised.forward_train: "1 x forward KL",
}


@pytest.mark.parametrize("loss", BOUND, ids=lambda loss: loss.__qualname__)
def test_a_loss_of_features_is_bound_by_what_it_does(loss):
    report = probe(loss)
    assert report.ok, [(r.law, r.outcome.text.en) for r in report.broken]


@pytest.mark.parametrize("loss", KNOWN, ids=lambda loss: loss.__qualname__)
def test_a_loss_of_logits_is_bound_and_recognised(loss):
    report = probe(loss)
    assert report.ok, [(r.law, r.outcome.text.en) for r in report.broken]
    assert report.match.en.startswith(KNOWN[loss])


def test_a_square_of_the_temperature_before_another_distance_is_advice():
    def loss(student_logits, teacher_logits, T):
        p, q = ((x / T).softmax(-1) for x in (teacher_logits, student_logits))
        return 0.5 * (p - q).abs().sum(-1).mean() * T * T

    report = probe(loss)
    assert report.ok
    assert [r.law for r in report.results if r.state == "advice"].count("temperature") == 1


def test_a_negative_loss_lost_its_sign_and_hides_nothing():
    def loss(student, teacher):
        return (teacher.log_softmax(-1) * student.softmax(-1)).sum(-1).mean()

    found = [m.key for m in probe(loss).mistakes]
    assert "SIGN-MISSING" in found
    assert "ABS/CLAMP-HIDES-NEGATIVE" not in found


def test_a_trainer_of_sequences_is_tried_with_sequences():
    assert "BATCHMEAN-3D" in [m.key for m in probe(OfSequences.compute_loss).mistakes]


class Reversed(nn.Module):
    def forward(self, outputs, teacher_outputs, targets):
        log_q, p = F.log_softmax(outputs, -1), F.softmax(teacher_outputs, -1)
        loss = F.kl_div(p, log_q, reduction="batchmean")
        return loss + F.cross_entropy(outputs, targets)


def test_a_loss_that_is_never_a_number_is_accused_whatever_its_names_say():
    report = probe(Reversed)
    assert [r.law for r in report.broken] == ["finite"]
    assert [m.key for m in report.mistakes] == ["ARGS-REVERSED"]


def test_raw_logits_as_a_target_are_not_read_as_probabilities_at_a_temperature():
    def loss(outputs, teacher_outputs, targets, T):
        soft = -(teacher_outputs / T * F.log_softmax(outputs / T, -1)).sum(-1).mean() * T * T
        return soft + F.cross_entropy(outputs, targets)

    assert [m.key for m in probe(loss).mistakes] == ["KL-TARGET-RAW"]


def test_a_cross_entropy_with_the_sides_swapped_is_named():
    def loss(outputs, teacher_outputs):
        return -(F.softmax(outputs, -1) * F.log_softmax(teacher_outputs, -1)).sum(-1).mean()

    assert [m.key for m in probe(loss).mistakes] == ["SWAPPED"]


@pytest.mark.parametrize(
    ("hard", "first", "key"),
    [
        (lambda s, T: s.softmax(-1), 1, "CE-ON-PROBS"),
        (lambda s, T: s / T, 1, "HARD-CE-AT-T"),
        (lambda s, T: s, 0, "LABELS-SHIFTED"),
    ],
)
def test_the_label_term_of_a_language_model_is_looked_at(hard, first, key):
    def loss(student_logits, teacher_logits, labels, num_items_in_batch, T=2.0):
        s, t = student_logits[:, :-1], teacher_logits[:, :-1]
        y = labels[:, first : labels.shape[1] - 1 + first]
        soft = (kl(s, t, T) * (y != -100)).sum()
        rows = hard(s, T).flatten(0, 1)
        nll = F.cross_entropy(rows, y.flatten(), reduction="sum")
        return (soft + nll) / num_items_in_batch

    assert key in [m.key for m in probe(loss).mistakes]


def by_teacher(student_logits, teacher_logits_by_name, T):
    terms = [kl(student_logits, each, T).mean() for each in teacher_logits_by_name.values()]
    return sum(terms) / len(terms) + 0 * teacher_logits_by_name["large"].sum()


def test_the_entries_of_a_dictionary_can_be_given():
    given = {f"teacher_logits_by_name.{name}": "teacher" for name in ("small", "large")}
    report = probe(by_teacher, arguments=given)
    assert report.ok
    assert report.match.en.startswith("1 x T^2 x forward KL")
    assert ("teacher_logits_by_name", "a dictionary with the entries given") in [
        (name, text.en) for name, text in report.binding
    ]


class Raising(nn.Module):
    """Its gradient is no number: nothing that is compared with it can hold."""

    def forward(self, student, teacher):
        return (student - teacher).sum().sqrt() * float("nan")


def test_what_is_no_number_shows_that_no_law_holds():
    held = [r for r in probe(Raising).results if r.state == "holds"]
    assert not [r.law for r in held if "nan" in r.outcome.text.en]


class Hint(nn.Module):
    """Widths by side, without a word that says width."""

    def __init__(self, c_student, c_teacher):
        super().__init__()
        self.regressor = nn.Sequential(nn.Conv2d(c_student, c_teacher, 1), nn.ReLU())

    def forward(self, fs, ft):
        return F.mse_loss(self.regressor(fs), ft.detach())


class Cosine(nn.Module):
    def __init__(self, d_s=32, d_t=64):
        super().__init__()
        self.proj = nn.Linear(d_s, d_t)

    def forward(self, h_student, h_teacher, attention_mask):
        apart = 1 - F.cosine_similarity(self.proj(h_student), h_teacher, dim=-1)
        return (apart * attention_mask).sum() / attention_mask.sum()


class Layered(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.norm, self.layer = (
            nn.BatchNorm2d(cin),
            nn.Conv2d(cin, out_channels=cout, kernel_size=1),
        )

    def forward(self, student_map, teacher_map):
        return F.mse_loss(self.layer(self.norm(student_map)), teacher_map)


def stages(feats_s, feats_t):
    """Over the stages of both networks."""
    return sum(F.mse_loss(a, b.detach()) for a, b in zip(feats_s, feats_t))  # noqa: B905


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (Hint, "features [B, D, H, W]"),
        (Cosine, "features [B, S, D]"),
        (Layered, "features [B, D, H, W]"),
        (stages, "list of feature maps"),
    ],
)
def test_layers_and_loops_tell_features_from_scores(loss, shape):
    report = probe(loss)
    said = [text.en for _, text in report.binding]
    assert f"the student's {shape}" in said
    assert report.ok
