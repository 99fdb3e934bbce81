"""Losses that many write, by kind: what each is called, and how far it is right."""

from __future__ import annotations

import ast
import re
import textwrap

import pytest
import torch
import torch.nn.functional as F
from tests.check.explain.support import tensor_of

from didact.check.explain import Explanation, explain
from didact.check.explain.formula.arrays import Array
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.judge import Judged, judged_source
from didact.check.explain.formula.verdict import Laboratory, Term

KD = "F.kl_div(F.log_softmax({s} / T, 1), F.softmax({t} / T, 1), reduction='batchmean') * T * T"
RIGHT = {
    "a mixture over a mask": (
        "jsd",
        """
        def gen_jsd(s, t, mask, beta=0.5):
            ls, lt = F.log_softmax(s, dim=-1), F.log_softmax(t, dim=-1)
            lm = torch.logaddexp(lt + math.log(beta), ls + math.log(1 - beta))
            kl_t = F.kl_div(lm, lt, reduction="none", log_target=True).sum(-1)
            kl_s = F.kl_div(lm, ls, reduction="none", log_target=True).sum(-1)
            return ((beta * kl_t + (1 - beta) * kl_s) * mask).sum() / mask.sum()
        """,
    ),
    "an option that asks for a sum": (
        "kd",
        """
        def f(student_logits, teacher_logits, labels, reduction="mean"):
            lq = F.log_softmax(student_logits, dim=-1)
            kl = F.kl_div(lq, F.softmax(teacher_logits, -1), reduction="none").sum(-1)
            kl = kl[labels != -100]
            if reduction == "sum":
                return kl.sum()
            return kl.mean()
        """,
    ),
    "mean-pooled embeddings": (
        "cosine",
        """
        m = batch["attention_mask"].unsqueeze(-1).float()
        with torch.no_grad():
            h_t = teacher(**batch).last_hidden_state
        h_s = student(**batch).last_hidden_state
        e_s, e_t = (h_s * m).sum(1) / m.sum(1), (h_t * m).sum(1) / m.sum(1)
        loss = (1 - F.cosine_similarity(e_s, e_t, dim=-1).mean()) / accum
        """,
    ),
    "average of probabilities": (
        "multi_kd",
        """
        def ensemble_kd(student_logits, teacher_logits_list, T=5.0):
            avg = torch.stack([F.softmax(t / T, dim=-1) for t in teacher_logits_list]).mean(dim=0)
            log_p = F.log_softmax(student_logits / T, dim=-1)
            return F.kl_div(log_p, avg, reduction="batchmean") * (T * T)
        """,
    ),
    "summed and divided": (
        "multi_kd",
        """
        def ensemble_kd(student_out, teacher_outs, T=4):
            soft = 0
            for t_out in teacher_outs:
                soft += F.softmax(t_out / T, dim=1)
            soft = soft / len(teacher_outs)
            return F.kl_div(F.log_softmax(student_out / T, 1), soft, reduction="batchmean") * T * T
        """,
    ),
    "models called in a list": (
        "multi_kd",
        """
        def step(student, teachers, x, T=4.0):
            with torch.no_grad():
                p = sum(F.softmax(t(x) / T, dim=1) for t in teachers) / len(teachers)
            log_q = F.log_softmax(student(x) / T, dim=1)
            return -(p * log_q).sum(1).mean() * T ** 2
        """,
    ),
    "two teachers by name": (
        "multi_kd",
        """
        def two(s, teacher_a, teacher_b, T):
            p = 0.5 * (F.softmax(teacher_a / T, 1) + F.softmax(teacher_b / T, 1))
            return F.kl_div(F.log_softmax(s / T, 1), p, reduction="batchmean") * T ** 2
        """,
    ),
    "exits of one network": (
        "self_kd",
        f"""
        loss = criterion(outs[-1], y)
        for i in range(len(outs) - 1):
            loss += (1 - a) * criterion(outs[i], y)
            loss += a * {KD.format(s="outs[i]", t="outs[-1].detach()")}
        loss.backward()
        """,
    ),
    "annealed temperature": (
        "kd",
        f"""
        for epoch in range(epochs):
            T = T_max - (T_max - 1.0) * epoch / max(epochs - 1, 1)
            for x, y in loader:
                s = student(x)
                with torch.no_grad():
                    t = teacher(x)
                loss = lam * ({KD.format(s="s", t="t")}) + (1 - lam) * F.cross_entropy(s, y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        """,
    ),
    "decaying temperature": (
        "kd",
        f"""
        def kd(s, t, T0, decay, epoch):
            T = T0 * decay ** epoch
            return {KD.format(s="s", t="t")}
        """,
    ),
    "weights by numbers of classes": (
        "wa",
        """
        def wa_kd(logits, old_logits, targets, known, total, T=2):
            lamda = known / total
            ce = F.cross_entropy(logits, targets)
            p = torch.softmax(old_logits / T, dim=1)
            kd = -1 * torch.mul(p, torch.log_softmax(logits / T, dim=1)).sum() / logits.shape[0]
            return (1 - lamda) * ce + lamda * kd
        """,
    ),
    "two temperatures and a centre": (
        "dino",
        """
        def dino_loss(s_out, t_out, center, tau_s=0.1, tau_t=0.04):
            t = F.softmax((t_out - center) / tau_t, dim=-1).detach()
            return -(t * F.log_softmax(s_out / tau_s, dim=-1)).sum(dim=-1).mean()
        """,
    ),
    "a virtual teacher": (
        "tf_kd",
        """
        def reg(outputs, labels, correct=0.99, T=20.0, alpha=0.9):
            K = outputs.size(1)
            v = torch.full_like(outputs, (1 - correct) / (K - 1))
            v.scatter_(1, labels.view(-1, 1), correct)
            soft = F.kl_div(F.log_softmax(outputs, 1), F.softmax(v / T, 1), reduction="batchmean")
            return (1 - alpha) * F.cross_entropy(outputs, labels) + alpha * soft * 50
        """,
    ),
    "pooled to both sides": (
        "pod",
        """
        def pod_loss(old_feats, new_feats):
            loss = 0.0
            for a, b in zip(old_feats, new_feats):
                a, b = a.pow(2), b.pow(2)
                a_h, b_h = a.sum(dim=3).view(a.shape[0], -1), b.sum(dim=3).view(b.shape[0], -1)
                a_w, b_w = a.sum(dim=2).view(a.shape[0], -1), b.sum(dim=2).view(b.shape[0], -1)
                a = F.normalize(torch.cat([a_h, a_w], dim=-1), dim=1, p=2)
                b = F.normalize(torch.cat([b_h, b_w], dim=-1), dim=1, p=2)
                loss += torch.frobenius_norm(a - b, dim=-1).mean()
            return loss / len(old_feats)
        """,
    ),
    "a softmax by hand": (
        "kd",
        """
        def softmax(z, T=1.0):
            e = np.exp(z / T - (z / T).max(axis=-1, keepdims=True))
            return e / e.sum(axis=-1, keepdims=True)
        def kd(zs, zt, T=4.0):
            p, q = softmax(zt, T), softmax(zs, T)
            return np.mean(np.sum(p * np.log(p / q), axis=1)) * T ** 2
        """,
    ),
    "printed below the function": (
        "kd",
        """
        def soft_ce(student_logits, teacher_logits, T):
            p = F.softmax(teacher_logits / T, dim=1)
            log_q = F.log_softmax(student_logits / T, dim=1)
            return -(p * log_q).sum() / student_logits.shape[0] * T ** 2
        print("loss:", soft_ce(a, b, 4.0).item())
        """,
    ),
    "a contrast within the batch": (
        "infonce",
        """
        def contrast(fs, ft, tau=0.07):
            fs, ft = F.normalize(fs, dim=1), F.normalize(ft.detach(), dim=1)
            return F.cross_entropy(fs @ ft.t() / tau, torch.arange(fs.size(0)))
        """,
    ),
    "a skewed divergence": (
        "skew_kl",
        """
        def skew(s_logits, t_logits, lam=0.1):
            p, q = F.softmax(t_logits, -1), F.softmax(s_logits, -1)
            mix = lam * p + (1 - lam) * q
            return (p * (p.log() - mix.log())).sum(-1).mean()
        """,
    ),
    "centred logits": (
        "logit_matching",
        """
        def mse_kd(s, t):
            return F.mse_loss(s - s.mean(1, keepdim=True), t - t.mean(1, keepdim=True))
        """,
    ),
    "smoothed labels by hand": (
        "plain",
        """
        def smooth(logits, y, eps=0.1):
            C = logits.size(-1)
            q = torch.full_like(logits, eps / C)
            q.scatter_(1, y.unsqueeze(1), 1 - eps + eps / C)
            return -(q * F.log_softmax(logits, dim=-1)).sum(-1).mean()
        """,
    ),
    "smoothed labels for the others": (
        "tf_kd",
        """
        def virtual(out, y, K=100, eps=0.1):
            v = torch.full_like(out, eps / (K - 1))
            v.scatter_(1, y.unsqueeze(1), 1 - eps)
            return -(v * F.log_softmax(out, dim=1)).sum(dim=1).mean()
        """,
    ),
    "the first classes of the teacher": (
        "topk_kd",
        """
        def topk_kd(s, t, k=50, T=2.0):
            v, i = t.topk(k, dim=-1)
            q = F.log_softmax(s.gather(-1, i) / T, -1)
            return F.kl_div(q, F.softmax(v / T, -1), reduction="batchmean") * T ** 2
        """,
    ),
    "exits but the last": (
        "self_kd",
        """
        def byot(outs, y, T=3.0, a=0.3):
            deep = outs[-1]
            loss = F.cross_entropy(deep, y)
            p = F.softmax(deep.detach() / T, dim=1)
            for o in outs[:-1]:
                q = F.log_softmax(o / T, dim=1)
                loss = loss + a * T * T * F.kl_div(q, p, reduction="batchmean")
            return loss
        """,
    ),
    "the mean of the branches": (
        "one",
        """
        def one_loss(branch_logits, y, T=3.0):
            ens = torch.stack(branch_logits).mean(0)
            loss = F.cross_entropy(ens, y)
            p = F.softmax(ens.detach() / T, dim=1)
            for z in branch_logits:
                q = F.log_softmax(z / T, dim=1)
                loss = loss + T * T * F.kl_div(q, p, reduction="batchmean")
            return loss
        """,
    ),
    "a loss object that the words name": (
        "kd",
        """
        def step(self, x):
            with torch.no_grad():
                t = self.teacher(x)
            s = self.student(x)
            q, p = F.log_softmax(s / self.T, dim=1), F.softmax(t / self.T, dim=1)
            return self.crit(q, p) * self.T ** 2
        # with self.crit = nn.KLDivLoss(reduction="batchmean") in __init__
        """,
    ),
}
WRONG = {
    "a sum of softmaxes": (
        "multi_kd", "KE137",
        """
        def kd(student_out, teacher_outs, T=4):
            soft = sum(F.softmax(t / T, dim=1) for t in teacher_outs)
            return F.kl_div(F.log_softmax(student_out / T, 1), soft, reduction="batchmean") * T * T
        """,
    ),
    "a mean of logarithms": (
        "jsd", "KE126",
        """
        def jsd_loss(s_logits, t_logits, T=1.0):
            log_ps = F.log_softmax(s_logits / T, dim=-1)
            log_pt = F.log_softmax(t_logits / T, dim=-1)
            log_m = 0.5 * (log_ps + log_pt)
            a = F.kl_div(log_m, log_ps, log_target=True, reduction="batchmean")
            b = F.kl_div(log_m, log_pt, log_target=True, reduction="batchmean")
            return 0.5 * (a + b)
        """,
    ),
    "over the batch": (
        "kd", "KE116",
        """
        def kd(student_logits, teacher_logits, T):
            p = F.softmax(teacher_logits / T, dim=0)
            log_q = F.log_softmax(student_logits / T, dim=0)
            return -(p * log_q).sum() / student_logits.shape[0] * T ** 2
        """,
    ),
    "over the batch, by hand": (
        "kd", "KE116",
        """
        # zs, zt: (batch, num_class)
        def softmax(z):
            e = np.exp(z)
            return e / e.sum(axis=0)
        def kd(zs, zt):
            p, q = softmax(zt), softmax(zs)
            return np.mean(np.sum(p * np.log(p / q), axis=1))
        """,
    ),
    "columns of a map": (
        "at", "KE138",
        """
        def attn(fm):  # fm: [B, C, H, W]
            return F.normalize(fm.pow(2).mean(1), dim=1)
        def at_loss(fs, ft):
            return (attn(fs) - attn(ft)).pow(2).mean()
        """,
    ),
    "a part of its own": (
        "hint", "KE136",
        """
        class Hint(nn.Module):
            def __init__(self, cs=64, ct=256):
                super().__init__()
                self.reg = nn.Conv2d(cs, ct, 1)
            def forward(self, fs, ft):
                return F.mse_loss(self.reg(fs), ft.detach())
        hint = Hint().cuda()
        opt = torch.optim.SGD(student.parameters(), lr=0.05)
        """,
    ),
    "the same term twice": (
        "dist", "KE139",
        """
        def rho(a, b):
            a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
            return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
        def dist_loss(zs, zt, tau=4.0, beta=2.0, gamma=2.0):
            ps, pt = (zs / tau).softmax(dim=1), (zt / tau).softmax(dim=1)
            inter = tau ** 2 * (1 - rho(ps, pt).mean())
            intra = tau ** 2 * (1 - rho(ps, pt).mean())
            return beta * inter + gamma * intra
        """,
    ),
    "another dimension on one side": (
        "rkd", "KE140",
        """
        def rkd_angle(s, t):
            td = F.normalize(t.unsqueeze(0) - t.unsqueeze(1), p=2, dim=2)
            sd = F.normalize(s.unsqueeze(0) - s.unsqueeze(1), p=2, dim=1)
            a = torch.bmm(sd, sd.transpose(1, 2)).view(-1)
            return F.smooth_l1_loss(a, torch.bmm(td, td.transpose(1, 2)).view(-1))
        """,
    ),
    "the other classes masked away": (
        "dkd", "KE141",
        """
        def dkd_loss(s, t, y, T=4.0):
            gt = torch.zeros_like(s).scatter_(1, y.unsqueeze(1), 1).bool()
            other = ~gt
            ps, pt = F.softmax(s / T, dim=1), F.softmax(t / T, dim=1)
            ps = torch.stack([(ps * gt).sum(1), (ps * other).sum(1)], dim=1)
            pt = torch.stack([(pt * gt).sum(1), (pt * other).sum(1)], dim=1)
            tckd = F.kl_div(torch.log(ps), pt, reduction="batchmean") * T ** 2
            p = F.softmax(t / T - 1000.0 * other, dim=1)
            q = F.log_softmax(s / T - 1000.0 * other, dim=1)
            return tckd + 8.0 * F.kl_div(q, p, reduction="batchmean") * T ** 2
        """,
    ),
    "a sum over the steps": (
        "kd", "KE142",
        """
        total = 0
        for x, y in loader:
            s = student(x)
            with torch.no_grad():
                t = teacher(x)
            q, p = F.log_softmax(s / T, 1), F.softmax(t / T, 1)
            total += F.kl_div(q, p, reduction="batchmean") * T * T + F.cross_entropy(s, y)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        """,
    ),
    "the last classes": (
        "lwf", "KE143",
        """
        def lwf_step(net, old_net, x, y, n_old=50, T=2.0):
            with torch.no_grad():
                p = F.softmax(old_net(x) / T, dim=1)
            out = net(x)
            q = F.log_softmax(out[:, -n_old:] / T, dim=1)
            return F.cross_entropy(out, y) - (p * q).sum(dim=1).mean()
        """,
    ),
    "differences with their signs": (
        "at", "KE144",
        """
        def attn(f):
            return F.normalize(f.pow(2).mean(1).flatten(1), dim=1)
        def at_loss(feats_s, feats_t):
            total = 0.0
            for a, b in zip(feats_s, feats_t):
                total += (attn(a) - attn(b.detach())).mean()
            return total
        """,
    ),
    "other positions": (
        "token_kd", "KE145",
        """
        def lm_kd(student, teacher, ids, tau=2.0):
            s = student(ids).logits[:, :-1]
            with torch.no_grad():
                t = teacher(ids).logits[:, 1:]
            q, p = F.log_softmax(s / tau, dim=-1), F.softmax(t / tau, dim=-1)
            return tau * tau * F.kl_div(q, p, reduction="none").sum(-1).mean()
        """,
    ),
    "logits as soft labels": (
        "kd", "KE147",
        """
        def loss(y, student_logits, teacher_logits, T=5.0):
            soft = tf.nn.softmax_cross_entropy_with_logits(
                labels=teacher_logits / T, logits=student_logits / T)
            return tf.reduce_mean(T ** 2 * soft)
        """,
    ),
    "the forward divergence": (
        "reverse_kl", None,
        """
        def reverse_kl(student_logits, teacher_logits):
            p = F.softmax(teacher_logits, dim=1)
            return F.kl_div(F.log_softmax(student_logits, 1), p, reduction="batchmean")
        """,
    ),
}  # fmt: skip


