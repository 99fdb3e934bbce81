"""The printed formula is what the code computes, and what it is made of is called by its name."""

from __future__ import annotations

import textwrap

import pytest

from didact.check.explain.formula.judge import Judged, judged_source
from didact.check.explain.formula.methods import method_keys

KL = "F.kl_div(F.log_softmax(a / T, 1), F.softmax(b / T, 1), reduction='batchmean')"
WRITTEN = {
    "a name given again in a branch": (
        """
        def fit(h, g):
            h = conv(h)
            if h.shape != g.shape:
                h = F.interpolate(h, size=g.shape[2:])
            return F.mse_loss(h, g)
        """,
        "MSE({ F.interpolate(conv(h), size=g.shape[2:]) if h.shape != g.shape; conv(h) otherwise }"
        ", g)",
    ),
    "an addend under a condition": (
        """
        loss = F.cross_entropy(z, y)
        if warm:
            loss = loss + w * F.mse_loss(p, q)
        loss.backward()
        """,
        "CE(z, y) + { w · MSE(p, q) if warm; 0 otherwise }",
    ),
    "a condition inside a sum over parameters": (
        """
        pen = torch.tensor(0.0)
        for n, p in net.named_parameters():
            if n not in fisher:
                continue
            pen = pen + (fisher[n] * (p - star[n]) ** 2).sum()
        loss = lam / 2 * pen
        """,
        "lam/2 · Σ[net.named_parameters() if n in fisher] Σ fisher[n] · (p − star[n])²",
    ),
    "what the last round leaves behind": (
        f"""
        for b, w in zip(b_outs, weights):
            total = w * {KL}
        loss = F.cross_entropy(a, y) + total
        """,
        "CE(a, y) + weights[−1] · KL(softmax(b_outs[−1]/T) ‖ softmax(a/T))",
    ),
    "a list that a loop fills": (
        f"""
        parts = []
        for b in teacher_outs:
            parts.append({KL})
        loss = sum(parts) / len(parts)
        """,
        "mean[teacher_outs] KL(softmax(b/T) ‖ softmax(a/T))",
    ),
    "entries written row by row": (
        """
        v = torch.zeros(len(y), K)
        for i in range(len(y)):
            v[i, y[i]] = 1
        loss = -(v * F.log_softmax(z, 1)).sum(1).mean()
        """,
        "CE(z, y)",
    ),
    "a numbered pair and a weight of a list": (
        """
        loss = 0
        for i, (f, g) in enumerate(zip(student_feats, teacher_feats)):
            loss += beta[i] * F.mse_loss(f, g)
        """,
        "Σ[zip(student_feats, teacher_feats)] beta[i] · MSE(f, g)",
    ),
    "a function behind the line that calls it": (
        f"loss = soft(s, t)\ndef soft(a, b, T=3.0):\n    return {KL} * T ** 2",
        "T² · KL(softmax(t/T) ‖ softmax(s/T))",
    ),
    "a mask of the true class": (
        """
        hit = torch.zeros_like(z).scatter_(1, y.unsqueeze(1), 1).bool()
        loss = (F.softmax(z, 1) * ~hit).sum()
        """,
        "Σ softmax(z) · (1 − one_hot(y))",
    ),
    "distances by hand": (
        """
        n = e.pow(2).sum(1)
        d = (n.unsqueeze(1) + n.unsqueeze(0) - 2 * e @ e.t()).clamp(min=1e-12).sqrt()
        loss = F.smooth_l1_loss(d, torch.cdist(g, g))
        """,
        "Huber(‖e_i − e_j‖, ‖g_i − g_j‖)",
    ),
    "a mixture in logarithms": (
        """
        def js(a, b):
            la, lb = a.log_softmax(-1), b.log_softmax(-1)
            m = ((la.exp() + lb.exp()) / 2).log()
            one = F.kl_div(m, la, log_target=True, reduction='batchmean')
            return 0.5 * one + 0.5 * F.kl_div(m, lb, log_target=True, reduction='batchmean')
        """,
        "0.5 · KL(softmax(a) ‖ (softmax(a) + softmax(b))/2) + 0.5 · KL(softmax(b) ‖ "
        "(softmax(a) + softmax(b))/2)",
    ),
    "the axis of a softmax that is not the classes'": (
        """
        n, c, h, w = s.shape
        kl = F.kl_div(F.log_softmax(s, dim=-1), F.softmax(t, dim=-1), reduction='sum')
        loss = kl / (n * h * w)
        """,
        "KL(softmax[dim −1](t) ‖ softmax[dim −1](s)) (summed)/(n · h · w)",
    ),
    "terms kept in a dictionary": (
        f"""
        losses = {{"hard": F.cross_entropy(a, y)}}
        losses["soft"] = {KL}
        loss = sum(losses.values())
        """,
        "CE(a, y) + KL(softmax(b/T) ‖ softmax(a/T))",
    ),
    "a layer that another function applies": (
        """
        class Fit(nn.Module):
            def forward(self, x):
                return F.relu(self.bn(self.conv(x)))
        fit = Fit()
        loss = F.mse_loss(fit(f_s), f_t)
        loss.backward()
        """,
        "MSE(relu(self.bn(self.conv(f_s))), f_t)",
    ),
    "terms and weights in lists that are written out": (
        f"""
        terms = [F.cross_entropy(a, y), {KL}]
        loss = sum(w * t for w, t in zip([0.5, 2.0], terms))
        """,
        "0.5 · CE(a, y) + 2 · KL(softmax(b/T) ‖ softmax(a/T))",
    ),
    "a target of minus one": (
        "loss = F.cosine_embedding_loss(f_s, f_t, -torch.ones(f_s.size(0)))",
        "max(0, cos(f_s, f_t))",
    ),
}  # fmt: skip


