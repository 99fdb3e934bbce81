"""Answers that begin with yes, no or the cause, each only for code that it is true of."""

from __future__ import annotations

import re
from typing import NamedTuple

from didact._core.i18n import Text


class Direct(NamedTuple):
    """One answer, and when it is given.

    Attributes:
        asks: What the question says, in either language.
        sees: Patterns that the code, as ``ast.unparse`` writes it, must all match.
        needs: Facts that must all hold: kinds of mistakes, ``=`` terms, ``@`` calls.
        answer: What is said; ``{message}`` is the finding of a kind in ``needs``.
    """

    asks: re.Pattern[str]
    sees: tuple[str, ...]
    needs: frozenset[str]
    answer: Text


def _direct(asks: str, answer: Text, *, sees: tuple[str, ...] = (), needs: str = "") -> Direct:
    pattern = re.compile(asks, re.IGNORECASE)
    needed = frozenset(filter(None, needs.split(", ")))
    return Direct(pattern, sees, needed, answer)


CAUSE = Text("This is the cause: {message}.", "原因就在这里：{message}。")
_NOT_THE_POINT = Text(
    "That is not the first thing to change: {message}.", "先要改的不是这个：{message}。"
)
_WRONG_DIM = Text(
    "The classes are not on the dim that is used here: {message}.",
    "这里用的不是类别所在的那一维：{message}。",
)
_YES_EXCHANGED = Text("Yes: {message}.", "是写反了：{message}。")
_NO_EXCHANGED = Text("No: {message}.", "不对：{message}。")
_TROUBLE = (
    r"worse|stuck|not (fall|learn|improv|train|go)|never|jump|nois|smooth|copy|collaps|exactly like"
    r"|does(n't| not) (fall|learn|improv|train|go)|不(下降|收敛|动|变|涨)"
    r"|变差|抖|上不去|一模一样|波动"
)
_ONLY_LAST = (
    r"same|only|last|no effect|no difference|change[sd]? nothing"
    r"|一样|只有|最后|没(有)?(作用|效果|区别)"
)
_WITHOUT_DETACH = Text(
    "Without detach() the gradient of this term also flows into whatever the target was computed "
    "from: that side is pulled towards the student's as well, where it is trained at all, and its "
    "graph costs memory. The detach() is superfluous only where the target was computed under "
    "torch.no_grad().",
    "不写 detach()，这一项的梯度也会流向计算目标的那一侧：如果它也在训练，就会反过来向学生靠拢，"
    "计算图还多占显存。只有目标本来就在 torch.no_grad() 里算出时，detach() 才是多余的。",
)
_LAMBDA = Text(
    "It is the share of the old classes among all: the more classes are old, the more the old "
    "model's outputs count, and the less the labels (as in BiC and WA). At the first task it is 0, "
    "so nothing is distilled.",
    "它是旧类在全部类别中所占的比例：旧类越多，旧模型的输出权重越大，真实标签的权重越小（BiC 与 "
    "WA 的取法）。第一个任务时为 0，即不做蒸馏。",
)
_ICARL = Text(
    "Yes, that is iCaRL: for the old columns the target is the old network's sigmoid output on "
    "every image, exemplars of old classes included; only the new columns take the labels. The old "
    "classes are held where the old network had them.",
    "可以，iCaRL 就是这样：旧类各列的目标是旧网络的 sigmoid 输出，对所有图像都如此，旧类样例也不"
    "例外；只有新类各列用真实标签。这样旧类才保持在旧网络的位置上。",
)
_RKD = Text(
    "Dividing by the mean distance takes the scale of each network's features out: only the "
    "ratios of distances are compared. And only the B×B distances within the batch are compared, "
    "never the features themselves, so the two embeddings may have different sizes.",
    "除以平均距离是为了去掉各自特征的尺度，只比较距离之间的比例。比较的只是批内的 B×B 个距离，从"
    "不直接比较特征，所以两边的特征维度可以不同。",
)
_AVERAGE_PROBS = Text(
    "Either works; this code averages the probabilities, and that is right as it stands. It is "
    "the arithmetic mean: a class keeps its share if any teacher believes in it. Averaging the "
    "logits gives the renormalised geometric mean: a class that one teacher rules out is nearly "
    "ruled out, and a teacher with larger logits counts for more.",
    "两种都有人用；这段代码平均的是概率，这样写没有问题。它是算术平均：只要有一个教师认可某类，该"
    "类就保有份额。平均 logits 得到的是归一化后的几何平均：一个教师否定某类，该类就几乎被排除，而"
    "且 logits 数值大的教师影响更大。",
)
_VIRTUAL = Text(
    "Yes, it is odd, though the code published with Tf-KD does it as well. A softmax of numbers "
    "in [0, 1] divided by a large T is nearly uniform, so the term acts like label smoothing, "
    "however correct_prob is set. To use the virtual teacher as it was built, pass it to the KL "
    "without the softmax; with T on the target alone it is no Hinton KD at temperature T.",
    "确实奇怪，不过 Tf-KD 公开的代码就是这样写的。[0, 1] 内的数除以较大的 T 再做 softmax 几乎是均"
    "匀分布，所以不管 correct_prob 取多少，这一项的作用都接近标签平滑。想真正用上构造出的虚拟教师，"
    "就不要再做 softmax，直接把它传给 KL；只有目标一侧除以 T，也不是温度为 T 的 Hinton KD。",
)
_PIXELS = Text(
    "By the number of pixels: after permute(0, 2, 3, 1) and reshape(-1, C) dim 0 has B·H·W rows, "
    "and batchmean divides by the size of dim 0. What comes out is the mean KL per pixel.",
    "除以像素总数：permute(0, 2, 3, 1) 再 reshape(-1, C) 之后，第 0 维有 B·H·W 行，而 batchmean "
    "除以的正是第 0 维的大小。结果是每个像素的平均 KL。",
)
_ROWS = Text(
    "By the number of rows of what it is given: after view(-1, C) dim 0 holds all positions (B·S "
    "of them), so what comes out is the mean KL per position.",
    "除以传入张量的行数：view(-1, C) 之后第 0 维是全部位置（共 B·S 个），结果是每个位置的平均 KL。",
)
_IS_REVERSE = Text(
    "Yes: this is KL(student ‖ teacher), the reverse KL, Σ q·(log q − log p) with q the student's "
    "probabilities and p the teacher's; the two are not mixed up. The expectation is under the "
    "student, so it pays for mass where the teacher has none: that is what makes it mode-seeking.",
    "是的：这就是反向 KL，即 KL(学生 ‖ 教师) = Σ q·(log q − log p)，q 是学生的概率，p 是教师的概"
    "率，两者没有弄反。期望在学生分布下取，学生把概率放到教师没有的地方就受罚，所以倾向于只抓住一"
    "个峰。",
)
_IS_FORWARD = Text(
    "The forward one: what is computed is KL(teacher ‖ student), the expectation under the "
    "teacher, as in Hinton's KD; kl_div(log q, p) is KL(p ‖ q). The reverse would be "
    "KL(student ‖ teacher).",
    "是前向 KL：这里算的是 KL(教师 ‖ 学生)，期望在教师分布下取，与 Hinton 的 KD 相同；"
    "kl_div(log q, p) 就是 KL(p ‖ q)。反向 KL 应是 KL(学生 ‖ 教师)。",
)
_TIMES_C = Text(
    "Because kl_div is called there without `reduction`: the default 'mean' divides by B·C, the "
    "other form sums over the classes and divides by B alone, so the two differ by the number of "
    "classes C. Trust the one that sums over the classes; reduction='batchmean' gives the same.",
    "因为那里的 kl_div 没写 reduction：默认的 'mean' 除以 B·C，而另一种写法对类别求和、只除以 B，"
    "两者正好差类别数 C 倍。应以对类别求和的为准；写成 reduction='batchmean' 结果就一致。",
)
_NO_STOP = Text(
    "No: the gradient is taken for the student's variables only, so nothing of the teacher is "
    "changed. stop_gradient would only save memory where the teacher is called inside the tape.",
    "不需要：梯度只对学生的变量求，教师不会被改动。只有在 tape 内部调用教师时，stop_gradient 才能"
    "省些内存。",
)
_BIAS = Text(
    "The bias is expected: with a few exemplars per old class against all the data of the new "
    "ones, the cross-entropy keeps raising the logits of the new classes, and the distillation "
    "term only holds the old ones relative to each other. The usual remedies: a last stage on "
    "balanced data, a bias correction of the new logits (BiC), rescaling the new weights to the "
    "norm of the old ones (weight aligning, WA), or classifying by the nearest class mean "
    "(iCaRL). No mistake was found in the loss that is shown.",
    "偏向新类是意料之中的：旧类每类只有少量样例，新类有全部数据，交叉熵会不断抬高新类的 logits，"
    "而蒸馏项只约束旧类之间的相对关系。常用办法：最后用类别均衡的数据微调，校正新类 logits 的偏置"
    "（BiC），把新类权重缩放到旧类的范数（权重对齐 WA），或按最近类均值分类（iCaRL）。贴出的损失"
    "本身没有发现错误。",
)
_CHANNELS = Text(
    "Channels: yes, the map is the mean over dim 1, so their number drops out. Spatial size: no, "
    "after flatten both must have the same H·W; resize one of the maps first "
    "(F.interpolate or F.adaptive_avg_pool2d).",
    "通道数可以不同：注意力图对第 1 维取了平均，通道数不再出现。空间尺寸不行：flatten 之后两边的 "
    "H·W 必须相等，应先把其中一个缩放到相同大小（F.interpolate 或 F.adaptive_avg_pool2d）。",
)
_DINO = Text(
    "The teacher's temperature is lower on purpose: it sharpens the target, which together with "
    "the centring keeps the outputs from collapsing to one class or to the uniform distribution "
    "(DINO). There is no T²: with two temperatures there is no single T, and no hard term stands "
    "beside it whose weight would have to be kept.",
    "教师的温度是有意取得更低：它让目标更尖锐，与 center 一起防止输出塌缩到一个类别或均匀分布（"
    "DINO）。没有 T²，是因为两个温度不同，没有统一的 T；旁边也没有硬标签项，不需要保持两者的比例。",
)
_MASK_WRONG = Text("The mask is used wrongly: {message}.", "mask 的用法有问题：{message}。")
_SMALL_BOTH = Text(
    "For two reasons: kl_div's default reduction='mean' divides by the number of classes C as "
    "well, and the factor T² is missing. So the term has 1/(C·T²) of its weight. Write "
    "reduction='batchmean' and multiply by T².",
    "有两个原因：kl_div 默认的 reduction='mean' 还除以了类别数 C，而且漏了系数 T²，所以这一项只有"
    "应有权重的 1/(C·T²)。改成 reduction='batchmean' 并乘上 T²。",
)
_SMALL_MEAN = Text(
    "Because reduction='mean' (the default) divides by the number of classes C as well: the term "
    "is 1/C of the KL per sample. Write reduction='batchmean'.",
    "因为 reduction='mean'（默认值）还除以了类别数 C：这一项只有每样本 KL 的 1/C。改成 "
    "reduction='batchmean'。",
)
_SUMMED_POSITIONS = Text(
    "Because batchmean divides by the batch alone and sums over all positions of the sequence: the "
    "term is S times the mean per token (S is the sequence length). A weight of 0.5 balances only "
    "terms on the same scale.",
    "因为 batchmean 只除以批大小，对序列的所有位置求了和：这一项是每个 token 平均值的 S 倍（S 为"
    "序列长度）。只有两项尺度相同时，0.5 的权重才算平衡。",
)
_NUMPY_AXIS = Text(
    "Because this softmax normalises over axis 0, the batch: e / e.sum(axis=0). For (batch, "
    "classes) it must be e / e.sum(axis=-1, keepdims=True); subtract the maximum before exp. And "
    "compare with reduction='batchmean': kl_div's default also divides by the number of classes.",
    "因为这里的 softmax 沿第 0 维（batch）归一化：e / e.sum(axis=0)。对 (batch, 类别) 应写成 e / "
    "e.sum(axis=-1, keepdims=True)，并在 exp 之前减去最大值。另外要与 reduction='batchmean' 的结"
    "果比较：kl_div 的默认值还会除以类别数。",
)
_PEERS_PULL = Text(
    "Because the targets are not detached: each loss goes back into the other network as well, "
    "which pulls it along and needs retain_graph=True. Put .detach() on the softmax of the "
    "other's logits; then retain_graph is not needed.",
    "因为目标没有 detach：每个损失都会回传到另一个网络，既把它带偏，又不得不写 retain_graph=True。"
    "给对方 logits 的 softmax 加上 .detach()，之后也不再需要 retain_graph。",
)
_PEERS_RETAIN = Text(
    "As it stands it is needed, as the targets are not detached and both losses share both "
    "graphs; but that is the mistake, since each loss then trains the other network as well. Put "
    ".detach() on the softmax of the other's logits, and retain_graph can go.",
    "照现在的写法去不掉：目标没有 detach，两个损失共用两张计算图；"
    "但这正是问题所在，每个损失都会去训"
    "练另一个网络。给对方 logits 的 softmax 加上 .detach()，之后就不需要 retain_graph 了。",
)
_PEERS_KEPT = Text(
    "Two things. Memory: a loss is summed up with its graph; add its .item(). The pull: the "
    "targets are not detached, so each loss goes back into the other network too; put .detach() "
    "on the softmax of the other's logits, and retain_graph is not needed any more.",
    "有两处。显存：累加损失时连计算图一起留下了，应累加 .item()。带偏：目标没有 detach，每个损失"
    "都会回传到另一个网络；给对方 logits 的 softmax 加上 .detach()，也就不再需要 retain_graph。",
)
_BOTH_NEEDED = Text(
    "No: for the gradient one is enough. no_grad() around the teacher's forward pass builds no "
    "graph at all and saves the memory; requires_grad_(False) matters only if the teacher is "
    "also run outside of it or is in the optimiser. Neither replaces eval().",
    "不必两个都写：只为不求梯度，一个就够。教师前向放在 no_grad() 里，根本不建图，也省显存；只有"
    "在它之外也运行教师、或教师在优化器里时，requires_grad_(False) 才有意义。两者都不能代替 "
    "eval()。",
)
_AT_IS_SMALL = Text(
    "Yes, that is normal: the loss is the mean over H·W places of the squared difference of two "
    "non-negative maps of length 1, so it is at most 2/(H·W) (0.03 for 8×8). That is why its "
    "weight is large; the published code uses β = 1000, halved.",
    "正常：这个损失是两张长度为 1 的非负注意力图之差的平方，再对 H·W 个位置取平均，所以最大也只有 "
    "2/(H·W)（8×8 时约 0.03）。正因为小，它的权重才取得很大：公开代码用 β = 1000（再除以 2）。",
)
_SAME_AS_BATCHMEAN = Text(
    "Yes, for [B, C]: the sum over the classes (axis -1) and then the mean over the batch is what "
    "PyTorch's kl_div gives with reduction='batchmean'. (For more dimensions batchmean would "
    "divide by the size of dim 0 alone.)",
    "对 [B, C] 来说一样：先沿类别（axis=-1）求和、再对批取平均，就是 PyTorch 的 kl_div 在 "
    "reduction='batchmean' 时的结果。（维数更多时，batchmean 只除以第 0 维的大小。）",
)
_WITHOUT_RETAIN = (
    r"(without|not? (use|using|set|setting|pass)|omit|drop|remove|leave out)[^?]*retain_graph"
    r"|(不加|不写|不用|不设|没有|没加|去掉|删掉|省掉|省略)[^?？]{0,6}retain_graph"
)
_WITHOUT_IT = Text(
    "Yes, without it: each loss has the other model's output only as a detached target, so the two "
    "backward() calls go through different graphs, and each graph is used once.",
    "可以，不需要 retain_graph：每个损失里，对方的输出都已 detach、只作目标，两次 backward() 走的是"
    "各自的计算图，每个图只用一次。",
)
_NO_RETAIN = Text(
    "No: each loss has the other model's output only as a detached target, so the two backward() "
    "calls go through different graphs, and each graph is used once.",
    "不需要：每个损失里，对方的输出都已 detach、只作目标，两次 backward() 走的是各自的计算图，"
    "每个图只用一次。",
)
_RETAIN = Text(
    "Only where two backward() calls go through the same part of a graph: the first one frees it. "
    "Mostly the better way is to add the losses and call backward() once, or to detach what is "
    "only a target; retain_graph=True also lets gradients flow where they are not meant to.",
    "只有两次 backward() 经过同一段计算图时才需要（第一次之后图就被释放）。更好的做法通常是把损失"
    "相加后只 backward 一次，或者给只作目标的量加 .detach()；retain_graph=True 还会让梯度流到不该"
    "去的地方。",
)
_REVERSE_NOT_FORWARD = Text(
    "It is the reverse KL, KL(student ‖ teacher) = Σ q·(log q − log p) with q the student's "
    "probabilities and p the teacher's, and the direction is right as it is written. The "
    "expectation is under the student, so it pays for mass where the teacher has none: it seeks "
    "one mode.",
    "是反向 KL，方向没有写反：KL(学生 ‖ 教师) = Σ q·(log q − log p)，q 是学生的概率，p 是教师的概"
    "率。期望在学生分布下取，学生把概率放到教师没有的地方就受罚，所以倾向于只抓住一个峰。",
)
_SUM_OF_TARGETS = Text(
    "Because the target is a sum of N distributions and sums to N: the least value of this loss is "
    "N·ln N (times the factor in front), reached where the student equals the mean of the "
    "teachers. It never becomes negative. Divide the target by N, and the least value is 0.",
    "因为目标是 N 个分布之和，各类加起来是 N：这个损失的最小值是 N·ln N（再乘前面的系数），在学生等"
    "于各教师平均时取到；它也不会变负。把目标除以 N，最小值才是 0。",
)
_SUMMED_PIXELS = Text(
    "Because batchmean divides by the batch alone and sums over all H·W pixels: the term is H·W "
    "times the mean per pixel. Divide by H·W, or move the classes last and flatten to "
    "[B·H·W, C] first.",
    "因为 batchmean 只除以批大小，对全部 H·W 个像素求了和：这一项是每像素平均值的 H·W 倍。再除以 "
    "H·W，或者先把类别移到最后一维、展平成 [B·H·W, C]。",
)
_AXIS_ZERO = r"(\w+) = \w+\.exp\((?s:.*)\1 / \1\.sum\((axis=)?0"
_WHY_REVERSE = Text(
    "In the reverse KL, KL(student ‖ teacher), the expectation is under the student: it pays where "
    "it puts mass and the teacher has none, and pays nothing for modes that it leaves out. A small "
    "student that cannot cover everything then keeps to what the teacher finds likely, instead of "
    "spreading over the gaps between modes; this is why language models are distilled so.",
    "反向 KL 即 KL(学生 ‖ 教师)，期望在学生分布下取：学生把概率放到教师没有的地方才受罚，漏掉某些峰"
    "不受罚。容量小、覆盖不了全部的学生因此会集中在教师认为可能的地方，"
    "而不是摊到峰与峰之间的空隙里；"
    "蒸馏语言模型时用它就是这个原因。",
)
_NOT_EVAL = Text("Not by itself: {message}.", "不是：{message}。")
_CALL_EVAL = Text(
    "Yes: nothing that is shown puts the teacher in evaluation mode. Without eval() its dropout is "
    "on and each forward pass changes its BatchNorm statistics; no_grad() and detach() do not "
    "change that. Call teacher.eval() once before the loop.",
    "需要：贴出的代码没有把教师切到评估模式。不调用 eval()，dropout 就开着，每次前向还会改动 "
    "BatchNorm "
    "的统计量；no_grad() 和 detach() 管不了这个。在循环之前调用一次 teacher.eval()。",
)
_ACCUMULATION = Text(
    "Yes, if the step is to be that of one larger batch: backward() adds up the gradients of the "
    "{n} batches, so without / {n} the step is {n} times as long, as with a learning rate that is "
    "{n} times as large (Adam-like optimisers hide most of it; clipping does not).",
    "想等价于一个大 batch 就要除：backward() 会把 {n} 个批次的梯度累加起来，不除以 {n}，步长就是 "
    "{n} "
    "倍，相当于学习率放大 {n} 倍（Adam 类优化器会抵消大部分，梯度裁剪不会）。",
)
_BUFFERS = Text(
    "Yes, they have to be taken care of: parameters() leaves the buffers out, so BatchNorm's "
    "running_mean and running_var are not averaged here. Copy them (zip over .buffers(), copy_), "
    "or "
    "average them in the same way; else the teacher's weights go with statistics that are not "
    "theirs.",
    "要处理：parameters() 不包含缓冲区，BatchNorm 的 running_mean 和 running_var "
    "在这里没有参与平均。"
    "可以直接拷贝（遍历 .buffers() 用 copy_），也可以同样做滑动平均；"
    "否则教师的权重配的不是自己的统计量。",
)
_PLACES_DIM = Text(
    "Because CWD normalises each channel over its places: after the reshape to [B, C, H·W] the "
    "last dimension holds the H·W places, so a softmax over dim=-1 says where in the image a "
    "channel is active. Over dim=1 the channels would compete at each place, which is the usual "
    "per-pixel KD.",
    "因为 CWD 是对每个通道在空间位置上归一化：变形成 [B, C, H·W] 之后，最后一维是 H·W 个位置，沿 "
    "dim=-1 "
    "做 softmax 得到的是该通道在图上的关注分布。沿 dim=1 则是各通道在每个位置上竞争，"
    "那就是普通的逐像素 KD。",
)
_UNIFORM_DINO = Text(
    "A loss that stays at ln K says that the student's output is uniform over the K dimensions: "
    "the collapse that DINO's centring and low teacher temperature are there to prevent. Check "
    "that the teacher is updated by the moving average, that the centre is updated, that the "
    "teacher's temperature is below the student's (0.04 against 0.1), and the warm-up of the "
    "learning rate.",
    "损失停在 ln K，说明学生的输出在 K 维上是均匀分布，也就是塌缩；DINO 的 center "
    "和较低的教师温度正是"
    "为了防止它。请检查：教师是否按滑动平均更新、center 是否在更新、教师温度是否低于学生（0.04 "
    "对 0.1）、"
    "学习率有没有 warmup。",
)
_SP_SQUARED = Text(
    "Yes: the paper divides the squared Frobenius norm of the difference of the two B×B matrices "
    "by b², that is, takes the mean over the B² entries.",
    "是的：论文就是把两个 B×B 矩阵之差的 F 范数平方除以 b²，也就是对 B² 个元素取平均。",
)
_EMPTY_MASK = Text(
    "It divides by 0: 0/0 is NaN, and the NaN goes into every weight at the next step. Write "
    "mask.sum().clamp(min=1), or skip the term for such a batch.",
    "分母为 0：0/0 得 NaN，下一步就会把所有权重变成 NaN。写成 mask.sum().clamp(min=1)，"
    "或者跳过这一批的该项。",
)
_PADDLE_SAME = Text(
    "Yes: paddle.nn.functional.kl_div(input, label) takes log-probabilities first and "
    "probabilities second as well, and reduction='batchmean' divides by the size of dim 0; its "
    "default reduction is 'mean', too.",
    "一样：paddle.nn.functional.kl_div(input, label) 也是第一个参数给对数概率、第二个给概率，"
    "reduction='batchmean' 除以第 0 维的大小；默认的 reduction 同样是 'mean'。",
)
_NO_GRADIENT = Text(
    "No: the target is detached, so the distillation terms send no gradient to it; it is trained "
    "by its own cross-entropy alone.",
    "不会：目标已经 detach，蒸馏项的梯度不会传给它；它只由自己的交叉熵训练。",
)
_BOTH_MODES = Text(
    "Both: they do different things, and neither replaces the other. eval() turns dropout off and "
    "makes BatchNorm use its running statistics (and stop updating them); no_grad() records no "
    "graph, which saves memory and time and keeps gradients out of the teacher.",
    "两个都要：它们管的事不同，谁也代替不了谁。eval() 关闭 dropout，并让 BatchNorm "
    "使用滑动统计量且不再"
    "更新；no_grad() 不建计算图，省显存和时间，梯度也不会进入教师。",
)
_ALIGNED = Text(
    "Yes, they are aligned: the logits without their last position go with the labels from the "
    "second one on, so the output at position t stands beside the token t + 1, and the mask is "
    "made "
    "of these shifted labels.",
    "是对齐的：logits 去掉最后一个位置，标签从第二个开始取，位置 t 的输出正好对应第 t + 1 个 "
    "token，"
    "掩码也是由移位后的标签得到的。",
)
_ONES = Text(
    "It says of each pair that the two are to be similar: with target 1 cosine_embedding_loss is "
    "1 − cos; with −1 it would be max(0, cos − margin) and push them apart.",
    "它表示每一对都应当相似：target 为 1 时 cosine_embedding_loss 就是 1 − cos；若为 −1，则是 "
    "max(0, cos − margin)，会把两者推开。",
)
_VIRTUAL_CE = Text(
    "It is the cross-entropy with a virtual teacher, and nearly the official one, but not quite: "
    "here the true class gets 1 − ε and each other one ε/(C − 1), while label_smoothing=ε spreads "
    "ε over all C classes, the true one included. The two are equal for label_smoothing = "
    "ε·C/(C − 1).",
    "这是以虚拟教师（平滑标签）为目标的交叉熵，和官方的很接近但不完全一样：这里真实类得 1 − ε、"
    "其余每类 "
    "ε/(C − 1)；官方的 label_smoothing=ε 则把 ε 平分给全部 C 个类（含真实类）。取 "
    "label_smoothing = ε·C/(C − 1) 时两者相等。",
)
_THREE_THINGS = Text(
    "{message}. The teacher is not put in evaluation mode either: without teacher.eval() each "
    "forward pass changes its BatchNorm statistics. And it runs with a graph: put its forward pass "
    "in torch.no_grad(), which saves that memory.",
    "{message}。另外，教师没有调用 eval()：每次前向都会改动它的 BatchNorm 统计量；"
    "它的前向也带着计算图，"
    "应放进 torch.no_grad()，省下这部分显存。",
)
_EITHER_KL = r"还是.{0,2}(反向|正向|前向)|(forward|reverse)( kl)? or (the )?(forward|reverse)"
_LARGENESS = (
    r"why.*(loss|\d{3,})|so (large|big|high)|huge|balance|为什么.*(大|高)|这么大|很大|特别大|太大"
    r"|几万|几千|怎么.{0,12}大|越来越大"
)
_AVERAGING = r"(average|mean).*(probabilit|logit)|平均.*(概率|logits?)|(概率|logits?).*平均"
_SMALLNESS = r"tiny|(so|too|very|much|is) small(er)?\b|特别小|太小|很小|小很多|几乎没(有)?作用|偏小"

