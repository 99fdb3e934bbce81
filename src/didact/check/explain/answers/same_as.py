"""Whether a loss that is written by hand is the one of the library, decided by numbers."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 30
ASKS = either(
    r"same|equal|equivalent|identical|match|\bvs\b|instead of|replace|agree",
    r"一样|等价|一致|相同|一回事|等于|替换|代替|区别|对得上",
)
_LIBRARY = either(
    r"kl_?div|cross_?entropy|mse_?loss|cosine_embedding|nn\.|\bF\.|torch|official|built-?in"
    r"|library",
    r"官方|自带|内置|库函数|接口|api",
)
_APIS = {
    "kd": (
        "F.kl_div(F.log_softmax(s/T, 1), F.softmax(t/T, 1), reduction='batchmean')",
        ("kl_div", "KLDivLoss"),
    ),
    "ce": ("F.cross_entropy(s, y)", ("cross_entropy", "CrossEntropyLoss", "nll_loss", "NLLLoss")),
    "mse": ("F.mse_loss(a, b)", ("mse_loss", "MSELoss")),
    "cosine": (
        "F.cosine_embedding_loss(a, b, torch.ones(B))",
        ("cosine_embedding_loss", "CosineEmbeddingLoss"),
    ),
}
_YES = Text(
    "Yes: {name} is equal to `{api}`, times the factors that stand before it (evaluated on random "
    "tensors, the numbers agree).",
    "是一样的：{name}等于 `{api}` 乘前面的系数（在随机张量上算过，数值一致）。",
)
_FACTOR = Text(
    "No: {name} is {law} of `{api}`.",
    "不一样：{name}是 `{api}` 的 {law} 倍。",
)
_SOFT = Text(
    "In gradient yes, in value no: −Σ p·log q is the KL plus the entropy of the teacher's "
    "probabilities, which does not depend on the student. The training is the same; only the "
    "number does not go to 0.",
    "梯度一样，数值不一样：−Σ p·log q 等于 KL 加上教师概率的熵，后者与学生无关。训练效果相同，只"
    "是数值降不到 0。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the code computes by hand what the question compares it with."""
    if not _LIBRARY.search(question) or not code.is_torch:
        return None
    asks_kl = either(r"kl", r"散度").search(question)
    asks_ce = either(r"cross|\bce\b|nll", r"交叉熵").search(question)
    for term in code.terms:
        key = term.definition.key if term.definition is not None else ""
        if key == "soft_ce" and term.status == "equal" and asks_kl:
            return _SOFT
        if key not in _APIS or (key == "kd" and not asks_kl) or (key == "ce" and not asks_ce):
            continue
        api, calls = _APIS[key]
        if key in {"mse", "cosine"} and not any(c.lower() in question.lower() for c in calls):
            continue
        if code.calls(*calls) or any(c in code.text for c in calls):
            continue
        if term.status == "equal":
            return _YES.format(name=code.name_of(term), api=api)
        if (
            term.law is not None
            and term.wrong_sign is None
            and set(dict(term.law.powers)) <= {"C", "B", "S", "H·W"}
        ):
            return _FACTOR.format(name=code.name_of(term), api=api, law=term.law.text)
    return None
