"""The work of ``explain`` grows with the paste, not with its square: counted, not timed."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from didact.check.explain import explain
from didact.check.explain.explain import ONLY_LISTED
from didact.check.explain.formula.judge import judged_source
from didact.check.explain.formula.trace.expressions import DEEPEST
from didact.check.explain.formula.tree import Node

module = import_module("didact.check.explain.explain")
LOOP = """\
for images, labels in loader:
    guess = student(images)
    loss{0} = F.cross_entropy(guess, labels)
    optimizer.zero_grad()
    loss{0}.backward()
    optimizer.step()
"""
KINDS = {"a loop": (LOOP, 3), "one name": ("x = x * 2 + y{0}\n", 25)}


def _source(kind: str, factor: int) -> str:
    piece, count = KINDS[kind]
    return "".join(piece.format(n) for n in range(count * factor))


def _calls(source: str) -> int:
    """How many calls of functions it takes to explain a source."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        explain(source)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_three_times_the_code_takes_about_three_times_the_work(kind: str) -> None:
    explain(_source(kind, 1))  # what is kept for all pastes is made once
    assert _calls(_source(kind, 6)) < 4.2 * _calls(_source(kind, 2))


def _depth(node: Node, known: dict[Node, int]) -> int:
    if node not in known:
        known[node] = 1 + max((_depth(c, known) for c in node.children), default=0)
    return known[node]


def test_a_formula_is_followed_to_a_depth() -> None:
    source = "loss = F.mse_loss(a, b)\n" + "loss = loss * 0.5 + c\n" * 300 + "loss.backward()\n"
    judged = judged_source(source)
    assert judged.losses == () or judged.losses[0].branches
    values = [v for v in judged.tracer.values.values() if isinstance(v, Node)]
    known: dict[Node, int] = {}
    assert max(_depth(v, known) for v in values) <= DEEPEST + 2


@pytest.mark.parametrize(
    "source",
    [
        "total = " + " + ".join(f"a{n}" for n in range(1200)) + "\n",
        "def f(w0, y):\n" + "".join(f"    w{n + 1} = w{n} * 2 + y\n" for n in range(250)),
    ],
    ids=["a long sum", "a long chain"],
)
def test_what_is_too_deep_is_listed(source: str) -> None:
    told = explain(source)
    assert told.statements[0].line == 1


def test_many_statements_are_listed_behind_those_that_are_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EXPLAINED", 3)
    told = explain("n = 1\n" * 5)
    assert [n.explanation is ONLY_LISTED for n in told.statements] == [False] * 3 + [True] * 2
