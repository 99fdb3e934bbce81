"""What a weight weighs, and what is left where it is 0 or 1."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.engine.names import is_label, is_weight
from didact.check.explain.answers._code import Code, both, either, listed
from didact.check.explain.formula.shares import is_rest, share_of_old
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.words.polarity import LEAVES_OUT

PLACE = 20
ASKS = either(
    r"alpha|beta|gamma|\blam\w*|\bw(eight)?s?\b|weight|coef|ratio|\ba\b|\bb\b|\bw_\w+",
    r"权重|系数|比例|α|β|γ|λ|\b\w+ ?越(大|小|高|低)",
)
_MEANING = either(
    r"what (does|do|is|are)\b|control|mean\b|role|which (term|one|loss|part)|\bfor\?|\bweighs?\b"
    r"|purpose|hard.{0,24}\bor\b.{0,12}soft|soft.{0,24}\bor\b.{0,12}hard"
    r"|\b(weight|appl(y|ies) to)\b",
    r"硬.{0,10}还是.{0,10}软|软.{0,10}还是.{0,10}硬|控制|管(什么|啥|的)|什么意思|作用|是什么|干嘛|干什么|含义|乘(在|的是)|给谁|哪一?项|哪个(?!更)"
    r"|指什么|分别|各自",
)
_DIRECTION = either(
    r"(larger|bigger|higher|increas|raise|more|trust|closer).*(teacher|label|more|less|mean)"
    r"|trust",
    r"越(大|高|小|低)|调大|调高|增大|相信|更(听|信|看重|依赖)|大了|小了",
)
_EXTREME = either(
    r"(=|\bis|to|be|at|set|if)\s*(1|0|one|zero)(\.0)?\b(?!\.\d|\d)",
    r"(=|为|是|取|设成|设为|等于|改成)\s*(1|0)(\.0)?(?![\d.])|全取 ?[01]",
)
_HOW_MUCH = either(
    r"how (should|do|to|can).*(choose|set|pick|tune|weight)|which value|what value|good value"
    r"|typical|how (large|big|much|high|small)|tune|what should .* be",
    r"取多少|设多少|怎么选|怎么设|怎么调|怎么取|取几|合适|多大|选多少|一般|给多少|多少",
)
_ROUND = either(
    r"(right|wrong|other) way (a?round)|swapped|exchanged|revers|mixed up|backwards|invert"
    r"|on the (right|wrong|correct) (term|side|loss)",
    r"写反|反了|弄反|搞反|颠倒|写对|顺序",
)
_PUT_ON = either(
    r"(on|before|with|weigh\w*|appl\w*|belong|multipl\w+|go(es)?|for)\b.*\b(soft|hard|kd|ce|teacher"
    r"|label|distill\w*|first|second)\b.*\b(or|side|term|loss)\b",
    r"(放|乘|加|给|写)在?.{0,4}(软|硬|蒸馏|交叉熵|教师|老师|标签|哪).{0,8}(对|吗|还是|边|项)",
)
_EITHER_WAY = Text(
    "Both conventions are in use; what counts is that the value fits the side it stands on.",
    "两种写法都有人用，关键是取值要与所乘的那一项对应。",
)
_NOT_THIS = either(
    r"nothing|no effect|any effect|warm|schedul|decay|\bema\b|momentum|normali[sz]|share|freez"
    r"|too (little|much|small|large|low|high)|enough|weights? (is|are)? ?(not|never)|updat"
    r"|sum (up )?to|加起来|1 ?\+",
    r"没(有)?(作用|用|效果|区别|影响)|不起作用|预热|衰减|滑动|不更新|更新|卷积|归一|类别权重"
    r"|和为|之和|总和|加起来|太小|太大|够不够|过大|过小",
)

_HARD_OR_SOFT = either(r"hard.{0,30}\bsoft|soft.{0,30}\bhard", r"硬.{0,10}软|软.{0,10}硬")
_HARD_LOSS = Text("The hard loss", "硬标签损失：")
_SOFT_LOSS = Text("The soft loss", "软标签（蒸馏）损失：")
_SIDE = either(
    r"(hard|soft|\bce\b|\bkd\b|\bkl\b|cross.?entropy|distill\w*|teacher|label).*\?"
    r"|\b(on|weights?|multipl\w+|before|belongs? to|in front of)\b.*(hard|soft|\bce\b|\bkd\b)",
    r"(软|硬|蒸馏|交叉熵|教师|老师|标签|soft|hard|\bkd\b|\bce\b|\bkl\b).*(对吗|对不对|吗|还是|哪"
    r"|是不是|[?？])",
)
_OTHER_MATTER = either(
    r"\bwhy\b|\bhow\b|temperature|\bT\b|detach|grad|squared?|batchmean",
    r"为什么|为何|怎么|温度|梯度|平方|越|影响|效果",
)

_WEIGHS = Text("`{weight}` weighs {term}", "`{weight}` 乘的是{term}")
_AT = Text("with `{name}` = {value} only {left} is left", "`{name}` = {value} 时只剩{left}")
_AT_ALL = Text("with `{name}` = 0 {gone} drops out", "`{name}` = 0 时{gone}不起作用")
_SHARE = Text(
    "Yes: the distillation term gets the share of the old classes, and the cross-entropy that of "
    "the new ones, as in BiC (Wu et al. 2019): the more classes are old, the more the old model "
    "counts.",
    "是对的：蒸馏项乘旧类所占的比例，交叉熵乘新类所占的比例，与 BiC（Wu 等 2019）一致：旧类越多，"
    "旧模型越重要。",
)
_SHARE_WRONG = Text(
    "No: the share of the old classes stands before the cross-entropy, and the distillation term "
    "gets the share of the new ones; in BiC (Wu et al. 2019) it is the other way round.",
    "写反了：旧类所占的比例乘在了交叉熵上，蒸馏项乘的是新类的比例；BiC（Wu 等 2019）正好相反。",
)
_SWAPPED = either(
    r"(wrong|other) way (a?round)|swapped|exchanged|revers|mixed up|backwards|invert",
    r"写反|反了|弄反|搞反|颠倒",
)
_SHARE_SWAPPED = Text("Yes, they are swapped:" + _SHARE_WRONG.en[3:], "是的，" + _SHARE_WRONG.zh)
_SHARE_KEPT = Text("No, they are not swapped:" + _SHARE.en[4:], "没有写反：" + _SHARE.zh[4:])
_TYPICAL = {
    "lucir": Text(
        "The code takes λ = base·√(n_old/n_new): it grows with the share of old classes, as LUCIR "
        "does (Hou et al. 2019, base 5 for CIFAR-100 and 10 for ImageNet).",
        "代码里 λ = base·√(旧类数/新类数)：旧类越多越大，与 LUCIR 一致（Hou 等 2019，CIFAR-100 取 "
        "base = 5，ImageNet 取 10）。",
    ),
}


def answer(question: str, code: Code) -> Text | None:
    """By the terms that the weight stands before."""
    if _NOT_THIS.search(question):
        return None
    names = _weights(question, code)
    if _HOW_MUCH.search(question):
        return _how_much(code, names)
    if _ROUND.search(question) and (told := _right_way(question, code)) is not None:
        return told
    if not names:
        return None
    if _ROUND.search(question) and len(names) == 1:
        return _as_written(code, names[0])
    if LEAVES_OUT.search(question) and len(names) == 1 and names[0] in question:
        held = _holding(code, names[0])
        if len(held) != 1 or is_rest(held[0][1]):
            return None
        return _WITHOUT.format(name=names[0], term=code.name_of(held[0][0]))
    directed = _DIRECTION.search(question) or _EXTREME.search(question)
    if _SIDE.search(question) and len(names) == 1 and not directed:
        told = _which_side(question, code, names[0])
        if told is not None:
            return told
    if _PUT_ON.search(question) and not _MEANING.search(question) and len(names) == 1:
        told = _as_written(code, names[0])
        if told is not None:
            return both(told, _EITHER_WAY)
    parts = [told for name in names if (told := _one(question, code, name, alone=len(names) == 1))]
    return both(*parts) if parts else None


def _weights(question: str, code: Code) -> list[str]:
    """The weights that a question names; all of them where it says "the weights"."""
    known = list(
        dict.fromkeys(
            n
            for t in code.terms
            for w in [*(w for w, _ in t.weights), *(_factors(t.body) if not t.definition else ())]
            for n in _named(code, t, w)
        )
    )
    asked = code.mentioned(question)
    found = [k for name in asked for k in known if k.rsplit(".", 1)[-1] == name]
    if found:
        return list(dict.fromkeys(found))
    general = re.search(r"\bweights?\b|权重|系数", question, re.IGNORECASE)
    return [k for k in known if is_weight(k)] if general and not asked else []


def _named(code: Code, term: Term, weight: Node) -> list[str]:
    """The names in a weight, and the one that it is called by."""
    if weight is term.temperature:
        return []
    labels = code.judged.tracer.labels
    found = [labels[p] for p in walk(weight) if p in labels and not isinstance(p, Given)]
    return found + [
        g.text for g in walk(weight) if isinstance(g, Given) and g is not term.temperature
    ]


def _one(question: str, code: Code, name: str, *, alone: bool) -> Text | None:
    held, rest = _holding(code, name), _resting(code, name)
    if not held:
        return None
    meaning = _MEANING.search(question)
    by_name = name.rsplit(".", 1)[-1] in code.mentioned(question)
    direction = _DIRECTION.search(question)
    extreme = by_name and _EXTREME.search(question)
    if not (meaning or direction or extreme):
        return None
    said: list[Text] = []
    if direction and alone and (told := _more(code, name, question)) is not None:
        said.append(told)
    lines = [_WEIGHS.format(weight=_short(code, w), term=code.name_of(t)) for t, w in held]
    weighs = _sentence(lines)
    plain = {_is_hard(t) for t, w in held if not is_rest(w)}
    if _HARD_OR_SOFT.search(question) and len(plain) == 1 and None not in plain:
        side = _HARD_LOSS if plain == {True} else _SOFT_LOSS
        weighs = Text(f"{side.en}: {weighs.en[0].lower()}{weighs.en[1:]}", side.zh + weighs.zh)
    said.append(weighs)
    if extreme and (left := _at(code, name, held, rest, question)) is not None:
        said.append(left)
    return both(*said)


def _short(code: Code, weight: Node) -> str:
    return code.written(weight).replace("self.", "").replace("args.", "")


def _holding(code: Code, name: str) -> list[tuple[Term, Node]]:
    """The terms with a weight in which a name stands, each with that weight."""
    found = [(t, w) for t in code.terms for w, p in t.weights
             if p > 0 and name in _named(code, t, w)]  # fmt: skip
    unknown = [t for t in code.terms if t.definition is None]
    return found + [(t, w) for t in unknown for w in _factors(t.body)
                    if name in _named(code, t, w)]  # fmt: skip


def _factors(body: Node) -> list[Node]:
    """The plain numbers that an unknown term is multiplied with."""
    if not (isinstance(body, Call) and body.name in {"mul", "div"} and len(body.args) == 2):
        return []
    if body.name == "div":
        return _factors(body.args[0])
    plain = [a for a in body.args if all(isinstance(p, Given | Constant) or (
        isinstance(p, Call) and p.name in {
            "mul",
            "div",
            "add",
            "sub"}) for p in walk(a))]  # fmt: skip
    others = [a for a in body.args if a not in plain]
    return plain + [f for a in others for f in _factors(a)] if others else []


def _resting(code: Code, name: str) -> list[Term]:
    held = {id(t.body) for t, _ in _holding(code, name)}
    return [t for t in code.terms if id(t.body) not in held]


def _is_hard(term: Term) -> bool | None:
    if term.definition is not None:
        return term.definition.hard
    if isinstance(term.body, Given):
        inside = {p.text for i in term.body.inputs for p in walk(i) if isinstance(p, Given)}
        if term.body.text.endswith(".loss") or any(is_label(name) for name in inside):
            return True
    return None


def _more(code: Code, name: str, question: str) -> Text | None:
    """Whom a larger weight trusts: the labels or the teacher; of a smaller one the opposite."""
    held = _holding(code, name)
    plain = {_is_hard(t) for t, w in held if not is_rest(w)}
    rest = {_is_hard(t) for t, w in held if is_rest(w)}
    if len(plain) != 1 or None in plain or None in rest or plain & rest:
        return None
    if code.verdict.method_key in {"ewc", "l2_sp"}:
        return _TRUSTS_OLD.format(name=name.rsplit(".", 1)[-1])
    sides = {_is_hard(t) for t in code.terms}
    if sides != {True, False}:
        return None
    to_labels = plain == {True}
    asks_labels = re.search(r"label|hard|标签", question, re.IGNORECASE)
    asks_teacher = re.search(r"teacher|soft|kd|old|教师|老师|旧", question, re.IGNORECASE)
    smaller = re.search(r"越(小|低)|smaller|lower|decreas|小了", question, re.IGNORECASE)
    form = _TRUSTS_LABELS if to_labels else _TRUSTS_TEACHER
    if smaller or bool(asks_labels) == bool(asks_teacher):
        return form.format(name=name.rsplit(".", 1)[-1])
    yes = bool(asks_labels) == to_labels
    begin = Text("Yes: ", "是的：") if yes else Text("No: ", "不是：")
    told = form.format(name=name.rsplit(".", 1)[-1])
    return Text(begin.en + told.en[0].lower() + told.en[1:], begin.zh + told.zh)


_TRUSTS_LABELS = Text(
    "The larger `{name}`, the more the labels count and the less the teacher.",
    "`{name}` 越大，越看重真实标签，越不听教师的。",
)
_TRUSTS_OLD = Text(
    "The larger `{name}`, the better the old task is kept and the less freely the new one is "
    "learnt.",
    "`{name}` 越大，旧任务保持得越好，学新任务的自由度越小。",
)
_TRUSTS_TEACHER = Text(
    "The larger `{name}`, the more the teacher counts and the less the labels.",
    "`{name}` 越大，越看重教师，越不看重真实标签。",
)


def _at(
    code: Code, name: str, held: list[tuple[Term, Node]], rest: list[Term], question: str
) -> Text | None:
    """What is left where a weight is 0 or 1."""
    short = name.rsplit(".", 1)[-1]
    plain = [code.name_of(t) for t, w in held if not is_rest(w)]
    others = [code.name_of(t) for t, w in held if is_rest(w)]
    also = [code.name_of(t) for t in rest]
    told = {
        "1": _AT.format(name=short, value=1, left=listed([*plain, *also])) if others else None,
        "0": _AT.format(name=short, value=0, left=listed([*others, *also])) if others
        else _AT_ALL.format(name=short, gone=listed(plain)),
    }  # fmt: skip
    asked = [v for v in ("0", "1") if re.search(rf"(?<![\d.]){v}(\.0)?(?![\d.])", question)]
    said = [t for v in asked or ["1", "0"] if (t := told[v]) is not None]
    return _sentence(said) if said else None


def _sentence(parts: list[Text]) -> Text:
    english = "; ".join(p.en for p in parts)
    english = english[0].upper() + english[1:]
    return Text(english + ".", "；".join(p.zh for p in parts) + "。")


def _right_way(question: str, code: Code) -> Text | None:
    """Whether the share of the old classes stands before the distillation term."""
    swapped = _SWAPPED.search(question) is not None
    for term in code.terms:
        hard = _is_hard(term)
        for weight, power in term.weights:
            if power != 1 or hard is None:
                continue
            share = share_of_old(weight)
            if share is not None:
                if share == hard:
                    return _SHARE_SWAPPED if swapped else _SHARE_WRONG
                return _SHARE_KEPT if swapped else _SHARE
    return None


_WITHOUT = Text(
    "Yes: without `{name}` it is as with `{name}` = 1, and {term} counts as it is.",
    "可以：去掉 `{name}` 就相当于 `{name}` = 1，{term}按原样计入。",
)
_AS_WRITTEN = Text("As it is written, {told}", "按现在的写法，{told}")


def _as_written(code: Code, name: str) -> Text | None:
    """What a weight stands before, to whether it is the wrong way round."""
    held = _holding(code, name)
    if {_is_hard(t) for t, w in held if not is_rest(w)} - {True, False}:
        return None
    lines = [_WEIGHS.format(weight=_short(code, w), term=code.name_of(t)) for t, w in held]
    return _AS_WRITTEN.format(told=_sentence(lines)) if lines else None


_NO_RULE = Text(
    "Either is in use; what counts is that its value is chosen for that term (Hinton et al. 2015 "
    "give the soft targets the larger weight).",
    "两种写法都有人用，只要按它所乘的那一项来取值（Hinton 等 2015 建议软标签项的权重更大）。",
)


def _which_side(question: str, code: Code, name: str) -> Text | None:
    """Whether a weight stands before the soft term or the hard one."""
    if _OTHER_MATTER.search(question):
        return None
    held = _holding(code, name)
    plain = {_is_hard(t) for t, w in held if not is_rest(w)}
    if len(plain) != 1 or None in plain or {_is_hard(t) for t, w in held if is_rest(w)} & plain:
        return None
    on_labels = plain == {True}
    lines = [_WEIGHS.format(weight=_short(code, w), term=code.name_of(t)) for t, w in held]
    told = both(_sentence(lines), _NO_RULE)
    soft = re.search(r"soft|distill|teacher|\bkd\b|\bkl\b|软|蒸馏|教师|老师", question, re.I)
    hard = re.search(r"hard|label(?!.*soft)|\bce\b|cross.?entropy|硬|真实|交叉熵", question, re.I)
    if bool(soft) == bool(hard):
        return told
    yes = bool(hard) == on_labels
    begin = Text("Yes: ", "是的：") if yes else Text("No: ", "不是：")
    return Text(begin.en + told.en[0].lower() + told.en[1:], begin.zh + told.zh)


_TUNE = Text(
    "The code cannot tell the best value: choose it on validation data, starting where the terms, "
    "with their weights, are of the same order.",
    "最合适的数值从代码看不出来：先让乘上权重后的各项数量级相当，再在验证集上微调。",
)
_USUAL: dict[str, Text] = {
    "dkd": Text(
        "The code published with DKD takes α = 1, and β mostly 2 to 8 for CIFAR-100, 0.5 for "
        "ImageNet.",
        "DKD 公开的代码取 α = 1，β 在 CIFAR-100 上多为 2 到 8，ImageNet 上为 0.5。",
    ),
    "at": Text(
        "The published code uses β = 1000 and adds β/2 times this mean form: the values are small.",
        "公开代码取 β = 1000，把这个均值形式乘 β/2：因为它的数值很小。",
    ),
    "rkd": Text(
        "The paper weighs distances to angles as 1 : 2 (25 and 50 beside a cross-entropy).",
        "论文里距离与角度的权重之比为 1 : 2（与交叉熵并用时为 25 和 50）。",
    ),
    "ewc": Text(
        "It depends on the scale of the Fisher values, so values from 1 to 10⁵ are found: raise it "
        "until the old task's accuracy holds.",
        "它取决于 Fisher 值的尺度，文献里从 1 到 10⁵ 都有：逐步调大，直到旧任务的精度守得住。",
    ),
}
"""What is usual, by the method."""
_SOFT_SHARE = Text(
    "With the factor T² the soft term usually gets the larger share, 0.5 to 0.9.",
    "乘了 T² 之后，软标签项通常占较大的比例，0.5 到 0.9。",
)


def _how_much(code: Code, names: list[str]) -> Text | None:
    """What a weight weighs, which way it works, and what is usual."""
    if (told := _typical(code)) is not None:
        return told
    said: list[Text] = []
    for name in names[:2]:
        held = _holding(code, name)
        lines = [_WEIGHS.format(weight=_short(code, w), term=code.name_of(t)) for t, w in held]
        if lines:
            said.append(_sentence(lines))
    if len(names) == 1 and (more := _more(code, names[0], "")) is not None:
        said.append(more)
    usual = _USUAL.get(code.verdict.method_key)
    if not said and (usual is None or not code.terms):
        return None
    shares = {n for n in names if any(is_rest(w) for _, w in _holding(code, n))}
    if usual is not None:
        said.append(usual)
    elif shares and code.verdict.method_key == "kd" and code.verdict.outcome == "equal":
        said.append(_SOFT_SHARE)
    return both(*said, _TUNE)


def _typical(code: Code) -> Text | None:
    """What the paper takes, where the weight is made as in the paper."""
    if re.search(r"sqrt\(\s*[\w.]*(old|known|prev)[\w.]* / [\w.]*(new|cur)", code.text):
        return _TYPICAL["lucir"]
    return None
