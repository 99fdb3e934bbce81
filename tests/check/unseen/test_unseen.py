"""Small inputs of kinds that once went wrong: false alarms and silent mistakes."""

import pytest

from didact.check import check_source

TORCH = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"

SILENT = {
    "a model elsewhere may return log-probabilities under a key": """
class Client:
    def __init__(self, network):
        self.network = network
        self.criterion = nn.NLLLoss()

    def score(self, loader):
        return sum(self.criterion(self.network(x)["output"], y) for x, y in loader)
""",
    "a flag is no temperature": """
class Divergence:
    def forward_kl(self, logits, teacher_logits, use_teacher_temp=False):
        logits = logits / self.kd_temp
        teacher_logits = teacher_logits / self.kd_temp
        teacher_logits = teacher_logits / self.own_temp if use_teacher_temp else teacher_logits
        log_q = torch.log_softmax(logits, -1)
        p = torch.softmax(teacher_logits, -1)
        log_p = torch.log_softmax(teacher_logits, -1)
        return (p * (log_p - log_q)).sum(-1)
""",
    "the logarithm of a batch mean": """
def balance(logits):
    average = F.softmax(logits, dim=1).mean(0)
    return (average * torch.log(average)).sum()
""",
    "the logarithm of a mixture": """
def skewed(student_logits, teacher_logits, lam=0.1):
    p = F.softmax(teacher_logits, -1)
    mixed = lam * p + (1 - lam) * F.softmax(student_logits, -1)
    return (p * (F.log_softmax(teacher_logits, -1) - torch.log(mixed))).sum(-1).mean()
""",
    "the logarithm of clamped values": """
def clamped(student_logits, teacher_logits):
    q = torch.clamp(F.softmax(student_logits, dim=1), 0.01, 0.99)
    return F.kl_div(torch.log(q), F.softmax(teacher_logits, dim=1), reduction="batchmean")
""",
    "a tensor's method is no model": """
def magnitude(student, teacher):
    return F.mse_loss(student.norm(dim=-1), teacher.norm(dim=-1))
""",
    "methods of features named after the teacher": """
def pooled(student_feats, teacher_feats):
    a = F.normalize(student_feats.flatten(1), dim=1)
    b = F.normalize(teacher_feats.unsqueeze(0).squeeze(0).flatten(1), dim=1)
    return F.mse_loss(a, b)
""",
    "a dict is no submodule": """
class Base(nn.Module):
    def __init__(self, teacher, student):
        super().__init__()
        self.teacher = teacher.eval()
        self.student = student
        self.teacher_hooks = {}

    def forward(self, x):
        self.teacher_hooks.clear()
        with torch.no_grad():
            t = self.teacher(x)
        return self.student(x), t
""",
    "the gradient is wanted through the teacher into a generator": """
def generator_step(generator, teacher, student, z, optimizer):
    fake = generator(z)
    t_out = teacher(fake)
    loss = F.cross_entropy(t_out, t_out.max(1)[1]) - F.l1_loss(student(fake), t_out)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "the gradient is wanted through the teacher's head into a projector": """
def teacher_space(projector, teacher, student_hidden, teacher_logits):
    logits = teacher.lm_head(projector(student_hidden))
    return F.kl_div(F.log_softmax(logits, -1), F.softmax(teacher_logits, -1), reduction="batchmean")
""",
    "weights that are convex, the soft term zero in one branch": """
def kd(scores, labels, teacher_scores, T, alpha):
    if teacher_scores is not None:
        soft = F.kl_div(
            F.log_softmax(scores / T, 1), F.softmax(teacher_scores / T, 1), reduction="batchmean"
        ) * T * T
    else:
        soft = 0.0
    total = alpha * soft + (1.0 - alpha) * F.cross_entropy(scores, labels)
    return total, soft
""",
    "labels that are sharpened": """
def match(prediction, label):
    p = F.softmax(label * 10, 1)
    return F.kl_div(F.log_softmax(prediction, 1), p, reduction="batchmean")
""",
    "the teacher itself is trained": """
def fit_teacher(teacher, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        out = teacher(x)
        loss = own_loss(out, y)
        loss.backward()
        optimizer.step()


def own_loss(out, y):
    if hasattr(out, "loss"):
        return out.loss
    return F.cross_entropy(out.logits, y)
""",
    "positions are sliced after a softmax over the vocabulary": """
def shifted(base_logits, student_logits):
    p = torch.softmax(base_logits, dim=2)
    return helper(p[:, 1:], student_logits)


def helper(p, student_logits):
    log_q = torch.log_softmax(student_logits, dim=2)
    return -torch.sum(torch.sum(p * log_q, 2)) / p.shape[0]
""",
}

JAX = """import jax
import jax.numpy as jnp


def nll(logits, labels):
    return -jnp.sum(labels * jax.nn.log_softmax(logits))
"""

FOUND = {
    "probabilities in the input, the target in log space as announced": (
        "KD101", "error", '''
def pull(view_a, view_b):
    pa = F.softmax(view_a, dim=-1)
    lb = F.log_softmax(view_b, dim=-1)
    return F.kl_div(pa, lb, log_target=True, reduction="batchmean")
'''),
    "both sides are made of one tensor of nobody known": (
        "KD509", "error", '''
class Step:
    kl = nn.KLDivLoss(log_target=True, reduction="batchmean")

    def run(self, x, y):
        wide_logits = self.wide(x).detach()
        out = self.small(x)
        goal = F.log_softmax(wide_logits / self.tau, dim=-1)
        mine = F.log_softmax(wide_logits / self.tau, dim=-1)
        return self.kl(mine, goal) * self.tau ** 2 + F.cross_entropy(out, y)
'''),
    "the criterion is chosen in a branch": (
        "KD119 KD102", "error", '''
class MapLoss(nn.Module):
    def __init__(self, kind="kl"):
        super().__init__()
        if kind == "kl":
            self.crit = nn.KLDivLoss(reduction="batchmean")
        else:
            self.crit = nn.MSELoss()
        self.soft = nn.Softmax(dim=-1)

    def forward(self, student_map, teacher_map):
        a = self.soft(student_map)
        b = self.soft(teacher_map)
        return self.crit(student_map, teacher_map)
'''),
    "a class mean behind a mask and a sign": (
        "KD304", "warning", '''
class OldHead(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, new_logits, old_logits, mask=None):
        log_q = torch.log_softmax(new_logits, dim=1)
        p = torch.softmax(old_logits, dim=1)
        loss = (log_q * p).mean(dim=1)
        if mask is not None:
            loss = loss * mask.float()
        return -torch.mean(loss) if self.reduction == "mean" else -torch.sum(loss)
'''),
    "a decorator that changes the signature": (
        "KD304", "warning", '''
from elsewhere import weighted


@weighted
def kd_term(pred, soft_label, T, detach_target=True):
    goal = F.softmax(soft_label / T, dim=1)
    if detach_target:
        goal = goal.detach()
    return F.kl_div(F.log_softmax(pred / T, dim=1), goal, reduction="none").mean(1) * (T * T)


class Wrapper:
    def forward(self, pred, soft_label, weight=None, avg_factor=None):
        return self.loss_weight * kd_term(
            pred, soft_label, weight, reduction=self.reduction, avg_factor=avg_factor, T=self.T
        )
'''),
    "logits of a causal language model": (
        "KD303+KD306", "warning", '''
from transformers import AutoModelForCausalLM

teacher = AutoModelForCausalLM.from_pretrained("large").eval()
student = AutoModelForCausalLM.from_pretrained("small")


def train(loader, accelerator, opt):
    for batch in loader:
        with torch.no_grad():
            t = teacher(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        out = student(**batch)
        kd = F.kl_div(F.log_softmax(out.logits, -1), F.softmax(t, -1), reduction="batchmean")
        accelerator.backward(kd + out.loss)
        opt.step()
'''),
    "a target over the batch for cross_entropy": (
        "KD402", "error", '''
def soft_target(student_logits, teacher_logits, tau):
    p = torch.softmax(teacher_logits / tau, dim=0)
    return F.cross_entropy(student_logits / tau, p)
'''),
    "a target over the batch for kl_div": (
        "KD402", "error", '''
def soft_kl(student_logits, teacher_logits, tau):
    p = torch.softmax(teacher_logits / tau, dim=0)
    return F.kl_div(F.log_softmax(student_logits / tau, dim=1), p, reduction="batchmean")
'''),
    "the factor stands in a comment, as a product": (
        "KD201", "warning", '''
class Boundary:
    def forward(self, out_s, out_t):
        return F.kl_div(F.log_softmax(out_s / self.T, dim=1), F.softmax(out_t / self.T, dim=1),
                        reduction="batchmean")  #* self.T * self.T
'''),
    "a cross-entropy by hand the wrong way round": (
        "KD106", "warning", '''
def old_head(student_logits, old_logits):
    terms = torch.log_softmax(old_logits, dim=1) * torch.softmax(student_logits, dim=1)
    return -terms.sum(1).mean()
'''),
    "an input filled row by row": (
        "KD101", "error", '''
class Smooth:
    def __init__(self, loss_fn=nn.KLDivLoss(reduction="batchmean"), tau=4.0):
        self.loss_fn = loss_fn
        self.tau = tau

    def kd(self, student_logits, teacher_logits, y):
        q = F.softmax(student_logits / self.tau, dim=1)
        p = F.softmax(teacher_logits / self.tau, dim=1)
        goal = torch.zeros(p.shape)
        for i in range(p.shape[0]):
            goal[i] = p[i] if p[i].argmax() == y[i] else 0.1
        return self.loss_fn(goal, q) * self.tau ** 2
'''),
    "a temperature of one branch, an if that guards something else": (
        "KD207", "error", '''
class Channels(nn.Module):
    def __init__(self, kind="mse", temperature=1.0):
        super().__init__()
        if kind == "mse":
            self.crit = nn.MSELoss()
        elif kind == "kl":
            self.crit = nn.KLDivLoss(reduction="sum")
            self.temperature = temperature

    def forward(self, s, t):
        if s.size(1) != t.size(1):
            s = self.conv(s)
        return self.crit((s / self.temperature).log_softmax(1), (t / self.temperature).softmax(1))
'''),
    "what embedding models return goes into kl_div as it is": (
        "KD102 KD103", "error", '''
class Embedder:
    def loss(self, words, feats):
        with torch.no_grad():
            old_feats = self.old_embedding(words)
        return F.kl_div(feats, old_feats, reduction="batchmean")
'''),
    "padding is skipped by the hard term alone": (
        "KD306", "warning", '''
def kl(student_logits, teacher_logits, tau):
    s = student_logits.view(-1, student_logits.size(-1))
    t = teacher_logits.view(-1, teacher_logits.size(-1))
    p, q = F.softmax(t / tau, -1), F.log_softmax(s / tau, -1)
    return F.kl_div(q, p, reduction="batchmean") * tau ** 2


def total(student_logits, teacher_logits, labels, tau=2.0):
    flat = student_logits.view(-1, student_logits.size(-1))
    hard = F.cross_entropy(flat, labels.view(-1), ignore_index=-100)
    return hard + kl(student_logits, teacher_logits, tau)
'''),
    "a loss chosen as a bound method": (
        "KD201", "warning", '''
class Choice:
    def __init__(self, cfg):
        self.tau = cfg.tau
        if cfg.kind == "forward":
            self.distance = self.fkl
        else:
            self.distance = self.rkl

    def fkl(self, s, t):
        return F.kl_div(
            F.log_softmax(s / self.tau, -1), F.softmax(t / self.tau, -1), reduction="batchmean"
        )

    def rkl(self, s, t):
        q = F.softmax(s / self.tau, -1)
        log_ratio = F.log_softmax(s / self.tau, -1) - F.log_softmax(t / self.tau, -1)
        return (q * log_ratio).sum(-1).mean()

    def total(self, student_logits, teacher_logits, labels, rate):
        hard = F.cross_entropy(student_logits, labels)
        return (1 - rate) * hard + rate * self.distance(student_logits, teacher_logits)
'''),
    "a weight called beta means nothing": (
        "KD106", "warning", '''
def joint(student, teacher, x, y, alpha, beta):
    t = teacher(x).detach()
    s = student(x)
    kd = F.kl_div(F.log_softmax(t / 4, 1), F.softmax(s / 4, 1), reduction="batchmean") * 16
    return alpha * F.cross_entropy(s, y) + beta * kd
'''),
    "a call of old Python hides nothing": (
        "KD101", "error", '''
def kd(x, student_logits, teacher_logits):
    x = x.cuda(async=True)
    p = F.softmax(teacher_logits, -1)
    return F.kl_div(F.softmax(student_logits, -1), p, reduction="batchmean")
'''),
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_nothing_is_wrong(name):
    assert [(f.code, f.span.line) for f in check_source(TORCH + SILENT[name])] == []


def test_other_frameworks_have_rules_of_their_own():
    assert [f.code for f in check_source(JAX)] == []


@pytest.mark.parametrize(
    "line", ["import tensorflow as tf", "from keras import losses", "import paddle", "import mxnet"]
)
def test_code_of_another_framework_is_not_judged_as_pytorch(line):
    code = "loss = F.kl_div(F.softmax(student, 1), F.softmax(teacher, 1))\n"
    assert [f.code for f in check_source(f"{line}\n{code}")] == []
    assert [f.code for f in check_source(f"import torch\n{line}\n{code}")] != []


@pytest.mark.parametrize("name", FOUND)
def test_something_is_wrong(name):
    codes, severity, source = FOUND[name]
    found = {(f.code, str(f.severity)) for f in check_source(TORCH + source)}
    for alternatives in codes.split("+"):
        wanted = {(code, severity) for code in alternatives.split()}
        assert wanted & found, found
