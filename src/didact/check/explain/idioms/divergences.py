"""KL, cross-entropy and entropy that are written out, and those of other libraries."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.engine.spaces import Role
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.idioms._match import is_call, is_same, log_of
from didact.check.explain.idioms._peel import Peel, is_made_here, peel, reduction, times
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.idioms.classes import is_probability

_KL = Text(
    "KL({whose_p} ‖ {whose_q}) = Σ P·(log P − log Q), with P = {p} and {log_q}{reduced}{times}",
    "KL({whose_p} ‖ {whose_q}) = Σ P·(log P − log Q)，其中 P 为 {p}，{log_q}{reduced}{times}",
)
_MINUS_KL = Text(
    "Σ P·(log Q − log P) = −KL({whose_p} ‖ {whose_q}), with P = {p} and {log_q}{reduced}{times}",
    "Σ P·(log Q − log P) = −KL({whose_p} ‖ {whose_q})，其中 P 为 {p}，{log_q}{reduced}{times}",
)
_MEANT = Text(
    "the sum Σ P·(log P − log Q) in the form of a KL, with P = {p} and {log_q} (they do not both "
    "sum to 1{there}, so it is none){reduced}{times}",
    "形如 KL 的 Σ P·(log P − log Q)，P 为 {p}，{log_q}（两者{there}并非都归一化，"
    "所以不是真正的 KL）{reduced}{times}",
)
_THERE = Text(" along dim {dim}", "沿 dim={dim} ")
_CROSS = Text(
    "the cross-entropy −Σ P·log Q of the soft targets P = {p} ({whose_p}) with {log_q}{reduced}"
    "{times}",
    "软标签交叉熵 −Σ P·log Q，P 为 {p}（{whose_p}），{log_q}{reduced}{times}",
)
_CROSS_BARE = Text(
    "the cross-entropy −Σ P·log Q of the soft targets P = {p} with {log_q}{reduced}{times}",
    "软标签交叉熵 −Σ P·log Q，P 为 {p}，{log_q}{reduced}{times}",
)
_MINUS_CROSS = Text(
    "Σ P·log Q with P = {p} and {log_q}: minus the cross-entropy of soft targets{reduced}{times}",
    "Σ P·log Q，P 为 {p}，{log_q}：软标签交叉熵的相反数{reduced}{times}",
)
_PRODUCT = Text(
    "P·log Q element by element, with P = {p} and {log_q}; minus its sum over the classes is the "
    "cross-entropy of soft targets",
    "逐元素的 P·log Q，P 为 {p}，{log_q}；对类别求和再取负才是软标签交叉熵",
)
_ENTROPY = Text(
    "the entropy −Σ p·log p of p = {p}{reduced}{times}", "{p} 的熵 −Σ p·log p{reduced}{times}"
)
_MINUS_ENTROPY = Text(
    "minus the entropy: Σ p·log p of p = {p}{reduced}{times}",
    "{p} 的负熵 Σ p·log p{reduced}{times}",
)
_HARD = Text(
    "the cross-entropy of the logits {z} with the integer labels {y}{reduced}{times}",
    "logits {z} 对整数标签 {y} 的交叉熵{reduced}{times}",
)
_HARD_OF_PROBS = Text(
    "the cross-entropy of the probabilities {z} with the integer labels {y}{reduced}{times}",
    "概率 {z} 对整数标签 {y} 的交叉熵{reduced}{times}",
)
_LOG_Q = Text("log Q = {q}", "log Q 为 {q}")
_Q = Text("Q = {q}", "Q 为 {q}")
_SOFTMAX_Q = Text("Q = softmax({q})", "Q 为 softmax({q})")
_PER_SAMPLE = Text("; one number per sample", "；每个样本一个数")
_SAMPLES = Text("; averaged over the samples", "；对样本取平均")
_SUMMED = Text("; summed over the samples", "；对样本求和")
_WHOSE = {
    Role.STUDENT: Text("student", "学生"), Role.TEACHER: Text("teacher", "教师"),
}  # fmt: skip


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """A divergence or an entropy with its direction, its reductions and its factors."""
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return None
    found = peel(scene, part)
    if not is_made_here(scene, found, node):
        return None
    if is_call(found.core, "nll_loss"):
        return _hard(scene, found, node)
    if is_call(found.core, "mul"):
        if any(_is_scores(a, scene, node) for a in found.core.args):
            return None
        for p, other in (found.core.args, found.core.args[::-1]):
            told = _ratio(scene, found, p, other, node) or _product(scene, found, p, other, node)
            if told is not None:
                return told
    return None


def _is_scores(node: Node, scene: Scene, near: ast.expr) -> bool:
    """Whether a part is called logits: it stands where probabilities belong."""
    return isinstance(node, Given) and "logit" in f"{node.text} {scene.name(node, near)}".lower()


def _ratio(scene: Scene, found: Peel, p: Node, other: Node, node: ast.expr) -> Text | None:
    """``p * (log p - log q)`` and ``p * log(p / q)``, either way round."""
    if is_call(other, "log") and is_call(other.args[0], "div"):
        above, below = other.args[0].args
        swapped = below is p
        if above is not p and not swapped:
            return None
        return _kl(scene, found, p, above if swapped else below, node, swapped=swapped, log=False)
    if not is_call(other, "sub"):
        return None
    first, second = other.args
    if is_log_of(first, p):
        return _kl(scene, found, p, second, node, swapped=False, log=True)
    if is_log_of(second, p):
        return _kl(scene, found, p, first, node, swapped=True, log=True)
    return None


def is_log_of(log: Node, p: Node) -> bool:
    """Whether one part is the logarithm of the other."""
    if is_call(p, "detach", "identity"):
        return is_log_of(log, p.args[0])
    if is_call(log, "detach", "identity"):
        return is_log_of(log.args[0], p)
    inner = log_of(log)
    if inner is not None and is_same(inner, p):
        return True
    if is_call(p, "exp") and is_same(p.args[0], log):
        return True
    return is_call(log, "log_softmax") and is_call(p, "softmax") and is_same(log.args[0], p.args[0])


def _kl(
    scene: Scene, found: Peel, p: Node, q: Node, node: ast.expr, *, swapped: bool, log: bool
) -> Text | None:
    reduced = reduction(found)
    inner = log_of(q) if log else q
    shown = scene.is_named(q, node) or (inner is not None and scene.is_named(inner, node))
    if reduced is None or not scene.is_named(p, node) or not shown:
        return None
    if log and inner is None and not _may_be_log(q):
        return None
    over = found.reduced[-1][1] if found.reduced else None
    sums = [scene.proof.is_distribution(p, dim=over)]
    other = inner if inner is not None else q
    sums.append(scene.proof.is_distribution(other, log=inner is None, dim=over))
    whose = [_side_name(scene.whose(s)) for s in (p, q)]
    both = whose[0] is not None and whose[1] is not None and whose[0] != whose[1]
    negative = swapped != found.negative
    words = _MEANT if False in sums and not negative else _MINUS_KL if negative else _KL
    if False in sums and negative:
        return None
    there = _THERE.format(dim=over) if over is not None else Text("", "")
    return words.format(
        there=there, whose_p=whose[0] if both else "P", whose_q=whose[1] if both else "Q",
        p=scene.name(p, node), log_q=_side(scene, q, inner, node),
        reduced=reduced, times=times(scene, found, node),
    )  # fmt: skip


def _side_name(role: Role | str) -> Text | None:
    return _WHOSE.get(role) if isinstance(role, Role) else Text(f"{role}", f"{role}")


def _side(scene: Scene, q: Node, inner: Node | None, node: ast.expr) -> Text:
    """Q by its probabilities, its scores, or its logarithm, as the code has it."""
    if inner is not None and scene.is_named(inner, node):
        return _Q.format(q=scene.name(inner, node))
    made = is_call(q, "log_softmax") and not scene.is_named(q, node)
    if made and isinstance(q, Call) and scene.is_named(q.args[0], node):
        return _SOFTMAX_Q.format(q=scene.name(q.args[0], node))
    return _LOG_Q.format(q=scene.name(q, node))


def _may_be_log(node: Node) -> bool:
    while is_call(node, "detach", "identity", "index", "view", "reshape"):
        node = node.args[0]
    if is_call(node, "log_softmax", "log", "logsigmoid", "logsumexp"):
        return True
    if is_call(node, "sub"):
        return is_call(node.args[1], "logsumexp") or is_call(node.args[1], "log")
    return not isinstance(node, Call) and "log" in getattr(node, "text", "").lower().replace(
        "logit", ""
    )


def _product(scene: Scene, found: Peel, p: Node, q: Node, node: ast.expr) -> Text | None:
    """``p * log q``: a cross-entropy, or the entropy where both are the same."""
    if not _may_be_log(q) or _may_be_log(p) or is_call(p, "sub", "div"):
        return None
    if not (is_probability(p) or _is_target(scene, p) or not isinstance(p, Call)):
        return None
    inner = log_of(q)
    shown = scene.is_named(q, node) or (inner is not None and scene.is_named(inner, node)) or (
        is_call(q, "log_softmax") and scene.is_named(q.args[0], node)
    )  # fmt: skip
    reduced = reduction(found)
    if reduced is None or not scene.is_named(p, node) or not shown:
        return None
    same = is_log_of(q, p)
    values = {
        "p": scene.name(p, node), "log_q": _side(scene, q, inner, node), "reduced": reduced,
        "times": times(scene, found, node),
    }  # fmt: skip
    if same:
        return (_ENTROPY if found.negative else _MINUS_ENTROPY).format(**values)
    if not found.reduced and not found.negative:
        return _PRODUCT.format(**values)
    if not found.negative:
        return _MINUS_CROSS.format(**values)
    role = scene.whose(p)
    whose = _OWNED.get(role) if isinstance(role, Role) else Text(f"`{role}`'s", f"`{role}` 的")
    if whose is None:
        return _CROSS_BARE.format(**values)
    return _CROSS.format(whose_p=whose, **values)


def _is_target(scene: Scene, node: Node) -> bool:
    """Whether a part is a target of labels, smoothed perhaps, or numbers that sum to 1."""
    told = scene.proof.is_distribution(node)
    if told is not None:
        return told
    made = ("one_hot", "scatter", "full_like", "put")
    return any(is_call(p, *made) for p in walk(node))


_OWNED = {
    Role.STUDENT: Text("the student's", "学生的"), Role.TEACHER: Text("the teacher's", "教师的"),
}  # fmt: skip


def _hard(scene: Scene, found: Peel, node: ast.expr) -> Text | None:
    """The cross-entropy with integer labels of JAX, TensorFlow and Keras."""
    core = found.core
    assert isinstance(core, Call)
    if len(core.args) < 2 or found.negative or scene.is_written(core.args[0]):
        return None
    log_q, labels = core.args[:2]
    if not is_call(log_q, "log_softmax", "log") or not scene.is_named(log_q.args[0], node):
        return None
    steps = found.reduced
    reduced = _PER_SAMPLE if not steps else _SAMPLES if steps[0][0] == "mean" else _SUMMED
    words = _HARD if log_q.name == "log_softmax" else _HARD_OF_PROBS
    return words.format(
        z=scene.name(log_q.args[0], node), y=scene.name(labels, node), reduced=reduced,
        times=times(scene, found, node),
    )  # fmt: skip
