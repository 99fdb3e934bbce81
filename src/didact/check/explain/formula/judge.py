"""The losses of a paste with their verdicts: equal to a named loss, off by a factor, or unknown."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from didact.check.engine.names import is_loss as is_loss_name
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.kinds import Kind, kinds_of
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.plain import is_zero
from didact.check.explain.formula.roles import Told, leaves, roles_of, side
from didact.check.explain.formula.trace import Entry, Tracer, trace
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Item,
    Loop,
    Node,
    alternatives,
    walk,
)
from didact.check.explain.formula.verdict import Term, addends, by_form, laboratory, solve
from didact.check.explain.formula.written import Writer, box_of

MOST = 6
"""How many losses of one paste are judged."""
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
_OLD_MODEL = frozenset({"old", "prev", "previous", "lwf", "task", "known", "seen", "incremental"})
_SEQUENCES = re.compile(
    r"\b(gpt2?|sfttrainer|sft|gkd|llama|qwen|bloom|mistral|gemma|chatglm|causallm|autoregressive|seq|seq_len|sequence|causal|vocab|vocabulary|sentence|lm|pad|pad_id|speech|asr|ctc|frames"
    r"|utterance|tokens?)\b|topk_(ids|log)|(?<!mini)(?<!disti)llm|per_token|token(?!ize|_type|s?_len)|causal|wav2vec|hubert"
    r"|句子|序列|词表|词元|语音|大模型|语言模型"
)
_MAPS = re.compile(
    r"\b(seg|segmentation|pixels?|spatial|attention_map|feature_map|voxels?|volumetric|unet|nnunet"
    r"|dice|heatmaps?|interpolate|miou)\b|seg_|pixel|voxel|segment|像素|分割|体素"
)
_SHAPES = {
    2: re.compile(
        r"[(\[]\s*(b|n|bs|bsz|batch|batch_size)\s*[,x×]\s*(c|k|class(es)?|n_?class(es)?|num_?class(es)?|"
        r"num_?labels|v|vocab(_?size)?|类别数?)\s*[)\]]"
    ),
    3: re.compile(
        r"[(\[]\s*(b|n|bs|bsz|batch|batch_size)\s*[,x×]\s*(s|t|l|seq|seq_?len|length|time|tokens)"
        r"\s*[,x×]\s*(v|c|d|vocab|vocab_?size|classes|hidden|dim)\s*[)\]]"
    ),
    4: re.compile(
        r"\b(b|n|bs|batch|batch_size|batchsize)\s*[,x×]\s*(c|channels?)\s*[,x×]\s*(d\s*[,x×]\s*)?"
        r"(h|height)\s*[,x×]\s*(w|width)\b"
    ),
}
"""How comments write the shape of what is compared."""
_NUMBERS = {
    rank: re.compile(
        r"(?:\b(?:shapes?|logits|outputs?|randn?)\b|形状|维度|输出)[^\[(\n]{0,24}[\[(]\s*\d+"
        rf"(?:\s*[,x×]\s*\d+){{{rank - 1}}}\s*[\])]"
    )
    for rank in (3, 4)
}
"""How words and comments write it in numbers: ``logits are [8, 19, 128, 256]``."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The numbers of dimensions to try, the likeliest first.

    Attributes:
        order: The numbers.
        certain: The code itself tells the first.
        word: What speaks for the first.
    """

    order: tuple[int, ...] = (2, 3, 4)
    certain: bool = False
    word: str = ""

    @classmethod
    def first(cls, rank: int, word: str, *, certain: bool = False) -> Ranks:
        """One number before the others."""
        return cls((rank, *(r for r in (2, 3, 4) if r != rank)), certain, word)


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
    ranks = _ranks(tree, words)
    losses = []
    for entry in entries[:MOST]:
        branches = [
            _branch(conditions, node, roles, ranks, incremental=incremental)
            for conditions, node in alternatives(entry.value)
        ]
        text, mathml = box_of(entry.value, tracer.labels, branches[0].rank)
        losses.append(Loss(entry, text, mathml, tuple(branches)))
    return Judged(tuple(losses), roles, kinds, tracer, incremental, ranks)


def _branch(
    conditions: tuple[str, ...], node: Node, roles: dict[Given, Told], ranks: Ranks,
    *, incremental: bool,
) -> Branch:  # fmt: skip
    """The terms for the number of dimensions for which most of them are recognised."""
    if is_zero(node):  # a branch in which nothing is learnt
        return Branch(conditions, (), 2)
    best: tuple[tuple[int, int], Branch] | None = None
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
    if names & {"sum", "mean", "norm", "max", "amax"} and names & (
        _COMPARING | {"pow", "square", "abs", "log"}
    ):
        return True
    named = is_loss_name(tracer.labels.get(entry.value, entry.name).rsplit(".", 1)[-1])
    return named and any(isinstance(p, Given) and is_loss_name(_callee(p)) for p in parts)


def _callee(given: Given) -> str:
    return re.split(r"[(\[]", given.text, maxsplit=1)[0].rsplit(".", 1)[-1]


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
            and ast.unparse(n.targets[0]) == temperature.text
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


def _words(tree: ast.Module) -> set[str]:
    words: set[str] = set()
    for node in nodes_of(tree):
        for name in (getattr(node, "id", None), getattr(node, "attr", None),
                     getattr(node, "arg", None), getattr(node, "name", None)):  # fmt: skip
            if isinstance(name, str):
                words |= set(re.split(r"[_\d]+", name.lower())) | {name.lower()}
    return words


def _is_incremental(tree: ast.Module) -> bool:
    return bool(_words(tree) & _OLD_MODEL)


def _ranks(tree: ast.Module, words: str) -> Ranks:
    """What the code, its names and its comments tell of the number of dimensions."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            shape = ast.unparse(node.value).endswith((".shape", ".size()"))
            count = len(node.targets[0].elts)
            if shape and count in {2, 3, 4}:
                return Ranks.first(count, ast.unparse(node), certain=True)
    lowered = words.lower()
    for shapes in (_SHAPES, _NUMBERS):
        for rank, pattern in shapes.items():
            shape_told = pattern.search(lowered)
            others = any(p.search(lowered) for r, p in shapes.items() if r != rank)
            if shape_told is not None and not others:
                return Ranks.first(rank, shape_told[0], certain=True)
    if shift := _shift(tree):
        return Ranks.first(3, shift)
    names = " ".join(sorted(_words(tree))) + " " + lowered
    for rank, pattern in ((3, _SEQUENCES), (4, _MAPS)):
        word = pattern.search(names)
        if word is not None:
            return Ranks.first(rank, word[0])
    return Ranks()


