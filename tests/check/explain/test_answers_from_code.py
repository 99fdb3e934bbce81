"""Questions about a thing in the code: what the code proves is said, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from didact.check.explain import explain
from didact.check.explain.answers import _modules

KD = """\
def kd(s, t, y, T=4.0, alpha=0.7):
    p = F.softmax(t / T, dim=1)
    soft = F.kl_div(F.log_softmax(s / T, dim=1), p, reduction="batchmean") * T * T
    hard = F.cross_entropy(s, y)
    return alpha * soft + (1 - alpha) * hard
"""
SWAPPED = (
    "loss = F.kl_div(F.log_softmax(teacher_z, 1), F.softmax(student_z, 1), reduction='batchmean')\n"
)
KERAS_FN = """\
class Distiller(keras.Model):
    def train_step(self, data):
        x, y = data
        teacher_z = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            student_z = self.student(x, training=True)
            loss = self.kd_fn(tf.nn.softmax(teacher_z / 3), tf.nn.softmax(student_z / 3)) * 9
        return {"loss": loss}
"""
REPLAY = """\
bx, _, bz = buf.sample(32)
loss = F.cross_entropy(model(x), y) + 0.1 * F.mse_loss(model(bx), bz)
bx2, by2, _ = buf.sample(32)
loss += 0.5 * F.cross_entropy(model(bx2), by2)
"""
STEP = """\
opt = torch.optim.SGD(student.parameters(), lr=0.1)
for x, y in loader:
    {teacher}
    zs = student(x)
    loss = F.cross_entropy(zs, y) + F.mse_loss(zs, zt{cut})
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
OPEN = STEP.format(teacher="zt = teacher(x)", cut="")
CUT = STEP.format(teacher="zt = teacher(x)", cut=".detach()")
BLOCK = STEP.format(teacher="with torch.no_grad():\n        zt = teacher(x)", cut=".detach()")
REBOUND = """\
def nce(zs, zt, tau=0.1):
    zs = F.normalize(zs, dim=1)
    zt = F.normalize(zt, dim=1)
    zt = zt.detach()
    sim = zs @ zt.t() / tau
    return F.cross_entropy(sim, torch.arange(zs.size(0)))
"""
PEERS = """\
a = net_a(x)
b = net_b(x)
kl = nn.KLDivLoss(reduction="batchmean")
la = F.cross_entropy(a, y) + kl(F.log_softmax(a, 1), F.softmax(b.detach(), 1))
lb = F.cross_entropy(b, y) + kl(F.log_softmax(b, 1), F.softmax(a.detach(), 1))
opt_a.zero_grad(); la.backward(); opt_a.step()
opt_b.zero_grad(); lb.backward(); opt_b.step()
"""
JAX = """\
import jax, jax.numpy as jnp
def loss_fn(params, other, x):
    s = student.apply(params, x)
    t = teacher.apply({}, x)
    p = jax.nn.softmax(t, axis=-1)
    return jnp.mean(jnp.sum(p * (jnp.log(p) - jax.nn.log_softmax(s, axis=-1)), axis=-1))
grads = jax.grad(loss_fn)(params, other, x)
"""
LWF = """\
def lwf(new, old, y, n_old, T=2.0, lam=1.0):
    ce = F.cross_entropy(new, y)
    kd = -(F.softmax(old / T, 1) * F.log_softmax(new[:, :n_old] / T, 1)).sum(1).mean()
    return ce + lam * kd
"""
BIC = """\
def loss(p, old, y, n_old, n_new, T=2):
    lam = n_old / (n_old + n_new)
    soft = -(F.softmax(old / T, 1) * F.log_softmax(p[:, :n_old] / T, 1)).sum(1).mean() * T * T
    return {a} * soft + {b} * F.cross_entropy(p, y)
"""
TOKENS = """\
def kd(s_logits, t_logits, labels, T=2.0):
    s, t, y = s_logits[:, :-1], t_logits[:, :-1], labels[:, 1:]
    live = (y != -100).float()
    kl = F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1), reduction="none").sum(-1)
    return (kl * live).sum() / live.sum() * T * T
"""
ANGLES = """\
def angles(s, t):
    d = s.unsqueeze(0) - s.unsqueeze(1)
    n = F.normalize(d, p=2, dim=2)
    return torch.bmm(n, n.transpose(1, 2)).view(-1)
"""
POOL = """\
def pool(f):
    a = f.pow(2)
    rows = a.sum(dim=3).flatten(1)
    columns = a.sum(dim=2).flatten(1)
    return torch.cat([rows, columns], dim=1)
"""
RKD = """\
def rel(s, t):
    ds, dt = torch.cdist(s, s), torch.cdist(t, t)
    ds = ds / ds[ds > 0].mean()
    dt = dt / dt[dt > 0].mean()
    return F.smooth_l1_loss(ds, dt)
"""
COSINE = "loss = F.cosine_embedding_loss(hs, ht, {}torch.ones(hs.size(0)))\n"
SCHEDULE = """\
for step, (x, y) in enumerate(loader):
    T_now = T - step / total
    loss = F.cross_entropy(net(x), y) / T
    loss.backward()
"""
KERAS = """\
import tensorflow as tf
loss = tf.keras.losses.KLDivergence()(tf.nn.softmax({} / T), tf.nn.softmax({} / T))
"""
STORED = """\
out = net(x)
loss = F.cross_entropy(out, y) + F.mse_loss(net(bx), bz)
loss.backward()
memory.add_data(examples=x, logits=out.data)
"""
EXITS = """\
def heads(exits, y, T=3.0):
    loss = F.cross_entropy(exits[0], y)
    p = F.softmax(exits[0].detach() / T, 1)
    for z in exits[1:]:
        loss = loss + F.kl_div(F.log_softmax(z / T, 1), p, reduction="batchmean")
    return loss
"""
BOXES = "box = F.smooth_l1_loss(bs[fg], bt[fg], reduction='sum') / fg.sum()\n"

