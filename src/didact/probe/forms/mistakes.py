"""The kinds of mistakes that a broken law or a recognised form points to."""

from __future__ import annotations

from dataclasses import dataclass

from didact._core.i18n import Text


@dataclass(frozen=True)
class Mistake:
    """One kind.

    Attributes:
        key: Its name.
        codes: The codes of ``didact check`` that find it in source.
        text: What it is and what to do.
    """

    key: str
    codes: tuple[str, ...]
    text: Text


_KINDS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    (
        "KL-INPUT-PROBS",
        ("KD101",),
        "the input of kl_div is probabilities: use log_softmax",
        "kl_div 的输入是概率：应使用 log_softmax",
    ),
    (
        "KL-INPUT-RAW",
        ("KD102",),
        "the input of kl_div is raw logits: use log_softmax",
        "kl_div 的输入是原始 logits：应使用 log_softmax",
    ),
    (
        "KL-TARGET-RAW",
        ("KD103",),
        "the target of kl_div is raw logits: use softmax",
        "kl_div 的目标是原始 logits：应使用 softmax",
    ),
    (
        "KL-TARGET-LOG",
        ("KD104",),
        "the target of kl_div is log-probabilities: use softmax, or log_target=True",
        "kl_div 的目标是对数概率：应使用 softmax 或 log_target=True",
    ),
    (
        "LOG-TARGET-ON-PROBS",
        ("KD105",),
        "log_target=True with probabilities: drop it, or pass log_softmax",
        "给了概率却用 log_target=True：去掉它，或传 log_softmax",
    ),
    (
        "SWAPPED",
        ("KD106",),
        "reverse KL: a choice, or student and teacher swapped",
        "反向 KL：有意选择，或学生与教师写反",
    ),
    (
        "ARGS-REVERSED",
        ("KD107",),
        "the arguments of kl_div are reversed: the student's log-probabilities come first",
        "kl_div 的参数颠倒：学生的对数概率应在前",
    ),
    (
        "CE-ON-PROBS",
        ("KD108",),
        "cross_entropy of probabilities: pass logits",
        "对概率做 cross_entropy：应传 logits",
    ),
    (
        "NLL-WRONG-SPACE",
        ("KD110",),
        "nll_loss takes no log: pass log_softmax, or use cross_entropy",
        "nll_loss 不取对数：应传 log_softmax 或改用 cross_entropy",
    ),
    (
        "LOG-OF-SOFTMAX",
        ("KD111",),
        "log of a softmax underflows: use log_softmax",
        "softmax 再取 log 会下溢：应使用 log_softmax",
    ),
    (
        "SOFTMAX-OF-SOFTMAX",
        ("KD112",),
        "softmax twice: once is enough",
        "做了两次 softmax：一次即可",
    ),
    (
        "BCE-ON-SOFTMAX",
        ("KD113",),
        "binary cross-entropy of a softmax: use KL, or sigmoids",
        "对 softmax 做二元交叉熵：应使用 KL，或改用 sigmoid",
    ),
    (
        "BCEWL-ON-PROBS",
        ("KD114",),
        "binary_cross_entropy_with_logits of probabilities: pass logits",
        "binary_cross_entropy_with_logits 的输入是概率：应传 logits",
    ),
    (
        "SIG/SOFTMAX-MIX",
        ("KD115",),
        "sigmoid on one side, softmax on the other: use one link",
        "一侧 sigmoid 一侧 softmax：两侧应一致",
    ),
    (
        "ARGMAX-SOFT-TARGET",
        ("KD116",),
        "the target is the teacher's argmax: hard distillation, if intended",
        "目标是教师的 argmax：若有意为之即硬蒸馏",
    ),
    (
        "ABS/CLAMP-HIDES-NEGATIVE",
        ("KD120",),
        "an abs() or clamp hides a negative value, and bends the gradient",
        "abs() 或 clamp 掩盖了负值，并改变了梯度",
    ),
    (
        "MIXED-SPACE",
        ("KD117",),
        "labels and logits in one target: build it in one space",
        "目标里混放了标签与 logits：应在同一空间里构造",
    ),
    (
        "SLICE-AFTER-SOFTMAX",
        ("KD118",),
        "classes are cut out after the softmax: slice the logits first (or it is meant: zero "
        "targets for new classes)",
        "在 softmax 之后才切出类别：应先切 logits（除非有意让新类的目标为 0）",
    ),
    ("NO-T2", ("KD201",), "no T^2 factor: multiply by T**2", "缺少 T^2 因子：应乘以 T**2"),
    (
        "T-POW1 / T²-TWICE",
        ("KD202",),
        "a wrong power of T: T**2, once",
        "T 的幂次错误：应乘一次 T**2",
    ),
    (
        "WEIGHT-TYPO",
        ("KD602",),
        "a weight is added where it should multiply",
        "权重应相乘却写成了相加",
    ),
    ("T-ONE-SIDE", ("KD203",), "the temperature divides one side only", "温度只除了一侧"),
    ("T-TWICE", ("KD204",), "the temperature is applied twice", "温度用了两次"),
    ("T-INVERTED", ("KD205",), "logits are multiplied by T: divide", "logits 乘以了 T：应相除"),
    (
        "HARD-CE-AT-T",
        ("KD206",),
        "the label term takes s/T: give it the raw logits",
        "标签项用了 s/T：应使用原始 logits",
    ),
    ("T-UNUSED", (), "the temperature parameter has no effect", "温度参数不起作用"),
    (
        "KL-MEAN",
        ("KD301",),
        "behaves like KL with reduction='mean', 1/C: use 'batchmean'",
        "与 reduction='mean' 的 KL 一致，即 1/C：应使用 'batchmean'",
    ),
    (
        "CLASS-MEAN",
        ("KD304",),
        "a mean over the classes, 1/C: sum over classes",
        "对类别取了平均，即 1/C：应对类别求和",
    ),
    (
        "BATCHMEAN-3D",
        ("KD303",),
        "batchmean on [B, S, C] divides by B alone: flatten(0, -2) first",
        "在 [B, S, C] 上 batchmean 只除以 B：应先 flatten(0, -2)",
    ),
    ("BATCH-SUM", (), "a sum over the samples: divide by their number", "对样本求和：应除以样本数"),
    ("BATCH-TWICE", (), "divided by the batch size twice", "除以了两次批大小"),
    (
        "REDUCED-THEN-MASKED",
        ("KD305",),
        "the mask meets a value that is reduced already",
        "掩码作用在已归约的值上",
    ),
    ("DEAD-MASK", ("KD307",), "the mask has no effect", "掩码不起作用"),
    (
        "MASK-DIVISOR",
        (),
        "the masked sum is divided by all positions: divide by mask.sum()",
        "掩码后的和除以了全部位置数：应除以 mask.sum()",
    ),
    ("PAD-UNMASKED", ("KD306",), "padding is distilled: mask it", "填充位置参与了蒸馏：应掩码"),
    (
        "SIGN-MISSING",
        ("KD308",),
        "the sign is reversed: the student is pushed away from the teacher",
        "符号反了：学生被推离教师",
    ),
    (
        "DIM-SEQ",
        ("KD401",),
        "softmax over the positions: dim=-1",
        "softmax 沿了位置维：应为 dim=-1",
    ),
    ("DIM-0", ("KD402",), "softmax over the batch: dim=-1", "softmax 沿了批次维：应为 dim=-1"),
    (
        "EMPTY-SLICE",
        ("KD404",),
        "a slice is empty, as x[:0:k] or x[:, :0] is: write x[:, :k]",
        "切片为空，如 x[:0:k] 或 x[:, :0]：应写 x[:, :k]",
    ),
    (
        "LABEL-OFFSET",
        ("KD406",),
        "the head is cut to the new classes, the labels count from the first class: subtract the "
        "number of old classes, unless the caller has done so",
        "分类头只取了新类，标签却从第一个类别数起：应减去旧类数，除非调用方已经减过",
    ),
    (
        "NO-KEEPDIM",
        ("KD407",),
        "p / p.sum(-1) divides the columns: pass keepdim=True",
        "p / p.sum(-1) 除的是列：应传 keepdim=True",
    ),
    (
        "COPYPASTE-NORM",
        ("KD606",),
        "the teacher is normalised by the student's sum",
        "教师用学生的和做了归一化",
    ),
    (
        "TEACHER-TRAIN-MODE",
        ("KD501",),
        "the teacher runs in train mode: call teacher.eval()",
        "教师处于 train 模式：应调用 teacher.eval()",
    ),
    (
        "BN-DRIFT",
        ("KD501",),
        "the teacher's running statistics drift, which no_grad does not stop: teacher.eval()",
        "教师的 BN 统计量在漂移，no_grad 挡不住：应调用 teacher.eval()",
    ),
    (
        "OPT-HAS-TEACHER",
        ("KD508",),
        "the optimiser moves the teacher: give it the student's parameters only",
        "优化器更新了教师：只应把学生的参数交给优化器",
    ),
    (
        "ALIAS-TEACHER",
        ("KD507",),
        "teacher and student share parameters: copy.deepcopy the student",
        "教师与学生共用参数：应使用 copy.deepcopy",
    ),
    (
        "TEACHER-GRAD",
        ("KD502",),
        "a gradient reaches the teacher: detach it",
        "梯度传到了教师：应 detach",
    ),
    ("STUDENT-UNUSED", ("KD509",), "the loss does not depend on the student", "损失不依赖学生"),
    (
        "GRAPH-CUT",
        ("KD504", "KD505"),
        "the student's graph is cut by .item(), .detach(), .data or no_grad",
        "学生的计算图被 .item()、.detach()、.data 或 no_grad 切断",
    ),
    (
        "NON-CONVEX",
        ("KD601",),
        "the two weights do not add up to a constant",
        "两项权重之和不是常数",
    ),
    (
        "MULTI-TEACHER-SUM",
        ("KD603",),
        "a sum over the teachers: divide by their number",
        "对教师求和：应除以教师数",
    ),
)

MISTAKES: dict[str, Mistake] = {k: Mistake(k, c, Text(en, zh)) for k, c, en, zh in _KINDS}
"""Every kind by name."""
