"""The order of the arguments of a KL divergence, which of them takes a log, its direction."""

from __future__ import annotations

import re
from typing import NamedTuple

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.tree import Call, Constant, Node, walk

PLACE = 30
ASKS = either(
    r"order|argument|other way|swap|revers|forward|exchang|first|which of|mode.?(seek|cover)"
    r"|direction|\blog\b|log_target|log.?prob|log_softmax|which (one|side)",
    r"顺序|参数|反了|写反|弄反|交换|前面|第一个|反向|前向|正向|取 ?log|取对数|写漏|方向|哪个在前"
    r"|log_target|颠倒|log_softmax|加 ?log|对数",
)
_ORDER = either(
    r"argument|(student|teacher|input|target).*(first|other way|swap|exchang|order|second)"
    r"|(swap|exchang|other way|order|reversed).*(student|teacher|input|target|kl_?div)"
    r"|kl_?div.*(swap|exchang|other way|order|reversed)|which of the two"
    r"|which (one|side) (should|goes|comes)",
    r"参数.*(反|对|换|位置|顺序)|顺序.{0,6}参数|kl_?div.*(反|顺序|换)|(学生|教师|老师|input"
    r"|target).{0,12}(前面|第一个|反了|写反|弄反|位置|换)|第一个参数|哪个在前|谁在前|(写|弄"
    r"|搞)反了.{0,8}(学生|教师)",
)
_OF_OTHERS = either(
    r"alpha|beta|weight|slic|\bema\b|temperature|softmax and|\bstep\b|zero_grad|bigger|larger|mask",
    r"权重|系数|切片|α|β|滑动|温度|清零|掩码",
)
_DIRECTION = either(r"revers|forward|mode.?(seek|cover)|direction", r"反向|前向|正向|哪个方向|寻峰")
_LOG = either(
    r"(why|need|missing|forg[eo]t|should|no|without|also|take).*\blog|\blog.*(missing|forg[eo]t"
    r"|need|too)|log_target",
    r"(没|不|要|漏|少|为什么|忘).{0,8}(取|加|写|用)? ?(log|对数)|(log|对数).{0,12}(漏|忘|吗|缺"
    r"|要)|log_target",
)
_ARGUMENTLESS = either(r"(no|without) arguments|default|reduction", r"默认|不带参数|reduction")
_LOG_OF_INPUT = either(
    r"why.*log\w*.*(student|input|first)|why.*(student|input).*log",
    r"为什么.*(学生|input|第一个).*(log|对数)|为什么.*(log|对数).*(学生|input)",
)
_WHY_INPUT = Text(
    "Because kl_div(input, target) = Σ target·(log target − input) takes no logarithm of "
    "`input`: log Q of the student has to be given, and log_softmax computes it without an "
    "underflow to log 0. `target` is probabilities, unless log_target=True.",
    "因为 kl_div(input, target) = Σ target·(log target − input) 不会对 input 取对数：要给学生的 "
    "log Q，而 log_softmax 直接算出它，不会下溢成 log 0。target 给概率，除非 log_target=True。",
)
_NEGATIVE = either(
    r"other way|swap|exchang|revers|wrong|mixed|(teacher|target)[^,;]{0,30}first",
    r"(教师|老师|target)[^，；]{0,10}(前|第一)|反了|写反|弄反|交换|换过来|颠倒|放前面|错",
)
_BOTH_DIRECTIONS = either(r"\bor\b", r"还是")
_IF_SWAPPED = either(
    r"what (happens|if|would).*(swap|exchang|revers|other way|order)",
    r"(反了|写反|弄反|交换|换一下|对调|颠倒).{0,6}(会怎|会有什么|有什么影响)",
)
_WOULD_BE = Text(
    "With the two sides exchanged, that is kl_div(log_softmax of the teacher, softmax of the "
    "student), it would be KL(student ‖ teacher), the reverse KL, which seeks one mode. With only "
    "the tensors exchanged, and so log-probabilities as the target, it would be NaN.",
    "两侧对调，即 kl_div(教师的 log_softmax, 学生的 softmax)，就变成反向 "
    "KL，即 KL(学生 ‖ 教师)，倾向"
    "于抓住一个峰。如果只是把两个参数换位置、让对数概率成了 target，结果会是 NaN。",
)
_WHICH = either(r"\bwhich\b", r"哪个|谁|哪一个")

