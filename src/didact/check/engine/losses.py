"""Calls of losses: which kind, which argument is which, how they reduce."""

from __future__ import annotations

import ast
from functools import partial

from didact.check.engine.events import LossUse, Reduction, Term
from didact.check.engine.index import Index
from didact.check.engine.machine import Machine
from didact.check.engine.spaces import Evidence, Grad, Space
from didact.check.engine.values import UNKNOWN, Value

FUNCTIONS = {
    "kl_div": "kl_div",
    "cross_entropy": "cross_entropy",
    "nll_loss": "nll",
    "binary_cross_entropy": "bce",
    "binary_cross_entropy_with_logits": "bce_logits",
    "mse_loss": "mse",
    "l1_loss": "l1",
    "smooth_l1_loss": "l1",
    "huber_loss": "l1",
    "cosine_embedding_loss": "cosine",
    "soft_margin_loss": "other",
    "multilabel_soft_margin_loss": "bce_logits",
}
CLASSES = {
    "KLDivLoss": "kl_div",
    "CrossEntropyLoss": "cross_entropy",
    "NLLLoss": "nll",
    "NLLLoss2d": "nll",
    "BCELoss": "bce",
    "BCEWithLogitsLoss": "bce_logits",
    "MSELoss": "mse",
    "L1Loss": "l1",
    "SmoothL1Loss": "l1",
    "HuberLoss": "l1",
    "CosineEmbeddingLoss": "cosine",
}
_POSITIONS = {
    "kl_div": ("input", "target", "size_average", "reduce", "reduction", "log_target"),
    "cross_entropy": (
        "input",
        "target",
        "weight",
        "size_average",
        "ignore_index",
        "reduce",
        "reduction",
    ),
    "nll": ("input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction"),
    "bce": ("input", "target", "weight", "size_average", "reduce", "reduction"),
    "bce_logits": ("input", "target", "weight", "size_average", "reduce", "reduction"),
}
_CLASS_POSITIONS = {
    "kl_div": ("size_average", "reduce", "reduction", "log_target"),
    "cross_entropy": ("weight", "size_average", "ignore_index", "reduce", "reduction"),
    "nll": ("weight", "size_average", "ignore_index", "reduce", "reduction"),
    "bce": ("weight", "size_average", "reduce", "reduction"),
}
_DEFAULT = ("input", "target", "size_average", "reduce", "reduction")
Arguments = dict[str, tuple[Value, ast.expr]]


def arguments_of(kind: str, node: ast.Call, values: dict[int, Value]) -> Arguments:
    """The arguments of a functional loss by their names."""
    return _named(_POSITIONS.get(kind, _DEFAULT), node, values)


def use_loss(
    m: Machine, node: ast.Call, kind: str, arguments: Arguments, criterion: ast.Call | None = None
) -> Value:
    """Record a loss and give its value."""
    first = arguments.get("input", (UNKNOWN, None))
    second = arguments.get("target", (UNKNOWN, None))
    expressions = {name: pair[1] for name, pair in arguments.items()}
    if criterion is not None:
        own = _named(_CLASS_POSITIONS.get(kind, _DEFAULT[2:]), criterion, m.latest)
        expressions |= {name: pair[1] for name, pair in own.items()}
    use = LossUse(
        node=node,
        kind=kind,
        input=first[0],
        target=second[0],
        input_node=first[1],
        target_node=second[1],
        reduction=reduction_of(m, expressions, kind),
        log_target=_flag(expressions.get("log_target")),
        scope=m.scope,
        criterion=criterion,
        arguments=expressions,
        under_no_grad=m.frame.no_grad,
    )
    m.loss(use)
    return _result(use)


