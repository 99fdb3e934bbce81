"""What may stand for the student, the teacher, the labels and the temperature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from didact.check.explain.formula.kinds import INDICES, SOFTMAXES, Kind, is_scalar, is_weights
from didact.check.explain.formula.roles import leaves, side
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
from didact.check.explain.formula.verdict.factors import is_same, live
from didact.check.explain.formula.verdict.laboratory import Laboratory

_LOSSES = frozenset(
    [
        "kl_div",
        "cross_entropy",
        "nll_loss",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "mse_loss",
        "l1_loss",
        "smooth_l1_loss",
        "huber_loss",
        "cosine_embedding_loss",
    ]
)


_PAIRED = frozenset({"sub", "cdist", "cosine_similarity"})


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The parts of a term that stand for the names of a definition."""

    student: Node
    teacher: Node | None
    labels: Node | None
    temperature: Node
    scalar: Node | None = None
    old: Node | None = None
    hot: Node | None = None
    padding: Node | None = None
    smoothing: Node | None = None
    mask: Node | None = None
    second: Node | None = None
    centre: Node | None = None
    first: tuple[bool, bool] = (True, True)
    """Whether the temperature and the scalar are the first of those that are tried."""


def candidates(lab: Laboratory, body: Node) -> Iterator[Inputs]:
    """What may stand for s, t, y and T: first the names themselves, then what softmaxes read."""
    names = leaves(body)
    own = [g for g in names if lab.kinds.get(g) in {Kind.TENSOR, Kind.OLD_OUTPUT}]
    own.sort(key=lambda g: g.text)
    items: list[Node] = [p for p in walk(body) if isinstance(p, Item) and p.source >= 0
                         and not (isinstance(p.loop.sources[p.source], Given)
                                  and is_weights(p.loop.sources[p.source].text))]  # type: ignore[attr-defined]  # fmt: skip
    items += [p for p in walk(body) if _is_one_of_list(p, lab)]
    softened, temperatures = _softened(body, lab)
    averaged = _averaged(body, lab)
    groups: list[list[Node]] = [[*own, *items], softened, [*_compared(body), *lab.moved.values()]]
    every = [p for p in walk(body) if isinstance(p, Given)]
    label = next((g for g in every if lab.kinds.get(g) in INDICES), None)
    hot = next((g for g in every if lab.kinds.get(g) is Kind.HOT), None)
    options = {k: v for p in walk(body) if isinstance(p, Call) for k, v in p.keywords}
    labels = _label_part(body, label)
    scalars: list[Node | None] = [
        g for g in names if lab.kinds.get(g) is Kind.WEIGHT
    ] or [Constant(0.5)]  # fmt: skip
    old = next(_bounds(body), None)
    mask = _mask_part(body) or _kept_part(body, lab)
    seen: set[tuple[int, int | None, int]] = set()
    yield from _of_two_temperatures(body, lab)
    for group in groups:
        lists = [(s, t) for s in group for t in averaged if t is not s]
        for student, teacher in (*_pairs(lab, group), *lists):
            for number, temperature in enumerate(temperatures):
                key = (id(student), id(teacher) if teacher else None, id(temperature))
                if key in seen:
                    continue
                seen.add(key)
                for place, scalar in enumerate(scalars):
                    yield Inputs(
                        student, teacher, labels, temperature, scalar, old, hot,
                        options.get("ignore_index"), options.get("label_smoothing"), mask,
                        first=(not number, not place),
                    )  # fmt: skip


def _is_one_of_list(node: Node, lab: Laboratory) -> bool:
    """Whether a part is one tensor of a list: ``feats[-1]``, or what a loop ends with."""
    if not isinstance(node, Call) or node.name not in {"last", "index"} or not node.args:
        return False
    source = live(node.args[0])
    return (
        isinstance(source, Given) and lab.kinds.get(source) is Kind.LIST
        and not is_weights(source.text)
    )  # fmt: skip


def _averaged(body: Node, lab: Laboratory) -> list[Node]:
    """The scores of several teachers whose softmaxes stand in one target, as lists."""
    found: list[Node] = []
    for part in walk(body):
        if isinstance(part, Each):
            inside, _ = _softened(part.body, lab)
            found += [
                Each(part.loop, scores) for scores in inside
                if any(isinstance(p, Item) and p.loop is part.loop for p in walk(scores))
            ]  # fmt: skip
    softened, _ = _softened(body, lab)
    teachers = [s for s in softened if side(s, lab.roles) == "teacher"]
    if len(teachers) > 1 and not found:
        found.append(Sequence(tuple(teachers)))
    return found


def _of_two_temperatures(body: Node, lab: Laboratory) -> Iterator[Inputs]:
    """A softmax and a log-softmax at different temperatures: the target's and the student's."""
    soft: dict[str, list[tuple[Node, Node]]] = {"softmax": [], "log_softmax": []}
    for part in walk(body):
        if isinstance(part, Call) and part.name in soft and part.args:
            inner = part.args[0]
            if (
                isinstance(inner, Call)
                and inner.name == "div"
                and is_scalar(inner.args[1], lab.kinds)
            ):
                soft[part.name].append((live(inner.args[0]), inner.args[1]))
    for (teacher, second), (student, first) in product(soft["softmax"], soft["log_softmax"]):
        if second is first or is_same(first, second):
            continue
        yield Inputs(student, teacher, None, first, second=second)
        if isinstance(teacher, Call) and teacher.name == "sub":
            scores, centre = (live(a) for a in teacher.args)
            yield Inputs(student, scores, None, first, second=second, centre=centre)


