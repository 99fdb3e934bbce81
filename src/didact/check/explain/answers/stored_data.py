"""Why what is stored for later is stored without its graph: ``out.data``, ``out.detach()``."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown
from didact.check.explain.call_words import last_name

ASKS = either(r"\.data\b|\bdata\b.*(store|buffer)|detach|\.cpu\(", r"\.data|detach|存")
_WHY = either(r"why|need|necessar|what|detach", r"为什么|为何|要不要|需要|作用|吗|干嘛")
_STORES = ("add_data", "add", "append", "put", "push", "store", "update_buffer", "extend")
_TEXT = Text(
    "`{owner}` still holds the graph of this step. Stored as it is, it would keep that graph (and "
    "its memory) alive with each stored batch, and a later loss on it would go back through a "
    "graph that is freed. `{code}` (line {line}) stores the numbers alone, as a fixed target; "
    "`{owner}.detach()` is the form recommended today.",
    "`{owner}` 带着这一步的计算图：直接存下来，每个批次的图都会被一直引用着（显存越占越多），以后对"
    "它求损失还会穿过已经释放的旧图而报错。`{code}`（第 {line} 行）只存数值，作为固定的目标；现在更"
    "推荐写 `{owner}.detach()`。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a tensor is handed to a buffer without its graph."""
    if not _WHY.search(question):
        return None
    for call in code.calls(*_STORES):
        for value in [*call.args, *(k.value for k in call.keywords)]:
            inner = value
            while isinstance(inner, ast.Call) and last_name(inner.func) in {"cpu", "clone"}:
                inner = inner.func.value if isinstance(inner.func, ast.Attribute) else inner
            if isinstance(inner, ast.Attribute) and inner.attr == "data":
                owner = inner.value
            elif isinstance(inner, ast.Call) and last_name(inner.func) == "detach":
                owner = inner.func.value if isinstance(inner.func, ast.Attribute) else inner
            else:
                continue
            if "data" in question or "detach" in question:
                return _TEXT.format(owner=shown(owner), code=shown(inner), line=inner.lineno)
    return None