_RIGHT = Text(
    "kl_div(input, target) is KL(target ‖ exp(input)): `input` is {input} here, as "
    "log-probabilities, and `target` {target}, as {form}, so this is KL({p} ‖ {q}), as it should "
    "be.",
    "kl_div(input, target) 计算 KL(target ‖ exp(input))：这里 input 是{input}的对数概率，target 是"
    "{target}的{form}，得到 KL({p} ‖ {q})，正是应有的方向。",
)
_WRONG = Text(
    "kl_div(input, target) is KL(target ‖ exp(input)), and here `input` is the teacher's and "
    "`target` the student's: this is KL(student ‖ teacher), the reverse KL. For Hinton's KD "
    "exchange them: the student's log-probabilities first, the teacher's probabilities second.",
    "kl_div(input, target) 计算 KL(target ‖ exp(input))，这里 input 是教师的、target 是学生的，得"
    "到 KL(学生 ‖ 教师)，即反向 KL。要得到 Hinton 的 KD，应交换：先传学生的对数概率，再传教师的概"
    "率。",
)
_IS_FORWARD = Text(
    "this is KL(teacher ‖ student), the forward KL, which covers all modes of the "
    "teacher{because}. For the reverse one exchange the two sides: "
    "F.kl_div(F.log_softmax(teacher, dim=-1), F.softmax(student, dim=-1)).",
    "这是前向 KL，即 KL(教师 ‖ 学生)，会覆盖教师的所有峰{because}。想要反向 KL 就把两侧交换："
    "F.kl_div(F.log_softmax(teacher, dim=-1), F.softmax(student, dim=-1))。",
)
_IS_REVERSE = Text(
    "this is KL(student ‖ teacher), the reverse KL, which seeks one mode{because}.",
    "这是反向 KL，即 KL(学生 ‖ 教师)，倾向于抓住一个峰{because}。",
)
_BECAUSE = Text(
    ": kl_div(input, target) is KL(target ‖ exp(input)), and `target` is the {whose}'s",
    "：kl_div(input, target) 计算 KL(target ‖ exp(input))，而 target 是{whose}的",
)
_UNDER_STUDENT = Text(
    ": the expectation is under the student, which pays for mass where the teacher has none",
    "：期望在学生分布下取，学生把概率放到教师没有的地方就受罚",
)
_UP_TO_ENTROPY = Text(
    ": −Σ p·log q is KL(p ‖ q) plus the entropy of the teacher, which has no gradient",
    "：−Σ p·log q 等于 KL(p ‖ q) 加上教师的熵，后者没有梯度",
)
_NO_LOG = Text(
    "Nothing is missing: with log_target=False (the default) kl_div takes the logarithm of "
    "`target` itself, so `target` must be probabilities (softmax); only `input` must be "
    "log-probabilities (log_softmax). With a log on it, it would need log_target=True.",
    "没有写漏：log_target=False（默认）时 kl_div 会自己对 target 取对数，所以 target 要给概率（"
    "softmax），只有 input 要给对数概率（log_softmax）。target 也取 log 的话，就要写 "
    "log_target=True。",
)
_LOG_TARGET = Text(
    "Because the target is given as log-probabilities here: log_target=True tells kl_div so. "
    "Without it the target would be taken for probabilities, and the logarithm of negative "
    "numbers is NaN. The value is the same as with softmax and log_target=False, and more exact "
    "where a probability is tiny.",
    "因为这里的 target 给的是对数概率，log_target=True 就是告诉 kl_div 这一点；不写的话它会被当作概"
    "率，对负数取对数得到 NaN。数值与“softmax + log_target=False”相同，概率极小时更精确。",
)
_STUDENT = Text("the student's", "学生")
_TEACHER = Text("the teacher's", "教师")


class Divergence(NamedTuple):
    """One call of kl_div."""

    input: Node
    target: Node
    log_target: bool


def answer(question: str, code: Code) -> Text | None:
    """By the sides of each kl_div, and by the named loss that a term is."""
    if _IF_SWAPPED.search(question) and code.keys & {"kd", "kd_masked"} and not code.serious:
        return _WOULD_BE
    if re.search(r"slic|切片|先切", question, re.IGNORECASE):
        return None
    if "LOG-OF-SOFTMAX" in code.kinds and re.search(r"log", question, re.IGNORECASE):
        return None
    if not code.is_torch:
        return None
    calls = divergences(code)
    if _DIRECTION.search(question) and (told := _direction(question, code, calls)) is not None:
        return told
    sides_named = re.search(
        r"log_softmax.*(?<!log_)softmax|(?<!log_)softmax.*log_softmax", question
    )
    if sides_named is None and _LOG_OF_INPUT.search(question):
        right = calls and all(is_log(c.input) for c in calls)
        return _WHY_INPUT if right else None
    if _LOG.search(question) and not sides_named and (told := _on_log(calls)) is not None:
        return told
    if _OF_OTHERS.search(question) or not _ORDER.search(question):
        return None
    return _order(question, code, calls)


def divergences(code: Code) -> list[Divergence]:
    """Each kl_div that the losses are made of."""
    found: dict[Node, Divergence] = {}
    for loss in code.judged.losses:
        for part in walk(loss.entry.value):
            if isinstance(part, Call) and part.name == "kl_div" and len(part.args) > 1:
                flag = part.keyword("log_target")
                on = isinstance(flag, Constant) and flag.value is True
                found[part] = Divergence(part.args[0], part.args[1], on)
    return list(found.values())


