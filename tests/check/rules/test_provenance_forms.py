"""Mistakes and right code that only where values come from tells apart, in forms of public code."""

from __future__ import annotations

import pytest

from didact.check import check_source

TORCH = "import copy\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"
KERAS = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Flatten, Input
from tensorflow.keras.losses import categorical_crossentropy
from tensorflow.keras.models import Model, Sequential

"""

FOUND = {
    "KD504 a term under no_grad beside one with a graph": """
class Task(nn.Module):
    def training_step(self, batch, _):
        x, y = batch
        pred = self.model(x)
        loss = self.criterion(pred, y)
        with torch.no_grad():
            ref = self.teacher(x)
            extra = F.kl_div(
                F.log_softmax(pred, dim=1), F.softmax(ref, dim=1), reduction="batchmean"
            )
        loss += self.weight * extra
        self.log("loss", loss)
        return {"loss": loss}
""",
    "KD504 under inference_mode": """
def step(net, big, x, y, opt):
    out = net(x)
    hard = F.cross_entropy(out, y)
    with torch.inference_mode():
        soft = F.mse_loss(out, big(x))
    (hard + 0.5 * soft).backward()
    opt.step()
""",
    "KD504 in a method that is decorated": """
class Kd(nn.Module):
    @torch.no_grad()
    def imitation(self, mine, theirs):
        return F.kl_div(F.log_softmax(mine, dim=1), F.softmax(theirs, dim=1), reduction="batchmean")

    def forward(self, x, y):
        mine, theirs = self.small(x), self.teacher(x)
        return F.cross_entropy(mine, y) + self.imitation(mine, theirs)
""",
    "KD505 a copy of what a helper returns": """
def mse_or_zero(a, b):
    loss = 0
    if a is not None:
        loss = F.mse_loss(a, b)
    return loss

class Loss:
    def __call__(self, p, targets, student=None, teacher=None):
        box = self.box(p, targets)
        roi = torch.tensor(mse_or_zero(student, teacher), device=p.device)
        roi = roi.float().mean()
        total = 0.1 * roi + box
        return total, box.detach()
""",
    "KD505 item in a returned sum": """
def loss_fn(student_logits, teacher_logits, labels, T):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    ).item()
    hard = F.cross_entropy(student_logits, labels)
    return 0.5 * hard + 0.5 * T * T * soft
""",
    "KD505 detach in a returned sum": """
class Distil(nn.Module):
    def forward(self, s, t, y):
        kd = F.kl_div(F.log_softmax(s, dim=1), F.softmax(t, dim=1), reduction="batchmean")
        total = F.cross_entropy(s, y) + kd.detach()
        return total
""",
    "KD501 a submodule in a dictionary of outputs": """
class OnFly(nn.Module):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher
        for p in self.teacher.parameters():
            p.requires_grad = False

    def forward(self, x):
        return {"out": self.student(x)["out"], "teacher_outs": [self.teacher(x)["out"]]}
""",
    "KD501 built where it is run": """
from torchvision.models import resnet18, resnet50

def train(loader, T=2):
    small = resnet18(num_classes=10)
    t_net = resnet50(num_classes=10)
    t_net.load_state_dict(torch.load("t.pth"))
    opt = torch.optim.Adam(small.parameters())
    for x, y in loader:
        with torch.no_grad():
            t_logits = t_net(x)
        s = small(x)
        loss = F.cross_entropy(s, y) + T * T * F.kl_div(
            F.log_softmax(s / T, 1), F.softmax(t_logits / T, 1), reduction="batchmean"
        )
        opt.zero_grad()
        loss.backward()
        opt.step()
""",
    "KD501 the model that is trained elsewhere in the class": """
class Method:
    def observe(self, x, y):
        self.model.train()
        loss = F.cross_entropy(self.model(x), y)
        loss.backward()

    def compress(self, loader):
        self.kb.train()
        for x, _ in loader:
            with torch.no_grad():
                teacher_logits = self.model(x)
            student_logits = self.kb(x)
            loss = F.kl_div(
                F.log_softmax(student_logits, 1),
                F.softmax(teacher_logits, 1),
                reduction="batchmean",
            )
            loss.backward()
