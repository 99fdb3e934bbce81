"""Questions that people write beside their code, by words of both languages, and the answers."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.words import answers, errors
from didact.check.explain.words import answers_training as training
from didact.check.explain.words.patterns import either

_SMALL = Text(
    "reduction='mean' (the default) divides by B·C, not by B alone: the term is 1/C of the KL per "
    "sample. With reduction='batchmean' it is back at the formula, C times larger.",
    "默认的 reduction='mean' 除以 B·C，除了批大小 B 还除了类别数 C，所以只有每样本 KL 的 1/C；"
    "用 reduction='batchmean' 就回到公式，大 C 倍。",
)
_NAN_LOG = Text(
    "kl_div takes its second argument for probabilities by default; log-probabilities are negative "
    "there, and their logarithm is NaN. Pass probabilities, or log_target=True.",
    "kl_div 的第二个参数默认要概率；给了对数概率（负数），再取对数就是 NaN。改为传概率，或者写 "
    "log_target=True。",
)
_NAN_REVERSED = Text(
    "The two arguments are exchanged: the first must be the log-probabilities of the student, the "
    "second the probabilities of the teacher. Here the target is negative and its logarithm NaN.",
    "两个参数的位置反了：第一个应是学生的对数概率，第二个应是教师的概率。现在的目标是负数，取对数"
    "得到 NaN。",
)
_LEARNING_RATE = Text(
    "Yes. batchmean is C times the old mean, so the term and its gradient grow by the number of "
    "classes C: beside a hard term its weight must be made smaller or tuned anew; alone with SGD "
    "the learning rate must shrink accordingly.",
    "要。batchmean 是原来 mean 的 C 倍，该项及其梯度都变大 C 倍：与交叉熵相加时应减小它的权重或重新"
    "调；单独用 SGD 时学习率要相应变小。",
)
_ALPHA = Text(
    "First multiply the soft term by T², then tune: without T² its gradient is 1/T², so at T = 4 "
    "the weight that is written acts like 1/16 of it.",
    "先乘上 T² 再调：不乘时软标签项的梯度只有 1/T²，T = 4 时写出来的权重实际只有 1/16。",
)
_MUCH = Text(
    "Not as it should be: batchmean divides by the batch alone, and sums over all positions "
    "(S tokens, or H·W pixels). Flatten the positions into the batch first, or divide by their "
    "number.",
    "不正常：batchmean 只除以批大小，等于对所有位置（S 个词元或 H×W 个像素）求和"
    "。先把位置展平到批维，"
    "或者再除以位置个数。",
)
ON_ORDER = Text(
    "No: Keras' KLDivergence is called as (y_true, y_pred). The target, the teacher, comes first; "
    "as written it is the reverse KL.",
    "反了：Keras 的 KLDivergence 按 (y_true, y_pred) 调用，第一个参数是目标，应当"
    "先传教师、后传学生，"
    "否则是反向 KL。",
)
_CLASS_WEIGHT = Text(
    "It is a widespread slip of the pen: a plus where a times belongs, T·T·2.0·alpha. As written, "
    "alpha hardly changes the weight of the soft term.",
    "是流传很广的笔误，应为乘号：T·T·2.0·alpha。现在 alpha 几乎不影响软标签项的权重。",
)
_PADDING = Text(
    "A mask: the cross-entropy leaves padding out, the distillation term does not. Select the "
    "positions where labels != pad_id for both.",
    "缺 mask：交叉熵忽略了填充，蒸馏项没有。两项都应只取 labels != pad_id 的位置。",
)
_REDUCE = Text(
    "`reduce` is an old truth value, and any string counts as true: the result is a single number "
    'already, so the mask has no effect. Write reduction="none".',
    "`reduce` 是旧的布尔参数，任何字符串都当真，结果已经是标量，mask 不起作用；改"
    '成 reduction="none"。',
)
_REVERSE = Text(
    "No, not by itself: KL(student ‖ teacher) is the reverse KL of MiniLLM, which seeks one "
    "mode on "
    "purpose; Hinton's KD has the teacher in front.",
    "不一定是错误：KL(学生 ‖ 教师) 是 MiniLLM 的反向 KL，有意寻峰；Hinton 的 KD 是教师在前。",
)
_UNIFORM = Text(
    "No: the teacher returns probabilities already, and a second softmax of numbers in [0, 1] is "
    "nearly uniform. Return logits.",
    "不是：教师返回的已经是概率，对 [0, 1] 内的数再做 softmax 几乎是均匀分布。应返回 logits。",
)
_UNDERFLOW = Text(
    "Softmax first and the logarithm after it underflow to log 0, which is infinite. F.log_softmax "
    "gives the same numbers without that.",
    "先 softmax 再取 log 会下溢到 log 0，即负无穷；用 F.log_softmax，数值相同而稳定。",
)
_HARDER = Text(
    "It must be divided by T: to multiply by T is a temperature of 1/T, which sharpens.",
    "应当除以 T：乘 T 等于温度 1/T，分布变尖。",
)
_BOTH = Text(
    "Yes: with T on one side the optimum is not the teacher but a flatter (or sharper) model. "
    "Divide both sides by T and multiply the term by T².",
    "要：只有一侧除以 T 时，最优解不是教师，而是更平（或更尖）的模型。两侧都除以 "
    "T，并把该项乘 T²。",
)
_NEVER_ZERO = Text(
    "Because it is a cross-entropy, not a divergence: −Σ p·log q = KL(p ‖ q) + H(p). Where the "
    "student equals the teacher the KL is 0 and what is left is H(p), the entropy of the teacher's "
    "probabilities, which has no gradient. Watch the KL if you want a number that goes to 0.",
    "因为它是交叉熵而不是散度：−Σ p·log q = KL(p ‖ q) + H(p)。学生与教师完全一致时 KL 为 0，"
    "剩下的 H(p) 是教师概率的熵，它没有梯度。想看一个能降到 0 的数，就记录 KL。",
)
_NAN_HERE = Text(
    "These operations can make it of finite numbers: the logarithm of a probability that rounds to "
    "0 is −inf, 0 · (−inf) and 0/0 are NaN, and so is the gradient of a root at 0. Where the code "
    "takes a logarithm of a softmax, write F.log_softmax; where it divides or takes a root, add a "
    "small number. torch.autograd.set_detect_anomaly(True) names the first operation that gives "
    "NaN.",
    "下列运算会由有限的数产生它：概率舍入为 0 时取对数得 −inf，0 · (−inf) 和 0/0 得 NaN，"
    "在 0 处开方的梯度"
    "也是 NaN。对 softmax 取对数的地方改用 F.log_softmax；做除法或开方的地方加一个很小的数。"
    "torch.autograd.set_detect_anomaly(True) 会指出第一个产生 NaN 的运算。",
)
_NAN_ELSEWHERE = Text(
    "Nothing that is shown here makes NaN by itself: these operations are finite for finite "
    "numbers. Look at what comes in (torch.isfinite on both sides), at a learning rate that is too "
    "large, and at half precision; torch.autograd.set_detect_anomaly(True) names the first "
    "operation that gives NaN.",
    "这里的写法本身不会产生 NaN：输入有限，结果就有限。请检查输入（对两侧用 torch.isfinite）、"
    "过大的学习率和半精度；torch.autograd.set_detect_anomaly(True) 会指出第一个产生 NaN 的运算。",
)
_CHANCE = Text(
    "2.3 is ln 10, the cross-entropy of a uniform guess among 10 classes: the model has learned "
    "nothing yet. Check that the optimiser holds this model's parameters, that zero_grad, backward "
    "and step are all called, the learning rate, and that labels and inputs belong together.",
    "2.3 就是 ln 10，即 10 类均匀猜测的交叉熵：模型还什么都没学到。"
    "请检查优化器里是不是这个模型的参数、"
    "zero_grad、backward、step 是否都调用了、学习率，以及标签与输入是否对应。",
)
_LAYERS = Text(
    "So that the term does not grow with the number of layers that are matched: the sum over the "
    "layers divided by their number is their mean, and its weight keeps its meaning when a layer "
    "is added.",
    "为了让这一项不随匹配的层数变大：各层之和除以层数就是平均，增减一层时权重的含义不变。",
)
_DRIFT = Text(
    "In train mode each forward pass updates the teacher's BatchNorm statistics, and dropout is "
    "on: call teacher.eval() and run it under torch.no_grad().",
    "train 模式下，每次前向都会更新教师 BatchNorm 的统计量，dropout 也开着：应调用 teacher.eval()，"
    "并放在 torch.no_grad() 下。",
)
_BETA = Text(
    "The published code uses beta = 1000 and adds beta/2 times the sum over the layer groups of "
    "this mean form.",
    "公开代码取 beta = 1000，把各层组的这个均值形式相加后乘 beta/2。",
)
_MSE = Text(
    "They are close: for large T the gradient of KL tends to that of the squared difference of "
    "centred logits, over C. MSE also matches the level of the logits. Which wins depends on the "
    "data.",
    "两者接近：T 很大时，KL 的梯度趋于已中心化 logits 的平方差的梯度（除以 C）。M"
    "SE 还会匹配 logits "
    "的整体水平。哪个更好取决于数据。",
)
_DISTANCES = Text(
    "It compares the distances of all pairs of samples in the batch: each network's are divided by "
    "their own mean and matched by a Huber loss, so the scale of the features does not count.",
    "它比较批内两两样本的距离：各自除以自己的平均距离后用 Huber 损失对齐，所以与特征尺度无关。",
)
NOT_KNOWN = Text(
    "No published method that is known here was recognised; the formula below is what the code "
    "computes, line by line.",
    "没有识别出这里已知的方法；下面的公式和逐行解释就是代码实际计算的内容。",
)

NOT_ANSWERED = Text(
    "This could not be answered from the code that is shown.{needed}",
    "仅凭贴出的代码答不了这个问题。{needed}",
)
NEEDS_TRAINING = Text(
    " It would take the training loop, the optimiser and the models.",
    "还需要看到训练循环、优化器和模型的定义。",
)
FOUND_BELOW = Text(" What was found in it stands below.", "代码里查到的问题见下文。")
FURTHER = Text(" “{question}”: {answer}", "“{question}”：{answer}")
HERE = Text(" Here: {message} (line {line}).", "在这段代码里：第 {line} 行，{message}。")
_NO_TEMPERATURE_BINARY = Text(
    "None is needed: each class has a sigmoid of its own, and the target is the old network's "
    "sigmoid, compared at T = 1 as in iCaRL. A T > 1 would pull every σ(z/T) towards 0.5; there is "
    "no softmax here whose small probabilities it would raise.",
    "不需要：每个类别各用一个 sigmoid，目标是旧网络的 sigmoid 输出，按 T = 1 比较，iCaRL 就是这样。"
    "T > 1 会把每个 σ(z/T) 都拉向 0.5；这里没有 softmax，也就没有需要抬高的小概率。",
)
_NO_TEMPERATURE = Text(
    "Without a temperature T = 1, so T² = 1 and there is nothing to multiply with. T > 1 makes the "
    "small probabilities of the target larger, so that they count; the formula is the same without "
    "it.",
    "不写温度就是 T = 1，于是 T² = 1，不需要再乘。T > 1 的作用是放大目标中较小的概率，"
    "让它们也起作用；"
    "不用温度时公式仍然成立。",
)
_TEMPERATURE = Text(
    "Dividing the logits by T > 1 flattens the distribution: the ranking stays, but the small "
    "probabilities, which tell how the teacher sees the other classes, grow and count in the loss. "
    "T = 1 changes nothing; for a large T the term tends to the squared difference of the logits.",
    "logits 除以 T > 1 会让分布变平：排序不变，但较小的概率变大，在损失里起作用，"
    "学生因此能学到教师对其他"
    "类别的看法。T = 1 等于没有温度；T 很大时，这一项趋于 logits 的平方差。",
)
_ON_VALIDATION = Text(
    "The code cannot tell: print the terms without their weights for some batches, choose the "
    "weights so that the terms are of the same order, and tune from there on validation data.",
    "从代码看不出来：先打印各项不带权重时的数值，让乘上权重后的各项数量级相当，再在验证集上微调。",
)
_WHICH_T = Text(
    "The code cannot tell: T is chosen on validation data, mostly among 1, 2, 4 and 8. Keep the "
    "factor T² while trying, so that the weight of the term keeps its meaning.",
    "从代码看不出来：T 要在验证集上选，常试 1、2、4、8。试的时候保留 T² 这个系数，"
    "该项权重的含义才不变。",
)
_PERMUTE = Text(
    "view reads the numbers in the order in which they lie in memory. In [N, C, H, W] the numbers "
    "of one class lie side by side, so view(-1, C) alone would put C neighbouring pixels of one "
    "class into a row. permute(0, 2, 3, 1) puts the classes last; contiguous() writes that order "
    "to memory, and then each row of view(-1, C) holds the C logits of one pixel.",
    "view 按内存中的顺序读数。[N, C, H, W] 里相邻存放的是同一个类别的各个像素，直接 "
    "view(-1, C) 会把同一"
    "类别相邻的 C 个像素拼成一行。permute(0, 2, 3, 1) 把类别移到最后一维，contiguous() "
    "按这个顺序重新存放，"
    "之后 view(-1, C) 的每一行才是一个像素的 C 个 logits。",
)
_PADDING_COUNTS = Text(
    "Yes: the padded positions are set to 0, but the mean divides by all positions, padding "
    "included, so the value shrinks with the share of padding. Divide the sum by mask.sum().",
    "会：乘掩码只是把填充位置的值变成 0，取平均时除的仍是全部位置（含填充），填充越多，数值就越小。"
    "应改为求和后除以 mask.sum()。",
)
_PADDING_LEFT_OUT = Text(
    "No: the sum is divided by the sum of the mask, that is by the number of positions that count.",
    "不会：这里求和后除以掩码之和，也就是有效位置的个数。",
)
_PADDING_NOT_SELECTED = Text(
    "No: the positions are selected by the mask first, and the mean is taken over those that are "
    "left.",
    "不会：先用掩码选出有效位置，再对剩下的取平均。",
)
_TAPE = Text(
    "The tape records what is computed inside it, for the gradient of the student. The teacher is "
    "not trained, so recording its forward pass costs memory only; outside the tape its output is "
    "a constant.",
    "tape 会记录其中的运算，用来求学生的梯度。教师不训练，记录它的前向只会多占内存；写在 "
    "tape 外面，"
    "它的输出就是常数。",
)
_NEGATIVE_BCE = Text(
    "−t·log p − (1−t)·log(1−p) is never negative for targets t between 0 and 1. A negative value "
    "says that some target lies outside: labels of −1, class numbers above 1, or logits as "
    "targets.",
    "目标 t 在 0 与 1 之间时，−t·log p − (1−t)·log(1−p) 不会为负。"
    "出现负数说明有目标超出了范围：标签是 "
    "−1、类别编号大于 1，或者把 logits 当成了目标。",
)
_MEMORY_KEPT = Text(
    "The loss is added up (or stored) with its graph, so the graphs of all steps stay in memory, "
    "and the use of it grows with each step. Write `loss.item()` there.",
    "这里把带计算图的 loss 累加（或存了起来），每一步的计算图都被引用着，无法释放，"
    "显存就一步步变大。"
    "应改为 `loss.item()`。",
)
_MEMORY_HOOKS = Text(
    "Look at the hooks first: they run in every forward pass, and what they append to a list stays "
    "there, the student's with its graph, until the list is cleared. Clear it at the start of each "
    "step, or keep only the last output.",
    "先看 hook：每次前向都会执行，追加到列表里的特征一直留着（学生的还连着计算图），直到清空列表。"
    "每一步开始时清空列表，或只保存最后一次的输出。",
)
_MEMORY_ELSE = Text(
    "No line shown here keeps the graph of a past step. Memory is saved by running the teacher "
    "under torch.no_grad(), by a smaller batch, and by mixed precision; if it grows from step to "
    "step, look for a tensor with a graph that is stored outside of what is shown.",
    "贴出的代码里没有哪一行会保留以前各步的计算图。要省显存：教师放在 torch.no_grad() "
    "里、减小 batch、用混合"
    "精度；如果占用一步步变大，请找一找没贴出来的部分里，有没有把带计算图的张量存起来。",
)
ON_MEMORY = (_MEMORY_KEPT, _MEMORY_ELSE)
"""Answers that the meaning of an error message says as well."""

_NO_PROJECTION = Text(
    "Because what is compared are relations between the samples of a batch: distances, angles or "
    "similarities, a B×B matrix on each side. Their size does not depend on the width of the "
    "features, so 64 and 256 need not be made equal.",
    "因为比较的是批内样本之间的关系（距离、角度或相似度），两边得到的都是 B×B 的矩阵，"
    "与特征宽度无关，所以"
    "两边的维度不必相等。",
)
_PROJECTION = Text(
    "Because the loss compares the features entry by entry, both sides must have the same shape. "
    "The projection brings the student's to the teacher's width; its parameters must be in the "
    "optimiser, and it is not used after the training.",
    "因为损失逐元素比较两边的特征，形状必须相同。投影层把学生特征变换到教师的宽度；"
    "它的参数必须放进优化器，"
    "训练完就不再需要。",
)
STUCK_UNKNOWN = Text(
    "What is shown does not tell why.{where} Look at, in this order: whether the loss has "
    "a gradient "
    "(`loss.requires_grad`, and `.grad` of a student's parameter after backward()); whether the "
    "optimiser holds the student's parameters and every layer that was added; zero_grad, backward "
    "and step in this order; the learning rate; whether the teacher is good on this data.",
    "从贴出的代码看不出原因。{where}请依次检查：损失有没有梯度（`loss.requires_grad`，以及 "
    "backward() 之后学生参数的 "
    "`.grad`）；优化器里有没有学生的参数和新加的层；zero_grad、backward、step 的顺序；"
    "学习率；教师在这份数据上"
    "本身好不好。",
)
_EMA_AFTER = Text(
    "Yes, after optimizer.step(): the average is to take in the weights as they are after the "
    "update. Before the step it would always lag one step behind.",
    "对，应放在 optimizer.step() 之后：滑动平均要纳入更新后的权重；放在之前，就总是晚一步。",
)
_EMA_BEFORE = Text(
    "It belongs after optimizer.step(): here the average takes in the weights before the update, "
    "one step late. The difference is small, but not intended.",
    "应放在 optimizer.step() 之后：现在平均的是更新前的权重，晚了一步。影响不大，但不是本意。",
)
_JSD_BOUND = Text(
    "The Jensen-Shannon divergence is at most ln 2 = 0.693, but only if M is the mean of the two "
    "probability distributions, (P + Q)/2, and both terms are KL(P ‖ M) and KL(Q ‖ M). With the "
    "softmax of averaged logits as M, or with KL(M ‖ P), there is no such bound. Note that "
    "kl_div(log a, b) is KL(b ‖ a).",
    "JS 散度不超过 ln 2 = 0.693，前提是 M 为两个概率分布的平均 (P + Q)/2，且两项是 KL(P ‖ M) 与 "
    "KL(Q ‖ M)。若 M 是平均 logits 再 softmax，或者写成了 KL(M ‖ P)，就没有这个上界。注意 "
    "kl_div(log a, b) "
    "计算的是 KL(b ‖ a)。",
)
_SHIFT = Text(
    "A language model's output at position t predicts the token at t + 1. So the last output has "
    "no label and the first token no prediction: logits[:, :-1] belongs to labels[:, 1:], and so "
    "does a mask that is made of the labels.",
    "语言模型在位置 t 的输出预测的是 t + 1 处的 token：最后一个输出没有标签，第一个 token "
    "没有预测，所以 logits[:, :-1] 对应 labels[:, 1:]，由标签得到的掩码也要取 [:, 1:]。",
)
_SHIFT_BESIDE_KL = Text(
    "The KL compares both models at the same position, so their logits need no shift against each "
    f"other; what comes from the labels does. {_SHIFT.en}",
    f"KL 在同一位置比较两个模型，两边的 logits 之间不需要移位；要移位的是来自标签的量。{_SHIFT.zh}",
)
SOFT_OR_KL = Text(
    "For a fixed teacher they train alike: −Σ p·log q = KL(p ‖ q) + H(p), and H(p), the entropy of "
    "the teacher's probabilities, has no gradient. Only the values differ: the KL falls to 0.",
    "教师固定时，两者的训练效果相同：−Σ p·log q = KL(p ‖ q) + H(p)，教师概率的熵 H(p) "
    "没有梯度。只是数值不同："
    "KL 可以降到 0。",
)

IS_CROSS_ENTROPY = Text(
    "A cross-entropy, with the teacher's probabilities as the target: −Σ p·log q = KL(p ‖ q) + "
    "H(p). H(p) has no gradient, so it trains as the KL does; only its value does not fall to 0.",
    "是交叉熵，目标是教师的概率：−Σ p·log q = KL(p ‖ q) + H(p)。H(p) 没有梯度，所以训练效果与 KL "
    "相同，只是数值降不到 0。",
)
IS_DIVERGENCE = Text(
    "A KL divergence: KL(p ‖ q) = Σ p·(log p − log q), which is the cross-entropy −Σ p·log q less "
    "the teacher's entropy H(p). H(p) has no gradient, so both train alike; "
    "only the KL falls to 0.",
    "是 KL 散度：KL(p ‖ q) = Σ p·(log p − log q)，等于交叉熵 −Σ p·log q 减去教师的熵 H(p)。H(p) "
    "没有梯度，两者训练效果相同，只有 KL 能降到 0。",
)
WHICH_IT_IS = either(
    r"^\W*(so )?(is|are) (it|this|that|the \w+|these)\b.*\bor\b", r"(这|它|算)?(到底)?是.{1,12}还是"
)

_NONE: frozenset[str] = frozenset()


def _kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


_KL = _kinds(
    "@kl_div", "@KLDivLoss", "@KLDivergence", "@kl_divergence", "@log_softmax", "@log", "=kl",
    "=kd",
)  # fmt: skip
_RELATIONAL = _kinds(
    "=rkd", "=sp", "=pkt", "=at", "@cdist", "@pdist", "@bmm", "@mm", "@matmul", "@pairwise_distance"
)

SET_IN = Text("Line {line}: {words}", "第 {line} 行：{words}")
SET_ELSEWHERE = Text(
    "`{name}` is not set in the code that is shown, so what it is cannot be told from here; it is "
    "taken as given.",
    "`{name}` 不是在这段代码里赋值的，从这里看不出它是什么；上面把它当作已知量。",
)
PER_SAMPLE = Text(
    "The sum over all elements is divided by the batch size B, the size of dim 0: what is left is "
    "the mean over the samples of the KL summed over the classes, the same as "
    "reduction='batchmean'. Without it the loss and its gradient grow with the batch.",
    "先对所有元素求和，再除以批大小 B（第 0 维的大小），得到“对类别求和、对样本取平均”的 KL，"
    "与 reduction='batchmean' 相同。不除的话，损失和梯度都会随批大小变大。",
)
WITHOUT_DETACH = Text(
    "It may go only if the teacher runs inside torch.no_grad(), which records no graph at all. "
    "With neither of them the gradient also flows into the teacher: it trains the teacher where "
    "its parameters are in the optimizer, and costs memory and time for nothing where not.",
    "只有教师的前向放在 torch.no_grad() 里（本来就不建图）时才可以去掉。"
    "两者都没有，梯度会回传到教师：教师的参数若在优化器里就会被训练，不在则白白占用显存和时间。",
)
NO_EVAL = Text(
    "The code that is shown does not call `model.eval()`: in training mode dropout is random and "
    "BatchNorm uses the statistics of each batch, so the numbers change from run to run. Call "
    "`model.eval()` before the loop and `model.train()` behind it.",
    "所示代码没有调用 `model.eval()`：训练模式下 dropout 是随机的，"
    "BatchNorm 用的是每个批次的统计量，所以每次结果不同。"
    "评估之前调用 `model.eval()`，之后再 `model.train()`。",
)
_WEIGHTED = Text(
    "The weights should sum to 1: then Σ w_k·KL_k is on the scale of one teacher, and its "
    "gradient "
    "is that of the KL to the mean Σ w_k·p_k. What is shown does not make them sum to 1; write "
    "`w = w / w.sum()`, or the weight beside the hard term changes its meaning with their sum.",
    "权重之和应为 1：这时 Σ w_k·KL_k 与单教师同一尺度，梯度等于对加权平均 Σ "
    "w_k·p_k 的 KL。"
    "贴出的代码没有保证和为 1，应写 `w = w / w.sum()`，否则与硬标签项之间的权重会随它们的和改变。",
)
_AVERAGED = Text(
    "This code averages over the teachers already: the terms are divided by their number or "
    "weighted with weights meant to sum to 1, so the term stays on the scale of one teacher. "
    "Weights may differ from teacher to teacher, by validation accuracy or by confidence on the "
    "sample; keep their sum at 1.",
    "这段代码已经对教师取了平均（除以个数，或用总和为 1 的权重加权），"
    "所以蒸馏项与单教师时同一尺度。"
    "权重可以因教师而异，例如按验证集精度，或按它对该样本的置信度来定，只要总和保持为 1。",
)
_DECAY = Text(
    "A decay near 1, mostly 0.99 to 0.9999: the average then looks back over about 1/(1 − decay) "
    "steps (0.999: 1000). Short trainings want the smaller one; many codes let it grow from "
    "a small "
    "value in the first steps, min(decay, 1 − 1/(step + 1)).",
    "取接近 1 的值，常用 0.99 到 0.9999：相当于对最近约 1/(1 − decay) 步取平均（0.999 就是 "
    "1000 步）。"
    "训练步数少就取小一点；很多代码在开头若干步让它从小到大，即 min(decay, 1 − 1/(step + 1))。",
)
_WHEN_AVERAGED = (
    r"(?:\bema\b|mean teacher|average|teacher update).*\b(?:before|after|when|order|where"
    r"|place|right)"
    r"|\b(?:before|after|when|order|where|place).*(?:\bema\b|mean teacher|average|teacher update)"
)
_WHEN_AVERAGED_ZH = (
    r"(?:ema|mean.?teacher|滑动平均).*(?:前|后|先|顺序|位置|放|时候|对吗|对不对)"
    r"|(?:前|后|先|顺序|位置).*(?:ema|mean.?teacher|滑动平均)"
)
_PADDED = (
    r"(?:pad|mask|-100|ignored).*(?:denominator|divid|average|\bmean\b|count|take part"
    r"|contribut|handled|"
    r"still in)"
)
_PADDED_ZH = (
    r"(?:pad|填充|掩码|mask|-100).*(?:分母|平均|除|算进|计入|参与|算在|影响)"
    r"|(?:分母|平均|除).*(?:pad|填充|掩码|mask)"
)
_NOT_FINITE = r"(?<![a-z])(?:nans?|inf|infinite|infinity)(?![a-z])"
_TUNES = (
    r"^(?!.*\b(?:old|keep|copy|layers?|pretrained)\b.*\bweights?\b).*?"
    r"(?:how|which|choose|tun(?:e|ing)|\bset\b|pick|value|best|good|reasonable|typical)\b.*"
    r"\b(?:alpha|beta|weights?|lambda|lam|lmbda|coefficient)"
    r"|\b(?:alpha|beta|weights?|lambda|lam|lmbda|coefficient).*"
    r"\b(?:choose|tune|set to|pick|value|reasonable|too (?:large|small|high|low))"
)
KL_AND_CROSS_ENTROPY = either(
    r"(\bkl\b|kl_div|diverg).*cross.?entropy|cross.?entropy.*(\bkl\b|kl_div|diverg)",
    r"(kl|散度).*交叉熵|交叉熵.*(kl|散度)",
)
ASKED: tuple[tuple[re.Pattern[str], frozenset[str], Text], ...] = (
    (either(r"\bnan\b", r"nan"), _kinds("KL-TARGET-LOG"), _NAN_LOG),
    (either(r"\bnan\b", r"nan"), _kinds("ARGS-REVERSED"), _NAN_REVERSED),
    (either(_NOT_FINITE, r"无穷"), _kinds("LOG-OF-SOFTMAX"), _UNDERFLOW),
    (either(_NOT_FINITE, r"无穷"), _kinds("@not finite"), _NAN_HERE),
    (either(_NOT_FINITE, r"无穷"), _kinds("=sound"), _NAN_ELSEWHERE),
    (either(r"(never|not) (becomes? |go(es)? (down )?to |reach(es)? )?(zero|0)\b",
             r"不为 ?0|到不了 ?0|降不到 ?0"),
     _kinds("=soft_ce"), _NEVER_ZERO),
    (either(r"\b2\.30?\b", r"2\.30?(?!\d)"), _kinds("=ce"), _CHANCE),
    (either(r"number of layers|divide.*layers", r"除以层数"), _NONE, _LAYERS),
    (either(r"negative|below zero", r"负数|为负|是负|负的|负值|变负"),
     _kinds("@BCELoss", "@binary_cross_entropy", "@BCEWithLogitsLoss",
            "@binary_cross_entropy_with_logits"), _NEGATIVE_BCE),
    (either(r"\btape\b", r"tape"), _kinds("@GradientTape"), _TAPE),
    (either(r"reduction|default", r"reduction|默认"), _kinds("KL-MEAN"), _SMALL),
    (either(r"negative|below zero",
         r"负数|为负|是负|负的|负值|变负"), _KL, answers.NEGATIVE_KL[1]),
    (either(r"(no|without|not? (use|have) a?|need( a| the)?|why( is)?( there)? no) ?temperature",
             r"(没有?|不用|不加|没用|无|不需要|需要|要不要) ?(写|使用|加)? ?(温度"
             r"|(?-i:T)(?![a-z]))"),
     _kinds("=icarl", "=icarl_labels", "=icarl_narrow", "=icarl_narrow_sum", "=icarl_labels_sum",
            "=icarl_apart", "=binary_kd"), _NO_TEMPERATURE_BINARY),
    (either(r"(no|without|not? (use|have) a?|need( a| the)?) ?temperature|why is there no T\b",
             r"(没有?|不用|不加|没用|无|不需要) ?(写|使用)? ?(温度"
             r"|(?-i:T)(?![a-z]))"), _NONE, _NO_TEMPERATURE),
    (either(r"permute|view\(-1, ?c\b|just view", r"permute"
    r"|view\(-1"), _kinds("@permute", "@view", "@reshape"),
     _PERMUTE),
    (either(_PADDED, _PADDED_ZH),
     _kinds("@selected by mask"), _PADDING_NOT_SELECTED),
    (either(_PADDED, _PADDED_ZH),
     _kinds("@divided by mask"), _PADDING_LEFT_OUT),
    (either(_PADDED, _PADDED_ZH),
     _kinds("@mean over all"), _PADDING_COUNTS),
    (either(r"out of memory|\boom\b|memory", r"显存|内存|爆显|\boom\b"), _kinds("@graphs kept"),
     _MEMORY_KEPT),
    (either(r"out of memory|\boom\b|memory", r"显存|内存|爆显|\boom\b"),
     _kinds("@register_forward_hook"), _MEMORY_HOOKS),
    (either(r"out of memory|\boom\b|memory", r"显存|内存|爆显|\boom\b"), _NONE, _MEMORY_ELSE),
    (either(r"(no|without|need).*project",
         r"(不需要|不用|没有|无需|为何不|为什么不).{0,6}(投影|映射|回归层)"),
     _RELATIONAL, _NO_PROJECTION),
    (either(r"project|regressor|1x1", r"投影|回归层|regressor"),
     _kinds("=hint", "@mse_loss", "@MSELoss"), _PROJECTION),
    (either(r"(results?|outputs?|numbers?|accurac\w+|\bacc\b|values?|predictions?|scores?|each "
             r"(time|run)|run to run).*(different|differs?|changes?|varies|fluctuat|unstable|not "
             r"the same)|(different|unstable|not the same).*(results?|outputs?|numbers?|accurac\w+"
             r"|values?|predictions?|scores?|each (time|run)|every (time|run))",
             r"(结果|输出|精度|准确率|数值|指标|预测|每次|两次).*(不一样|不同|不稳定|波动|变来变去)"
             r"|(不一样|不同|不稳定).*(结果|输出|精度|准确率|指标)"),
     _kinds("@no eval"), NO_EVAL),
    (either(r"(which|what|how|good|choose).*(decay|momentum)|(decay|momentum).*(value"
    r"|be set|choose)",
             r"(decay|momentum|动量|衰减).*(多少|取|设)"), _kinds("@parameters"), _DECAY),
    (either(_WHEN_AVERAGED, _WHEN_AVERAGED_ZH), _kinds("@ema after step"), _EMA_AFTER),
    (either(_WHEN_AVERAGED, _WHEN_AVERAGED_ZH), _kinds("@ema before step"), _EMA_BEFORE),
    (either(r"0\.69|ln ?2|log ?2", r"0\.69|ln ?2"), _KL, _JSD_BOUND),
    (either(r"retain_graph", r"retain_graph"), _NONE, errors.SECOND_BACKWARD.format(where="")),
    (either(r"\bshift|\[:, ?:-1\]|off by one", r"移位|错位|错开|\[:, ?:-1\]"),
     _kinds("@kl_div", "@KLDivLoss"), _SHIFT_BESIDE_KL),
    (either(r"\bshift|\[:, ?:-1\]|off by one", r"移位|错位|错开|\[:, ?:-1\]"), _NONE, _SHIFT),
    (either(r"zero_grad", r"zero_grad|梯度清零|清空梯度"), _NONE, training.ZERO_GRAD[1]),
    (either(r"\.item\(|\bitem\b", r"\bitem\b"), _NONE, training.ITEM[1]),
    (KL_AND_CROSS_ENTROPY, _NONE, SOFT_OR_KL),
    (either(r"(which|what|choose|pick|good) (value of |value for )?(the )?"
             r"(temperature|(?-i:T)\b)|\bT ?= ?\d.*\b(ok|good|too)"
             r"|temperature .*(choose|pick|set to)"
             r"|how (large|big|high) .*(temperature|(?-i:\bT\b))",
             r"(?-i:\bT) ?(一般|通常|应该?|该)?(设|取|选|用)?(成|为)?(多少|多大|几)"
             r"|温度.{0,10}(合适"
             r"|太高|太低|太大|太小)|温度.{0,6}(多少|怎么选|怎么设|如何选"
             r"|取几|取值)"), _NONE, _WHICH_T),
    (either(r"slic\w*.*softmax|softmax.*slic", r"切片|先切"), _NONE, training.SLICE_FIRST[1]),
    (
        either(r"log_softmax.*softmax|softmax.*log_softmax", r"log_softmax.*softmax"),
        _NONE, answers.WHICH_LOG[1],
    ),
    (either(r"much smaller|so small|tiny", r"小很多|太小|很小"), _kinds("KL-MEAN"), _SMALL),
    (either(r"(mean|reduction).*learning rate|learning rate.*(mean|reduction)",
             r"(mean|reduction).*学习率|学习率.*(mean|reduction)"), _NONE, _LEARNING_RATE),
    (
        either(_TUNES, r"alpha.*多少|权重.*多少|取多少|多大合适"),
        _kinds("NO-T2"), _ALPHA,
    ),
    (either(r"2\.0 ?\+|\+ alpha", r"2\.0|\+ ?alpha"), _kinds("WEIGHT-TYPO"), _CLASS_WEIGHT),
    (
        either(r"grow|large|huge|normal|expected|longer", r"越大|几万|很大|正常"),
        _kinds("BATCHMEAN-3D"), _MUCH,
    ),
    (either(r"missing|forgot|wrong", r"缺|漏|错"), _kinds("PAD-UNMASKED"), _PADDING),
    (either(r"mask", r"mask|掩码"), _kinds("REDUCE-KWARG"), _REDUCE),
    (either(r"order|argument|swap", r"参数.*顺序|顺序对|反了"), _kinds("SWAPPED"), ON_ORDER),
    (either(r"uniform|flat", r"均匀"), _kinds("SOFTMAX-OF-SOFTMAX"), _UNIFORM),
    (either(r"sharp", r"尖"), _kinds("T-INVERTED"), _HARDER),
    (either(r"divide|both", r"两边|都.*除|也.*除"), _kinds("T-ONE-SIDE"), _BOTH),
    (either(r"teacher(?:'s)? (?:\w+ ){0,3}(?:gets?|is|becomes?|drops?|goes)\b.*worse",
             r"(?:教师|老师).{0,8}变差"), _NONE, _DRIFT),
    (either(r"1\.46|cross.?entropy", r"1\.46|交叉熵"), _kinds("CE-ON-PROBS"),
     answers.SOFTMAX_BEFORE_CE[1]),
    (either(r"\bbeta\b", r"beta.*多少"), _kinds("=at"), _BETA),
    (either(r"mse.*\bkl\b|\bkl\b.*mse", r"mse.*kl|kl.*mse"), _NONE, _MSE),
    (
        either(r"student.*(in front|first)", r"学生.*前面"),
        _kinds("SWAPPED", "=reverse_kl", "=reverse_kl_masked"), _REVERSE,
    ),
    (
        either(r"(?:\bT|\btemp\w*|\btau) ?(squared|²|\*\*|\^)|temperature squared|times T\b"
        r"|multipl\w+ (it )?by T",
                r"T ?的?平方|T ?\* ?T|温度的?平方|T²|两个 ?T|乘.{0,6}T|T\s*\*\*\s*2"),
        _NONE, training.T_SQUARED[1],
    ),
    (either(r"(why|what)(?!.*no ).*temperature|why.*divide .* by T\b",
         r"(为什么|为何).{0,8}(除以|除|用|加|有).{0,4}(温度|(?<![A-Za-z.])T\b)"
         r"|温度.{0,8}(作用|意义|"
         r"是什么|什么用)"),
     _NONE, _TEMPERATURE),
    (either(_TUNES,
         r"(alpha|权重|lambda|系数).*(多少|怎么选|怎么设|怎么调|取几|合适|太大|太小)"),
     _kinds("=kd", "=soft_ce", "=kd_average", "=kd_masked"), training.WEIGHT[1]),
    (either(_TUNES,
         r"(alpha|beta|权重|lambda|系数).*(多少|怎么选|怎么设|怎么调|取几|合适|太大|太小)"),
     _NONE, _ON_VALIDATION),
    (either(r"teachers?\b.*(sum|mean|average|weight|normali)|(sum|mean|average|weight).*teachers"
             r"|weights?.*(normali|sum)",
             r"多个?教师.*(平均|求和|权重|加权)|(平均|求和).*教师|权重.*(归一化|和为|加起来)"),
     _kinds("=weighted teachers"), _WEIGHTED),
    (either(r"teachers?\b.*(sum|mean|average|weight)|(sum|mean|average|weight).*teachers",
         r"多个?教师.*(平均|求和|权重|加权)|(平均|求和).*教师"),
     _kinds("=averaged teachers"), _AVERAGED),
    (either(r"teachers.*(sum|mean|average)|(sum|mean|average).*teachers",
         r"教师.*(平均|求和|权重|加权)|(平均|求和|除以).{0,6}教师"),
     _NONE, training.MANY_TEACHERS[1]),
    (either(r"(remove|drop|need|necessary|without).*detach|detach.*(necessary|needed|required)",
             r"detach.*(去掉|删|必要|必须|需要|省略|不写|不加)|(去掉|删|不加|需要|必要).*detach"),
     _NONE, WITHOUT_DETACH),
    (either(r"divid.*(batch|size\(0\)|shape\[0\]|size\[0\])",
             r"除以.*(shape\[0\]|size\(0\)|batch|批大小|批次大小|样本数)"),
     _kinds("@kl_div", "@KLDivLoss"), PER_SAMPLE),
    (either(
        r"(?:need|why|which|difference|should|enough|necessary|what).*(?:detach|no_grad|\beval\b"
        r"(?! loss| set| acc))|(?:detach|no_grad|eval)(?:\(\))? (?:or|vs|and|necessary|needed)",
        r"(?:要|区别|为什么|还是|用|必要|需要|应该|是不是).*(?:detach|no_grad|\beval)"
        r"|(?:detach|no_grad|eval).*(?:区别|还是|吗|必要|需要|多余)"),
     _NONE, training.EVAL_DETACH[1]),
    (either(r"batchmean", r"batchmean"), _NONE, training.BATCHMEAN[1]),
    (either(r"deepcopy", r"deepcopy"), _NONE, training.DEEPCOPY[1]),
    (either(r"(?:which|what|right|correct|why|should).*(?<!-)\b(?:dim|axis)\b|\b(?:dim|axis)\b.*"
             r"(?:or|right|correct|should|wrong|ok)\b",
             r"(?:哪|什么|为什么|应该|该).*(?:\bdim\b|axis|维)|(?<!-)\b(?:dim|axis)\b.*(?:几"
             r"|哪|填|对|还是|吗|多少)"
             r"|哪一维"),
     _kinds("@softmax", "@log_softmax", "@LogSoftmax", "@Softmax"), answers.WHICH_DIM[1]),
)  # fmt: skip
"""Pattern of the question, what of which one must be there, the answer.

