"""Corrected code runs on Python 3: names of Python 2 are replaced."""

from __future__ import annotations

import pytest
import torch

from didact.check.explain import explain
from didact.check.explain.render import to_text

SMOOTH = """
def smooth_teacher_loss(logits, labels, K, a=0.9, T=20., w=0.1):
    n = logits.size(0)
    u = torch.ones(n, K) * (1 - a) / (K - 1)
    for i in xrange(n):
        u[i, labels[i]] = a
    reg = F.kl_div(F.log_softmax(logits / T, dim=1), F.softmax(u / T, dim=1), reduction='batchmean')
    ce = F.cross_entropy(logits, labels)
    print 'ce', ce.item()
    return (1 - w) * ce + w * reg
"""


def test_the_corrected_code_runs() -> None:
    told = explain(SMOOTH)
    assert "xrange" not in told.correction.source
    assert not any("xrange" in guess.en for guess in told.guesses)
    space: dict[str, object] = {}
    exec(told.correction.source, space)
    logits = torch.randn(4, 5)
    loss = space["smooth_teacher_loss"](logits, torch.tensor([0, 1, 2, 3]), 5)  # type: ignore[operator]
    assert loss.isfinite()


def test_the_published_softmax_of_smoothed_rows_is_not_accused() -> None:
    told = explain(SMOOTH)
    assert not {"KD112", "KD203"} & {f.code for f in told.findings}
    assert told.verdict.method_key == "tf_kd"


@pytest.mark.parametrize(("old", "new"), [("raw_input('T')", "input('T')"), ("long(4)", "int(4)")])
def test_other_names(old: str, new: str) -> None:
    source = explain(f"T = {old}\nloss = F.mse_loss(a, b) * float(T)\n").correction.source
    assert new in source
    assert old not in source


def test_a_name_that_the_file_sets_is_kept() -> None:
    source = explain("xrange = range\nfor i in xrange(3):\n    loss = F.mse_loss(a, b)\n").source
    assert "in xrange(3)" in source


def test_python_2_is_said_first_and_the_old_lines_are_shown() -> None:
    told = explain(SMOOTH)
    assert "Python 2" in told.summary[0].en
    assert not [f for f in told.findings if f.severity.value == "error"]
    shown = to_text(told, "en")
    assert "-         u[i, labels[i]]" not in shown
    assert "  -     for i in xrange(n):" in shown
    assert "  -     print 'ce', ce.item()" in shown
    assert "  +     print('ce', ce.item())" in shown
    newer = explain(SMOOTH.replace("print 'ce', ce.item()", "print(ce.item())"))
    assert not any("This is Python 2" in line.en for line in newer.summary)
