"""The class of the label and the others: picked, taken out, put against each other."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.tree import Call, Given, Node
from didact.check.explain.idioms._match import (
    constant,
    dim_of,
    is_call,
    is_same,
    items,
    number,
    peeled,
    spread,
)
from didact.check.explain.idioms._scene import Scene, owned
from didact.check.explain.losscalls import code_of

_TWO = Text(
    "distribution over two classes: [p of the true class, p of all others together]",
    "二元分布 [真实类概率, 其余类概率之和]",
)
_TRUE = Text(
    "the probability of the true class, one number per sample", "真实类的概率，每个样本一个数"
)
_OTHERS = Text(
    "the probability of all classes but the true one, summed: one number per sample",
    "真实类以外各类概率之和，每个样本一个数",
)
_PICKED = Text(
    "the entry of {x} at the true class, one per sample (the labels {y} say which)",
    "每个样本在真实类处的 {x}（由标签 {y} 指定）",
)
_PICKED_LOGS = Text(
    "the log-probability of the true class, one per sample, picked out of {x} by the labels {y}",
    "每个样本真实类的对数概率：按标签 {y} 从 {x} 中取出",
)
_NEGATIVE = Text(
    "the cross-entropy with the labels {y} written by hand: minus the log-probability of the true "
    "class out of {x}{reduced}",
    "手写的交叉熵（标签 {y}）：从 {x} 中取出真实类的对数概率，取负{reduced}",
)
_MEAN = Text(", averaged over the samples", "，对样本取平均")
_SUM = Text(", summed over the samples", "，对样本求和")


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """What concerns the class of the label."""
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute):
        return None
    if (pair := two_classes(scene, part)) is not None:
        return owned(scene.whose(pair), _TWO)
    mass = of_true_class(scene, part)
    if mass is not None and scene.is_written_in(part, node):
        return _OTHERS if mass == "others" else _TRUE
    return _cross_entropy(scene, part, node) or _picked(scene, part, node)


_WRITTEN = Text(
    "Sets the entry of {x} at the true class of every sample (labels {y}) to {v}.",
    "把 {x} 在每个样本真实类（标签 {y}）处的值置为 {v}。",
)


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """``x.scatter_(1, y.unsqueeze(1), v)``."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr != "scatter_" or len(call.args) != 3:
        return None
    index = scene.part(call.args[1])
    labels = peeled(index, shapes=True) if index is not None else None
    if labels is None or not scene.is_labels(labels):
        return None
    return _WRITTEN.format(
        x=code_of(call.func.value), y=scene.name(labels, statement), v=code_of(call.args[2])
    )


def two_classes(scene: Scene, part: Node) -> Node | None:
    """The probabilities that ``stack([p, 1 - p])`` and the like are made of."""
    if not is_call(part, "stack", "cat"):
        return None
    sides = items(part.args[0])
    if sides is None or len(sides) != 2 or dim_of(part) not in {1, -1}:
        return None
    one, other = sides
    if is_rest(other, one) and of_true_class(scene, one) is not None:
        return one
    kinds = [of_true_class(scene, s) for s in sides]
    return one if kinds == ["true", "others"] else None


def is_rest(node: Node, of: Node) -> bool:
    """Whether a part is 1 minus another one."""
    return is_call(node, "sub") and number(node.args[0]) == 1 and is_same(node.args[1], of)


def of_true_class(scene: Scene, node: Node) -> str | None:
    """``true`` or ``others`` where a part is the probability of the true class or of the rest."""
    node = peeled(node)
    if is_call(node, "unsqueeze", "squeeze", "view", "reshape"):
        return of_true_class(scene, node.args[0])
    if is_call(node, "sum") and dim_of(node) in {1, -1} and is_call(node.args[0], "mul"):
        for one, other in (node.args[0].args, node.args[0].args[::-1]):
            told = hot(scene, one)
            if told is not None and is_probability(other):
                return "true" if told else "others"
    if (
        is_call(node, "gather")
        and is_probability(node.args[0])
        and _chosen(scene, node) is not None
    ):
        return "true"
    if is_call(node, "index") and is_probability(node.args[0]):
        key = peeled(node.args[1])
        if hot(scene, key) is True or _by_rows(scene, key) is not None:
            return "true"
    return None


