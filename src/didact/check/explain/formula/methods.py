"""Which named methods the recognised terms of a paste make."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact.check.engine.names import is_hard_loss, words
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.judge import Judged, is_given, is_of_labels
from didact.check.explain.formula.ranks import words_of
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Item,
    Loop,
    Node,
    walk,
)
from didact.check.explain.formula.verdict import Term
from didact.check.explain.formula.verdict.factors import is_same


def method_keys(judged: Judged) -> list[str]:
    """The named methods that the recognised terms make, the most telling first."""
    terms = [t for t in judged.terms if t.definition is not None]
    keys = {
        t.definition.key for t in terms if t.definition is not None
        and (t.status == "equal" or t.definition.key not in _EXACT)
    }  # fmt: skip
    found: list[str] = []
    for method, needed in _METHODS:
        if keys & needed:
            found.append(method)
    mixtures = [t for t in terms if t.definition is not None and t.definition.key in _MIXTURES]
    if "jsd" in found and all(map(_is_even, mixtures)):
        found[found.index("jsd")] = "jsd_even"
    soft = [t for t in terms if t.definition is not None and t.definition.key in SOFT]
    if soft and (named := _soft_method(soft, judged)):
        found.append(named)
    if "margin" in keys:
        found.append("lucir_margin" if any(map(_ranks_largest, terms)) else "margin")
    if "cosine" in keys:
        if {"kd", "token_kd"} & set(found) and _is_triple(judged):
            return ["distilbert"]
        found.append("lucir" if judged.incremental else "cosine")
    if keys & {"mse", "mse_rows", "mse_sum"}:
        replayed = _replayed(judged)
        if replayed is not None:
            return [replayed, *found]
        if not found:
            found.append(_matching(terms))
    if found[:1] and {"jsd", "skew_kl"} & set(found):  # its limits are divergences of their own
        found = [m for m in found if m not in {"reverse_kl", "kd", "token_kd"}]
    if keys and keys <= _OF_LABELS:
        found.append("plain")
    return found


_MIXTURES = frozenset({"jsd", "jsd_masked"})
_EXACT = frozenset({"byol", "simsiam"})
"""Methods whose sign is the whole of them."""


def _is_even(term: Term) -> bool:
    """Whether a mixture is half of both sides."""
    return isinstance(term.scalar, Constant) and term.scalar.value == 0.5


_STORED = re.compile(r"(^|_|\.)(buf|buffer|mem|memory|replay|stored|exemplar|er)(_|\d|$|\.)", re.I)


def _is_stored(given: Given) -> bool:
    """Whether a name comes from a memory: by its own name, or by that of what it was taken of."""
    if "(" not in given.text and _STORED.search(given.text):
        return True
    calls = [
        part
        for i in given.inputs if isinstance(i, Given) and "(" in i.text
        for part in (i.text.split("(")[0], *(re.split(r"[(),\s]+", i.text) if not i.model else ()))
    ]  # fmt: skip
    return given.text.isidentifier() and any(map(_STORED.search, calls))


def _replayed(judged: Judged) -> str | None:
    """DER where logits that were stored are matched; DER++ where their labels are learnt too."""
    terms = [t for loss in judged.losses for t in loss.terms]
    scores = [
        t for t in terms
        if t.definition is not None and t.definition.key in {"mse", "mse_rows", "mse_sum"}
        and t.teacher is not None
        and any(map(_is_stored, leaves(t.teacher)))
    ]  # fmt: skip
    if not scores:
        return None
    labels = [
        t for t in terms
        if t not in scores and (is_given(t) or (t.definition and t.definition.hard))
        and any(_is_stored(p) for n in (t.body, t.labels) if n is not None
                for p in walk(n) if isinstance(p, Given))
    ]  # fmt: skip
    return "derpp" if labels else "der"


def _is_triple(judged: Judged) -> bool:
    """DistilBERT's loss: beside soft targets and a cosine of hidden states the labels."""
    every = [t for loss in judged.losses for t in loss.terms]
    return any(
        t.definition.hard if t.definition is not None
        else is_of_labels(t, judged.roles) or _is_hard_by_name(t)
        for t in every
    )  # fmt: skip


def _is_hard_by_name(term: Term) -> bool:
    """Whether a term is a loss on the labels that was computed before: ``mlm_loss``."""
    name = term.body.text if isinstance(term.body, Given) else ""
    return is_hard_loss(name) or {"mlm", "loss"} <= set(words(name))


