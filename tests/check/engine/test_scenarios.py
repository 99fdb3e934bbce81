"""Mistakes in the forms in which people write them: modules, methods, loops, helpers, globals."""

from __future__ import annotations

import pytest

from didact.check.engine.engine import analyse
from didact.check.rules import findings_of

CASES = [
    pytest.param(
        "KD101",
        """
class S(nn.Module):
    def forward(self, o, t):
        sm = nn.Softmax(dim=1)
        kl = nn.KLDivLoss(reduction="batchmean")
        return kl(sm(o), sm(t))
""",
        id="KD101-1",
    ),
    pytest.param(
        "KD102",
        """
def train(model, teacher, x, y):
    out = model(x)
    with torch.no_grad():
        t = teacher(x)
    loss = F.cross_entropy(out, y) + F.kl_div(out, F.softmax(t, 1), reduction="batchmean")
    loss.backward()
""",
        id="KD102-1",
    ),
    pytest.param(
        "KD108",
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        return self.softmax(self.fc(x))


net = Net()
crit = nn.CrossEntropyLoss()
for x, y in loader:
    loss = crit(net(x), y)
""",
        id="KD108-1",
    ),
    pytest.param(
        "KD106",
        """
def kd(s, t, T):
    log_p, q = F.log_softmax(t / T, dim=1), F.softmax(s / T, dim=1)
    return F.kl_div(log_p, q, reduction="batchmean") * T * T
""",
        id="KD106-one-letter-each",
    ),
    pytest.param(
        "KD405",
        """
def f(model, old_model, x, y, known):
    logits, old_logits = model(x), old_model(x)
    log_p = F.log_softmax(logits[:known] / 2, dim=1)
    q = F.softmax(old_logits[:known] / 2, dim=1)
    return F.cross_entropy(logits, y) + 4 * F.kl_div(log_p, q, reduction="batchmean")
""",
        id="KD405-inside-a-quotient",
    ),
    pytest.param(
        "KD205",
        """
def f(student_logits, teacher_logits, T=2.0):
    return F.kl_div(
        F.log_softmax(student_logits * T, 1),
        F.softmax(teacher_logits * T, 1),
        reduction="batchmean",
    )
""",
        id="KD205-1",
    ),
    pytest.param(
        "KD203",
        """
def f(s_out, t_out, temp):
    return nn.KLDivLoss(reduction="batchmean")(
        F.log_softmax(s_out / temp, dim=1), F.softmax(t_out, dim=1)
    )
""",
        id="KD203-1",
    ),
    pytest.param(
        "KD201",
        """
T = 4
alpha = 0.5


def f(out, t_out, y):
    soft = nn.KLDivLoss(reduction="batchmean")(
        F.log_softmax(out / T, dim=1), F.softmax(t_out / T, dim=1)
    )
    hard = nn.CrossEntropyLoss()(out, y)
    return alpha * soft + (1 - alpha) * hard
""",
        id="KD201-1",
    ),
    pytest.param(
        "KD201",
        """
class M:
    def __init__(self):
        self.T = 2

    def step(self, x, y):
        logits = self._network(x)["logits"]
        loss_clf = F.cross_entropy(logits, y)
        loss_kd = _KD_loss(logits[:, : self._known], self._old_network(x)["logits"], self.T)
        loss = 3 * loss_kd + loss_clf
        loss.backward()


def _KD_loss(pred, soft, T):
    pred = torch.log_softmax(pred / T, dim=1)
    soft = torch.softmax(soft / T, dim=1)
    return -1 * torch.mul(soft, pred).sum() / pred.shape[0]
""",
        id="KD201-2",
    ),
    pytest.param(
        "KD301",
        """
kl = nn.KLDivLoss()


def f(a, b):
    return kl(F.log_softmax(a, -1), F.softmax(b, -1))
""",
        id="KD301-1",
    ),
    pytest.param(
        "KD303",
        """
def f(a, b):
    a = a[:, :-1, :]
    b = b[:, :-1, :]
    return F.kl_div(F.log_softmax(a, -1), F.softmax(b, -1), reduction="batchmean")
""",
        id="KD303-1",
    ),
    pytest.param(
        "KD304",
        """
def f(a, b, T):
    p = F.softmax(b / T, 1)
    return -torch.mean(p * F.log_softmax(a / T, 1))
""",
        id="KD304-1",
    ),
    pytest.param(
        "KD308",
        """
def step(model, teacher, x):
    p = teacher(x).softmax(1).detach()
    q = model(x).log_softmax(1)
    loss = (p * q).sum(1).mean()
    loss.backward()
""",
        id="KD308-1",
    ),
    pytest.param(
        "KD402",
        """
def step(model, teacher, x):
    p = F.softmax(teacher(x).detach(), dim=0)
    q = F.log_softmax(model(x), dim=0)
    return F.kl_div(q, p, reduction="batchmean")
""",
        id="KD402-1",
    ),
    pytest.param(
        "KD505",
        """
def step(s, t, y):
    kd = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="batchmean")
    loss = F.cross_entropy(s, y) + torch.tensor(kd)
    loss.backward()
""",
        id="KD505-1",
    ),
    pytest.param(
        "KD505",
        """
def step(s, t, y):
    kd = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="batchmean")
    loss = kd.detach()
    loss.backward()
""",
        id="KD505-2",
    ),
    pytest.param(
        "KD302",
        """
c = nn.KLDivLoss(reduce="batchmean")
""",
        id="KD302-1",
    ),
    pytest.param(
        "KD407",
        """
def f(p):
    p = F.softmax(p, dim=1)
    return p / torch.sum(p, dim=1)
""",
        id="KD407-1",
    ),
    pytest.param(
        "KD305",
        """
