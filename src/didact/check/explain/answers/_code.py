"""What an answer is made from: the code, its formulas and what was found in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from didact._core.i18n import Text
from didact.check.engine.names import is_label
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.formula.written import box_of
from didact.check.explain.proof import Proof
from didact.check.explain.summary import Verdict
from didact.check.explain.words.patterns import either as either
from didact.check.findings.finding import Finding

_LONGEST = 60
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "λ": "lambda", "τ": "tau", "μ": "mu", "ε": "eps",
}  # fmt: skip
_SAME = {
    "lambda": ("lam", "lamda", "lambda_", "lmbda", "lambd"), "alpha": ("alp",), "eps": ("epsilon",),
    "temperature": ("T", "tau", "temp"), "tau": ("temperature", "T", "temp"),
}  # fmt: skip
_SOFT = Text("the distillation term", "蒸馏项")
_HARD = Text("the cross-entropy with the labels", "对真实标签的交叉熵")
_PLAIN = {
    **dict.fromkeys(("kd", "soft_ce", "kd_average", "soft_ce_average", "kd_masked",
                     "soft_ce_masked"), _SOFT),
    **dict.fromkeys(("ce", "ce_padded"), _HARD),
}  # fmt: skip
_COMPARED = {
    "mse": Text("the squared difference of `{s}` and `{t}`", " `{s}` 与 `{t}` 的均方差"),
    "l1": Text("the absolute difference of `{s}` and `{t}`", " `{s}` 与 `{t}` 的绝对差"),
    "cosine": Text("the cosine distance of `{s}` and `{t}`", " `{s}` 与 `{t}` 的余弦距离"),
}
_IMPORTANCE = re.compile(r"fisher|importance|omega", re.IGNORECASE)
_EWC = Text("the EWC penalty on the weights", "对参数的 EWC 惩罚项")
_ON_LABELS = Text("`{code}`, a loss on the labels", " `{code}`（对真实标签的损失）")
_OWN_LOSS = Text(
    "`{code}`, the model's own loss on the labels", " `{code}`（模型自己对标签算的损失）"
)


@dataclass(frozen=True, eq=False)
class Code:
    """What is known of the code that a question stands beside.

    Attributes:
        tree: Its syntax tree.
        judged: Its formulas.
        proof: What is known of each expression.
        findings: What is wrong with it, the worst first.
        kinds: The kinds of mistakes among them.
        verdict: How far the losses are those that they are named after.
        lines: Each statement: its line, its code, and what is said of it.
    """

    tree: ast.Module
    judged: Judged
    proof: Proof
    findings: Sequence[Finding]
    kinds: frozenset[str]
    verdict: Verdict
    lines: Sequence[tuple[int, str, Text]] = ()

    @cached_property
    def text(self) -> str:
        """The code as ``ast.unparse`` writes it."""
        return text_of(self.tree)

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree."""
        return nodes_of(self.tree)

    @property
    def is_torch(self) -> bool:
        """Whether nothing but PyTorch is in sight."""
        return not self.judged.tracer.frameworks - {"torch"}

    @cached_property
    def terms(self) -> list[Term]:
        """The terms of all losses, each body once."""
        return list({id(t.body): t for t in self.judged.terms}.values())

    @cached_property
    def keys(self) -> frozenset[str]:
        """The named losses that are computed as they are defined."""
        return frozenset(
            t.definition.key for t in self.terms if t.definition is not None and t.status == "equal"
        )

    @cached_property
    def serious(self) -> list[Finding]:
        """The findings without remarks."""
        return [f for f in self.findings if str(f.severity) != "info"]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names and attributes of the code."""
        found = {n.id for n in self.nodes if isinstance(n, ast.Name)}
        found |= {n.attr for n in self.nodes if isinstance(n, ast.Attribute)}
        return frozenset(found | {n.arg for n in self.nodes if isinstance(n, ast.arg)})

    @cached_property
    def parents(self) -> dict[int, ast.AST]:
        """The node around each node."""
        return {id(c): n for n in self.nodes for c in ast.iter_child_nodes(n)}

    @cached_property
    def _places(self) -> dict[Node, ast.AST]:
        places: dict[Node, ast.AST] = {}
        for node in self.nodes:
            value = self.judged.tracer.values.get(id(node)) if isinstance(node, ast.expr) else None
            if isinstance(value, Node) and not isinstance(node, ast.Name | ast.Attribute):
                places.setdefault(value, node)
        return places

    def calls(self, *names: str) -> list[ast.Call]:
        """The calls of functions and methods of these names, in the order of the lines."""
        found = [n for n in self.nodes if isinstance(n, ast.Call) and last_name(n.func) in names]
        return sorted(found, key=lambda call: (call.lineno, call.col_offset))

    def traced(self, node: ast.AST) -> Node | None:
        """The part of a formula that an expression is."""
        value = self.judged.tracer.values.get(id(node))
        return value if isinstance(value, Node) else None

    def line(self, part: Node) -> int | None:
        """The line of a part of a formula."""
        place = self.place(part)
        return place[0] if place is not None else None

    def place(self, part: Node) -> tuple[int, int] | None:
        """The line and column of a part of a formula."""
        for inner in walk(part):
            if isinstance(inner, Call | Given) and inner in self._places:
                node = self._places[inner]
                return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        return None

    def rank_of(self, node: ast.AST) -> int | None:
        """How many dimensions an expression has, where numbers or the code tell."""
        value = self.proof.value_of(node)
        if value is not None and value.rank is not None and value.exact:
            return value.rank
        return None

    def mentioned(self, question: str) -> list[str]:
        """The names of the code that a question holds, in the order of the question."""
        asked = re.findall(r"[A-Za-z_]\w*", question)
        for letter, name in _GREEK.items():
            if letter in question:
                asked.append(name)
        alike = [n for name in asked for n in (name, *_SAME.get(name.lower(), ()))]
        found = [n for n in alike if n in self.names]
        return list(dict.fromkeys(found))

    def written(self, part: Node) -> str:
        """A part of a formula as text."""
        return box_of(part, self.judged.tracer.labels)[0]

    def name_of(self, term: Term) -> Text:
        """What a term is called, with its line where it is known."""
        line = self.line(term.body)
        where = Text(f" (line {line})", f"（第 {line} 行）") if line else Text("", "")
        name = self._plain_name(term)
        return Text(name.en + where.en, name.zh + where.zh)

    def _plain_name(self, term: Term) -> Text:
        key = term.definition.key if term.definition is not None else ""
        if key in _PLAIN:
            return _PLAIN[key]
        if key in _COMPARED and term.student is not None and term.teacher is not None:
            sides = [shortened(self.written(n)) for n in (term.student, term.teacher)]
            return _COMPARED[key].format(s=sides[0], t=sides[1])
        if term.definition is not None:
            return Text(f"the term “{term.definition.name.en}”", f"“{term.definition.name.zh}”")
        if any(isinstance(p, Given) and _IMPORTANCE.search(p.text) for p in walk(term.body)):
            return _EWC
        code = shortened(self.written(term.body))
        if code.endswith(".loss"):
            return _OWN_LOSS.format(code=code)
        inside = {p.text for i in getattr(term.body, "inputs", ()) for p in walk(i)
                  if isinstance(p, Given)}  # fmt: skip
        if any(is_label(name) for name in inside):
            return _ON_LABELS.format(code=code)
        return Text(f"`{code}`", f" `{code}`")

    def functions(self) -> Iterator[ast.FunctionDef]:
        """The functions of the code."""
        yield from (n for n in self.nodes if isinstance(n, ast.FunctionDef))

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """The innermost function around a node."""
        while (parent := self.parents.get(id(node))) is not None:
            if isinstance(parent, ast.FunctionDef):
                return parent
            node = parent
        return None

    def without_graph(self, node: ast.AST) -> ast.AST | None:
        """The ``with torch.no_grad()`` or the function so decorated around a node."""
        while (parent := self.parents.get(id(node))) is not None:
            held = parent.items if isinstance(parent, ast.With) else []
            listed = [i.context_expr for i in held]
            listed += parent.decorator_list if isinstance(parent, ast.FunctionDef) else []
            if any(re.search(r"no_grad|inference_mode", ast.unparse(e)) for e in listed):
                return parent
            node = parent
        return None


def shortened(code: str) -> str:
    """A piece of code on one line, not too long."""
    one = " ".join(code.split())
    return one if len(one) <= _LONGEST else one[: _LONGEST - 1] + "…"


def shown(node: ast.AST) -> str:
    """An expression as code, not too long."""
    return shortened(ast.unparse(node))


def both(*texts: Text) -> Text:
    """Sentences one after the other."""
    return Text(" ".join(t.en for t in texts), "".join(t.zh for t in texts))


def listed(texts: Sequence[Text]) -> Text:
    """``a, b and c``."""
    if len(texts) < 2:
        return texts[0] if texts else Text("", "")
    english = ", ".join(t.en for t in texts[:-1]) + f" and {texts[-1].en}"
    return Text(english, "、".join(t.zh for t in texts[:-1]) + f"和{texts[-1].zh}")
