"""Whatever parses is analysed without an exception."""

from __future__ import annotations

import ast
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didact.check.engine.engine import analyse
from didact.check.engine.index import relevant
from didact.check.engine.scale import Scale, as_number
from didact.check.rules import findings_of

STRANGE = [
    "",
    "x[()]",
    "x = 10 ** 10 ** 10",
    "x = 0x" + "f" * 6000,
    "F.softmax(x / 0, 1)",
    "F.softmax(x * 1e308 * 1e308, 1)",
    "T = 0\nF.kl_div(a, b) / T * T ** 999999",
    "F.softmax()",
    "F.kl_div()",
    "F.kl_div(*a, **b)",
    "nn.KLDivLoss()()",
    "def f(*, a): return f(a=f(a=a))",
    "def f(): return g()\ndef g(): return f()\nf()",
    "class A(A):\n    x = self.x\n    def f(self): return self.f().softmax(1)",
    "class A:\n    def __init__(self): self.a = self.b; self.b = self.a\n"
    "    def f(self): return self.a(1)",
    "lambda: (yield)",
    "async def f():\n    async with a as b:\n        async for c in d:\n"
    "            await F.softmax(c, 1)",
    "x = [i for i in range(3) if (y := F.softmax(i, 1)) is not None]",
    "try:\n    pass\nexcept* ValueError:\n    raise",
    "match x:\n    case {'a': [F.softmax, *_]}:\n        pass",
    "a = b = c = F.softmax(F.softmax(F.softmax(a, 1), 1), 1)",
    "del x[:0:k]",
    "x.view(*shape).sum(dim=None)",
    "F.softmax(x, dim=(1, 2))",
    "F.kl_div(F.log_softmax(x, 1), y, reduction=f'{a}')",
    "@torch.no_grad\ndef f(): return F.softmax(1, 1)",
    "x: int = F.kl_div(a.log_softmax(1), b.softmax(1))",
    "(" * 60 + "x" + ")" * 60,
    "x" + ".a" * 400,
    "x" + "+x" * 800,
    "loss = " + " + ".join(["F.kl_div(a.log_softmax(1), b.softmax(1))"] * 200),
    "x = " + "-" * 300 + "1",
    "if a:\n  " + "F.softmax(x, 1)",
]


@pytest.mark.parametrize("source", STRANGE, ids=range(len(STRANGE)))
def test_strange_code(source: str) -> None:
    analysis = analyse(source, thorough=True)
    assert isinstance(findings_of(analysis), list)


def test_deep_nesting_costs_one_function_alone() -> None:
    deep = "def f(x):\n    return " + "F.softmax(" * 80 + "x" + ", 1)" * 80
    mistake = "def g(a, b):\n    return F.kl_div(F.softmax(a, 1), F.softmax(b, 1), reduction='sum')"
    assert "KD101" in {finding.code for finding in findings_of(analyse(f"{deep}\n\n{mistake}"))}


def test_the_tree_that_is_given_is_used() -> None:
    tree = ast.parse("F.cross_entropy(F.softmax(x, 1), y)")
    analysis = analyse("F.cross_entropy(F.softmax(x, 1), y)", tree=tree)
    assert analysis.tree is tree
    assert [finding.code for finding in findings_of(analysis)] == ["KD108"]


def test_what_does_not_parse_is_the_callers_affair() -> None:
    with pytest.raises(SyntaxError):
        analyse("def f(")


PARTS = [
    "F.softmax(x / T, dim=1)", "F.log_softmax(x, dim=-1)", "teacher(x)", "student(x)", "x[:, :k]",
    "F.kl_div(x, t)", "F.cross_entropy(x, y)", "x.view(-1, 3)", "x.mean()", "x.sum(1)", "T ** 2",
    "x * t", "x + t", "-x", "x.detach()", "(x > 0)", "self.criterion(x, t)", "x @ t",
    "None", "1e400",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xtyTk"), st.sampled_from(PARTS)), max_size=14))
def test_any_sequence_of_tensor_statements(statements: list[tuple[str, str]]) -> None:
    body = "\n".join(f"    {name} = {part}" for name, part in statements) or "    pass"
    first = analyse(f"def f(self, x, t, y, T, k):\n{body}\n    return x\n")
    again = analyse(f"def f(self, x, t, y, T, k):\n{body}\n    return x\n")
    assert findings_of(first) == findings_of(again)


@given(st.integers() | st.floats() | st.booleans() | st.text())
def test_numbers_are_finite_or_nothing(value: object) -> None:
    number = as_number(value)
    if number is None:
        return
    product, square = Scale(number).times(Scale(number)).const, Scale(number).power(2).const
    assert product == square or math.isclose(product, square, rel_tol=1e-14)  # two roundings


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"import os", False),
        (b"y = F.softmax(x)", True),
        (b"KLDivLoss", True),
        (b"def f(lambda, x):", True),
        (b"x = sorted(y, key=lambda z: z)", False),
    ],
)
def test_the_byte_scan(source: bytes, expected: bool) -> None:
    assert relevant(source) is expected
