"""What single lines are said to be for, and what is not said of them."""

from __future__ import annotations

from functools import cache

import pytest

from didact.check.explain import explain

SET_UP = """import torch
import torch.nn as nn
import torch.nn.functional as F
"""
DISTANCES = """def gaps(v):
    n2 = v.pow(2).sum(1)
    g = (n2.unsqueeze(1) + n2[None, :] - 2 * v @ v.t()).clamp(min=1e-9).sqrt()
    g[range(len(v)), range(len(v))] = 0
    return g
gs, gt = gaps(stu), gaps(tea)
gt = gt / gt[gt > 0].mean()
loss = F.smooth_l1_loss(gs, gt)
"""
ANGLES = """dt = tea.unsqueeze(0) - tea.unsqueeze(1)
ut = F.normalize(dt, p=2, dim=2)
at = torch.bmm(ut, ut.transpose(1, 2)).view(-1)
"""
DECOUPLED = """def f(zs, zt, y, T):
    hot = torch.zeros_like(zs).scatter_(1, y.unsqueeze(1), 1).bool()
    ps = F.softmax(zs / T, dim=1)
    two = torch.stack([(ps * hot).sum(1), (ps * ~hot).sum(1)], dim=1)
    rest = F.log_softmax(zs / T - 1000.0 * hot, dim=1)
    return two, rest
"""
MAPS = """def strip(x, y):
    a, b = x.pow(2), y.pow(2)
    a_h, b_h = a.sum(dim=3).view(a.size(0), -1), b.sum(dim=2).view(b.size(0), -1)
    return (a_h - b_h).norm(dim=-1).mean()
def amap(f):
    return F.normalize(f.pow(2).mean(1).flatten(1), dim=1)
"""
TOKENS = """def f(s_out, t_out, lab, T):
    keep = (lab != -100).float()
    s, t = s_out / T, t_out / T
    p = F.softmax(t, -1)
    kl = (p * (p.log() - F.log_softmax(s, -1))).sum(-1)
    return (kl * keep).sum() / keep.sum() * T ** 2
"""
SWAPPED = """def f(p_logits, q_logits):
    p, q = F.softmax(p_logits, 1), F.softmax(q_logits, 1)
    wrong = (q * (p.log() - q.log())).sum(1).mean()
    flat = -torch.mean(p * q.log())
    off = (F.softmax(p_logits, 0) * (F.softmax(p_logits, 0).log() - q.log())).sum(1)
    return wrong
"""
TRAINING = """teacher = build(10)
for w in teacher.parameters():
    w.requires_grad_(False)
for a, b in zip(ema.parameters(), net.parameters()):
    a.data = 0.9 * a.data + 0.1 * b.data
for c, d in zip(ema.buffers(), net.buffers()):
    c.copy_(d)
memory.add_data(examples=x, labels=y, logits=out.data)
hits = (net(x).argmax(1) == y).sum().item()
T = T_hi - (T_hi - 1.0) * ep / n_ep
"""
CRITERIA = """reg = nn.Conv2d(64, 128, kernel_size=1)
g = reg(f)
away = nn.CosineEmbeddingLoss()(g, h, -torch.ones(g.size(0)))
like = F.cosine_embedding_loss(g, h, torch.ones(8))
order = F.margin_ranking_loss(up, low, torch.ones_like(up), margin=0.3)
soft = nn.CrossEntropyLoss(label_smoothing=0.2)
seg = F.cross_entropy(z, y, ignore_index=255)
"""
PLAIN = """a = b * c
self.rate = rate
print(loss.item())
update(net, 3)
total += loss
"""
SOFT = """def f(z_s, z_t, y, tau, mask, ts):
    p_t, log_p = F.softmax(z_t / tau, 1), F.log_softmax(z_s / tau, 1)
    soft = torch.mean(torch.sum(-p_t * log_p, dim=1)) * tau ** 2
    every = (soft_rows * mask).mean()
    both = mask.bool() & (y != -100)
    outs = [m(x) for m in teachers]
    return soft
"""
MIXUP = """lam = np.random.beta(0.2, 0.2)
xm = lam * x + (1 - lam) * x[perm]
z = head(proj(net(xm)))
loss = 2 - 2 * F.cosine_similarity(z, zt, dim=-1).mean()
"""
KERAS = """import tensorflow as tf
def f(s_pred, teacher_pred, T):
    s, t = tf.nn.softmax(s_pred / T), tf.nn.softmax(teacher_pred / T)
    kd = tf.keras.losses.KLDivergence()(s, t) * T ** 2
    return kd
"""
JAX = """import jax
import jax.numpy as jnp
def f(params, x, y, t, T):
    z = net.apply(params, x)
    p = jax.nn.softmax(t / T)
    soft = -jnp.mean(jnp.sum(p * jax.nn.log_softmax(z / T), axis=-1)) * T ** 2
    return soft
g = jax.grad(f)(params, x, y, t, 4.0)
"""


@cache
def notes(code: str) -> dict[str, tuple[str, str]]:
    found = explain(code if code.startswith("import") else SET_UP + code).statements
    return {n.code.split("\n")[-1]: (n.explanation.en, n.explanation.zh) for n in found}


def said(code: str, line: str) -> tuple[str, str]:
    return next(words for shown, words in notes(code).items() if line in shown)