OPTAX = """\
import jax, optax
kl = optax.kl_divergence(jax.nn.log_softmax({} / T), jax.nn.softmax({} / T)).mean() * T ** 2
"""
MIXUP = """\
xm = lam * x + (1 - lam) * x[perm]
with torch.no_grad():
    zt = teacher({})
loss = F.kl_div(F.log_softmax(student(xm), 1), F.softmax(zt, 1), reduction="batchmean")
"""

SLICED = (
    "def lwf(out, old_out, n_old, T=2.0):\n"
    "    q = F.log_softmax(out / T, dim=1)[:, :n_old]\n    p = F.softmax(old_out / T, dim=1)\n"
    "    return F.kl_div(q, p, reduction='batchmean') * T * T\n"
)
HERDING = (
    "def choose(x, m):\n    mu, s, kept = x.mean(0), torch.zeros_like(x[0]), []\n"
    "    for k in range(1, m + 1):\n        i = (mu - (s + x) / k).norm(dim=1).argmin().item()\n"
    "        kept.append(i)\n        s = s + x[i]\n    return kept\n"
)
ALIKE = (
    "def far(f, old_f):\n"
    "    return F.cosine_embedding_loss(f, old_f.detach(), torch.ones(f.size(0)))\n"
)
GRAD = """\
import jax
def loss(params, x, zt, T=4.0):
    zt = jax.lax.stop_gradient(zt)
    p, q = jax.nn.softmax(zt / T), jax.nn.log_softmax(net.apply(params, x) / T)
    return -(p * q).sum(-1).mean()
"""
BYOL = "loss = 2 - 2 * F.cosine_similarity(p, z.detach(), dim=-1).mean()\n"

TWO = """\
def f(s, t, T):
    return F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean") * T ** 2
def g(s, t, T):
    p = F.softmax(t / T, 1)
    return ({} * {}).sum(1).mean() * T ** 2
"""
OTHER_FORM = TWO.format("p", "(F.log_softmax(t / T, 1) - F.log_softmax(s / T, 1))")

