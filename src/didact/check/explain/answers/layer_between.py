"""Whether a layer between the two models is trained."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shown

PLACE = 8
ASKS = either(
    r"(projection|projector|proj|regressor|adapter|1x1|conv\w*|layer)\b.*(gradient|updat|train"
    r"|learn)|(gradient|updat|train)\w*.*(projection|projector|regressor|adapter|1x1|conv)",
    r"(投影|回归层|卷积|适配|proj|regressor|adapter).{0,12}(梯度|更新|训练|学)|(梯度|更新"
    r"|训练).{0,8}(投影|回归|卷积)",
)
_LAYERS = re.compile(r"self\.(\w+) = nn\.(Conv\d?d|Linear|Sequential|ConvTranspose\dd)\(")
_TEXT = Text(
    "It gets a gradient, as the loss is computed through `{code}` (line {line}). It is updated "
    "only where the optimiser is given its parameters: they belong to `{owner}`, not to the "
    "student.",
    "它有梯度，因为损失是经过 `{code}`（第 {line} 行）算出来的。但只有把它的参数交给优化器才会更"
    "新：这些参数属于 `{owner}`，不在学生里。",
)


def answer(_question: str, code: Code) -> Text | None:
    """Where a module of losses holds a layer that its forward calls with a graph."""
    if code.serious:
        return None
    for found in _LAYERS.finditer(code.text):
        for call in code.calls(found[1]):
            parent = code.parents.get(id(call))
            cut = isinstance(parent, ast.Attribute) and parent.attr in {"detach", "data"}
            function = code.function_of(call)
            owner = code.parents.get(id(function)) if function is not None else None
            if cut or code.without_graph(call) is not None or not isinstance(owner, ast.ClassDef):
                continue
            return _TEXT.format(code=shown(call), line=call.lineno, owner=owner.name)
    return None
