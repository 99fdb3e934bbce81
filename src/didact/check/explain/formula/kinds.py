"""What the names of a formula stand for, told by their use first and by their name last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TypeGuard

from didact.check.engine.names import is_class_count, is_label, is_temperature, is_weight, words
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Item,
    Node,
    Sequence,
    walk,
)


class Kind(StrEnum):
    """What a name stands for."""

    TENSOR = "tensor"
    LABELS = "labels"
    NEW_LABELS = "labels of the new classes"
    FEW_LABELS = "labels of a part of the classes"
    HOT = "one-hot labels"
    MASK = "mask"
    WIDE_MASK = "mask with a dimension of one"
    TEMPERATURE = "temperature"
    WEIGHT = "weight"
    OLD_CLASSES = "old classes"
    CLASSES = "classes"
    PADDING = "padding"
    COUNT = "count"
    LIST = "list"
    FLAG = "flag"
    OLD_OUTPUT = "output of a model of the old classes"


INDICES = frozenset({Kind.LABELS, Kind.NEW_LABELS, Kind.FEW_LABELS})
"""What names a class."""
SCALARS = frozenset(
    {Kind.TEMPERATURE, Kind.WEIGHT, Kind.OLD_CLASSES, Kind.CLASSES, Kind.PADDING, Kind.COUNT}
)
SOFTMAXES = frozenset({"softmax", "log_softmax", "sigmoid", "logsigmoid"})
_SHAPERS = frozenset(
    [
        "view",
        "reshape",
        "flatten",
        "squeeze",
        "unsqueeze",
        "index",
        "detach",
        "identity",
        "floating",
        "integers",
        "put",
        "clamp",
        "transpose",
        "permute",
        "t",
        "expand",
        "repeat",
        "masked_select",
        "where",
        "contiguous",
        "sub",
        "add",
    ]
)
_OF_TENSORS = frozenset(
    [
        "pow",
        "square",
        "mean",
        "var",
        "std",
        "norm",
        "logsumexp",
        "cumsum",
        "view",
        "reshape",
        "flatten",
        "bmm",
        "t",
        "permute",
    ]
)
_OUTPUT = re.compile(r"pred|logit|out|feat|prob|score|emb|hidden|att|^(y|z|f|x|fm|p|q|h)_", re.I)
_LENGTH = re.compile(r"(^|_)(lens?|lengths?|prompt|start|offset)(_|\d|$)", re.IGNORECASE)
_HEADS = re.compile(r"head|group|chunk|patch|seq|len|dim|hid", re.IGNORECASE)
_MASK = re.compile(r"mask|valid|keep|attention_m|padding_m", re.IGNORECASE)
_PAD = re.compile(r"pad|ignore", re.IGNORECASE)
_HOT = re.compile(r"one_?hot|target_?prob|multi_?hot", re.IGNORECASE)
_OLD = re.compile(r"old|known|prev|start|n_?base|seen|past", re.IGNORECASE)


_ALL_CLASSES = re.compile(r"(^|_)(all|total|cur|seen)(_|$)|(n|num)_class", re.IGNORECASE)
_CLASS_COUNT = re.compile(r"(n|num|nb)_?(cls|class|classes|labels)", re.IGNORECASE)
_COUNTS = re.compile(r"(n|num|nb)_(old|new|all|total|seen|known|base|past)", re.IGNORECASE)


def kinds_of(nodes: list[Node]) -> dict[Given, Kind]:
    """The kind of every name in some formulas."""
    parts = list({id(p): p for node in nodes for p in walk(node)}.values())
    found: dict[Given, Kind] = dict.fromkeys(_lists(parts), Kind.LIST)
    found |= dict.fromkeys(_scheduled(parts), Kind.WEIGHT)
    listed = [p.args[0] for p in parts if is_listed_weight(p)]
    found |= dict.fromkeys((g for g in listed if isinstance(g, Given)), Kind.LIST)

    def mark(node: Node, kind: Kind) -> None:
        while isinstance(node, Call) and node.name in _SHAPERS and node.args:
            node = node.args[0]
        if isinstance(node, Call) and node.name == "cat" and kind in INDICES and node.args:
            for joined in node.args[0].children:
                mark(joined, kind)
        if isinstance(node, Given):
            found.setdefault(node, kind)

    for part in parts:
        if isinstance(part, Call):
            for node, kind in _told_by(part):
                mark(node, kind)
        if isinstance(part, Each | Item):
            for source in part.loop.sources:
                if isinstance(source, Given):
                    found.setdefault(source, Kind.LIST)
        if isinstance(part, Call) and part.name == "last" and isinstance(part.args[0], Given):
            found.setdefault(part.args[0], Kind.LIST)
    for given in _weights(parts):
        found.setdefault(given, Kind.WEIGHT)
    names = {p.text for p in parts if isinstance(p, Given)}
    for part in parts:
        if isinstance(part, Given) and part not in found:
            pair = part.text == "t" and "s" in names
            found[part] = Kind.TENSOR if pair else by_name(part)
    for part in parts:
        if isinstance(part, Call) and part.name in {"eq", "ne"} and len(part.args) == 2:
            right = part.args[1]
            if isinstance(right, Given) and found.get(right) not in {Kind.LABELS, Kind.TENSOR}:
                found[right] = Kind.PADDING
    return found


_REDUCED = frozenset(
    {
        "kl_div", "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss",
        "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
        "cosine_embedding_loss", "margin_ranking_loss",
    }
)  # fmt: skip


_ARITHMETIC = frozenset(
    {
        "add", "sub", "mul", "div", "pow", "neg", "square", "sqrt", "exp", "cos", "maximum",
        "minimum", "clip", "clamp", "floating", "item",
    }
)  # fmt: skip


def _scheduled(parts: list[Node]) -> list[Given]:
    """Names in a temperature or a weight that is computed of numbers alone, and nowhere else.

    ``T_max - (T_max - 1) * epoch / epochs`` before a softmax, ``known / total`` before a loss.
    """
    parents: dict[Given, set[int]] = {}
    for part in parts:
        for child in part.children:
            if isinstance(child, Given) and _is_number_name(child):
                parents.setdefault(child, set()).add(id(part))
    inside: set[int] = set()
    for part in parts:
        if not isinstance(part, Call):
            continue
        if part.name in SOFTMAXES and part.args:
            inner = part.args[0]
            if isinstance(inner, Call) and inner.name == "div":
                inside |= _arithmetic(inner.args[1])
        elif part.name == "mul" and len(part.args) == 2:
            for one, other in (part.args, part.args[::-1]):
                if _is_reduced(other):
                    inside |= _arithmetic(one)
    return [g for g, places in parents.items() if places <= inside and by_name(g) is Kind.TENSOR]


def _arithmetic(node: Node) -> set[int]:
    """The operations of an expression of numbers and plain names; none where it has others."""
    found: set[int] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, Call) and part.name in _ARITHMETIC:
            found.add(id(part))
            pending += part.children
        elif not isinstance(part, Constant) and not (
            isinstance(part, Given) and _is_number_name(part)
        ):
            return set()
    return found


def _is_number_name(given: Given) -> bool:
    return not given.inputs and not given.model and "(" not in given.text


def _lists(parts: list[Node]) -> list[Given]:
    """Names of which only single items and the length are read: ``outs[-1]``, ``len(outs)``."""
    whole: set[Given] = set()
    read: set[Given] = set()
    counted: set[Given] = set()
    sliced: set[Given] = set()
    for part in parts:
        if isinstance(part, Each | Item):
            for source in part.loop.sources:
                if (
                    isinstance(source, Call)
                    and source.name == "index"
                    and isinstance(source.args[1], Call)
                    and source.args[1].name == "slice"
                    and isinstance(source.args[0], Given)
                ):
                    sliced.add(source.args[0])
        if isinstance(part, Call) and part.name == "detach":
            continue
        for place, below in enumerate(part.children):
            child = below
            while isinstance(child, Call) and child.name == "detach":
                child = child.args[0]
            if not isinstance(child, Given):
                continue
            if isinstance(part, Call) and part.name == "length":
                counted.add(child)
            elif isinstance(part, Call) and part.name == "index" and not place:
                cut = isinstance(part.args[1], Call) and part.args[1].name == "slice"
                single = _is_place(part.args[1]) or _is_listed(part.args[1])
                (read if cut or single else whole).add(child)
                if isinstance(part.args[1], Constant) and part.args[1].value == -1:
                    counted.add(child)  # the last of the layers
                if _is_listed(part.args[1]):
                    counted.add(child)
            elif not (isinstance(part, Given)):
                whole.add(child)
    return [g for g in counted | sliced if g in read | sliced and g not in whole]


def _number_names(node: Node) -> list[Given]:
    """The plain names of a number that is written into a tensor, less those of counts."""
    parts = list(walk(node))
    if any(isinstance(p, Call) and p.name not in {"add", "sub", "mul", "div"} for p in parts):
        return []
    return [
        p
        for p in parts
        if isinstance(p, Given) and not p.inputs and by_name(p) is Kind.TENSOR and p.text != "K"
    ]


def _is_listed(key: Node) -> bool:
    """Whether an index is one of numbers that are written out: ``for k in [3, 7, 11]``."""
    if not isinstance(key, Item) or key.source < 0:
        return False
    source = key.loop.sources[key.source]
    return isinstance(source, Sequence) and all(isinstance(i, Constant) for i in source.items)


def _is_place(key: Node) -> bool:
    """Whether an index is one place: a number, or the number of a round."""
    if isinstance(key, Constant):
        return isinstance(key.value, int)
    return isinstance(key, Item) and (
        key.source < 0
        or (isinstance(key.loop.sources[0], Call) and key.loop.sources[0].name == "range")
    )


def _weights(parts: list[Node]) -> list[Given]:
    """Plain names that stand before a loss that is one number, and nowhere else."""
    places: dict[Given, int] = {}
    before: dict[Given, int] = {}
    proper: set[Given] = set()
    for part in parts:
        for child in part.children:
            if isinstance(child, Given) and _is_number(child):
                places[child] = places.get(child, 0) + 1
        if isinstance(part, Call) and part.name == "mul" and len(part.args) == 2:
            for one, other in (part.args, part.args[::-1]):
                named = isinstance(other, Given) and _is_loss_itself(other)
                for factor in _number_factors(one) if named or _is_reduced(other) else ():
                    before[factor] = before.get(factor, 0) + 1
                    proper.add(factor)
        if isinstance(part, Call) and part.name == "div" and len(part.args) == 2:
            above, below = part.args
            whole = isinstance(above, Call) and above.name == "sub" and (
                isinstance(above.args[0], Constant)
            )  # fmt: skip
            reduced = _is_reduced(above.args[1] if whole and isinstance(above, Call) else above)
            if isinstance(below, Given) and _is_number(below) and reduced:
                before[below] = before.get(below, 0) + 1  # the batches of one step
                proper.add(below)
        if isinstance(part, Call) and part.name == "sub" and isinstance(part.args[0], Constant):
            one = part.args[1]  # 1 - a, which stands before the other loss
            if isinstance(one, Given) and not one.inputs:
                before[one] = before.get(one, 0) + 1
    unnamed = {Kind.TENSOR, Kind.OLD_CLASSES, Kind.CLASSES}
    return [
        g for g, n in before.items()
        if n == places[g] and (g.inputs or by_name(g) in unnamed) and g in proper
    ]  # fmt: skip


def _is_loss_itself(given: Given) -> bool:
    """Whether a name is that of a loss that was computed before: ``mlm_loss``, ``out.loss``."""
    last = given.text.rsplit(".", 1)[-1]
    return "(" not in last and words(last)[-1:] == ("loss",)


def _number_factors(node: Node) -> Iterator[Given]:
    """The names in a product of numbers: ``w`` and ``ramp(step)`` of ``100 * w * ramp(step)``."""
    if isinstance(node, Given) and _is_number(node):
        yield node
    elif isinstance(node, Call) and node.name == "mul":
        yield from (g for a in node.args for g in _number_factors(a))


_STEPS = re.compile(
    r"step|epoch|iter|round|^(i|n|k|cur|total|idx|it)$|schedule|ramp", re.IGNORECASE
)


def _is_number(given: Given) -> bool:
    """Whether a name may be a number: a plain one, or a schedule of the step or the epoch."""
    if not given.inputs:
        return (not given.model and "(" not in given.text) or bool(_STEPS.search(given.text))
    return not given.model and all(
        isinstance(i, Constant) or (isinstance(i, Given) and bool(_STEPS.search(i.text)))
        for i in given.inputs
    )


def _is_reduced(node: Node) -> bool:
    """Whether a part is a loss that is one number."""
    while isinstance(node, Call) and node.name in {"mul", "div", "neg", "detach"}:
        node = next((a for a in node.args if isinstance(a, Call)), node.args[0])
    if not isinstance(node, Call):
        return False
    if node.name in {"mean", "sum"}:
        return len(node.children) == 1
    if node.name not in _REDUCED:
        return False
    reduction = node.keyword("reduction")
    return not (isinstance(reduction, Constant) and reduction.value == "none")


def _told_by(call: Call) -> list[tuple[Node, Kind]]:
    """What a call tells of its arguments."""
    args = call.args
    told: list[tuple[Node, Kind]]
    if call.name in _OF_TENSORS:
        numbers = call.name in {"pow", "square", "norm", "mean", "var", "std"}
        plain = args and (_is_plain(args[0]) or (numbers and _is_label_name(args[0])))
        told = [(args[0], Kind.TENSOR)] if plain else []
    else:
        told = []
    if call.name in {"cross_entropy", "nll_loss"} and len(args) > 1:
        told.append((args[0], Kind.TENSOR))
        if not _is_soft(args[1]):
            told.append((_unfilled(args[1]), _labels_of(*args[:2])))
        told += [(v, Kind.PADDING) for k, v in call.keywords if k == "ignore_index"]
    if call.name == "one_hot" and args:
        told.append((args[0], Kind.LABELS))
        told += [(n, Kind.CLASSES) for n in (*args[1:], *(v for _, v in call.keywords))]
    if call.name in {"gather", "scatter"} and len(args) > 2:
        told += [(args[0], Kind.TENSOR), (args[2], Kind.LABELS)]
    if call.name in SOFTMAXES and args:
        inner = args[0]
        if isinstance(inner, Call) and inner.name == "div":
            told += [(inner.args[0], Kind.TENSOR), (inner.args[1], Kind.TEMPERATURE)]
        else:
            told.append((inner, Kind.TENSOR))
    if call.name in {"kl_div", "mse_loss", "cdist", "normalize", "cosine_similarity", "matmul",
                     "smooth_l1_loss", "l1_loss", "cosine_embedding_loss", "flatten"}:  # fmt: skip
        told += [(a, Kind.TENSOR) for a in args[:2] if isinstance(a, Given)]
    if call.name in {"binary_cross_entropy_with_logits", "binary_cross_entropy"}:
        told += [(args[0], Kind.TENSOR)] if args else []
        if len(args) > 1:
            target = args[1]
            soft = isinstance(target, Given) and (target.inputs or "teacher" in target.text)
            told.append((target, Kind.TENSOR if soft else Kind.HOT))
    if call.name == "div" and len(args) == 2 and (mask := _divided_mask(*args)) is not None:
        told.append((mask, Kind.MASK))
    if call.name == "pow" and len(args) > 1 and isinstance(args[1], Given):
        fixed = isinstance(args[1].default, int) and args[1].text.rsplit(".", 1)[-1] == "p"
        told += [(args[1], Kind.FLAG)] if fixed else []  # the p of attention maps, as it is set
    if call.name in {"masked_select", "masked_fill"} and len(args) > 1:
        picked = args[1]
        while isinstance(picked, Call) and (
            picked.name in {"expand_as", "booleans", "unsqueeze", "invert", "logical_not"}
            or (picked.name in {"eq", "ne"} and _is_bit(picked.args[1]))
        ):
            picked = picked.args[0]
        told.append((picked, Kind.MASK))
    if call.name in {"eq", "ne"} and len(args) == 2 and isinstance(args[1], Given):
        padded = _PAD.search(args[1].text.rsplit(".", 1)[-1])
        told += [(args[0], Kind.LABELS)] if padded and _is_plain(_unshaped(args[0])) else []
    if call.name in {"ge", "gt", "le", "lt"} and len(args) == 2:
        told += [(g, Kind.FLAG) for g in walk(args[1])
                 if isinstance(g, Given) and _LENGTH.search(g.text)]  # fmt: skip
    if call.name == "booleans" and args and _is_plain(args[0]):
        told.append((args[0], Kind.MASK))
    if call.name == "slice":
        both = all(isinstance(n, Given) for n in args[:2])
        ends = (Kind.OLD_CLASSES, Kind.CLASSES if both else Kind.OLD_CLASSES)
        told += [(n, Kind.CLASSES if _ALL_CLASSES.search(n.text) else k)
                 for n, k in zip(args, ends, strict=False) if isinstance(n, Given)]  # fmt: skip
    if call.name in {"view", "reshape"}:
        told += [(n, Kind.CLASSES) for n in args[2:]
                 if isinstance(n, Given) and not _HEADS.search(n.text)]  # fmt: skip
    if call.name in {"full", "full_like"} and len(args) > 1:
        told += [(g, Kind.WEIGHT) for g in _number_names(args[1])]
    if call.name == "scatter" and len(args) > 3:
        told += [(g, Kind.WEIGHT) for g in _number_names(args[3])]
    if call.name == "full" and args and isinstance(args[0], Sequence):
        told += [(n, Kind.CLASSES) for n in args[0].items[1:] if isinstance(n, Given)]
    if call.name in {"zeros", "ones"}:
        told += [(n, Kind.CLASSES) for n in args[1:] if isinstance(n, Given)]
    if call.name == "range" and args:
        told += [(a, Kind.COUNT) for a in args if isinstance(a, Given)]
    return told


def _divided_mask(above: Node, below: Node) -> Given | None:
    """``m`` of ``(x * m).sum() / m.sum()``."""
    while isinstance(below, Call) and below.name in {"clamp", "clamp_min", "add", "maximum"}:
        below = below.args[0]
    sums = all(isinstance(n, Call) and n.name == "sum" and len(n.children) == 1
               for n in (above, below))  # fmt: skip
    if not sums or not isinstance(above, Call) or not isinstance(below, Call):
        return None
    product, mask = above.args[0], _unshaped(below.args[0])
    if not isinstance(mask, Given) or mask.inputs or not isinstance(product, Call):
        return None
    factors = [_unshaped(a) for a in product.args]
    return mask if product.name == "mul" and mask in factors else None


def _unshaped(node: Node) -> Node:
    """A part before it was cut or shaped."""
    while isinstance(node, Call) and node.name in _SHAPERS and node.args:
        node = node.args[0]
    return node


def _unfilled(node: Node) -> Node:
    """Labels before some of them were set to what is ignored."""
    while isinstance(node, Call) and node.name in {*_SHAPERS, "masked_fill"} and node.args:
        node = node.args[0]
    return node


def _is_bit(node: Node) -> bool:
    return isinstance(node, Constant) and node.value in {0, 1}


def _labels_of(scores: Node, target: Node) -> Kind:
    """Labels that fit the scores: of a head that is cut from some class on the later classes."""
    while isinstance(scores, Call) and scores.name in _SHAPERS | SOFTMAXES and scores.args:
        if scores.name == "index":
            break
        scores = scores.args[0]
    starts = [
        part.args[0] for part in (walk(scores) if isinstance(scores, Call) else ())
        if isinstance(part, Call) and part.name == "slice" and len(part.args) > 1
    ]  # fmt: skip
    later = any(not isinstance(s, Constant) or s.value for s in starts)
    if not (isinstance(scores, Call) and scores.name == "index" and later):
        return Kind.LABELS
    shifted = isinstance(target, Call) and target.name == "sub"
    return Kind.NEW_LABELS if shifted else Kind.FEW_LABELS


def _is_plain(node: Node) -> bool:
    """Whether a part is a name that its own name does not call a number or labels."""
    return isinstance(node, Given) and by_name(node) is Kind.TENSOR


def _is_label_name(node: Node) -> bool:
    """Whether a part is a name of labels: class indices are not squared or averaged."""
    return isinstance(node, Given) and not node.inputs and by_name(node) is Kind.LABELS


def _is_soft(node: Node) -> bool:
    """Whether a target of cross-entropy is a distribution by its name."""
    while isinstance(node, Call) and node.name in _SHAPERS and node.args:
        node = node.args[0]
    return isinstance(node, Given) and bool(
        re.search(r"prob|soft|teacher|(^|_)old", node.text, re.IGNORECASE)
        and not is_label(node.text.rsplit(".", 1)[-1])
    )


def by_name(given: Given) -> Kind:
    """What a name alone tells."""
    last = given.text.rsplit(".", 1)[-1]
    if isinstance(given.default, bool | str):
        return Kind.FLAG
    if given.inputs:
        return Kind.TENSOR
    whose = last[-2:] == "_t" or (last[-2:] == "_T" and bool(_OUTPUT.search(last)))
    letter_alone = whose and "temp" not in last.lower()
    if is_temperature(last) and not letter_alone:
        return Kind.TEMPERATURE
    number = isinstance(given.default, int | float)
    if number and last in {"K", "C", "V", "num_classes", "n_classes", "num_class", "n_cls"}:
        return Kind.CLASSES
    if is_weight(last) and "weights" not in last:
        return Kind.WEIGHT
    if number:
        return Kind.COUNT if isinstance(given.default, int) and given.default > 8 else Kind.WEIGHT
    if _MASK.search(last):
        return Kind.MASK
    if _HOT.search(last):
        return Kind.HOT
    if _PAD.search(last):
        return Kind.PADDING
    if is_label(last):
        return Kind.LABELS
    counts = bool(_COUNTS.fullmatch(last))
    if is_class_count(last) or counts or last in {"V", "C"} or _CLASS_COUNT.fullmatch(last):
        return Kind.OLD_CLASSES if _OLD.search(last) else Kind.CLASSES
    return Kind.TENSOR


def is_scalar(node: Node, kinds: dict[Given, Kind]) -> bool:
    """Whether a part is a number made of numbers alone: a weight, not a tensor."""
    if isinstance(node, Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, Given):
        return kinds.get(node) in SCALARS
    if isinstance(node, Call):
        return node.name in _ARITHMETIC and all(is_scalar(a, kinds) for a in node.children)
    return False


def is_listed_weight(node: Node) -> TypeGuard[Call]:
    """Whether a part is one weight of a list: ``beta[i]``, ``weights[0]``."""
    if not isinstance(node, Call) or node.name != "index" or len(node.args) != 2:
        return False
    source, key = node.args
    named = isinstance(source, Given) and not source.inputs and is_weights(source.text)
    return named and isinstance(key, Item | Constant)


def is_weights(text: str) -> bool:
    """Whether a list is one of weights."""
    return bool(re.search(r"weight|alpha|beta|gamma|lamb|coef|^w(s|_)", text, re.IGNORECASE))
