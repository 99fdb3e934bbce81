"""A call that stands alone on its line, in words."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.actions import ACTIONS, METHOD_HINTS
from didact.check.explain.call_words import last_name, plugged
from didact.check.explain.expressions import Reader
from didact.check.explain.losscalls import code_of
from didact.check.explain.plain import spaced


def action(node: ast.Call, reader: Reader) -> Text:
    """What the call does, as a sentence."""
    name = last_name(node.func)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    owner_text = ast.unparse(owner) if owner is not None else ""
    if name == "__init__" and owner_text.startswith("super("):
        name = "super_init"
    if name == "step" and "sched" in owner_text.lower():
        name = "scheduler.step"
    template = ACTIONS.get(name)
    if template is not None:
        return _filled(template, node, owner, reader)
    for hint, text in METHOD_HINTS:
        if hint in name.lower():
            return Text(f"Calls {code_of(node)}: {text.en}", f"调用 {code_of(node)}：{text.zh}")
    what = spaced(reader.phrase(node))
    return Text(f"Computes {what.en}; the result is not kept.", f"计算{what.zh}，结果没有保存。")


def _filled(template: Text, node: ast.Call, owner: ast.expr | None, reader: Reader) -> Text:
    arguments = [code_of(a) for a in node.args] + [
        f"`{k.arg}={ast.unparse(k.value)}`" for k in node.keywords if k.arg
    ]
    shown = ", ".join(arguments)
    english, chinese = (plugged(t, arguments) for t in (template.en, template.zh))
    return Text(english, chinese).format(
        o=code_of(owner),
        args=shown or "…",
        with_args=Text(f" with {shown}" if shown else "", f"，参数 {shown}" if shown else ""),
        reached=_reached(owner, reader),
    )


def _reached(owner: ast.expr | None, reader: Reader) -> Text:
    """Who gets the gradient."""
    nothing = Text("", "")
    value = reader.analysis.value_of(owner) if owner is not None else None
    if value is None or not value.terms:
        return nothing
    roles = {term.use.input.grad for term in value.terms} | {t.use.target.grad for t in value.terms}
    targets = {t.use.target.grad for t in value.terms if not t.use.is_hard}
    if "yes" in targets:
        return Text(
            " It also reaches what the targets were computed from.",
            "注意：梯度也会回传到目标（软标签）一侧。",
        )
    if "yes" in roles:
        return Text(" Only the prediction side gets gradient.", "只有预测（学生）一侧得到梯度。")
    return nothing
