"""The weights of a moving average: read from the question, or said to be unknown."""

from __future__ import annotations

import pytest

from didact._core.i18n import Language
from didact.check.explain import explain
from didact.check.explain.explain import Explanation

CODE = """
@torch.no_grad()
def update_ema(student, teacher, {name}):
    for ps, pt in zip(student.parameters(), teacher.parameters()):
        pt.data.mul_({old}).add_(ps.data, alpha={new})

def consistency(student, teacher, x1, x2, w):
    s = student(x1).softmax(dim=1)
    with torch.no_grad():
        t = teacher(x2).softmax(dim=1)
    return w * F.mse_loss(s, t)
"""


def explained(question: str, name: str, old: str, new: str) -> Explanation:
    return explain(question + "\n" + CODE.format(name=name, old=old, new=new))


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Is the EMA update right? (alpha = 0.999)", "alpha"),
        ("Is the EMA update correct? I call it with beta = .99", "beta"),
        ("EMA 更新对吗？m 取 0.996", "m"),
    ],
)
def test_a_weight_told_in_the_question_shows_that_the_weights_are_exchanged(
    question: str, name: str
) -> None:
    told = explained(question, name, f"1 - {name}", name)
    assert "KD513" in {f.code for f in told.findings}
    assert told.asked is not None
    assert told.asked.answer.en.startswith("No: the two weights of this moving average are swapped")
    assert f"mul_({name}).add_(ps.data, alpha=1 - {name})" in told.correction.source


def test_weights_that_are_right_by_the_question_are_no_mistake() -> None:
    told = explained("Is the EMA update right? alpha = 0.999", "alpha", "alpha", "1 - alpha")
    assert "KD513" not in {f.code for f in told.findings}
    assert told.asked is not None
    assert "depends on `alpha`" not in told.asked.answer.en
    assert told.correction.source.count("mul_(alpha).add_(ps.data, alpha=1 - alpha)") == 1


@pytest.mark.parametrize(("old", "new"), [("1 - alpha", "alpha"), ("alpha", "1 - alpha")])
@pytest.mark.parametrize(
    ("question", "yes"), [("Is the EMA update right?", "Yes"), ("EMA 更新对吗？", "是对的。")]
)
def test_never_yes_while_the_weight_has_no_value(
    old: str, new: str, question: str, yes: str
) -> None:
    told = explained(question, "alpha", old, new)
    assert told.asked is not None
    language: Language = "en" if question.isascii() else "zh"
    answer = told.asked.answer.pick(language)
    assert yes not in answer.split("`")[0]
    assert "`alpha`" in answer
    assert f"`{old}`" in answer
