"""Whose tensor a name is: provenance first, then its use, then its name, then what is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.engine.names import is_loss, is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.formula.kinds import INDICES, Kind
from didact.check.explain.formula.tree import Call, Each, Given, Item, Node, walk

_SHORT_TEACHER = re.compile(
    r"(^|_)(t|tea|tch|te|ref)(\d|_|$)|^(z|f|fm|feat|feats|logits?|p|g|h|out)_?t$|^tea|teacher|老师|教师|旧",
    re.IGNORECASE,
)
_OF_SCHEDULES = re.compile(
    r"(^|_)(ep|epoch|step|iter|total|lo|hi|start|end|min|max|decay|known|old)s?(_|\d|$)|^n_|^num_",
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
_BY_NAME = Text("by its name alone", "仅凭名字推断")
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
        if kind in _KIND_ROLES:
            found[given] = Told(_KIND_ROLES[kind], _KIND_REASONS[kind])
    tensors = [g for g, k in kinds.items() if k in {Kind.TENSOR, Kind.LIST}]
    for given in tensors:
        told = _provenance(given)
        if told is not None:
            found[given] = told
    _frozen(nodes, tensors, found)
    parts = list({id(p): p for n in nodes for p in walk(n)}.values())
    for part in parts:
        if isinstance(part, Call):
            _hard_use(part, kinds, found)
    for given in tensors:
        if given not in found:
            told = _named(given, labels)
            if told is not None:
                found[given] = told
    _still(nodes, tensors, found)
    for part in parts:
        if isinstance(part, Call):
            _soft_use(part, found)
    _eliminate(parts, tensors, found)
    return found


def leaves(node: Node) -> set[Given]:
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
        elif isinstance(part, Call) and part.name == "gather" and part.args:
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
    return result


def side(node: Node, found: Mapping[Given, Told]) -> str | None:
    """Whose a part is: the role that all its tensors share."""
    sides = {found[g].role for g in leaves(node) if g in found and found[g].role in _OTHER}
    return sides.pop() if len(sides) == 1 else None


def _provenance(given: Given) -> Told | None:
    if not given.inputs and not given.model:
        return None
    callee = re.split(r"[(\[]", given.text, maxsplit=1)[0]
    if not re.search(r"\(", given.text) and not given.model:
        return None
    if is_loss(callee.rsplit(".", 1)[-1]):
        return None
    words = callee.removeprefix("self.")
    if role_of(words) is Role.UNKNOWN and not re.search(r"\(", given.text):
        words = words.split(".", 1)[0]  # of `teacher_outputs.logits` the owner tells
    if role_of(words) is Role.TEACHER:
        return Told("teacher", _FROM.format(model=callee))
    if role_of(words) is Role.STUDENT or is_model(words) or words in {"net", "model"}:
        return Told("student", _FROM.format(model=callee))
    if any(role_of(name) is Role.TEACHER for name in _lists_of_models(given)):
        return Told("teacher", _FROM.format(model=callee))
    inner = {t.role for i in given.inputs for g in leaves(i) if (t := _provenance(g)) is not None}
    if len(inner) == 1:
        return Told(inner.pop(), _FROM.format(model=callee))
    if given.model:
        sources = {_text_role(i.text) for i in given.inputs if isinstance(i, Given)} - {None}
        if len(sources) == 1:
            return Told(str(sources.pop()), _FROM.format(model=given.inputs[0].text))  # type: ignore[attr-defined]
    return None


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
    live = _live(nodes)
    models = [g for g in tensors if g.inputs and g in found]
    if any(found[g].role == "teacher" for g in models):
        return
    still = [g for g in models if id(g) not in live]
    if still and len(still) < len(models):
        for given in still:
            found[given] = Told("teacher", _NO_GRADIENT)


def _live(nodes: list[Node]) -> set[int]:
    """The parts that a gradient reaches."""
    live: set[int] = set()
    pending = list(nodes)
    while pending:
        part = pending.pop()
        if id(part) in live or (isinstance(part, Call) and part.name in {"detach", "item"}):
            continue
        live.add(id(part))
        pending += part.children
    return live


def _still(nodes: list[Node], tensors: list[Given], found: dict[Given, Told]) -> None:
    """What runs without gradient beside a side that has one is imitated, whatever its name."""
    if any(told.role == "teacher" for told in found.values()):
        return
    live = _live(nodes)
    still = [g for g in tensors if id(g) not in live and g not in found]
    if any(id(g) in live for g in tensors):
        for given in still:
            found[given] = Told("teacher", _NO_GRADIENT)


def _text_role(text: str) -> str | None:
    role = role_of(re.split(r"[(\[]", text, maxsplit=1)[0])
    return None if role is Role.UNKNOWN else str(role)


def _hard_use(call: Call, kinds: Mapping[Given, Kind], found: dict[Given, Told]) -> None:
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
            if given not in found and "teacher" not in given.text.lower():
                found[given] = Told("student", _IN_CE)


def _named(given: Given, labels: Mapping[Node, str]) -> Told | None:
    last = _called(given) if given.inputs else given.text.rsplit(".", 1)[-1]
    if given.inputs and is_loss(last):
        return None
    owner = given.text.split(".", 1)[0] if "." in given.text and not given.inputs else ""
    for name in (last, labels.get(given, ""), owner):
        role = role_of(name) if name else Role.UNKNOWN
        if role is not Role.UNKNOWN:
            return Told(str(role), _BY_NAME)
    teacher, student = bool(_SHORT_TEACHER.search(last)), bool(_SHORT_STUDENT.search(last))
    if teacher != student:
        return Told("teacher" if teacher else "student", _BY_NAME)
    return None


def _soft_use(call: Call, found: dict[Given, Told]) -> None:
    pair: tuple[Node, Node] | None = None
    if call.name in {"kl_div", "cross_entropy"} and len(call.args) > 1:
        pair = call.args[0], call.args[1]
    elif call.name == "mul" and len(call.args) == 2:
        logs = [a for a in call.args if _is_log(a)]
        others = [a for a in call.args if not _is_log(a)]
        if len(logs) == 1 and len(others) == 1:
            pair = logs[0], others[0]
    if pair is None:
        return
    if leaves(pair[0]) & leaves(pair[1]):
        return  # a mixture of both: neither side is one model's
    target = leaves(pair[1]) - leaves(pair[0])
    prediction = leaves(pair[0]) - leaves(pair[1])
    told = [{found[g].role for g in s if g in found} & set(_OTHER) for s in (target, prediction)]
    if "student" not in told[0] and "teacher" not in told[1]:
        for given in target:
            found.setdefault(given, Told("teacher", _IS_TARGET))
        for given in prediction:
            found.setdefault(given, Told("student", _IS_PREDICTION))


def _is_log(node: Node) -> bool:
    if not isinstance(node, Call):
        return False
    if node.name in {"log_softmax", "log"}:
        return True
    return node.name in {"sub", "mul", "neg"} and any(_is_log(a) for a in node.args)


def _called(given: Given) -> str:
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
            inside = {g for i in part.inputs for g in leaves(i)}
            groups.append(inside)
            used |= inside if is_loss(_called(part)) else set()
    open_ones = [g for g in open_ones if g in used and not is_loss(_called(g))]
    together = len(open_ones) == 1 and any(
        open_ones[0] in group and any(g in found and found[g].role in _OTHER for g in group)
        for group in groups
    )
    if together and len(known) == 1:
        other = known.pop()
        found[open_ones[0]] = Told(_OTHER[other], _LEFT.format(other=_NAMES[other]))
