"""The named losses: each is a line or two of plain PyTorch, followed like any other code.

``s`` is the student's tensor, ``t`` the teacher's, ``y`` the labels, ``T`` the temperature,
``axis`` the dimension of the classes, ``k`` the number of old classes. The power of T that belongs
before a term stands apart from it, so that a missing one can be named.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cache

from didact._core.i18n import Text
from didact.check.explain.formula.trace import trace
from didact.check.explain.formula.tree import Call, Constant, Given, Node, givens, rebuilt


@dataclass(frozen=True, slots=True)
class Definition:
    """One named loss.

    Attributes:
        key: A short name.
        name: How it is called.
        paper: Where it was published.
        formula: How the paper writes it, without its weight.
        code: What it computes, as statements that end in ``return``.
        power: The power of T before it; None where T has no part in it.
        ranks: The numbers of dimensions for which it is defined.
        hard: It compares with the labels.
        several: It is itself a sum of terms.
        narrow: Its ``t`` has the old classes alone.
        listed: Its ``t`` is a list, of one tensor for each teacher.
    """

    key: str
    name: Text
    paper: str
    formula: str
    code: str
    power: int | None = None
    ranks: tuple[int, ...] = (2, 3, 4)
    hard: bool = False
    several: bool = False
    listed: bool = False
    narrow: bool = False


_LOGS = (
    "ls = F.log_softmax(s / T, axis)\nlt = F.log_softmax(t / T, axis)\np = F.softmax(t / T, axis)\n"
)
LOGITS = frozenset(
    [
        "ce",
        "ce_padded",
        "ce_smooth",
        "kd",
        "soft_ce",
        "kd_average",
        "soft_ce_average",
        "dino",
        "dino_uncentred",
        "tf_kd",
        "kd_masked",
        "soft_ce_masked",
        "reverse_kl",
        "reverse_kl_masked",
        "jsd",
        "jsd_masked",
        "tckd",
        "nckd",
        "icarl",
        "icarl_labels",
        "icarl_narrow",
        "icarl_narrow_sum",
        "icarl_labels_sum",
        "bce_labels_sum",
        "ce_smooth_hand",
        "virtual_ce",
        "skew_kl",
        "infonce",
        "infonce_raw",
        "infonce_back",
        "infonce_back_raw",
        "focal",
        "icarl_apart",
        "bce",
        "binary_kd",
        "hard_kd",
        "cwd",
        "dist_inter",
        "dist_intra",
        "mse_probs",
        "mse_probs_rows",
        "bce_labels",
    ]
)
"""The losses that are defined on scores: what is normalised already does not belong there."""
GENERIC = frozenset(
    {"mse", "mse_rows", "mse_sum", "l1", "l1_rows", "smooth_l1", "cosine", "byol", "simsiam"}
)
"""Comparisons of any two parts."""
_TARGET = "hot = F.one_hot(y, s.size(1)).float()\n"
_HINTON = "Hinton, Vinyals, Dean 2015, arXiv:1503.02531"


def _same(text: str) -> Text:
    return Text(text, text)


DEFINITIONS = (
    Definition(
        "ce", Text("cross-entropy with the labels", "对真实标签的交叉熵"), "", "CE(s, y)",
        "return F.cross_entropy(s, y)", hard=True, ranks=(2, 4),
    ),
    Definition(
        "ce_padded",
        Text("cross-entropy with the labels, padding left out", "忽略填充位置的交叉熵"), "",
        "CE(s, y) where y is not padding",
        "return F.cross_entropy(s, y, ignore_index=pad)", hard=True, ranks=(2, 4),
    ),
    Definition(
        "ce_smooth", Text("cross-entropy with smoothed labels", "标签平滑的交叉熵"), "",
        "CE(s, (1−ε)·y + ε/C)",
        "return F.cross_entropy(s, y, label_smoothing=eps)", hard=True, ranks=(2, 4),
    ),
    Definition(
        "kd", Text("Hinton KD", "Hinton 知识蒸馏（KD）"), _HINTON,
        "T² · KL(softmax(t/T) ‖ softmax(s/T))",
        _LOGS + "return (p * (lt - ls)).sum(axis).mean()", power=2,
    ),
    Definition(
        "soft_ce",
        Text(
            "Hinton KD as a cross-entropy of soft targets", "Hinton 知识蒸馏（软标签交叉熵形式）"
        ),
        _HINTON, "−T² · Σ softmax(t/T) · log softmax(s/T)",
        _LOGS + "return -(p * ls).sum(axis).mean()", power=2,
    ),
    Definition(
        "kd_average",
        Text(
            "Hinton KD to the mean of the teachers' probabilities",
            "以各教师概率均值为目标的 Hinton 知识蒸馏（KD）",
        ),
        _HINTON, "T² · KL(mean of softmax(t_k/T) ‖ softmax(s/T))",
        "ls = F.log_softmax(s / T, axis)\n"
        "p = torch.stack([F.softmax(x / T, axis) for x in t]).mean(0)\n"
        "return (p * (p.log() - ls)).sum(axis).mean()", power=2, listed=True,
    ),
    Definition(
        "soft_ce_average",
        Text(
            "cross-entropy with the mean of the teachers' probabilities",
            "以各教师概率均值为目标的软标签交叉熵",
        ),
        _HINTON, "−T² · Σ mean of softmax(t_k/T) · log softmax(s/T)",
        "p = torch.stack([F.softmax(x / T, axis) for x in t]).mean(0)\n"
        "return -(p * F.log_softmax(s / T, axis)).sum(axis).mean()", power=2, listed=True,
    ),
    Definition(
        "dino", Text("DINO's cross-entropy of two temperatures", "DINO 的双温度交叉熵"),
        "Caron et al. 2021 (DINO), arXiv:2104.14294",
        "−Σ softmax((t − c)/T_t) · log softmax(s/T_s), c = EMA(t)",
        "return -(F.softmax((t - c) / U, axis) * F.log_softmax(s / T, axis)).sum(axis).mean()",
        power=0,
    ),
    Definition(
        "dino_uncentred",
        Text("a cross-entropy of two temperatures, as DINO's without its centre",
             "双温度交叉熵（形同 DINO，但没有中心化）"),
        "Caron et al. 2021 (DINO), arXiv:2104.14294",
        "−Σ softmax(t/T_t) · log softmax(s/T_s)",
        "return -(F.softmax(t / U, axis) * F.log_softmax(s / T, axis)).sum(axis).mean()", power=0,
    ),
    Definition(
        "tf_kd", Text("Tf-KD's virtual teacher", "Tf-KD 的虚拟教师"),
        "Yuan et al. 2020 (Tf-KD), arXiv:1909.11723",
        "KL(softmax(v/T) ‖ softmax(s)), v = a for the true class, (1 − a)/(C − 1) for the others",
        "n = s.size(1)\nv = torch.full_like(s, (1 - beta) / (n - 1))\n"
        "v.scatter_(1, y.unsqueeze(1), beta)\np = F.softmax(v / T, 1)\n"
        "return (p * (p.log() - F.log_softmax(s, 1))).sum(1).mean()",
        power=0, ranks=(2,), hard=True,
    ),
    Definition(
        "kd_masked",
        Text("Hinton KD over the positions of a mask", "按掩码取位置的 Hinton 知识蒸馏（KD）"),
        _HINTON, "T² · Σ m·KL(softmax(t/T) ‖ softmax(s/T)) / Σ m",
        _LOGS + "rows = (p * (lt - ls)).sum(axis)\nreturn (rows * m).sum() / m.sum()", power=2,
    ),
    Definition(
        "soft_ce_masked",
        Text(
            "Hinton KD as a cross-entropy over the positions of a mask",
            "按掩码取位置的 Hinton 知识蒸馏（软标签交叉熵形式）",
        ),
        _HINTON, "−T² · Σ m·Σ softmax(t/T)·log softmax(s/T) / Σ m",
        _LOGS + "rows = -(p * ls).sum(axis)\nreturn (rows * m).sum() / m.sum()", power=2,
    ),
    Definition(
        "reverse_kl", Text("reverse KL (MiniLLM)", "反向 KL（MiniLLM）"),
        "Gu et al. 2024, arXiv:2306.08543", "KL(softmax(s/T) ‖ softmax(t/T))",
        _LOGS + "return (F.softmax(s / T, axis) * (ls - lt)).sum(axis).mean()", power=2,
    ),
    Definition(
        "reverse_kl_masked",
        Text("reverse KL over the positions of a mask", "按掩码取位置的反向 KL（MiniLLM）"),
        "Gu et al. 2024, arXiv:2306.08543", "Σ m·KL(softmax(s/T) ‖ softmax(t/T)) / Σ m",
        _LOGS + "rows = (F.softmax(s / T, axis) * (ls - lt)).sum(axis)\n"
        "return (rows * m).sum() / m.sum()", power=2,
    ),
    Definition(
        "jsd", Text("generalised Jensen–Shannon divergence", "广义 Jensen–Shannon 散度（JSD）"),
        "Agarwal et al. 2024, arXiv:2306.13649",
        "β·KL(p ‖ m) + (1−β)·KL(q ‖ m), m = β·p + (1−β)·q",
        _LOGS + "q = F.softmax(s / T, axis)\nm = beta * p + (1 - beta) * q\n"
        "return (beta * (p * (lt - m.log())).sum(axis)"
        " + (1 - beta) * (q * (ls - m.log())).sum(axis)).mean()", power=0,
    ),
    Definition(
        "jsd_masked",
        Text("generalised Jensen–Shannon divergence over the positions of a mask",
             "按掩码取位置的广义 Jensen–Shannon 散度（JSD）"),
        "Agarwal et al. 2024, arXiv:2306.13649",
        "Σ mask·JSD_β / Σ mask, JSD_β = β·KL(p ‖ m) + (1−β)·KL(q ‖ m), m = β·p + (1−β)·q",
        _LOGS + "q = F.softmax(s / T, axis)\nw = beta * p + (1 - beta) * q\n"
        "rows = beta * (p * (lt - w.log())).sum(axis) + (1 - beta) * (q * (ls - w.log())).sum(axis)"
        "\nreturn (rows * m).sum() / m.sum()", power=0,
    ),
    Definition(
        "tckd", _same("DKD: TCKD"), "Zhao et al. 2022 (DKD), arXiv:2203.08679",
        "T² · KL([p_y, 1−p_y] ‖ [q_y, 1−q_y])",
        _TARGET + "a = (F.softmax(t / T, 1) * hot).sum(1)\nb = (F.softmax(s / T, 1) * hot).sum(1)\n"
        "return (a * (a.log() - b.log()) + (1 - a) * ((1 - a).log() - (1 - b).log())).mean()",
        power=2, ranks=(2,),
    ),
    Definition(
        "nckd", _same("DKD: NCKD"), "Zhao et al. 2022 (DKD), arXiv:2203.08679",
        "T² · KL(p without y ‖ q without y)",
        _TARGET + "a = F.log_softmax(t / T - 1000.0 * hot, 1)\n"
        "b = F.log_softmax(s / T - 1000.0 * hot, 1)\n"
        "return (a.exp() * (a - b)).sum(1).mean()", power=2, ranks=(2,),
    ),
    Definition(
        "icarl", Text("iCaRL's binary loss", "iCaRL 的二元交叉熵"),
        "Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725",
        "BCE(σ(s), h), h = σ(t) on the old classes, one-hot labels on the new",
        "h[:, :k] = torch.sigmoid(t[:, :k])\n"
        "return F.binary_cross_entropy_with_logits(s, h)", ranks=(2,), hard=True,
    ),
    Definition(
        "icarl_labels", Text("iCaRL's binary loss", "iCaRL 的二元交叉熵"),
        "Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725",
        "BCE(σ(s), h), h = σ(t) on the old classes, one-hot labels on the new",
        _TARGET + "hot[:, :k] = torch.sigmoid(t[:, :k])\n"
        "return F.binary_cross_entropy_with_logits(s, hot)", ranks=(2,), hard=True,
    ),
    *(
        Definition(
            f"icarl{name}", Text("iCaRL's binary loss", "iCaRL 的二元交叉熵"),
            "Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725",
            "BCE(σ(s), h), h = σ(t) on the old classes, one-hot labels on the new",
            _TARGET + f"hot[:, :k] = torch.sigmoid({teacher})\n"
            f"return F.binary_cross_entropy_with_logits(s, hot{how}",
            ranks=(2,), hard=True, narrow=narrow,
        )
        for name, teacher, how, narrow in (
            ("_narrow", "t", ")", True),
            ("_narrow_sum", "t", ', reduction="sum") / s.size(0)', True),
            ("_labels_sum", "t[:, :k]", ', reduction="sum") / s.size(0)', False),
        )
    ),
    Definition(
        "bce_labels_sum", Text("binary cross-entropy with the labels", "对标签的二元交叉熵"), "",
        "Σ BCE(σ(s), one-hot(y))",
        _TARGET + 'return F.binary_cross_entropy_with_logits(s, hot, reduction="sum") / s.size(0)',
        hard=True, ranks=(2,),
    ),
    Definition(
        "ce_smooth_hand", Text("cross-entropy with smoothed labels", "标签平滑的交叉熵"), "",
        "CE(s, (1−ε)·y + ε/C)",
        "return F.cross_entropy(s, y, label_smoothing=beta)", hard=True, ranks=(2,),
    ),
    Definition(
        "virtual_ce",
        Text(
            "cross-entropy with a virtual teacher (smoothed labels, ε/(C−1) for the others)",
            "以虚拟教师（平滑标签，其余类各 ε/(C−1)）为目标的交叉熵",
        ),
        "Yuan et al. 2020 (Tf-KD), arXiv:1909.11723",
        "−Σ v·log softmax(s), v = 1 − ε for the true class, ε/(C − 1) for the others",
        "n = s.size(1)\nv = torch.full_like(s, beta / (n - 1))\n"
        "v.scatter_(1, y.unsqueeze(1), 1 - beta)\n"
        "return -(v * F.log_softmax(s, 1)).sum(1).mean()", ranks=(2,), hard=True,
    ),
    Definition(
        "skew_kl", Text("skewed KL (DistiLLM)", "偏斜 KL（DistiLLM）"),
        "Ko et al. 2024 (DistiLLM), arXiv:2402.03898", "KL(p ‖ β·p + (1−β)·q)",
        _LOGS + "m = beta * p + (1 - beta) * F.softmax(s / T, axis)\n"
        "return (p * (lt - m.log())).sum(axis).mean()", power=0,
    ),
    Definition(
        "infonce", Text("contrastive loss of the batch (InfoNCE)", "批内对比损失（InfoNCE）"),
        "van den Oord et al. 2018, arXiv:1807.03748; Tian et al. 2020 (CRD)",
        "CE(cos(s_i, t_j)/T, i)",
        "z = F.normalize(s) @ F.normalize(t).t() / T\n"
        "return F.cross_entropy(z, torch.arange(s.size(0)))", ranks=(2,), power=0,
    ),
    Definition(
        "infonce_raw",
        Text("contrastive loss of the batch (InfoNCE), of inner products that are not normalised",
             "批内对比损失（InfoNCE，用未归一化的内积）"),
        "van den Oord et al. 2018, arXiv:1807.03748", "CE(s_i · t_j/T, i)",
        "return F.cross_entropy(s @ t.t() / T, torch.arange(s.size(0)))", ranks=(2,), power=0,
    ),
    Definition(
        "infonce_back",
        Text("contrastive loss of the batch (InfoNCE), from the teacher to the student",
             "批内对比损失（InfoNCE），由教师找学生"),
        "van den Oord et al. 2018, arXiv:1807.03748", "CE(cos(t_i, s_j)/T, i)",
        "z = F.normalize(t) @ F.normalize(s).t() / T\n"
        "return F.cross_entropy(z, torch.arange(s.size(0)))", ranks=(2,), power=0,
    ),
    Definition(
        "infonce_back_raw",
        Text("contrastive loss of the batch (InfoNCE), from the teacher to the student, of inner "
             "products that are not normalised",
             "批内对比损失（InfoNCE，用未归一化的内积），由教师找学生"),
        "van den Oord et al. 2018, arXiv:1807.03748", "CE(t_i · s_j/T, i)",
        "return F.cross_entropy(t @ s.t() / T, torch.arange(s.size(0)))", ranks=(2,), power=0,
    ),
    Definition(
        "focal", Text("focal loss", "focal loss"), "Lin et al. 2017, arXiv:1708.02002",
        "mean (1 − p_y)^γ · CE(s, y)",
        "c = F.cross_entropy(s, y, reduction='none')\n"
        "return ((1 - (-c).exp()) ** beta * c).mean()", ranks=(2,), hard=True,
    ),
    Definition(
        "icarl_apart",
        Text("iCaRL's binary loss, old and new classes apart", "iCaRL 的二元交叉熵（新旧类分开）"),
        "Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725",
        "BCE(σ(s_new), one-hot(y)) + BCE(σ(s_old), σ(t_old))",
        _TARGET + "a = F.binary_cross_entropy_with_logits(s[:, k:], hot[:, k:])\n"
        "return a + F.binary_cross_entropy_with_logits(s[:, :k], torch.sigmoid(t[:, :k]))",
        ranks=(2,), hard=True, several=True,
    ),
    Definition(
        "mse_centred", Text("squared differences of the centred logits", "中心化 logits 的均方差"),
        "Ba, Caruana 2014", "mean ((s − s̄) − (t − t̄))²",
        "return F.mse_loss(s - s.mean(axis, keepdim=True), t - t.mean(axis, keepdim=True))",
    ),
    Definition(
        "bce", Text("binary cross-entropy with the labels", "对标签的二元交叉熵"), "",
        "BCE(σ(s), h)", "return F.binary_cross_entropy_with_logits(s, h)", hard=True,
    ),
    Definition(
        "bce_labels", Text("binary cross-entropy with the labels", "对标签的二元交叉熵"), "",
        "BCE(σ(s), one-hot(y))",
        _TARGET + "return F.binary_cross_entropy_with_logits(s, hot)", hard=True, ranks=(2,),
    ),
    Definition(
        "mse_probs",
        Text("squared differences of the probabilities", "概率的均方差（一致性损失）"),
        "Tarvainen, Valpola 2017 (Mean Teacher), arXiv:1703.01780",
        "mean (softmax(s/T) − softmax(t/T))²",
        "return F.mse_loss(F.softmax(s / T, axis), F.softmax(t / T, axis))",
    ),
    Definition(
        "mse_probs_rows",
        Text("squared distances of the probabilities", "概率的平方距离（一致性损失）"),
        "Tarvainen, Valpola 2017 (Mean Teacher), arXiv:1703.01780",
        "mean ‖softmax(s/T) − softmax(t/T)‖²",
        "a = F.softmax(s / T, axis) - F.softmax(t / T, axis)\n"
        "return a.pow(2).sum(axis).mean()",
    ),
    Definition(
        "binary_kd", Text("binary distillation (sigmoid)", "二元蒸馏（sigmoid）"),
        "Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725", "BCE(σ(s/T), σ(t/T))",
        "return F.binary_cross_entropy_with_logits(s / T, torch.sigmoid(t / T))", power=0,
    ),
    Definition(
        "hard_kd", Text("hard distillation (DeiT)", "硬标签蒸馏（DeiT）"),
        "Touvron et al. 2021 (DeiT), arXiv:2012.12877", "CE(s, argmax t)",
        "return F.cross_entropy(s, t.argmax(1))", ranks=(2, 4),
    ),
    Definition(
        "mse", Text("squared differences", "均方差匹配"),
        "Ba, Caruana 2014; Romero et al. 2015 (FitNets), arXiv:1412.6550", "mean (s − t)²",
        "return F.mse_loss(s, t)",
    ),
    Definition(
        "mse_masked",
        Text("squared differences over the places of a mask", "按掩码取位置的均方差"),
        "Wang et al. 2019 (fine-grained feature imitation), arXiv:1906.03609",
        "1/(2·Σ m) · Σ m·(s − t)²",
        "return ((s - t).pow(2) * m).sum() / m.sum()",
    ),
    Definition(
        "mse_rows",
        Text("squared distances, averaged over the samples", "平方距离，对样本取平均"),
        "Ba, Caruana 2014", "mean ‖s − t‖²",
        "return (s - t).flatten(1).pow(2).sum(1).mean()",
    ),
    Definition(
        "mse_sum", Text("the sum of squared differences", "差的平方和"), "", "Σ (s − t)²",
        "return (s - t).pow(2).sum()",
    ),
    Definition(
        "l1_rows",
        Text("absolute differences, averaged over the samples", "绝对差之和，对样本取平均"), "",
        "mean ‖s − t‖₁", "return (s - t).flatten(1).abs().sum(1).mean()",
    ),
    Definition(
        "l1", Text("absolute differences", "绝对差匹配"), "", "mean |s − t|",
        "return F.l1_loss(s, t)",
    ),
    Definition(
        "smooth_l1", Text("smooth absolute differences", "平滑绝对差匹配"), "", "huber(s − t)",
        "return F.smooth_l1_loss(s, t)",
    ),
    Definition(
        "cosine",
        Text("a cosine distance, as in LUCIR and DistilBERT",
             "余弦距离，LUCIR、DistilBERT 中有这一项"),
        "Hou et al. 2019; Sanh et al. 2019", "1 − cos(s, t)",
        "return 1 - F.cosine_similarity(s, t, dim=-1).mean()", ranks=(2, 3),
    ),
    Definition(
        "byol",
        Text("BYOL's squared distance of unit vectors", "BYOL 的损失（单位向量的平方距离）"),
        "Grill et al. 2020 (BYOL), arXiv:2006.07733", "2 − 2·cos(s, t)",
        "return 2 - 2 * F.cosine_similarity(s, t, dim=-1).mean()", ranks=(2, 3),
    ),
    Definition(
        "simsiam", Text("SimSiam's negative cosine", "SimSiam 的负余弦相似度"),
        "Chen, He 2021 (SimSiam), arXiv:2011.10566", "−cos(s, t)",
        "return -F.cosine_similarity(s, t, dim=-1).mean()", ranks=(2, 3),
    ),
    Definition(
        "rkd_distance", Text("RKD, distances", "RKD 距离损失"),
        "Park et al. 2019 (RKD), arXiv:1904.05068", "huber(d(s)/mean d(s) − d(t)/mean d(t))",
        "a = torch.cdist(s, s)\nb = torch.cdist(t, t)\n"
        "return F.smooth_l1_loss(a / a[a > 0].mean(), b / b[b > 0].mean())", ranks=(2,),
    ),
    Definition(
        "rkd_angle", Text("RKD, angles", "RKD 角度损失"),
        "Park et al. 2019 (RKD), arXiv:1904.05068", "huber(cos ∠(s_i s_j s_k) − c"
        "os ∠(t_i t_j t_k))",
        "a = F.normalize(s.unsqueeze(0) - s.unsqueeze(1), p=2, dim=2)\n"
        "b = F.normalize(t.unsqueeze(0) - t.unsqueeze(1), p=2, dim=2)\n"
        "return F.smooth_l1_loss(torch.bmm(a, a.transpose(1, 2)), torch.bmm(b, b.transpose(1, 2)))",
        ranks=(2,),
    ),
    Definition(
        "at", Text("attention transfer (AT)", "注意力迁移（AT）"),
        "Zagoruyko, Komodakis 2017 (AT), arXiv:1612.03928", "mean (Q(s)/‖Q(s)‖ − Q(t)/‖Q(t)‖)²",
        "a = F.normalize(s.pow(2).mean(1).flatten(1))\nb = F.normalize(t.pow(2).m"
        "ean(1).flatten(1))\n"
        "return (a - b).pow(2).mean()", ranks=(4,),
    ),
    Definition(
        "pairwise",
        Text("structured distillation of pairs of places", "成对位置相似度的结构化蒸馏"),
        "Liu et al. 2019 (structured KD), arXiv:1903.04197",
        "mean (cos(s_i, s_j) − cos(t_i, t_j))² over pairs of places",
        "a = F.normalize(s.flatten(2), dim=1)\nb = F.normalize(t.flatten(2), dim=1)\n"
        "return (a.transpose(1, 2) @ a - b.transpose(1, 2) @ b).pow(2).mean()", ranks=(4,),
    ),
    Definition(
        "nst", Text("NST (neuron selectivity transfer)", "NST（神经元选择性迁移）"),
        "Huang, Wang 2017 (NST), arXiv:1707.01219", "mean k(t,t) + mean k(s,s) − 2 mean k(s,t)",
        "a = F.normalize(s.flatten(2), dim=2)\nb = F.normalize(t.flatten(2), dim=2)\n"
        "return (torch.bmm(b, b.transpose(1, 2)).pow(2).mean()"
        " + torch.bmm(a, a.transpose(1, 2)).pow(2).mean()"
        " - 2 * torch.bmm(a, b.transpose(1, 2)).pow(2).mean())", ranks=(4,), several=True,
    ),
    Definition(
        "nst_student",
        Text("NST, without its constant term", "NST（省略与学生无关的常数项）"),
        "Huang, Wang 2017 (NST), arXiv:1707.01219", "mean k(s,s) − 2 mean k(s,t)",
        "a = F.normalize(s.flatten(2), dim=2)\nb = F.normalize(t.flatten(2), dim=2)\n"
        "return (torch.bmm(a, a.transpose(1, 2)).pow(2).mean()"
        " - 2 * torch.bmm(a, b.transpose(1, 2)).pow(2).mean())", ranks=(4,), several=True,
    ),
    Definition(
        "sp", Text("SP (similarity-preserving)", "SP（保持相似度）"),
        "Tung, Mori 2019 (SP), arXiv:1907.09682", "‖G(s) − G(t)‖² / B²",
        "a = s.flatten(1)\nb = t.flatten(1)\n"
        "return (F.normalize(a @ a.t()) - F.normalize(b @ b.t())).pow(2).mean()",
    ),
    Definition(
        "pod", Text("PODNet's spatial loss", "PODNet 的空间蒸馏损失"),
        "Douillard et al. 2020 (PODNet), arXiv:2004.13513",
        "mean ‖P(s) − P(t)‖, P = the squares summed over the width and over the height, normalised",
        "a = torch.cat([s.pow(2).sum(3).flatten(1), s.pow(2).sum(2).flatten(1)], -1)\n"
        "b = torch.cat([t.pow(2).sum(3).flatten(1), t.pow(2).sum(2).flatten(1)], -1)\n"
        "return (F.normalize(a) - F.normalize(b)).norm(dim=1).mean()", ranks=(4,),
    ),
    Definition(
        "cwd", Text("CWD (channel-wise distillation)", "CWD（通道蒸馏）"),
        "Shu et al. 2021 (CWD), arXiv:2011.13256",
        "T² · KL(softmax over places(t/T) ‖ softmax over places(s/T)), averaged over channels",
        "a = F.log_softmax(s.flatten(2) / T, 2)\nb = F.log_softmax(t.flatten(2) / T, 2)\n"
        "return (b.exp() * (b - a)).sum(2).mean()", power=2, ranks=(4,),
    ),
    Definition(
        "dist_inter", Text("DIST, between classes", "DIST（类间相关）"),
        "Huang et al. 2022 (DIST), arXiv:2205.10536", "1 − ρ(q_i, p_i), over the samples i",
        "a = F.softmax(s / T, 1)\nb = F.softmax(t / T, 1)\n"
        "a = a - a.mean(1, keepdim=True)\nb = b - b.mean(1, keepdim=True)\n"
        "return 1 - F.cosine_similarity(a, b, dim=1).mean()", power=2, ranks=(2,),
    ),
    Definition(
        "dist_intra", Text("DIST, within classes", "DIST（类内相关）"),
        "Huang et al. 2022 (DIST), arXiv:2205.10536", "1 − ρ(q_c, p_c), over the classes c",
        "a = F.softmax(s / T, 1).t()\nb = F.softmax(t / T, 1).t()\n"
        "a = a - a.mean(1, keepdim=True)\nb = b - b.mean(1, keepdim=True)\n"
        "return 1 - F.cosine_similarity(a, b, dim=1).mean()", power=2, ranks=(2,),
    ),
    Definition(
        "pkt", _same("PKT"), "Passalis, Tefas 2018 (PKT), arXiv:1803.10837",
        "mean P·(log P − log Q) of cosine similarities",
        "a = F.normalize(s)\nb = F.normalize(t)\n"
        "a = (a @ a.t() + 1) / 2\nb = (b @ b.t() + 1) / 2\n"
        "a = a / a.sum(1, keepdim=True)\nb = b / b.sum(1, keepdim=True)\n"
        "return (b * (b / a).log()).mean()", ranks=(2,),
    ),
)  # fmt: skip
EWC = Definition(
    "ewc",
    Text("EWC's penalty", "EWC 的惩罚项"),
    "Kirkpatrick et al. 2017 (EWC), arXiv:1612.00796",
    "λ/2 · Σ F·(θ − θ*)², over all parameters",
    "",
)
L2_SP = Definition(
    "l2_sp",
    Text("the squared distance of the parameters from the old ones", "参数与旧参数之差的平方和"),
    "Li et al. 2018 (L2-SP), arXiv:1802.01483",
    "α/2 · Σ (θ − θ*)², over all parameters",
    "",
)
RANKING = Definition(
    "margin",
    Text("margin ranking loss", "间隔排序损失（margin ranking）"),
    "Hou et al. 2019 (LUCIR)",
    "mean max(0, m − (a − b))",
    "",
)
"""Losses that their form tells, and no comparison of numbers."""
BY_KEY = {d.key: d for d in (*DEFINITIONS, EWC, L2_SP, RANKING)}


@cache
def without_square(definition: Definition) -> Definition:
    """The same loss as papers write it that leave T² out."""
    return replace(definition, formula=definition.formula.replace("T² · ", ""))


@cache
def tree_of(definition: Definition) -> tuple[Node, dict[str, Given]]:
    """The formula of a definition, and its names."""
    source = "def f():\n" + "".join(f"    {line}\n" for line in definition.code.split("\n"))
    value = _shared(trace(ast.parse(source)).entries[0].value)
    return value, {g.text: g for g in givens(value)}


_PARTS: dict[tuple[object, ...], Node] = {}


def _shared(node: Node) -> Node:
    """A formula with equal parts made one object, over all definitions: evaluated once."""
    key: tuple[object, ...]
    if isinstance(node, Given) and not node.inputs:
        key = (Given, node.text, repr(node.default), node.model)
    elif isinstance(node, Constant):
        key = (Constant, type(node.value), repr(node.value), node.factors)
    elif isinstance(node, Call):
        made = rebuilt(node, _shared)
        assert isinstance(made, Call)
        node = made
        key = (Call, node.name, *map(id, node.args), *((k, id(v)) for k, v in node.keywords))
    else:
        return rebuilt(node, _shared)
    return _PARTS.setdefault(key, node)
