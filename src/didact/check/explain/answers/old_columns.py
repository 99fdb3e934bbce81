"""Why the old model's output has fewer columns."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.answers._code import Code, either, shown

PLACE = 15
ASKS = either(
    r"only .*\d* ?(columns?|classes|outputs?)|(columns?|classes) .*(fewer|less)|fewer",
    r"(只有|才) ?\d* ?(列|个?类|维)|列数|少",
)
_ASKS = either(r"why|how come|expected|normal", r"为什么|为何|怎么|正常")
_TEXT = Text(
    "Because `{code}` (line {line}) is the old model: its head was made for the classes up to "
    "then and has an output for these alone. That is why the new model's output is cut to them "
    "where the two are compared.",
    "因为 `{code}`（第 {line} 行）是旧模型：它的分类头是按当时的类别数建的，只有这些类的输出。所"
    "以两者比较时要把新模型的输出切到这些列。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the name is what an old model returns."""
    if not _ASKS.search(question) or not code.judged.incremental:
        return None
    mentioned = code.mentioned(question)
    for node in code.nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        value = node.value
        called = isinstance(value, ast.Call) and role_of(ast.unparse(value.func)) is Role.TEACHER
        if called and (node.targets[0].id in mentioned or re.search(r"\bold\b|旧", question)):
            return _TEXT.format(code=shown(value), line=node.lineno)
    return None