def _shift(tree: ast.Module) -> str:
    """A slice that leaves the last position out, as a causal model's scores are cut."""
    for node in nodes_of(tree):
        parts = node.slice.elts if isinstance(node, ast.Subscript) and isinstance(
            node.slice, ast.Tuple) else []  # fmt: skip
        for part in parts[1:]:
            last = isinstance(part, ast.Slice) and part.lower is None and part.upper is not None
            if last and ast.unparse(part) == ":-1":
                return ast.unparse(node)
    return ""


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


# Which method this is


def method_keys(judged: Judged) -> list[str]:
    """The named methods that the recognised terms make, the most telling first."""
    terms = [t for t in judged.terms if t.definition is not None]
    keys = {t.definition.key for t in terms if t.definition is not None}
    found: list[str] = []
    for method, needed in _METHODS:
        if keys & needed:
            found.append(method)
    if "jsd" in found and all(_is_even(t) for t in terms if t.definition.key == "jsd"):  # type: ignore[union-attr]
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
    if keys and keys <= _OF_LABELS:
        found.append("plain")
    return found


def _is_even(term: Term) -> bool:
    """Whether a mixture is half of both sides."""
    return isinstance(term.scalar, Constant) and term.scalar.value == 0.5


_STORED = re.compile(r"(^|_|\.)(buf|buffer|mem|memory|replay|stored|exemplar|er)(_|\d|$|\.)", re.I)


def _is_stored(given: Given) -> bool:
    """Whether a name comes from a memory: by its own name, or by that of what it was taken of."""
    if "(" not in given.text and _STORED.search(given.text):
        return True
    calls = [i.text.split("(")[0] for i in given.inputs if isinstance(i, Given) and "(" in i.text]
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
        t.definition.hard if t.definition is not None else is_of_labels(t, judged.roles)
        for t in every
    )


def is_of_labels(term: Term, roles: Mapping[Given, Told]) -> bool:
    """Whether a term that is taken as given is called with the labels."""
    inside = [g for i in getattr(term.body, "inputs", ()) for g in leaves(i)]
    return any(g in roles and roles[g].role == "labels" for g in inside)


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
    ("sp", {"sp"}), ("cwd", {"cwd"}), ("pkt", {"pkt"}),
    ("icarl", {"icarl", "icarl_apart", "icarl_labels", "icarl_narrow", "icarl_narrow_sum",
               "icarl_labels_sum"}),
    ("skew_kl", {"skew_kl"}), ("infonce", {"infonce", "infonce_raw"}), ("focal", {"focal"}),
    ("logit_matching", {"mse_centred"}),
    ("dino", {"dino"}), ("dino_uncentred", {"dino_uncentred"}),
    ("tf_kd", {"tf_kd", "virtual_ce"}), ("pod", {"pod"}),
    ("reverse_kl", {"reverse_kl", "reverse_kl_masked"}), ("jsd", {"jsd"}), ("hard_kd", {"hard_kd"}),
    ("binary_kd", {"binary_kd"}),
    ("consistency", {"mse_probs", "mse_probs_rows"}), ("ewc", {"ewc"}), ("l2_sp", {"l2_sp"}),
    ("imitation", {"mse_masked"}),
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
    if sides == {("student", "student")} or _is_of_one_network(terms):
        if _is_of_one_network(terms):
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
        named = _words(judged.tracer.tree)
        return "bic" if any(_BIAS_LAYER.search(word) for word in named) else "lwf"
    if judged.tracer.frameworks == {"tensorflow"} and any(
        isinstance(n, ast.ClassDef) and "istill" in n.name for n in judged.tracer.tree.body
    ):
        return "keras_distiller"
    ranks = {t.rank for t in terms}
    if ranks == {3}:
        return "token_kd"
    return "pixel_kd" if ranks == {4} else "kd"


_BIAS_LAYER = re.compile(r"^bic$|bias_?layer|bias_?correct")


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


def _is_of_one_network(terms: list[Term]) -> bool:
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
    if re.search(r"feat|hint|layer|guided|regress|hidden|proj|backbone|adapt|fm|^f", texts):
        return "hint"
    return "mse"


def dimensions(rank: int) -> str:
    """The shape for which a claim holds."""
    return {2: "[B, C]", 3: "[B, S, C]", 4: "[B, C, H, W]"}[rank]


def is_simple(term: Term) -> bool:
    """Whether both sides are plain tensors: a comparison of them needs no further name."""
    return all(n is None or _is_leaf(n) for n in (term.student, term.teacher))


def _is_leaf(node: Node) -> bool:
    while isinstance(node, Call) and node.name in {
        "index", "masked_select", "view", "reshape", "flatten", "detach", "identity", "floating",
        "squeeze", "permute", "transpose", "normalize", "softmax", "log_softmax", "sigmoid", "div",
    }:  # fmt: skip
        node = node.args[0]
    return not isinstance(node, Call)
