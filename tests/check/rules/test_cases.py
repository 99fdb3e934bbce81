"""Other forms that are wrong, and what looks alike and is right, for rules with many forms."""

from __future__ import annotations

import pytest

from didact.check import check_source

TORCH = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
KERAS = "import tensorflow as tf\nfrom tensorflow import keras\n\n\n"

FOUND = {
    "KD122 as a criterion with a hard term": """
class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.mse = nn.MSELoss()

    def forward(self, student_logits, teacher_logits, labels, T=4.0):
        q = (student_logits / T).softmax(-1)
        p = (teacher_logits / T).softmax(-1)
        return F.cross_entropy(student_logits, labels) + self.mse(q, p)
""",
    "KD208 kept in the class": """
class Loss(nn.Module):
    def __init__(self, temperature=4.0):
        super().__init__()
        self.temperature = temperature

    def forward(self, student_logits, teacher_logits):
        log_q = F.log_softmax(student_logits, dim=1)
        return F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")
""",
    "KD209 in a method": """
class Loss(nn.Module):
    def forward(self, student_logits, teacher_logits, tau=2.0):
        log_q = F.log_softmax(student_logits / tau, dim=1)
        p = F.softmax(teacher_logits / tau, dim=1)
        return F.kl_div(log_q, p, reduction="batchmean") * T * T
""",
    "KD309 assigned and forgotten": """
def total(student_logits, teacher_logits, labels):
    log_q = F.log_softmax(student_logits, dim=1)
    soft = F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_logits, labels)
    return hard
""",
    "KD309 called as a statement": """
class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, outputs, labels):
        self.criterion(outputs, labels)
        return outputs.sum()
""",
    "KD310 weights of the generalised divergence": """
def gjs(student_logits, teacher_logits, beta):
    q, p = F.softmax(student_logits, dim=1), F.softmax(teacher_logits, dim=1)
    log_m = (beta * p + (1 - beta) * q).log()
    first = F.kl_div(log_m, p, reduction="batchmean")
    second = F.kl_div(log_m, q, reduction="batchmean")
    return (1 - beta) * first + beta * second
""",
    "KD311 beside the model's own loss": """
class Distilling(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        out = model(**inputs)
        with torch.no_grad():
            t = self.teacher(**inputs).logits
        s = out.logits.view(-1, out.logits.size(-1))
        t = t.view(-1, t.size(-1))
        soft = F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean")
        total = 0.5 * out.loss + 0.5 * soft
        return (total, out) if return_outputs else total
""",
    "KD408 appended zeros": """
def grown(old_logits, extra):
    zeros = old_logits.new_zeros(old_logits.size(0), extra)
    padded = torch.cat([old_logits, torch.zeros(old_logits.size(0), extra)], dim=1)
    return F.softmax(padded, dim=1), zeros
""",
    "KD409 a top k of its own": """
def loss(student_logits, teacher_logits, k):
    s = student_logits.topk(k, dim=-1).values
    t = teacher_logits.topk(k, dim=-1).values
    return F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean")
""",
    "KD410 with an ellipsis": """
def loss(student_logits, teacher_logits):
    s = student_logits[..., :-1, :].reshape(-1, student_logits.size(-1))
    t = teacher_logits[..., 1:, :].reshape(-1, teacher_logits.size(-1))
    return F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean")
""",
    "KD510 in the class": """
class Run:
    def __init__(self, student):
        self.student = student
        self.optimizer = torch.optim.Adam(student.parameters())

    def fit(self, loader):
        for x, y in loader:
            loss = F.cross_entropy(self.student(x), y)
            loss.backward()
            self.optimizer.step()
""",
    "KD511 with a scaler": """
def step(student, optimizer, scaler, x, y):
    loss = F.cross_entropy(student(x), y)
    scaler.scale(loss).backward()
    optimizer.zero_grad()
    scaler.step(optimizer)
    scaler.update()
""",
    "KD607 as a weight": """
def total(student_logits, teacher_logits, labels):
    log_q = F.log_softmax(student_logits, dim=1)
    soft = F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_logits, labels)
    loss = soft / (soft + hard) + hard
    return loss
""",
    "KD123 under the name of a keyword": """
class Distiller(keras.Model):
    def train_step(self, data):
        x, y = data
        teacher_predictions = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            student_predictions = self.student(x, training=True)
            loss = self.distillation_loss_fn(
                tf.nn.softmax(student_predictions / self.temperature, axis=1),
                tf.nn.softmax(teacher_predictions / self.temperature, axis=1),
            ) * self.temperature ** 2
        return loss


distiller.compile(distillation_loss_fn=keras.losses.KLDivergence())
""",
    "KD210 in a train step": """
class Distiller(keras.Model):
    def train_step(self, data):
        x, y = data
        teacher_predictions = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            student_predictions = self.student(x, training=True)
            student_loss = self.student_loss_fn(y, student_predictions)
            distillation_loss = self.distillation_loss_fn(
                tf.nn.softmax(teacher_predictions / self.temperature, axis=1),
                tf.nn.softmax(student_predictions / self.temperature, axis=1),
            )
            loss = self.alpha * student_loss + (1 - self.alpha) * distillation_loss
        return loss


distiller.compile(distillation_loss_fn=keras.losses.KLDivergence())
""",
}

