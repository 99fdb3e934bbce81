"""Why the labels of a contrastive loss are all 0 where the positive stands in column 0."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.tree import Call, Node, Sequence, walk
from didact.check.explain.idioms._match import is_call, number

PLACE = 9
ASKS = either(r"\bzeros?\b|labels? .*0\b|all 0", r"全 ?0|全零|zeros|标签.*0|0 ?号|第 ?0 ?列")
_TEXT = Text(
    "Yes: cat puts the score of the positive into column 0 of each row and the negatives behind "
    "it, so the right class of every row is 0. (Where the scores are all samples against all "
    "samples, the positives stand on the diagonal, and the labels are arange(B).)",
    "对：cat 把每一行的正样本分数放在第 0 列，后面都是负样本，所以每一行的正确类别都是 0。（如果分"
    "数矩阵是批内两两相比，正样本在对角线上，标签才是 arange(B)。）",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where a cross-entropy with zeros reads what was joined, one column first."""
    for term in code.terms:
        for part in walk(term.body):
            if not is_call(part, "cross_entropy") or len(part.args) < 2:
                continue
            if is_call(part.args[1], "zeros", "zeros_like") and _starts_with_one(part.args[0]):
                return _TEXT
    return None


def _starts_with_one(scores: Node) -> bool:
    """Whether scores are ``cat([pos, ...], dim=1)`` with one column in ``pos``."""
    while is_call(scores, "div", "mul") and scores.args:
        scores = next((a for a in scores.args if isinstance(a, Call)), scores.args[0])
    if not is_call(scores, "cat") or not isinstance(scores.args[0], Sequence):
        return False
    first = scores.args[0].items[0]
    if is_call(first, "unsqueeze"):
        return number(first.args[1]) in {1, -1}
    kept = isinstance(first, Call) and first.keyword("keepdim") is not None
    return is_call(first, "sum", "mean") and kept
