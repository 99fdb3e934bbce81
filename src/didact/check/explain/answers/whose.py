"""Which tensor is the student's and which the teacher's."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 45
ASKS = either(
    r"(which|who|what)( one| of \w+| side)? (is|are) the (teacher|student)|what (is|are) \w+ and"
    r"|whose|is `?\w+`? the (teacher|student)",
    r"哪一?个是(教师|老师|学生)|谁是|分别是(什么|谁)|各是什么|是(教师|老师|学生)(吗|还是)",
)
_IS = Text("`{name}` is the {role}'s ({reason})", "`{name}` 是{role}的（{reason}）")
_NAMES = {"student": Text("student", "学生"), "teacher": Text("teacher", "教师")}


def answer(question: str, code: Code) -> Text | None:
    """The names that are asked of; else both sides, where each is one tensor."""
    told = {
        code.judged.tracer.labels.get(g, g.text): t for g, t in code.judged.roles.items()
        if t.role in _NAMES
    }  # fmt: skip
    asked = [n for n in code.mentioned(question) if n in told]
    if not asked and re.search(r"teacher|student|教师|老师|学生", question, re.IGNORECASE):
        asked = [n for n in told if n.isidentifier()]
    if len(asked) != len(code.mentioned(question)) and not re.search(
        r"teacher|教师|老师", question
    ):
        return None
    if not asked or len(asked) > 4:
        return None
    said = [_IS.format(name=n, role=_NAMES[told[n].role], reason=told[n].reason) for n in asked]
    return Text("; ".join(s.en for s in said) + ".", "；".join(s.zh for s in said) + "。")
