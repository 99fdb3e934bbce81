"""Whose tensor a name is: provenance first, then its use, then its name, then what is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from didact._core.i18n import Text
from didact.check.engine.names import is_loss, is_model, role_of, words
from didact.check.engine.spaces import Role
from didact.check.explain.formula.kinds import INDICES, Kind
from didact.check.explain.formula.tree import Call, Constant, Each, Given, Item, Node, walk

_SHORT_TEACHER = re.compile(
    r"(^|_)(t|tea|tch|te|ref)(\d|_|$)|^(z|f|fm|feat|feats|logits?|p|g|h|out)_?t$|^tea|teacher|老师|教师|旧",
    re.IGNORECASE,
)
INDICES_NAMED = re.compile(r"top_?k?|(^|_)(idx|ids?x|inds?|index|indices)(_|$)", re.IGNORECASE)
"""Names of places among the classes, such as those of the largest scores."""
_PLURALS = frozenset({"logits", "feats", "outs"})
"""Names whose last letter says that there are many, not whose they are."""
_OF_SCHEDULES = re.compile(
    r"(^|_)(ep|epoch|step|accum|accumulation|iter|total|lo|hi|start|end|min|max|decay|known|old)s?(_|\d|$)|^n_|^num_",
    re.IGNORECASE,
)
"""Names in a schedule or a share: numbers, but no weights themselves."""
_SHORT_STUDENT = re.compile(
    r"(^|_)(s|stu|st|cur|new)(\d|_|$)|^(z|f|fm|feat|feats|logits?|q|g|h|out)_?s$|^stu|student|学生|新",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A role and what tells it."""

    role: str
    reason: Text


_FROM = Text("it is what `{model}` returns", "它是 `{model}` 的输出")
BY_NAME = Text("by its name alone", "仅凭名字推断")
_LEFT = Text("the other side is the {other}'s", "另一侧是{other}的")
_IN_CE = Text("it is compared with the labels", "它与真实标签一起求损失")
_IS_TARGET = Text("it is the target that is imitated", "它是被模仿的目标")
_NO_GRADIENT = Text(
    "it runs without gradient, the other one with it", "它不带梯度，另一个模型带梯度"
)
_IS_PREDICTION = Text("it stands where the prediction belongs", "它处在预测的位置上")
_NAMES = {"student": Text("student", "学生"), "teacher": Text("teacher", "教师")}
_OTHER = {"student": "teacher", "teacher": "student"}
_KIND_REASONS = {
    **dict.fromkeys(INDICES, Text("it is used as class indices", "它被当作类别下标使用")),
    Kind.HOT: Text("it is the target of a binary cross-entropy", "它是二元交叉熵的目标"),
    Kind.TEMPERATURE: Text("it divides the scores before a softmax", "它在 softmax 之前除分数"),
    Kind.WEIGHT: Text("it multiplies a term", "它与损失项相乘"),
    Kind.MASK: Text("it selects positions", "它用来选取位置"),
    Kind.OLD_CLASSES: Text("it bounds a slice of the classes", "它是类别切片的边界"),
    Kind.CLASSES: Text("it is a number of classes", "它是类别数"),
    Kind.PADDING: Text("it is compared with the labels, or ignored", "它与标签比较，或被忽略"),
    Kind.COUNT: Text("it counts", "它是计数"),
}
_KIND_ROLES = {
    **dict.fromkeys(INDICES, "labels"), Kind.HOT: "labels", Kind.TEMPERATURE: "temperature",
    Kind.WEIGHT: "weight", Kind.MASK: "mask", Kind.OLD_CLASSES: "old classes",
    Kind.CLASSES: "classes", Kind.PADDING: "padding", Kind.COUNT: "count",
}  # fmt: skip


