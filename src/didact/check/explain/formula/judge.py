"""The losses of a paste with their verdicts: equal to a named loss, off by a factor, or unknown."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from didact.check.engine.names import is_loss as is_loss_name
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.kinds import Kind, kinds_of
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.formula.plain import is_zero
from didact.check.explain.formula.ranks import Ranks, ranks_of, words_of
from didact.check.explain.formula.roles import Told, called, leaves, roles_of
from didact.check.explain.formula.trace import Entry, Tracer, trace
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Each,
    Given,
    Node,
    alternatives,
    walk,
)
from didact.check.explain.formula.tree import replace as replace_nodes
from didact.check.explain.formula.verdict import Term, addends, by_form, laboratory, solve
from didact.check.explain.formula.written import Writer, box_of

MOST = 6
"""How many losses of one paste are judged."""
_OLD_MODEL = frozenset({"old", "prev", "previous", "lwf", "task", "known", "seen", "incremental"})
_LOSS_CALLS = frozenset(
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
        "margin_ranking_loss",
    ]
)
_COMPARING = frozenset(
    [
        "softmax",
        "log_softmax",
        "sigmoid",
        "logsigmoid",
        "cdist",
        "normalize",
        "cosine_similarity",
        "pairwise_distance",
        "matmul",
        "bmm",
        "sub",
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One alternative of a loss.

    Attributes:
        conditions: When it is computed.
        terms: Its addends.
        rank: For which number of dimensions it was judged.
        equal_flat: For ``[B, C]`` it would be equal, and the code does not tell which it is.
    """

    conditions: tuple[str, ...]
    terms: tuple[Term, ...]
    rank: int
    equal_flat: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """One loss of the code.

    Attributes:
        entry: Where it is returned, backpropagated or kept.
        text: Its formula.
        mathml: The same for a page.
        branches: Its alternatives, one if it has no conditions.
    """

    entry: Entry
    text: str
    mathml: str
    branches: tuple[Branch, ...]

    @property
    def terms(self) -> list[Term]:
        """The terms of all alternatives."""
        return [t for b in self.branches for t in b.terms]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """All losses of a paste, the main one first.

    Attributes:
        losses: What was judged.
        roles: Whose the names are, and what tells it.
        kinds: What the names stand for.
        tracer: What was followed.
        incremental: The teacher is the model of the classes so far.
        ranks: What the code tells of the number of dimensions.
    """

    losses: tuple[Loss, ...]
    roles: dict[Given, Told]
    kinds: dict[Given, Kind]
    tracer: Tracer
    incremental: bool
    ranks: Ranks

    @property
    def terms(self) -> list[Term]:
        """The terms of all losses."""
        return [t for loss in self.losses for t in loss.terms]


