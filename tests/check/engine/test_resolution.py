"""How names lead to losses: imports, attributes, defaults, parameters, helpers."""

from __future__ import annotations

import pytest

from didact.check.engine.engine import Analysis, analyse
from didact.check.rules import findings_of

KL_ON_PROBS = "KD101"


def codes(source: str) -> set[str]:
    return {finding.code for finding in findings_of(analyse(source))}


@pytest.mark.parametrize(
    "source",
    [
        "import torch.nn.functional as F\n"
        "F.kl_div(F.softmax(a, 1), F.softmax(b, 1), reduction='sum')",
        "from torch.nn import functional as fn\n"
        "fn.kl_div(fn.softmax(a, 1), fn.softmax(b, 1), reduction='sum')",
        "from torch.nn.functional import kl_div as kl, softmax as sm\n"
        "kl(sm(a, 1), sm(b, 1), reduction='sum')",
        "import torch\ntorch.nn.functional.kl_div(a.softmax(1), b.softmax(1), reduction='sum')",
        "from torch.nn import KLDivLoss as KL\nKL(reduction='sum')(a.softmax(1), b.softmax(1))",
        "from torch import nn\nloss = nn.KLDivLoss(reduction='sum')\n"
        "loss(a.softmax(1), b.softmax(1))",
        "F.kl_div(F.softmax(a, 1), F.softmax(b, 1), reduction='sum')",
    ],
)
def test_however_it_is_imported(source: str) -> None:
    assert codes(source) == {KL_ON_PROBS}


CLASS = """
import torch
from torch import nn

class Distiller{base}:
    def __init__(self{parameters}):
        {setup}

    def loss(self, a, b):
        return {use}
"""


@pytest.mark.parametrize(
    ("base", "parameters", "setup", "use"),
    [
        ("", "", "self.kl = nn.KLDivLoss(reduction='sum')", "self.kl(a.softmax(1), b.softmax(1))"),
        (
            "",
            ", kl=nn.KLDivLoss(reduction='sum')",
            "self.kl = kl",
            "self.kl(a.softmax(1), b.softmax(1))",
        ),
        (
            "(Base)",
            ", kl=nn.KLDivLoss(reduction='sum')",
            "super().__init__(kl)",
            "self.kl(a.softmax(1), b.softmax(1))",
        ),
        (
            "",
            "",
            "self.kl, self.norm = nn.KLDivLoss(reduction='sum'), nn.Softmax(dim=1)",
            "nn.KLDivLoss(reduction='sum')(nn.Softmax(dim=1)(a), b.softmax(1))",
        ),
        (
            "",
            "",
            "self.kl = nn.KLDivLoss(reduction='sum'); self.norm = nn.Softmax(dim=1)",
            "self.kl(self.norm(a), self.norm(b))",
        ),
    ],
)
def test_criteria_and_layers_are_found_through_objects(
    base: str, parameters: str, setup: str, use: str
) -> None:
    assert codes(CLASS.format(base=base, parameters=parameters, setup=setup, use=use)) == {
        KL_ON_PROBS
    }


@pytest.mark.parametrize(
    "made",
    [
        "partial(F.kl_div, reduction='batchmean')",
        "functools.partial(F.kl_div, reduction='batchmean')",
        "partial(own, reduction='batchmean')",
    ],
)
def test_a_partial_keeps_what_it_was_given(made):
    source = f"""
import functools
from functools import partial
import torch.nn.functional as F

def own(a, b, reduction="mean"):
    loss = F.kl_div(a, b, reduction=reduction)
    return loss

class Model:
    def __init__(self):
        self.distance = {made}

    def forward(self, student_logits, teacher_logits):
        a, b = F.softmax(student_logits, 1), F.softmax(teacher_logits, 1)
        return self.distance(a, b)
"""
    analysis = analyse(source)
    (use,) = [use for use in analysis.uses if use.input.space == "probs"]
    assert use.reduction == "batchmean"
    assert "KD101" in codes(source)


def test_the_same_attribute_in_two_classes_is_two_things() -> None:
    source = """
from torch import nn

class A:
    def __init__(self):
        self.loss = nn.KLDivLoss(reduction="sum")
    def f(self, a, b):
        return self.loss(a.log_softmax(1), b.softmax(1))

class B:
    def __init__(self):
        self.loss = nn.CrossEntropyLoss()
    def f(self, a, b):
        return self.loss(a, b)
"""
    analysis = analyse(source)
    assert [use.kind for use in analysis.uses] == ["kl_div", "cross_entropy"]
    assert findings_of(analysis) == []


@pytest.mark.parametrize(
    "source",
    [
        "def soft(x, T):\n    return F.softmax(x / T, dim=1)\n"
        "def loss(a, b, T):\n    return F.kl_div(soft(a, T), soft(b, T), reduction='sum')",
        "class L:\n    def soft(self, x):\n        return F.softmax(x, dim=1)\n"
        "    def loss(self, a, b):\n"
        "        return F.kl_div(self.soft(a), self.soft(b), reduction='sum')",
        "def use(criterion, a, b):\n    return criterion(F.softmax(a, 1), F.softmax(b, 1))\n"
        "def loss(a, b):\n    return use(nn.KLDivLoss(reduction='sum'), a, b)",
        "soft = lambda x: F.softmax(x, dim=1)\n"
        "def loss(a, b):\n    return F.kl_div(soft(a), soft(b), reduction='sum')",
    ],
    ids=["function", "method", "criterion as argument", "lambda"],
)
def test_one_call_deep(source: str) -> None:
    assert codes(source) == {KL_ON_PROBS}


def test_a_model_that_ends_in_softmax_is_known_by_its_forward() -> None:
    source = """
from torch import nn
import torch.nn.functional as F

class Net(nn.Module):
    def forward(self, x):
        return F.softmax(self.fc(x), dim=1)

def train(x, y):
    net = Net()
    return F.cross_entropy(net(x), y)
"""
    assert codes(source) == {"KD108"}


def test_a_sequential_that_ends_in_softmax_is_known_too() -> None:
    source = "net = nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=1))\nF.cross_entropy(net(x), y)"
    assert codes(source) == {"KD108"}


def scales(analysis: Analysis) -> list[str]:
    return [term.scale.text for total in analysis.totals for term in total.value.terms]


def test_a_factor_of_the_caller_reaches_the_loss_of_the_helper() -> None:
    source = """
def kd(s, t, T):
    return F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean")

def total(s, t, y, T):
    return kd(s, t, T) * T ** 2 + F.cross_entropy(s, y)
"""
    analysis = analyse(source)
    assert "T**2" in scales(analysis)
    assert findings_of(analysis) == []
    without = analyse(source.replace(" * T ** 2", ""))
    assert [(f.code, f.span.line) for f in findings_of(without)] == [("KD201", 6)]


def test_local_variables_hide_the_usual_module_names() -> None:
    assert (
        codes("import copy\n\ndef f(model, x):\n    F, Z = model(x)\n    return F.softmax(1)")
        == set()
    )