def roles_of(
    nodes: list[Node], kinds: Mapping[Given, Kind], labels: Mapping[Node, str]
) -> dict[Given, Told]:
    """The role of every name that has one."""
    found: dict[Given, Told] = {}
    for given, kind in kinds.items():
        if kind is Kind.WEIGHT and _OF_SCHEDULES.search(given.text):
            continue
        if kind is Kind.LABELS and INDICES_NAMED.search(given.text):
            continue
        if kind in _KIND_ROLES:
            found[given] = Told(_KIND_ROLES[kind], _KIND_REASONS[kind])
    tensors = [
        g for g, k in kinds.items() if k in {Kind.TENSOR, Kind.LIST} and not _is_no_output(g)
    ]  # fmt: skip
    outputs = _outputs(labels)
    for given in tensors:
        told = _provenance(given) or _of_output(given, outputs)
        if told is not None:
            found[given] = told
    fed = _fed(found)
    tensors = [g for g in tensors if g not in fed]
    _frozen(nodes, tensors, found)
    known = set(tensors)
    parts = list({id(p): p for n in nodes for p in walk(n)}.values())
    for part in parts:
        if isinstance(part, Call):
            _hard_use(part, kinds, known, found)
    for given in tensors:
        if given not in found:
            told = _named(given, labels)
            if told is not None:
                found[given] = told
    _still(nodes, tensors, found)
    _soft_uses(parts, known, found)
    _stored(parts, known, found)
    _eliminate(parts, tensors, found)
    _layered(nodes, tensors, found)
    return found


_FIRST_ALONE = frozenset({"gather", "masked_select", "expand_as", "view_as", "reshape_as"})
"""Operations that take their numbers from their first argument, and from the others a place."""


@lru_cache(maxsize=4096)
def leaves(node: Node) -> frozenset[Given]:
    """The names whose numbers make a part: those inside unknown calls do not count."""
    result: set[Given] = set()
    pending: list[Node] = [node]
    seen: set[int] = set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Given):
            result.add(part)
        elif isinstance(part, Call) and part.name in {"full_like", "zeros_like", "ones_like"}:
            pending += part.args[1:]
        elif isinstance(part, Call) and part.name in {"size", "numel", "rank", "length"}:
            continue
        elif isinstance(part, Call) and part.name in _FIRST_ALONE and part.args:
            pending.append(part.args[0])
        elif isinstance(part, Call) and part.name in {"index", "put"} and part.args:
            pending.append(part.args[0])
            pending += part.args[2:]
        elif isinstance(part, Each):
            pending.append(part.body)
        elif isinstance(part, Item):
            pending += part.children
        else:
            pending += part.children
    return frozenset(result)


def side(node: Node, found: Mapping[Given, Told]) -> str | None:
    """Whose a part is: the role that all its tensors share."""
    sides = {found[g].role for g in leaves(node) if g in found and found[g].role in _OTHER}
    return sides.pop() if len(sides) == 1 else None


def _is_no_output(given: Given) -> bool:
    """Whether a name is that of a number, or a tensor that is filled and not computed."""
    if given.inputs:
        return bool(_FILLED.search(given.text))
    return bool(_OF_NUMBERS.search(given.text.rsplit(".", 1)[-1]))


_FILLED = re.compile(r"\.(new|new_(zeros|ones|full|tensor|empty)|fill_|zero_)\(")
_OF_NUMBERS = re.compile(
    r"(^|_)(ep|epochs?|steps?|iters?|ch|chs|chans?|channels?|dims?|widths?|num|n|nb|start|end|decay|"
    r"lr|size)(_|\d*$)|^(lo|hi)$|^[cdn]_?(in|out|s|t|stu|tea)$",
    re.IGNORECASE,
)
"""Names of numbers, whose side no formula tells: a width, a count, an end of a schedule."""
OF_OUTPUTS = re.compile(
    r"feat|logit|out|hid|emb|pred|prob|score|map|repr|^(z|f|h|p|q|fm|g)(_|\d|[st]$|$)",
    re.IGNORECASE,
)
_OF_INPUTS = re.compile(
    r"^(x|xs|xb|bx|imgs?|images?|inputs?|data|ids|input_ids|tokens?|pixel_values)(_|\d|$)",
    re.IGNORECASE,
)
LAYERS = frozenset({"regressor", "adapter", "adaptor", "projector", "proj", "projection", "head",
                     "classifier", "fc", "bias", "reg", "connector", "embed", "align"})  # fmt: skip


def is_layer(name: str) -> bool:
    """Whether a name is that of a layer that is put on a model's output."""
    return bool(set(words(name)) & LAYERS) and role_of(name) is Role.UNKNOWN


def _fed(found: Mapping[Given, Told]) -> set[Given]:
    """What models are given: it is nobody's output, whatever it is called."""
    return {
        i for g in found if g.inputs and not is_layer(called(g)) for i in g.inputs
        if isinstance(i, Given) and not i.inputs and not OF_OUTPUTS.search(i.text)
    }  # fmt: skip


