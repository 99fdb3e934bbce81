"""What is printed can be run: formulas and corrections are compared with PyTorch."""

from __future__ import annotations

import ast
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.check.explain.support import evaluated, part_of, run, tensor_of

from didact import losses
from didact.check.explain import Explanation
from didact.check.explain import explain as explain_afresh
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.judge import judge

FOLDER = Path(__file__).parent / "pastes"
CASES = [
    case for case in json.loads((FOLDER / "expected.json").read_text("utf-8"))
    if case["framework"] == "torch"
]  # fmt: skip
SNIPPETS = sorted((Path(__file__).parents[1] / "snippets" / "fixtures").glob("*.txt"))
pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning"),
    pytest.mark.filterwarnings("ignore:size_average and reduce args:UserWarning"),
    pytest.mark.filterwarnings("ignore:Implicit dimension choice:UserWarning"),
]


@cache
def explain(text: str) -> Explanation:
    return explain_afresh(text)


@cache
def differing(source: str) -> tuple[int, list[str]]:
    """How many losses of a source were compared with PyTorch, and which differ from it."""
    tree = ast.parse(source)
    judged = judge(tree)
    compared, wrong = 0, []
    for loss in judged.losses:
        for rank in (2, 3, 4):
            for draw in [Draw(rank=rank, seed=1, temperature=3.0)]:
                try:
                    formula = evaluated(
                        loss.entry.value, judged, draw, defaults=not loss.entry.owner
                    )
                except EvaluationError:
                    continue
                try:
                    computed = part_of(run(tree, loss, judged, draw), loss, judged)
                except Exception:  # noqa: BLE001 - what the page left out cannot be run
                    continue
                if not isinstance(computed, torch.Tensor | float):
                    continue
                compared += 1
                value = tensor_of(formula) if isinstance(formula, Array) else formula
                expected = torch.as_tensor(value, dtype=torch.float64).detach()
                got = torch.as_tensor(computed, dtype=torch.float64).detach()
                same = expected.shape == got.shape and torch.allclose(
                    expected, got, rtol=1e-6, atol=1e-8, equal_nan=True
                )
                if not same:
                    wrong.append(f"{loss.text} [{rank}]: {expected} is {got}")
    return compared, wrong


@pytest.mark.parametrize("case", [pytest.param(c, id=c["file"]) for c in CASES])
def test_the_formula_is_what_the_code_computes(case: dict[str, Any]) -> None:
    _, wrong = differing(case["recovered"])
    assert wrong == []


@pytest.mark.parametrize("case", [pytest.param(c, id=c["file"]) for c in CASES])
def test_the_corrected_formula_is_what_the_corrected_code_computes(case: dict[str, Any]) -> None:
    _, wrong = differing(explain(case["recovered"]).correction.source)
    assert wrong == []


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda p: p.stem)
def test_the_formulas_of_the_snippets_too(path: Path) -> None:
    explanation = explain(path.read_text("utf-8"))
    for source in (explanation.source, explanation.correction.source):
        assert differing(source)[1] == []


def test_most_of_them_are_compared() -> None:
    pastes = [bool(differing(case["recovered"])[0]) for case in CASES]
    assert sum(pastes) >= 44
    snippets = [bool(differing(explain(p.read_text("utf-8")).correction.source)[0])
                for p in SNIPPETS]  # fmt: skip
    assert sum(snippets) >= 30


def test_equal_means_equal_to_the_library() -> None:
    """What is called equal to Hinton's KD is what ``didact.losses.kd`` computes."""
    library = {
        "kd": lambda s, t, tau: losses.kd(s, t, temperature=tau),
        "mse": lambda s, t, _: torch.nn.functional.mse_loss(s, t),
    }
    compared = 0
    for case in CASES:
        judged = judge(ast.parse(case["recovered"]))
        for loss in judged.losses:
            for term in loss.terms:
                key = term.definition.key if term.definition else ""
                if term.status != "equal" or key not in library or term.over or term.rank != 2:
                    continue
                draw = Draw(seed=5, temperature=3.0)
                try:
                    body, s, t, temperature = (
                        tensor_of(evaluated(n, judged, draw))
                        for n in (term.body, term.student, term.teacher, term.temperature)
                        if n is not None
                    )
                except (EvaluationError, ValueError):
                    continue
                expected = library[key](s, t, float(temperature))
                if expected is None or s.dim() != 2:
                    continue
                compared += 1
                scale = float(temperature) ** 2 if key == "kd" else 1.0
                torch.testing.assert_close(body.detach() * scale, expected.detach())
    assert compared >= 12


