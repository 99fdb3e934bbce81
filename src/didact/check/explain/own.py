"""What is worth telling about a snippet although no rule of ``didact check`` looks for it."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterator, Mapping
from functools import lru_cache

from didact._core.i18n import Language, Text
from didact.check.correct.site import span
from didact.check.explain.formula.libraries import ALIASES
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes import code_findings
from didact.check.explain.torch_names import FUNCTIONAL, METHODS, MODULES
from didact.check.explain.words.findings import OWN, OWN_PAGES
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

UNUSED_PARAMETER = "KE101"
CLONE_BEFORE_SLICE = "KE102"
MISSPELT = "KE103"
KEYWORD_AS_NAME = "KD604"
_SHORT = 40

PAGES: Mapping[str, tuple[Text, Text]] = {
    UNUSED_PARAMETER: (
        Text("A parameter that the function never uses", "函数从未使用的参数"),
        Text(
            "Whoever passes it expects an effect. In a loss this is often a temperature or a "
            "weight that was forgotten in the formula.",
            "传参的人以为它有作用。在损失函数里，往往是公式中漏掉了温度或权重。",
        ),
    ),
    CLONE_BEFORE_SLICE: (
        Text("A copy made before a slice", "切片之前的多余拷贝"),
        Text(
            "`x.clone()[:, :k]` copies all of x and then takes a view of the copy. Slicing never "
            "changes x, and gradient flows through both forms alike, so the copy is made for "
            "nothing. It does not detach: for that there is `.detach()`.",
            "`x.clone()[:, :k]` 先完整拷贝 x，再取其视图。切片本身不会改动 x，两种写法的梯度也完全"
            "一样，所以这次拷贝没有用处。clone 也不会切断梯度，要切断请用 `.detach()`。",
        ),
    ),
    MISSPELT: (
        Text("A name that PyTorch or Python 3 does not have", "PyTorch 或 Python 3 中不存在的名字"),
        Text(
            "The call ends in an AttributeError or a NameError.",
            "运行到此会报 AttributeError 或 NameError。",
        ),
    ),
    **OWN_PAGES,
}
"""Codes that only ``didact explain`` reports: summary and page."""

_UNUSED = Text(
    "the parameter `{name}` of `{function}` is never used: whatever is passed changes nothing",
    "`{function}` 的参数 `{name}` 从未使用：无论传什么都不起作用",
)
_CLONE = Text(
    "`.clone()` before slicing copies all of `{name}` for nothing: a slice does not change it and "
    "carries the same gradient",
    "切片前的 `.clone()` 白白拷贝了整个 `{name}`：切片不会修改它，梯度也一样",
)
_MISSPELT = Text(
    "there is no `{wrong}` (AttributeError); `{right}` is meant",
    "没有 `{wrong}` 这个名字（会报 AttributeError），应为 `{right}`",
)
_PYTHON2 = Text(
    "`{wrong}` is a name of Python 2 (NameError in Python 3); there it is `{right}`",
    "`{wrong}` 是 Python 2 的名字（Python 3 会报 NameError），现在是 `{right}`",
)
_RENAMED = {"xrange": "range", "raw_input": "input", "unicode": "str", "unichr": "chr",
            "basestring": "str", "long": "int"}  # fmt: skip
_KEYWORD = Text(
    "`lambda` is a keyword of Python and cannot be the name of a parameter or variable "
    "(SyntaxError); it was renamed `lambda_`",
    "`lambda` 是 Python 关键字，不能作参数名或变量名（SyntaxError）；已改名为 `lambda_`",
)


def page(code: str, language: Language) -> str:
    """The page of one of these codes."""
    summary, body = PAGES[code]
    return f"# {code}\n\n{summary.pick(language)}\n\n{body.pick(language)}\n"


def own_findings(tree: ast.Module, *, renamed_lambda: bool) -> list[Finding]:
    """Unused parameters, useless copies, and the renamed keyword."""
    found = [*_unused_parameters(tree), *_clones(tree), *_no_temperature(tree)]
    found += code_findings(tree)
    if renamed_lambda:
        found += _keyword(tree)
    return found


def _unused_parameters(tree: ast.Module) -> Iterator[Finding]:
    for node in nodes_of(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_stub(node):
            continue
        if node.name in _HOOKS or _is_hook(node):
            continue
        used = {n.id for n in nodes_of(node) if isinstance(n, ast.Name)}
        if "locals" in used or (node.name.startswith("__") and node.name != "__init__"):
            continue
        for parameter in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
            name = parameter.arg
            if name in used | _TOLD_APART or name.startswith("_"):
                continue
            message = _UNUSED.format(name=name, function=node.name)
            yield Finding(UNUSED_PARAMETER, Severity.INFO, span(parameter), message)


def _is_hook(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether PyTorch prescribes the parameters: ``(module, input, output)``."""
    names = [a.arg for a in node.args.args if a.arg != "self"]
    if len(names) != 3:
        return False
    module, given, result = (n.strip("_").lower() for n in names)
    return (
        module in {"module", "mod", "m", "layer", "model"}
        and given.startswith(("in", "x", "arg")) and result.startswith("o")
    )  # fmt: skip