@pytest.mark.parametrize(
    ("code", "line", "english", "chinese"),
    [
        (MIXUP, "lam = np", "Beta(0.2, 0.2)", "Beta(0.2, 0.2)"),
        (MIXUP, "xm =", "each sample of `x` mixed with", "另一个样本以 `lam` : `1 - lam` 混合"),
        (MIXUP, "z =", "`net`, `proj` and `head` give of `xm`", "依次经过 `net`、`proj`、`head`"),
        (MIXUP, "loss =", "squared distance of the two as unit vectors", "平方距离（BYOL）"),
        (DISTANCES, "n2 =", "squared length of every row of `v`", "长度平方"),
        (DISTANCES, "g =", "Euclidean distances of all pairs of rows of `v`", "欧氏距离矩阵"),
        (DISTANCES, "] = 0", "Sets the diagonal of `g`", "对角线"),
        (DISTANCES, "gt = gt", "mean of its entries above 0", "去掉整体尺度"),
        (DISTANCES, "smooth_l1", "Huber loss", "Huber 损失"),
        (ANGLES, "dt =", "difference vectors of all pairs of rows of `tea`", "两两之差"),
        (ANGLES, "ut =", "unit vectors from each row", "单位长度"),
        (ANGLES, "at =", "for all triplets (i, j, k)", "夹角余弦"),
        (DECOUPLED, "two =", "p of the true class, p of all others", "真实类概率, 其余类概率之和"),
        (DECOUPLED, "rest =", "over the other classes alone", "只在其余各类上归一化"),
        (MAPS, "a_h, b_h", "summed over the width", "沿高度"),
        (MAPS, ".norm(", "L2 norm of the difference", "L2 范数"),
        (MAPS, "flatten(1)", "spatial attention map of `f`", "空间注意力图"),
        (TOKENS, "keep =", "1 where `lab` is a real label", "被忽略的位置"),
        (TOKENS, "kl =", "KL(teacher ‖ student)", "KL(教师 ‖ 学生)"),
        (TOKENS, "return", "over the positions that `keep` selects; all of it × `T`²", "整体再"),
        (SWAPPED, "wrong =", "= −KL(", "= −KL("),
        (SWAPPED, "flat =", "divided by the number of classes as well", "还除以了类别数"),
        (SWAPPED, "off =", "do not both sum to 1 along dim 1", "并非都归一化"),
        (TRAINING, "requires_grad_", "Freezes `w`", "冻结 `w`"),
        (TRAINING, "a.data =", "moving average (EMA)", "滑动平均"),
        (TRAINING, "buffers()", "running statistics", "滑动统计量"),
        (TRAINING, "add_data", "for later replay", "供之后回放"),
        (TRAINING, "hits =", "number of correct predictions", "预测正确"),
        (TRAINING, "T =", "`T_hi` at `ep` = 0, `1.0` at `ep` = `n_ep`", "线性变化"),
        (CRITERIA, "g =", "a 1×1 convolution from `64` to `128` channels", "1×1 卷积"),
        (CRITERIA, "away =", "max(0, cos)", "推开"),
        (CRITERIA, "like =", "1 − cos of the angle", "方向应一致"),
        (CRITERIA, "order =", "`up` must exceed `low` by `0.3`", "至少大 `0.3`"),
        (CRITERIA, "soft =", "label smoothing: 0.2", "标签平滑"),
        (CRITERIA, "seg =", "positions whose label is not `255`", "不是 `255` 的位置"),
        (
            SOFT,
            "soft =",
            "(the teacher's) with log Q = `log_p`; summed over dim 1, then averaged",
            "²",
        ),
        (SOFT, "every =", "count in the divisor as well", "也计入分母"),
        (SOFT, "both =", "where both", "同时成立"),
        (SOFT, "outs =", "all models of `teachers`", "每个模型"),
        ("def g(x):\n    ...\n", "...", "left out here", "省略"),
        (KERAS, "kd =", "KL(student ‖ teacher)", "KL(学生 ‖ 教师)"),
        (JAX, "soft =", "cross-entropy −Σ P·log Q of the soft targets", "软标签交叉熵"),
        (JAX, "g =", "with respect to its first argument, `params`", "第一个参数 `params`"),
    ],
)
def test_what_a_line_is_for(code: str, line: str, english: str, chinese: str) -> None:
    en, zh = said(code, line)
    assert english in en
    assert chinese in zh


@pytest.mark.parametrize("line", PLAIN.splitlines())
def test_a_line_that_says_all_itself_stands_alone(line: str) -> None:
    assert said(PLAIN, line) == ("", "")


@pytest.mark.parametrize(
    ("code", "line", "not_said"),
    [
        ("def f(a, b, w):\n    return (a * w).sum() / w.sum()\n", "return", "selects"),
        ("m = (y != -100).float()[:, :-1]\n", "m =", "shift"),
        ("def f(z, T):\n    u = T - 1\n    return z.mean() * u ** 2\n", "return", "differences"),
        ("import tensorflow as tf\nc = tf.nn.softmax_cross_entropy_with_logits(labels=t_logits, "
         "logits=s_logits)\n", "c =", "soft targets"),
        ("h = 0.5 * (F.log_softmax(a, 1) + F.log_softmax(b, 1))\n", "h =", "mixture"),
        ("clf = student(x).argmin().item()\n", "clf =", "logging"),
        ("onehot = F.one_hot(y, 5).float()\nt = onehot.clone()\nt[:, :2] = torch.sigmoid(o)\nt\n",
         "t[", "positions"),
        ("def kd(s, ts, T):\n    soft = 0\n    for t in ts:\n"
         "        soft += F.softmax(t / T, dim=1) / len(ts)\n"
         "    return F.kl_div(F.log_softmax(s / T, 1), soft, reduction='batchmean') * T * T\n"
         "loss = kd(student(x), [t1(x), t2(x)], 4)\nloss.backward()\n",
         "loss.backward", "Only the prediction"),
    ],
)  # fmt: skip
def test_what_is_not_so_is_not_said(code: str, line: str, not_said: str) -> None:
    assert not_said not in said(code, line)[0]
