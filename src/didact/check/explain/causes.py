"""Which lines of a code an error message or a complaint is about."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import is_model, is_temperature
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.remedies import without_return
from didact.check.explain.words import errors as words

_MESSAGE = re.compile(
    r"^[^\S\n]*(?:\[rank\d+\]:\s*)?(?:E[ \t]+)?[#＃]?[ \t]*(?P<message>(?:[A-Za-z_]\w*\.)*"
    r"[A-Z]\w*(?:Error|Exception)[ \t]*[:：][ \t]*\S.*)$",
    re.MULTILINE,
)
_WITHIN = re.compile(
    r"(?<![\w.])(?P<message>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)[ \t]*[:：][ "
    r"\t]*[^\s\u4e00-\u9fff]"
    r"[^\u4e00-\u9fff\n。，？]*)"
)
"""An error message within a sentence; it ends where the Chinese begins."""

_CODE = re.compile(r"\s*(?:except|raise|class|def|return|print)\b")
_MOST_LINES = 4
_LONGEST = 60


def message_in(text: str) -> str | None:
    """The error message that a paste quotes: the last line of a traceback, or a known phrase."""
    found = [m["message"].strip() for m in _MESSAGE.finditer(text)]
    if found:
        return found[-1]
    for line in text.split("\n"):
        within = _WITHIN.search(line)
        if within is not None and not _CODE.match(line):
            opened = line[max(within.start() - 1, 0) : within.start()]
            closing = {"“": "”"}.get(opened, opened)
            quoted = bool(opened) and opened in "\"'`“" and closing in within["message"]
            told = within["message"].rpartition(closing)[0] if quoted else within["message"]
            return told.strip(" `,;")
    for pattern, cause, _ in words.ERRORS:
        match = pattern.search(text)
        if match is not None and cause != "kept":
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.end())
            return text[start : end if end >= 0 else len(text)].strip(" #\t")
    return None


def meaning_of(message: str, tree: ast.Module) -> Text | None:
    """What an error message means for this code, or None where it is not known."""
    for pattern, cause, text in words.ERRORS:
        match = pattern.search(message)
        if match is not None:
            if text is words.NOTHING:
                for function in without_return(tree):
                    return words.NO_RETURN.format(name=function.name, line=function.lineno)
            if text is words.KEYWORD and not _definition(tree, message):
                text = words.KEYWORD_OF_LIBRARY
            return text.format(
                where=where(cause, tree, message),
                message=message.split(":", 1)[-1].strip()[:160],
                name=match.groupdict().get("name") or "",
            )
    return None


def where(cause: str, tree: ast.Module, message: str = "") -> Text:
    """The lines that a cause is seen at, as a sentence; empty where none is."""
    if cause == "twice" and (told := _before_the_loop(tree)) is not None:
        return told
    nodes = _FINDERS[cause](tree, message) if cause else []
    if not nodes:
        return Text("", "")
    shown = [_line(node) for node in nodes[:_MOST_LINES]]
    listed = Text(", ".join(s.en for s in shown), "、".join(s.zh for s in shown))
    return words.WHERE[cause].format(lines=listed)


def _line(node: ast.AST) -> Text:
    number = getattr(node, "lineno", 0)
    code = ast.unparse(node).split("\n")[0]
    if isinstance(node, ast.FunctionDef):
        code = f"def {node.name}({ast.unparse(node.args)})"
    code = code if len(code) <= _LONGEST else code[: _LONGEST - 1] + "…"
    return words.LINE.format(line=number, code=code)


def _calls(tree: ast.AST, *names: str) -> list[ast.Call]:
    found = [n for n in nodes_of(tree) if isinstance(n, ast.Call) and last_name(n.func) in names]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _cuts(tree: ast.Module, _message: str) -> list[ast.AST]:
    """Blocks without a graph that hold a loss or a student, and values taken out of the graph."""
    found: list[ast.AST] = []
    for node in nodes_of(tree):
        if isinstance(node, ast.With) and any(
            last_name(getattr(item.context_expr, "func", item.context_expr))
            in {"no_grad", "inference_mode"}
            for item in node.items
        ):
            inside = ast.unparse(node).lower()
            targets = {
                ast.unparse(target).lower()
                for child in nodes_of(node)
                if isinstance(child, ast.Assign)
                for target in child.targets
            }
            only_teacher = all(re.search(r"teach|\bt_|_t\b|old|^t", name) for name in targets)
            if not only_teacher or "loss" in inside:
                found.append(node.items[0].context_expr)
        elif isinstance(node, ast.FunctionDef) and any(
            last_name(getattr(d, "func", d)) in {"no_grad", "inference_mode"}
            for d in node.decorator_list
        ):
            found.append(node)
    for call in _calls(tree, "item", "detach", "tensor", "argmax", "numpy"):
        shown = ast.unparse(call).lower()
        if last_name(call.func) in {"item", "numpy"} or not re.search(
            r"teach|old|\bt\b|_t\b", shown
        ):
            found.append(call)
    return sorted(found, key=lambda node: getattr(node, "lineno", 0))


def goes_back_twice(tree: ast.Module) -> bool:
    """Whether several losses go back one after the other, none keeping its graph."""
    calls = [c for c in _calls(tree, "backward") if not c.args or "loss" in ast.unparse(c)]
    return len(calls) > 1 and not any(k.arg == "retain_graph" for c in calls for k in c.keywords)


def _before_the_loop(tree: ast.Module) -> Text | None:
    """What is computed once with a graph, before a loop that goes back through it in each round."""
    for body in [n.body for n in nodes_of(tree) if isinstance(n, ast.Module | ast.FunctionDef)]:
        made: dict[str, int] = {}
        for node in body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                called = last_name(node.value.func)
                for target in node.targets:
                    if isinstance(target, ast.Name) and is_model(called):
                        made[target.id] = node.lineno
            if not isinstance(node, ast.For | ast.While) or not _calls(node, "backward"):
                continue
            inside = [n for n in nodes_of(node) if isinstance(n, ast.Name)]
            begun = {n.id for n in inside if isinstance(n.ctx, ast.Store)}
            cut = {ast.unparse(c.func.value) for c in _calls(node, "detach")
                   if isinstance(c.func, ast.Attribute)}  # fmt: skip
            for name in (n.id for n in inside if n.id in made):
                if name not in begun | cut:
                    return words.BEFORE_LOOP.format(name=name, line=made[name])
    return None


def _backwards(tree: ast.Module, _message: str) -> list[ast.AST]:
    return list(_calls(tree, "backward"))


def _in_place(tree: ast.Module, _message: str) -> list[ast.AST]:
    """Steps before a later backward, and changes in place."""
    backwards = [call.lineno for call in _calls(tree, "backward")]
    found: list[ast.AST] = [
        call for call in _calls(tree, "step") if any(line > call.lineno for line in backwards)
    ]
    for node in nodes_of(tree):
        method = last_name(node.func) if isinstance(node, ast.Call) else ""
        changes = method.endswith("_") and not method.endswith("__")
        if (changes and method != "requires_grad_") or (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
        ):
            found.append(node)
    return sorted(found, key=lambda node: getattr(node, "lineno", 0))


def _definition(tree: ast.Module, message: str) -> list[ast.AST]:
    called = re.search(r"(?:(\w+)\.)?(\w+)\(\) (?:got an unexpected|missing \d)", message)
    if called is None:
        return []
    name = called[2]
    return [n for n in nodes_of(tree) if isinstance(n, ast.FunctionDef) and n.name == name]


def _columns(tree: ast.Module, _message: str) -> list[ast.AST]:
    """Calls that give a tensor one more dimension at the end."""
    calls = _calls(tree, "unsqueeze", "view", "reshape")
    return [c for c in calls if re.search(r"unsqueeze\((dim=)?-?1\)|\(-1, 1\)", ast.unparse(c))]


def kept_graphs(tree: ast.Module) -> list[ast.AST]:
    """Losses that are added up or stored with their graphs over the steps of the training."""
    found: list[ast.AST] = []
    for scope in _rounds(tree):
        gone_back = {
            ast.unparse(call.func.value)
            for call in _calls(scope, "backward")
            if isinstance(call.func, ast.Attribute)
        }
        begun = {
            ast.unparse(target)
            for node in nodes_of(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        for node in nodes_of(scope):
            name, value = _added(node)
            if value is None or name in gone_back or (name in begun and scope is not tree):
                continue
            text = ast.unparse(value).lower()
            if re.search(r"loss|\bce\b|\bkd\b|\bkl\b", text) and not re.search(
                r"item\(|detach\(|float\(|\.data\b|tolist|len\(", text
            ):
                found.append(node)
    return sorted(found, key=lambda node: getattr(node, "lineno", 0))


def _kept(tree: ast.Module, _message: str) -> list[ast.AST]:
    return kept_graphs(tree)


def _rounds(tree: ast.Module) -> list[ast.AST]:
    """The innermost loops that go backward; the whole code where it is one step without a loop."""
    loops = [n for n in nodes_of(tree) if isinstance(n, ast.For | ast.While)]
    training = {id(loop): loop for loop in loops if _calls(loop, "backward")}
    inner = [
        loop
        for loop in training.values()
        if not any(id(n) in training for n in nodes_of(loop) if n is not loop)
    ]
    if inner or loops or not _calls(tree, "backward"):
        return list(inner)
    return [tree]


def _added(node: ast.AST) -> tuple[str, ast.expr | None]:
    """What is added to a number or a list, and to which."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        return ast.unparse(node.target), node.value
    if isinstance(node, ast.Call) and last_name(node.func) == "append" and node.args:
        return ast.unparse(node.func).removesuffix(".append"), node.args[0]
    return "", None