""",
    "KD202 twice, and returned beside its parts": """
def both(outputs, labels, teacher_outputs, temperature, alpha):
    T = temperature
    kl = nn.KLDivLoss(reduction="batchmean")(
        F.log_softmax(outputs / T, 1), F.softmax(teacher_outputs / T, 1)
    ) * (T * T)
    ce = F.cross_entropy(outputs, labels)
    total = kl * (alpha * T * T) + ce * (1.0 - alpha)
    return total, kl, ce
""",
    "KD202 twice, and logged once": """
class L(nn.Module):
    def forward(self, s, t, y):
        T = self.T
        soft = (
            F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1), reduction="batchmean") * T**2
        )
        self.log("soft", soft)
        return self.a * soft * T**2 + (1 - self.a) * F.cross_entropy(s, y)
""",
    "KD107 a cross-entropy of the teacher": """
def train(teacher, student, loader, loss_fn, temperature, a):
    for x, y in loader:
        with torch.no_grad():
            t = teacher(x)["out"]
        s = student(x)
        soft_t = F.softmax(t / temperature, dim=1)
        soft_s = F.softmax(s / temperature, dim=1)
        soft = loss_fn(soft_t, soft_s)
        loss = a * soft + (1 - a) * loss_fn(s, y)
        loss.backward()

def main():
    train(A(), B(), L(), nn.CrossEntropyLoss(), 2, 0.5)