LONG = """
def distillation(student_logits_of_the_model, teacher_logits, temperature):
    teacher_probabilities_of_the_model = F.softmax(teacher_logits / temperature, dim=1)
    log_q = F.log_softmax(student_logits_of_the_model / temperature, dim=1)
    return F.kl_div(log_q, teacher_probabilities_of_the_model, reduction='mean') * temperature ** 2
"""


def explained(code: str) -> Explanation:
    return explain(textwrap.dedent(code).strip("\n") + "\n")


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_are_equal_to_what_they_are(name: str) -> None:
    method, code = RIGHT[name]
    found = explained(code)
    assert (found.verdict.outcome, found.verdict.method_key) == ("equal", method)
    judged = judged_source(found.source, textwrap.dedent(code).strip("\n") + "\n")
    compared = [same(term, judged) for term in judged.terms if term.definition is not None]
    assert compared
    assert all(compared)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones_depart_under_their_own_name(name: str) -> None:
    method, code, source = WRONG[name]
    found = explained(source)
    assert (found.verdict.outcome, found.verdict.method_key) == ("departs", method)
    assert code is None or code in {f.code for f in found.findings}
    if code is not None and code not in {"KE126", "KE139", "KE140", "KE141", "KE145", "KE147"}:
        assert code in found.mended
        assert code not in {f.code for f in explain(found.correction.source).findings}


