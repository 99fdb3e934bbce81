"""Code that looks suspicious and is right: nothing may be said of it."""

from __future__ import annotations

import pytest

from didact.check.engine.engine import analyse
from didact.check.findings.finding import Severity
from didact.check.rules import findings_of

SOFT = "F.log_softmax(s / T, dim=1), F.softmax(t / T, dim=1)"
CASES = {
    "mean times classes": "loss = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1)) * num_classes",
    "mean times scale": "loss = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1)) * scale",
    "mean times batch": "loss = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1)) * batch_size",
    "mean times a large weight": "loss = 100 * F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1))",
    "T squared later": f"kd = F.kl_div({SOFT}, reduction='batchmean')\nkd *= T ** 2\n"
    "loss = kd + F.cross_entropy(s, y)",
    "T squared on another line": f"kd = F.kl_div({SOFT}, reduction='batchmean')\nw = T * T\n"
    "loss = w * kd + F.cross_entropy(s, y)",
    "T squared on the gradients": f"kd = F.kl_div({SOFT}, reduction='batchmean')\n"
    "(kd + F.cross_entropy(s, y)).backward()\nfor p in params:\n    p.grad = p.grad * (T * T)",
    "soft term alone": f"loss = F.kl_div({SOFT}, reduction='batchmean')",
    "sum over batch size": f"loss = F.kl_div({SOFT}, size_average=False) * T ** 2 / s.shape[0]",
    "log_target": "loss = F.kl_div(F.log_softmax(s, 1), F.log_softmax(t, 1), log_target=True, "
    "reduction='batchmean')",
    "soft cross-entropy": "loss = F.cross_entropy(s / T, F.softmax(t / T, dim=1)) * T ** 2",
    "power of 1/T renormalised": "p = F.softmax(t, 1) ** (1 / T)\np = p / p.sum(1, keepdim=True)",
    "merged masses": "p = F.softmax(s, 1)\npt = (p * mask).sum(1)\nlog_pt = torch.log(pt)",
    "names that lie": "prob_s = F.log_softmax(s, 1)\nteacher_log = F.softmax(t, 1)\n"
    "loss = F.kl_div(prob_s, teacher_log, reduction='batchmean')",
    "softmax after the loss": "loss = F.cross_entropy(s, y)\ns = F.softmax(s, dim=1)",
    "symmetric KL": "loss = F.kl_div(F.log_softmax(student_logits, 1), "
    "F.softmax(teacher_logits, 1), "
    "reduction='batchmean') + F.kl_div(F.log_softmax(teacher_logits, 1), "
    "F.softmax(student_logits, 1), reduction='batchmean')",
    "slice of rows": "loss = F.cross_entropy(s[:batch_size], y[:batch_size])",
    "shifted labels": "loss = F.cross_entropy(s[:, known:], y - known)",
    "empty tensor": "empty = s[:0]",
    "one side filled at once": "w = torch.zeros_like(s)\nw = F.softmax(w, dim=0)",
    "item for the log": "loss = F.cross_entropy(s, y)\ntotal += loss.item()\nloss.backward()",
    "contrastive temperature": "logits = a @ b.T / temperature\nloss = F.cross_entropy(logits, y)",
    "inverse temperature learned": "p = F.softmax(s * self.temperature.exp(), dim=1)",
    "1-D softmax": "w = F.softmax(torch.ones(3), dim=0)",
    "attention": "a = F.softmax(q @ k.transpose(1, 2) / d ** 0.5, dim=-1)",
    "mean teacher loss over a mask": "loss = F.cross_entropy(s, y, reduction='none')\n"
    "loss = (loss * loss_mask).sum() / loss_mask.sum()",
    "unknown spaces": "loss = F.kl_div(a, b, reduction='batchmean')",
    "unknown target": "loss = F.kl_div(F.log_softmax(a, 1), b, reduction='batchmean')",
}


@pytest.mark.parametrize("name", CASES)
def test_right_code_is_left_alone(name: str) -> None:
    body = "\n".join(f"    {line}" for line in CASES[name].split("\n"))
    head = "import torch\nimport torch.nn.functional as F\n\ndef f(s, t, y, T, temperature):\n"
    source = f"{head}{body}\n"
    source += "    return locals()\n"
    assert findings_of(analyse(source)) == []


