"""What is written instead of a mistake: right, whole, and no more than was wrong."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.check.explain import Explanation, explain
from didact.check.explain.render import changes, to_text

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
SIDES = "    q = F.softmax(tea / T, dim=1)\n    logp = F.log_softmax(stu / T, dim=1)\n"
DEF = HEAD + "def loss(stu, tea, y, T=2.0):\n"
CE = " + F.cross_entropy(stu, y)\n"


def value(source: str, *args: object) -> torch.Tensor:
    """What the function ``loss`` of a source gives."""
    names = {"torch": torch, "F": F, "nn": nn, "math": math}
    exec(source, names)
    result: torch.Tensor = names["loss"](*args)  # type: ignore[operator]
    return result


def kl(stu: torch.Tensor, tea: torch.Tensor, temperature: float = 2.0) -> torch.Tensor:
    """KL(teacher, student), without T²."""
    log_p, log_q = ((x / temperature).log_softmax(1) for x in (stu, tea))
    return (log_q.exp() * (log_q - log_p)).sum(1).mean()


def soft_ce(stu: torch.Tensor, tea: torch.Tensor) -> torch.Tensor:
    """The cross-entropy with the teacher's distribution at T = 2."""
    return -((tea / 2).softmax(1) * (stu / 2).log_softmax(1)).sum(1).mean()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SIDES + "    kd = -(q * logp).sum(dim=1).mean()\n    return kd" + CE,
         lambda s, t, y: 4 * soft_ce(s, t) + F.cross_entropy(s, y)),
        (SIDES + "    kd = -1 * torch.mul(q, logp).sum() / stu.shape[0]\n    return 0.5 * kd" + CE,
         lambda s, t, y: 2 * soft_ce(s, t) + F.cross_entropy(s, y)),
        (SIDES + "    return -torch.mean(q * logp) * T * T\n", lambda s, t, y: 4 * soft_ce(s, t)),
        (SIDES + "    kd = F.kl_div(logp, q, reduction='none')\n    return kd.mean() * T ** 2" + CE,
         lambda s, t, y: 4 * kl(s, t) + F.cross_entropy(s, y)),
        (SIDES + "    kd = (q * (logp - q.log())).sum(1).mean() * T ** 2\n    return kd" + CE,
         lambda s, t, y: 4 * kl(s, t) + F.cross_entropy(s, y)),
        ("    p = F.softmax(stu / T, dim=1)\n    q = F.softmax(tea / T, dim=1)\n"
         "    return (p * (p.log() - q.log())).sum(1).mean() * T * T" + CE,
         lambda s, t, y: 4 * kl(s, t) + F.cross_entropy(s, y)),
        ("    kd = -F.kl_div(F.log_softmax(stu / T, 1), F.softmax(tea / T, 1),"
         " reduction='batchmean') * T * T\n    return kd" + CE,
         lambda s, t, y: 4 * kl(s, t) + F.cross_entropy(s, y)),
        ("    p = F.softmax((stu - stu.mean()) / T, dim=1)\n    q = F.softmax(tea / T, dim=1)\n"
         "    return F.kl_div(p, q, reduction='batchmean') * T * T\n",
         lambda s, t, y: 4 * kl(s, t)),
    ],
)  # fmt: skip
def test_what_is_written_computes_the_definition(body: str, expected: object) -> None:
    found = explain(DEF + body)
    assert not found.open_findings
    torch.manual_seed(0)
    stu, tea, y = torch.randn(5, 7).double(), torch.randn(5, 7).double(), torch.arange(5)
    right = expected(stu, tea, y)  # type: ignore[operator]
    assert torch.allclose(value(found.correction.source, stu, tea, y), right)


MIXED = """def loss(stu, tea, beta=0.3):
    p = F.softmax(tea, dim=-1)
    q = F.softmax(stu, dim=-1)
    m = beta * p + (1 - beta) * q
    one = F.kl_div({one}.log(), m, reduction='batchmean')
    two = F.kl_div({two}.log(), m, reduction='batchmean')
    return {w1} * one + {w2} * two
"""


