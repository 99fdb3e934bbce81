"""Kinds of code of which something false was easily said."""

from __future__ import annotations

import pytest

from didact.check.explain import Explanation, explain
from didact.check.explain.correct import kinds_of


def words(explanation: Explanation, line: int) -> str:
    return next(n.explanation.en for n in explanation.statements if n.line == line)


@pytest.mark.parametrize(
    "value", ["(p * (p.log() - lq)).sum(dim=1)", "torch.sum(p * (torch.log(p) - lq), dim=1)"]
)
def test_kl_by_hand(value: str) -> None:
    explanation = explain(
        "p = F.softmax(teacher_logits / T, dim=1)\n"
        f"lq = F.log_softmax(student_logits / T, dim=1)\nloss = {value}.mean() * T ** 2\n"
    )
    assert explanation.losses[0].text == (
        "T² · KL(softmax(teacher_logits/T) ‖ softmax(student_logits/T))"
    )
    assert "log Q = `lq`" in words(explanation, 3)
    assert explanation.verdict.outcome == "equal"


def test_methods_of_objects_are_not_those_of_tensors() -> None:
    explanation = explain(
        "class Lit(pl.LightningModule):\n    def training_step(self, batch, i):\n"
        "        x, y = batch\n        loss = F.cross_entropy(self.net(x), y)\n"
        '        self.log("train_loss", loss)\n        return loss\n'
    )
    assert "logarithm" not in words(explanation, 5)
    assert "Lightning" in words(explanation, 5)
    assert words(explanation, 3) == "Unpacks `batch` into `x` and `y`."


def test_functions_of_other_libraries_are_not_methods() -> None:
    explanation = explain("import jax.numpy as jnp\nz = jnp.mean(a)\n")
    assert words(explanation, 2) == ""  # the code says it
    assert explanation.framework == "jax"
    assert "JAX" in explanation.summary[0].en
    assert explanation.findings == []


def test_branches_are_alternatives() -> None:
    explanation = explain(
        "if kind == 'soft':\n"
        "    kd = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1),"
        " reduction='batchmean') * T * T\n"
        "else:\n    kd = F.cross_entropy(s, t.argmax(1))\nloss = F.cross_entropy(s, y) + kd\n"
    )
    branches = explanation.losses[0].branches
    assert [b.conditions for b in branches] == [("kind == 'soft'",), ("not kind == 'soft'",)]
    keys = [[t.definition.key for t in b.terms if t.definition] for b in branches]
    assert keys == [["ce", "kd"], ["ce", "hard_kd"]]


def test_criteria_that_a_branch_chooses_are_alternatives() -> None:
    explanation = explain(
        "class A(nn.Module):\n    def __init__(self, kind='kl'):\n        if kind == 'kl':\n"
        "            self.c = nn.KLDivLoss()\n        else:\n            self.c = nn.MSELoss()\n"
        "    def forward(self, s, t):\n        return self.c(s, t)\n"
    )
    assert len(explanation.losses[0].branches) == 2
    assert explanation.verdict.outcome != "equal"


def test_an_unknown_term_stays_and_a_missing_square_is_named() -> None:
    explanation = explain(
        "total = loss_cls + F.kl_div(F.log_softmax(s / 4.0, dim=1),"
        " F.softmax(teacher_logits / 4.0, dim=1), reduction='batchmean')\n"
    )
    assert explanation.losses[0].text.startswith("loss_cls + KL(")
    assert explanation.verdict.outcome == "departs"
    assert "T = 4: 1/16" in explanation.verdict.reasons[0].en
    assert any("taken as given" in note.en for note in explanation.verdict.notes)


def test_provenance_decides_before_names() -> None:
    explanation = explain(
        "pre_logits = model(x)[:, :k]\nwith torch.no_grad():\n    old = old_model(x)\n"
        "loss = F.kl_div(F.log_softmax(pre_logits, 1), F.softmax(old, 1), reduction='batchmean')\n"
    )
    roles = {line.name: line.role for line in explanation.roles}
    assert roles["old"] == "teacher"
    assert roles["model"] == "student"
    assert "the student's" in words(explanation, 4)