def _pairs(lab: Laboratory, group: list[Node]) -> Iterator[tuple[Node, Node | None]]:
    unique = list({id(n): n for n in group}.values())[:6]
    ranked: list[tuple[int, Node, Node | None]] = []
    for student, teacher in product(unique, unique):
        if student is teacher:
            continue
        sides = (side(student, lab.roles), side(teacher, lab.roles))
        if sides == ("student", "teacher"):
            rank = 0
        elif "teacher" not in sides[:1] and sides[1] != "student":
            rank = 1
        elif sides == ("student", "student"):
            rank = 2
        else:
            continue
        ranked.append((rank, student, teacher))
    ranked.sort(key=lambda r: r[0])
    yield from ((s, t) for _, s, t in ranked)
    sides_of_all = {side(one, lab.roles) for one in unique}
    for one in unique:
        if side(one, lab.roles) != "teacher" or sides_of_all == {"teacher"}:
            yield one, None  # a teacher that is trained itself is the one that predicts


def _softened(body: Node, lab: Laboratory) -> tuple[list[Node], list[Node]]:
    """What softmaxes read, without the temperature, and the temperatures."""
    scores: dict[int, Node] = {}
    temperatures: dict[int, Node] = {}
    for part in walk(body):
        if not isinstance(part, Call) or not part.args:
            continue
        inner = part.args[0]
        by_hand = part.name in {"exp", "logsumexp"} and not _has_softmax(inner)
        compares = part.name == "cross_entropy" and isinstance(inner, Call)
        if part.name not in SOFTMAXES and not by_hand and not compares:
            continue
        while isinstance(inner, Call) and inner.name in {"sub", "add"}:
            inner = inner.args[0]
        turned = {"detach", "t", "transpose"} if compares else {"detach"}
        while isinstance(inner, Call) and inner.name in turned:
            inner = inner.args[0]
        if isinstance(inner, Call) and inner.name == "div" and is_scalar(inner.args[1], lab.kinds):
            temperatures[id(inner.args[1])] = inner.args[1]
            inner = inner.args[0]
        inner = live(inner)
        scores[id(inner)] = inner
        cut = [
            p for p in walk(body) if part.name == "sigmoid" and isinstance(p, Call)
            and p.name == "index" and p.args[0] is part
        ]  # fmt: skip
        for piece in cut:  # a sigmoid does not mind whether it is cut before or after
            moved = lab.moved.setdefault(piece, Call("index", (inner, piece.args[1])))
            scores[id(moved)] = moved
        while isinstance(inner, Call) and inner.name in {"t", "flatten", "view", "reshape", "index",
                                                         "permute", "transpose"}:  # fmt: skip
            inner = inner.args[0]
            if isinstance(inner, Call) and inner.name == "div":
                break
    values = list(temperatures.values())
    constants = {v.value: v for v in values if isinstance(v, Constant)}
    others = [v for v in values if not isinstance(v, Constant)]
    found = [*others, *constants.values()]
    return list(scores.values()), found or [Constant(1.0)]


def _has_softmax(node: Node) -> bool:
    return any(isinstance(p, Call) and p.name in SOFTMAXES for p in walk(node))


def _compared(body: Node) -> list[Node]:
    """What losses and differences read."""
    found: list[Node] = []
    for part in walk(body):
        if isinstance(part, Call) and (part.name in _LOSSES or part.name in _PAIRED):
            found += [live(argument) for argument in part.args[:2]]
    return found


def _label_part(body: Node, label: Given | None) -> Node | None:
    """The labels as the loss reads them: shifted, flattened, selected."""
    for part in walk(body):
        hard = isinstance(part, Call) and part.name in {"cross_entropy", "nll_loss"}
        if isinstance(part, Call) and hard and len(part.args) > 1:
            target = part.args[1]
            if label in leaves(target):
                return target
    return label


def _mask_part(body: Node) -> Node | None:
    """What a sum is multiplied by before it and divided by behind it."""
    for part in walk(body):
        if not isinstance(part, Call) or part.name != "div":
            continue
        above, below = part.args[0], list(walk(part.args[1]))
        if isinstance(above, Call) and above.name == "neg":
            above = above.args[0]
        if not isinstance(above, Call) or above.name != "sum":
            continue
        product = above.args[0]
        if isinstance(product, Call) and product.name == "mul":
            for factor in product.args:
                inner = factor
                while isinstance(inner, Call) and inner.name in {"unsqueeze", "floating"}:
                    inner = inner.args[0]  # a dimension of size 1 leaves the sum as it is
                if any(is_same(factor, p) or inner is p for p in below):
                    return factor
    return None


def _kept_part(body: Node, lab: Laboratory) -> Node | None:
    """The mask that picks the rows of which the mean is taken."""
    for part in walk(body):
        if isinstance(part, Call) and part.name in {"index", "masked_select"}:
            key = part.args[1]
            names = leaves(key)
            if names and all(lab.kinds.get(g) in {Kind.MASK, Kind.WIDE_MASK} for g in names):
                return key
    return None


def _bounds(body: Node) -> Iterator[Node]:
    for part in walk(body):
        if isinstance(part, Call) and part.name == "slice":
            yield from (a for a in part.args[:2] if not isinstance(a, Constant) or a.value)
