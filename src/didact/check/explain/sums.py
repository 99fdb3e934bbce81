"""A sum of losses with its weights, read off the expression."""

from __future__ import annotations

import ast
from collections.abc import Callable

from didact._core.i18n import Text
from didact.check.engine.names import is_loss, is_temperature, is_weight
from didact.check.explain.losscalls import code_of, factor_of


def addends(node: ast.expr) -> list[tuple[str, ast.expr]]:
    """The terms of a sum with their signs."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        right = addends(node.right)
        if isinstance(node.op, ast.Sub):
            right = [("-" if sign == "+" else "+", term) for sign, term in right]
        return addends(node.left) + right
    return [("+", node)]


def factors(node: ast.expr) -> list[ast.expr]:
    """The factors of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return factors(node.left) + factors(node.right)
    return [node]


def weighted(node: ast.expr) -> Text:
    """``(1 - a) * ce + a * kd`` in words."""
    english, chinese = [], []
    for sign, term in addends(node):
        parts = factors(term)
        body = next((p for p in parts if looks_like_loss(p)), None)
        unnumbered = [p for p in parts if not _is_number(p)] or parts[-1:]
        body = body or max(unnumbered, key=lambda p: len(ast.unparse(p)) > 1)
        weights = [p for p in parts if p is not body]
        minus = ("minus ", "减去 ") if sign == "-" else ("", "")
        if weights:
            weight, what = "·".join(map(factor_of, weights)), factor_of(body)
            note = t2_note(weights)
            english.append(f"{minus[0]}{weight} times {what}{note.en}")
            chinese.append(f"{minus[1]}{weight} × {what}{note.zh}")
        else:
            english.append(f"{minus[0]}{code_of(body)}")
            chinese.append(f"{minus[1]}{code_of(body)}")
    return Text("a sum of terms: " + " plus ".join(english).replace("plus minus", "minus"),
                "各项之和：" + " + ".join(chinese).replace("+ 减去", "−"))  # fmt: skip


def enumerated(node: ast.expr, inside: Callable[[ast.expr], Text | None]) -> Text | None:
    """The terms of a sum one by one, where one of them is a loss written out in it."""
    terms = addends(node)
    said: list[Text] = []
    written_out = False
    for number, (sign, term) in enumerate(terms, 1):
        parts = factors(term)
        body = next((p for p in parts if inside(p) is not None), None)
        weights = "·".join(map(factor_of, (p for p in parts if p is not body)))
        words = inside(body) if body is not None else None
        written_out |= words is not None
        if words is None:
            one = weighted_term(term)
        elif weights:
            one = Text(f"{weights} times {words.en}", f"{weights} 乘以 {words.zh}")
        else:
            one = words
        minus = ("minus ", "减去 ") if sign == "-" else ("", "")
        said.append(Text(f"({number}) {minus[0]}{one.en}", f"({number}) {minus[1]}{one.zh}"))
    if not written_out or len(said) < 2:
        return None
    english, chinese = " ".join(f"{s.en}." for s in said), "".join(f"{s.zh}。" for s in said)
    return Text(
        f"the sum of {len(said)} terms. {english[:-1]}", f"{len(said)} 项之和。{chinese[:-1]}"
    )


def weighted_term(term: ast.expr) -> Text:
    """One term of a sum as it is written."""
    return Text(factor_of(term), factor_of(term))


def looks_like_loss(node: ast.expr) -> bool:
    """Whether a factor is the loss rather than its weight."""
    if isinstance(node, ast.Call):
        return True
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return is_loss(name) or name.lower() in {"ce", "kd", "kl"}


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant | ast.BinOp | ast.UnaryOp):
        return True
    return is_temperature(ast.unparse(node)) or is_weight(ast.unparse(node))


_T2 = Text(
    " (T² undoes the 1/T² by which the temperature shrinks the gradient)",
    "（T² 用来抵消温度使梯度缩小的 1/T²）",
)


def t2_note(weights: list[ast.expr]) -> Text:
    """What a factor T² is there for."""
    names = [ast.unparse(w) for w in weights]
    if any(names.count(n) == 2 and is_temperature(n) for n in names):
        return _T2
    for weight in weights:
        if not isinstance(weight, ast.BinOp) or not isinstance(weight.op, ast.Pow):
            continue
        if is_temperature(ast.unparse(weight.left)):
            return _T2
    return Text("", "")