def _ranks_largest(term: Term) -> bool:
    """Whether a ranking holds the true class against the largest scores of others, as LUCIR."""
    return isinstance(term.body, Call) and any(
        isinstance(p, Call) and p.name == "topk" for a in term.body.args[:2] for p in walk(a)
    )


_OF_LABELS = frozenset(
    {"ce", "ce_padded", "ce_smooth", "ce_smooth_hand", "bce", "bce_labels", "bce_labels_sum"}
)
SOFT = frozenset({"kd", "soft_ce", "kd_masked", "soft_ce_masked", "kd_average", "soft_ce_average"})
_METHODS = (
    ("dkd", {"tckd", "nckd"}), ("dist", {"dist_inter", "dist_intra"}),
    ("rkd", {"rkd_distance", "rkd_angle"}), ("at", {"at"}), ("nst", {"nst", "nst_student"}),
    ("sp", {"sp"}), ("pairwise", {"pairwise"}), ("cwd", {"cwd"}), ("pkt", {"pkt"}),
    ("icarl", {"icarl", "icarl_apart", "icarl_labels", "icarl_narrow", "icarl_narrow_sum",
               "icarl_labels_sum"}),
    ("skew_kl", {"skew_kl"}),
    ("infonce", {"infonce", "infonce_raw", "infonce_back", "infonce_back_raw"}),
    ("focal", {"focal"}),
    ("logit_matching", {"mse_centred"}),
    ("dino", {"dino"}), ("dino_uncentred", {"dino_uncentred"}),
    ("tf_kd", {"tf_kd", "virtual_ce"}), ("pod", {"pod"}),
    ("reverse_kl", {"reverse_kl", "reverse_kl_masked"}), ("jsd", {"jsd", "jsd_masked"}),
    ("hard_kd", {"hard_kd"}),
    ("binary_kd", {"binary_kd"}),
    ("consistency", {"mse_probs", "mse_probs_rows"}), ("ewc", {"ewc"}), ("l2_sp", {"l2_sp"}),
    ("imitation", {"mse_masked"}), ("byol", {"byol"}), ("simsiam", {"simsiam"}),
)  # fmt: skip


def _soft_method(terms: list[Term], judged: Judged) -> str:
    sides = {
        (side(t.student, judged.roles), side(t.teacher, judged.roles))
        for t in terms if t.student is not None and t.teacher is not None
    }  # fmt: skip
    apart = all(
        not leaves(t.student) & leaves(t.teacher)
        for t in terms if t.student is not None and t.teacher is not None
    )  # fmt: skip
    if sides == {("student", "student")} or is_of_one_network(terms):
        if is_of_one_network(terms):
            ensemble = all(_is_mean(t.teacher) for t in terms)
            own = "one" if ensemble else "self_kd"
            return own if all(_is_cut(t) for t in terms) else ""
        if all(t.definition is not None and t.definition.listed for t in terms):
            return "multi_kd"
        return "dml" if apart else ""  # a target made of the student's own tensors
    if all(_is_of_largest(t.teacher) for t in terms):
        return "topk_kd"
    averaged = any(_is_of_list(p) for t in terms for p in _parts_outside_cat(t.body))
    averaged |= any(t.definition is not None and t.definition.listed for t in terms)
    if averaged or any(t.over is not None and not _is_over_sizes(t.over) for t in terms):
        return "multi_kd"
    if judged.incremental:
        named = words_of(judged.tracer.tree)
        return "bic" if any(_BIAS_LAYER.search(word) for word in named) else "lwf"
    if judged.tracer.frameworks == {"tensorflow"} and any(
        isinstance(n, ast.ClassDef) and "istill" in n.name for n in judged.tracer.tree.body
    ):
        return "keras_distiller"
    ranks = {t.rank for t in terms}
    if ranks == {3}:
        return "token_kd"
    return "pixel_kd" if ranks == {4} else "kd"


_BIAS_LAYER = re.compile(r"^bic$|bias_?(layer|correct|forward)")


def _is_of_list(node: Node) -> bool:
    """Whether a part goes through a list: of teachers, where it is of targets."""
    if isinstance(node, Call):
        return node.name == "last"
    return isinstance(node, Each) and not _is_over_sizes(node.loop)


def _is_over_sizes(loop: Loop) -> bool:
    """Whether a loop goes through the samples or the classes: ``range(s.size(0))``."""
    return any(
        isinstance(source, Call) and source.name == "range"
        and any(isinstance(p, Call) and p.name == "size" for p in walk(source))
        for source in loop.sources
    )  # fmt: skip


