"""Why a sigmoid for each class and not a softmax over all."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 25
ASKS = either(
    r"(why|not).*(softmax|sigmoid|bce|binary)|sigmoid.*(instead|rather|not)",
    r"(为什么|为何|不用|而不是|怎么).*(softmax|sigmoid|bce|交叉熵)|sigmoid.*(还是|而不)",
)
_ASKS = either(r"why|instead|rather|not\b", r"为什么|为何|不用|而不是|怎么")
_DETECTION = re.compile(r"anchor|\bbox|fg|bbox|objectness|detect", re.IGNORECASE)
_ICARL = Text(
    "With a sigmoid each class is a yes/no question of its own, so the old network's soft "
    "outputs (old columns) and the one-hot labels (new columns) can stand side by side in one "
    "target without a common normalisation. A softmax would need one distribution over all "
    "classes, and the old network has none for the new ones. With softmax the same task is "
    "LwF's: KL on the old classes plus a cross-entropy.",
    "用 sigmoid 时每个类别都是独立的是非题，旧类列放旧网络的软输出、新类列放 one-hot 标签，可以并"
    "排放在同一个目标里，不需要共同归一化。softmax 则要求全部类别构成一个分布，而旧网络没有新类的"
    "输出。改用 softmax 就是 LwF 的做法：旧类上用 KL，再加交叉熵。",
)
_DETECTOR = Text(
    "Because the detector asks for each class apart and has no background class: where nothing "
    "is, all sigmoids are near 0. A softmax ignores a shift of all logits and always sums to 1, "
    "so it could not say “none of them”, and the teacher's certainty that there is nothing could "
    "not be taught.",
    "因为检测头对每个类别单独判断，没有背景类：什么都没有的位置，各个 sigmoid 都接近 0。softmax "
    "的输出总和恒为 1，也不受 logits 整体平移的影响，表达不了“都不是”，教师“这里没有目标”的信息就"
    "教不了。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a binary cross-entropy is taken."""
    if not _ASKS.search(question) or not re.search(r"binary_cross_entropy|BCE|sigmoid", code.text):
        return None
    if _DETECTION.search(code.text):
        return _DETECTOR
    both_kinds = re.search(r"one_?hot|scatter_", code.text, re.IGNORECASE)
    return _ICARL if both_kinds and code.judged.incremental else None