_TOLD_APART = frozenset({"self", "cls", "num_items_in_batch", "return_outputs"})
_HOOKS = frozenset(
    {"training_step", "validation_step", "test_step", "backward", "on_train_batch_end", "setup"}
)
"""Methods whose parameters a framework prescribes."""
NO_TEMPERATURE = "KE104"
_USUAL = "4.0"


def _no_temperature(tree: ast.Module) -> Iterator[Finding]:
    """A temperature that a function reads and nothing sets."""
    stored = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)
              and isinstance(n.ctx, ast.Store)}  # fmt: skip
    stored |= {n.arg for n in nodes_of(tree) if isinstance(n, ast.arg)}
    imported = {(a.asname or a.name).split(".")[0] for n in nodes_of(tree)
                if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.args.kwarg or node.args.vararg:
            continue
        if _free_names(node, tree) - {"T", "temp", "temperature", "tau"}:
            continue  # others come from outside as well, so the temperature may
        for inner in nodes_of(node):
            named = isinstance(inner, ast.Name) and inner.id in {"T", "temp", "temperature", "tau"}
            if named and inner.id not in stored | imported:  # type: ignore[attr-defined]
                yield _undefined_temperature(node, inner)  # type: ignore[arg-type]
                break


def _free_names(function: ast.FunctionDef, tree: ast.Module) -> set[str]:
    """The names that a function reads and the file does not set, libraries left out."""
    names = [n for n in nodes_of(function) if isinstance(n, ast.Name)]
    return {n.id for n in names if isinstance(n.ctx, ast.Load)} - _known_names(tree)


@lru_cache(maxsize=4)
def _known_names(tree: ast.Module) -> frozenset[str]:
    """The names that a file sets or imports, those of libraries and of Python."""
    stored = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)
              and isinstance(n.ctx, ast.Store)}  # fmt: skip
    stored |= {n.arg for n in nodes_of(tree) if isinstance(n, ast.arg)}
    stored |= {n.name for n in nodes_of(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imported = {(a.asname or a.name).split(".")[0] for n in nodes_of(tree)
                if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
    return frozenset(stored | imported | set(ALIASES) | set(dir(builtins)))


def _undefined_temperature(node: ast.FunctionDef, name: ast.Name) -> Finding:
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    last = parameters[-1] if parameters else None
    defaults = node.args.kw_defaults[-1:] if node.args.kwonlyargs else node.args.defaults[-1:]
    after: ast.AST | None = (defaults[0] if defaults else None) or last
    fix = None
    if after is not None:
        where = span(after)
        place = Span(where.end_line, where.end_column, where.end_line, where.end_column)
        edit = Edit(place, f", {name.id}={_USUAL}")
        fix = Fix((edit,), "unsafe", Text("Make it a parameter", "改成参数"))
    message = OWN[NO_TEMPERATURE].format(name=name.id, function=node.name, default=_USUAL)
    return Finding(NO_TEMPERATURE, Severity.ERROR, span(name), message, fix)


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(
        isinstance(s, ast.Pass | ast.Raise)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in node.body
    )


def _clones(tree: ast.Module) -> Iterator[Finding]:
    for node in nodes_of(tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
            continue
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr == "clone" and not call.args:
            name = ast.unparse(call.func.value)
            fix = Fix((Edit(span(call), name),), "safe", Text("Drop the copy", "去掉拷贝"))
            yield Finding(
                CLONE_BEFORE_SLICE, Severity.INFO, span(node), _CLONE.format(name=name), fix
            )


def _keyword(tree: ast.Module) -> Iterator[Finding]:
    for node in nodes_of(tree):
        if isinstance(node, ast.arg) and node.arg == "lambda_":
            yield Finding(KEYWORD_AS_NAME, Severity.ERROR, span(node), _KEYWORD)
            return
    for node in nodes_of(tree):
        if isinstance(node, ast.Name) and node.id == "lambda_":
            yield Finding(KEYWORD_AS_NAME, Severity.ERROR, span(node), _KEYWORD)
            return


def misspelt(tree: ast.Module) -> list[Finding]:
    """Names of ``F``, ``nn`` and tensors that do not exist but resemble one that does."""
    defined = {n.name for n in nodes_of(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    called = {id(n.func) for n in nodes_of(tree) if isinstance(n, ast.Call)}
    found = []
    for node in nodes_of(tree):
        if not isinstance(node, ast.Attribute) or node.attr in defined:
            continue
        right = _right_name(node, called=id(node) in called)
        if right is None:
            continue
        wrong = ast.unparse(node)
        correct = wrong[: len(wrong) - len(node.attr)] + right
        message = _MISSPELT.format(wrong=wrong if len(wrong) < _SHORT else node.attr, right=right)
        edit = Edit(span(node), correct)
        fix = Fix((edit,), "unsafe", Text("Correct the name", "改正名字"))
        found.append(Finding(MISSPELT, Severity.ERROR, span(node), message, fix))
    return [*found, *_of_python2(tree)]


def _of_python2(tree: ast.Module) -> Iterator[Finding]:
    """Names of Python 2 that the file does not set itself."""
    known = _known_names(tree)
    for node in nodes_of(tree):
        if not isinstance(node, ast.Name) or node.id not in _RENAMED or node.id in known:
            continue
        right = _RENAMED[node.id]
        fix = Fix((Edit(span(node), right),), "safe", Text("Correct the name", "改正名字"))
        message = _PYTHON2.format(wrong=node.id, right=right)
        yield Finding(MISSPELT, Severity.ERROR, span(node), message, fix)


def _right_name(node: ast.Attribute, *, called: bool) -> str | None:
    """The name that is meant, or None where the name exists or could be the author's own."""
    base = ast.unparse(node.value)
    if base in {"F", "torch.nn.functional", "nn.functional"}:
        return _nearest(node.attr, FUNCTIONAL, 0.8)
    if base in {"nn", "torch.nn"}:
        return _nearest(node.attr, MODULES, 0.8) if node.attr[:1].isupper() else None
    if isinstance(node.ctx, ast.Store):
        return "requires_grad" if node.attr in {"require_grad", "requires_grads"} else None
    own = base in {"self", "cls"} or base.startswith(("torch", "np")) or node.attr.startswith("_")
    if own or not called:
        return None
    near = _nearest(node.attr, METHODS, 0.85)
    return near if near is not None and near.rstrip("s_") != node.attr.rstrip("s_") else None


def _nearest(name: str, known: frozenset[str], cutoff: float) -> str | None:
    if name in known:
        return None
    same_letters = {n.lower().replace("_", ""): n for n in sorted(known)}
    plain = name.lower().replace("_", "")
    if plain in same_letters:
        return same_letters[plain]
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return near[0] if near else None
