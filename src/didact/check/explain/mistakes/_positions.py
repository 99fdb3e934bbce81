"""Where logits and labels of sequences are cut along their positions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk

HEAD, TAIL, WHOLE = ":-1", "1:", ""
_COMPARED = frozenset({"ne", "eq", "gt", "ge", "lt", "le"})

CAUSAL = re.compile(
    r"causal|\bgpt|llama|qwen|mistral|gemma|chatglm|baichuan|deepseek|internlm|minillm|\bgkd\b"
    r"|\bllms?\b|\bslm\b|\bsft|decoder.only|next.token|autoregressive|自回归|大模型|大语言模型"
    r"|-100 (on|for|over|at) the (prompt|instruction)|(prompt|instruction)s?( tokens)?"
    r" (is|are|as|=|set to|masked with) -100|(prompt|指令).{0,6}(为|是|设为|置为|填) ?-100",
    re.IGNORECASE,
)
"""Words of models that predict the next token."""
NOT_CAUSAL = re.compile(
    r"bert\b|bert[A-Z_]|masked.?(lm|language)|\bmlm|\bt5\b|\bbart\b|seq2seq|\bner\b"
    r"|token.?classif|encoder.?decoder|decoder_input|translat|whisper|\basr\b|\bctc\b|tagging"
    r"|序列标注|掩码语言|实体识别|翻译|编码器.?解码器|classif|分类",
    re.IGNORECASE,
)
"""Words of models whose labels stand at the position that predicts them."""
SHIFTED_BEFORE = re.compile(
    r"already.{0,20}shift(?!\w*[^.\n]{0,40}\?)|pre-?shift"
    r"|labels?.{0,20}\b(is|are|were|was) (already )?shifted"
    r"|shift(s|ed)?.{0,30}(collat|dataset|data loader)|(collat|dataset).{0,40}shift"
    r"|已经?.{0,8}(错位|移位|错开|shift)(?!过?了?[^。\n]{0,4}(吗|么|没|[?？]))|no_model_batch",
    re.IGNORECASE,
)
"""Words that say that the labels come shifted."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Logits and labels that meet position by position.

    Attributes:
        part: Where they meet.
        logits: The logits, and how each is cut.
        labels: The same of the labels.
        masks: The labels only choose the positions.
    """

    part: Call
    logits: Mapping[Given, str]
    labels: Mapping[Given, str]
    masks: bool

    def cut(self) -> tuple[str, str] | None:
        """How both sides are cut, where each is cut in one way."""
        one, other = set(self.logits.values()), set(self.labels.values())
        return (one.pop(), other.pop()) if len(one) == 1 and len(other) == 1 else None


def pairs_of(judged: Judged, root: Node) -> Iterator[Pair]:
    """The logits and labels that a formula brings together."""
    for part in walk(root):
        if not isinstance(part, Call):
            continue
        if part.name in {"cross_entropy", "nll_loss"} and len(part.args) > 1:
            yield from _pair(judged, part, part.args[0], part.args[1], masks=False)
        elif part.name == "mul" and len(part.args) == 2:
            for one, other in (part.args, part.args[::-1]):
                if _is_comparison(other) and _is_soft(one):
                    yield from _pair(judged, part, one, other, masks=True)
        elif part.name in {"index", "masked_select"} and _is_comparison(part.args[-1]):
            yield from _pair(judged, part, part.args[0], part.args[-1], masks=True)


def _pair(judged: Judged, part: Call, scores: Node, labels: Node, *, masks: bool) -> Iterator[Pair]:
    told = {g: c for g, c in cuts(scores) if judged.kinds.get(g) is Kind.TENSOR}
    told = {g: c for g, c in told.items()
            if g in judged.roles and judged.roles[g].role in {"student", "teacher"}}  # fmt: skip
    marked = {g: c for g, c in cuts(labels) if judged.kinds.get(g) is Kind.LABELS}
    if told and marked:
        yield Pair(part, told, marked, masks)


def _is_comparison(node: Node) -> bool:
    return any(isinstance(p, Call) and p.name in _COMPARED for p in walk(node))


def _is_soft(node: Node) -> bool:
    return any(isinstance(p, Call) and p.name in {"kl_div", "log_softmax"} for p in walk(node))


def cuts(node: Node, cut: str = WHOLE) -> Iterator[tuple[Given, str]]:
    """The names that a value is made of, and how each is cut along the positions."""
    if isinstance(node, Given):
        yield node, cut
    elif isinstance(node, Call) and node.name not in {"size", "numel"}:
        if node.name == "index" and len(node.args) == 2:
            yield from cuts(node.args[0], cut_of(node.args[1]) or cut)
        else:
            for child in node.args:
                yield from cuts(child, cut)


def cut_of(key: Node) -> str:
    """``":-1"`` or ``"1:"`` of ``x[:, :-1]``, ``x[..., 1:, :]``; else nothing."""
    if not isinstance(key, Call) or key.name != "key" or len(key.args) < 2:
        return WHOLE
    part = key.args[1]
    if not isinstance(part, Call) or part.name != "slice":
        return WHOLE
    bounds = tuple(a.value if isinstance(a, Constant) else a for a in part.args[:2])
    return {(None, -1): HEAD, (1, None): TAIL}.get(bounds, WHOLE)  # type: ignore[arg-type]


def function_around(tree: ast.Module, node: ast.AST) -> ast.AST:
    """The innermost function that a node stands in, or the whole code."""
    found: ast.AST = tree
    for scope in nodes_of(tree):
        inside = isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
        if inside and any(n is node for n in nodes_of(scope)):
            found = scope
    return found