def _taken_of(part: Node) -> Node:
    """A value before it was cut, reshaped or taken off the graph."""
    while isinstance(part, Call) and part.name in {
        "detach",
        "identity",
        "view",
        "reshape",
        "index",
    }:
        part = part.args[0]
    return part


def is_log(part: Node) -> bool:
    """Whether a side is log-probabilities."""
    part = _taken_of(part)
    return isinstance(part, Call) and part.name in {"log_softmax", "log", "logsigmoid", "logsumexp"}


def is_probabilities(part: Node) -> bool:
    """Whether a side is probabilities."""
    part = _taken_of(part)
    return isinstance(part, Call) and part.name in {"softmax", "sigmoid"}


def _sides(code: Code, call: Divergence) -> tuple[str | None, str | None]:
    return side(call.input, code.judged.roles), side(call.target, code.judged.roles)


def _direction(question: str, code: Code, calls: list[Divergence]) -> Text | None:
    whose = {_sides(code, c) for c in calls}
    if whose == {("student", "teacher")} and all(is_log(c.input) for c in calls):
        forward, because = True, _BECAUSE.format(whose=Text("teacher", "教师"))
    elif whose == {("teacher", "student")} and all(is_log(c.input) for c in calls):
        forward, because = False, _BECAUSE.format(whose=Text("student", "学生"))
    elif not calls and code.keys & {"kd", "kd_masked"}:
        forward, because = True, Text("", "")
    elif not calls and code.keys & {"soft_ce", "soft_ce_masked"}:
        forward, because = True, _UP_TO_ENTROPY
    elif not calls and code.keys & {"reverse_kl", "reverse_kl_masked"}:
        forward, because = False, _UNDER_STUDENT
    else:
        return None
    said = (_IS_FORWARD if forward else _IS_REVERSE).format(because=because)
    asks_forward = re.search(r"forward|前向|正向|cover", question, re.IGNORECASE)
    asks_reverse = re.search(r"revers|反向|seek|寻峰", question, re.IGNORECASE)
    if _BOTH_DIRECTIONS.search(question) and (asks_forward or not asks_reverse):
        first = (
            Text("The forward one: ", "前向的：")
            if forward
            else Text("The reverse one: ", "反向的：")
        )
        return Text(first.en + said.en, first.zh + said.zh)
    if re.search(r"\bwhy\b|为什么|为何", question, re.IGNORECASE) or not (
        bool(asks_forward) ^ bool(asks_reverse)
    ):
        return None
    yes = bool(asks_forward) == forward
    return Text(("Yes: " if yes else "No: ") + said.en, ("是的，" if yes else "不是，") + said.zh)


def _on_log(calls: list[Divergence]) -> Text | None:
    if not calls or not all(is_log(c.input) for c in calls):
        return None
    if all(is_probabilities(c.target) and not c.log_target for c in calls):
        return _NO_LOG
    if all(is_log(c.target) and c.log_target for c in calls):
        return _LOG_TARGET
    return None


def _order(question: str, code: Code, calls: list[Divergence]) -> Text | None:
    if not calls or not all(is_log(c.input) for c in calls) or _ARGUMENTLESS.search(question):
        return None
    if any(c.log_target != is_log(c.target) for c in calls):
        return None
    whose = {_sides(code, c) for c in calls}
    negative = bool(_NEGATIVE.search(question))
    if whose == {("teacher", "student")}:
        begin = Text("Yes: ", "是反了：") if negative else Text("No: ", "不对：")
        return Text(begin.en + _WRONG.en, begin.zh + _WRONG.zh)
    if whose == {("student", "teacher")}:
        call = calls[0]
        form = (
            Text("log-probabilities", "对数概率")
            if call.log_target
            else Text("probabilities", "概率")
        )
        told = _RIGHT.format(
            input=_STUDENT, target=_TEACHER, form=form, p=Text("teacher", "教师"),
            q=Text("student", "学生"),
        )  # fmt: skip
    elif code.keys & {"jsd", "jsd_masked"} and all(
        leaves(c.target) < leaves(c.input) for c in calls
    ):
        told = _MIXED
    else:
        return None
    begin = Text("No: ", "没有反：") if negative else Text("Yes: ", "对：")
    if _WHICH.search(question):
        begin = Text("As it stands: ", "就是现在这样：")
    return Text(begin.en + told.en, begin.zh + told.zh)


_MIXED = Text(
    "kl_div(input, target) is KL(target ‖ exp(input)), so kl_div(log m, p) is KL(p ‖ m), which is "
    "what the Jensen–Shannon divergence is made of: the mixture m goes in as `input`, in logs, and "
    "each model's own distribution as `target`.",
    "kl_div(input, target) 计算 KL(target ‖ exp(input))，所以 kl_div(log m, p) 就是 KL(p ‖ m)，"
    "正是 JSD 要的：混合分布 m 取对数作 input，各自的分布作 target。",
)
