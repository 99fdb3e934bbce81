"""What yes would mean as the answer to a question."""

from __future__ import annotations

import re

from didact._core.i18n import Text

LEAVES_OUT = re.compile(
    r"\b(can|could|may|should|must|shall) (i|we|one|you|it|this|that|they)\b"
    r".*\b(leave\b.*\bout|leave\b.*\boff|omit|skip|drop|remove|delete|do without|go without"
    r"|get rid|without|instead of|not (use|call|write|add|multiply|divide|normali[sz]e|detach))\b"
    r"|\b(is it|would it be) (ok|okay|fine|safe|allowed|possible|all right|alright)\b"
    r".*\b(leave|omit|skip|drop|remove|without|not to|not (use|call|write)|i don't|i do not)\b"
    r"|能不能不|可不可以不|(?<!不)可以不|(?<!不)能不(?!能)|(去掉|省略|省掉|删掉|删除|删|拿掉).{0,14}(可以"
    r"|行|能|吗|没问题)|(可以|能|能不能|可不可以).{0,8}(去掉|省略|省掉|省|删|拿掉|直接用"
    r"|换成)|(?<!需)(?<!是)(?<!要)不(写|加|用|做|乘|除|放|调用).{0,14}(可以|行吗|行不行|没问题|也行|没事)",
    re.IGNORECASE,
)
"""Yes means that what stands in the code, or belongs there, may go."""

OPEN = re.compile(
    r"^\W*(?:so |and |but |also |hi,? |then )*(?:why|how (?!come)|what|which|where|who|when)\b"
    r"|为什么|为何|为啥|怎么|如何|多少|多大|哪(?!怕)|什么(?!问题)|啥",
    re.IGNORECASE,
)
"""Neither yes nor no answers it."""
_EITHER = re.compile(
    r"\bor not\b|吗[?？]?\s*$|是不是|对不对|有没有|能不能|要不要|会不会", re.IGNORECASE
)


def is_open(question: str) -> bool:
    """Whether it asks for a reason, a thing or a size, and not whether something is so."""
    return OPEN.search(question) is not None and _EITHER.search(question) is None


_BEGINS_EN = re.compile(r"^(?:Yes|No)(?:, and it is there)?[:,] ")
_BEGINS_ZH = re.compile(
    r"^(?:是的|不是|要|不要|会|不会|可以|不可以|需要|不需要|不对|对|不行|行)[：，]"
)


_MAY_GO_ZH = re.compile(r"^(?:不需要|不必|不要|不用)[：，]")
_STAYS_ZH = re.compile(r"^(?:需要|要)[：，](?:代码里已经有了[：，]?)?")
_STAYS_EN = re.compile(r"^Yes(?:, and it is there)?[:,]? ?")


def as_asked(question: str, said: Text) -> Text:
    """An answer to whether a thing is needed, begun as the question wants its yes and no."""
    if is_open(question):
        return without_yes_or_no(said)
    if not LEAVES_OUT.search(question):
        return said
    if said.en.startswith("No") and _MAY_GO_ZH.search(said.zh):
        return Text(f"Yes{said.en[2:]}", _MAY_GO_ZH.sub("可以：", said.zh))
    if said.en.startswith("Yes") and _STAYS_ZH.search(said.zh):
        rest = _STAYS_EN.sub("", said.en).lstrip(": ")
        return Text(f"Better not: {rest}", f"最好不要：{_STAYS_ZH.sub('', said.zh)}")
    return said


def without_yes_or_no(said: Text) -> Text:
    """An answer without the yes or no that it begins with."""
    english = _BEGINS_EN.sub("", said.en)
    if english != said.en and not english.startswith("`"):
        english = english[0].upper() + english[1:]
    return Text(english, _BEGINS_ZH.sub("", said.zh))