SILENT = {
    "KD122 summed over the classes": """
def loss(student_logits, teacher_logits, T=4.0):
    q, p = F.softmax(student_logits / T, dim=1), F.softmax(teacher_logits / T, dim=1)
    return F.mse_loss(q, p, reduction="sum") / q.size(0) * T**2
""",
    "KD208 an interface with a sibling that uses it": """
class Plain:
    def loss(self, student_logits, teacher_logits, temperature):
        log_q = F.log_softmax(student_logits, dim=1)
        return F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")


class Soft:
    def loss(self, student_logits, teacher_logits, temperature):
        log_q = F.log_softmax(student_logits / temperature, dim=1)
        p = F.softmax(teacher_logits / temperature, dim=1)
        return F.kl_div(log_q, p, reduction="batchmean") * temperature**2
""",
    "KD209 defined below in the module": """
def target(teacher_logits):
    return F.softmax(teacher_logits / T, dim=1)


if True:
    T = 4.0
""",
    "KD209 of the function around": """
def make(T):
    def target(teacher_logits):
        return F.softmax(teacher_logits / T, dim=1)

    return target
""",
    "KD309 chosen in branches": """
def loss(student_logits, teacher_logits, labels, soft):
    value = F.cross_entropy(student_logits, labels)
    if soft:
        log_q = F.log_softmax(student_logits, dim=1)
        value = F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    return value
""",
    "KD310 the mixture of two teachers": """
def loss(student_logits, teacher_a_logits, teacher_b_logits):
    m = 0.5 * F.softmax(teacher_a_logits, dim=1) + 0.5 * F.softmax(teacher_b_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), m, reduction="batchmean")
""",
    "KD311 the trainer divides": """
class Distilling(Trainer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        logits = model(**inputs).logits[inputs["mask"]]
        log_q = F.log_softmax(logits, -1)
        return F.kl_div(log_q, inputs["teacher_probs"], reduction="batchmean")
""",
    "KD408 minus infinity, and positions": """
def pad(student_logits, extra):
    wide = F.pad(student_logits, (0, extra), value=float("-inf"))
    long = F.pad(student_logits, (0, 0, 0, extra))
    return F.softmax(wide, dim=-1), F.softmax(long, dim=-1)
""",
    "KD408 probabilities": """
def pad(teacher_logits, extra):
    return F.pad(F.softmax(teacher_logits, dim=-1), (0, extra))
""",
    "KD410 the same cut": """
def loss(student_logits, teacher_logits):
    s, t = student_logits[:, 1:, :], teacher_logits[:, 1:, :]
    s, t = s.flatten(0, 1), t.flatten(0, 1)
    return F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean")
""",
    "KD505 backpropagated by itself before": """
def step(model, x, y, soft_targets):
    z = model(x)
    soft = F.kl_div(F.log_softmax(z, dim=1), soft_targets, reduction="batchmean")
    soft.backward(retain_graph=True)
    loss = F.cross_entropy(z, y) + soft.detach()
    loss.backward()
""",
    "KD510 accumulation that is cleared elsewhere": """
def fit(student, loader, clear):
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    for x, y in loader:
        F.cross_entropy(student(x), y).backward()
        optimizer.step()
        for p in student.parameters():
            p.grad = None
""",
    "KD511 two optimizers": """
def step(net, critic, opt_net, opt_critic, x, y):
    F.cross_entropy(net(x), y).backward()
    opt_critic.zero_grad()
    opt_net.step()
    F.mse_loss(critic(x), y).backward()
    opt_critic.step()
""",
    "KD607 detached": """
def total(student_logits, teacher_logits, labels):
    log_q = F.log_softmax(student_logits, dim=1)
    soft = F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_logits, labels)
    return hard + soft / soft.detach() * hard.item()
""",
}


def codes(source: str) -> set[str]:
    head = KERAS if "keras" in source else TORCH
    return {finding.code for finding in check_source(head + source)}


@pytest.mark.parametrize("name", FOUND)
def test_the_mistake_is_found_in_another_form(name: str) -> None:
    assert name[:5] in codes(FOUND[name])


@pytest.mark.parametrize("name", SILENT)
def test_what_looks_alike_is_right(name: str) -> None:
    assert name[:5] not in codes(SILENT[name])


def test_an_undefined_temperature_in_a_fragment_is_no_finding() -> None:
    fragment = "def target(teacher_logits):\n    return F.softmax(teacher_logits / T, dim=1)\n"
    assert "KD209" not in {finding.code for finding in check_source(fragment)}
    assert "KD209" in codes(fragment)
    star = "from settings import *\n" + fragment
    assert "KD209" not in codes(star)


def test_a_squared_error_without_temperature_is_worth_a_hint_only() -> None:
    plain = "def consistency(a, b):\n    return F.mse_loss(F.softmax(a, 1), F.softmax(b, 1))\n"
    (finding,) = check_source(TORCH + plain)
    assert (finding.code, str(finding.severity)) == ("KD122", "info")
