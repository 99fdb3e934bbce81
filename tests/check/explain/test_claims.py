"""What is claimed of each expression of each paste holds of its tensor in PyTorch."""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.check.explain.claims import compare

from didact.check.engine.engine import analyse
from didact.check.explain import explain
from didact.check.explain.formula.judge import judge
from didact.check.explain.proof import Proof

CHECK = Path(__file__).parents[1]
PASTES: list[dict[str, Any]] = json.loads(
    (CHECK / "snippets" / "pastes" / "expected.json").read_text("utf-8")
)
OTHERS = ("tensorflow", "keras", "jax", "paddle", "mindspore", "mxnet")
SOURCES = [
    row["recovered"] for row in PASTES
    if row["recovered"].strip() and not any(word in row["recovered"] for word in OTHERS)
]  # fmt: skip
SNIPPETS = sorted((CHECK / "snippets" / "fixtures").glob("*.txt"))
LEAST = {"space": 600, "rank": 500, "temperature": 200, "slice": 40, "gradient": 180}
pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning"),
    pytest.mark.filterwarnings("ignore:size_average and reduce args:UserWarning"),
    pytest.mark.filterwarnings("ignore:Implicit dimension choice:UserWarning"),
    pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad:UserWarning"),
]
COUNTS: Counter[str] = Counter()
RUN: list[bool] = []


@pytest.mark.parametrize("number", range(len(SOURCES)))
def test_claims_hold_of_the_pastes(number: int) -> None:
    found = compare(SOURCES[number])
    assert found.wrong == []
    COUNTS.update(found.counts)
    RUN.append(bool(found.counts))


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda p: p.stem)
def test_claims_hold_of_the_snippets_and_of_their_correction(path: Path) -> None:
    explanation = explain(path.read_text("utf-8"))
    for source in (explanation.source, explanation.correction.source):
        found = compare(source)
        assert found.wrong == []
        COUNTS.update(found.counts)
        RUN.append(bool(found.counts))


def test_thousands_are_compared() -> None:
    if len(RUN) < len(SOURCES) + 2 * len(SNIPPETS):
        pytest.skip("only some of the sources were run")
    assert sum(RUN) >= 0.7 * len(RUN)
    assert {kind: COUNTS[kind] for kind, least in LEAST.items() if COUNTS[kind] < least} == {}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        # a part of a distribution is none: the engine keeps the space, the numbers do not
        ("def f(z, y):\n    p = z.softmax(1)\n    q = p[y > 1]\n    r = p.gather(1, y[:, None])\n"
         "    return r.log().mean()\n", "r"),
        # a mixture has no temperature of its own
        ("def f(z, w, T):\n    p = (z / T).softmax(1)\n    m = 0.5 * p + 0.5 * w.softmax(1)\n"
         "    return (p * m.log()).sum(1).mean()\n", "m"),
    ],
)  # fmt: skip
def test_what_numbers_do_not_bear_out_is_not_claimed(source: str, name: str) -> None:
    judged = judge(ast.parse(source))
    proof = Proof(analyse(source, tree=judged.tracer.tree), judged)
    told = [v for n, v in proof.items() if getattr(n, "id", "") == name]
    assert told == [] or all(v.temperature is None for v in told)
    if name == "r":
        assert all(str(v.space) == "unknown" for v in told)


def test_a_false_claim_would_be_seen() -> None:
    """Probabilities over the wrong dimension, a wrong temperature, a wrong slice."""
    import torch
    from tests.check.explain.claims import Compared

    from didact.check.engine.scale import Scale
    from didact.check.engine.spaces import Grad, Space
    from didact.check.engine.values import Value

    z = torch.randn(4, 6, dtype=torch.float64)
    p = (z / 2).softmax(1)
    true = Value(space=Space.PROBS, axis=1, temperature=Scale(2.0), rank=2, exact=True)
    for claim in (
        true.replace(axis=0), true.replace(temperature=Scale(3.0)), true.replace(rank=3),
        true.replace(class_slice="0:3"), true.replace(grad=Grad.YES),
    ):  # fmt: skip
        found = Compared(scores=[z])
        found.seen("p", claim, p, {})
        assert found.wrong
    found = Compared(scores=[z])
    found.seen("p", true, p, {})
    assert found.wrong == []
    assert sum(found.counts.values()) == 3
