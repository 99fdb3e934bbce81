"""Why a target and a prediction may have temperatures of their own."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either
from didact.check.explain.answers.temperature_sides import _OF_T
from didact.check.explain.words.polarity import is_open

PLACE = 18
ASKS = either(
    r"two (different )?temperatures|different temperatures?|temperatures?.*(differ|same|lower"
    r"|smaller)"
    r"|same temperature|teacher.*temperature.*(low|small)",
    r"两个温度|温度.{0,10}(不一样|不同|更低|更小|比学生)|(不同|不一样)的?温度|同一个温度",
)
_KEYS = frozenset({"dino", "dino_uncentred"})
_YES = Text(
    "Yes: this is a cross-entropy with two temperatures, not a KL at one T.",
    "可以：这是双温度的交叉熵，不是同一温度下的 KL。",
)
_WHY = Text(
    "A lower temperature on the target's side sharpens it; −Σ p·log q is least "
    "where s/T_s equals t/T_t "
    "up to a constant, so the student learns the teacher's logits times T_s/T_t. No T² belongs "
    "here, as there is no single T and no hard term whose share would have to be kept.",
    "目标一侧的温度较低时起锐化作用；s/T_s 与 t/T_t 只差一个常数时 −Σ "
    "p·log q 最小，学生学到的是教师 "
    "logits 的 T_s/T_t 倍。这里不必乘 T²：没有统一的 T，旁边也没有需要保持比例的硬标签项。",
)
_CENTRED = Text(
    "With the centring, which keeps one dimension from winning, it prevents a collapse (DINO).",
    "它与防止某一维独大的中心化配合，避免输出塌缩（DINO）。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the loss is DINO's, or as DINO's without its centre."""
    if code.verdict.outcome != "equal" or not _OF_T.search(question):
        return None
    keys = code.keys & _KEYS
    if not keys:
        return None
    said = [_WHY] if is_open(question) else [_YES, _WHY]
    return both(*said, _CENTRED) if "dino" in keys else both(*said)