""",
    "KD106 the graph tells, through models": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.softmax = F.softmax

    def forward(self, x, temperature=None):
        x = self.fc(x)
        if temperature is not None:
            x = self.softmax(x / temperature, dim=-1)
        else:
            x = self.softmax(x, dim=-1)
        return x

def distill(opt, source, target, X, y):
    with torch.no_grad():
        source_out = source(X, 2)
    target_out = target(X, 2)
    loss = F.cross_entropy(target_out, y) + F.kl_div(source_out, target_out)
    loss.backward()

def go():
    distill(None, Net(), Net(), 1, 2)
""",
    "KD106 the graph tells, without names": """
def step(local, glob, x, y):
    with torch.no_grad():
        g = glob(x)
    l = local(x)
    loss = F.cross_entropy(l, y) + F.kl_div(
        F.log_softmax(g, 1), F.softmax(l, 1), reduction="batchmean"
    )
    loss.backward()
""",
    "KD503 a head of the same class": """
class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList()
        self.head = nn.Linear(8, 100)

    def forward(self, idx, targets):
        x = idx
        mid = None
        for i, b in enumerate(self.blocks):
            x = b(x)
            if i == 3:
                mid = self.head(x)
        logits = self.head(x)
        hard = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        student = F.log_softmax(mid / 2, dim=-1)
        teacher = F.softmax(logits / 2, dim=-1)
        soft = F.kl_div(student, teacher, reduction="batchmean") * 4
        return hard + soft
""",
    "KD503 the same model twice": """
class Lit(nn.Module):
    def forward(self, ids, mask):
        out = self.model(input_ids=ids, attention_mask=mask)
        return out.loss, out.logits

    def training_step(self, batch, i):
        a, student_logits = self(batch["a"], batch["m"])
        b, teacher_logits = self(batch["b"], batch["m"])
        kd = F.kl_div(
            F.log_softmax(student_logits, -1), F.softmax(teacher_logits, -1), reduction="sum"
        )
        return a + kd
""",
    "KD503 both ways in one sum": """
class Mutual(nn.Module):
    def forward(self, x, y):
        s1, s2 = self.net_a(x), self.net_b(x)
        p1, p2 = F.softmax(s1, 1), F.softmax(s2, 1)
        kd1 = self.kl(F.log_softmax(s1, 1), p2)
        kd2 = self.kl(F.log_softmax(s2, 1), p1)
        return self.ce(s1, y) + kd1 + self.ce(s2, y) + kd2

    def __init__(self):
        super().__init__()
        self.kl = nn.KLDivLoss(reduction="batchmean")
        self.ce = nn.CrossEntropyLoss()
""",
    "KD303 scores flattened for the labels": """
def loss(student_outputs, labels, data):
    student_logits = student_outputs["logits"]
    hard = F.cross_entropy(
        student_logits.view(-1, student_logits.size(-1)), labels.view(-1), ignore_index=-100
    )
    t = data["teacher_logits"].float()
    soft = (
        F.kl_div(
            F.log_softmax(student_logits.float() / 2, dim=-1),
            F.softmax(t / 2, dim=-1),
            reduction="batchmean",
        )
        * 4
    )
    return hard + soft
""",
    "KD303 flattened to their own last size": """
def loss(s_out, t_out, tags, T):
    hard = F.cross_entropy(s_out.reshape(-1, s_out.shape[-1]), tags.reshape(-1))
    soft = (
        F.kl_div(
            F.log_softmax(s_out / T, dim=-1), F.softmax(t_out / T, dim=-1), reduction="batchmean"
        )
        * T
        * T
    )
    return hard + soft
""",
    "KD305 a choice between two means": """
def loss(s, t, y):
    hard = F.cross_entropy(s, y)
    soft = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="batchmean")
    right = t.argmax(1) == y
    return torch.where(right, soft, hard).mean()
""",
    "KD509 the sum of an old detector's losses": """
for p in model_old.parameters():
    p.requires_grad = False

def train_one_epoch(model, model_old, opt, loader, alpha):
    for images, targets in loader:
        d = model(images, targets)
        d_old = model_old(images, targets)
        losses = sum(l for l in d.values())
        losses_old = sum(l for l in d_old.values())
        losses = losses * alpha + losses_old * (1 - alpha)
        opt.zero_grad()
        losses.backward()
        opt.step()
""",
    "KD509 the teacher's own cross-entropy": """
def step(student, teacher, x, y, opt):
    loss = F.cross_entropy(student(x), y)
    with torch.no_grad():
        t = teacher(x)
    loss = loss + 0.5 * F.cross_entropy(t, y)
    loss.backward()
""",
    "KD301 a criterion moved to the device": """
def main(gpu, model, teacher_model, loader, opt):
    kl_loss = nn.KLDivLoss()
    kl_loss = kl_loss.cuda(gpu)
    for x, y in loader:
        p1, p2 = model(x)
        t1, t2 = teacher_model(x)
        loss = F.cross_entropy(p1, y) + kl_loss(p1, t1) + kl_loss(p2, t2)
        loss.backward()
""",
    "KD125 keras models made by a function": """
def small(n):
    i = Input((28, 28))
    x = Flatten()(i)
    out = Dense(n, activation="softmax")(x)
    return Model(i, out)

class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher

    def compile(self, optimizer, distillation_loss_fn, temperature=3):
        self.distillation_loss_fn = distillation_loss_fn
        self.temperature = temperature

    def train_step(self, data):
        x, y = data
        tp = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            sp = self.student(x, training=True)
            loss = (
                self.distillation_loss_fn(
                    tf.nn.softmax(tp / self.temperature, axis=1),
                    tf.nn.softmax(sp / self.temperature, axis=1),
                )
                * self.temperature**2
            )
        return loss

d = Distiller(student=small(10), teacher=small(10))
d.compile(optimizer="adam", distillation_loss_fn=keras.losses.KLDivergence())
""",
    "KD125 keras layers added one by one": """
teacher = Sequential()
teacher.add(Flatten())
teacher.add(Dense(10, activation="softmax"))
student = Sequential()
student.add(Flatten())
student.add(Dense(10, activation="softmax"))

def kd(x, y, T):
    t = teacher(x, training=False)
    s = student(x, training=True)
    return (
        keras.losses.KLDivergence()(tf.nn.softmax(t / T, axis=1), tf.nn.softmax(s / T, axis=1))
        * T**2
    )
""",
    "KD210 keras losses in one compile": """
T = 7
a = 0.9

def kd_loss(y_true, y_pred):
    soft_y = K.softmax(y_true / T)
    soft_pred = K.softmax(y_pred / T)
    return categorical_crossentropy(soft_y, soft_pred)

def hard(y_true, y_pred):
    return categorical_crossentropy(y_true, K.softmax(y_pred))

student.compile(loss=[kd_loss, hard], optimizer="adam", loss_weights=[a, 1.0 - a])
""",
    "KD403 keras scores by hand": """
def wrapper(x, teacher):
    def loss(y_true, y_pred):
        p = 0.9
        yt = teacher(x)
        s = K.exp(y_pred / p) / K.sum(K.exp(y_pred / p))
        t = K.exp(yt / p) / K.sum(K.exp(yt / p))
        return categorical_crossentropy(y_true, y_pred) + categorical_crossentropy(t, s)

    return loss
""",
    "KD403 scores by hand": """
def soft(logits, T):
    e = torch.exp(logits / T)
    return e / e.sum()

def kd(student_logits, teacher_logits, T):
    p = soft(teacher_logits, T)
    q = torch.exp(student_logits / T) / torch.sum(torch.exp(student_logits / T))
    return -(p * torch.log(q)).sum()
""",
    "KD504 the student detached": """
def step(student, teacher, x, y, opt, T):
    s = student(x)
    with torch.no_grad():
        t = teacher(x)
    kd = (
        F.kl_div(F.log_softmax(s.detach() / T, 1), F.softmax(t / T, 1), reduction="batchmean")
        * T
        * T
    )
    loss = F.cross_entropy(s, y) + kd
    opt.zero_grad()
    loss.backward()
    opt.step()
""",
    "KD504 the student's data": """
class L(nn.Module):
    def forward(self, student_logits, teacher_logits, y):
        T = self.T
        kd = (
            F.kl_div(
                F.log_softmax(student_logits.data / T, 1),
                F.softmax(teacher_logits.data / T, 1),
                reduction="batchmean",
            )
            * T
            * T
        )
        return F.cross_entropy(student_logits, y) + kd
""",
    "KD504 the student's argmax": """
def loss_fn(student_logits, teacher_logits, y):
    hard = F.cross_entropy(student_logits, y)
    sp = torch.argmax(student_logits, dim=1).float()
    tp = torch.argmax(teacher_logits, dim=1).float()
    return hard + F.mse_loss(sp, tp)
""",
    "KD504 the student as an array": """
def train(student, teacher, loader, opt):
    for x, y in loader:
        out = student(x)
        ref = teacher(x).detach()
        kd = nn.KLDivLoss(reduction="batchmean")(
            torch.log_softmax(torch.tensor(out.detach().cpu().numpy()), 1), torch.softmax(ref, 1)
        )
        loss = F.cross_entropy(out, y) + kd
        loss.backward()
        opt.step()
        opt.zero_grad()
""",
    "KD303 the logits in a tuple": """
from transformers import BertForTokenClassification

teacher = BertForTokenClassification.from_pretrained("t")
student = BertForTokenClassification.from_pretrained("s")

def distill(batch, T=2.0, alpha=0.5):
    with torch.no_grad():
        tl = teacher(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])[0]
    so = student(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
    )
    kd = (
        F.kl_div(F.log_softmax(so[1] / T, dim=-1), F.softmax(tl / T, dim=-1), reduction="batchmean")
        * T
        * T
    )
    return alpha * so[0] + (1 - alpha) * kd
""",
    "KD301 a criterion by getattr": """
class Learner:
    def __init__(self, cfg):
        self.kd = getattr(nn, "KLDivLoss")()
        self.ce = nn.CrossEntropyLoss()

    def loss(self, s, t, y, T):
        return self.kd(F.log_softmax(s / T, 1), F.softmax(t / T, 1)) * T * T + self.ce(s, y)
""",
    "KD301 a reduction of the command line": """
import argparse

p = argparse.ArgumentParser()
p.add_argument("--reduction", default="mean")
args = p.parse_args()

def loss(s, t, y, T):
    return F.kl_div(
        F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction=args.reduction
    ) * T * T + F.cross_entropy(s, y)
""",
    "KD108 a chain that ends in a softmax": """
class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))

    def forward(self, x):
        return self.net(x)

def train(loader):
    student = Student()
    crit = nn.CrossEntropyLoss()
    for x, y in loader:
        out = student(x)
        loss = crit(out, y)
        loss.backward()
""",
    "KD301 two criteria assigned at once": """
class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        ce, kl = nn.CrossEntropyLoss(), nn.KLDivLoss()
        self.ce, self.kl = ce, kl

    def forward(self, s, te, y):
        return self.ce(s, y) + self.kl(F.log_softmax(s, dim=1), F.softmax(te, dim=1))
""",
    "KD201 losses in a list": """
def total(s, t, y, T):
    parts = []
    parts.append(F.cross_entropy(s, y))
    parts.append(F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean"))
    return sum(parts)
""",
    "KD201 losses in a dictionary": """
class M(nn.Module):
    def losses(self, s, t, y, T):
        out = dict()
        out["ce"] = F.cross_entropy(s, y)
        out["kd"] = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean")
        return out

    def forward(self, s, t, y, T):
        d = self.losses(s, t, y, T)
        return sum(d.values())
""",
    "KD201 losses stacked": """
def total(s, t, y, T):
    ce = F.cross_entropy(s, y)
    kd = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean")
    return torch.stack([ce, kd]).sum()
""",
    "KD201 losses interpolated": """
def total(s, t, y, T, a):
    ce = F.cross_entropy(s, y)
    kd = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean")
    return torch.lerp(ce, kd, a)
""",
    "KD201 losses added by method": """
def total(s, t, y, T, a):
    ce = F.cross_entropy(s, y)
    kd = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean")
    return ce.mul(1 - a).add(kd.mul(a))
""",
    "KD405 outputs of no known space": """
def lwf(outputs, old_outputs, known, T):
    a = F.log_softmax(outputs[:known] / T, dim=1)
    b = F.softmax(old_outputs[:known] / T, dim=1)
    return F.kl_div(a, b, reduction="batchmean") * T * T
""",
    "KD401 the positions of a language model": """
from transformers import AutoModelForCausalLM

student = AutoModelForCausalLM.from_pretrained("a")
teacher = AutoModelForCausalLM.from_pretrained("b")

def kd(batch, T=2.0):
    s = student(**batch).logits
    with torch.no_grad():
        t = teacher(**batch).logits
    return (
        F.kl_div(F.log_softmax(s / T, dim=1), F.softmax(t / T, dim=1), reduction="batchmean")
        * T
        * T
    )
""",
    "KD210 keras scores that tf.nn normalises": """
def total(y, s, t, T, a):
    soft = tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(t / T), logits=s / T)
    hard = tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=s)
    return a * hard + (1 - a) * tf.reduce_mean(soft)
""",
}