_OFF_BY = r"factor|off by|differ|times (smaller|larger)|倍|对不上|不一样|不一致"
_NOT_REVERSE = Text(
    "No: this is the forward KL, KL(teacher ‖ student); kl_div(log q, p) is KL(p ‖ q), with the "
    "expectation under p, the teacher, and it covers all modes. The reverse, KL(student ‖ "
    "teacher), "
    "would have them exchanged: kl_div(log p, q).",
    "不是：这是前向 KL，即 KL(教师 ‖ 学生)；kl_div(log q, p) 计算 KL(p ‖ q)，期望在教师分布 "
    "p 下取，"
    "会覆盖所有峰。反向 KL 即 KL(学生 ‖ 教师)，两者要对调：kl_div(log p, q)。",
)
_CANNOT_BE_NEGATIVE = Text(
    "The loss that is shown cannot become negative as long as its weights are not: a KL divergence "
    "of two distributions is at least 0 (Σ P·log(Q/P) ≤ log Σ Q = 0), and both sides are "
    "distributions here, `input` in log space. So look for a negative weight (1 − alpha with "
    "alpha > 1, say), or whether other code ran than this.",
    "只要权重不为负，贴出的损失就不会变负：两个分布之间的 KL 散度不小于 0（Σ P·log(Q/P) ≤ "
    "log Σ Q = "
    "0），而这里两侧都是分布，input 也在对数空间。请检查有没有负的权重（例如 alpha > 1 时的 1 − "
    "alpha），或者实际运行的不是这段代码。",
)
_FOLLOWS = Text(
    "Let T² follow: use the T of this step in both places, in the softmaxes and in the factor, as "
    "long as T changes during the training. With a fixed factor the gradient of the soft term "
    "would change with T as 1/T².",
    "T² 要跟着变：只要 T 在训练中变化，softmax 里和系数里就都用当前这一步的 T。系数若固定不变，"
    "软标签项的梯度会随 T 按 1/T² 变化。",
)
_NAN_OF_MASK = Text(
    "Where the mask is 0 everywhere in a batch, its sum is 0 and the division gives 0/0 = NaN; and "
    "a NaN at a masked position stays, as NaN · 0 is NaN. Write mask.sum().clamp(min=1), "
    "and select "
    "the positions, x[mask], where the masked ones may hold NaN or infinities.",
    "某一批里掩码全为 0 时，掩码之和为 0，相除得 0/0 = NaN；另外，被屏蔽的位置上若本来就是 "
    "NaN，乘 0 仍是 NaN。"
    "分母写成 mask.sum().clamp(min=1)；被屏蔽的位置可能有 NaN 或无穷时，用 x[mask] "
    "选取而不是相乘。",
)
_NOT_DIVIDED = Text(
    "Not quite: backward() adds up the gradients of the {n} batches, and nothing divides by "
    "{n}, so "
    "the step is {n} times as long as that of one larger batch. Write (loss / {n}).backward().",
    "不完全对：backward() 会把 {n} 个批次的梯度累加起来，而代码里没有除以 {n}，步长是一个大 "
    "batch 的 "
    "{n} 倍。应写 (loss / {n}).backward()。",
)
_NOT_SYMMETRIC = Text(
    "No: KL(p ‖ q) and KL(q ‖ p) differ. KL(teacher ‖ student) punishes the student where the "
    "teacher has mass and it has none; the other direction punishes mass where the teacher has "
    "none. Symmetric is the Jensen–Shannon divergence.",
    "不对称：KL(p ‖ q) 与 KL(q ‖ p) 不同。KL(教师 ‖ 学生) "
    "惩罚“教师有概率而学生没有”的地方，反过来则惩罚"
    "“教师没有而学生有”的地方。对称的是 Jensen–Shannon 散度。",
)
_HARD_AT_ONE = Text(
    "Because the hard term trains the probabilities that are used later, and those are at T = 1. T "
    "only softens the comparison with the teacher, whose small probabilities would not count "
    "otherwise; a label has none.",
    "因为硬标签项训练的是以后真正要用的概率，用的时候 T = "
    "1。温度只用来软化与教师的比较，好让教师较小的"
    "概率也起作用；真实标签没有这些小概率。",
)
_MASKED_HERE = Text(
    "Yes, and it is done here: what the mask sets to 0 is left out of the sum, and the sum is "
    "divided by the number of positions that are left.",
    "要，这里已经做了：掩码为 0 的位置不计入求和，分母也只是有效位置的个数。",
)
_CLEARED_AFTER = Text(
    "Yes: what counts is that .grad is cleared once between two steps, and after step() it is: the "
    "next backward() then starts from 0.",
    "可以：只要两次更新之间清零一次即可，放在 step() 之后也一样，下一次 backward() 从 0 开始累加。",
)
_RIGHT_REDUCTION = Text(
    "Yes: on [B, C] batchmean sums over the classes and divides by the batch, as the definition "
    "does. Positions of a sequence or pixels must be flattened into the batch first; 'mean' would "
    "divide by the number of classes as well.",
    "对：[B, C] 时 batchmean "
    "对类别求和、再除以批大小，与定义一致。若有序列位置或像素，要先展平到批维；"
    "用 'mean' 则还会除以类别数。",
)
_ONLY_HIDES = Text(
    "No: it would only hide the error, keep the graph in memory, and let gradients flow where they "
    "are not meant to.",
    "不需要：那只会掩盖报错，计算图一直占着显存，梯度还会流到不该去的地方。",
)
_IS_EVAL = Text(
    "Yes, and the code does it: with eval() dropout is off and BatchNorm uses its running "
    "statistics and leaves them alone.",
    "要，代码里已经调用了 eval()：dropout 关闭，BatchNorm 使用滑动统计量，并且不再更新。",
)
_OWN_CLASSES = Text(
    "Because each class is judged by itself here, as a yes/no question with its own sigmoid: the "
    "old classes' soft targets and the new classes' 0/1 labels then stand side by side in one "
    "vector without having to sum to 1. A softmax makes the classes compete: raising a new class "
    "would lower all old ones, and the old model's probabilities, which sum to 1 over the old "
    "classes alone, would not fit into a distribution over all. softmax + KL over the old classes "
    "is the other usual choice (LwF); do not mix the two.",
    "因为这里把每个类别当作独立的是非题，各自用 sigmoid：旧类的软目标和新类的 0/1 "
    "标签可以并排放在同一个向量里，不要求加起来等于 1。softmax "
    "会让各类互相竞争：抬高一个新类就会压低所有"
    "旧类；而且旧模型的概率只在旧类上归一化，放不进覆盖全部类别的分布。只在旧类上用 softmax "
    "+ KL 是另一种常用"
    "做法（LwF），两者不要混用。",
)
_SIGMOID_OR = r"(?=.*(sigmoid|bce|二元|二分类))(?=.*(softmax|kl\b|交叉熵|cross.?entropy))"
r"|(不用|instead of|not|而不是).{0,8}softmax"
_NAMES_DIRECTION = (
    r"(?!.*(\bor\b|还是|前向))((is|are) (this|that|it|these).*(reverse|mode.?seeking)"
    r"|(是|算).{0,12}反向 ?KL)"
)
DIRECT: tuple[Direct, ...] = (
    _direct(r"(?<![a-z])nans?(?![a-z])", _NAN_OF_MASK, needs="=clean",
            sees=(r"/ \(?\w*(?:mask|keep|valid|\bm)\w*\.sum\(\)(?!\.clamp)",)),
    *(_direct(r"(?=.*(accumul|累积|累加))(?=.*(right|correct|ok\b|fine|对吗|对不对|正确|合理))",
              Text(*(t.replace("{n}", n) for t in (_NOT_DIVIDED.en, _NOT_DIVIDED.zh))),
              sees=(rf"% {n} == 0", r"\.backward\(\)", rf"\A(?!(?s:.*)/ {n}\b)"))
      for n in ("2", "4", "8", "16", "32")),
    *(_direct(r"symmetr|对称", _NOT_SYMMETRIC, needs=f"{key}, @kl_div")
      for key in ("=kd", "=kd_masked", "=reverse_kl", "=reverse_kl_masked")),
    *(_direct(_SIGMOID_OR, _OWN_CLASSES, needs=f"{key}, =clean")
      for key in ("=icarl", "=icarl_labels", "=icarl_narrow", "=bce_labels", "=binary_kd", "=bce",
                  "=icarl_labels_sum", "=icarl_narrow_sum", "=bce_labels_sum")),
    *(_direct(_NAMES_DIRECTION, _NOT_REVERSE, needs=f"{key}, @kl_div")
      for key in ("=kd", "=kd_masked", "=soft_ce")),
    *(_direct(r"negative|below zero|minus|负", _CANNOT_BE_NEGATIVE, needs=f"{key}, =not negative")
      for key in ("=kd", "=kd_masked", "=reverse_kl", "=reverse_kl_masked")),
    _direct(r"(T ?(\^|\*\*) ?2|T²|squared?|平方).*(schedule|follow|fixed|anneal|epoch|固定"
    r"|跟着|变化)"
            r"|(schedule|follow|fixed|anneal|固定|跟着).*(T ?(\^|\*\*) ?2|T²|squared?"
            r"|平方)", _FOLLOWS,
            needs="@kl_div"),
    _direct(r"ema.*(写反|反了)|(写反|反了).*ema|ema.*(revers|swapp|wrong way|backwards)",
            _YES_EXCHANGED, needs="EMA-REVERSED"),
    _direct(r"(ema|average|update|momentum).*(right|correct|ok|fine)"
            r"|(right|correct|ok|fine).*(ema|average|update|momentum)"
            r"|(ema|平均|更新).*(对吗|对不对|正确|没问题|有问题)",
            _NO_EXCHANGED, needs="EMA-REVERSED"),
    _direct(r"regressor|projector|project|batch ?norm|learning rate|投影|回归层|学习率",
            _NOT_THE_POINT, needs="NOT-IN-OPTIMIZER"),
    _direct(_ONLY_LAST, CAUSE, needs="SUM-OVERWRITTEN"),
    *(_direct(_TROUBLE, CAUSE, needs=kind)
      for kind in ("NOT-IN-OPTIMIZER", "SUM-OVERWRITTEN", "EMA-REVERSED", "STUDENT-EVAL-MODE")),
    _direct(r"(forget|forgot|without|happens|remove|need|have to|忘|不写|不加|去掉|要不要|需不需要)"
            r".*detach|detach.*(忘|不写|不加|去掉|necessary|needed)", _WITHOUT_DETACH,
            sees=(r"\.detach\(\)",)),
    _direct(r"lambda|λ|\blam(da)?\b", _LAMBDA,
            sees=(r"\b\w*(old|known|seen)\w* / (\w*(total|all)\w*|\(\w+ \+ \w+\))",)),
    _direct(r"overwrit|replac|覆盖|替换", _ICARL, needs="=icarl_labels, =bce_labels"),
    _direct(r"mean distance|embedding size|same (embedding|feature|size|dim)|平均距离|距离.*(平均|"
            r"均值)|维度.{0,6}(相同|一样|一致|不同)", _RKD, needs="=rkd_distance"),
    _direct(_AVERAGING, _AVERAGE_PROBS, needs="=clean",
            sees=(r"stack\(\[.*softmax\(.*\]\)\.mean\((dim=)?0\)",)),
    _direct(r"odd|strange|weird|already|again|twice|奇怪|已经是|再做|两次", _VIRTUAL,
            sees=(r"(\w+) = torch\.full_like\((?s:.*)\1\.scatter_\(1,(?s:.*)softmax\(\1 /",)),
    _direct(r"batchmean", _PIXELS, needs="@kl_div",
            sees=(r"batchmean", r"permute\(0, 2, 3, 1\)(\.contiguous\(\))?\.(reshape|view)\(-1",)),
    _direct(r"batchmean.*(divid|除)|(divid|除).*batchmean", _ROWS, needs="@kl_div",
            sees=(r"batchmean", r"\.(reshape|view)\(-1, ",)),
    _direct(r"(为什么|why).{0,20}(反向|reverse)", _WHY_REVERSE, needs="=reverse_kl_masked"),
    _direct(r"(为什么|why).{0,20}(反向|reverse)", _WHY_REVERSE, needs="=reverse_kl"),
    _direct(r"(bn|batch ?norm).{0,16}(变|drift|chang|updat)", _THREE_THINGS, needs="NO-ZERO-GRAD",
            sees=(r"\A(?!(?s:.*)\.eval\(\))", r"\bteacher\w*\(")),
    _direct(r"(?=.*eval)(?=.*no_grad)", _BOTH_MODES, needs="=clean"),
    _direct(r"(get|receive|flow|gradient|梯度).*(kd|teacher|deep|target|教师|目标|最深)",
            _NO_GRADIENT, needs="=kd, =clean", sees=(r"\.detach\(\)",)),
    _direct(r"对齐|align", _ALIGNED, needs="=clean",
            sees=(r"\[:, :-1", r"(\w+) = labels\[:, 1:\](?s:.*)\1 != -100")),
    _direct(r"\bones\b|全 ?1|全一", _ONES, needs="=cosine",
            sees=(r"cosine_embedding_loss|Cosine",)),
    _direct(r"label.?smooth|平滑|一样|same|equal", _VIRTUAL_CE, needs="=virtual_ce"),
    _direct(r"no difference|no effect|makes no|没(有)?(作用|区别|变化|影响|反应)", CAUSE,
            needs="STUDENT-CUT"),
    _direct(r"minus|negative|负", CAUSE, needs="CE-TARGET-RAW"),
    _direct(r"minus|negative|负", CAUSE, needs="SIGNED-DIFFERENCE"),
    *(_direct(r"eval", _NOT_EVAL, needs=kind) for kind in ("TEACHER-TRAIN-MODE", "BN-DRIFT")),
    _direct(r"(need|have to|must|should).{0,24}eval|(要|需要|必须|用不用).{0,12}eval|eval.{0,8}吗",
            _IS_EVAL, sees=(r"\b(\w*teacher\w*|\w*old\w*|tea\w*|t_net|net_t)\.eval\(\)",)),
    _direct(r"(need|have to|must|should).{0,20}eval\(?|(要|需要|必须|用不用).{0,12}eval"
            r"|eval.{0,8}吗", _CALL_EVAL, sees=(r"\A(?!(?s:.*)\.eval\(\))", r"\bteacher\w*\(")),
    *(_direct(r"accumul|累积|累加|divided? by|除以", Text(*(t.replace("{n}", n) for t in (
          _ACCUMULATION.en, _ACCUMULATION.zh))),
          sees=(rf"% {n} == 0", r"\.backward\(\)", rf"\A(?!(?s:.*)/ {n}\b)"))
      for n in ("2", "4", "8", "16", "32")),
    _direct(r"\bbn\b|batch ?norm|running_(mean|var)|buffer|缓冲", _BUFFERS,
            sees=(r"zip\([\w.]+\.parameters\(\), [\w.]+\.parameters\(\)\)",
                  r"\A(?!(?s:.*)buffers\(\))")),
    _direct(r"\bdim\b|\baxis\b|哪一维|维度", _PLACES_DIM, needs="=cwd, =clean"),
    _direct(r"ln ?\(?k|log ?\(?k|不动|collaps|uniform|塌缩", _UNIFORM_DINO, needs="=dino"),
    _direct(r"平方|squared?|b ?(²|\^ ?2|\*\*2)|除以.{0,6}(b"
    r"|批)", _SP_SQUARED, needs="=sp, =clean", sees=(r"\*\* 2",)),
    _direct(r"全.{0,2}0|全零|空|(sum\(\)|mask).{0,6}(是|为|等于|==?|is) ?(0|零|zero)"
            r"|all (zeros?|false)|empty|no (positive|foreground)", _EMPTY_MASK,
            sees=(r"/ \(?mask\.sum\(\)(?!\.clamp)",)),
    _direct(r"torch|pytorch|一样|same", _PADDLE_SAME, needs="@kl_div", sees=(r"import paddle",)),
    _direct(_EITHER_KL, _REVERSE_NOT_FORWARD, needs="=reverse_kl_masked, =clean"),
    _direct(_EITHER_KL, _REVERSE_NOT_FORWARD, needs="=reverse_kl, =clean"),
    _direct(r"to (0|zero)|negative|降不到 ?0|到不了 ?0|变负|负数", _SUM_OF_TARGETS,
            needs="TARGET-SUM"),
    _direct(r"small|tiny|\bnormal\b|小|正常", _AT_IS_SMALL, needs="=at, =clean"),
    _direct(r"batchmean|kl_div|torch", _SAME_AS_BATCHMEAN, needs="=kd, =clean",
            sees=(r"\b(jnp|tf|paddle)\.",
                  r"mean\([\w.]*sum\(.*axis=-1\)|sum\(.*axis=-1\)\)?\.mean\(")),
    _direct(_WITHOUT_RETAIN, _WITHOUT_IT, needs="=kd, =clean, =no error, @backward",
            sees=(r"(?s)\.detach\(\).*\.detach\(\)", r"(?s)\.backward\(\).*\.backward\(\)")),
    _direct(r"retain_graph", _NO_RETAIN, needs="=kd, =clean, =no error, @backward",
            sees=(r"(?s)\.detach\(\).*\.detach\(\)", r"(?s)\.backward\(\).*\.backward\(\)")),
    _direct(r"retain_graph", _RETAIN, needs="=no error"),
    _direct(r"retain_graph", _ONLY_HIDES),
    _direct(r"(hard|cross.?entropy|\bce\b).*(not|no|n't|without).*((?-i:\bT\b)|temperature)"
            r"|(hard|硬标签|交叉熵|\bce\b).*(不|没).{0,6}((?-i:T)(?![a-z])|温度)", _HARD_AT_ONE,
            needs="=ce, =kd, =clean"),
    _direct(r"(-100|\bpad|mask).*(handled|ignored|left out|excluded|masked out|skipped)"
            r"|(-100|pad|填充).*(处理|忽略|排除|去掉|屏蔽)", _MASKED_HERE,
            needs="@divided by mask, =clean"),
    _direct(r"zero_grad.*(after|behind|order|ok|right|后|顺序|可以|行吗)|(后|顺序).*zero_grad",
            _CLEARED_AFTER, sees=(r"\.step\(\)\n\s*\w+\.zero_grad\(\)",
                                  r"(?s)\.backward\(\).*\.step\(\)")),
    _direct(r"(same|equal|match|\bvs\b|versus|check|一样|一致|区别|相同).*(batchmean|kl_?div)"
            r"|(batchmean|kl_?div).*(same|equal|match|一样|一致|区别|相同)", _SAME_AS_BATCHMEAN,
            needs="=kd, =clean", sees=(r"\.sum\((dim=)?(1|-1)\)\.mean\(",)),
    _direct(r"(batchmean|reduction).*(right|ok\b|correct|fine|对吗|对不对|正确|合适)"
            r"|(right|correct).*(batchmean|reduction)", _RIGHT_REDUCTION,
            needs="=clean, =equal, @kl_div", sees=(r"batchmean",)),
    _direct(r"revers|mixed up|反向|弄反|搞反", _IS_REVERSE, needs="=reverse_kl_masked"),
    _direct(r"revers|mixed up|反向|弄反|搞反", _IS_REVERSE, needs="=reverse_kl"),
    _direct(r"forward or|or (the )?(reverse|forward)|which direction|前向还是|还是(反向|前向)"
            r"|哪个方向", _IS_FORWARD, needs="=kd, =clean, @kl_div"),
    _direct(_OFF_BY, _TIMES_C, needs="KL-MEAN",
            sees=(r"sum\((dim=)?(1|-1)\)\.mean\(", r"kl_div\((?!.*reduction)")),
    _direct(_OFF_BY, _TIMES_C,
            sees=(r"sum\((dim=)?(1|-1)\)\.mean\(", r"kl_div\((?!.*reduction)")),
    _direct(r"stop_?gradient", _NO_STOP, sees=(r"\.gradient\(\w+, [\w.]*student[\w.]*trainable",)),
    _direct(r"\bbias|偏向|偏置|偏新", _BIAS, needs="=kd, =ce, =clean",
            sees=(r"\[:, :\w*(known|old|seen|prev)\w*\]",)),
    _direct(r"channel|spatial|通道|空间|\bH ?[、,，和及/x×]? ?W\b", _CHANNELS, needs="=at",
            sees=(r"\.mean\((dim=)?1\)\.(flatten|view|reshape)\(",)),
    _direct(r"(teacher|老师|教师).{0,8}(temperature|温度).{0,10}(low|small|小|低)|温度比"
    r"|two temperatures|temperatures? .*different|different temperatures?|T ?(\^|\*\*) ?2|T²"
            r"|温度.{0,6}(不同|不一样)", _DINO,
            sees=(r"\A(?!(?s:.*)cross_entropy\()", r"log_softmax\(\w+ / ",
                  r"softmax\(\((\w+) - \w*cent\w*\) / (\w+)")),
    _direct(r"\bdim\b|\baxis\b|哪一维|维度", _WRONG_DIM, needs="DIM-SEQ"),
    _direct(r"mask", _MASK_WRONG, needs="MASKED-MEAN"),
    _direct(r"(是|为|等于|always|stays?|is) ?0|zero|恒为", CAUSE, needs="TERM-ZERO"),
    _direct(_SMALLNESS, _SMALL_BOTH, needs="KL-MEAN, NO-T2"),
    _direct(_SMALLNESS, _SMALL_MEAN, needs="KL-MEAN"),
    _direct(_LARGENESS, _SUMMED_PIXELS, needs="BATCHMEAN-3D, =maps"),
    _direct(_LARGENESS, _SUMMED_POSITIONS, needs="BATCHMEAN-3D"),
    _direct(r"torch|match|differ|对不上|不一样|不一致|结果", _NUMPY_AXIS, sees=(_AXIS_ZERO,)),
    _direct(r"memory|显存|oom", _PEERS_KEPT, needs="TARGET-IN-GRAPH, @graphs kept"),
    _direct(r"(?!.*(why|为什么|为何)).*retain_graph", _PEERS_RETAIN,
            needs="TARGET-IN-GRAPH, @backward, =no error",
            sees=(r"retain_graph=True(?s:.*)backward\(",)),
    _direct(r"pull|drag|other (net|model)|retain|带偏|拉|另一个", _PEERS_PULL,
            needs="TARGET-IN-GRAPH"),
    _direct(r"(?=.*requires_grad)(?=.*no_grad).*(need|both|enough|redundant|necessary|都要"
    r"|需要|必要"
            r"|多余|够)", _BOTH_NEEDED, sees=(r"requires_grad", r"no_grad")),
)  # fmt: skip
"""The first that fits is given."""