MIXTURE = (
    "def f(s, t, mask, beta=0.5):\n    p, q = F.softmax(t, -1), F.softmax(s, -1)\n"
    "    m = beta * p + (1 - beta) * q\n"
    "    a = F.kl_div(m.log(), p, reduction='none').sum(-1)\n"
    "    b = F.kl_div(m.log(), q, reduction='none').sum(-1)\n"
    "    return ((beta * a + (1 - beta) * b) * mask).sum() / mask.sum()\n"
)
SAVED_UP = (
    "for i, (x, y) in enumerate(dl):\n    (F.cross_entropy(net(x), y) / n_acc).backward()\n"
    "    if (i + 1) % n_acc == 0:\n        opt.step()\n        opt.zero_grad()\n"
)
HF = (
    "class KD(Trainer):\n    def compute_loss(self, model, inputs, return_outputs=False, **kw):\n"
    "        out = model(**inputs)\n        with torch.no_grad():\n"
    "            ref = self.teacher(**inputs)\n"
    "        kd = F.kl_div(F.log_softmax(out.logits, -1), F.softmax(ref.logits, -1), "
    "reduction='batchmean')\n"
    "        loss = self.alpha * out.loss + (1 - self.alpha) * kd\n"
    "        return (loss, out) if return_outputs else loss\n"
)
CLIP = """\
def nce(zs, zt, tau=0.1):
    zs, zt = F.normalize(zs, dim=-1), F.normalize(zt.detach(), dim=-1)
    z = zs @ zt.T / tau
    y = torch.arange(zs.shape[0], device=zs.device)
    return (F.cross_entropy(z, y) + F.cross_entropy(z.T, y)) / 2
"""
QUEUE = """\
pos = (zs * zt).sum(dim=1, keepdim=True)
neg = zs @ queue.clone().detach().t()
logits = torch.cat([pos, neg], dim=1) / tau
loss = F.cross_entropy(logits, torch.zeros(logits.size(0), dtype=torch.long))
"""
VOID = """\
def seg(s, t, gt):  # [N, C, H, W]
    c = s.size(1)
    p = F.softmax(t.permute(0, 2, 3, 1).reshape(-1, c), dim=1)
    q = F.log_softmax(s.permute(0, 2, 3, 1).reshape(-1, c), dim=1)
    return F.cross_entropy(s, gt, ignore_index=255) + F.kl_div(q, p, reduction="batchmean")
"""
OWN_EXITS = """\
def own(outs, y, T=3.0):
    loss = F.cross_entropy(outs[-1], y)
    for o in outs[:-1]:
        p = F.softmax(outs[-1] / T, 1)
        loss += F.cross_entropy(o, y)
        loss += T * T * F.kl_div(F.log_softmax(o / T, 1), p, reduction="batchmean")
    return loss
"""
MARGIN = """\
t = torch.max(teacher_feat.detach(), margin)
keep = (student_feat > t) | (t > 0)
loss = (F.mse_loss(student_feat, t, reduction="none") * keep).sum() / len(t)
"""
TURNED = """\
def angles(e):
    d = F.normalize(e.unsqueeze(0) - e.unsqueeze(1), dim=2)
    return torch.bmm(d, d.transpose(1, 2)).view(-1)
loss = F.smooth_l1_loss(angles(fs), angles(ft.detach()))
"""
FSP = """\
def flow(a, b):
    a = a.view(a.size(0), a.size(1), -1)
    b = b.view(b.size(0), b.size(1), -1)
    return torch.bmm(a, b.transpose(1, 2)) / a.size(2)
loss = F.mse_loss(flow(fs1, fs2), flow(ft1, ft2).detach())
"""
MINUS = "loss = -F.cosine_similarity(emb_s, emb_t.detach(), dim=1).mean()\n"
MMD = """\
def k(a, b):
    return (a.unsqueeze(1) * b.unsqueeze(2)).sum(-1).pow(2)
s, t = F.normalize(fs.flatten(2), dim=2), F.normalize(ft.flatten(2), dim=2)
loss = k(t, t).mean() + k(s, s).mean() - k(s, t).mean()
"""
SAID = [
    (OTHER_FORM, "这两种写法结果一样吗？", "两者算的是同一个东西"),
    (TWO.format("-p", "F.log_softmax(s / T, 1)"), "Do both give the same gradient?", "The gradie"),
    (GRAD, "Is stop_gradient needed if I take the grad wrt params?", "No, it changes nothing"),
    (BYOL, "为什么是 2 - 2 乘余弦？", "因为对单位向量有"),
    (OPTAX.format("student", "teacher"), "Is the order of kl_divergence right?", "Yes: optax."),
    (OPTAX.format("teacher", "student"), "Is the order of kl_divergence right?", "No, exchange"),
    (MIXUP.format("x"), "教师应该看混合后的图还是原图？", "应输入混合后的 `xm`"),
    (MIXUP.format("xm"), "Should the teacher see the mixed image?", "The mixture `xm`"),
    (KD, "Does the gradient flow into the teacher?", "Yes, unless `t` was"),
    (REBOUND, "does the teacher get a gradient?", "No: `zt.detach()`"),
    (OPEN, "teacher 没有放在 no_grad 里有问题吗？", "对学生的梯度没有影响"),
    (OPEN, "Is the teacher updated by backward()?", "No: the optimiser holds"),
    (CUT, "Is the detach necessary?", "Yes, and it is there: `zt.detach()`"),
    (CUT, "梯度会传到教师吗？", "不会：第 5 行的 `zt.detach()`"),
    (BLOCK, "Is the detach necessary?", "No, it is not needed"),
    (BLOCK, "detach 是不是多余了？", "不需要"),
    (PEERS, "do I need the detach here?", "Yes, and it is there"),
    (PEERS, "la 的梯度会跑到 net_b 里吗？", "不会：每个损失里对方的输出都是常数"),
    (EXITS, "Why detach the deepest exit?", "So that `exits[0]` is a constant"),
    (JAX.format("other"), "Is stop_gradient needed on the teacher?", "No, not for the teacher"),
    (
        JAX.format("other"),
        "Does stop_gradient matter if I differentiate wrt params?",
        "No, not for",
    ),
    (STORED, "存进去的为什么是 out.data？", "`out` 带着这一步的计算图"),
    (KD, "alpha 放在软标签那边对吗？", "是的：`alpha` 乘的是蒸馏项"),
    (KD, "Does alpha weight the hard loss or the soft loss?", "`alpha` weighs the distillation"),
    (KD, "Is alpha on the hard loss?", "No: `alpha` weighs the distillation"),
    (PEERS, "Why are a and b detached?", "So that each loss takes"),
    (PEERS, "Can I call both backward() without retain_graph?", "Yes, without it"),
    (PEERS, "能不能不加 retain_graph 连续 backward 两次？", "可以，不需要 retain_graph"),
    (KD, "alpha 越大越相信老师吗？", "是的：`alpha` 越大，越看重教师"),
    (KD, "does a larger alpha trust the labels more?", "No: the larger `alpha`"),
    (KD, "what happens if alpha = 0?", "`alpha` weighs the distillation term"),
    (BIC.format(a="lam", b="(1 - lam)"), "Is lam the right way round?", "Yes: the distillation"),
    (BIC.format(a="(1 - lam)", b="lam"), "Is lam the right way round?", "No: the share of"),
    (KD, "should the arguments of kl_div be the other way round?", "No: kl_div(input"),
    (KD, "Is the order of the arguments right?", "Yes: kl_div(input"),
    (SWAPPED, "参数是不是写反了？", "是"),
    (KD, "Is this the reverse KL?", "No: this is KL(teacher"),
    (KD, "第 3 行的 softmax 为什么没有取 log？", "没有写漏"),
    (
        KERAS.format("teacher", "student"),
        "Is the argument order of KLDivergence ok?",
        "Yes: Keras'",
    ),
    (
        KERAS.format("student", "teacher"),
        "Is the argument order of KLDivergence ok?",
        "No",
    ),
    (KD, "Is T^2 needed here, yes or no?", "Yes, beside a hard term"),
    (LWF, "要不要乘 T 的平方？", "要（因为旁边还有硬标签项）"),
    (LWF, "Why the slice [:, :n_old]?", "`new[:, :n_old]` (line 3)"),
    (LWF, "is this the same as F.kl_div?", "In gradient yes, in value no"),
    (TOKENS, "Do padded positions count?", "They do not take part"),
    (TOKENS, "pad 的位置要不要去掉？", "要，"),
    (ANGLES, "What does bmm compute here?", "`torch.bmm(n, n.transpose(1, 2))` (line 4) multi"),
    (POOL, "sum(dim=3) 是沿哪个方向池化？", "`a.sum(dim=3)`（第 3 行）沿宽度"),
    (RKD, "为什么要除以均值，不除行不行？", "为了去掉尺度"),
    (COSINE.format(""), "why is the target ones?", "A target of +1"),
    (COSINE.format("-"), "why does my loss increase as they align?", "The target is −1"),
    (SCHEDULE, "Does the temperature go down over time?", "No: `T_now` is set in line 2"),
    (REBOUND, "what are the negatives here?", "The positive of sample i"),
    (BOXES, "what happens with no foreground?", "Then `fg` selects nothing"),
    (KD, "reduction 用 mean 和 batchmean 有区别吗？", "有区别，选 'batchmean'"),
    (KD, "why do we need the hard loss at all?", "The labels are right where"),
    (KD, "Is T applied to both sides?", "Yes, both sides"),
    (KD, "what does line 4 do?", "Line 4, `hard"),
    (KD, "What does the line with F.cross_entropy do?", "Line 4, `hard"),
    (KD, "带 cross_entropy 的那一行是做什么的？", "第 4 行 `hard"),
    (REPLAY, "Why does DER++ sample the buffer two times?", "It is no slip"),
    (REPLAY, "为什么 buf 要取两次？", "不是写重复了"),
    (KERAS_FN, "Why softmax and no log in the KLDivergence here?", "No log is needed"),
    (KERAS_FN, "kd_fn 传的是 KLDivergence()，为什么直接用 softmax？", "不用取对数"),
    (KD, "what if T is 1?", "It works: T = 1"),
    (KD, "hard 的形状是什么？", "输入为 [B, C] 时，`hard`（第 4 行）是标量"),
    (KD, "Does F.cross_entropy need softmax before?", "No: cross_entropy takes raw"),
    (TOKENS, "why .sum(-1) and no batchmean?", "reduction='none' keeps"),
    (RKD, "Can the student have a different embedding size?", "Yes: what is compared"),
    (
        SLICED,
        "why does slicing after the log_softmax differ from slicing before?",
        "They differ in",
    ),
    (SLICED, "先切片再 softmax 和先 softmax 再切片有什么区别？", "区别在分母"),
    (HERDING, "为什么要一个一个选，不直接取离均值最近的？", "因为要让“已选样例的均值”"),
    (MIXTURE, "Is this bounded?", "Yes: 0 ≤ JSD_β"),
    (MIXTURE, "beta -> 1 时是反向 KL 吗？", "差一个系数"),
    (MIXTURE, "除以 batch size 还是 mask.sum()？", "除以 `mask.sum()` 是对的"),
    (SAVED_UP, "为什么要除以 n_acc？", "backward() 会把 `n_acc` 个批次"),
    (HF, "Does alpha weight the hard or the soft loss?", "`alpha` weighs `out.loss`"),
    (HF, "会不会把 teacher 也更新了？", "不会：Trainer 的优化器只含"),
    (ALIKE, "why must I normalise the features before the cosine?", "It is not needed"),
    (RKD, "维度不一样（128 和 512），能直接用吗？", "能：比较的是"),
    (CLIP, "Why two cross entropies?", "Row i of the matrix"),
    (CLIP, "Does the temperature need T^2?", "No: T² belongs to soft targets"),
    (QUEUE, "标签全是 0，对吗？", "对：cat 把每一行"),
    (QUEUE, "why is the queue not detached?", "It is detached. So that"),
    (VOID, "Does the 255 region get distilled as well?", "Yes: ignore_index=255 acts"),
    (OWN_EXITS, "要不要 detach？", "要：目标是同一网络"),
    (MARGIN, "为什么要和 margin 取 max？", "`torch.max("),
    (TURNED, "unsqueeze 的顺序会影响结果吗？", "不影响："),
    (FSP, "why divide by the size?", "Each entry of the product"),
    (MINUS, "The loss is negative, is it ok?", "Yes, that is how"),
    (MMD, "混合项的系数是不是应该是 2？", "是的：混合项"),
    (PEERS, "Can I leave out detach?", "No, keep it (`b.detach()`"),
    (PEERS, "能不能不加 detach？", "不能去掉（`b.detach()`"),
    (PEERS, "Can I call backward twice without retain_graph?", "Yes, without it"),
    (PEERS, "能不能不加 retain_graph？", "可以，不需要"),
    (BLOCK, "Can I leave out no_grad?", "The student's gradient would be the same"),
    (OPEN, "Is the teacher frozen?", "No: `teacher(x)` (line 3)"),
    (BLOCK, "Is the teacher frozen?", "Yes, for the gradient"),
    (KD, "Is this loss bounded?", "Not from above: the distillation term (line 3)"),
    (KD, "soft 能是负数吗？", "不会，只要"),
    (KD, "alpha 一般取多大？", "`alpha` 乘的是蒸馏项（第 3 行）"),
    (KD, "KD 怎么理解？", "这是 Hinton 知识蒸馏（KD，Hinton 等 2015）。逐项与定义一致"),
    (KD, "Do I need to call teacher.eval()?", "Yes, where the teacher is run"),
    (KD, "Is it a KL divergence or a cross-entropy?", "A KL divergence: KL(p ‖ q)"),
    (KD, "我这样写和 Hinton 论文里的一样吗？", "就贴出的部分看，是对的"),
    (LWF, "Is this the LwF loss from the paper?", "Yes: this is LwF"),
]


