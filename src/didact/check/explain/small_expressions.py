"""Constants, attributes, comprehensions and the like, in words."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import same
from didact.check.explain.losscalls import code_of


def small(node: ast.expr) -> Text | None:
    """A phrase for an expression that needs no inference, or None for other kinds."""
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.IfExp):
        return _ifexp(node)
    if isinstance(node, ast.Lambda):
        return _lambda(node)
    if isinstance(node, ast.JoinedStr):
        return _joinedstr(node)
    if isinstance(node, ast.List):
        return _list(node)
    if isinstance(node, ast.Dict):
        return _dict(node)
    if isinstance(node, ast.Attribute):
        return _attribute(node)
    if isinstance(node, ast.Compare):
        return _compare(node)
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return _listcomp(node)
    return None


def _constant(node: ast.Constant) -> Text:
    if isinstance(node.value, str):
        return Text(f"the string {node.value!r}", f"字符串 {node.value!r}")
    if node.value is None:
        return Text("`None` (nothing yet)", "`None`（暂无）")
    return same(f"`{node.value!r}`")


def _ifexp(node: ast.IfExp) -> Text:
    return Text(
        f"{code_of(node.body)} if {code_of(node.test)}, otherwise {code_of(node.orelse)}",
        f"若 {code_of(node.test)} 成立则取 {code_of(node.body)}，否则取 {code_of(node.orelse)}",
    )


def _listcomp(node: ast.ListComp | ast.GeneratorExp) -> Text:
    loop = node.generators[0]
    return Text(
        f"{code_of(node.elt)} for every {code_of(loop.target)} of {code_of(loop.iter)}",
        f"对 {code_of(loop.iter)} 中每个 {code_of(loop.target)} 求 {code_of(node.elt)}，组成序列",
    )


def _lambda(node: ast.Lambda) -> Text:
    parameters = ", ".join(f"`{a.arg}`" for a in node.args.args)
    return Text(
        f"a small function of {parameters or 'nothing'} that returns {code_of(node.body)}",
        f"一个小函数，参数 {parameters or '无'}，返回 {code_of(node.body)}",
    )


def _joinedstr(node: ast.JoinedStr) -> Text:
    del node
    return Text("a formatted string", "格式化后的字符串")


def _list(node: ast.List) -> Text:
    if not node.elts:
        return Text("an empty list", "空列表")
    return Text(
        f"a list of {len(node.elts)}: {code_of(node)}",
        f"{len(node.elts)} 个元素的列表 {code_of(node)}",
    )


def _dict(node: ast.Dict) -> Text:
    if not node.keys:
        return Text("an empty dictionary", "空字典")
    return Text(f"a dictionary of {len(node.keys)} entries", f"{len(node.keys)} 项的字典")


def _attribute(node: ast.Attribute) -> Text:
    if node.attr == "data":
        return Text(
            f"the numbers of {code_of(node.value)} outside the graph (prefer `.detach()`)",
            f"{code_of(node.value)} 的数值，脱离计算图（建议用 `.detach()`）",
        )
    if node.attr == "shape":
        return Text(f"the shape of {code_of(node.value)}", f"{code_of(node.value)} 的形状")
    return same(code_of(node))


def _compare(node: ast.Compare) -> Text:
    return Text(f"whether {code_of(node)} (true or false, element by element for tensors)",
                f"判断 {code_of(node)}（张量则逐元素）")  # fmt: skip
