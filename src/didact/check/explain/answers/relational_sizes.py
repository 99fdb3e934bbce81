"""Whether student and teacher must have the same width, number of channels or of classes."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Call, walk

PLACE = 20
ASKS = either(
    r"(same|different|equal|match\w*|matter).*(channel|width|dim|size|number|shape)"
    r"|(channel|width|dim|size|shape)\w*.*(same|different|equal|match|differ)",
    r"\bH ?[、,，和及/x×]? ?W.{0,8}(一样|相同|不同|一致)|(通道|维度|维数|宽度|尺寸|形状"
    r"|大小).*(一样|不同|不一样|相同|一致|不等)|(一样|不同"
    r"|相同).*(通道|维度|维数|宽度)",
)
_GRAM = Text(
    "No: what is compared are relations within the batch, a B×B matrix on each side, whose size "
    "does not depend on the width of the features. Only the batch must be the same.",
    "不需要：比较的是批内样本之间的关系，两边都是 B×B 的矩阵，与特征的宽度无关，只要批大小一致。",
)
_PLACES = either(
    r"\bH ?[,x×/&]? ?W\b|\bH and W\b|spatial|resolution", r"\bH ?[、,，和及/x×]? ?W|空间|分辨率"
)
_ELEMENTWISE_PLACES = Text(
    "Yes: the two are compared place by place, so H and W must be equal when they come to the "
    "comparison; a 1×1 convolution changes the channels alone. Where they differ, resize one of "
    "the maps (F.interpolate or F.adaptive_avg_pool2d).",
    "要：两边逐位置比较，比较时 H、W 必须相同；1×1 卷积只改变通道数。不同时先缩放其中一个"
    "（F.interpolate 或 F.adaptive_avg_pool2d）。",
)
_PRODUCTS = frozenset({"matmul", "mm", "bmm", "cdist", "pdist"})
_CHANNELWISE = Text(
    "Yes: channel c of the student is compared with channel c of the teacher over the same H·W "
    "places, so C, H and W must all be equal; bring the student's to the teacher's by a 1×1 "
    "convolution, or resize the map.",
    "要：学生的第 c 个通道与教师的第 c 个通道在同样的 H·W 个位置上比较，C、"
    "H、W 都必须相同；不同时用 "
    "1×1 卷积对齐通道，或把特征图缩放到同样大小。",
)
_KERNEL = Text(
    "The number of channels may differ, as the kernel compares each channel as a vector of its H·W "
    "places; that number of places must be the same.",
    "通道数可以不同：核函数把每个通道当作 H·W 维的向量来比较；H·W 必须相同。",
)
_CHANNELS = Text(
    "Yes: channel i of the student is compared with channel i of the teacher, so both need as "
    "many. Where they differ, a 1×1 convolution brings the student's to the teacher's number, "
    "and its parameters go to the optimiser.",
    "要：学生的第 i 个通道与教师的第 i 个通道比较，两边通道数必须相同。不同时，用 1×1 卷积把学生的"
    "通道数变成教师的，并把它的参数交给优化器。",
)
_ELEMENTWISE = Text(
    "Yes: the two are compared entry by entry, so their shapes must be equal. Where the widths "
    "differ, bring the student's to the teacher's by a linear layer or a 1×1 convolution, and "
    "give its parameters to the optimiser.",
    "要：两边逐元素比较，形状必须相同。宽度不同时，用线性层或 1×1 卷积把学生的映射到教师的宽度，"
    "并把它的参数也交给优化器。",
)
_PROJECTED = Text(
    "No: `{layer}` brings the student's to the teacher's width before they are compared.",
    "不需要：比较之前 `{layer}` 已把学生的特征映射到教师的宽度。",
)


def answer(question: str, code: Code) -> Text | None:
    """By the named loss that is computed."""
    keys = code.keys
    if re.search(r"divid|除以", question):
        return None
    if keys & {"rkd_distance", "rkd_angle", "sp", "pkt"}:
        return _may_differ(question, _GRAM)
    if "cwd" in keys:
        return None if _CAN_DIFFER.search(question) else _CHANNELWISE
    compared = [t for t in code.terms if t.definition is not None and t.student is not None
                and t.definition.key in {"smooth_l1", "mse", "l1"}]  # fmt: skip
    if any(isinstance(p, Call) and p.name in _PRODUCTS for t in compared for p in walk(t.student)):  # type: ignore[arg-type]
        return None
    if keys & {"nst", "nst_student"}:
        return _KERNEL
    if keys & {"cwd"}:
        layer = re.search(r"= (nn\.(?:Linear|Conv2d|Conv1d)\([^\n]*\))", code.text)
        return _CHANNELS if layer is None else _may_differ(
            question, _PROJECTED.format(layer=layer[1])
        )  # fmt: skip
    if keys & {"mse", "mse_rows", "mse_sum", "l1", "smooth_l1", "cosine"} and re.search(
        r"channel|width|dim|feature|通道|维|宽度|特征"
        r"|\bH ?[、,，和及/x×]? ?W",
        question,
        re.IGNORECASE,
    ):
        if _PLACES.search(question):
            return None if _CAN_DIFFER.search(question) else _ELEMENTWISE_PLACES
        layer = re.search(r"= (nn\.(?:Linear|Conv2d|Conv1d)\([^\n]*)", code.text)
        if layer is not None:
            return _may_differ(question, _PROJECTED.format(layer=layer[1]))
        return None if _CAN_DIFFER.search(question) else _ELEMENTWISE
    return None


_CAN_DIFFER = either(
    r"(can|could|may|possible|allowed|ok(ay)?)\b.*differ",
    r"(可以|能).{0,6}(不一样|不同|不等)|(不一样|不同|不等).{0,4}(可以|行|也能|能)",
)


_WORKS = either(
    r"\b(work|works|usable|directly|as it is|as is)\b",
    r"(能|可以)(不能)?(直接)?(用|跑|算|这样|这么)|直接用|行吗|可以吗",
)


def _may_differ(question: str, told: Text) -> Text:
    """An answer that begins with no, begun as the question wants it."""
    if re.search(r"\bwhy\b|为什么|为何", question, re.IGNORECASE):
        return Text(
            "Because " + told.en.removeprefix("No: "), "因为" + told.zh.removeprefix("不需要：")
        )
    if _CAN_DIFFER.search(question):
        return Text(
            "Yes: " + told.en.removeprefix("No: "), "可以：" + told.zh.removeprefix("不需要：")
        )
    if _WORKS.search(question):
        return Text(
            "Yes, as it is: " + told.en.removeprefix("No: "),
            "能：" + told.zh.removeprefix("不需要："),
        )
    return told
