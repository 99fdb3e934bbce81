"""What must come out right where the usual answers are wrong."""

from __future__ import annotations

import pytest

from didact._core.errors import UnknownNameError
from didact.check.explain import Explanation, explain, marked, rule_page
from didact.check.explain.own import CLONE_BEFORE_SLICE, UNUSED_PARAMETER


def formula(explanation: Explanation) -> str:
    return "; ".join(loss.text for loss in explanation.losses)


def words(explanation: Explanation, line: int) -> str:
    return next(n.explanation.en for n in explanation.statements if n.line == line)


def codes(explanation: Explanation) -> list[str]:
    return [finding.code for finding in explanation.findings]


def answers(explanation: Explanation) -> str:
    return " ".join(f"{q.question.en} {q.answer.en}" for q in explanation.questions)


def test_zero_to_k_is_an_empty_slice() -> None:
    explanation = explain("old = teacher_logits[:0:k]\nnew = student_logits[:, :k]\n")
    assert "an empty slice" in words(explanation, 1)
    assert 'not "the first k"' in words(explanation, 1)
    assert "the first `k` columns (classes)" in words(explanation, 2)
    assert "teacher_logits[:, :k]" in explanation.correction.source
    assert "空切片" in explanation.statements[0].explanation.zh


def test_the_student_is_the_one_in_log_space() -> None:
    explanation = explain(
        "loss = F.kl_div(F.log_softmax(student / T, dim=1), F.softmax(teacher / T, dim=1))"
    )
    said = words(explanation, 1)
    assert "with P = `F.softmax(teacher" in said
    assert "log Q = `F.log_softmax(student" in said
    assert "D(P‖Q) = Σ P·(log P − log Q)" in answers(explanation)
    assert "input = log Q (student" in answers(explanation)


def test_cross_entropy_of_two_softmaxes_is_wrong_on_the_left_only() -> None:
    explanation = explain("loss = F.cross_entropy(F.softmax(a_logits, 1), F.softmax(b_logits, 1))")
    assert "F.cross_entropy(a_logits, F.softmax(b_logits, 1))" in explanation.correction.source
    assert "log softmax(`F.softmax(a_logits, 1)`)" in words(explanation, 1)
    assert "right one is not" in answers(explanation)


def test_bce_on_softmax_with_one_temperature_is_another_loss() -> None:
    explanation = explain(
        "loss = F.binary_cross_entropy(F.softmax(student, dim=1), F.softmax(teacher / T, dim=1))"
    )
    assert "another loss with another optimum" in answers(explanation)
    assert explanation.verdict.outcome != "equal"
    assert any("iCaRL" in choice.en for choice in explanation.correction.choices)


def test_labels_are_shifted_with_a_sliced_head() -> None:
    explanation = explain(
        "logits = model(x)\nloss = F.cross_entropy(logits[:, known:], labels)\nloss.backward()\n"
    )
    assert "labels - known" in explanation.correction.source
    assert "column j is class a + j" in answers(explanation)


def test_clone_before_slicing_copies_for_nothing() -> None:
    explanation = explain("old = logits.clone()[:, :k]")
    assert codes(explanation) == [CLONE_BEFORE_SLICE]
    assert explanation.correction.source.strip() == "old = logits[:, :k]"


def test_unused_parameters_are_told() -> None:
    explanation = explain("def kd(a, b, T, alpha=0.5):\n    return (a - b) / T\n")
    assert codes(explanation) == [UNUSED_PARAMETER]
    assert "`alpha`" in explanation.findings[0].message.en


def test_lambda_is_renamed_and_told() -> None:
    explanation = explain("def f(ce, kd, lambda): return (1 - lambda) * ce + lambda * kd")
    assert codes(explanation) == ["KD604"]
    assert "def f(ce, kd, lambda_):" in explanation.correction.source
    assert "`(1 - lambda_)` times `ce`" in words(explanation, 2)


def test_convexity_needs_one_scale() -> None:
    explanation = explain(
        "def f(s_logits, t_logits, y, T, lam):\n"
        "    ce = F.cross_entropy(s_logits, y)\n"
        "    kd = F.kl_div(F.log_softmax(s_logits / T, 1), F.softmax(t_logits / T, 1))\n"
        "    return (1 - lam) * ce + lam * kd\n"
    )
    assert "mean divides by B·C" in answers(explanation)
    assert "KL(softmax(t_logits/T) ‖ softmax(s_logits/T))/C" in formula(explanation)
    assert "lam · T²" in explanation.corrected_losses[0].text


def test_training_loop_idioms_are_told() -> None:
    explanation = explain(
        "for x, y in loader:\n    optimizer.zero_grad()\n    with torch.no_grad():\n"
        "        t = teacher(x)\n    loss = F.mse_loss(student(x), t)\n    loss.backward()\n"
        "    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)\n    optimizer.step()\n"
        "    total += loss.item()\nmodel.eval()\n"
    )
    assert "Clears the gradients" in words(explanation, 2)
    assert "no graph is recorded" in words(explanation, 3)
    assert "the teacher (old model) `teacher`" in words(explanation, 4)
    assert "no gradient flows back" in words(explanation, 4)
    assert "Only the prediction side gets gradient" in words(explanation, 6)
    assert "after backward and before step" in words(explanation, 7)
    assert "carries no gradient" in words(explanation, 9)
    assert "does not stop gradients" in words(explanation, 10)


