"""Which positions a mask keeps, and whether it is the wrong way round."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.answers.padded import masks_of

PLACE = 35
ASKS = either(r"mask|\bkeep\b|\bfg\b", r"mask|掩码|前景")
_ROUND = either(
    r"invert|revers|wrong way|other way|flipped|backwards|opposite", r"反了|写反|弄反|搞反|颠倒"
)
_KEEPS = either(
    r"(what|which).*(mask|keep|select|pick|mean)|how does .*(mask|pick|select)",
    r"保留|选(了|出|的|哪)|取(了|出|的|哪)|哪些|(mask|掩码).{0,8}(什么|作用|意思|干嘛)",
)
_MADE = Text(
    "`{mask}` is true except where {where} (line {at}), and line {line} keeps what is true",
    "`{mask}` 只在 {where} 处为假（第 {at} 行），第 {line} 行保留的是为真的位置",
)
_GIVEN = Text(
    "line {line} multiplies with `{mask}` and divides by its sum, so what counts is where "
    "`{mask}` is 1",
    "第 {line} 行乘以 `{mask}` 再除以它的和，起作用的是 `{mask}` 为 1 的位置",
)
_SO = Text(
    "; it is right where `{mask}` is 1 on the positions that are to be learnt",
    "；只要 `{mask}` 在要学习的位置上为 1，就没有写反",
)


def answer(question: str, code: Code) -> Text | None:
    """Where a sum is multiplied with a mask and divided by its own sum."""
    if code.serious or not (_ROUND.search(question) or _KEEPS.search(question)):
        return None
    made = masks_of(code)
    for node in code.nodes:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            continue
        below = re.match(r"([A-Za-z_]\w*)(?:\.float\(\))?\.sum\(\)", ast.unparse(node.right))
        if below is None:
            continue
        mask = below[1]
        if not re.search(rf"\* {mask}\b|\b{mask} \*", ast.unparse(node.left)):
            continue
        if mask in made:
            told = _MADE.format(mask=mask, where=made[mask][1], at=made[mask][0], line=node.lineno)
        else:
            told = _GIVEN.format(mask=mask, line=node.lineno)
        if _ROUND.search(question):
            so = _SO.format(mask=mask)
            if mask in made:
                return Text(f"No: {told.en}.", f"没有写反：{told.zh}。")
            return Text(f"No: {told.en}{so.en}.", f"没有：{told.zh}{so.zh}。")
        return Text(f"{told.en[0].upper()}{told.en[1:]}.", f"{told.zh}。")
    return None
