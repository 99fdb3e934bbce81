"""One place to correct: its nodes, and the text that goes there instead."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import pairwise

from didact.check.engine.engine import Analysis
from didact.check.engine.events import LossUse
from didact.check.engine.names import is_temperature
from didact.check.findings.finding import Edit, Span

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_MODULES = {"F", "torch", "functional", "nn", "TF"}
SOFTMAXES = {"softmax", "log_softmax", "sigmoid", "logsigmoid", "Softmax", "LogSoftmax"}

_LONGEST_WAY = 12
_SAME = {"detach", "clone", "float", "double", "half", "to", "contiguous", "cuda", "cpu"}


class ElsewhereError(Exception):
    """A correction would have to read or write another file."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place: the node that a finding is about, and the loss there."""

    analysis: Analysis
    node: ast.AST | None
    use: LossUse | None

    def text(self, node: ast.AST) -> str:
        """The source text of a node.

        Raises:
            ElsewhereError: The node stands in another file.
        """
        if not self.analysis.owns(node):
            raise ElsewhereError
        return ast.get_source_segment(self.analysis.source, node) or ast.unparse(node)

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Put a text in a node's place.

        Raises:
            ElsewhereError: The node stands in another file.
        """
        if not self.analysis.owns(node):
            raise ElsewhereError
        loose = self._binds(node) and _is_loose(text) and not self._is_a_product(node, text)
        return Edit(span(node), f"({text})" if loose else text)

    def _is_a_product(self, node: ast.AST, text: str) -> bool:
        """Whether a product is put where it is added or subtracted."""
        around = self.analysis.parent_of(node)
        if not isinstance(around, ast.BinOp) or not isinstance(around.op, ast.Add | ast.Sub):
            return False
        inner = ast.parse(text, mode="eval").body
        return isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mult | ast.Div)

    def _binds(self, node: ast.AST) -> bool:
        """Whether what stands around a node would take only a part of a sum or product."""
        around = self.analysis.parent_of(node)
        if isinstance(around, ast.Attribute | ast.UnaryOp):
            return True
        return isinstance(around, ast.BinOp) and not isinstance(around.op, ast.Add)

    def producer(self, node: ast.expr | None) -> ast.Call | None:
        """The softmax or the like that made an argument, in place or where its name was set."""
        if isinstance(node, ast.Call) and is_softmax(node):
            return node
        value = self.analysis.value_of(node) if node is not None else None
        origin = value.origin if value is not None else None
        if isinstance(origin, ast.Call) and is_softmax(origin) and self.beside(node, origin):
            return origin
        return self._assigned_softmax(node) if isinstance(node, ast.Name) else None

    def beside(self, node: ast.expr | None, other: ast.expr) -> bool:
        """Whether two nodes are of one function: a name of one means the same in the other."""
        return node is not None and self._function(node) is self._function(other)

    def _function(self, node: ast.AST) -> ast.AST | None:
        if not self.analysis.owns(node):
            return node
        around = self.analysis.parent_of(node)
        while around is not None and not isinstance(around, _FUNCTIONS):
            around = self.analysis.parent_of(around)
        return around

    def _assigned_softmax(self, name: ast.Name) -> ast.Call | None:
        """The last softmax assigned to a name before its use."""
        found: ast.Call | None = None
        for statement in ast.walk(self.analysis.tree):
            if not isinstance(statement, ast.Assign) or statement.lineno > name.lineno:
                continue
            same = any(isinstance(t, ast.Name) and t.id == name.id for t in statement.targets)
            value = statement.value
            if (
                same
                and isinstance(value, ast.Call)
                and is_softmax(value)
                and (self.beside(name, value))
            ):
                found = value
        return found

    def place(self, node: ast.expr) -> ast.expr:
        """Where to write a new value of an argument: at its definition if used nowhere else."""
        made = self.producer(node)
        if made is None or made is node or not isinstance(node, ast.Name) or self.cuts(node):
            return node
        loads = [
            n
            for n in ast.walk(self.analysis.tree)
            if isinstance(n, ast.Name) and n.id == node.id and isinstance(n.ctx, ast.Load)
        ]
        return made if len(loads) == 1 else node

    @property
    def dim(self) -> str:
        """The class dimension as this author writes it."""
        dims = [ast.unparse(s.dim_node) for s in self.analysis.softmaxes if s.dim_node is not None]
        good = [d for d in dims if d not in {"0", "None"}]
        return good[0] if good else "1"

    @property
    def functional(self) -> str:
        """How this author calls ``torch.nn.functional``."""
        imports = self.analysis.index.imports
        whole = "torch.nn.functional"
        alias = next((name for name, path in imports.items() if path == whole), None)
        if alias is not None and (self.analysis.index.lookup(alias) == whole):
            return alias
        for name, path in imports.items():
            if path == "torch.nn":
                return f"{name}.functional"
        return whole if imports.get("torch") == "torch" else "F"

    def scores(self, node: ast.expr) -> tuple[str, str | None]:
        """The logits that an expression was made of, and the temperature that divides them."""
        made, cuts = self.producer(node), self.cuts(node)
        while made is not None:
            inner = argument(made)
            if inner is None:
                break
            deeper = self.producer(inner)
            if deeper is None or deeper is made:
                scores, divisor = self._divided(inner)
                return scores + "".join(f"[{cut}]" for cut in cuts), divisor
            made, cuts = deeper, [*self.cuts(inner), *cuts]
        return self._divided(node)

    def cuts(self, node: ast.expr) -> list[str]:
        """The slices between a softmax and a use of what it made, the first first."""
        found: list[str] = []
        for _ in range(_LONGEST_WAY):
            if isinstance(node, ast.Subscript):
                found.insert(0, self.text(node.slice))
                node = node.value
            elif isinstance(node, ast.Call) and not is_softmax(node) and _is_same(node):
                node = node.func.value  # type: ignore[attr-defined]
            elif isinstance(node, ast.Name):
                made = self._last_set(node)
                if made is None:
                    return found
                node = made
            else:
                return found if isinstance(node, ast.Call) and is_softmax(node) else []
        return found

    def _last_set(self, name: ast.Name) -> ast.expr | None:
        """What a name was set to last before its use, in its own function."""
        found: ast.Assign | None = None
        for statement in ast.walk(self.analysis.tree):
            if not isinstance(statement, ast.Assign) or statement.lineno >= name.lineno:
                continue
            same = any(isinstance(t, ast.Name) and t.id == name.id for t in statement.targets)
            later = found is None or statement.lineno > found.lineno
            if same and later and self.beside(name, statement.value):
                found = statement
        return found.value if found is not None else None

    def _divided(self, node: ast.expr) -> tuple[str, str | None]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            divisor = node.right
            number = isinstance(divisor, ast.Constant)
            if number or is_temperature(ast.unparse(divisor)):
                return self.closed(node.left), self.text(divisor)
        return self.closed(node), None

    def closed(self, node: ast.expr) -> str:
        """The text of a node, in brackets where something bound to it would take a part alone."""
        simple = isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
        return self.text(node) if simple else f"({self.text(node)})"

    def distribution(self, kind: str, node: ast.expr, temperature: str | None) -> str:
        """``F.log_softmax(x / T, dim=1)`` for the logits behind an argument."""
        scores, own = self.scores(node)
        divisor = temperature or own
        inside = f"{scores} / {divisor}" if divisor and divisor != "1" else scores
        return f"{self.softmaxing}.{kind}({inside}, dim={self.dim})"

    @property
    def softmaxing(self) -> str:
        """Where this author takes softmax from: ``torch`` or ``torch.nn.functional``."""
        made = [softmax.node for softmax in self.analysis.softmaxes]
        names = [ast.unparse(n.func) for n in made if isinstance(n, ast.Call)]
        own = bool(names) and all(name.startswith("torch.") for name in names)
        plain = all(name.count(".") == 1 for name in names)
        return "torch" if own and plain else self.functional


def _is_loose(text: str) -> bool:
    """Whether a text is a sum or a product that is not in brackets."""
    try:
        return isinstance(ast.parse(text, mode="eval").body, ast.BinOp | ast.UnaryOp | ast.IfExp)
    except SyntaxError:
        return False


def _is_same(node: ast.Call) -> bool:
    """Whether a call gives the same numbers: ``x.detach()``, ``x.float()``."""
    return isinstance(node.func, ast.Attribute) and node.func.attr in _SAME


def is_softmax(node: ast.Call) -> bool:
    """Whether the call normalises."""
    return name_of(node) in SOFTMAXES or name_of(node).lower().endswith("softmax")


def name_of(node: ast.Call) -> str:
    """The last name of what is called; for ``nn.Softmax(dim=1)(x)`` that of the class."""
    function = node.func
    if isinstance(function, ast.Call):
        return name_of(function)
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def argument(node: ast.Call) -> ast.expr | None:
    """What a softmax is applied to."""
    function = node.func
    if isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Call):
        owner = ast.unparse(function.value)
        layer = owner == "self" or owner.split(".")[0] in _MODULES
        if not layer and function.attr in {"softmax", "log_softmax", "sigmoid"}:
            return function.value
    elif isinstance(function, ast.Attribute) and function.attr in {"softmax", "log_softmax"}:
        return function.value
    if node.args:
        return node.args[0]
    return next((k.value for k in node.keywords if k.arg == "input"), None)


def span(node: ast.AST) -> Span:
    """Where a node stands; columns are those of ``ast``, in UTF-8 bytes."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return Span(
        line, column, getattr(node, "end_lineno", None) or line,
        getattr(node, "end_col_offset", None) or column,
    )  # fmt: skip


def apply(source: str, edits: list[Edit]) -> str | None:
    """The text after edits that do not overlap, or None if they do."""
    lines = source.encode().split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    flat = []
    for edit in dict.fromkeys(edits):
        where = edit.span
        begin = starts[where.line - 1] + where.column
        flat.append((begin, starts[where.end_line - 1] + where.end_column, edit.text.encode()))
    flat.sort()
    if any(a[1] > b[0] for a, b in pairwise(flat)):
        return None
    data = source.encode()
    for begin, end, text in reversed(flat):
        data = data[:begin] + text + data[end:]
    return data.decode()
