"""What a loss term is called, with the paper that it is from."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.spaces import Role, Space


def term_name(use: LossUse) -> Text | None:
    """The name of a term, or None where it has none."""
    old_classes = use.target.class_slice or use.input.class_slice
    if use.kind == "soft_cross_entropy":
        return _LWF if old_classes else _SOFT
    if use.kind in {"kl_div", "kl_by_hand"}:
        if use.input.role is Role.TEACHER and use.target.role is Role.STUDENT:
            return _REVERSE
        return _LWF if old_classes else _HINTON
    if use.kind == "cross_entropy":
        if use.is_hard:
            return _HARD
        return _LWF if old_classes else _SOFT
    if use.kind in {"bce", "bce_logits"}:
        if use.kind == "bce" and use.input.space is Space.PROBS:
            return _BCE_SOFTMAX
        soft = use.target.role is Role.TEACHER or use.target.space in {
            Space.SIGMOID_PROBS, Space.PROBS,
        }  # fmt: skip
        return _ICARL if soft else _BCE
    if use.kind == "mse":
        logits = {Space.LOGITS, Space.OUTPUT}
        if use.input.space in logits or use.target.space in logits:
            return _LOGIT_MSE
        return _FITNETS if use.target.space is Space.FEATURES else _MSE
    return {"nll": _HARD, "cosine": _COSINE}.get(use.kind)


_HINTON = Text(
    "KL of softened outputs: the distillation loss of Hinton, Vinyals, Dean 2015 — T² · "
    "KL(softmax(t/T) ‖ softmax(s/T))",
    "软化输出的 KL：Hinton、Vinyals、Dean 2015 的蒸馏损失——T² · KL(softmax(t/T) ‖ softmax(s/T))",
)
_REVERSE = Text(
    "reverse KL, KL(student ‖ teacher): mode seeking (as in MiniLLM, Gu et al. 2024), where "
    "Hinton's is "
    "KL(teacher ‖ student)",
    "反向 KL，即 KL(学生 ‖ 教师)：寻峰（如 MiniLLM，Gu 等 2024）；Hinton 的是 KL(教师 ‖ 学生)",
)
_LWF = Text(
    "distillation on the old classes only: Learning without Forgetting (LwF, Li & Hoiem 2016); "
    "with one such term per old head it is EEIL's (Castro et al. 2018)",
    "只在旧类上蒸馏：LwF（Learning without Forgetting，Li & Hoiem 2016）；若每个旧分类头各有一项，"
    "即 EEIL（Castro 等 2018）",
)
_SOFT = Text(
    "cross-entropy against the teacher's probabilities: KL plus the teacher's entropy, a "
    "constant, so the gradient is that of KL",
    "对教师概率的交叉熵：等于 KL 加教师的熵（常数），梯度与 KL 相同",
)
_HARD = Text("cross-entropy with the true labels (the hard term)", "对真实标签的交叉熵（硬标签项）")
_ICARL = Text(
    "binary distillation, class by class, as in iCaRL (Rebuffi et al. 2017)",
    "逐类的二元蒸馏，即 iCaRL（Rebuffi 等 2017）的做法",
)
_BCE_SOFTMAX = Text(
    "element-wise BCE on softmax outputs: neither the KL of Hinton et al. nor iCaRL's binary loss, "
    "which uses sigmoid",
    "在 softmax 输出上逐元素做 BCE：既不是 Hinton 的 KL，也不是 iCaRL 的二元损失（后者用 sigmoid）",
)
_BCE = Text("binary cross-entropy, class by class", "逐类的二元交叉熵")
_LOGIT_MSE = Text("logit matching (Ba & Caruana 2014)", "logits 回归（Ba & Caruana 2014）")
_FITNETS = Text(
    "feature matching, as the hints of FitNets (Romero et al. 2015)",
    "特征匹配，即 FitNets 的 hint（Romero 等 2015）",
)
_MSE = Text("mean squared error", "均方误差")
_COSINE = Text(
    "cosine distance, as LUCIR's less-forget term (Hou et al. 2019) when taken on features",
    "余弦距离；用在特征上即 LUCIR 的 less-forget 项（Hou 等 2019）",
)
