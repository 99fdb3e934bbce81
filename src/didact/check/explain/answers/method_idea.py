"""What a method of class-incremental learning does and why, where the loss is that method's."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either

PLACE = 45
ASKS = either(
    r"how (do|does|should|can) .*(work|understand|read)|explain|intuition|idea (behind|of)|meaning"
    r"|understand|what does .* do\b",
    r"怎么理解|如何理解|原理|思路|思想|什么意思|干了什么|做了什么|在做什么|解释|讲解|看不太?懂|不太?明白|含义",
)
_POD = Text(
    "Both feature maps are squared and then summed along the width and along the height, so that "
    "in each of the two vectors one coordinate is given up: the new model may move where along it "
    "a feature stands, and not how much of it there is. The two are joined, scaled to unit length "
    "and compared with the old model's by the Euclidean distance.",
    "先把特征平方，再分别沿宽、沿高求和：每次各丢掉一个坐标，所以新模型可以改变特征在这个方向上的"
    "位置，但总量受约束；这是稳定性与可塑性的折中。两个结果拼接后归一化为单位长度，再与旧模型的取欧氏"
    "距离。",
)
_GROWS = Text(
    "Its factor with the square root grows with the share of old classes.",
    "带根号的系数随旧类所占比例增大：旧类越多，约束越强。",
)
_IDEAS = {
    "lwf": Text(
        "No old data are kept. On the new images the old model says what it holds of the old "
        "classes, and the new model's outputs for these classes are held there by the soft term, "
        "while the cross-entropy teaches the labels.",
        "不保留旧数据：在新图像上，用旧模型对旧类的输出作软目标，让新模型在这些旧类上的输出保持不变，"
        "交叉熵则学习真实标签。",
    ),
    "icarl": Text(
        "Each class is a yes/no question of its own. For the old classes the target is the old "
        "model's sigmoid, for the new ones the 0/1 label, and one binary cross-entropy learns "
        "both.",
        "每个类都是独立的是非题：旧类的目标是旧模型的 sigmoid 输出，新类的目标是 0/1 标签，用一个"
        "二元交叉熵同时学习。",
    ),
    "der": Text(
        "The buffer keeps, beside each image, the logits that the model gave when the image was "
        "stored; later the model is held to these numbers by a squared distance. No old model is "
        "needed.",
        "缓冲区里除了图像，还存着入库时模型给出的 logits；之后用均方差让模型在这些图像上保持当时"
        "的输出，不需要保留旧模型。",
    ),
    "ewc": Text(
        "Each parameter is tied to its old value by a spring as strong as its Fisher information: "
        "what mattered for the old task hardly moves, the rest is free.",
        "每个参数都被一根弹簧拉向旧值，弹簧的强度就是它的 Fisher 信息：对旧任务重要的参数几乎不动，"
        "其余的可以自由学习。",
    ),
    "lucir": Text(
        "The new model's features are to point the same way as the old model's (1 − cos); their "
        "length is left free.",
        "让新模型的特征与旧模型的特征方向一致（1 − cos），长度不作约束。",
    ),
    "pod": _POD,
    "lucir_margin": Text(
        "For each sample of an old class the score of its true class is to lie at least the margin "
        "above each of the K largest scores of new classes; what falls short is the loss. It keeps "
        "old classes from being taken for new ones.",
        "对每个旧类样本：真实类的得分要比得分最高的 K 个新类各高出至少一个间隔（margin），不足的"
        "部分就是损失，防止旧类被误认成新类。",
    ),
}
_IDEAS["derpp"] = both(
    _IDEAS["der"],
    Text(
        "DER++ adds the cross-entropy with the stored labels.",
        "DER++ 还加上对缓冲区标签的交叉熵。",
    ),
)


def answer(question: str, code: Code) -> Text | None:
    """The idea of the method that the loss is found to be."""
    idea = _IDEAS.get(code.verdict.method_key) if code.verdict.outcome == "equal" else None
    if idea is None or code.serious or code.mentioned(question):
        return None
    grows = code.verdict.method_key == "pod" and re.search(r"sqrt\([^\n]*/", code.text)
    return both(idea, _GROWS) if grows else idea
