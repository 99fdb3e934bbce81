"""What two names of the code are."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either

PLACE = 60
ASKS = either(
    r"what (are|is) `?\w+`? and (what is )?`?\w+",
    r"\w+`? ?(和|跟|与) ?`?\w+`? ?(分别|各)?(是|代表|指)(什么|啥)",
)
_NAMES = either(
    r"what (?:are|is) `?(\w+)`? and (?:what is )?`?(\w+)", r"(\w+)`? ?(?:和|跟|与) ?`?(\w+)"
)
_SAID = Text("Line {line}: {words}", "第 {line} 行：{words}")


def answer(question: str, code: Code) -> Text | None:
    """What is said of the one line that sets each of them."""
    found = _NAMES.search(question)
    if found is None:
        return None
    said: list[Text] = []
    for name in [g for g in found.groups() if g][:2]:
        setting = [x for x in code.lines if re.match(rf"{re.escape(name)}\s*=(?!=)", x[1])]
        if len(setting) != 1:
            return None
        said.append(_SAID.format(line=setting[0][0], words=setting[0][2]))
    return both(*said) if len(said) == 2 else None
