"""What is inferred of expressions: one line of code, one fact."""

from __future__ import annotations

import ast

import pytest

from didact.check.engine.engine import analyse
from didact.check.engine.spaces import Grad, Role, Space
from didact.check.engine.values import Value

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def value_of(body: str) -> Value:
    """The value of the last expression statement of ``body``, inside a function."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    parameters = "student, teacher, student_logits, teacher_logits, x, labels, T, alpha, k"
    analysis = analyse(f"{HEAD}\ndef f({parameters}):\n{lines}\n")
    (function,) = [n for n in analysis.tree.body if isinstance(n, ast.FunctionDef)]
    last = function.body[-1]
    assert isinstance(last, ast.Expr)
    value = analysis.value_of(last.value)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("code", "space"),
    [
        ("student_logits", Space.LOGITS),
        ("student_logits[:, :k] / T", Space.LOGITS),
        ("F.softmax(x, dim=1)", Space.PROBS),
        ("torch.softmax(x, 1)", Space.PROBS),
        ("x.softmax(-1)", Space.PROBS),
        ("nn.Softmax(dim=1)(x)", Space.PROBS),
        ("torch.nn.functional.log_softmax(x, -1)", Space.LOG_PROBS),
        ("nn.LogSoftmax(dim=1)(x)", Space.LOG_PROBS),
        ("F.softmax(x, 1).log()", Space.LOG_PROBS),
        ("torch.log(F.softmax(x, 1) + 1e-8)", Space.LOG_PROBS),
        ("F.log_softmax(x, 1).exp()", Space.PROBS),
        ("torch.sigmoid(x)", Space.SIGMOID_PROBS),
        ("x.sigmoid()", Space.SIGMOID_PROBS),
        ("teacher(x)", Space.OUTPUT),
        ("teacher(x).logits", Space.LOGITS),
        ("teacher(x)['logits']", Space.LOGITS),
        ("student_logits.argmax(1)", Space.LABELS),
        ("F.one_hot(labels, 10)", Space.ONE_HOT),
        ("F.kl_div(x, labels)", Space.LOSS),
        ("nn.KLDivLoss()(x, labels)", Space.LOSS),
        ("nn.KLDivLoss()", Space.CRITERION),
        ("torch.optim.SGD(student.parameters(), lr=0.1)", Space.OPTIMIZER),
        ("labels > 0", Space.MASK),
        ("F.softmax(x, 1).detach().cpu().clone()", Space.PROBS),
        ("F.softmax(x, 1) if k else F.log_softmax(x, 1)", Space.UNKNOWN),
        ("x", Space.UNKNOWN),
    ],
)
def test_space(code: str, space: Space) -> None:
    assert value_of(code).space is space


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("F.softmax(x / T, 1)", "T"),
        ("F.softmax(x, 1)", "1"),
        ("F.softmax(x / 2.0, 1)", "2"),
        ("F.softmax(x / T / T, 1)", "T**2"),
        ("F.softmax(x * T, 1)", "T**-1"),
        ("F.softmax(x.div(T), 1)", "T"),
        ("F.softmax(F.log_softmax(x / T, 1) / T, 1)", "T**2"),
        ("temperature = T\nF.softmax(x / temperature, 1)", "T"),
        ("T = 4\nF.softmax(x / T, 1)", "T"),
        ("x = x / T\nF.softmax(x, 1)", "T"),
        ("x /= T\nF.softmax(x, 1)", "T"),
    ],
)
def test_temperature(code: str, text: str) -> None:
    temperature = value_of(code).temperature
    assert temperature is not None
    assert temperature.text == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("F.kl_div(x, labels) * T * T", "T**2"),
        ("loss = F.kl_div(x, labels)\nloss *= T ** 2\nloss", "T**2"),
        ("loss = F.kl_div(x, labels)\nalpha * (T ** 2) * loss", "T**2 * alpha"),
        ("F.kl_div(x, labels) / x.size(0)", "(x.size(0))**-1"),
        ("(1 - alpha) * F.kl_div(x, labels)", "(1 - alpha)"),
        ("-F.kl_div(x, labels)", "-1"),
        ("0.5 * F.kl_div(x, labels) * 4", "2"),
        ("torch.mul(F.kl_div(x, labels), T)", "T"),
        ("F.kl_div(x, labels).mul_(alpha)", "alpha"),
    ],
)
def test_scale_of_a_loss(code: str, text: str) -> None:
    (term,) = value_of(code).terms
    assert term.scale.text == text


@pytest.mark.parametrize(
    ("code", "role", "grad"),
    [
        ("teacher(x)", Role.TEACHER, Grad.YES),
        ("student(x)", Role.STUDENT, Grad.YES),
        ("teacher(x).detach()", Role.TEACHER, Grad.NO),
        ("teacher(x).data", Role.TEACHER, Grad.NO),
        ("with torch.no_grad():\n    y = teacher(x)\ny", Role.TEACHER, Grad.NO),
        ("with torch.inference_mode():\n    y = teacher(x)\ny", Role.TEACHER, Grad.NO),
        ("with torch.set_grad_enabled(False):\n    y = teacher(x)\ny", Role.TEACHER, Grad.NO),
        ("F.softmax(self.old_model(x) / T, 1)", Role.TEACHER, Grad.YES),
        ("logit_t = k(x)\nlogit_t", Role.TEACHER, Grad.UNKNOWN),
    ],
)
def test_role_and_gradient(code: str, role: Role, grad: Grad) -> None:
    value = value_of(code)
    assert (value.role, value.grad) == (role, grad)


@pytest.mark.parametrize(
    ("code", "rank"),
    [
        ("x.view(-1, 10)", 2),
        ("student_logits[:, :-1, :]", 3),
        ("F.softmax(x, dim=2)", 3),
        ("x.view(-1, 10).unsqueeze(1)", 3),
        ("F.softmax(x, dim=2).flatten(0, 1)", 2),
        ("y = k(x)  # [B, S, V]\ny", 3),
        ("x.view(2, 3, 4).sum(-1)", 2),
        ("x.view(2, 3, 4).sum(-1, keepdim=True)", 3),
        ("x", None),
    ],
)
def test_rank(code: str, rank: int | None) -> None:
    assert value_of(code).rank == rank


def test_slices_of_classes() -> None:
    assert value_of("student_logits[:, k:]").class_slice == "k:"
    assert not value_of("F.softmax(student_logits[:, :k], 1)").partial
    assert value_of("F.softmax(student_logits, 1)[:, :k]").partial


@pytest.mark.parametrize(
    ("code", "space"),
    [
        ("if k:\n    x = F.softmax(x, 1)\nx", Space.UNKNOWN),
        ("if k:\n    y = F.softmax(x, 1)\nelse:\n    y = torch.softmax(x, 1)\ny", Space.PROBS),
        ("if k:\n    y = F.softmax(x, 1)\nelse:\n    raise ValueError\ny", Space.PROBS),
        ("y = None\nif k:\n    y = F.softmax(x, 1)\ny", Space.PROBS),
        ("y = x\nfor i in k:\n    y = F.softmax(y, 1)\ny", Space.UNKNOWN),
        (
            "try:\n    y = F.softmax(x, 1)\nexcept ValueError:\n    y = F.log_softmax(x, 1)\ny",
            Space.UNKNOWN,
        ),
        ("match k:\n    case 1:\n        x = F.softmax(x, 1)\nx", Space.UNKNOWN),
    ],
)
def test_paths_are_joined(code: str, space: Space) -> None:
    assert value_of(code).space is space


def test_losses_of_two_branches_are_no_sum() -> None:
    value = value_of(
        "if k:\n    y = F.cross_entropy(x, labels)\nelse:\n    y = F.mse_loss(x, labels)\ny"
    )
    assert value.joined
    total = value_of("F.cross_entropy(x, labels) + F.mse_loss(x, labels)")
    assert not total.joined
    assert len(total.terms) == 2


@pytest.mark.parametrize(
    ("parameters", "space", "role"),
    [
        ("s, t, T", Space.UNKNOWN, Role.TEACHER),
        ("y_s, y_t, t", Space.SCALAR, Role.UNKNOWN),
        ("s, teacher, t", Space.SCALAR, Role.UNKNOWN),
        ("s, teacher, t=4.0", Space.SCALAR, Role.UNKNOWN),
        ("s, t=4.0", Space.SCALAR, Role.UNKNOWN),
    ],
)
def test_a_t_beside_an_s_is_the_teachers(parameters: str, space: Space, role: Role) -> None:
    analysis = analyse(f"def f({parameters}):\n    return t\n", thorough=True)
    (returned,) = [node for node in ast.walk(analysis.tree) if isinstance(node, ast.Return)]
    assert returned.value is not None
    value = analysis.value_of(returned.value)
    assert value is not None
    assert (value.space, value.role) == (space, role)