def _provenance(given: Given) -> Told | None:
    if not given.inputs and not given.model:
        return None
    callee = re.split(r"[(\[]", given.text, maxsplit=1)[0]
    if not re.search(r"\(", given.text) and not given.model:
        return None
    if is_loss(callee.rsplit(".", 1)[-1]):
        return None
    if any(role_of(owner) is Role.TEACHER for owner in _lists_of_models(given)):
        return Told("teacher", _FROM.format(model=callee))
    name = callee.removeprefix("self.")
    if role_of(name) is Role.UNKNOWN and not re.search(r"\(", given.text):
        name = name.split(".", 1)[0]  # of `teacher_outputs.logits` the owner tells
    if role_of(name) is Role.TEACHER:
        return Told("teacher", _FROM.format(model=callee))
    added = is_layer(name)  # put on what a model gave: whose that is decides
    if role_of(name) is Role.STUDENT or (not added and is_model(name)) or name in {"net", "model"}:
        return Told("student", _FROM.format(model=callee))
    inner = {t.role for i in given.inputs for g in leaves(i) if (t := _provenance(g)) is not None}
    if len(inner) == 1:
        return Told(inner.pop(), _FROM.format(model=callee))
    if given.model:
        sources = {_text_role(i.text) for i in given.inputs if isinstance(i, Given)} - {None}
        if len(sources) == 1:
            return Told(str(sources.pop()), _FROM.format(model=given.inputs[0].text))  # type: ignore[attr-defined]
    return None


def _outputs(labels: Mapping[Node, str]) -> dict[str, list[Given]]:
    """The calls whose result has a name: ``out`` of ``out = net(x)``."""
    found: dict[str, list[Given]] = {}
    for node, name in labels.items():
        if isinstance(node, Given) and "(" in node.text:
            found.setdefault(name, []).append(node)
    return found


def _of_output(given: Given, outputs: Mapping[str, list[Given]]) -> Told | None:
    """Of ``out.logits`` whose ``out`` is."""
    owner = re.match(r"\w+(?=\.)", given.text)
    if owner is None or "(" in given.text:
        return None
    told = [_provenance(call) for call in outputs.get(owner[0], [])]
    sides = {t.role for t in told if t is not None}
    return told[0] if len(sides) == 1 and None not in told else None


def _lists_of_models(given: Given) -> list[str]:
    """The lists whose item a call is made of: ``t(x)`` for each ``t`` of ``teachers``."""
    first = given.inputs[0] if given.inputs else None
    source: Node | None = None
    if isinstance(first, Item) and first.source >= 0:
        source = first.loop.sources[first.source]
    if isinstance(first, Call) and first.name == "last":
        source = first.args[0]
    return [source.text.removeprefix("self.")] if isinstance(source, Given) else []


def _frozen(nodes: list[Node], tensors: list[Given], found: dict[Given, Told]) -> None:
    """Of two models, none of them named a teacher, the one without gradient is imitated."""
    calls = {p.name for n in nodes for p in walk(n) if isinstance(p, Call)}
    if calls & {"cross_entropy", "nll_loss"} and not calls & _COMPARES:
        return  # labels alone: a frozen part of a network imitates nothing
    live = _live(nodes)
    models = [g for g in tensors if g.inputs and g in found]
    if any(found[g].role == "teacher" for g in models):
        return
    still = [g for g in models if id(g) not in live]
    moved = {called(g) for g in models if id(g) in live}
    plain = any(id(g) in live and not g.inputs for g in tensors)
    apart = plain and not any(called(g) in moved for g in still)
    if still and (len(still) < len(models) or apart):
        for given in still:
            found[given] = Told("teacher", _NO_GRADIENT)


_COMPARES = frozenset(
    {"kl_div", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "cosine_similarity",
     "cosine_embedding_loss", "sub", "matmul", "softmax", "log_softmax", "sigmoid",
     "normalize", "norm", "cdist", "binary_cross_entropy", "binary_cross_entropy_with_logits"}
)  # fmt: skip
"""Operations of losses that compare two tensors."""


def _layered(nodes: list[Node], tensors: list[Given], found: dict[Given, Told]) -> None:
    """What an added layer turns into a feature is its side's: the trained one is the student's."""
    live = _live(nodes)
    taught = any(told.role == "teacher" for told in found.values())
    for given in tensors:
        if not given.inputs or not is_layer(called(given)):
            continue
        if given not in found and taught and id(given) in live:
            found[given] = Told("student", _LEFT.format(other=_NAMES["teacher"]))
        parts = [p for i in given.inputs for p in leaves(i)] if given in found else []
        for part in parts:
            if not part.inputs and part in tensors and not _OF_INPUTS.search(part.text):
                found.setdefault(part, found[given])