def same(term: Term, judged: Judged) -> bool:
    """Whether a term and its definition, run by PyTorch, are the same but for powers of T."""
    assert term.definition is not None
    lab = Laboratory(term.body, judged.kinds, judged.roles, term.rank)
    draw = Draw(rank=term.rank, seed=5, batch=3, classes=4)
    parts = {
        "s": term.student, "t": term.teacher, "T": term.temperature, "U": term.second,
        "y": term.labels, "beta": term.scalar, "c": term.centre, "m": term.mask,
    }  # fmt: skip
    values = {k: tensor_of(lab.raw(n, draw, term.over)) for k, n in parts.items() if n is not None}
    scope = {"F": F, "torch": torch, "axis": 1 if values["s"].dim() == 4 else -1, **values}
    body = "\n".join(f"    {line}" for line in term.definition.code.split("\n"))
    exec(f"def f():\n{body}\n", scope)
    one, other = lab.number(term.body, draw, term.over), float(scope["f"]().detach())  # type: ignore[operator]
    if isinstance(one, Array):
        return False
    return any(abs(abs(one / other) * values["T"] ** power - 1) < 1e-6 for power in (0, 1, 2))


def test_the_changed_lines_can_be_copied() -> None:
    from didact.check.explain import to_text

    page = to_text(explain(LONG), "en")
    shown = page.split("== Corrected code ==")[1].split("\n\n  - ")[0].split("== The loss")[0]
    kept, removed = [], False
    for line in shown.strip("\n").split("\n"):
        removed = line.startswith("  -") or (removed and line.startswith("      "))
        kept += [] if removed else [line[4:]]
    tree = ast.parse(re.sub(r"^ *…$", "", "\n".join(kept), flags=re.MULTILINE))
    assert any(isinstance(node, ast.Return) for node in ast.walk(tree))
    assert "batchmean" in ast.unparse(tree)
