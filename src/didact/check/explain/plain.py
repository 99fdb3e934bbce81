"""Imports, jumps and other statements that compute nothing, in words."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.actions import IMPORTS
from didact.check.explain.call_words import same
from didact.check.explain.losscalls import code_of


def import_words(name: str, alias: str | None) -> Text:
    """One imported module, with what it is for."""
    about = IMPORTS.get(name) or IMPORTS.get(name.split(".")[0])
    what = Text(f" ({about.en})", f"（{about.zh}）") if about else Text("", "")
    as_name = Text(f" under the name `{alias}`", f"，简写为 `{alias}`") if alias else Text("", "")
    return Text(f"Imports `{name}`{what.en}{as_name.en}", f"导入 `{name}`{what.zh}{as_name.zh}")


def spaced(text: Text) -> Text:
    """The Chinese with a space before it where it begins in Latin letters or code."""
    return Text(text.en, f" {text.zh}" if text.zh[:1].isascii() else text.zh)


_PLAIN: dict[type[ast.stmt], Text] = {
    ast.Pass: Text("Does nothing; stands where a statement is required.", "什么也不做，占位语句。"),
    ast.Break: Text("Leaves the innermost loop.", "跳出最内层循环。"),
    ast.Continue: Text("Goes on with the next round of the loop.", "进入循环的下一轮。"),
}


def plain(node: ast.stmt) -> Text:
    """A statement that needs no inference."""
    if type(node) in _PLAIN:
        return _PLAIN[type(node)]
    if isinstance(node, ast.Assert):
        return Text(
            f"Stops with an error unless {code_of(node.test)}.",
            f"断言 {code_of(node.test)}，不成立则报错。",
        )
    if isinstance(node, ast.Raise) and node.exc is None:
        return Text("Raises the error again.", "重新抛出当前异常。")
    if isinstance(node, ast.Raise):
        shown = code_of(node.exc)
        return Text(f"Stops with the error {shown}.", f"抛出异常 {shown}。")
    if isinstance(node, ast.Delete):
        names = ", ".join(code_of(t) for t in node.targets)
        return Text(
            f"Removes {names} and frees what nothing else holds.",
            f"删除 {names}，释放不再被引用的内存。",
        )
    if isinstance(node, ast.Global | ast.Nonlocal):
        names = ", ".join(f"`{n}`" for n in node.names)
        return Text(
            f"Lets the function assign the outer {names}.", f"声明在函数内修改外层的 {names}。"
        )
    return same(f"`{ast.unparse(node).splitlines()[0][:60]}`")