_STOPS = frozenset({"detach", "item", "size", "length", "rank", "numel"})


def _live(nodes: list[Node]) -> set[int]:
    """The parts that a gradient reaches."""
    live: set[int] = set()
    pending = list(nodes)
    while pending:
        part = pending.pop()
        if id(part) in live or (isinstance(part, Call) and part.name in _STOPS):
            continue
        live.add(id(part))
        pending += part.children
    return live


def _still(nodes: list[Node], tensors: list[Given], found: dict[Given, Told]) -> None:
    """What runs without gradient beside a side that has one is imitated, whatever its name."""
    if any(told.role == "teacher" for told in found.values()):
        return
    live = _live(nodes)
    read: set[Given] = set().union(*(leaves(n) for n in nodes))  # not only for their size
    still = [g for g in tensors if id(g) not in live and g not in found and g in read]
    if any(id(g) in live for g in tensors):
        for given in still:
            found[given] = Told("teacher", _NO_GRADIENT)


def _text_role(text: str) -> str | None:
    role = role_of(re.split(r"[(\[]", text, maxsplit=1)[0])
    return None if role is Role.UNKNOWN else str(role)


def _hard_use(
    call: Call, kinds: Mapping[Given, Kind], tensors: set[Given], found: dict[Given, Told]
) -> None:
    if call.name not in {"cross_entropy", "nll_loss", "binary_cross_entropy_with_logits"}:
        return
    if len(call.args) < 2:
        return
    target = leaves(call.args[1])
    if call.name.startswith("binary"):
        hard = any(kinds.get(g) in {*INDICES, Kind.HOT} for g in target)
    else:
        hard = bool(target) and all(kinds.get(g) in INDICES for g in target)
    if hard:
        for given in leaves(call.args[0]):
            if given in tensors - set(found) and "teacher" not in given.text.lower():
                found[given] = Told("student", _IN_CE)


def _named(given: Given, labels: Mapping[Node, str]) -> Told | None:
    last = called(given) if given.inputs else given.text.rsplit(".", 1)[-1]
    if given.inputs and is_loss(last):
        return None
    owner = given.text.split(".", 1)[0] if "." in given.text and not given.inputs else ""
    for name in (last, labels.get(given, ""), owner):
        role = role_of(name) if name else Role.UNKNOWN
        if role is not Role.UNKNOWN:
            return Told(str(role), BY_NAME)
    if last.lower() in _PLURALS:
        return None
    teacher, student = bool(_SHORT_TEACHER.search(last)), bool(_SHORT_STUDENT.search(last))
    if teacher != student:
        return Told("teacher" if teacher else "student", BY_NAME)
    return None


def _soft_uses(parts: list[Node], tensors: set[Given], found: dict[Given, Told]) -> None:
    """What stands as the target of soft losses is imitated, if it is nowhere the prediction."""
    pairs = [
        (leaves(target) & tensors, leaves(prediction) & tensors)
        for part in parts
        if isinstance(part, Call) and (pair := _soft_pair(part)) is not None
        for prediction, target in (pair,)
    ]
    targets: set[Given] = set().union(*(t for t, _ in pairs))
    predictions: set[Given] = set().union(*(p for _, p in pairs))
    both = targets & predictions  # a mixture, or each imitates the other: nobody's alone
    for target, prediction in pairs:
        if (target | prediction) & both:
            continue
        told = [{found[g].role for g in s if g in found} & set(_OTHER)
                for s in (target, prediction)]  # fmt: skip
        if "student" not in told[0] and "teacher" not in told[1]:
            for given in target:
                found.setdefault(given, Told("teacher", _IS_TARGET))
            for given in prediction:
                found.setdefault(given, Told("student", _IS_PREDICTION))


def _stored(parts: list[Node], tensors: set[Given], found: dict[Given, Told]) -> None:
    """Outputs that no model of the code computes, which the student's are drawn to: stored ones."""
    if any(told.role == "teacher" for told in found.values()):
        return
    for part in parts:
        if not isinstance(part, Call) or part.name not in _DISTANCES or len(part.args) < 2:
            continue
        target = [g for g in leaves(part.args[1]) if g in tensors and g not in found]
        drawn = side(part.args[0], found) == "student"
        if drawn and len(target) == 1 and OF_OUTPUTS.search(target[0].text):
            found[target[0]] = Told("teacher", _IS_TARGET)


