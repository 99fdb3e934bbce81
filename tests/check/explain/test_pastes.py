"""The pastes in two languages and five frameworks: roles, verdict, method, findings, answers.

``expected.json`` holds sixty with the factors by which they depart; ``more.json`` holds those whose
text stands among the snippets, with every finding and its line.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from didact.check.explain import Explanation, explain
from didact.check.explain.correct import kinds_of

FOLDER = Path(__file__).parent / "pastes"
EXPECTED: list[dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
METHODS = {
    "KD": {"kd", "keras_distiller"}, "token KD": {"token_kd"}, "pixel-wise KD": {"pixel_kd"},
    "multi-teacher KD": {"multi_kd"}, "LwF": {"lwf"}, "iCaRL": {"icarl"}, "DKD": {"dkd"},
    "RKD-distance": {"rkd"}, "RKD-angle": {"rkd"}, "AT": {"at"}, "NST": {"nst"}, "SP": {"sp"},
    "CWD": {"cwd"}, "DIST": {"dist"}, "DML": {"dml"}, "reverse KL": {"reverse_kl"},
    "generalised JSD": {"jsd"}, "DeiT hard distillation": {"hard_kd"},
    "LUCIR less-forget": {"lucir"}, "logit matching": {"logit_matching"}, "FitNets hint": {"hint"},
    "focal loss": {"focal"},
    None: {"", "focal"},
}  # fmt: skip
AROUND = {
    "11.txt": "RuntimeError: The size of tensor a (120) must match the size of tensor b (100)",
    "33.txt": "distiller.compile(distillation_loss_fn=keras.losses.KLDivergence(), alpha=0.1)",
}
"""What the page says beside the code, where it counts."""


def around(case: dict[str, Any]) -> str:
    """The code as it is to be recovered, with what stands beside it."""
    beside = AROUND.get(case["file"], "")
    beside = beside if case["file"] == "33.txt" else f"# {beside}"
    question = f"# {case['question']}" if case["question"] else ""
    return f"{case['recovered']}\n{beside}\n{question}\n"


@pytest.fixture(scope="module")
def explanations() -> dict[str, Explanation]:
    return {case["file"]: explain(around(case)) for case in EXPECTED}


def named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["file"]) for case in cases]


@pytest.mark.parametrize("case", named(EXPECTED))
def test_verdict_and_method(case: dict[str, Any], explanations: dict[str, Explanation]) -> None:
    verdict = explanations[case["file"]].verdict
    assert {"unknown": "not recognised"}.get(verdict.outcome, verdict.outcome) == case["verdict"]
    assert verdict.method_key in METHODS[case["method"]]
    if case["verdict"] == "departs":
        assert verdict.reasons


@pytest.mark.parametrize("case", named(EXPECTED))
def test_roles(case: dict[str, Any], explanations: dict[str, Explanation]) -> None:
    roles = {line.name: line.role for line in explanations[case["file"]].roles}
    assert case["roles"].items() <= roles.items()


@pytest.mark.parametrize("case", named(EXPECTED))
def test_mistakes(case: dict[str, Any], explanations: dict[str, Explanation]) -> None:
    found = explanations[case["file"]].findings
    assert set(case["mistakes"]) <= {kind for f in found for kind in kinds_of(f.code)}
    if not case["mistakes"]:
        hygiene = {"LOG-OF-SOFTMAX", "TEACHER-GRAD"}
        assert all(str(f.severity) == "info" or hygiene & set(kinds_of(f.code)) for f in found)


@pytest.mark.parametrize("case", named([c for c in EXPECTED if c["question"]]))
def test_the_question_is_answered(
    case: dict[str, Any], explanations: dict[str, Explanation]
) -> None:
    asked = explanations[case["file"]].asked
    assert asked is not None
    assert asked.question.en.rstrip("?？。.!！") in case["question"]
    assert len(asked.answer.zh) > 10


@pytest.mark.parametrize("case", named(EXPECTED))
def test_factors_are_named(case: dict[str, Any], explanations: dict[str, Explanation]) -> None:
    said = " ".join(r.en for r in explanations[case["file"]].verdict.reasons)
    names = {"1/C": "1/C", "1/T^2": "1/T²", "S": "S times", "H*W": "H·W", "N": "N times",
             "-1": "sign", "0": "(factor 0"}  # fmt: skip
    for departure in case["departs"]:
        factor = str(departure["factor"])
        recognised = any(
            t.status != "unknown" for loss in explanations[case["file"]].losses for t in loss.terms
        )
        if factor in names and recognised:
            assert names[factor] in said


def test_the_whole_page_gives_the_same() -> None:
    """Where the code is recovered, what surrounds it changes nothing."""
    compared = 0
    for case in EXPECTED:
        text = (FOLDER / case["file"]).read_text("utf-8")
        explanation = explain(text)
        try:
            same = ast.dump(ast.parse(explanation.source)) == ast.dump(ast.parse(case["recovered"]))
        except SyntaxError:
            same = False
        if not same:
            continue
        compared += 1
        outcome = {"unknown": "not recognised"}.get(
            explanation.verdict.outcome, explanation.verdict.outcome
        )
        assert outcome == case["verdict"], case["file"]
        assert explanation.verdict.method_key in METHODS[case["method"]], case["file"]
    assert compared >= 40


MORE: list[dict[str, Any]] = json.loads((FOLDER / "more.json").read_text("utf-8"))
CHECK = Path(__file__).parents[1]


def test_there_are_enough_in_both_languages() -> None:
    texts = [(CHECK / row["file"]).read_text("utf-8") for row in MORE]
    chinese = sum(any("\u4e00" <= c <= "\u9fff" for c in text) for text in texts)
    assert len(EXPECTED) + len(MORE) >= 180
    assert chinese + sum(case["language"] == "zh" for case in EXPECTED) >= 60


@pytest.mark.parametrize("row", [pytest.param(r, id=r["file"]) for r in MORE])
def test_the_whole_paste(row: dict[str, Any]) -> None:
    found = explain((CHECK / row["file"]).read_text("utf-8"))
    assert (found.verdict.outcome, found.verdict.method_key) == (row["verdict"], row["method"])
    assert {line.name: line.role for line in found.roles} == row["roles"]
    assert sorted([f.code, f.span.line] for f in found.findings) == row["findings"]
    assert (found.asked.question.en if found.asked else None) == row["question"]
    if row["answer"] is not None:
        assert found.asked is not None
        assert found.asked.answer.en.startswith(row["answer"])