def _parts_outside_cat(node: Node) -> Iterator[Node]:
    """The parts of a formula, less the pieces of one tensor: ``cat([f(x[:, s:e]) for ...])``."""
    pieces = {id(p) for c in walk(node) if isinstance(c, Call) and c.name == "cat"
              for p in walk(c)}  # fmt: skip
    yield from (p for p in walk(node) if id(p) not in pieces)


def is_of_one_network(terms: list[Term]) -> bool:
    """Whether target and prediction are outputs of one network: its exits, its layers."""
    pairs = [(t.student, t.teacher) for t in terms if t.student is not None and t.teacher]
    return bool(pairs) and all(_sources(s) & _sources(t) for s, t in pairs)


def _is_mean(node: Node | None) -> bool:
    return isinstance(node, Call) and node.name == "mean"


def _is_of_largest(node: Node | None) -> bool:
    """Whether a teacher's side is only its largest scores."""
    return node is not None and any(isinstance(p, Call) and p.name == "topk" for p in walk(node))


def _sources(node: Node) -> set[Node]:
    """The lists that a part is an item of, and what its names were unpacked from."""
    found: set[Node] = set()
    own: set[Node] = set(leaves(node))
    for part in walk(node):
        if isinstance(part, Item) and part.source >= 0:
            found.add(part.loop.sources[part.source])
        if isinstance(part, Call) and part.name == "stack" and isinstance(part.args[0], Given):
            found.add(part.args[0])
    for name in leaves(node):
        if name.text.isidentifier() and not name.model:
            found |= {i for i in name.inputs if isinstance(i, Given)}
    for part in walk(node):
        if isinstance(part, Call) and part.name == "index" and part.args[0] in own:
            found.add(part.args[0])
    return found


def _is_cut(term: Term) -> bool:
    """Whether the target of a term is outside the graph."""
    return any(
        isinstance(p, Call) and p.name == "detach" and term.teacher in set(walk(p))
        for p in walk(term.body)
    )


def _matching(terms: list[Term]) -> str:
    scored = {g for t in terms if t.definition is not None and t.definition.hard
              and t.student is not None for g in leaves(t.student)}  # fmt: skip
    soft = [t for t in terms if t.definition is not None and t.definition.key in GENERIC]
    compared = {g for t in soft if t.student is not None for g in leaves(t.student)}
    texts = " ".join(
        g.text.lower() for t in soft for n in (t.student, t.teacher) if n is not None
        for g in leaves(n)
    )  # fmt: skip
    if "logit" in texts or "score" in texts or (compared and compared <= scored):
        return "logit_matching"
    if re.search(
        r"feat|hint|layer|guided|regress|hidden|proj|backbone|adapt|conv|fm|\bf_?[st]\b|^f", texts
    ):
        return "hint"
    return "mse"


def is_simple(term: Term) -> bool:
    """Whether both sides are plain tensors: a comparison of them needs no further name."""
    return all(n is None or _is_leaf(n) for n in (term.student, term.teacher))


def _is_leaf(node: Node) -> bool:
    while isinstance(node, Call) and node.name in {
        "index", "masked_select", "view", "reshape", "flatten", "detach", "identity", "floating",
        "relu", "squeeze", "permute", "transpose", "normalize", "softmax", "log_softmax", "sigmoid",
        "div",
    }:  # fmt: skip
        node = _pooled(node) or node.args[0]
    return _pooled(node) is not None or not isinstance(node, Call)


def _pooled(node: Node) -> Node | None:
    """What is averaged over the positions: ``(h * m).sum(1) / m.sum(1)``, ``h.mean(1)``."""
    if not isinstance(node, Call):
        return None
    if node.name == "mean" and len(node.children) == 2:
        return node.args[0] if isinstance(node.args[0], Given) else None
    sums = [a for a in node.args if isinstance(a, Call)] if node.name == "div" else []
    while len(sums) == 2 and sums[1].name in {"clamp", "clamp_min", "maximum"}:
        sums[1:] = [a for a in sums[1].args[:1] if isinstance(a, Call)]
    if [s.name for s in sums] != ["sum", "sum"] or not isinstance(sums[0].args[0], Call):
        return None
    product = sums[0].args[0]
    states = product.args[0]
    if isinstance(states, Call) and states.name == "detach":
        states = states.args[0]
    plain = product.name == "mul" and isinstance(states, Given)
    return states if plain and is_same(product.args[1], sums[1].args[0]) else None