_DISTANCES = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss"})


def _soft_pair(call: Call) -> tuple[Node, Node] | None:
    """The prediction and the target of a loss on distributions."""
    if call.name in {"kl_div", "cross_entropy"} and len(call.args) > 1:
        exchanged = _is_log(call.args[1]) and not _is_log(call.args[0])
        return None if exchanged else (call.args[0], call.args[1])
    if call.name == "mul" and len(call.args) == 2:
        logs = [a for a in call.args if _is_log(a)]
        others = [a for a in call.args if not _is_log(a)]
        if len(logs) == 1 and len(others) == 1:
            return logs[0], others[0]
    return None


def own_targets(nodes: list[Node], kinds: Mapping[Given, Kind]) -> dict[Given, int | None]:
    """Heads that other heads of the same model imitate: ``outs[-1]``, ``deepest``.

    Each with its place, where it is an item of a list of outputs.
    """
    found: dict[Given, int | None] = {}
    taught: set[Given] = set()
    for part in {id(p): p for n in nodes for p in walk(n)}.values():
        pair = _soft_pair(part) if isinstance(part, Call) else None
        if pair is None:
            continue
        tensors = {Kind.TENSOR, Kind.LIST}
        target, prediction = (
            [g for g in leaves(n) if kinds.get(g) in tensors] for n in (pair[1], pair[0])
        )
        if len(target) != 1 or not prediction:
            continue
        one = target[0]
        if prediction == [one]:
            place, elsewhere = place_of(pair[1], one), place_of(pair[0], one)
            if kinds[one] is Kind.LIST and place is not None and place != elsewhere:
                found[one] = place
        elif one.inputs and all(p is not one and _of_one_model(one, p) for p in prediction):
            taught |= set(prediction)
            found[one] = None
    return {g: place for g, place in found.items() if g not in taught}


def _of_one_model(one: Given, other: Given) -> bool:
    """Whether two outputs are items of one list, or of heads on one model."""
    if "(" not in one.text:
        return one.inputs == other.inputs
    return is_layer(called(one)) and is_layer(called(other))


def place_of(node: Node, given: Given) -> int | None:
    """The one place at which a list is read inside a part."""
    places = {
        p.args[1].value for p in walk(node)
        if isinstance(p, Call) and p.name == "index" and p.args[0] is given
        and isinstance(p.args[1], Constant)
    }  # fmt: skip
    looped = any(isinstance(p, Item) and p.children == (given,) for p in walk(node))
    return places.pop() if len(places) == 1 and not looped else None


def _is_log(node: Node) -> bool:
    if not isinstance(node, Call):
        return False
    if node.name in {"log_softmax", "log"}:
        return True
    return node.name in {"sub", "mul", "neg"} and any(_is_log(a) for a in node.args)


def called(given: Given) -> str:
    """The last part of what is called, of a name the name."""
    return re.split(r"[(\[]", given.text, maxsplit=1)[0].rsplit(".", 1)[-1]


def _eliminate(parts: list[Node], tensors: list[Given], found: dict[Given, Told]) -> None:
    """Of two tensors that are compared, one known, the other is the other's."""
    open_ones = [g for g in tensors if g not in found]
    known = {found[g].role for g in tensors if g in found} & set(_OTHER)
    used = {g for p in parts if isinstance(p, Call) for a in p.args for g in leaves(a)}
    groups = [leaves(p) for p in parts if isinstance(p, Call) and len(p.args) > 1]
    for part in parts:
        if isinstance(part, Given) and part.inputs:
            inside = frozenset(g for i in part.inputs for g in leaves(i))
            groups.append(inside)
            used |= inside if is_loss(called(part)) else set()
    open_ones = [g for g in open_ones if g in used and not is_loss(called(g))]
    together = len(open_ones) == 1 and any(
        open_ones[0] in group and any(g in found and found[g].role in _OTHER for g in group)
        for group in groups
    )
    if together and len(known) == 1:
        other = known.pop()
        found[open_ones[0]] = Told(_OTHER[other], _LEFT.format(other=_NAMES[other]))