What must be there: kinds of mistakes, ``=`` a term of that definition, ``@`` a fact of the code.
"""
TORCH_ALONE = (
    training.EVAL_DETACH[1], training.ZERO_GRAD[1], training.ITEM[1], WITHOUT_DETACH, NO_EVAL,
    _DRIFT, _MEMORY_KEPT, _MEMORY_ELSE, _PERMUTE, answers.WHICH_LOG[1], training.BATCHMEAN[1],
    _SMALL, training.DEEPCOPY[1], errors.SECOND_BACKWARD.format(where=""), answers.NEGATIVE_KL[1],
    _NAN_HERE, _NAN_ELSEWHERE, _LEARNING_RATE, answers.WHICH_DIM[1],
)  # fmt: skip
"""Answers in PyTorch's terms, which are no answer to code of another framework."""
LINE_BY_LINE = either(r"line by line|each line|every line", r"逐行|逐句|每一?行|一行一行")
STUCK = either(
    r"(not|never|n't|isn't|doesn't) \w* ?(fall|decreas|chang|mov|go(es|ing)? down|converg|"
    r"learn|improv)|stuck"
    r"|(is|stays|remains|loss) constant|plateau",
    r"不(怎么)?(下降|降|收敛|变|动|更新|起作用)|降不下|不学习|恒定|常数|一直是?(同一|一样|"
    r"0)|没有?变化",
)
"""Complaints of a loss that does not fall."""
DIAGNOSIS = either(
    r"wrong|right|correct|bugs?|errors?|mistakes?|\bok(ay)?\b|fine|problems?|fails?|issues?"
    r"|negative|\bnan\b|worse"
    r"|syntax|invalid|is (this|it|that|my)|missing|forgot|sense|help|check|review",
    r"错|对吗|对不对|正确|问题|正常|毛病|不对|报错|报|bug|吗[?？]?$|是不是|是否|可以吗|"
    r"行不行|行吗|合理|检查|看看"
    r"|负|nan|变差|求助|缺|漏|正负",
)
"""Questions that the worst mistake answers."""
IS_IT_RIGHT = either(
    r"\b(is|are|does|do|did) (it|this|that|these|my|the|i)\b.*\b(right|correct(ly)?|ok(ay)?|fine|"
    r"valid|sound|equivalent)\b|\b(right|correct|ok|okay)\?\s*$|sanity check",
    r"对吗|对不对|正确吗|是否正确|有没有问题|没问题吧|可以吗|行吗|写得对|等价吗|合理吗|没写错吧",
)
"""Questions to which yes is an answer."""
AS_IN_THE_PAPER = either(
    r"(as|like|match(es)?|same as|agree\w* with|consistent with|(equal|equivalent|identical"
    r"|faithful) to) (in )?(the )?"
    r"(paper|original|official|hinton|published)"
    r"|\b(loss|version|formula|implementation) (of|from|in) the (original )?paper",
    r"(和|跟|与|同).{0,12}(论文|官方|原文|原版|原始).{0,14}(一致|一样|相同|等价)|一致吗",
)
"""Whether it is what was published: answered as whether it is right."""
PARTICULAR = either(
    r"\b(ok|okay|fine|right|correct|valid|safe|alright|all right)\b\W+(if|that|to(?! (do"
    r"|write|use) (this|it|that|so))|when|with)\b"
    r"|\b(can|could|may) (i|we|it|the)\b",
    r"(不一样|不同|放在|放到|之前|之后|一起|共用|单独|换成|改成|如果|的话|没有|[^是对]不).{0,16}"
    r"(可以|行|没问题)",
)
"""Whether something in particular may be so: that the loss is right is no answer to it."""
DIVIDES = either(
    r"\b(must|should|need|have to|has to)\b.*\bdivid\w*\b.*\b(n|b|batch|samples|size\(0\))\b",
    r"(要|该|应|必须|需要).{0,6}(除以|再除).{0,8}(n\b|b\b|batch|批|样本)",
)
"""Whether the batch size must be a divisor."""
ELLIPTIC = either(
    r"^\W*(and |so |but |then )?(what (happens |if )?(i |it )?(if )?(not|i don't|i do not"
    r"|without it"
    r"|otherwise)|what otherwise|and if not)\W*$",
    r"^\W*(那)?(如果|要是)?不(乘|加|写|除|用|切|取|做)(的话|呢|它|了)?.{0,2}(会怎样|会怎么样|怎么样|可以吗"
    r"|行吗|行不行|会有什么(问题|影响))\W*$",
)
"""A question that only makes sense beside the one before it."""
QUESTION_WORDS = either(r"^\W*(why|how come|what for)\b", r"请问|为什么要?|为何要?|为啥要?")
BESIDE_THE_LOSS = either(
    r"\b(updates?|ema|momentum|moving average|optimi[sz]ers?|scheduler?|buffer|sampl\w*|loader"
    r"|train(ing)? loop|augment\w*)\b",
    r"更新|滑动平均|动量|优化器|清零|采样|缓冲|学习率|训练循环|数据增强",
)
"""What a comparison of the loss with its definition does not cover."""
RUNS_TODAY = either(
    r"\b(run|work|port)\w*\b.*(pytorch|torch|python|today|now|version|[123]\.x|modern)"
    r"|(new|recent|current|modern|latest) (py)?torch|python ?3|outdated|deprecated",
    r"还能(跑|用)|能跑吗|(新|现在的|高)版?本?的? ?(py)?torch|新版|兼容|过时|老代码",
)
"""Whether old code still runs."""
OLD_NAMES: tuple[tuple[str, Text], ...] = (
    (r"\.data\[0\]", Text("`loss.data[0]` is `loss.item()` now",
                          "`loss.data[0]` 现在写 `loss.item()`")),
    (r"volatile=", Text("`volatile=True` has no effect: use `with torch.no_grad():`",
                        "`volatile=True` 已经无效：改用 `with torch.no_grad():`")),
    (r"\bVariable\(", Text("`Variable(x)` is superfluous: tensors carry gradients themselves",
                           "`Variable(x)` 不再需要：张量本身就能带梯度")),
    (r"size_average=|\breduce=", Text("`size_average` and `reduce` have become `reduction`",
                                     "`size_average` 和 `reduce` 已改为 `reduction`")),
    (r"(?:F\.|nn\.functional\.)(?:log_)?softmax\(\w+\)|(?:Log)?Softmax\(\)",
     Text("softmax needs `dim` (dim=1 for [B, C])", "softmax 要写 `dim`（[B, C] 用 dim=1）")),
    (r"non_blocking=|async_=", Text("`async=True` is `non_blocking=True` now",
                                    "`async=True` 现在写 `non_blocking=True`")),
)  # fmt: skip
NOT_AS_IT_STANDS = Text(
    "Not as it stands. What has to be changed: {changes}.", "照原样不行。要改的地方：{changes}。"
)
IS_IT_THIS = either(
    r"(?!.*\b(why|where|when|how)\b)(.*\b(is|isn't|does) (this|that|it)\b|.*\bam i (doing|using)\b"
    r"|.*same (thing )?as|.*thats? .* right\?)",
    r"是(不是)?(?!什么|哪|啥|怎么|为什么).{1,40}(吗|嘛)|算不算|算是.{1,20}吗",
)
"""Whether it is the method that the question names."""
TRAINING = either(
    r"\bema\b|mean teacher|train(ing)? loop|train\(\)|eval\(\)|(accuracy|acc|mAP|mIoU) .*"
    r"(worse|drop|stuck|fall|low|collaps|not)|(worse|drop|stuck|low).*(accuracy|\bacc\b|mAP|mIoU)"
    r"|epoch|overfit|optimi[sz]er|scheduler|learning rate",
    r"ema|滑动平均|训练循环|eval\(\)|train\(\)|精度.*(上不去|下降|变差|很低|掉)|轮之后|第.轮"
    r"|过拟合|优化器|准确率.*(上不去|下降|变差|很低|掉)",
)
"""Questions about the training around a loss, which a verdict on the loss does not answer."""
MEANING = either(
    r"explain|line by line|understand|walk|which (loss|method|paper)|how does (this|it|the)"
    r"|what (does|is|are|do|kind|loss|method)\b|\bmean\b",
    r"解释|叫什么|名字|什么意思|逐行|逐句|是什么|什么损失|什么方法|哪篇|哪种|干什么|做什么|干嘛|"
    r"看不懂|讲解|讲一下|注释|含义|怎么理解|原理",
)
"""Questions that the summary answers."""
DISTANCES = _DISTANCES