@pytest.mark.parametrize(
    ("one", "two", "w1", "w2"), [("p", "q", "beta", "(1 - beta)"), ("q", "p", "(1 - beta)", "beta")]
)
def test_jensen_shannon_is_computed_in_log_space(one: str, two: str, w1: str, w2: str) -> None:
    found = explain(HEAD + MIXED.format(one=one, two=two, w1=w1, w2=w2))
    assert [f.code for f in found.findings if f.code != "KD111"] == ["KE126"]
    torch.manual_seed(0)
    stu, tea = torch.randn(4, 5).double(), torch.randn(4, 5).double()
    p, q = tea.softmax(1), stu.softmax(1)
    m = 0.3 * p + 0.7 * q
    right = (0.3 * (p * (p / m).log()) + 0.7 * (q * (q / m).log())).sum(1).mean()
    assert torch.allclose(value(found.correction.source, stu, tea), right)
    far = torch.tensor([[0.0, -200.0, 1.0]], requires_grad=True)
    result = value(found.correction.source, far, torch.tensor([[0.0, -300.0, 2.0]]))
    result.backward()
    assert bool(torch.isfinite(result))
    assert far.grad is not None
    assert bool(torch.isfinite(far.grad).all())


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("def f(net, x, old, y, k):\n    g = torch.sigmoid(net(x))\n"
         "    a = F.binary_cross_entropy_with_logits(g[:, k:], y[:, k:])\n"
         "    return a + F.binary_cross_entropy_with_logits(g[:, :k], torch.sigmoid(old))\n",
         "    g = net(x)"),
        ("def f(model, x, y, k):\n    p = F.softmax(model(x), dim=1)\n"
         "    hits = p.argmax(1)\n    return F.cross_entropy(p[:, k:], y - k), hits\n",
         "    return F.cross_entropy(logits[:, k:], y - k), hits"),
        ("def loss(outs, teachers, s, T):\n    total = 0\n    for t in outs:\n"
         "        total += F.kl_div(F.log_softmax(s / T, 1), F.softmax(t.detach() / T, 1),"
         " reduction='batchmean') * T * T\n        total / len(outs)\n    return total\n",
         "    total = total / len(outs)"),
        ("class Hint(nn.Module):\n    def __init__(self, a, b):\n        super().__init__()\n"
         "        self.reg = nn.Conv2d(a, b, 1)\n    def forward(self, fs, ft):\n"
         "        fs = self.reg(fs)\n        if fs.shape != ft.shape:\n"
         "            fs = F.interpolate(fs, size=ft.shape[-2:])\n"
         "        return F.mse_loss(fs.detach(), ft)\n",
         "        return F.mse_loss(fs, ft.detach())"),
        ("class Reg(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
         "        self.c = nn.Conv2d(4, 8, 1)\n    def forward(self, s, t):\n"
         "        return F.mse_loss(self.c(s), t.detach())\n"
         "opt = torch.optim.SGD(student.parameters(), lr=0.1)\nreg = Reg()\n",
         'opt.add_param_group({"params": reg.parameters()})'),
        ("kd = nn.KLDivLoss(reduction='batchmean')(F.log_softmax(s / T, dim=1),"
         " F.softmax(teacher(x) / T, dim=1)) * T * T\nloss = F.cross_entropy(s, y) + kd\n"
         "loss.backward()\nprint(loss.data[0])\n", "print(loss.item())"),
        ("def f(s, t, T):\n    # s, t: [B, C, H, W]\n    p = F.log_softmax(s / T, dim=-1)\n"
         "    q = F.softmax(t / T, dim=-1)\n"
         "    loss = F.kl_div(p, q, reduction='batchmean')\n    return loss * T * T\n",
         "    loss = F.kl_div(p, q, reduction='batchmean') / (s.size(2) * s.size(3))"),
        ("def kd(a, b, T):  # [B, C, H, W]\n    p = F.log_softmax(a / T, 1)\n"
         "    q = F.softmax(b / T, 1)\n"
         "    loss = F.kl_div(p, q, reduction='batchmean')\n    return loss * T * T\n"
         "def train(student, teacher, x):\n    out_s = student(x)\n    with torch.no_grad():\n"
         "        out_t = teacher(x)\n    return kd(out_s, out_t, 2.0)\n",
         "/ (a.size(2) * a.size(3))"),
        ("def lm(logits, labels):  # logits [B, S, V], -100 on the prompt\n"
         "    return F.cross_entropy(logits.view(-1, logits.size(-1)), labels.view(-1),"
         " ignore_index=-100)\n", "    labels = labels[:, 1:].contiguous()"),
        ("for x, y in dl: zt = teacher(x).detach(); zs = student(x);"
         " loss = F.cross_entropy(zs, y) + lam * F.mse_loss(zs, zt); loss.backward(); opt.step()\n",
         "; opt.zero_grad(); loss.backward(); opt.step()"),
    ],
)  # fmt: skip
def test_one_plain_change_is_made(code: str, line: str) -> None:
    found = explain(HEAD + code)
    assert not found.open_findings
    assert line in found.correction.source