@lru_cache(maxsize=32)
def judged_source(source: str, words: str = "") -> Judged:
    """The same for a source that parses; the last few are kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return judge(tree_of(source), words)


@lru_cache(maxsize=256)
def tree_of(source: str) -> ast.Module:
    """The syntax tree of a source, the same object for the same source."""
    return ast.parse(source)


def judge(tree: ast.Module, words: str = "") -> Judged:
    """Follow the code and compare its losses with the named ones; ``words`` surround it."""
    tracer = trace(tree, words)
    entries = _losses(tracer.entries, tracer)
    nodes = [e.value for e in tracer.entries]
    kinds = kinds_of(nodes)
    roles = roles_of(nodes, kinds, tracer.labels)
    incremental = _is_incremental(tree)
    ranks = ranks_of(tree, words)
    losses = []
    for entry in entries[:MOST]:
        branches = [
            _branch(conditions, node, roles, ranks, incremental=incremental)
            for conditions, node in _told_apart(entry.value, tree)
        ]
        text, mathml = box_of(entry.value, tracer.labels, branches[0].rank)
        losses.append(Loss(entry, text, mathml, tuple(branches)))
    return Judged(tuple(losses), roles, kinds, tracer, incremental, ranks)


_BY_OPTION = re.compile(r"(?P<name>\w*reduc\w*) == '(?P<value>\w+)'")


def _told_apart(node: Node, tree: ast.Module) -> list[tuple[tuple[str, ...], Node]]:
    """The alternatives; of those that an option chooses the default one.

    Where it has none, less those that are a sum because the caller asks for one.
    """
    options = {
        p: option for p in walk(node)
        if isinstance(p, Choice) and (option := _BY_OPTION.fullmatch(p.text))
    }  # fmt: skip
    defaults = _defaults(tree) if options else {}
    chosen: dict[Node, Node] = {
        p: p.then if defaults[o["name"]] == o["value"] else p.other
        for p, o in options.items() if o["name"] in defaults
    }  # fmt: skip
    every = alternatives(replace_nodes(node, chosen) if chosen else node)
    asked = [b for b in every if not any(_asks_a_sum(c) for c in b[0])]
    return asked or every


def _asks_a_sum(condition: str) -> bool:
    option = _BY_OPTION.fullmatch(condition)
    return option is not None and option["value"] in {"sum", "none"}


def _defaults(tree: ast.Module) -> dict[str, str]:
    """The texts that parameters have where nobody says."""
    found: dict[str, str] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.arguments):
            given = zip(node.args[::-1], node.defaults[::-1], strict=False)
            for argument, value in [*given, *zip(node.kwonlyargs, node.kw_defaults, strict=False)]:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[argument.arg] = value.value
    return found


def _branch(
    conditions: tuple[str, ...], node: Node, roles: dict[Given, Told], ranks: Ranks,
    *, incremental: bool,
) -> Branch:  # fmt: skip
    """The terms for the number of dimensions for which most of them are recognised."""
    if is_zero(node):  # a branch in which nothing is learnt
        return Branch(conditions, (), 2)
    best: tuple[tuple[int, int], Branch] | None = None
    if not ranks.certain and not ranks.word and _masks_positions(node):
        ranks = replace(ranks, order=(3, 2, 4))
    for rank in ranks.order:
        lab = laboratory(node, roles, rank, incremental=incremental)
        if not lab.works():
            continue
        terms = solve(lab, node)
        unknown = _unknown_count(terms)
        plain = sum(t.definition is not None and t.definition.key in GENERIC for t in terms)
        key = (unknown, plain)
        if best is None or (key < best[0] and not _by_size(terms)):
            best = (key, Branch(conditions, tuple(terms), rank))
        if (not unknown and not plain) or ranks.certain or not _may_be_deeper(node):
            break
    if best is None:
        return _part_by_part(conditions, node, roles, ranks, incremental=incremental)
    branch = best[1]
    if best[0][0] and len(branch.terms) > 1:
        parts = _part_by_part(conditions, node, roles, ranks, incremental=incremental)
        if _unknown_count(parts.terms) < best[0][0]:
            return parts
    if branch.rank > 2 and not ranks.certain and _by_size(branch.terms):
        return replace(branch, equal_flat=_is_equal_flat(node, roles, incremental=incremental))
    return branch


def _masks_positions(node: Node) -> bool:
    """Whether a mask picks rows of what is normalised over the last axis: tokens."""
    last = any(
        isinstance(p, Call) and p.name in {"softmax", "log_softmax"}
        and any(isinstance(c, Constant) and c.value == -1 for c in p.children[1:])
        for p in walk(node)
    )  # fmt: skip
    return last and Kind.MASK in kinds_of([node]).values()


def _unknown_count(terms: Iterable[Term]) -> int:
    return sum(t.status == "unknown" and not is_given(t) for t in terms)


def _part_by_part(
    conditions: tuple[str, ...], node: Node, roles: dict[Given, Told], ranks: Ranks,
    *, incremental: bool,
) -> Branch:  # fmt: skip
    """The addends of a formula, each for itself and for the dimensions that suit it.

    Of maps and logits in one loss, or of one that cannot be evaluated as a whole.
    """
    terms: list[Term] = []
    for part in addends(node):
        if is_zero(part):  # a branch adds nothing
            continue
        best: list[Term] | None = None
        for rank in ranks.order:
            lab = laboratory(part, roles, rank, incremental=incremental)
            if not lab.works():
                continue
            found = solve(lab, part)
            if best is None or _unknown_count(found) < _unknown_count(best):
                best = found
            if not _unknown_count(best):
                break
        if best is None:
            lab = laboratory(part, roles, ranks.order[0], incremental=incremental)
            best = [by_form(lab, part) or Term((), part)]
        terms += best
    return Branch(conditions, tuple(terms), 2)


def _by_size(terms: Iterable[Term]) -> bool:
    """Whether a term is summed over positions that it should be averaged over."""
    laws = [t.law for t in terms if t.law is not None]
    return any({"S", "H·W"} & dict(law.powers).keys() for law in laws)


def _is_equal_flat(node: Node, roles: dict[Given, Told], *, incremental: bool) -> bool:
    lab = laboratory(node, roles, 2, incremental=incremental)
    return lab.works() and all(t.status == "equal" or is_given(t) for t in solve(lab, node))


_SHAPING = frozenset(
    {
        "view", "reshape", "flatten", "permute", "transpose", "bmm", "squeeze", "unsqueeze",
        "index", "size", "gather",
    }
)  # fmt: skip


def _may_be_deeper(node: Node) -> bool:
    """Whether a formula treats dimensions apart, as one of positions or of maps would."""
    for part in walk(node):
        if isinstance(part, Call):
            dim = part.keyword("dim") or (part.args[1] if len(part.args) == 2 else None)
            deep = isinstance(dim, Constant) and dim.value in {2, 3, -2, -3}
            if part.name in _SHAPING or deep or (part.name == "mean" and dim is not None):
                return True
    return False


def _losses(entries: Iterable[Entry], tracer: Tracer) -> list[Entry]:
    """The entries that are losses: backpropagated first, then returned, then kept last."""
    found = [e for e in entries if _is_loss(e, tracer)]
    if any(e.how == "backward" for e in found):
        backward = [e for e in found if e.how == "backward"]
        inner = {id(p) for e in backward for p in walk(e.value)}
        steps = {e.owner for e in backward if e.owner}
        found = backward + [
            e for e in found
            if e.how == "return" and id(e.value) not in inner and e.owner not in steps
        ]  # fmt: skip
    kept_alive = [e for e in found if not _is_log(e)]
    found = kept_alive or found
    order = {"backward": 0, "return": 1, "assign": 1}
    unique = {id(e.value): e for e in reversed(found)}
    kept = [e for e in found if unique[id(e.value)] is e]
    return sorted(kept, key=lambda e: order[e.how])


def _is_log(entry: Entry) -> bool:
    """Whether a value was taken out of the graph as a whole: a number for the log."""
    return isinstance(entry.value, Call) and entry.value.name in {"item", "detach"}


def _is_loss(entry: Entry, tracer: Tracer) -> bool:
    parts = list(walk(entry.value))
    names = {p.name for p in parts if isinstance(p, Call)}
    if names & _LOSS_CALLS:
        return True
    root = entry.value
    while isinstance(root, Call) and root.name in {"mul", "div", "neg", "detach", "item"}:
        root = root.args[0] if not isinstance(root.args[0], Constant) else root.args[-1]
    if isinstance(root, Call) and root.name in {"softmax", "log_softmax", "normalize", "index"}:
        return False
    if _is_place(root) or _is_accuracy(parts):
        return False
    if names & {"sum", "mean", "norm", "max", "amax"} and names & (
        _COMPARING | {"pow", "square", "abs", "log"}
    ):
        return True
    named = is_loss_name(tracer.labels.get(entry.value, entry.name).rsplit(".", 1)[-1])
    return named and any(isinstance(p, Given) and is_loss_name(called(p)) for p in parts)


_ACCURACY = re.compile(r"(^|_)acc(s|urac(y|ies))?(_|\d|$)", re.IGNORECASE)


def _is_accuracy(parts: list[Node]) -> bool:
    """Whether a value is made of a table of accuracies alone."""
    names = [p.text for p in parts if isinstance(p, Given) and not p.inputs]
    return bool(names) and all(_ACCURACY.search(n.rsplit(".", 1)[-1]) for n in names)


def _is_place(node: Node) -> bool:
    """Whether a value says where something stands: ``d.argmin()``, or a list of such."""
    while isinstance(node, Each) or (isinstance(node, Call) and node.name in {"item", "detach"}):
        node = node.body if isinstance(node, Each) else node.args[0]
    if isinstance(node, Call):
        return node.name in {"argmin", "argmax", "argsort"}
    return isinstance(node, Given) and bool(re.search(r"\.arg(min|max|sort)\([^()]*\)$", node.text))


def is_given(term: Term) -> bool:
    """Whether a term is a name or an unknown call: taken as given, nothing is said of it."""
    return isinstance(term.body, Given)


def last_alone(term: Term) -> str | None:
    """The list of which a term reads what the last round of a loop leaves behind."""
    for part in (p for n in (term.body, *(w for w, _ in term.weights)) for p in walk(n)):
        if isinstance(part, Call) and part.name == "last":
            return Writer().write(part.args[0]).plain
    return None


def has_square_in_front(judged: Judged, term: Term) -> bool:
    """Whether T² stands before a term as a number: the code gives T that value, by default or once.

    With T = 1 there is nothing to multiply by.
    """
    temperature = term.temperature
    if not isinstance(temperature, Given):
        return False
    value = temperature.default
    if value is None:
        set_to = [
            n.value.value for n in nodes_of(judged.tracer.tree)
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)
            and text_of(n.targets[0]) == temperature.text
        ]  # fmt: skip
        value = set_to[0] if len(set_to) == 1 else None
    if not isinstance(value, int | float):
        return False
    numbers = [w.value**p for w, p in term.weights
               if isinstance(w, Constant) and isinstance(w.value, int | float)]  # fmt: skip
    return value == 1 or math.prod(numbers) >= 0.9 * value**2 * (1 - 1e-9)


def is_distilling_elsewhere(term: Term, roles: Mapping[Given, Told]) -> bool:
    """Whether a term is a call, defined elsewhere, that is given both models' outputs."""
    if not isinstance(term.body, Given):
        return False
    inside = {roles[p].role for i in term.body.inputs for p in walk(i)
              if isinstance(p, Given) and p in roles}  # fmt: skip
    return {"student", "teacher"} <= inside


def _is_incremental(tree: ast.Module) -> bool:
    return bool(words_of(tree) & _OLD_MODEL)


def flat_divergences(judged: Judged) -> set[int]:
    """The lines of divergences that are of two dimensions whatever the tensors that come in."""
    lines: dict[int, set[bool]] = {}
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call):
            continue
        value = judged.tracer.values.get(id(node))
        if not isinstance(value, Call) or value.name != "kl_div":
            continue
        for rank in (2, 3, 4):
            lab = laboratory(value, judged.roles, rank)
            try:
                scores = lab.raw(value.args[0], lab.base)
            except EvaluationError:
                continue
            flat = isinstance(scores, Array) and scores.rank <= 2
            lines.setdefault(node.lineno, set()).add(flat)
    return {line for line, found in lines.items() if found == {True}}


def is_of_labels(term: Term, roles: Mapping[Given, Told]) -> bool:
    """Whether a term that is taken as given is called with the labels."""
    inside = [g for i in getattr(term.body, "inputs", ()) for g in leaves(i)]
    return any(g in roles and roles[g].role == "labels" for g in inside)