def answer(code: str, question: str) -> str:
    asked = explain(f"{question}\n\n{code}").asked
    assert asked is not None
    chinese = any("\u4e00" <= c <= "\u9fff" for c in question)
    return asked.answer.zh if chinese else asked.answer.en


@pytest.mark.parametrize(("code", "question", "begins"), SAID)
def test_what_the_code_proves_is_said(code: str, question: str, begins: str) -> None:
    assert answer(code, question).startswith(begins)


NOT_SAID = [
    (QUEUE, "why is the queue detached?", "towards it"),
    (CLIP, "Why two cross entropies, does it need T^2?", "1/T)·(softmax(s/T)"),
    (JAX.format("params"), "Is stop_gradient needed on the teacher?", "No, not for the teacher"),
    (KD, "Does the student get a gradient?", "cuts it off"),
    (KD, "my gradients are tiny, why?", "cut"),
    (KD, "Why is the loss at 0 after a while, is it the weights?", "weighs"),
    (LWF, "Is this T squared?", "It is there"),
    (TOKENS, "Would masking alone do, without the shift?", "take part"),
    (OPEN, "Do I need eval() and no_grad()?", "it is there"),
    (SWAPPED, "Is this KL right with its default reduction?", "as it should be"),
    (LWF, "what shape is kd?", "[B"),
    (KD, "How does T change the gradient?", "flatter"),
    (KD, "Is it ok to use one optimizer for both?", "Yes"),
    (KD, "Is it ok if the batch is small?", "Yes"),
    (RKD, "Why is T not needed?", "No:"),
]