def test_use_decides_before_names() -> None:
    explanation = explain("def f(y, y_true):\n    return F.cross_entropy(y, y_true)\n")
    assert {line.name: line.role for line in explanation.roles} == {
        "y": "student", "y_true": "labels",
    }  # fmt: skip


def test_what_is_not_recognised_gets_no_clean_bill() -> None:
    explanation = explain(
        "def f(a, b):\n    return (a.softmax(1).cumsum(1) - b.softmax(1).cumsum(1)).abs().max()\n"
    )
    assert explanation.verdict.outcome == "unknown"
    assert "nothing is said" in explanation.summary[0].en


def test_equality_is_said_of_the_shape_that_was_tried() -> None:
    explanation = explain(
        "def kd(s, t, T):\n    return F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1),"
        " reduction='batchmean') * T ** 2\n"
    )
    assert explanation.verdict.shape == "[B, C]"
    assert any("[B, S, V]" in n.en and "S times" in n.en for n in explanation.verdict.notes)


def test_an_undefined_temperature_becomes_a_parameter() -> None:
    explanation = explain(
        "def kd(s, t):\n    return F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1),"
        " reduction='batchmean') * T ** 2\n"
    )
    assert "KE104" in [f.code for f in explanation.findings]
    assert "def kd(s, t, T=4.0):" in explanation.correction.source


def test_nothing_had_to_be_changed_never_stands_beside_an_open_finding() -> None:
    from didact.check.explain import to_text

    explanation = explain(
        "kd = F.kl_div(F.log_softmax(s_logits.view(-1, V) / T, -1),"
        " F.softmax(t_logits.view(-1, V) / T, -1), reduction='batchmean') * T * T\n"
        "loss = kd + F.cross_entropy(s_logits.view(-1, V), labels.view(-1), ignore_index=pad_id)\n"
    )
    kinds = {kind for f in explanation.open_findings for kind in kinds_of(f.code)}
    assert "PAD-UNMASKED" in kinds
    assert "Nothing had to be changed" not in to_text(explanation, "en")


SLICED = (
    "import torch.nn.functional as F\n"
    "def f(net, x, label, a, b):\n    out = net(x)\n{line}"
    "    return F.cross_entropy(out[:, a:b], {y})\n"
)


@pytest.mark.parametrize(
    ("line", "y"),
    [
        ("    target = label\n", "target"),
        ('    label = label.to("cuda")\n', "label"),
        ("", "label"),
    ],
)
def test_labels_that_are_not_shifted_are_told(line: str, y: str) -> None:
    explanation = explain(SLICED.format(line=line, y=y))
    assert "LABEL-OFFSET" in {kind for f in explanation.findings for kind in kinds_of(f.code)}
    assert explanation.verdict.outcome != "equal"


def test_a_lost_newline_after_a_backslash() -> None:
    explanation = explain(
        "loss = a * F.mse_loss(fs, ft) + \\ b * F.cross_entropy(out, y) loss.backward()\n"
    )
    assert explanation.losses[0].text == "a · MSE(fs, ft) + b · CE(out, y)"
    assert explanation.losses[0].entry.how == "backward"


def test_a_question_around_an_assignment() -> None:
    explanation = explain(
        "上面代码中的loss = F.kl_div(F.log_softmax(s / T, dim=1), F.softmax(t / T, dim=1),"
        " reduction='batchmean')是什么意思\n"
    )
    assert explanation.source.startswith("loss = F.kl_div(")
    assert explanation.asked is not None


def test_a_sentence_before_the_code() -> None:
    explanation = explain("if you need help, ask: the loss is nan\nloss = F.mse_loss(a, b)\n")
    assert explanation.source.strip() == "loss = F.mse_loss(a, b)"


