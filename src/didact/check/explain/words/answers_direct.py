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
_SOFT_CAUSE = Text(
    "The likeliest cause in what is shown: {message}.",
    "从贴出的代码看，最可能的原因是：{message}。",
)
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
_MASK_WRONG = Text("No: {message}.", "不对：{message}。")
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
_AXIS_ZERO = r"(\w+) = \w+\.exp\((?s:.*)\1 / \1\.sum\((axis=)?0"
_AVERAGING = r"(average|mean).*(probabilit|logit)|平均.*(概率|logits?)|(概率|logits?).*平均"
_SMALLNESS = r"tiny|(so|too|very|much|is) small(er)?\b|特别小|太小|很小|小很多|几乎没(有)?作用|偏小"

DIRECT: tuple[Direct, ...] = (
    _direct(r"ema.*(写反|反了)|(写反|反了).*ema|ema.*(revers|swapp|wrong way|backwards)",
            _YES_EXCHANGED, needs="EMA-REVERSED"),
    _direct(r"regressor|projector|project|batch ?norm|learning rate|投影|回归层|学习率",
            _NOT_THE_POINT, needs="NOT-IN-OPTIMIZER"),
    _direct(_ONLY_LAST, CAUSE, needs="SUM-OVERWRITTEN"),
    *(_direct(_TROUBLE, CAUSE, needs=kind)
      for kind in ("NOT-IN-OPTIMIZER", "SUM-OVERWRITTEN", "EMA-REVERSED", "STUDENT-EVAL-MODE")),
    _direct(r"(forget|forgot|without|happens|remove|忘|不写|不加|去掉).*detach"
            r"|detach.*(忘|不写|不加|去掉)", _WITHOUT_DETACH, sees=(r"\.detach\(\)",)),
    _direct(r"lambda|λ|\blam(da)?\b", _LAMBDA,
            sees=(r"\b\w*(old|known|seen)\w* / (\w*(total|all)\w*|\(\w+ \+ \w+\))",)),
    _direct(r"collaps|forget|old (class|task)|遗忘|旧类|崩", _SOFT_CAUSE,
            needs="SLICE-AFTER-SOFTMAX"),
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
    _direct(r"revers|mixed up|反向|弄反|搞反", _IS_REVERSE, needs="=reverse_kl_masked"),
    _direct(r"revers|mixed up|反向|弄反|搞反", _IS_REVERSE, needs="=reverse_kl"),
    _direct(r"forward or|or (the )?(reverse|forward)|which direction|前向还是|还是(反向|前向)"
            r"|哪个方向", _IS_FORWARD, needs="=kd, =clean, @kl_div"),
    _direct(r"factor|off by|differ|times (smaller|larger)|倍|对不上|不一样|不一致", _TIMES_C,
            sees=(r"sum\((dim=)?(1|-1)\)\.mean\(", r"kl_div\((?!.*reduction)")),
    _direct(r"stop_?gradient", _NO_STOP, sees=(r"\.gradient\(\w+, [\w.]*student[\w.]*trainable",)),
    _direct(r"\bbias|偏向|偏置|偏新", _BIAS, needs="=kd, =ce, =clean",
            sees=(r"\[:, :\w*(known|old|seen|prev)\w*\]",)),
    _direct(r"channel|spatial|通道|空间", _CHANNELS, needs="=at",
            sees=(r"\.mean\((dim=)?1\)\.(flatten|view|reshape)\(",)),
    _direct(r"two temperatures|temperatures? .*different|different temperatures?|T ?(\^|\*\*) ?2|T²"
            r"|温度.{0,6}(不同|不一样)", _DINO,
            sees=(r"\A(?!(?s:.*)cross_entropy\()", r"log_softmax\(\w+ / ",
                  r"softmax\(\((\w+) - \w*cent\w*\) / (\w+)")),
    _direct(r"\bdim\b|\baxis\b|哪一维|维度", _WRONG_DIM, needs="DIM-SEQ"),
    _direct(r"mask", _MASK_WRONG, needs="MASKED-MEAN"),
    _direct(_SMALLNESS, _SMALL_BOTH, needs="KL-MEAN, NO-T2"),
    _direct(_SMALLNESS, _SMALL_MEAN, needs="KL-MEAN"),
    _direct(r"why.*(loss|\d{3,})|so (large|big|high)|huge|balance|为什么.*(大|高)|这么大|很大",
            _SUMMED_POSITIONS, needs="BATCHMEAN-3D"),
    _direct(r"torch|match|differ|对不上|不一样|不一致|结果", _NUMPY_AXIS, sees=(_AXIS_ZERO,)),
    _direct(r"memory|显存|oom", _PEERS_KEPT, needs="TARGET-IN-GRAPH, @graphs kept"),
    _direct(r"pull|drag|other (net|model)|retain|带偏|拉|另一个", _PEERS_PULL,
            needs="TARGET-IN-GRAPH"),
    _direct(r"(?=.*requires_grad)(?=.*no_grad).*(need|both|enough|redundant|necessary|都要|需要|必要"
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
YES = Text("Yes, as far as the code is shown. ", "就贴出的部分看，是对的。")
NOT_THE_LOSS = Text(
    "The cause is not visible here: no mistake was found in the loss, and what is asked depends "
    "on the training around it. Check, in this order: eval() and train() of each model, what the "
    "optimiser holds, zero_grad before each backward, the learning rate, and the data.",
    "从贴出的代码看不出原因：损失本身没有发现错误，而问题取决于训练过程。请依次检查：各模型的 "
    "eval() 与 train()、优化器里有哪些参数、每次 backward 之前是否 zero_grad、学习率、数据。",
)
