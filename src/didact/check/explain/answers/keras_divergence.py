"""Keras' and optax's KL divergence: what comes first, and in which space it is wanted."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.answers._code import Code, either
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

PLACE = 30
ASKS = either(
    r"order|argument|swap|first|y_true|which|\blog|softmax|prob|revers|kld",
    r"顺序|参数|反|前面|第一个|log|概率|对数|kld",
)
_LOG = either(r"log|prob|logits?", r"log|对数|概率|为什么(?:这里)?直接用 ?softmax")
_ORDER = either(
    r"order|argument|swap|first|y_true|which of|revers|other way",
    r"顺序|参数|反了|前面|第一个|y_true|谁|哪个",
)
_CLASSES = {"KLDivergence", "KLD", "kl_divergence", "kullback_leibler_divergence", "kld"}
_MEANS = Text(
    "Keras' KLDivergence(y_true, y_pred) is Σ y_true·log(y_true/y_pred): the teacher comes "
    "first, and both are probabilities (it takes the logarithms itself).",
    "Keras 的 KLDivergence(y_true, y_pred) = Σ y_true·log(y_true/y_pred)：教师作 y_true 放前面，"
    "两个都给概率（它自己取对数）。",
)
_OPTAX = Text(
    "optax.kl_divergence(log_predictions, targets) is Σ targets·(log targets − log_predictions): "
    "the student's log-probabilities come first, the teacher's probabilities second, as in "
    "PyTorch's kl_div.",
    "optax.kl_divergence(log_predictions, targets) = Σ targets·(log targets − log_predictions)："
    "学生的对数概率放前面，教师的概率放后面，顺序与 PyTorch 的 kl_div 相同。",
)
_PYTORCH = Text(
    " PyTorch's kl_div is the other way round: (input = the student's log-probabilities, target = "
    "the teacher's probabilities).",
    "PyTorch 的 kl_div 才是反过来的：(input = 学生的对数概率, target = 教师的概率)。",
)
_PYTORCH_LOG = Text(
    " PyTorch's kl_div takes no logarithm of its input and wants the student first, which is why "
    "log_softmax stands there.",
    "PyTorch 的 kl_div 不替第一个参数取对数，且学生放前面，所以那里要先 log_softmax。",
)
_NAMED = re.compile(
    r"(?:self\.)?([A-Za-z_]\w*)`?\s*(?:=|:|：|is|was|传的?是|传入的?是?|用的?是|就?是)\s*`?"
    r"(?:[a-z_]+\.)*(?:KLDivergence|KLD|kl_divergence|kullback_leibler_divergence)\b"
)
"""What the reader says to be the divergence."""


def answer(question: str, code: Code) -> Text | None:
    """By the two arguments that the divergence is called with."""
    used = code.judged.tracer.frameworks - {"torch"}
    sides = _sides(question, code) if len(used) == 1 else None
    if sides is None:
        return None
    if "jax" in used:
        begin = _begin(question, (sides[1], sides[0], False)) if _ORDER.search(question) else None
        return None if begin is None else Text(begin.en + _OPTAX.en, begin.zh + _OPTAX.zh)
    if used != {"tensorflow"}:
        return None
    torch = re.search(r"torch", question, re.IGNORECASE)
    if _ORDER.search(question):
        begin = _begin(question, sides)
        return None if begin is None else Text(
            begin.en + _MEANS.en + _PYTORCH.en, begin.zh + _MEANS.zh + _PYTORCH.zh
        )  # fmt: skip
    if _LOG.search(question) and sides[2]:
        more = _PYTORCH_LOG if torch else Text("", "")
        return Text(
            "No log is needed: " + _MEANS.en + more.en, "不用取对数：" + _MEANS.zh + more.zh
        )
    return None


def _begin(question: str, sides: tuple[Role, Role, bool]) -> Text | None:
    """The first words, for a divergence that wants the teacher first."""
    right = sides[0] is Role.TEACHER and sides[1] is Role.STUDENT
    wrong = sides[0] is Role.STUDENT and sides[1] is Role.TEACHER
    if right == wrong:
        return None
    if re.search(r"which|who|谁|哪个|前还是|\bor\b.*\bfirst|first,? or\b", question, re.IGNORECASE):
        return (Text("The teacher, as it stands: ", "教师，现在的写法就是对的：") if right
                else Text("The teacher; here the student stands there, exchange the two: ",
                          "教师；现在把学生放在了前面，应交换："))  # fmt: skip
    negative = re.search(
        r"swap|revers|other way|student.*first|反了|写反|学生.{0,4}(放|在).{0,2}前|换",
        question,
        re.IGNORECASE,
    )
    if right:
        return (Text("No, it is right as it stands: ", "不要，现在的写法是对的：") if negative
                else Text("Yes: ", "对："))  # fmt: skip
    return (Text("Yes, it is the wrong way round: ", "是反了：") if negative
            else Text("No, exchange the two: ", "不对，应交换："))  # fmt: skip


def _sides(question: str, code: Code) -> tuple[Role, Role, bool] | None:
    """Whose the two arguments are, and whether both are softmaxes."""
    objects = {
        t.id if isinstance(t, ast.Name) else getattr(t, "attr", "")
        for n in code.nodes if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call)
        and last_name(n.value.func) in _CLASSES for t in n.targets
    }  # fmt: skip
    objects |= set(_NAMED.findall(question))
    asked = re.search(r"kld|kl_?div|kullback", question, re.IGNORECASE)
    for node in code.nodes:
        if not isinstance(node, ast.Call) or len(node.args) != 2:
            continue
        name = last_name(node.func)
        made = isinstance(node.func, ast.Call) and last_name(node.func.func) in _CLASSES
        distils = bool(asked) and re.search(
            r"distill?ation_loss|(?:kd|kl|distill?)_(?:loss|fn)", name
        )
        if made or name in _CLASSES or name in objects or distils:
            shown = [ast.unparse(a) for a in node.args]
            whose = [_whose(a, code) for a in node.args]
            soft = all("softmax" in s or "prob" in s for s in shown)
            return whose[0], whose[1], soft
    return None


def _whose(node: ast.expr, code: Code) -> Role:
    names = {n.id for n in nodes_of(node) if isinstance(n, ast.Name)}
    names |= {n.attr for n in nodes_of(node) if isinstance(n, ast.Attribute)}
    roles = {role_of(n) for n in names} - {Role.UNKNOWN}
    told = {g.text: t.role for g, t in code.judged.roles.items()}
    roles |= {Role(told[n]) for n in names if told.get(n) in {"student", "teacher"}}
    if not roles:
        for assigned in code.nodes:
            if isinstance(assigned, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id in names for t in assigned.targets
            ):
                inner = {
                    role_of(n.id if isinstance(n, ast.Name) else n.attr)
                    for n in nodes_of(assigned.value)
                    if isinstance(n, ast.Name | ast.Attribute)
                }
                roles |= inner - {Role.UNKNOWN}
    return roles.pop() if len(roles) == 1 else Role.UNKNOWN
