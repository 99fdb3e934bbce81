"""Questions that people write beside their code, by words of both languages, and the answers."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.words import answers
from didact.check.explain.words import answers_training as training


def _either(english: str, chinese: str) -> re.Pattern[str]:
    return re.compile(f"{english}|{chinese}", re.IGNORECASE)


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
_SIGN = Text(
    "The sign of the cross term is wrong: it must be subtracted (−2·st in MMD). Added, it is "
    "minimised, and the student's features move away from the teacher's.",
    "交叉项的符号反了：MMD 里应当减去它（−2·st）。写成加号就是在最小化相似度，学"
    "生的特征会越来越远离"
    "教师。",
)
_PEERS = Text(
    "Yes: the target is not detached, so the gradient of each loss also changes the other network. "
    "Put `.detach()` on both targets.",
    "会：目标没有 detach，每个损失的梯度也会改动另一个网络。在两个目标上都加 `.detach()`。",
)
_DEAD_NORM = Text(
    "The normalised values are computed and not used: the loss compares the raw ones. Pass the "
    "normalised ones to it.",
    "归一化后的值算了却没有用，损失里比较的是原始值；把归一化后的值传进去。",
)
_HEADS = Text(
    "Slice the new logits to the old classes before the softmax: `new[:, :old.size(1)]`.",
    "先把新模型的 logits 切到旧类，再做 softmax：`new[:, :old.size(1)]`。",
)
_STUCK = Text(
    "BCEWithLogitsLoss takes the sigmoid itself; of probabilities it makes sigmoid(sigmoid(x)), "
    "which lies between 0.5 and 0.73, so each zero target costs at least ln 2 = 0.69. Pass the "
    "logits.",
    "BCEWithLogitsLoss 自带 sigmoid；给它概率就成了 sigmoid(sigmoid(x))，落在 0.5 到 0.73 之间，"
    "每个为 0 的目标至少贡献 ln 2 = 0.69。应传 logits。",
)
_ORDER = Text(
    "No: Keras' KLDivergence is called as (y_true, y_pred). The target, the teacher, comes first; "
    "as written it is the reverse KL.",
    "反了：Keras 的 KLDivergence 按 (y_true, y_pred) 调用，第一个参数是目标，应当"
    "先传教师、后传学生，"
    "否则是反向 KL。",
)
_AXIS = Text(
    "axis=0 normalises over the batch, so the rows are no distributions over classes; use axis=-1.",
    "axis=0 在批维上归一化，每一行不再是类别分布；应使用 axis=-1。",
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
    "Not by itself: KL(student ‖ teacher) is the reverse KL of MiniLLM, which seeks one mode on "
    "purpose; Hinton's KD has the teacher in front.",
    "不一定是错误：KL(学生 ‖ 教师) 是 MiniLLM 的反向 KL，有意寻峰；Hinton 的 KD 是教师在前。",
)
_UNIFORM = Text(
    "No: the teacher returns probabilities already, and a second softmax of numbers in [0, 1] is "
    "nearly uniform. Return logits.",
    "不是：教师返回的已经是概率，对 [0, 1] 内的数再做 softmax 几乎是均匀分布。应返回 logits。",
)
_UNDERFLOW = Text(
    "No: softmax first and the logarithm after it underflow to log 0. F.log_softmax gives the same "
    "numbers without that.",
    "不是：先 softmax 再取 log 会下溢到 log 0；用 F.log_softmax，数值相同而稳定。",
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
_ZERO = Text(
    "Both sides are computed from the same logits, so the loss teaches nothing; the log side must "
    "be made from the student's, the other from the teacher's.",
    "两侧都来自同一组 logits，学不到任何东西；取对数的一侧应由学生的 logits 得到，另一侧用教师的。",
)
_NEVER_ZERO = Text(
    "Because it is a cross-entropy, not a divergence: −Σ p·log q = KL(p ‖ q) + H(p). Where the "
    "student equals the teacher the KL is 0 and what is left is H(p), the entropy of the teacher's "
    "probabilities, which has no gradient. Watch the KL if you want a number that goes to 0.",
    "因为它是交叉熵而不是散度：−Σ p·log q = KL(p ‖ q) + H(p)。学生与教师完全一致时 KL 为 0，"
    "剩下的 H(p) 是教师概率的熵，它没有梯度。想看一个能降到 0 的数，就记录 KL。",
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
_DEIT = Text(
    "Yes: half the cross-entropy with the labels on the class token, half with the argmax of the "
    "teacher on the distillation token.",
    "是：类别 token 对真实标签、蒸馏 token 对教师的 argmax，两个交叉熵各占一半。",
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

_NONE: frozenset[str] = frozenset()


def _kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


ASKED: tuple[tuple[re.Pattern[str], frozenset[str], Text], ...] = (
    (_either(r"\bnan\b", r"nan"), _kinds("KL-TARGET-LOG"), _NAN_LOG),
    (_either(r"\bnan\b", r"nan"), _kinds("ARGS-REVERSED"), _NAN_REVERSED),
    (_either(r"\binf\b|nan", r"inf|无穷"), _kinds("LOG-OF-SOFTMAX"), _UNDERFLOW),
    (_either(r"\bnan\b", r"nan"), _kinds("=sound"), _NAN_ELSEWHERE),
    (_either(r"(never|not) (becomes? |goes? to )?(zero|0)\b", r"不为 ?0|到不了 ?0|降不到 ?0"),
     _kinds("=soft_ce"), _NEVER_ZERO),
    (_either(r"\b2\.30?\b", r"2\.30?(?!\d)"), _kinds("=ce"), _CHANCE),
    (_either(r"number of layers|divide.*layers", r"除以层数"), _NONE, _LAYERS),
    (_either(r"negative|below zero", r"负数|为负|是负|负值"), _NONE, answers.NEGATIVE_KL[1]),
    (
        _either(r"log_softmax.*softmax|softmax.*log_softmax", r"log_softmax.*softmax"),
        _NONE, answers.WHICH_LOG[1],
    ),
    (_either(r"much smaller|so small|tiny", r"小很多|太小|很小"), _kinds("KL-MEAN"), _SMALL),
    (_either(r"learning rate", r"学习率"), _NONE, _LEARNING_RATE),
    (
        _either(r"alpha|weight|lambda", r"alpha.*多少|权重.*多少|取多少|多大合适"),
        _kinds("NO-T2"), _ALPHA,
    ),
    (_either(r"2\.0 ?\+|\+ alpha", r"2\.0|\+ ?alpha"), _kinds("WEIGHT-TYPO"), _CLASS_WEIGHT),
    (
        _either(r"grow|large|huge|normal|expected|longer", r"越大|几万|很大|正常"),
        _kinds("BATCHMEAN-3D"), _MUCH,
    ),
    (_either(r".", r"."), _kinds("SIGN-MISSING"), _SIGN),
    (_either(r".", r"."), _kinds("TARGET-IN-GRAPH"), _PEERS),
    (_either(r".", r"."), _kinds("DEAD-NORM"), _DEAD_NORM),
    (_either(r".", r"."), _kinds("HEAD-MISMATCH"), _HEADS),
    (_either(r".", r"."), _kinds("BCEWL-ON-PROBS"), _STUCK),
    (_either(r"missing|forgot|wrong", r"缺|漏|错"), _kinds("PAD-UNMASKED"), _PADDING),
    (_either(r"mask", r"mask|掩码"), _kinds("REDUCE-KWARG"), _REDUCE),
    (_either(r"order|argument|swap", r"参数.*顺序|顺序对|反了"), _kinds("SWAPPED"), _ORDER),
    (_either(r".", r"."), _kinds("DIM-0"), _AXIS),
    (_either(r"uniform|flat", r"均匀"), _kinds("SOFTMAX-OF-SOFTMAX"), _UNIFORM),
    (_either(r"sharp", r"尖"), _kinds("T-INVERTED"), _HARDER),
    (_either(r"divide|both", r"两边|都.*除|也.*除"), _kinds("T-ONE-SIDE"), _BOTH),
    (_either(r".", r"."), _kinds("STUDENT-UNUSED"), _ZERO),
    (_either(r".", r"."), _kinds("ITEM-IN-GRAPH"), training.ITEM[1]),
    (_either(r"teacher.*worse|worse.*teacher", r"教师.*变差|老师.*变差"), _NONE, _DRIFT),
    (_either(r"1\.46|cross.?entropy", r"1\.46|交叉熵"), _kinds("CE-ON-PROBS"),
     answers.SOFTMAX_BEFORE_CE[1]),
    (_either(r"slice.*softmax|softmax.*slice", r"切片|先切"), _NONE, training.SLICE_FIRST[1]),
    (_either(r"deit", r"deit"), _NONE, _DEIT),
    (_either(r"\bbeta\b.*\?", r"beta.*多少"), _NONE, _BETA),
    (_either(r"mse.*\bkl\b|\bkl\b.*mse", r"mse.*kl|kl.*mse"), _NONE, _MSE),
    (
        _either(r"student.*(in front|first)|reverse", r"学生.*前面|反向"), _NONE, _REVERSE,
    ),
    (
        _either(r"T ?(squared|²|\*\*|\^)|temperature squared|times T\b|multipl\w+ (it )?by T",
                r"T ?的?平方|T²|两个 ?T|乘.{0,6}T|T\s*\*\*\s*2"),
        _NONE, training.T_SQUARED[1],
    ),
    (_either(r"detach|no_grad|eval", r"detach|no_grad|eval"), _NONE, training.EVAL_DETACH[1]),
    (_either(r"batchmean", r"batchmean"), _NONE, training.BATCHMEAN[1]),
    (_either(r"deepcopy", r"deepcopy"), _NONE, training.DEEPCOPY[1]),
    (_either(r"\bdim\b|\baxis\b", r"dim|axis|哪一维"), _NONE, answers.WHICH_DIM[1]),
)  # fmt: skip
"""Pattern of the question, the kinds of mistakes of which one must be there, the answer."""
DISTANCES = _DISTANCES
