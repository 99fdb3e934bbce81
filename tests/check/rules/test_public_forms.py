"""Forms that public code has: mistakes in them are found, what is right in them is left alone."""

from __future__ import annotations

import pytest

from didact.check import check_source
from didact.check.engine.engine import analyse
from didact.check.rules import findings_of

TORCH = "import copy\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
KERAS = "import tensorflow as tf\nfrom tensorflow import keras\n\n\n"

FOUND = {
    "KD608 read before it is assigned": """
def train(opt, student, images, labels):
    if opt.compile:
        s_model = torch.compile(s_model)
    return F.cross_entropy(s_model(images), labels)
""",
    "KD608 in the other branch": """
def train(model, batch, labels, mask):
    for images in batch:
        logits = model(images)
        if mask.any():
            loss = F.cross_entropy(logits, labels)
        else:
            print("nothing to learn")
        loss.backward()
""",
    "KD207 another condition is no guard": """
class Loss(nn.Module):
    def __init__(self, kind, normalize=None, temperature=4.0):
        super().__init__()
        self.normalize = normalize
        if kind == "mse":
            self.criterion = nn.MSELoss()
        elif kind == "kl":
            self.criterion = nn.KLDivLoss(reduction="batchmean")
            self.temperature = temperature
        self.kind = kind

    def forward(self, student, teacher):
        if self.normalize is not None:
            student = self.normalize(student / self.temperature)
        if self.kind == "kl":
            student = student.log()
        return self.criterion(student, teacher)
""",
    "KD101 rows of probabilities": """
def pairwise(logits):
    probs = F.softmax(logits, dim=1) + 1e-8
    total = 0.0
    for i, p in enumerate(probs):
        for j, q in enumerate(probs):
            if i != j:
                total += F.kl_div(p, q, reduction="sum")
    return total
""",
    "KD101 zipped": """
def layers(students, teacher_logits):
    q, p = F.softmax(students, dim=1), F.softmax(teacher_logits, dim=1)
    return sum(F.kl_div(a, b, reduction="sum") for a, b in zip(q, p))
""",
    "KD503 a projected teacher": """
class Match(nn.Module):
    def __init__(self, s, t, d):
        super().__init__()
        self.enc = nn.Conv1d(t, d, 1)
        self.proj = nn.Conv1d(s, d, 1)
        self.mse = nn.MSELoss()

    def forward(self, student_features, teacher_features):
        goal = self.enc(teacher_features)
        x = self.proj(student_features)
        for _ in range(3):
            x = x - x / 3
        return self.mse(x, goal)
""",
    "KD211 of unknown kind": """
def kd_loss(student_preds, teacher_preds, T):
    loss = nn.KLDivLoss(reduction="batchmean", log_target=True)
    return loss((student_preds / T).float(), (teacher_preds / T).float()) * T * T
""",
    "KD606 which the division settles": """
def normalise(student, teacher):
    student_sum = student.sum(dim=1, keepdim=True)
    teacher_sum = student.sum(dim=1, keepdim=True)
    student_probs = student / student_sum
    teacher_probs = teacher / teacher_sum
    return -(teacher_probs * torch.log(student_probs)).sum(1).mean()
""",
    "KD406 other names": """
class L:
    def step(self, inputs, target_curr):
        target = target_curr.cuda(non_blocking=True)
        out = self.net(inputs)
        new = out[:, self.known:]
        lbl = target
        loss = F.cross_entropy(new, lbl)
        loss.backward()
""",
    "KD509 a squared error with itself": """
def f(student, teacher, x, y):
    s, t = student(x), teacher(x)
    return F.mse_loss(t, t) + F.cross_entropy(s, y)
""",
    "KD201 beside the loss of the output": """
class M:
    def compute(self, out, batch, t, T=4.0):
        log_q, p = F.log_softmax(out.logits / T, -1), F.softmax(t / T, -1)
        soft = F.kl_div(log_q, p, reduction="batchmean")
        return out.loss + soft
""",
    "KD106 a divergence by hand": """
def f(student, teacher, x):
    with torch.no_grad():
        t = teacher(x)
    s = student(x)
    return (F.softmax(s, 1) * (F.log_softmax(s, 1) - F.log_softmax(t, 1))).sum(1).mean()
""",
    "KD114 a criterion from a table": """
LOSSES = {"bce": nn.BCEWithLogitsLoss(), "mse": nn.MSELoss()}
def f(x, y, model):
    p = torch.sigmoid(model(x))
    return LOSSES["bce"](p, y)
""",
    "KD101 any criterion of a table": """
def f(s, t, name):
    crit = {"kl": nn.KLDivLoss(reduction="batchmean"), "ce": nn.CrossEntropyLoss()}[name]
    return crit(F.softmax(s, 1), F.softmax(t, 1))
""",
    "KD101 a criterion from a helper": """
def get_loss(name):
    if name == "kl":
        return nn.KLDivLoss(reduction="batchmean")
    return nn.CrossEntropyLoss()
def f(s, t):
    crit = get_loss("kl")
    return crit(F.softmax(s, 1), F.softmax(t, 1))
""",
    "KD121 added up in a loop": """
def f(teachers, x):
    avg = 0
    for teacher in teachers:
        avg += teacher(x)
    avg = avg / len(teachers)
    return F.softmax(avg, 1)
""",
    "KD121 a sum over the teachers": """
def f(student, teachers, x):
    t = sum(teacher(x) for teacher in teachers) / len(teachers)
    return F.kl_div(F.log_softmax(student(x), 1), F.softmax(t, 1), reduction="batchmean")
""",
    "KD304 behind a weight": """
def f(student_logits, teacher_logits, weight=None, T=2.0):
    log_q, p = F.log_softmax(student_logits / T, -1), F.softmax(teacher_logits / T, -1)
    kl = F.kl_div(log_q, p, reduction="none")
    if weight is not None:
        kl = kl * weight.unsqueeze(1)
    return kl.mean() * T * T
""",
    "KD112 attentions": """
def attention_loss(student_attentions, teacher_attentions):
    total = 0.0
    for index in (-1, -3):
        s, t = student_attentions[index], teacher_attentions[index]
        s = torch.where(s <= 0, torch.ones_like(s) * 1e-8, s)
        log_q = F.log_softmax(s, dim=-1)
        total += F.kl_div(log_q, F.softmax(t, dim=-1), reduction="batchmean")
    return total
""",
    "KD201 two outputs of one network": """
def step(net, images, labels, T=2.0):
    outputs = net(images)
    logits, old_logits = outputs["logits"], outputs["old_logits"].detach()
    soft = -(F.softmax(old_logits / T, 1) * F.log_softmax(logits / T, 1)).sum(1).mean()
    return F.cross_entropy(logits, labels) + soft
""",
    "KD109 beside a soft target": """
def soft_loss(student_logits, teacher_logits, T=2.0):
    log_q = F.log_softmax(student_logits / T, dim=1)
    return F.cross_entropy(log_q, F.softmax(teacher_logits / T, dim=1)) * T**2
""",
    "KD608 the loss of the script": """
def compute_loss(model, images, labels, outputs_too=True):
    total = F.cross_entropy(model(images), labels)
    return (total, images) if outputs_too else loss


for images, labels in loader:
    loss, _ = compute_loss(model, images, labels)
    loss.backward()
""",
    "KD502 by forward": """
class Learner(nn.Module):
    def forward(self, images):
        return self.net(images)

    def update(self, images, labels):
        old_model = copy.deepcopy(self)
        old_model.eval()
        target = torch.sigmoid(old_model.forward(images))
        loss = F.binary_cross_entropy_with_logits(self.forward(images), target)
        loss.backward()
""",
    "KD502 in one of two branches": """
class Learner:
    def update(self, images, one_hot, old_classes):
        if self.old_net is None:
            targets = one_hot
        else:
            old = torch.sigmoid(self.old_net(images))[:, :old_classes]
            targets = torch.cat((old, one_hot), dim=1)
        loss = F.binary_cross_entropy_with_logits(self.net(images), targets)
        loss.backward()
""",
    "KD118 into a binary cross-entropy": """
def distil(student_logits, teacher_logits, known):
    q = torch.softmax(student_logits, dim=1)
    p = torch.softmax(teacher_logits, dim=1)
    return F.binary_cross_entropy(q[:, :known], p[:, :known])
""",
    "KD123 the prediction that Keras hands over": """
old_outputs = keras.models.load_model("old").predict(images)


def lwf_loss(y_true, y_pred):
    hard = tf.keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
    return hard + tf.keras.losses.KLDivergence()(y_pred, old_outputs)
""",
    "KD210 a cross-entropy from softened logits": """
def loss(y_true, y_pred, logits, temperature):
    soft = keras.losses.categorical_crossentropy(
        tf.nn.softmax(logits / temperature), y_pred / temperature, from_logits=True
    )
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True) + soft
""",
    "KD124 a model without activation": """
student = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
student_loss = keras.losses.SparseCategoricalCrossentropy()


def step(x, y):
    return student_loss(y, student(x))
""",
    "KD125 a model that ends in softmax": """
teacher = keras.Sequential([keras.layers.Dense(10, activation="softmax")])


def soften(x, temperature):
    return tf.nn.softmax(teacher(x) / temperature)


def step(student, x, temperature):
    q = tf.nn.softmax(student(x) / temperature)
    return keras.losses.KLDivergence()(soften(x, temperature), q) * temperature**2
""",
    "KD512 in a train step": """
class Distiller(keras.Model):
    def train_step(self, data):
        x, y = data
        return self.teacher(x, training=True)
""",
}