def f(s, t, mask):
    l = nn.MSELoss()(s, t)
    return (l * mask).mean()
""",
        id="KD305-1",
    ),
    pytest.param(
        "KD112",
        """
def f(model, x, y):
    p = torch.softmax(model(x), dim=1)
    return nn.NLLLoss()(F.log_softmax(p, dim=1), y)
""",
        id="KD112-1",
    ),
    pytest.param(
        "KD110",
        """
def f(model, x, y):
    p = torch.softmax(model(x), dim=1)
    return nn.NLLLoss()(p, y)
""",
        id="KD110-1",
    ),
    pytest.param(
        "KD111",
        """
def f(x):
    return torch.log(nn.Softmax(dim=1)(x))
""",
        id="KD111-1",
    ),
    pytest.param(
        "KD113",
        """
def f(m, x, y):
    out = torch.softmax(m(x), dim=1)
    return nn.BCELoss()(out, y)
""",
        id="KD113-1",
    ),
    pytest.param(
        "KD114",
        """
net = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
crit = nn.BCEWithLogitsLoss()
l = crit(net(x), y)
""",
        id="KD114-1",
    ),
    pytest.param(
        "KD118",
        """
def f(logits, old, k):
    p = F.softmax(logits, 1)
    q = F.softmax(old, 1)
    return F.kl_div(torch.log(p[:, :k]), q[:, :k], reduction="batchmean")
""",
        id="KD118-1",
    ),
    pytest.param(
        "KD507",
        """
import copy

opt = torch.optim.SGD(model.parameters(), lr=0.1)
old_model = model
for x, y in loader:
    t = old_model(x)
    loss = F.mse_loss(model(x), t)
    loss.backward()
""",
        id="KD507-1",
    ),
    pytest.param(
        "KD504",
        """
for x, y in loader:
    with torch.no_grad():
        s = student(x)
        t = teacher(x)
    loss = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="batchmean")
    loss.backward()
""",
        id="KD504-1",
    ),
    pytest.param(
        "KD502",
        """
for x, y in loader:
    t = teacher(x)
    loss = F.kl_div(F.log_softmax(student(x), 1), F.softmax(t, 1), reduction="batchmean")
    loss.backward()
""",
        id="KD502-1",
    ),
    pytest.param(
        "KD601",
        """
def f(a, b, y, lam):
    kd = F.mse_loss(a, b)
    ce = F.cross_entropy(a, y)
    return kd + (1 - lam) * ce
""",
        id="KD601-1",
    ),
    pytest.param(
        "KD206",
        """
def f(s, t, y, T):
    s = F.log_softmax(s / T, 1)
    t = F.softmax(t / T, 1)
    return F.kl_div(s, t, reduction="batchmean") * T * T + F.cross_entropy(s, y)
""",
        id="KD206-1",
    ),
    pytest.param(
        "KD120",
        """
def f(a, b):
    return torch.abs(F.kl_div(F.log_softmax(a, 1), F.softmax(b, 1), reduction="batchmean"))
""",
        id="KD120-1",
    ),
    pytest.param(
        "KD106",
        """
def f(student_out, teacher_out):
    return F.kl_div(
        F.log_softmax(teacher_out, 1), F.softmax(student_out, 1), reduction="batchmean"
    )
""",
        id="KD106-1",
    ),
    pytest.param(
        "KD104",
        """
def f(a, b, T):
    kd = nn.KLDivLoss(reduction="batchmean")
    return kd(F.log_softmax(a / T, 1), F.log_softmax(b / T, 1)) * T * T
""",
        id="KD104-1",
    ),
    pytest.param(
        "KD603",
        """
def f(s, teachers, x):
    loss = 0
    for t in teachers:
        loss = loss + F.kl_div(F.log_softmax(s, 1), F.softmax(t(x), 1), reduction="batchmean")
    return loss
""",
        id="KD603-1",
    ),
    pytest.param(
        "KD508",
        """
opt = torch.optim.Adam(
    [{"params": student.parameters()}, {"params": teacher.parameters()}], lr=0.001
)
for x in l:
    F.mse_loss(student(x), teacher(x)).backward()
""",
        id="KD508-1",
    ),
    pytest.param(
        "KD404",
        """
x = logits[:, :0:k]
""",
        id="KD404-1",
    ),
    pytest.param(
        "KD103",
        """
def f(student_logits, teacher_logits):
    return F.kl_div(F.log_softmax(student_logits, 1), teacher_logits, reduction="batchmean")
""",
        id="KD103-1",
    ),
    pytest.param(
        "KD121",
        """
def f(teachers, x):
    t = torch.stack([te(x) for te in teachers]).mean(0)
    return F.softmax(t, 1)
""",
        id="KD121-1",
    ),
    pytest.param(
        "KD406",
        """
class M:
    def train(self):
        for i, (inputs, targets) in enumerate(self.loader):
            logits = self.net(inputs)
            loss = F.cross_entropy(logits[:, self.known :], targets)
            loss.backward()
""",
        id="KD406-1",
    ),
]


@pytest.mark.parametrize(("code", "source"), CASES)
def test_the_mistake_is_found(code: str, source: str) -> None:
    assert code in {finding.code for finding in findings_of(analyse(source, thorough=True))}


def test_the_public_losses_of_a_right_training_step_are_silent() -> None:
    source = """
for images, labels in loader:
    with torch.no_grad():
        teacher_logits = teacher(images)
    student_logits = student(images)
    soft = F.kl_div(
        F.log_softmax(student_logits / T, dim=-1),
        F.softmax(teacher_logits / T, dim=-1),
        reduction="batchmean",
    )
    hard = F.cross_entropy(student_logits, labels)
    loss = alpha * T**2 * soft + (1 - alpha) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    assert findings_of(analyse(source, thorough=True)) == []
