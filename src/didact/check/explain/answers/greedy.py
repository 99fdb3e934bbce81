"""Why exemplars are chosen one after the other."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.procedures import is_herding

PLACE = 20
ASKS = either(
    r"one (by|at a|after)|greedy|greedily|(nearest|closest) .*(mean|cent)|instead of .*(m|k|top)",
    r"一个一个|逐个|一个个|贪心|依次|最近的|离.*均值",
)
_WHY = either(
    r"why|instead|not just|can'?t|could|need|same", r"为什么|为何|能不能|不能|直接|可以|吗"
)
_TEXT = Text(
    "Because the mean of the chosen set is to match the class mean, not each sample by itself. The "
    "m samples nearest to the mean are much alike, and their mean may still lie beside it; the "
    "greedy choice takes at each step the sample that makes up for what the chosen ones miss. It "
    "also gives an order: any first part of the list is a good set, so the memory can be cut short "
    "when new classes come.",
    "因为要让“已选样例的均值”接近类均值，而不是每个样例各自接近。离均值最近的 m 个样本往往彼此相"
    "似，它们的均值仍可能偏在一边；逐个选时，每一步都挑能补上当前偏差的那个。这样还得到一个先后次序："
    "任取前若干个都是好的样例集，以后新类到来、每类名额减少时直接截短即可。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the code is herding."""
    return _TEXT if _WHY.search(question) and is_herding(code.tree) else None