def judged(code: str) -> Judged:
    return judged_source(textwrap.dedent(code).strip() + "\n", code)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_formula_as_it_is_written(name: str) -> None:
    code, expected = WRITTEN[name]
    assert judged(code).losses[0].text == expected


METHODS = {
    "byol": "p = head(net(x))\nloss = 2 - 2 * F.cosine_similarity(p, old(x).detach()).mean()",
    "simsiam": "p = head(net(x))\nloss = -F.cosine_similarity(p, old(x).detach()).mean()",
    "kd": """
        hard = -(F.one_hot(y, 10) * F.log_softmax(s, 1)).sum(1).mean()
        soft = (F.softmax(t / T, 1) * (F.log_softmax(t / T, 1) - F.log_softmax(s / T, 1))).sum(1)
        loss = hard + soft.mean() * T ** 2
        """,
    "derpp": """
        mx, my, mz = memory.sample(32)
        out = net(mx)
        loss = F.cross_entropy(net(x), y) + a * F.mse_loss(out, mz) + b * F.cross_entropy(out, my)
        """,
    "der": "loss = F.cross_entropy(net(x), y) + 0.5 * F.mse_loss(net(buf_x), buf_logits)",
    "ewc": """
        reg = sum((F_diag[n] * (p - old[n]) ** 2).sum() for n, p in net.named_parameters())
        loss = F.cross_entropy(net(x), y) + lam / 2 * reg
        """,
    "l2_sp": """
        reg = 0
        for p, q in zip(net.parameters(), start.parameters()):
            reg += ((p - q) ** 2).sum()
        loss = F.cross_entropy(net(x), y) + reg
        """,
    "bic": """
        bias_layers = [BiasLayer(), BiasLayer()]
        p = F.softmax(old_out[:, :n_old] / T, 1)
        kd = -(p * F.log_softmax(out[:, :n_old] / T, 1)).sum(1).mean()
        loss = n_old / n_all * kd + (1 - n_old / n_all) * F.cross_entropy(out[:, :n_all], y)
        """,
    "distilbert": """
        sl = s_logits.masked_select(m.unsqueeze(-1)).view(-1, s_logits.size(-1))
        tl = t_logits.masked_select(m.unsqueeze(-1)).view(-1, t_logits.size(-1))
        kd = F.kl_div(F.log_softmax(sl / T, -1), F.softmax(tl / T, -1), reduction='batchmean')
        mlm = F.cross_entropy(s_logits.view(-1, V), labels.view(-1), ignore_index=-100)
        cos = F.cosine_embedding_loss(s_hidden, t_hidden, torch.ones(s_hidden.size(0)))
        loss = 5 * kd * T ** 2 + 2 * mlm + cos
        """,
    "lucir_margin": """
        true = scores.gather(1, y.unsqueeze(1)).repeat(1, 2).view(-1)
        rival = scores[:, n_old:].topk(2, dim=1)[0].view(-1)
        loss = F.margin_ranking_loss(true, rival, torch.ones_like(true), margin=0.5)
        """,
    "infonce": """
        z, y = z_s @ z_t.t() / tau, torch.arange(z_s.size(0))
        loss = 0.5 * (F.cross_entropy(z, y) + F.cross_entropy(z.t(), y))
        """,
    "focal": """
        ce = F.cross_entropy(z, y, reduction='none')
        loss = ((1 - torch.exp(-ce)) ** gamma * ce).mean()
        """,
    "icarl": """
        hot = F.one_hot(y, C).float()
        new = F.binary_cross_entropy_with_logits(z[:, k:], hot[:, k:])
        q = torch.sigmoid(old_net(x))
        loss = new + F.binary_cross_entropy_with_logits(z[:, :k], q[:, :k])
        """,
    "cwd": """
        n, c, h, w = f_s.shape
        q = F.log_softmax(f_s.view(-1, h * w) / tau, 1)
        p = F.softmax(f_t.view(-1, h * w) / tau, 1)
        loss = weight * F.kl_div(q, p, reduction='sum') * tau ** 2 / (c * n)
        """,
    "tf_kd": """
        v = torch.full((z.size(0), K), (1 - a) / (K - 1))
        v.scatter_(1, y.unsqueeze(1), a)
        kl = F.kl_div(F.log_softmax(z, 1), F.softmax(v / T, 1), reduction='batchmean')
        loss = F.cross_entropy(z, y) + kl
        """,
    "dino_uncentred": "loss = -(F.softmax(t / .04, -1) * F.log_softmax(s / .1, -1)).sum(-1).mean()",
    "dino": """
        p = F.softmax((t - center) / 0.04, -1)
        loss = -(p * F.log_softmax(s / 0.1, -1)).sum(-1).mean()
        """,
    "jsd_even": WRITTEN["a mixture in logarithms"][0],
    "multi_kd": WRITTEN["a list that a loop fills"][0],
    "self_kd": """
        loss = F.cross_entropy(outs[-1], y)
        for out in outs[:-1]:
            soft = F.softmax(outs[-1].detach() / T, 1)
            kd = F.kl_div(F.log_softmax(out / T, 1), soft, reduction='batchmean')
            loss += F.cross_entropy(out, y) + T ** 2 * kd
        """,
    "pkt": """
        x = f_s / (torch.sqrt(torch.sum(f_s ** 2, dim=1, keepdim=True)) + 1e-7)
        z = f_t / (torch.sqrt(torch.sum(f_t ** 2, dim=1, keepdim=True)) + 1e-7)
        a, b = (torch.mm(x, x.t()) + 1) / 2, (torch.mm(z, z.t()) + 1) / 2
        a, b = a / a.sum(dim=1, keepdim=True), b / b.sum(dim=1, keepdim=True)
        loss = torch.mean(b * torch.log((b + 1e-7) / (a + 1e-7)))
        """,
    "pairwise": """
        n, c, h, w = f_s.shape
        a = F.normalize(f_s.view(n, c, -1), dim=1)
        b = F.normalize(f_t.view(n, c, -1), dim=1)
        d = torch.einsum('icm,icn->imn', [a, a]) - torch.einsum('icm,icn->imn', b, b)
        loss = d.pow(2).sum() / (h * w) ** 2 / n
        """,
    "imitation": "loss = ((f_s - f_t) ** 2 * fg_mask).sum() / fg_mask.sum() / 2",
    "hint": """
        f_t, z_t = teacher(x)
        f_s, z_s = student(x)
        loss = F.cross_entropy(z_s, y) + F.mse_loss(f_s, f_t)
        """,
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_the_method_is_named_and_every_term_is_known(method: str) -> None:
    found = judged(METHODS[method])
    assert method_keys(found)[0] == method
    assert all(t.status != "unknown" for t in found.terms)


def test_only_the_last_round_counts_is_no_all_clear() -> None:
    from didact.check.explain import explain

    verdict = explain(textwrap.dedent(WRITTEN["what the last round leaves behind"][0])).verdict
    assert verdict.outcome == "departs"
    assert "only the last item of `b_outs` counts" in verdict.reasons[0].en
