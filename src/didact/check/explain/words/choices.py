"""Where a mistake can be mended in more than one way: the choice, and why."""

from __future__ import annotations

from didact._core.i18n import Text

CHOICES: dict[str, Text] = {
    "SWAPPED": Text(
        "Choice: the divergence was turned to KL(teacher ‖ student), the one of Hinton et al., "
        "since "
        "nothing says that the reverse is meant. If KL(student ‖ teacher) is meant (mode seeking, "
        "as in MiniLLM), keep the author's line and mark it `# kd: reverse-kl`.",
        "取舍：改成了 KL(教师 ‖ 学生)，即 Hinton 等人的形式，因为代码里没有迹象表明想要反向 KL。"
        "如果确实要 KL(学生 ‖ 教师)（寻峰，如 MiniLLM），请保留原写法并注明 `# kd: reverse-kl`。",
    ),
    "BCE-ON-SOFTMAX": Text(
        "Choice: softmax on both sides says that one class out of C is meant, so BCE was replaced "
        "by the KL of the two distributions. If classes are independent (iCaRL), use "
        "`binary_cross_entropy_with_logits(student, sigmoid(teacher))` instead.",
        "取舍：两边都用 softmax，说明是 C 选一的分类，因此把 BCE 换成两个分布的 KL。"
        "如果各类相互独立（如 iCaRL），应改用 `binary_cross_entropy_with_logits(student, "
        "sigmoid(teacher))`。",
    ),
    "EMPTY-SLICE": Text(
        'Choice: the empty slice was read as "the first k classes", `[:, :k]`: dimension 0 is the '
        "batch, and the third number of a slice is its step.",
        "取舍：空切片按“前 k 个类别”理解，改为 `[:, :k]`：第 0 维是批，切片的第三个数是步长。",
    ),
    "T-ONE-SIDE": Text(
        "Choice: the temperature was put on both sides. Taking it away from both would be right, "
        "too, but would drop a softening that the author wrote down.",
        "取舍：两边都除以同一温度。两边都不除也对，但那样就丢掉了作者写下的软化。",
    ),
    "MULTI-TEACHER-SUM": Text(
        "Choice: the terms of the teachers are averaged, each with weight 1/N. Other weights that "
        "sum to 1 do as well.",
        "取舍：对各教师的项取平均，每个权重 1/N；换成其他总和为 1 的权重也可以。",
    ),
    "SIG/SOFTMAX-MIX": Text(
        "Choice: the target was given the link of the prediction side, since that fixes which "
        "loss it is.",
        "取舍：让目标与预测一侧使用同样的归一化方式，因为用哪种损失由预测一侧决定。",
    ),
    "HARD-CE-AT-T": Text(
        "Choice: the hard term sees the raw logits (T = 1), as in Hinton et al.; only the soft "
        "term is softened.",
        "取舍：硬标签项使用原始 logits（T = 1），与 Hinton 等人一致；只有软标签项做软化。",
    ),
    "NO-T2": Text(
        "Choice: T² was added to the soft term, so that its weight keeps its meaning when T is "
        "changed. A weight that was tuned without T² has to be tuned again.",
        "取舍：给软标签项补上 T²，这样调整 T 时权重的含义不变。若现有权重是在没有 T² 时调出来的，"
        "需要重新调。",
    ),
    "KL-MEAN": Text(
        "Choice: `batchmean`, the KL per sample. The term becomes C times larger; a weight that "
        "was tuned for `mean` must be divided by C.",
        "取舍：改用 `batchmean`，即每个样本的 KL。该项会变成原来的 C 倍；按 `mean` 调好的权重要除"
        "以 C。",
    ),
    "LABEL-OFFSET": Text(
        "Choice: the slice was kept and the labels were shifted. Cross-entropy over all classes "
        "with unshifted labels is the other right form.",
        "取舍：保留切片，把标签平移到切片内的编号。另一种正确写法是对全部类别做交叉熵、标签不平移。",
    ),
}
"""By kind of mistake."""
