"""Questions on what a loss computes, each answered with its derivation in a few lines."""

from __future__ import annotations

from didact._core.i18n import Text

WHICH_LOG = (
    Text(
        "Why log_softmax for the student and softmax for the teacher?",
        "为什么学生用 log_softmax，教师用 softmax？",
    ),
    Text(
        "Because of what the function computes, not because of who is who: kl_div(input, target) = "
        "Σ target·(log target − input) takes no log of `input`. With P the teacher and Q the "
        "student, "
        "D(P‖Q) = Σ P·(log P − log Q), so input = log Q (student, log_softmax) and target = P "
        "(teacher, "
        "softmax). With log_target=True the target is log P as well. log_softmax is also stabler "
        "than softmax followed by log.",
        "原因在函数的定义：kl_div(input, target) = Σ target·(log target − input)，它不会对 input "
        "取对数。设 P 为教师、Q 为学生，D(P‖Q) = Σ P·(log P − log Q)，所以 input 要给 log Q（学生，"
        "log_softmax），target 给 P（教师，softmax）。若设 log_target=True，target 也要给 log P。"
        "另外，log_softmax 比先 softmax 再取 log 数值更稳定。",
    ),
)
NEGATIVE_KL = (
    Text("Why is the KL loss negative, or NaN?", "KL 损失为什么会是负数或 NaN？"),
    Text(
        "A KL divergence is never negative: by Jensen Σ P·log(Q/P) ≤ log Σ Q = 0. A negative total "
        "says that `input` is not log-probabilities or one side does not sum to 1. With input = Q "
        "instead of "
        "log Q the loss is Σ P·log P − Σ P·Q, linear in Q; its minimum is a one-hot at argmax P. "
        "NaN: log of "
        "a negative `target`. Single elements may be negative; abs or clamp only hide the cause.",
        "KL 散度不会为负：由 Jensen 不等式，Σ P·log(Q/P) ≤ log Σ Q = 0。总和为负，说明 input 不是"
        "对数概率，"
        "或者某一侧没有归一化。若 input 给的是 Q 而非 log Q，损失为 Σ P·log P − Σ P·Q，对 Q 是线性"
        "的，最小值落在 argmax P 的 one-hot 上。NaN 来自对负的 target 取对数。单个元素可以为负；"
        "用 abs 或 clamp 只是掩盖问题。",
    ),
)
SOFTMAX_BEFORE_CE = (
    Text("May softmax stand in front of cross_entropy?", "cross_entropy 前面能加 softmax 吗？"),
    Text(
        "No. cross_entropy(a, t) = −Σ t·log softmax(a): the left argument is put through softmax "
        "inside, the "
        "right one is not. With a = softmax(z) it is applied twice; the entries of a lie in [0, "
        "1], so the "
        "loss cannot fall below log(e + C − 1) − 1 (1.46 for 10 classes, 3.62 for 100) and the "
        "gradient "
        "nearly vanishes. Softmax on the right, for soft targets, is correct; log_softmax on the "
        "left is harmless, as it is idempotent.",
        "不能。cross_entropy(a, t) = −Σ t·log softmax(a)：左边（输入）内部会做 softmax，右边不会。"
        "若 a = softmax(z)，左边就做了两次 softmax；a 的取值在 [0, 1]，损失不可能低于 log(e + C − "
        "1) − 1（10 类为 1.46，100 类为 3.62），梯度也几乎消失。右边作为软标签用 softmax 是对的；"
        "左边用 log_softmax 则无害，因为它是幂等的。",
    ),
)
EMPTY_SLICE = (
    Text(
        "What does x[:0:k] take, and where are the first k classes?",
        "x[:0:k] 取到的是什么？前 k 个类别怎么取？",
    ),
    Text(
        "Nothing: a slice is start:stop:step, so `:0:k` goes from 0 up to 0 in steps of k. And the "
        "first index is the sample: x[:k] are k samples. The first k classes of a [B, C] tensor "
        "are x[:, :k], the new ones x[:, k:]. A loss on an empty tensor is NaN (mean) or 0 (sum): "
        "no signal at all.",
        "什么也取不到：切片是“起点:终点:步长”，`:0:k` 从 0 取到 0、步长 k，是空切片。"
        "而且第一个下标是样本维，x[:k] 取的是前 k 个样本。形状 [B, C] 的张量，"
        "前 k 个类别是 x[:, :k]，新类是 x[:, k:]。对空张量求损失得到 NaN（mean）或 0（sum），"
        "没有任何训练信号。",
    ),
)
LABEL_OFFSET = (
    Text(
        "Why must the labels be shifted when logits are sliced?",
        "切出部分 logits 后，标签为什么要平移？",
    ),
    Text(
        "In z = logits[:, a:b] column j is class a + j, but labels still count from class 0. "
        "Cross-entropy "
        "takes −log softmax(z)[y], so y must be y − a, and lie in [0, b − a). Unshifted, it is an "
        "IndexError when y ≥ b − a, and silently the wrong class otherwise.",
        "z = logits[:, a:b] 的第 j 列对应类别 a + j，而标签仍从类别 0 开始编号。交叉熵取 −log "
        "softmax(z)[y]，"
        "因此标签要用 y − a，并落在 [0, b − a) 内。不平移时，y ≥ b − a 会越界报错，否则悄悄对应到"
        "错误的类别。",
    ),
)
BCE_OR_CE = (
    Text("Binary cross-entropy or KL for distillation?", "蒸馏用二元交叉熵还是 KL？"),
    Text(
        "BCE treats every class as a yes/no question: −t·log p − (1−t)·log(1−p) with p = "
        "sigmoid(z) (iCaRL). KL treats the C classes as one choice, with softmax. Do not mix the "
        "two normalisations: sigmoid targets need not sum to 1, softmax ones do. With T on one "
        "side only the minimum is p_i = t_i for other logits than the teacher's, so it is another "
        "loss with another optimum.",
        "BCE 把每个类别当作独立的是非题：−t·log p − (1−t)·log(1−p)，p = sigmoid(z)（iCaRL）；KL 则"
        "用 softmax，看作 C 选一。两者不要混用：sigmoid 目标之和不必为 1，softmax 之和恒为 1。"
        "若温度只加在一侧，最优点 p_i = t_i 对应的 logits 就不再是教师的 logits，等于换了一个损失、"
        "换了一个最优解。",
    ),
)
ONE_SIDE = (
    Text("What if only one side has the temperature?", "温度只加在一侧会怎样？"),
    Text(
        "The loss is least where softmax(s) = softmax(t/T), that is s = t/T + const: the student "
        "learns the "
        "teacher's logits divided by T (or times T, if only the student's side has it). The "
        "ranking stays, the confidence does not.",
        "损失在 softmax(s) = softmax(t/T) 时最小，即 s = t/T + 常数：学生学到的是教师 logits 的 1/T"
        "（若只有学生一侧有 T，则是 T 倍）。类别排序不变，但置信度被改变了。",
    ),
)
TWICE = (
    Text("What does a second softmax do?", "连做两次 softmax 会怎样？"),
    Text(
        "Its inputs are probabilities in [0, 1], so no output can exceed e/(e + C − 1): 0.23 for "
        "10 classes, "
        "0.027 for 100. The distribution is nearly uniform and the gradient nearly zero.",
        "第二次 softmax 的输入是 [0, 1] 内的概率，输出最大不超过 e/(e + C − 1)：10 类为 0.23，100 "
        "类为 0.027。分布几乎是均匀的，梯度几乎为零。",
    ),
)
FORWARD_REVERSE = (
    Text("Forward or reverse KL?", "前向 KL 还是反向 KL？"),
    Text(
        "KL(teacher‖student) = Σ P·(log P − log Q) punishes the student where the teacher has mass "
        "and it has "
        "none: it covers all modes (Hinton's). KL(student‖teacher) punishes mass where the teacher "
        "has none: "
        "it seeks one mode (MiniLLM). Near agreement both have the same second-order form, so the "
        "reverse is a choice, not a mistake, if it is made on purpose.",
        "KL(教师‖学生) = Σ P·(log P − log Q)：教师有概率而学生没有的地方受罚，因此覆盖所有峰（"
        "Hinton 的形式）。"
        "KL(学生‖教师) 惩罚学生把概率放在教师没有的地方，倾向于抓住一个峰（MiniLLM）。"
        "两者接近时二阶近似相同，所以有意选择反向 KL 并不是错误。",
    ),
)
LOG_OF_SOFTMAX = (
    Text(
        "Is log(softmax(x)) the same as log_softmax(x)?",
        "log(softmax(x)) 和 log_softmax(x) 一样吗？",
    ),
    Text(
        "In exact arithmetic. In float32 softmax underflows to 0 when a logit is about 104 below "
        "the largest, "
        "log 0 = −inf, and the gradient becomes NaN. log_softmax computes x − max − log Σ exp(x − "
        "max) and never takes the log of 0; adding 1e-8 instead cuts the tail off.",
        "数学上一样，数值上不同。float32 下某个 logit 比最大值低约 104 时 softmax 下溢为 0，log 0 "
        "= −inf，梯度变成 NaN。log_softmax 计算 x − max − log Σ exp(x − max)，不会对 0 取对数；"
        "加 1e-8 的做法则会截掉尾部概率。",
    ),
)
WHICH_DIM = (
    Text("Which dim does softmax need?", "softmax 的 dim 应该填几？"),
    Text(
        "The one along which the numbers must sum to 1, the classes: dim=1 for [B, C], dim=-1 for "
        "[B, S, V], "
        "dim=1 for [B, C, H, W]. dim=0 lets the samples of a batch compete with each other. "
        "Without dim PyTorch guesses: 0 for 1-D and 3-D tensors, 1 otherwise.",
        "填需要归一化的那一维，即类别维：[B, C] 用 dim=1，[B, S, V] 用 dim=-1，[B, C, H, W] 用 "
        "dim=1。"
        "dim=0 会让同一批的样本互相竞争。不写 dim 时 PyTorch 自行猜测：1 维和 3 维张量取 0，其余"
        "取 1。",
    ),
)