def is_probability(node: Node) -> bool:
    """Whether a part is a softmax."""
    while is_call(node, "detach", "identity"):
        node = node.args[0]
    return is_call(node, "softmax") or (
        is_call(node, "exp") and is_call(node.args[0], "log_softmax")
    )


def hot(scene: Scene, node: Node) -> bool | None:
    """Whether a mask is one-hot of labels (True) or the complement of one (False)."""
    node = peeled(node)
    if is_call(node, "one_hot"):
        return True
    if is_call(node, "invert", "logical_not"):
        inner = hot(scene, node.args[0])
        return None if inner is None else not inner
    if is_call(node, "sub") and number(node.args[0]) == 1:
        inner = hot(scene, node.args[1])
        return None if inner is None else not inner
    if is_call(node, "scatter") and len(node.args) > 3:
        base, value = node.args[0], constant(node.args[3])
        ones = is_call(base, "zeros_like", "zeros") and value in {1}
        zeros = is_call(base, "ones_like", "ones") and value in {0}
        return True if ones else False if zeros else None
    if isinstance(node, Given) and scene.judged.kinds.get(node) is Kind.HOT:
        return True
    return None


def _chosen(scene: Scene, gather: Call) -> Node | None:
    """The labels that ``gather`` picks by: one per sample along the classes."""
    if len(gather.args) < 3 or number(gather.args[1]) not in {1, -1}:
        return None
    index = gather.args[2]
    laid = spread(index)
    column = is_call(index, "unsqueeze") or (laid is not None and laid[1] == 1)
    labels = peeled(index, shapes=True)
    return labels if column and isinstance(labels, Given) and scene.is_labels(labels) else None


def _by_rows(scene: Scene, key: Node) -> Node | None:
    """``y`` of ``x[arange(n), y]`` and ``x[range(n), y]``."""
    if not is_call(key, "key") or len(key.args) != 2:
        return None
    rows, labels = key.args
    counted = is_call(rows, "arange", "range") or (
        isinstance(rows, Given) and "arange(" in rows.text
    )
    if counted and rows is labels:
        return labels  # the diagonal: the matching pair
    return labels if counted and isinstance(labels, Given) and scene.is_labels(labels) else None


def true_entry(scene: Scene, node: Node) -> tuple[Node, Node] | None:
    """``x`` and the labels where a part is ``x`` at the class of the label."""
    node = peeled(node)
    while is_call(node, "squeeze", "view", "reshape"):
        node = node.args[0]
    if is_call(node, "gather"):
        labels = _chosen(scene, node)
        return (node.args[0], labels) if labels is not None else None
    if is_call(node, "index"):
        labels = _by_rows(scene, peeled(node.args[1]))
        return (node.args[0], labels) if labels is not None else None
    if isinstance(node, Given) and "take_along_axis(" in node.text and len(node.inputs) > 1:
        labels = peeled(node.inputs[1], shapes=True)
        if scene.is_labels(labels):
            return node.inputs[0], labels
    return None


def is_log_probability(node: Node) -> bool:
    """Whether a part holds log-probabilities."""
    if is_call(node, "log_softmax"):
        return True
    if is_call(node, "sub") and is_call(node.args[1], "logsumexp"):
        return is_same(node.args[1].args[0], node.args[0])
    return is_call(node, "log") and is_probability(node.args[0])


def _picked(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    found = true_entry(scene, part)
    if found is None or not scene.is_named(found[0], node):
        return None
    words = _PICKED_LOGS if is_log_probability(found[0]) else _PICKED
    return words.format(x=scene.name(found[0], node), y=scene.name(found[1], node))


def _cross_entropy(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    """``-logp.gather(1, y[:, None]).mean()``, minus inside or outside."""
    negative = False
    reduced = Text("", "")
    inner: Node = part
    while is_call(inner, "neg", "mean", "sum"):
        if inner.name == "neg":
            negative = not negative
        elif len(inner.children) > 1 or reduced.en:
            return None
        else:
            reduced = _MEAN if inner.name == "mean" else _SUM
        inner = inner.args[0]
    found = true_entry(scene, inner) if negative else None
    if found is None or not is_log_probability(found[0]) or not scene.is_named(found[0], node):
        return None
    if not scene.is_written_in(inner, node):
        return None
    return _NEGATIVE.format(
        x=scene.name(found[0], node), y=scene.name(found[1], node), reduced=reduced
    )
