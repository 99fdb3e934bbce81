"""The words of one call: a template with the call's own arguments in it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.losscalls import code_of


@dataclass(frozen=True, slots=True)
class Bare(Text):
    """Words that only read the code aloud: a line has nothing to say if it has no others."""


def bare(text: Text) -> Bare:
    """The same words, marked."""
    return Bare(text.en, text.zh)


def same(text: str) -> Text:
    """The same words in both languages: code, as it is written."""
    return Bare(text, text)


def last_name(node: ast.expr) -> str:
    """``c`` of ``a.b.c``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def filled(template: Text, node: ast.Call, owner: ast.expr | None, *, method: bool) -> Text:
    """A template of a call with its arguments; ``method`` where it reads as one of ``owner``."""
    positional = [code_of(a) for a in node.args]
    as_object = method and "{0}" in template.en and "{o}" not in template.en
    if as_object and owner is not None:
        positional.insert(0, code_of(owner))
    elif not positional:
        positional = [code_of(k.value) for k in node.keywords]
    if last_name(node.func) in {"view", "reshape"} and _is_flat(node):
        return FLAT.format(o=code_of(owner))
    text = Text(plugged(template.en, positional), plugged(template.zh, positional))
    made = text.format(
        o=code_of(owner),
        args=arguments(node),
        dim=_dim(node, as_object),
        reduction=_reduction(node),
    )
    return bare(made) if last_name(node.func) in _READ_ALOUD else made


_READ_ALOUD = frozenset({
    "mean", "sum", "sqrt", "exp", "log", "abs", "pow", "len", "range", "enumerate", "zip", "float",
    "int", "list", "sorted", "matmul", "mm", "view", "reshape", "zeros", "ones", "arange",
    "squeeze", "max", "min", "eq", "size", "tolist",
})  # fmt: skip
"""Functions whose words say no more than their names."""
FLAT = Text("{o} as one long row", "{o} 展平成一维")


def _is_flat(node: ast.Call) -> bool:
    return [ast.unparse(a) for a in node.args] == ["-1"]


def plugged(template: str, positional: list[str]) -> str:
    """A template with its positional fields filled; braces in code are kept for ``format``."""
    texts = [text.replace("{", "{{").replace("}", "}}") for text in [*positional, "…", "…"]]
    return _FIELD.sub(lambda field: texts[int(field[1])], template)


_FIELD = re.compile(r"\{([01])\}")


def arguments(node: ast.Call) -> str:
    """The arguments as they are written."""
    parts = [code_of(a) for a in node.args]
    parts += [
        f"`{k.arg}={ast.unparse(k.value)}`" if k.arg else code_of(k.value) for k in node.keywords
    ]
    return ", ".join(parts)


def _dim(node: ast.Call, method: bool) -> Text:
    dim = next((k.value for k in node.keywords if k.arg in {"dim", "axis"}), None)
    position = 0 if method else 1
    if (
        dim is None
        and len(node.args) > position
        and last_name(node.func) not in {"max", "min", "norm"}
    ):
        dim = node.args[position]
    if dim is None:
        return Text("", "")
    return Text(f" along dim {ast.unparse(dim)}", f"（沿 dim={ast.unparse(dim)}）")


_SETTINGS = {
    "label_smoothing": Text(
        "; with label smoothing: {v} of the target is spread evenly over all classes",
        "；带标签平滑：目标中有 {v} 均匀分给所有类",
    ),
    "ignore_index": Text(
        "; positions whose label is `{v}` do not count", "；标签为 `{v}` 的位置不计入"
    ),
}


def _reduction(node: ast.Call) -> Text:
    notes = [_SETTINGS[k.arg].format(v=ast.unparse(k.value))
             for k in node.keywords if k.arg in _SETTINGS]  # fmt: skip
    if notes:
        return Text("".join(n.en for n in notes), "".join(n.zh for n in notes))
    for keyword in node.keywords:
        if keyword.arg == "reduction":
            return Text(
                f"; reduction {ast.unparse(keyword.value)}",
                f"；reduction={ast.unparse(keyword.value)}",
            )
    if last_name(node.func) == "KLDivLoss":
        return Text("; the default reduction 'mean' divides by B·C", "；默认的 'mean' 会除以 B·C")
    return Text("; averaged by default", "；默认取平均")


def targets_of(node: ast.expr) -> str:
    """The names that a loop sets, in the order they are written."""
    found = [n for n in nodes_of(node) if isinstance(n, ast.Name)]
    names = [f"`{n.id}`" for n in sorted(found, key=lambda n: (n.lineno, n.col_offset))]
    return ", ".join(names) or code_of(node)