MODULES = {
    "setter": "class D:\n    def set_teacher(self, model):\n        self.teacher_model = model\n",
    "live teacher in a branch": "class D:\n    def prepare(self):\n        if self.live:\n"
    "            self.teacher_model = self.model\n",
    "part of a Sequential": "class D(nn.Module):\n    def __init__(self):\n"
    "        self.token = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())\n"
    "        self.loss_fn = nn.BCEWithLogitsLoss()\n    def loss(self, x, y):\n"
    "        return self.loss_fn(self.token[0](x), y)\n",
    "criterion in the class body": "class D:\n    kl = nn.KLDivLoss(log_target=True)\n"
    "    soft_weight: float = 100.0\n    def step(self, a, b, y, T):\n"
    "        kl = self.kl(F.log_softmax(a / T, -1), F.log_softmax(b / T, -1))\n"
    "        return self.soft_weight * kl + F.cross_entropy(a, y)\n",
    "frozen teacher": "for p in teacher.parameters():\n    p.requires_grad = False\n"
    "def step(x):\n    return F.mse_loss(student(x), teacher(x))\n",
    "teacher trained on purpose": "def step(x):\n    teacher.train()\n"
    "    with torch.no_grad():\n        t = teacher(x)\n    return F.mse_loss(student(x), t)\n",
    "graph of the teacher is needed": "def step(x):\n    old_logits = old_model(x)\n"
    "    loss = F.mse_loss(student(x), old_logits.detach())\n    old_logits.backward(x)\n"
    "    return loss\n",
    "reduction chosen by the caller": "def loss(s, t, reduction='batchmean'):\n"
    "    return F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction=reduction)\n",
    "softmax in one branch": "def f(x, y):\n    if not training:\n        x = F.softmax(x, 1)\n"
    "    return F.cross_entropy(x, y)\n",
    "hard distillation": "def f(self, s, teacher_logits):\n    # hard distillation\n"
    "    return F.cross_entropy(s, teacher_logits.argmax(-1))\n",
    "Variable detaches": "from torch.autograd import Variable\ndef f(model_a, model_b, x):\n"
    "    a, b = model_a(x), model_b(x)\n"
    "    la = F.kl_div(F.log_softmax(a, 1), F.softmax(Variable(b), 1), reduction='batchmean')\n"
    "    lb = F.kl_div(F.log_softmax(b, 1), F.softmax(Variable(a), 1), reduction='batchmean')\n"
    "    return la, lb\n",
    "BKD: sigmoids in a one-hot target": "def f(model, old_model, x, y, n):\n"
    "    target = get_one_hot(y, n)\n    with torch.no_grad():\n"
    "        old = torch.sigmoid(old_model(x))\n    target[..., :old.shape[1]] = old\n"
    "    return F.binary_cross_entropy_with_logits(model(x), target)\n",
}


@pytest.mark.parametrize("name", MODULES)
def test_right_modules_are_left_alone(name: str) -> None:
    head = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n"
    found = findings_of(analyse(head + MODULES[name]))
    assert [f for f in found if f.severity is not Severity.INFO] == []


TEACHER_INSIDE = """
class Distiller(nn.Module):
    def __init__(self, student, teacher):
        super().__init__()
        self.student, self.parts = student, [teacher]
        self.teacher = teacher
{method}
    def forward(self, x):
        with torch.no_grad():
            wanted = self.teacher(x)
        return F.mse_loss(self.student(x), wanted)
"""


@pytest.mark.parametrize(
    "method",
    [
        "    def train(self, mode=True):\n        self.student.train(mode)\n        return self\n",
        "    def on_train_epoch_start(self):\n        for part in self.parts:\n"
        "            set_mode(part)\n",
        "    def start(self):\n        self.teacher.train(False)\n",
        "    def start(self):\n        self.teacher.eval()\n",
        "    def start(self):\n        for part in (self.teacher, self.other):\n"
        "            part.eval()\n",
        "    def warm_up(self):\n        self.teacher.train()\n",
        "    def optimiser(self):\n"
        "        return torch.optim.SGD(self.teacher.parameters(), lr=0.1)\n",
        "    def follow(self):\n        ema_update(self.teacher, self.student)\n",
    ],
    ids=[
        "train",
        "a hook of Lightning",
        "train(False)",
        "eval",
        "eval in a loop",
        "trained",
        "optimised",
        "averaged",
    ],
)
def test_a_teacher_whose_mode_is_chosen_is_left_alone(method: str) -> None:
    head = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
    told = [f.code for f in findings_of(analyse(head + TEACHER_INSIDE.format(method="")))]
    assert told == ["KD501"]
    codes = {f.code for f in findings_of(analyse(head + TEACHER_INSIDE.format(method=method)))}
    assert "KD501" not in codes


def test_a_soft_cross_entropy_that_is_subtracted_has_its_sign() -> None:
    head = "import torch\nimport torch.nn.functional as F\n\ndef f(s, t, y):\n"
    soft = "(F.softmax(t, 1) * F.log_softmax(s, 1)).sum(1).mean()"
    for sign, expected in (("+", ["KD308"]), ("-", [])):
        body = f"    return F.cross_entropy(s, y) {sign} {soft}\n"
        assert [f.code for f in findings_of(analyse(head + body))] == expected
