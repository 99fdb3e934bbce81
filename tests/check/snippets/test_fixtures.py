"""Pasted snippets: what is found in each, and what its corrected code computes."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from didact import losses
from didact.check.explain import Explanation, explain, marked

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.txt"))
BATCH, CLASSES, OLD = 6, 10, 4


def paste(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_text(encoding="utf-8")


def wanted(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def world() -> dict[str, Any]:
    """What the fixtures' expressions may use: logits, labels, two models, an optimizer.

    In float64: ten times a divergence differs in float32 by more than 1e-6 on some processors.
    """
    torch.manual_seed(0)
    net, old = torch.nn.Linear(5, CLASSES).double(), torch.nn.Linear(5, CLASSES).double()
    return {
        "F": F, "torch": torch, "losses": losses, "SimpleNamespace": SimpleNamespace,
        "C": CLASSES, "k": OLD, "T": 4.0, "x": torch.randn(BATCH, 5).double(),
        "s": (3 * torch.randn(BATCH, CLASSES)).double().requires_grad_(),
        "t": 3 * torch.randn(BATCH, CLASSES).double(),
        "t2": 3 * torch.randn(BATCH, CLASSES).double(),
        "y": torch.randint(0, CLASSES, (BATCH,)), "ynew": torch.randint(OLD, CLASSES, (BATCH,)),
        "net": net, "old": old, "optimizer": torch.optim.SGD(net.parameters(), lr=0.0),
    }  # fmt: skip


def outcome(code: str, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What the code computes and what it should."""
    expectation, surroundings = wanted(name), world()
    names = {n: eval(value, surroundings) for n, value in expectation["given"].items()}
    exec(code, names)
    names = {**surroundings, **names}
    exec(expectation["run"], names)
    return names["result"], eval(expectation["expected"], surroundings)


@pytest.fixture(scope="module")
def explanations() -> dict[str, Explanation]:
    return {name: explain(paste(name)) for name in NAMES}


def test_there_are_at_least_forty() -> None:
    assert len(NAMES) >= 40
    one_line = [n for n in NAMES if "\n" not in paste(n).strip()]
    chinese = [n for n in NAMES if any("\u4e00" <= c <= "\u9fff" for c in paste(n))]
    assert len(one_line) >= 15
    assert len(chinese) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_exact(name: str, explanations: dict[str, Explanation]) -> None:
    found = {(f.code, f.span.line) for f in explanations[name].findings}
    assert found == {(code, line) for code, line in wanted(name)["findings"]}
    assert len(explanations[name].statements) == wanted(name)["statements"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:size_average and reduce args:UserWarning")
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
def test_corrected_code_agrees_with_the_library(
    name: str, explanations: dict[str, Explanation]
) -> None:
    result, expected = outcome(marked(explanations[name].correction, "zh"), name)
    torch.testing.assert_close(result, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_corrected_code_is_left_alone(name: str, explanations: dict[str, Explanation]) -> None:
    again = explain(explanations[name].correction.source)
    left = [f.code for f in again.findings if f.severity != "info"]
    assert left == []
    assert ast.dump(ast.parse(again.correction.source)) == ast.dump(
        ast.parse(explanations[name].correction.source)
    )


@pytest.mark.parametrize(
    "name", ["missing_log_zh_one_line", "double_softmax_ce", "cil_loop_one_line_zh"]
)
def test_the_code_as_pasted_computes_something_else(
    name: str, explanations: dict[str, Explanation]
) -> None:
    imports = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
    try:
        result, expected = outcome(imports + explanations[name].source, name)
    except IndexError:  # unshifted labels fall outside the sliced head
        return
    assert not torch.allclose(result, expected, rtol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_explained_is_explained_in_both_languages(
    name: str, explanations: dict[str, Explanation]
) -> None:
    """A line that says all there is to say stands alone, in both languages."""
    notes = explanations[name].statements
    assert all(bool(n.explanation.en) == bool(n.explanation.zh) for n in notes)
    assert any(n.explanation.en for n in notes)
    for note in (n for n in notes if n.explanation.en):
        assert note.explanation.en.endswith((".", ":", ")"))
        assert note.explanation.zh.endswith(("。", "：", "）"))
        assert any("\u4e00" <= c <= "\u9fff" for c in note.explanation.zh)
        assert "{" not in note.explanation.en.replace(note.code, "")
