"""What PyTorch before 0.4 needed."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_VARIABLE = Text(
    "{x}{moved}; `Variable` can be left out: since PyTorch 0.4 it returns the tensor itself"
    "{volatile}",
    "{x}{moved}；`Variable` 可以去掉：PyTorch 0.4 起它返回的就是张量本身{volatile}",
)
_MOVED = Text(" on the GPU", "（移到 GPU）")
_VOLATILE = Text(
    ", and `volatile=True` has had no effect since (write `with torch.no_grad():`)",
    "，`volatile=True` 也已不起作用（应写 `with torch.no_grad():`）",
)
_NUMBER = Text(
    "the number that {x} holds; `.data[0]` fails from PyTorch 0.5 on, `.item()` is the form now",
    "{x} 的数值；`.data[0]` 从 PyTorch 0.5 起会报错，现在写 `.item()`",
)


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """``Variable(x)`` and ``loss.data[0]``."""
    del scene
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
        zero = isinstance(node.slice, ast.Constant) and node.slice.value == 0
        if node.value.attr == "data" and zero and "loss" in ast.unparse(node.value).lower():
            return _NUMBER.format(x=code_of(node.value.value))
    if not isinstance(node, ast.Call) or last_name(node.func) != "Variable" or not node.args:
        return None
    x, nothing, moved = node.args[0], Text("", ""), False
    if isinstance(x, ast.Call) and last_name(x.func) == "cuda" and not x.args:
        moved, x = True, getattr(x.func, "value", x)
    volatile = any(k.arg == "volatile" and ast.unparse(k.value) == "True" for k in node.keywords)
    return _VARIABLE.format(
        x=code_of(x), moved=_MOVED if moved else nothing,
        volatile=_VOLATILE if volatile else nothing,
    )  # fmt: skip
