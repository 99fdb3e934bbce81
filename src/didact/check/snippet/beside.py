"""Which statement a comment belongs to, where the newlines between them are lost."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES = re.compile(r"[A-Za-z_]\w*")
_LEAST = 3
"""Shorter English words are no sign, except where they are names of the code."""
_MEANINGS = tuple(
    (re.compile(comment, re.IGNORECASE), re.compile(code))
    for comment, code in (
        (r"学生|student", r"\b(s|zs|fs|stu\w*|student\w*|s_\w+|\w+_(s|stu|student))\b"),
        (r"教师|老师|teacher", r"\b(t|zt|ft|tea\w*|teacher\w*|t_\w+|\w+_(t|tea|teacher))\b"),
        (r"旧模型|old model", r"\b(old|prev)\w*"),
        (r"温度|temperature", r"\b(T|tau|temp\w*)\b"),
        (r"硬|交叉熵|hard|cross.?entropy", r"cross_entropy|CrossEntropy|\b(ce|hard)\w*"),
        (r"软|蒸馏|散度|\bkl\b|soft|distill", r"kl_div|KLDiv|\b(kd|kl|soft)\w*"),
        (r"概率|probabilit", r"softmax|prob"),
        (r"对数|\blogs?\b", r"\blog"),
        (r"清零|清空|zero|clear", r"zero_grad"),
        (r"反向|回传|backprop|backward", r"backward"),
        (r"更新参数|update", r"\.step\("),
        (r"冻结|freeze|frozen", r"requires_grad|\.eval\("),
        (r"推理模式|eval", r"\.eval\("),
        (r"梯度|gradient", r"no_grad|detach|zero_grad|backward"),
        (r"总损失|合计|返回|total|return", r"\breturn\b|\bloss *="),
        (r"归一化|normali", r"normalize"),
        (r"前向|forward", r"\w\((x|img|images|inputs?)\b"),
        (r"特征|feature", r"\bf(eat|ea|s|t|_)|feature"),
        (r"标签|label", r"\b(y|label\w*|target\w*)\b"),
    )
)


def are_behind(comments: Iterable[tuple[str, str, str]]) -> bool:
    """Whether comments stand behind their statements rather than before the next ones.

    Args:
        comments: Each comment between the statement before it and the one behind it. Who comments
            one paste in one way is asked once: the comments vote by what they speak of.
    """
    votes = 0
    for comment, before, behind in comments:
        ahead, after = _shared(comment, before), _shared(comment, behind)
        votes += (ahead > after) - (ahead < after)
    return votes > 0


def _shared(comment: str, code: str) -> int:
    """How much of what a comment speaks of stands in a piece of code."""
    names = set(_NAMES.findall(code))
    words = {part.lower() for name in names for part in name.split("_") if len(part) >= _LEAST}
    told = set(_NAMES.findall(comment))
    named = len(told & names)
    spoken = len({word.lower() for word in told - names} & words)
    meant = sum(bool(c.search(comment) and k.search(code)) for c, k in _MEANINGS)
    return named + spoken + meant