@pytest.mark.parametrize("wrapped", ["prompts", "fence", "numbers"])
def test_the_form_of_a_page_changes_nothing(wrapped: str) -> None:
    code = (
        "def kd(s, t, y, T=4.0, a=0.5):\n    p = F.softmax(t / T, dim=1)\n"
        "    q = F.log_softmax(s / T, dim=1)\n    kl = F.kl_div(q, p, reduction='batchmean')\n"
        "    return a * kl + (1 - a) * F.cross_entropy(s, y)\n"
    )
    lines = code.rstrip().split("\n")
    forms = {
        "prompts": "\n".join([f">>> {lines[0]}", *(f"... {line}" for line in lines[1:])]),
        "fence": f"Some words.\n```python\n{code}```\nMore words.\n",
        "numbers": "\n".join(f"{n} {line}" for n, line in enumerate(lines, 1)),
    }
    plain, other = explain(code), explain(forms[wrapped])
    assert [f.code for f in other.findings] == [f.code for f in plain.findings]
    assert (other.verdict, other.roles) != (None, None)
    assert other.verdict.outcome == plain.verdict.outcome == "departs"
    assert {r.name: r.role for r in other.roles} == {r.name: r.role for r in plain.roles}


def _accused(explanation: Explanation) -> bool:
    """Whether a missing T² is more than a hint."""
    return any(f.code == "KD201" and f.severity != "info" for f in explanation.findings)


def _weighted(factor: str) -> Explanation:
    return explain(
        f"loss = F.cross_entropy(zs, y) + {factor} * F.kl_div(F.log_softmax(zs / 3, dim=1), "
        "F.softmax(zt / 3, dim=1), reduction='batchmean')\n"
    )


@pytest.mark.parametrize(
    ("factor", "accused", "told"),
    [
        ("0.5 * 9", False, False), ("0.1 * 9", False, False), ("9 * 0.5", False, False),
        ("4.5", False, True), ("0.9", True, False), ("0.5", True, False),
    ],
)  # fmt: skip
def test_a_number_that_can_hold_the_square_is_not_accused(
    factor: str, accused: bool, told: bool
) -> None:
    explanation = _weighted(factor)
    assert (explanation.verdict.outcome == "departs") is accused
    assert _accused(explanation) is accused
    assert any("can be 0.5 · T²" in s.en for s in explanation.summary) is told


def test_the_side_without_gradient_is_the_teachers() -> None:
    explanation = explain(
        "with torch.no_grad():\n    h_big = big(**batch).last_hidden_state\n"
        "h = small(**batch).last_hidden_state\nloss = F.mse_loss(proj(h), h_big)\n"
        "loss.backward()\n"
    )
    assert not any(f.code == "KE123" for f in explanation.findings)


@pytest.mark.parametrize(
    ("name", "comment"), [("bic_loss", ""), ("loss", "  # no T^2 here"), ("loss", "")]
)
def test_no_square_is_asked_of_papers_without_it(name: str, comment: str) -> None:
    explanation = explain(
        f"def {name}(logits, old_logits, y, n, lam, T=2.0):\n"
        f"    q = F.log_softmax(logits[:, :n] / T, dim=1){comment}\n"
        "    p = F.softmax(old_logits[:, :n] / T, dim=1)\n"
        "    kd = -(p * q).sum(1).mean()\n"
        "    return lam * kd + (1 - lam) * F.cross_entropy(logits, y)\n"
    )
    assert not _accused(explanation)
    assert any("papers of LwF, BiC and WA" in s.en for s in explanation.summary)


def test_beside_class_labels_no_other_shape_is_warned_of() -> None:
    summary = " ".join(s.en for s in _weighted("9").summary)
    assert "H·W" not in summary
    assert "[B, S, V]" not in summary


@pytest.mark.parametrize(
    ("division", "outcome"),
    [
        ("    kd = kd / len(teachers)\n", "equal"),
        ("    kd /= len(teachers)\n", "equal"),
        ("    kd = kd / len(loader)\n", "departs"),
        ("", "departs"),
    ],
)
def test_a_sum_over_teachers_may_be_divided_later(division: str, outcome: str) -> None:
    explanation = explain(
        "def f(logits, teachers, loader, xb, y, T=4.0):\n"
        "    kd = 0.0\n"
        "    for teacher in teachers:\n"
        "        with torch.no_grad():\n"
        "            tl = teacher(xb)\n"
        "        kd += F.kl_div(F.log_softmax(logits / T, dim=1), F.softmax(tl / T, dim=1),\n"
        "                       reduction='batchmean') * T * T\n"
        f"{division}"
        "    return 0.9 * kd + 0.1 * F.cross_entropy(logits, y)\n"
    )
    assert explanation.verdict.outcome == outcome