def test_what_is_defined_elsewhere_is_said() -> None:
    explanation = explain("loss = alpha * kd(student(x), teacher(x))")
    assert "`alpha`, `kd`, `student`, `teacher`, `x`" in explanation.guesses[-1].en


def test_a_bare_return_is_wrapped() -> None:
    explanation = explain("    kd = f(a, b)\n    return kd\n")
    assert explanation.correction.source.startswith("def snippet(a, b, f):\n    kd = f(a, b)\n")


def test_changed_lines_are_marked() -> None:
    explanation = explain("a = 1\nloss = F.cross_entropy(F.softmax(z_logits, 1), y)\n")
    assert marked(explanation.correction, "en").split("\n") == [
        "import torch.nn.functional as F  # added",
        "",
        "a = 1",
        "loss = F.cross_entropy(z_logits, y)  # changed: KD108",
        "",
    ]
    assert "# 已修改：KD108" in marked(explanation.correction, "zh")


def test_right_code_is_left_alone() -> None:
    text = (
        "import torch.nn.functional as F\n\n\ndef kd(student_logits, teacher_logits, T):\n"
        "    p = F.softmax(teacher_logits / T, dim=1)\n"
        "    log_q = F.log_softmax(student_logits / T, dim=1)\n"
        '    return F.kl_div(log_q, p, reduction="batchmean") * T**2\n'
    )
    explanation = explain(text)
    assert explanation.findings == []
    assert marked(explanation.correction, "en") == text
    assert explanation.verdict.outcome == "equal"
    assert explanation.verdict.method_key == "kd"


@pytest.mark.parametrize("code", ["KD101", "kd101", "KE102", "KD002"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages(code: str, language: str) -> None:
    page = rule_page(code, language)  # type: ignore[arg-type]
    assert len(page) > 40
    assert any("\u4e00" <= c <= "\u9fff" for c in page) is (language == "zh")


def test_an_unknown_code_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean .*'KD1"):
        rule_page("KD199", "en")


def test_own_attributes_are_not_called_misspelt() -> None:
    explanation = explain(
        "x = x.to(self._device)\nself.requires = 1\nself.evaluate()\ny = F.relu6(x)\n"
        "z = nn.LeakyReLU()(y)\nw = obj.parameter\nq = model.training_step(x)\n"
    )
    assert codes(explanation) == []


def test_misspelt_names_are_corrected() -> None:
    explanation = explain(
        "loss_fn = nn.CrossEntropyloss()\nloss = F.kldiv(a, b)\nloss.bacward()\n"
        "p.require_grad = False\noptimizer.zero_gard()\n"
    )
    right = explanation.correction.source
    for name in (
        "CrossEntropyLoss()",
        "F.kl_div(",
        "loss.backward()",
        "p.requires_grad",
        "zero_grad()",
    ):
        assert name in right


def test_no_grad_is_never_put_around_the_student() -> None:
    explanation = explain(
        "s_logits = model(x)\nkd = kd_loss(s_logits, old_model(x), T)\n"
        "loss = kd + F.cross_entropy(s_logits, y)\nloss.backward()\n"
    )
    right = "s_logits = model(x)\nwith torch.no_grad():\n    old_model_out = old_model(x)\nkd = "
    assert right in explanation.correction.source


def test_a_slice_of_samples_is_told_inside_a_loss_too() -> None:
    explanation = explain(
        "logits = model(x)\nloss = F.cross_entropy(logits[:known], labels[:known])\n"
    )
    assert "Mind `logits[:known]`: the first `known` rows (samples)" in words(explanation, 2)
    assert "Mind `labels" not in words(explanation, 2)


def test_a_weighted_sum_over_teachers_in_the_formula() -> None:
    explanation = explain(
        "kd = sum(w * F.kl_div(F.log_softmax(s_logits / T, 1), F.softmax(l / T, 1), "
        "reduction='batchmean') for w, l in zip(weights, teacher_logits))\n"
    )
    assert "Σ[zip(weights, teacher_logits)] w · KL(" in formula(explanation)


def test_losses_of_other_functions_keep_their_factors() -> None:
    body = "F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction='batchmean')"
    source = (
        f"def first(s, t, T):\n    return {body} * T * T\n\n\n"
        f"def second(s, t, y, T):\n    return F.cross_entropy(s, y) + T ** 2 * {body}\n"
    )
    first, second = explain(source).losses
    assert first.text == "T² · KL(softmax(t/T) ‖ softmax(s/T))"
    assert second.text == "CE(s, y) + T² · KL(softmax(t/T) ‖ softmax(s/T))"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("loss = (1 - lam) * ce_loss + lam * kd_loss", "`(1 - lam)`"),
        ("loss = (1 - alpha) * F.kl_div(p.log(), q) * (T - 1)", "`(1 - alpha)`"),
        ("loss = (b if c else d) * ce_loss + kd_loss", "`(b if c else d)`"),
    ],
)
def test_a_sum_keeps_its_brackets_in_a_product(code: str, shown: str) -> None:
    (note,) = explain(code).statements
    for language in ("en", "zh"):
        assert shown in note.explanation.pick(language)
