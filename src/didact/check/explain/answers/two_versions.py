"""Two versions of one loss in a paste: whether they are the same, and which to take."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 5
ASKS = either(
    r"\b(same|equivalent|equal|differ(s|ent|ence)?|identical)\b|which (one|version|of)"
    r"|\b(A or B|first or (the )?second)\b",
    r"一样|相同|等价|区别|差别|不同|哪个|哪种|哪一[个种]",
)
_BOTH = either(
    r"\b(A|versions?|both|two|these|they|first)\b.*|which (one|version)",
    r"两[种个者]|版本|A ?[和与、]|哪个|哪种|哪一[个种]|它们",
)
_SAME = Text(
    "Both compute the same, {name}: equal in value and in the student's gradient.",
    "两者算的是同一个东西（{name}），数值和对学生的梯度都相同。",
)
_ENTROPY = Text(
    "The gradient is the same, the value is not: the cross-entropy (line {soft}) is the KL (line "
    "{kl}) plus the entropy of the teacher's probabilities{square}, which does not depend on the "
    "student. Both train alike; the KL has the advantage of being 0 where the student agrees with "
    "the teacher.",
    "梯度相同，数值不同：交叉熵（第 {soft} 行）等于 KL（第 {kl} 行）加上教师概率的熵{square}，"
    "而这一项与学生无关。两者训练效果一样；KL 的好处是学生与教师一致时恰为 0，便于观察。",
)
_SQUARE = Text(" (times T²)", "（乘 T²）")


def answer(question: str, code: Code) -> Text | None:
    """Where the code has two losses of one term each that are as they are defined."""
    losses = code.judged.losses
    if not _BOTH.search(question) or len(losses) != 2:
        return None
    if code.verdict.outcome != "equal":
        return None
    terms = [loss.terms for loss in losses]
    if any(len(t) != 1 or t[0].definition is None or t[0].status != "equal" for t in terms):
        return None
    one, other = (t[0] for t in terms)
    assert one.definition is not None
    assert other.definition is not None
    if [str(w) for w in one.weights] != [str(w) for w in other.weights]:
        return None
    if one.student is not other.student and str(one.student) != str(other.student):
        return None
    keys = (one.definition.key, other.definition.key)
    if keys[0] == keys[1]:
        return _SAME.format(name=one.definition.name)
    if set(keys) != {"kd", "soft_ce"}:
        return None
    lines = {key: code.line(term.body) for key, term in zip(keys, (one, other), strict=True)}
    if None in lines.values():
        return None
    square = _SQUARE if one.weights else Text("", "")
    return _ENTROPY.format(soft=lines["soft_ce"], kl=lines["kd"], square=square)