SILENT = {
    "KD124 with the flag in the constructor": """
student = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
student_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def step(x, y):
    return student_loss(y, student(x))
""",
    "KD124 probabilities": """
student = keras.Sequential([keras.layers.Dense(10, activation="softmax")])


def step(x, y):
    return keras.losses.sparse_categorical_crossentropy(y, student(x))
""",
    "KD512 a teacher that learns": """
def train_step(teacher, x, y):
    with tf.GradientTape() as tape:
        loss = keras.losses.sparse_categorical_crossentropy(y, teacher(x, training=True))
    return tape.gradient(loss, teacher.trainable_variables)
""",
    "KD123 labels and prediction": """
def loss(y_true, y_pred):
    return tf.keras.losses.KLDivergence()(y_true, y_pred)
""",
    "KD608 every branch assigns or leaves": """
def train(model, images, labels, mode):
    logits = model(images)
    if mode == "ce":
        loss = F.cross_entropy(logits, labels)
    elif mode == "nll":
        loss = F.nll_loss(F.log_softmax(logits, dim=1), labels)
    else:
        raise ValueError(mode)
    return loss
""",
    "KD608 read where the same condition holds": """
def train(model, images, labels, mask):
    logits = model(images)
    if mask.any():
        part = F.cross_entropy(logits[mask], labels[mask])
    else:
        print("none")
    total = F.cross_entropy(logits, labels)
    if mask.any():
        total = total + part
    return total
""",
    "KD608 bound by loops, handlers, imports and the walrus": """
def train(model, loader, labels):
    try:
        import apex
    except ImportError:
        apex = None
    for step, images in enumerate(loader):
        if step:
            print(last)
        last = F.cross_entropy(model(images), labels)
    if (rest := len(loader)) and rest > 1:
        print(rest, apex)
    return [last * weight for weight in labels], step
""",
    "KD608 a criterion of the script": """
loss = nn.CrossEntropyLoss()


def make(model, images, labels):
    value = loss(model(images), labels)
    return (value, loss)
""",
    "KD207 asked around the read": """
class Loss(nn.Module):
    def __init__(self, soft):
        super().__init__()
        self.soft = soft
        if soft:
            self.temperature = 4.0

    def forward(self, logits, labels):
        if not self.soft:
            return F.cross_entropy(logits, labels)
        return F.softmax(logits / self.temperature, dim=1)
""",
    "KD503 detached": """
class Match(nn.Module):
    def __init__(self, s, t, d):
        super().__init__()
        self.enc = nn.Conv1d(t, d, 1)
        self.proj = nn.Conv1d(s, d, 1)

    def forward(self, student_features, teacher_features):
        return F.mse_loss(self.proj(student_features), self.enc(teacher_features).detach())
""",
    "KD503 the student alone is projected": """
class Hint(nn.Module):
    def __init__(self, s, t):
        super().__init__()
        self.proj = nn.Linear(s, t)

    def forward(self, student_features, teacher_features):
        return F.mse_loss(self.proj(student_features), teacher_features)
""",
    "KD501 neither dropout nor batch statistics": """
class Head(nn.Module):
    def __init__(self, width, classes, rate=0.1):
        super().__init__()
        self.dropout = nn.Dropout(rate)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(self.dropout(x))


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.student = Head(4, 2)
        self.teacher = Head(4, 2, rate=0.0)

    def forward(self, x):
        with torch.no_grad():
            target = F.softmax(self.teacher(x), dim=1)
        return F.kl_div(F.log_softmax(self.student(x), dim=1), target, reduction="batchmean")
""",
    "KD406 moved under another name": """
def step(net, images, labels, known):
    goal = labels - known
    target = goal.long()
    return F.cross_entropy(net(images)[:, known:], target)
""",
    "KD201 a contrastive loss": """
def info_nce(student, labels, sims, T=2.0):
    soft = F.kl_div(F.log_softmax(sims / T, 1), F.softmax(sims.t() / T, 1), reduction="batchmean")
    return F.cross_entropy(student, labels) + soft
""",
    "KD306 the caller chooses the positions": """
def distil(student_logits, teacher_logits, T=1.0):
    p = F.softmax(teacher_logits / T, dim=-1)
    return T**2 * F.kl_div(F.log_softmax(student_logits / T, dim=-1), p, reduction="batchmean")


def train(student_logits, teacher_logits, labels, loss_mask):
    rows = labels.view(-1)
    hard = F.cross_entropy(student_logits.view(-1, 9), rows, ignore_index=0, reduction="none")
    hard = (hard * loss_mask).sum() / loss_mask.sum()
    soft = distil(
        student_logits.view(-1, 9)[loss_mask == 1], teacher_logits.view(-1, 9)[loss_mask == 1]
    )
    (hard + soft).backward()
""",
    "KD404 nothing on purpose": """
def join(student_logits, negatives, count):
    q = F.log_softmax(student_logits, dim=1)
    rest = negatives if count > 0 else q[:, :0]
    return torch.logsumexp(torch.cat([q, rest], dim=1), dim=1)
""",
    "KD608 the best so far": """
def train(model, loader, labels):
    best = float("inf")
    for images in loader:
        loss = F.cross_entropy(model(images), labels)
        if loss < best:
            best_weights = model.state_dict()
        else:
            print("worse")
    model.load_state_dict(best_weights)
""",
    "KD307 a number in a text": """
def show(scores):
    row = F.softmax(scores, dim=0)
    return " ".join("h" if x > 1000 else "." for x in row)
""",
    "KD203 the helper may divide": """
def get_cross_entropy(student_logits, batch, trainer, T=2.0):
    log_q = F.log_softmax(student_logits / T, dim=-1)
    p = F.softmax(trainer.compute_logits(batch), dim=-1)
    return -(p * log_q).sum(-1).mean() * T**2
""",
    "KD405 one sample": """
def classify(net, images, num_classes):
    for image in images:
        scores = net(image.unsqueeze(0)).squeeze()[:num_classes]
        print(F.softmax(scores, dim=0))
""",
    "KD402 one sample": """
def classify(net, image, opinion):
    q = F.softmax(net(image.unsqueeze(0)).squeeze(), dim=0)
    return F.kl_div(q.log(), F.softmax(opinion, dim=0), reduction="sum")
""",
    "KD120 a divisor": """
def total(student_logits, teacher_logits, labels):
    log_q = F.log_softmax(student_logits, dim=1)
    kd = F.kl_div(log_q, F.softmax(teacher_logits, dim=1), reduction="batchmean")
    hard = F.cross_entropy(student_logits, labels)
    return hard + hard.detach() / kd.detach().clamp(min=1e-8) * kd
""",
    "KD106 the teacher is what learns": """
def train(student_model, teacher_model, images):
    optimizer = torch.optim.SGD(teacher_model.parameters(), lr=0.1)
    with torch.no_grad():
        p = F.softmax(student_model(images), dim=1)
    loss = F.kl_div(F.log_softmax(teacher_model(images), dim=1), p, reduction="batchmean")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "KD201 the entropy of one side": """
def total(student_logits, labels, T=2.0):
    p = F.softmax(student_logits / T, dim=1)
    entropy = -(p * F.log_softmax(student_logits / T, dim=1)).sum(1).mean()
    return F.cross_entropy(student_logits, labels) - 0.1 * entropy
""",
}


def codes(source: str) -> set[str]:
    head = KERAS if "keras" in source else TORCH
    return {finding.code for finding in check_source(head + source)}


@pytest.mark.parametrize("name", FOUND)
def test_the_mistake_is_found_in_this_form(name: str) -> None:
    assert name[:5] in codes(FOUND[name])


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_left_alone(name: str) -> None:
    assert name[:5] not in codes(SILENT[name])


def test_a_distribution_that_is_whole_may_meet_a_cut_one() -> None:
    source = """
def distil(student_logits, teacher_logits, known):
    log_q = F.log_softmax(student_logits, dim=1)
    p = F.softmax(teacher_logits[:, :known], dim=1)
    return -(p * log_q[:, :known]).sum(dim=1).mean()
"""
    found = [f for f in check_source(TORCH + source) if f.code == "KD118"]
    assert [str(f.severity) for f in found] == ["info"]


def test_a_name_that_is_defined_nowhere_is_found_in_whole_files_alone() -> None:
    source = TORCH + "def f(logits, labels):\n    return F.cross_entropy(logits, labels) * wieght\n"
    assert "KD608" in {f.code for f in findings_of(analyse(source, path="train.py"))}
    assert "KD608" not in {f.code for f in findings_of(analyse(source))}
    local = TORCH + "def f(x, y):\n    z: Duct = F.cross_entropy(x, y)\n    return z\n"
    assert "KD608" not in {f.code for f in findings_of(analyse(local, path="train.py"))}
    star = "from settings import *\n" + source
    assert "KD608" not in {f.code for f in findings_of(analyse(star, path="train.py"))}


def test_the_severity_of_an_exchanged_sum_follows_the_evidence() -> None:
    source = FOUND["KD606 which the division settles"]
    unsettled = source.replace("teacher / teacher_sum", "other(teacher_sum)")
    severities = [
        [str(f.severity) for f in check_source(TORCH + text) if f.code == "KD606"]
        for text in (source, unsettled)
    ]
    assert severities == [["error"], ["warning"]]


def test_a_ready_made_target_is_worth_a_hint() -> None:
    source = """
def loss(student_logits, teacher_probs, T=3.0):
    log_q = F.log_softmax(student_logits / T, dim=1)
    return F.kl_div(log_q, teacher_probs, reduction="batchmean") * T**2
"""
    found = [f for f in check_source(TORCH + source) if f.code == "KD203"]
    assert [str(f.severity) for f in found] == ["info"]