def _may_overflow(tree: ast.Module, called: set[str]) -> bool:
    """Whether finite numbers may give NaN or an infinity: log, a root, a division, exp."""
    if not called.isdisjoint({"@log", "@sqrt", "@rsqrt", "@norm", "@exp", "@pow", "@cdist"}):
        return True
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and not isinstance(node.right, ast.Constant)
        and not is_temperature(ast.unparse(node.right))
        for node in nodes_of(tree)
    )


_AFTER_TIMES = re.compile(r"\*=?\s*\(?([A-Za-z_]\w*)\b(?!\()")
_BEFORE_TIMES = re.compile(r"\b([A-Za-z_]\w*)(?:\[[^\]\n]{0,40}\])?(?:\.\w+\(\))? \* ")
_SUMMED = re.compile(r"\b([A-Za-z_]\w*)(?:\[[^\]\n]{0,40}\])?(?:\.\w+\(\))?\.sum\(\)")
"""A mask is multiplied with, and its sum is divided by."""


def facts_of(tree: ast.Module) -> frozenset[str]:
    """What the code does that answers a question and is no mistake, as ``@`` words."""
    source = text_of(tree)
    called = {f"@{last_name(n.func)}" for n in nodes_of(tree) if isinstance(n, ast.Call)}
    factors = {*_AFTER_TIMES.findall(source), *_BEFORE_TIMES.findall(source)}
    selects = re.search(r"\w\)?\[\w*(?:mask|keep|valid)\w*\]", source)
    if "/" in source and not factors.isdisjoint(_SUMMED.findall(source)):
        called.add("@divided by mask")
    elif selects:
        called.add("@selected by mask")
    elif "mask" in source and re.search(r"\.mean\(|reduction='(?:mean|batchmean)'", source):
        called.add("@mean over all")
    steps = [c.lineno for c in _calls(tree, "step")]
    averages = [
        n.lineno for n in nodes_of(tree)
        if isinstance(n, ast.Call) and "ema" in last_name(n.func).lower()
    ]  # fmt: skip
    if steps and averages:
        called.add("@ema after step" if max(averages) > min(steps) else "@ema before step")
    testing = called & {"@argmax", "@no_grad", "@inference_mode"}
    if testing and "@eval" not in called and "@backward" not in called:
        called.add("@no eval")
    if _may_overflow(tree, called):
        called.add("@not finite")
    if _kept(tree, ""):
        called.add("@graphs kept")
    return frozenset(called)


_FINDERS = {
    "cut": _cuts, "twice": _backwards, "in_place": _in_place, "def": _definition, "kept": _kept,
    "column": _columns,
}  # fmt: skip