OTHER_STUCK = Text(
    "What is shown does not tell why. Check, in this order: whether what the loss is given are "
    "logits or probabilities, as it expects; whether the gradient is taken for the student's "
    "trainable variables and is not None; whether the optimiser is given these gradients; the "
    "learning rate; whether the teacher is good on this data.",
    "从贴出的代码看不出原因。请依次检查：损失要的是 logits 还是概率，传进去的是否一致；梯度是不是"
    "对学生的可训练变量求的、有没有 None；优化器是否用了这些梯度；学习率；教师在这份数据上本身好"
    "不好。",
)
"""To a loss that does not fall, in code of another framework than PyTorch."""
IS_SQUARE = Text(
    "{n} is T²: the softmaxes are at T = {t}, and {t}² = {n}. The gradient of the soft term "
    "shrinks "
    "as 1/T²; the factor brings it back, so that the weight beside it keeps its meaning.",
    "{n} 就是 T²：softmax 的温度是 {t}，{t}² = {n}。软标签项的梯度会按 1/T² 缩小，"
    "乘上它才恢复原来的"
    "尺度，前面的权重才有意义。",
)
YES_BUT = Text(
    "In value yes, as far as the code is shown: {what} But: {but}",
    "数值上是对的（就贴出的部分看）：{what}但是，{but}",
)
YES_THIS = Text(
    "Yes: this is {method}, and it is equal to the definition, term by term.",
    "是的：这就是{method}，逐项与定义一致。",
)
NEGATIVE = Text(
    "Because of line {line}: {message} A KL divergence itself is never negative (Σ P·log(Q/P) ≤ "
    "log Σ Q = 0); abs or clamp would only hide the cause.",
    "这不正常，原因在第 {line} 行：{message}真正的 KL 散度不会为负（Σ P·log(Q/P) ≤ log Σ Q = 0）；"
    "用 abs 或 clamp 只会掩盖问题。",
)
CAN_BE_NEGATIVE = Text(
    "As it is written, yes, by line {line}: {message} A KL divergence itself is never negative "
    "(Σ P·log(Q/P) ≤ log Σ Q = 0).",
    "照现在的写法会，原因在第 {line} 行：{message}真正的 KL 散度不会为负（Σ P·log(Q/P) ≤ log Σ Q = "
    "0）。",
)
NAN_NOT_NEGATIVE = Text(
    "What is shown gives NaN rather than a negative number, because of line {line}: {message}",
    "照贴出的代码，得到的是 NaN 而不是负数，原因在第 {line} 行：{message}",
)
YES = Text("Yes, as far as the code is shown. ", "就贴出的部分看，是对的。")
NOT_AS_NAMED = Text(
    "Whether it is the method that you name could not be confirmed: what is recognised in the code "
    "as it was read is {method}. Compare the formula below.",
    "是不是你说的那种方法，从这里无法确认：从读到的代码里认出的是{method}，请对照下面的公式。",
)
COMPARED = Text(
    "{what} Compared with its definition on random numbers, term by term: {compared}.",
    "{what}已用随机数与定义逐项比对：{compared}。",
)
COMPARED_OF: tuple[tuple[str, Text], ...] = (
    (r"kl_div\(|KLDivLoss|KLDivergence",
     Text("the order of the arguments of the KL and what each of them is",
          "KL 两个参数的顺序和各自所在的空间")),
    (r" / (self\.)?(T|temp\w*|tau|temperature)\b|softmax\([^\n]* / \d",
     Text("the temperature", "温度")),
    (r"\*\* 2|(T|temp\w*|tau|temperature) \* (self\.)?(T|temp\w*|tau|temperature)\b",
     Text("the squares", "平方项")),
    (r"reduction=|\.mean\(|\.sum\(|reduce_mean", Text("the reduction", "归约方式")),
    (r"\[:, :-?\w|\[:, -?\w+:", Text("the slices", "切片")),
)  # fmt: skip
"""What the comparison covers, by what stands in the code."""
COMPARED_FORMULA = Text("the whole formula", "整个公式")
NOT_COMPARED = Text(
    "No mistake was found, but what is shown is not a loss that is known here, so it could not be "
    "compared with a definition: compare the formula below with the one that you mean.",
    "没有发现错误；但贴出的不是这里已知的损失，没有定义可以比对，请把下面的公式与你想要的公式对照。",
)
DEPENDS = Text(
    "Whether the moving average is right depends on `{name}`, whose value is not shown: each step "
    "keeps {old} of `{target}` and takes {new} of `{source}`. It is right where {old} is near 1 "
    "(such as 0.999); where {old} is near 0 the weights are exchanged, and the averaged model is "
    "a copy of the other. ",
    "滑动平均写得对不对取决于 `{name}` 的值，而贴出的代码里没有给出：每一步保留 {old} 份 "
    "`{target}`，加上 {new} 份 `{source}`。{old} 接近 1（例如 0.999）时是对的；{old} 接近 0 时"
    "两个权重就写反了，被平均的模型会成为另一个模型的副本。",
)
NOT_THE_LOSS = Text(
    "The cause is not visible here: no mistake was found in the code that is shown. To find "
    "it, the "
    "rest of the training would have to be shown: eval() and train() of each model, the optimiser, "
    "the learning rate, the data.",
    "从贴出的代码看不出原因：没有发现错误。要找原因，还需要看到训练的其余部分：各模型的 eval() 与 "
    "train()、优化器、学习率和数据。",
)
