"""Headers in words: loops, conditions, contexts, functions and classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from didact._core.i18n import Text
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name, targets_of
from didact.check.explain.idioms.hooks import without_graph
from didact.check.explain.losscalls import code_of
from didact.check.explain.words.roles import behind

_CONTEXTS = {
    "no_grad": Text(
        "Inside this block no graph is recorded: nothing computed here can pass gradient on. "
        "(It does not switch dropout or BatchNorm; `.eval()` does.)",
        "块内不记录计算图：这里算出的结果都不回传梯度。（它不影响 dropout 和 BatchNorm，那要靠 "
        "`.eval()`。）",
    ),
    "inference_mode": Text(
        "Inside this block no graph is recorded and the results can never enter one.",
        "块内不记录计算图，且结果之后也不能再参与求导。",
    ),
    "GradientTape": Text(
        "What is computed inside this block is recorded, so that gradients can be taken of it.",
        "记录块内的计算，之后可以对它求梯度。",
    ),
    "autocast": Text(
        "Inside this block operations run in lower precision where that is safe.",
        "块内自动使用混合精度：安全的算子以低精度计算。",
    ),
    "enable_grad": Text(
        "Inside this block the graph is recorded again.", "块内重新开始记录计算图。"
    ),
    "set_grad_enabled": Text(
        "Switches the recording of the graph for this block.", "设置块内是否记录计算图。"
    ),
}


def explain_block(
    node: ast.stmt, role: Callable[[ast.arg], str], called_for: Text | None = None
) -> Text | None:
    """What a header means, or None for other statements.

    ``role`` tells that of a parameter, ``called_for`` what a framework calls a method for.
    """
    if isinstance(node, ast.For | ast.AsyncFor):
        return _loop(node)
    if isinstance(node, ast.While):
        return Text(
            f"Repeats the block while {code_of(node.test)}.",
            f"当 {code_of(node.test)} 成立时重复执行。",
        )
    if isinstance(node, ast.With | ast.AsyncWith):
        return _context(node)
    if isinstance(node, ast.If):
        return _condition(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return without_graph(node, called_for or _function(node, role))
    if isinstance(node, ast.ClassDef):
        return _class(node)
    if isinstance(node, ast.Try):
        return Text(
            "Tries the block; errors are handled below.", "尝试执行，出错则转到下面的处理。"
        )
    return None


_NUMBERED = Text(
    "For each {each} of {over}, with its number {number} from 0:",
    "逐个取出 {over} 的 {each}，序号 {number} 从 0 起：",
)


def _loop(node: ast.For | ast.AsyncFor) -> Text:
    target, over = targets_of(node.target), node.iter
    called = last_name(over.func) if isinstance(over, ast.Call) else ""
    if called == "range" and isinstance(over, ast.Call):
        return _range(over, target)
    if called in {"parameters", "named_parameters"}:
        return Text(f"For every parameter {target} of the model:", f"对模型的每个参数 {target}：")
    counted = called == "enumerate" and isinstance(node.target, ast.Tuple)
    if called in {"enumerate", "tqdm"} and isinstance(over, ast.Call) and over.args:
        over = over.args[0]
    if counted and (
        "loader" in ast.unparse(over).lower() or "dataset" in ast.unparse(over).lower()
    ):
        return _counted_batches(node.target, code_of(over))
    name, shown = ast.unparse(over).lower(), code_of(over)
    if re.search(r"loader|dataset|(^|_)dl$|batches", name):
        return Text(
            f"For each batch of {shown}: {target}.",
            f"逐批遍历 {shown}，每批取出 {target}。",
        )
    if ".parameters()" in name or ".state_dict()" in name or ".buffers()" in name:
        return (
            Text(
                f"For each pair {target} of the parameters in {shown}:",
                f"逐对遍历 {shown} 中的参数 {target}。",
            )
            if called == "zip"
            else Text(
                f"For every parameter {target} in {shown}:", f"对 {shown} 中的每个参数 {target}："
            )
        )
    many = "teacher" in name or "models" in name or "experts" in name
    if many and not re.search(r"feat|layer|logit|out|hidden|map", name):
        if called == "zip":
            return Text(
                f"Once for each teacher, with {target} from {shown}:",
                f"对每个教师执行一次，从 {shown} 中逐组取出 {target}：",
            )
        return Text(
            f"Once for each teacher {target} of {shown}:",
            f"对 {shown} 中的每个教师 {target} 执行一次：",
        )
    if called == "zip" and isinstance(node.iter, ast.Call) and isinstance(node.target, ast.Tuple):
        sides = list(zip(node.target.elts, node.iter.args, strict=False))
        if len(sides) == len(node.target.elts) == len(node.iter.args):
            return _side_by_side(sides)
    if counted and isinstance(node.target, ast.Tuple) and len(node.target.elts) == 2:
        number, each = node.target.elts
        if isinstance(node.iter, ast.Call) and len(node.iter.args) == 1:
            return _NUMBERED.format(each=targets_of(each), over=shown, number=code_of(number))
    return Text("", "")


def _side_by_side(sides: list[tuple[ast.expr, ast.expr]]) -> Text:
    """``for a, b in zip(x, y)``."""
    parts = [(targets_of(target), code_of(source)) for target, source in sides]
    english = " and ".join(f"{t} of {s}" for t, s in parts)
    chinese = "、".join(f"{s} 的 {t}" for t, s in parts)
    return Text(f"Side by side, for each {english}:", f"并排逐个取出 {chinese}：")


def _counted_batches(target: ast.expr, shown: str) -> Text:
    """``for i, (x, y) in enumerate(loader)``."""
    assert isinstance(target, ast.Tuple)
    number, rest = code_of(target.elts[0]), target.elts[1]
    names = targets_of(rest)
    return Text(
        f"For each batch of {shown}: {number} is its number, {names} what it holds.",
        f"逐批遍历 {shown}：{number} 是批次序号，{names} 是该批的内容。",
    )


def _range(call: ast.Call, target: str) -> Text:
    rounds = ", ".join(code_of(a) for a in call.args)
    epoch = "epoch" in target.lower()
    return Text(
        f"Repeats the block for {target} in range({rounds})"
        + (": one round per epoch." if epoch else "."),
        f"{target} 取遍 range({rounds})，重复执行" + ("：每轮一个 epoch。" if epoch else "。"),
    )


def _context(node: ast.With | ast.AsyncWith) -> Text:
    for item in node.items:
        call = item.context_expr
        name = last_name(call.func) if isinstance(call, ast.Call) else last_name(call)
        if name in _CONTEXTS:
            return _CONTEXTS[name]
    shown = ", ".join(code_of(i.context_expr) for i in node.items)
    return Text(
        f"Runs the block inside {shown}, which is closed afterwards.",
        f"在 {shown} 的上下文中执行，结束时自动关闭。",
    )


def _condition(node: ast.If) -> Text:
    test = node.test
    if "__name__" in ast.unparse(test):
        return Text(
            "Runs only when the file is started as a program.", "仅当本文件作为主程序运行时执行。"
        )
    if (
        isinstance(test, ast.Compare)
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Is | ast.IsNot)
    ):
        there = isinstance(test.ops[0], ast.IsNot)
        return Text(
            f"Only if {code_of(test.left)} is {'given' if there else 'None'}"
            + (" (from the second task on):" if _old(test.left) and there else ":"),
            f"仅当{'存在' if there else '没有'} {code_of(test.left)} 时"
            + ("（从第二个任务起）：" if _old(test.left) and there else "："),
        )
    return Text("", "")


def _old(node: ast.expr) -> bool:
    return role_of(last_name(node)) is Role.TEACHER


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, told: Callable[[ast.arg], str]) -> Text:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arguments = [a for a in arguments if a.arg not in {"self", "cls"}]
    names = [a.arg for a in arguments]
    roles = [behind(told(a)) for a in arguments]
    listed_en = ", ".join(f"`{n}`{r.en}" for n, r in zip(names, roles, strict=True)) or "nothing"
    listed_zh = "、".join(f"`{n}`{r.zh}" for n, r in zip(names, roles, strict=True)) or "无"
    if node.name == "__init__":
        return Text(f"The constructor; takes {listed_en}.", f"构造函数；参数：{listed_zh}。")
    if node.name == "forward":
        return Text(
            f"What the module computes when it is called; takes {listed_en}.",
            f"模块被调用时执行的计算；参数：{listed_zh}。",
        )
    return Text(
        f"Defines `{node.name}`; takes {listed_en}.", f"定义函数 `{node.name}`；参数：{listed_zh}。"
    )


def _class(node: ast.ClassDef) -> Text:
    bases = [last_name(b) for b in node.bases]
    if "Module" in bases:
        return Text(
            f"Defines the module `{node.name}`: tensors and sub-modules assigned to `self` are "
            f"registered.",
            f"定义模块 `{node.name}`（nn.Module）：赋给 `self` 的参数与子模块会自动注册。",
        )
    if "Dataset" in bases:
        return Text(f"Defines the data set `{node.name}`.", f"定义数据集 `{node.name}`。")
    named = ", ".join(f"`{b}`" for b in bases if b)
    of = (f" on top of {named}", f"，继承自 {named}") if named else ("", "")
    return Text(f"Defines the class `{node.name}`{of[0]}.", f"定义类 `{node.name}`{of[1]}。")