@pytest.mark.parametrize(
    ("head", "added"), [("import torch.nn as nn\n", True), (HEAD, False), ("", False)]
)
def test_an_import_that_the_others_lack_is_added_and_told(head: str, added: bool) -> None:
    found = explain(head + "def f(a, b):\n    return (1 - F.cosine_similarity(a, b.detach(),"
                    " dim=1)).mean()\n")  # fmt: skip
    shown = to_text(found, "en")
    assert ("not among the imports" in shown) is added
    assert ("+ import torch.nn.functional as F" in shown) is added


def lwf() -> Explanation:
    return explain(HEAD + "def lwf_loss(out, old_out, y, n_old, T):\n"
                   "    q = F.softmax(old_out[:, :n_old] / T, dim=1)\n"
                   "    p = F.log_softmax(out[:, :n_old] / T, dim=1)\n"
                   "    return F.cross_entropy(out, y) - (q * p).sum(dim=1).mean()\n")  # fmt: skip


def test_a_remark_changes_nothing() -> None:
    found = lwf()
    assert found.verdict.outcome == "equal"
    assert not found.correction.choices
    assert "T **" not in found.correction.source


def test_the_corrected_code_is_whole() -> None:
    code = "".join(f"a{n} = {n}\n" for n in range(30))
    found = explain(HEAD + code + "loss = F.kl_div(F.softmax(s, 1), F.softmax(t, 1))\n")
    assert not any("…" in line for line in changes(found, "en"))


@pytest.mark.parametrize("code", ["kd = criterion_kd(f_s, f_t)\n", "model.train()\n"])
def test_what_was_not_judged_is_not_called_clean(code: str) -> None:
    text = to_text(explain(code), "en")
    assert "Nothing had to be changed" not in text
    assert "No mistake was found" not in text


def test_what_the_code_sets_itself_is_not_said_to_come_from_elsewhere() -> None:
    found = explain(HEAD + "total = 0\nfor s, t in zip(outs, olds):\n"
                    "    total = F.mse_loss(s, t.detach())\ntotal.backward()\n")  # fmt: skip
    assert "`total`" not in " ".join(n.en for n in found.verdict.notes)


def test_rows_that_a_mask_picked_hold_no_padding() -> None:
    found = explain(
        HEAD + "keep = (labels > -1).unsqueeze(-1).expand_as(s_logits)\n"
        "s_l = torch.masked_select(s_logits, keep).view(-1, s_logits.size(-1))\n"
        "t_l = torch.masked_select(t_logits, keep).view(-1, s_logits.size(-1))\n"
        "soft = F.kl_div(F.log_softmax(s_l / T, -1), F.softmax(t_l / T, -1), "
        "reduction='batchmean') * T ** 2\n"
        "hard = F.cross_entropy(s_logits.view(-1, 99), labels.view(-1), ignore_index=-100)\n"
        "loss = soft + hard\n"
    )
    assert "KD306" not in [f.code for f in found.findings]


def test_what_is_seen_first_is_said_first() -> None:
    found = explain(
        HEAD + "def f(fs, ft, s, t, y, T):\n    hint = F.mse_loss(fs.detach(), ft)\n"
        "    kd = F.kl_div(F.log_softmax(s / T, 1), F.log_softmax(t / T, 1), "
        "reduction='batchmean') * T ** 2\n    return F.cross_entropy(s, y) + hint + kd\n"
    )
    assert any("NaN at the first step" in line.en for line in found.summary)


def test_probabilities_that_no_softmax_made_get_a_logarithm() -> None:
    found = explain(
        HEAD + "def js(s, t, T=2.0):\n    p, q = F.softmax(s / T, -1), F.softmax(t / T, -1)\n"
        "    m = (p + q) / 2\n    return 0.5 * (F.kl_div(m, p, reduction='batchmean')"
        " + F.kl_div(m, q, reduction='batchmean'))\n"
    )
    assert found.correction.source.count("F.kl_div(m.log(), ") == 2