@pytest.mark.parametrize(
    "expression",
    [
        "torch.softmax(x, 1)", "F.log_softmax(x / 2, dim=-1)", "torch.sigmoid(x)", "x.std()",
        "x.var(1, unbiased=False)", "x.norm(dim=1)", "torch.cdist(x, x)", "F.normalize(x)",
        "F.cosine_similarity(x, w, dim=1)", "torch.logsumexp(x, 1)", "x.cumsum(1)", "x @ w.t()",
        "F.kl_div(F.log_softmax(x, 1), torch.softmax(w, 1), reduction='batchmean')",
        "F.kl_div(F.log_softmax(x, 1), F.log_softmax(w, 1), reduction='sum', log_target=True)",
        "F.cross_entropy(x, y, label_smoothing=0.1)", "F.cross_entropy(x, y, ignore_index=1)",
        "F.cross_entropy(x, torch.softmax(w, 1))", "F.nll_loss(F.log_softmax(x, 1), y)",
        "F.binary_cross_entropy_with_logits(x, torch.sigmoid(w))", "F.smooth_l1_loss(x, w)",
        "F.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(w))", "F.l1_loss(x, w)",
        "F.huber_loss(x, w, delta=0.5)", "x.gather(1, y[:, None]).squeeze(1)", "x[y == 1]",
        "torch.where(x > 0, x, w)", "x.clamp(-1, 0.5)", "x.max(1).values", "x.topk(2, dim=1)[0]",
        "x.masked_fill(x > 0, 0.0)", "torch.stack([x, w]).mean(0)", "torch.cat([x, w], 1)",
        "F.one_hot(y, 5).float() * x", "x.unsqueeze(0) - w.unsqueeze(1)", "x.t().flatten()",
        "x[:, 1:3]", "x[..., -1]", "x.permute(1, 0).reshape(-1)",
        "torch.zeros_like(x).scatter_(1, y[:, None], 1.0)", "F.mse_loss(x, w, reduction='sum')",
        "F.cosine_embedding_loss(x, w, torch.ones(x.size(0)))", "x.argmax(1)", "torch.triu(x)",
        "F.pairwise_distance(x, w)", "x.sort(1)[0]", "x.pow(2).mean(1, keepdim=True)",
    ],
)  # fmt: skip
def test_operations_are_those_of_pytorch(expression: str) -> None:
    source = f"def loss(x, w, y):\n    return {expression}\n"
    tree = ast.parse(source)
    judged = judge(tree)
    entry = judged.tracer.entries[0]
    draw = Draw(seed=3)
    binding = {"x": None, "w": None, "y": None}
    scope: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(source, scope)
    kinds = judged.kinds
    from didact.check.explain.formula.draws import bind
    from didact.check.explain.formula.kinds import Kind
    from didact.check.explain.formula.tree import Evaluator

    told = {"x": Kind.TENSOR, "w": Kind.TENSOR, "y": Kind.LABELS}
    given = {g: told.get(g.text, kind) for g, kind in kinds.items()}
    numbers = bind(given.items(), draw)
    for name, value in numbers.items():
        binding[name.text] = tensor_of(value)
    filler = torch.zeros(4, 5, dtype=torch.float64)
    arguments = [filler if binding[n] is None else binding[n] for n in ("x", "w", "y")]
    expected = scope["loss"](*arguments)
    value = Evaluator(numbers)(entry.value)
    got = tensor_of(value) if isinstance(value, Array) else torch.tensor(float(value))
    assert got.shape == expected.shape
    torch.testing.assert_close(
        got.detach().double(), expected.detach().double(), rtol=1e-9, atol=1e-9
    )
    assert all(math.isfinite(float(v)) for v in got.detach().flatten())