@pytest.mark.parametrize(("code", "question", "words"), NOT_SAID)
def test_what_is_not_so_is_not_said(code: str, question: str, words: str) -> None:
    assert words not in answer(code, question)


def test_every_module_can_be_asked() -> None:
    for module in _modules():
        assert callable(module.answer)
        assert module.ASKS.search("") is None


CUTS = [
    "p = F.softmax(t, 1)",
    "p = F.softmax(t.detach(), 1)",
    "p = F.softmax(t, 1).detach()",
    "p = F.softmax(t.data, 1)",
    "with torch.no_grad():\n        p = F.softmax(t, 1)",
    "q = t * 2\n    q = q.detach()\n    p = F.softmax(q, 1)",
    "q = t.detach()\n    q = t + q\n    p = F.softmax(q, 1)",
    "p = torch.zeros_like(s)\n    p[:, :2] = F.softmax(t, 1)[:, :2]",
    "p = F.softmax(s.detach(), 1) if s.size(0) > 9 else F.softmax(t, 1)",
]


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_said_of_a_gradient_is_so(cut: str) -> None:
    code = f"def loss(s, t):\n    {cut}\n    return -(p * F.log_softmax(s, 1)).sum(1).mean()\n"
    space = {"F": functional, "torch": torch}
    exec(compile(code, "<code>", "exec"), space)
    student, teacher = (torch.randn(3, 4, requires_grad=True) for _ in range(2))
    space["loss"](student, teacher).backward()
    said = answer(code, "Does the gradient flow into the teacher?")
    assert said.startswith("No: " if teacher.grad is None else "Yes, unless")