SILENT = {
    "KD504 an evaluation": """
@torch.no_grad()
def evaluate(net, big, x, y):
    out = net(x)
    hard = F.cross_entropy(out, y)
    soft = F.mse_loss(out, big(x))
    return hard + 0.5 * soft
""",
    "KD504 a number for the log": """
def step(net, big, x, y, opt):
    out = net(x)
    loss = F.cross_entropy(out, y)
    with torch.no_grad():
        agree = F.mse_loss(out, big(x))
    loss.backward()
    return loss.item(), agree.item()
""",
    "KD504 a weight": """
def step(net, big, x, y, opt):
    out = net(x)
    with torch.no_grad():
        t = big(x)
        w = torch.exp(-F.cross_entropy(t, y))
        gap = F.kl_div(F.log_softmax(out, 1), F.softmax(t, 1), reduction="batchmean")
    loss = F.cross_entropy(out, y) * gap + w * F.mse_loss(out, t)
    loss.backward()
""",
    "KD505 numbers in a dictionary": """
def loss_fn(student_logits, teacher_logits, labels, T):
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=1),
        F.softmax(teacher_logits / T, dim=1),
        reduction="batchmean",
    )
    hard = F.cross_entropy(student_logits, labels)
    return hard + soft * T * T, {
        "soft": soft.item(),
        "hard": hard.item(),
        "sum": hard.item() + soft.item(),
    }
""",
    "KD505 a running sum": """
def epoch(loader, net, teacher, opt):
    running = 0.0
    for x, y in loader:
        s, t = net(x), teacher(x).detach()
        loss = F.cross_entropy(s, y) + F.mse_loss(s, t)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()
    return running / len(loader)
""",
    "KD501 evaluated where it is built": """
from torchvision.models import resnet18, resnet50

def train(loader, T=2):
    small = resnet18(num_classes=10)
    teacher = resnet50(num_classes=10)
    teacher.eval()
    opt = torch.optim.Adam(small.parameters())
    for x, y in loader:
        with torch.no_grad():
            t_logits = teacher(x)
        s = small(x)
        loss = F.cross_entropy(s, y) + T * T * F.kl_div(
            F.log_softmax(s / T, 1), F.softmax(t_logits / T, 1), reduction="batchmean"
        )
        opt.zero_grad()
        loss.backward()
        opt.step()
""",
    "KD501 a parameter": """
def train(student, teacher, loader, T=2):
    opt = torch.optim.Adam(student.parameters())
    student.train()
    for x, y in loader:
        with torch.no_grad():
            t_logits = teacher(x)
        s = student(x)
        loss = F.cross_entropy(s, y) + T * T * F.kl_div(
            F.log_softmax(s / T, 1), F.softmax(t_logits / T, 1), reduction="batchmean"
        )
        opt.zero_grad()
        loss.backward()
        opt.step()
""",
    "KD202 once": """
class L(nn.Module):
    def forward(self, s, t, y):
        T = self.T
        soft = (
            F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1), reduction="batchmean") * T**2
        )
        self.log("soft", soft)
        return self.a * soft + (1 - self.a) * F.cross_entropy(s, y), soft
""",
    "KD106 the graph in the input": """
def step(local, glob, x, y):
    with torch.no_grad():
        g = glob(x)
    l = local(x)
    loss = F.cross_entropy(l, y) + F.kl_div(
        F.log_softmax(l, 1), F.softmax(g, 1), reduction="batchmean"
    )
    loss.backward()
""",
    "KD503 the same model both ways": """
def rdrop(model, x, y):
    a, b = model(x), model(x)
    kl = F.kl_div(F.log_softmax(a, -1), F.softmax(b, -1), reduction="batchmean") + F.kl_div(
        F.log_softmax(b, -1), F.softmax(a, -1), reduction="batchmean"
    )
    return F.cross_entropy(a, y) + kl
""",
    "KD503 under no_grad": """
def step(student, teacher, x, y):
    with torch.no_grad():
        t = teacher(x)
    s = student(x)
    return F.cross_entropy(s, y) + F.kl_div(
        F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean"
    )
""",
    "KD305 a choice between samples": """
def loss(s, t, y):
    hard = F.cross_entropy(s, y, reduction="none")
    soft = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="none").sum(1)
    right = t.argmax(1) == y
    return torch.where(right, soft, hard).mean()
""",
    "KD125 keras layers without a softmax": """
teacher = Sequential()
teacher.add(Flatten())
teacher.add(Dense(10))
student = Sequential()
student.add(Flatten())
student.add(Dense(10))

def kd(x, y, T):
    t = teacher(x, training=False)
    s = student(x, training=True)
    return (
        keras.losses.KLDivergence()(tf.nn.softmax(t / T, axis=1), tf.nn.softmax(s / T, axis=1))
        * T**2
    )
""",
    "KD504 a detached weight": """
def loss_fn(student_logits, teacher_logits, y):
    gap = F.kl_div(
        F.log_softmax(student_logits.detach(), 1), F.softmax(teacher_logits, 1), reduction="none"
    ).sum(1)
    w = torch.exp(-gap)
    return (w * F.cross_entropy(student_logits, y, reduction="none")).mean()
""",
    "KD504 each detached for the other": """
def mutual(a, b, y):
    la = F.cross_entropy(a, y) + F.kl_div(
        F.log_softmax(a, 1), F.softmax(b.detach(), 1), reduction="batchmean"
    )
    lb = F.cross_entropy(b, y) + F.kl_div(
        F.log_softmax(b, 1), F.softmax(a.detach(), 1), reduction="batchmean"
    )
    return la, lb
""",
    "KD505 a dictionary of losses": """
class M(nn.Module):
    def training_step(self, batch, i):
        x, y = batch
        s = self.student(x)
        with torch.no_grad():
            t = self.teacher(x)
        losses = {"ce": F.cross_entropy(s, y)}
        T = self.T
        losses["kd"] = (
            F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean") * T * T
        )
        total = sum(losses.values())
        self.log_dict({k: v.item() for k, v in losses.items()})
        return total

    def on_train_epoch_start(self):
        self.teacher.eval()
""",
    "KD501 an averaged teacher": """
class Mean:
    def step(self, x, y):
        self.model.train()
        s = self.model(x)
        with torch.no_grad():
            t = self.ema_model(x)
        loss = F.cross_entropy(s, y) + F.mse_loss(s.softmax(1), t.softmax(1))
        loss.backward()
        self.update_ema()
""",
    "KD504 enable_grad": """
@torch.no_grad()
def attack(net, ref, x):
    with torch.enable_grad():
        out = net(x)
        loss = F.kl_div(F.log_softmax(out, 1), F.softmax(ref(x), 1), reduction="batchmean")
    return loss
""",
    "KD106 the model under no_grad is the target": """
def vat(model, x, d):
    with torch.no_grad():
        pred = F.softmax(model(x), dim=1)
    adv = F.log_softmax(model(x + d), dim=1)
    return F.kl_div(adv, pred, reduction="batchmean")
""",
    "KD505 numbers returned for the log": """
def step(s, t, y, T, meters):
    ce = F.cross_entropy(s, y)
    kd = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean") * T * T
    loss = ce + kd
    loss.backward()
    meters.update(ce=ce.item(), kd=kd.item())
    return loss.item(), ce.item() + kd.item()
""",
    "KD403 weights of teachers": """
def weights(losses):
    e = torch.exp(-losses)
    return e / e.sum()

def combine(student_logits, teachers, y):
    ls = torch.stack([F.cross_entropy(t, y) for t in teachers])
    w = torch.exp(-ls) / torch.sum(torch.exp(-ls))
    return sum(wi * F.mse_loss(student_logits, t) for wi, t in zip(w, teachers))
""",
    "KD509 the teacher's loss as a weight": """
def step(student, teacher, x, y):
    s = student(x)
    with torch.no_grad():
        t = teacher(x)
        lt = F.cross_entropy(t, y)
    ls = F.cross_entropy(s, y)
    return ls * (1 + lt)
""",
    "KD509 a teacher that is trained": """
def step(student, teacher, x, y, opt):
    s, t = student(x), teacher(x)
    loss = (
        F.cross_entropy(s, y)
        + F.cross_entropy(t, y)
        + F.kl_div(F.log_softmax(s, 1), F.softmax(t.detach(), 1), reduction="batchmean")
    )
    opt.zero_grad()
    loss.backward()
    opt.step()
""",
    "KD501 prepared by a helper": """
from torchvision.models import resnet50

def run(loader, cfg):
    t_net = resnet50(num_classes=10)
    load_checkpoint(t_net, cfg.path)
    prepare_teacher(t_net)
    for x, y in loader:
        with torch.no_grad():
            t_logits = t_net(x)
        yield t_logits
""",
    "KD106 reversed on purpose": """
def reverse_kl(student_logits, teacher_logits):
    with torch.no_grad():
        t = F.log_softmax(teacher_logits, -1)
    s = F.softmax(student_logits, -1)
    return F.kl_div(t, s, reduction="batchmean")
""",
    "KD210 keras scores with the factor": """
def total(y, s, t, T, a):
    soft = tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(t / T), logits=s / T)
    hard = tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=s)
    return a * hard + (1 - a) * T**2 * tf.reduce_mean(soft)
""",
}


def codes(name: str, source: str) -> set[str]:
    head = KERAS if "keras" in name else TORCH
    return {finding.code for finding in check_source(head + source)}


@pytest.mark.parametrize("name", FOUND)
def test_the_mistake_is_found(name: str) -> None:
    assert name[:5] in codes(name, FOUND[name])


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_left_alone(name: str) -> None:
    assert name[:5] not in codes(name, SILENT[name])