def named_loss(m: Machine, node: ast.expr, value: Value) -> Value:
    """The loss on the true labels, of which the name alone is known."""
    use = LossUse(node, "named", UNKNOWN, UNKNOWN, None, None, None, None, m.scope)
    return Value(
        space=Space.LOSS,
        space_from=Evidence.NAME,
        grad=value.grad,
        terms=(Term(use),),
        sources=value.sources,
        origin=node,
    )


def _result(use: LossUse) -> Value:
    steps: tuple[Reduction, ...] = ()
    if use.reduction not in (None, "none"):
        steps = (Reduction(use.reduction or "", None, use.node),)
    rank = 0 if steps else use.input.rank
    if rank and use.kind in ("cross_entropy", "nll"):
        rank = max(rank - 1, 1)  # the classes are summed over
    grads = {use.input.grad, use.target.grad}
    grad = Grad.YES if Grad.YES in grads else (Grad.NO if grads == {Grad.NO} else Grad.UNKNOWN)
    return Value(
        space=Space.LOSS,
        grad=grad,
        terms=(Term(use, reductions=steps),),
        sources=use.input.sources | use.target.sources,
        rank=rank,
        rank_from=use.input.rank_from,
        exact=bool(steps) or use.input.exact,
        axis=use.input.axis,
        origin=use.node,
    )


def reduction_of(m: Machine, expressions: dict[str, ast.expr], kind: str) -> str | None:
    """How a loss reduces, with PyTorch's legacy flags taken into account."""
    average, reduce = expressions.get("size_average"), expressions.get("reduce")
    if kind == "other":
        return None
    if reduce is not None and not (isinstance(reduce, ast.Constant) and reduce.value is None):
        if not isinstance(reduce, ast.Constant):
            return None
        if not reduce.value:
            return "none"
        return _averaged(average)
    if average is not None and not (isinstance(average, ast.Constant) and average.value is None):
        return _averaged(average)
    given = expressions.get("reduction")
    if given is None:
        return "mean"
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return given.value
    return _default_of_parameter(m, given)


def _default_of_parameter(m: Machine, given: ast.expr) -> str | None:
    """``reduction=reduction`` inside a helper: the caller decides, so it is not known."""
    if _is_text(m, given):
        return m.latest[id(given)].payload  # type: ignore[return-value]
    if isinstance(given, ast.Attribute):
        nothing: dict[str, str | None] = {}
        options = m.index.once("options", nothing, partial(_options, m.index))
        return options.get(given.attr)
    return None


def _options(index: Index) -> dict[str, str | None]:
    """What a file's command line gives the options that are texts, where nobody says otherwise."""
    found: dict[str, str | None] = {}
    for call in index.of(ast.Call):
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "add_argument":
            continue
        names = [a.value for a in call.args if isinstance(a, ast.Constant)]
        name = str(names[-1]).lstrip("-").replace("-", "_") if names else ""
        defaults = [k.value for k in call.keywords if k.arg == "default"]
        value = defaults[0].value if defaults and isinstance(defaults[0], ast.Constant) else None
        if isinstance(value, str):
            found[name] = None if name in found and found[name] != value else value
    return found


def _is_text(m: Machine, given: ast.expr) -> bool:
    value = m.latest.get(id(given))
    return value is not None and isinstance(value.payload, str)


def _averaged(flag: ast.expr | None) -> str | None:
    if flag is None:
        return "mean"
    if not isinstance(flag, ast.Constant):
        return None
    return "mean" if flag.value or flag.value is None else "sum"


def _flag(node: ast.expr | None) -> bool | None:
    if node is None:
        return False
    return bool(node.value) if isinstance(node, ast.Constant) else None


def _named(names: tuple[str, ...], node: ast.Call, values: dict[int, Value]) -> Arguments:
    found: Arguments = {}
    for name, argument in zip(names, node.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        found[name] = (values.get(id(argument), UNKNOWN), argument)
    for keyword in node.keywords:
        if keyword.arg is not None:
            found[keyword.arg] = (values.get(id(keyword.value), UNKNOWN), keyword.value)
    return found
