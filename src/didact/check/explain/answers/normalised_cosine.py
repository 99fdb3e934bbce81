"""Whether features must be normalised before a cosine."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, shown

PLACE = 18
ASKS = either(r"normali[sz]|unit (length|vector)|l2", r"归一化|单位化|单位长度|标准化")
_WHY = either(
    r"why|need|have to|must|should|necessar|before", r"为什么|为何|需要|要不要|必须|先|用不用"
)
_NO_NEED = Text(
    "It is not needed: `{code}` (line {line}) divides by the lengths of both vectors itself, so "
    "normalising them first changes nothing.",
    "不需要：`{code}`（第 {line} 行）自己就会除以两个向量的长度，事先归一化不改变结果。",
)
_NOT_HERE = Text("The code does not do it either.", "这段代码里也没有这样做。")


def answer(question: str, code: Code) -> Text | None:
    """Where the code calls PyTorch's cosine."""
    calls = code.calls(
        "cosine_embedding_loss", "cosine_similarity", "CosineEmbeddingLoss", "CosineSimilarity"
    )
    if not calls or not _WHY.search(question):
        return None
    told = _NO_NEED.format(code=shown(calls[0].func), line=calls[0].lineno)
    done = any(
        isinstance(n, ast.Attribute | ast.Name)
        and getattr(n, "attr", getattr(n, "id", "")) in {"normalize", "norm"}
        for n in code.nodes
    )
    return told if done else both(told, _NOT_HERE)
