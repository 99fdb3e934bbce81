"""No name has a role that its use does not prove: counts, schedules, layers, inputs, peers."""

from __future__ import annotations

import pytest

from didact.check.explain import Explanation, explain

SOFT = "F.kl_div(F.log_softmax(zs / T, dim=1), F.softmax(zt / T, dim=1), reduction='batchmean')"


def roles(explanation: Explanation) -> dict[str, str]:
    return {line.name: line.role for line in explanation.roles}


def words(explanation: Explanation, line: int) -> str:
    return next(n.explanation.en for n in explanation.statements if n.line == line)


CASES = {
    "an end of a slice is a number, whoever's name it bears": (
        "def step(net, old_net, x, y, n_old=20, T=2.):\n    out = net(x)\n"
        "    with torch.no_grad():\n        ref = old_net(x)\n"
        "    d = F.kl_div(F.log_softmax(out[:, :n_old] / T, 1), F.softmax(ref / T, 1),"
        " reduction='batchmean')\n    return F.cross_entropy(out, y) + d\n",
        {
            "n_old": "old classes",
            "ref": "teacher",
            "out": "student",
            "net": "student",
            "old_net": "teacher",
            "x": "input",
        },
    ),
    "a schedule": (
        "def temp(ep, n_ep, t_hi=8.0, t_lo=1.0):\n"
        "    return t_hi + (t_lo - t_hi) * ep / max(n_ep - 1, 1)\n"
        "def kd(zs, zt, ep, n_ep):\n    T = temp(ep, n_ep)\n"
        f"    return {SOFT} * T * T\n",
        {
            "ep": "counter",
            "n_ep": "rounds",
            "t_hi": "bound",
            "t_lo": "bound",
            "T": "temperature",
            "zs": "student",
            "zt": "teacher",
        },
    ),
    "a schedule of an object": (
        "class A(nn.Module):\n    def __init__(self, T0=6., epochs=80):\n"
        "        super().__init__()\n        self.T0, self.epochs = T0, epochs\n"
        "    def forward(self, zs, zt, epoch):\n"
        "        T = max(1.0, self.T0 * (1 - epoch / self.epochs))\n"
        f"        return {SOFT} * T * T\n",
        {"T0": "bound", "epochs": "rounds", "epoch": "counter", "T": "temperature"},
    ),
    "widths of layers": (
        "class Hint(nn.Module):\n    def __init__(self, c_s, c_t):\n        super().__init__()\n"
        "        self.adapter = nn.Conv2d(c_s, c_t, 1)\n    def forward(self, f_s, f_t):\n"
        "        return F.mse_loss(self.adapter(f_s), f_t.detach())\n",
        {
            "c_s": "student width",
            "c_t": "teacher width",
            "adapter": "layer",
            "f_s": "student",
            "f_t": "teacher",
        },
    ),
    "features by what is trained": (
        "class Hint(nn.Module):\n    def forward(self, low, given):\n"
        "        return F.mse_loss(self.proj(low), given.detach())\n",
        {"low": "student", "given": "teacher", "proj": "layer"},
    ),
    "what models are called with is an input": (
        "def step(x_w, x_s):\n    with torch.no_grad():\n        p = F.softmax(teacher(x_w), -1)\n"
        "    return F.mse_loss(F.softmax(student(x_s), -1), p)\n",
        {"x_w": "input", "x_s": "input", "teacher": "teacher", "student": "student"},
    ),
    "the average and its decay": (
        "def ema(student, teacher, m=0.99):\n"
        "    for ps, pt in zip(student.parameters(), teacher.parameters()):\n"
        "        pt.data.mul_(m).add_(ps.data, alpha=1 - m)\n",
        {"m": "decay", "ps": "student parameters", "pt": "teacher parameters"},
    ),
    "the average as a mixture": (
        "def ema(a, b, w=0.99):\n    for p, q in zip(a.parameters(), b.parameters()):\n"
        "        q.data.copy_(w * q.data + (1 - w) * p.data)\n",
        {"w": "decay"},
    ),
    "a copy that is averaged is the teacher": (
        "class Ema:\n    def __init__(self, student):\n        self.net = copy.deepcopy(student)\n"
        "    def update(self, student, d):\n"
        "        for a, b in zip(self.net.parameters(), student.parameters()):\n"
        "            a.mul_(d).add_(b, alpha=1 - d)\n    def __call__(self, x):\n"
        "        return self.net(x)\n",
        {"net": "teacher", "student": "student", "d": "decay"},
    ),
    "a target made by hand": (
        "def f(out, y, K=10, top=0.9, T=20.):\n    u = torch.full_like(out, (1 - top) / (K - 1))\n"
        "    u.scatter_(1, y[:, None], top)\n    return F.cross_entropy(out, y) + F.kl_div("
        "F.log_softmax(out, 1), F.softmax(u / T, 1), reduction='batchmean')\n",
        {"u": "made target", "top": "true probability", "K": "classes", "y": "labels"},
    ),
    "topk and margins": (
        "def f(s, y, n_old, k=3, gap=0.5):\n    v = s[:, n_old:].topk(k, dim=1)[0]\n"
        "    return F.margin_ranking_loss(s.gather(1, y[:, None]), v[:, :1],"
        " torch.ones(8, 1), margin=gap)\n",
        {"k": "kept", "gap": "margin", "n_old": "old classes"},
    ),
    "a sign is no output": (
        "target = s_h.new(s_h.size(0)).fill_(1)\n"
        "loss = nn.CosineEmbeddingLoss()(s_h, t_h, target)\n",
        {"target": "sign"},
    ),
    "bounds of a slice": (
        "def f(model, old, x, parts, n_seen, n_all, y):\n    p, q = model(x), old(x).detach()\n"
        "    loss = F.cross_entropy(p[:, :n_all], y)\n    for a, b in parts:\n"
        "        loss = loss + F.mse_loss(p[:, a:b], q[:, a:b])\n    return loss\n",
        {"n_all": "classes", "a": "place", "b": "place"},
    ),
    "the model of a Trainer": (
        "class K(Trainer):\n    def compute_loss(self, model, inputs):\n"
        "        out = model(**inputs)\n        with torch.no_grad():\n"
        "            ref = self.teacher(**inputs)\n        return F.kl_div(F.log_softmax("
        "out.logits, -1), F.softmax(ref.logits, -1), reduction='batchmean') + out.loss\n",
        {"model": "student", "teacher": "teacher", "inputs": "input"},
    ),
    "parameters of a functional model": (
        "def f(params, x, t_logits):\n    s = model.apply({'params': params}, x)\n"
        "    return optax.kl_divergence(jax.nn.log_softmax(s), jax.nn.softmax(t_logits)).mean()\n",
        {"params": "student parameters", "x": "input", "t_logits": "teacher"},
    ),
    "a label whose name hides an old word": (
        "def f(z_stu, z_tea, gold, w=0.5):\n    hard = F.cross_entropy(z_stu, gold)\n"
        "    return hard + w * F.mse_loss(z_stu, z_tea)\n",
        {"gold": "labels", "z_stu": "student", "z_tea": "teacher"},
    ),
    "places in a soft loss": (
        "def f(pred, goal, T):\n    q = F.softmax(goal / T, 1)\n"
        "    return -(q * F.log_softmax(pred / T, 1)).sum(1).mean() * T * T\n",
        {"pred": "student", "goal": "teacher", "T": "temperature"},
    ),
    "the head that the others imitate": (
        "def f(outs, y, T=3.):\n    goal = F.softmax(outs[-1].detach() / T, 1)\n"
        "    loss = F.cross_entropy(outs[-1], y)\n    for o in outs[:-1]:\n"
        "        loss = loss + F.kl_div(F.log_softmax(o / T, 1), goal, reduction='batchmean')\n"
        "    return loss\n",
        {"outs": "student", "outs[-1]": "teacher"},
    ),
    "items of lists": (
        "def f(old_maps, new_maps):\n    d = 0\n    for a, b in zip(old_maps, new_maps):\n"
        "        a = a.pow(2).mean(1)\n        b = b.pow(2).mean(1)\n        d += (a - b).norm()\n"
        "    return d\n",
        {"old_maps": "teacher", "new_maps": "student", "a": "teacher", "b": "student"},
    ),
    "numbers of classes": (
        "def f(net, old_net, x, y, n_seen, n_known):\n    z = net(x)\n"
        "    with torch.no_grad():\n        old = old_net(x)\n    k = old.size(1)\n"
        "    hot = F.one_hot(y, num_classes=n_seen).float()\n"
        "    hot[:, :n_known] = torch.sigmoid(old[:, :k])\n"
        "    return F.binary_cross_entropy_with_logits(z, hot)\n",
        {"n_seen": "classes", "n_known": "old classes", "k": "old classes"},
    ),
    "anchors of weights": (
        "def ewc(net, fisher, star):\n    d = 0.0\n    for n, p in net.named_parameters():\n"
        "        d += (fisher[n] * (p - star[n]) ** 2).sum()\n    return d\n",
        {"star": "teacher parameters", "fisher": "importance"},
    ),
    "a frozen net under a trained layer": (
        "for x, y in val:\n    with torch.no_grad():\n        z = net(x)\n"
        "    loss = F.cross_entropy(bias(z), y)\n    loss.backward()\n",
        {"z": "student", "net": "student"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_roles(case: str) -> None:
    source, wanted = CASES[case]
    assert wanted.items() <= roles(explain(source)).items()


@pytest.mark.parametrize(
    ("source", "silent"),
    [
        ("def at(x, y):\n    return (x.pow(2).mean(1) - y.pow(2).mean(1)).pow(2).mean()\n", "y"),
        ("def joined(t, m1, m2):\n    return torch.cat([(t * m1).sum(1), (t * m2).sum(1)])\n"
         "a, b = joined(p_s, g, o), joined(p_t, g, o)\n", "t"),
        ("def kl(a, b):\n    return F.kl_div(F.log_softmax(a, 1), F.softmax(b, 1).detach(),"
         " reduction='batchmean')\nz1, z2 = net1(x), net2(x)\n"
         "l1 = F.cross_entropy(z1, y) + kl(z1, z2)\nl2 = F.cross_entropy(z2, y) + kl(z2, z1)\n",
         "b"),
        ("def f(model, old_params):\n    return sum(((p - old_params[n]) ** 2).sum()"
         " for n, p in model.named_parameters())\n", "n"),
        ("s = student(Variable(x))\nt = Variable(teacher(Variable(x)).data)\n"
         "loss = F.mse_loss(s, t)\n", "Variable"),
    ],
)  # fmt: skip
def test_no_role_is_said(source: str, silent: str) -> None:
    explanation = explain(source)
    assert silent not in roles(explanation)
    assert f"`{silent}` (" not in words(explanation, 1)


def test_peers_are_told_apart() -> None:
    explanation = explain(
        "z1, z2 = net1(x), net2(x)\n"
        "l1 = F.cross_entropy(z1, y) + F.kl_div(F.log_softmax(z1, 1), F.softmax(z2.detach(), 1),"
        " reduction='batchmean')\n"
        "l2 = F.cross_entropy(z2, y) + F.kl_div(F.log_softmax(z2, 1), F.softmax(z1.detach(), 1),"
        " reduction='batchmean')\n"
    )
    assert roles(explanation)["net2"] == "student (peer)"
    assert "(`net2`'s probabilities)" in words(explanation, 2)
    assert "(`net1`'s probabilities)" in words(explanation, 3)


def test_parameters_say_what_is_passed() -> None:
    explanation = explain(
        "def at_loss(x, y):\n    return (x.pow(2).mean(1) - y.pow(2).mean(1)).pow(2).mean()\n"
        "for fs, ft in zip(s_feats, t_feats):\n    loss = at_loss(fs, ft)\n"
    )
    assert "`x` (of the student / new model), `y` (of the teacher / old model)" in words(
        explanation, 1
    )
