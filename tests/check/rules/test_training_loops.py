"""Averages of parameters, optimisers, modes and sums in loops: forms that are wrong, and right."""

from __future__ import annotations

import pytest

from didact.check import check_source

START = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
PAIRS = "for pt, ps in zip(teacher.parameters(), student.parameters()):"
AVERAGES = {
    "add": f"{PAIRS}\n        pt.data = {{new}} * ps.data + {{old}} * pt.data",
    "chain": f"{PAIRS}\n        pt.data.mul_({{old}}).add_(ps.data, alpha={{new}})",
    "chain of a product": f"{PAIRS}\n        pt.data.mul_({{old}}).add_({{new}} * ps.data)",
    "number first": f"{PAIRS}\n        pt.data.mul_({{old}}).add_({{new}}, ps.data)",
    "two lines": f"{PAIRS}\n        pt.mul_({{old}})\n        pt.add_(ps, alpha={{new}})",
    "copy": f"{PAIRS}\n        pt.copy_({{old}} * pt + {{new}} * ps)",
    "lerp_": f"{PAIRS}\n        pt.lerp_(ps, {{new}})",
    "step": f"{PAIRS}\n        pt.data += {{new}} * (ps.data - pt.data)",
    "step back": f"{PAIRS}\n        pt.data -= {{new}} * (pt.data - ps.data)",
    "torch.lerp": f"{PAIRS}\n        pt.data = torch.lerp(pt.data, ps.data, {{new}})",
    "named": "new = dict(student.named_parameters())\n"
    "    for name, pt in teacher.named_parameters():\n"
    "        pt.data = {old} * pt.data + {new} * new[name].data",
    "state": "a, b = teacher.state_dict(), student.state_dict()\n"
    "    for key in a:\n"
    "        a[key] = a[key] * {old} + b[key] * {new}",
}
SAYS_HOW_MUCH = {
    "default": ("m=0.999", "m", "(1 - m)"),
    "number": ("m=0", "0.996", "0.004"),
    "name": ("ema_decay", "ema_decay", "(1 - ema_decay)"),
}
BESIDE = """

def loss(student_logits, teacher_logits):
    return F.mse_loss(student_logits, teacher_logits.detach())
"""


def codes(source: str) -> set[str]:
    return {finding.code for finding in check_source(START + source)}


@pytest.mark.parametrize("amount", SAYS_HOW_MUCH)
@pytest.mark.parametrize("form", AVERAGES)
def test_an_average_with_its_weights_exchanged(form: str, amount: str) -> None:
    parameter, near_one, rest = SAYS_HOW_MUCH[amount]
    head = f"def update(teacher, student, {parameter}):\n    "
    wrong = AVERAGES[form].format(new=near_one, old=rest)
    right = AVERAGES[form].format(new=rest, old=near_one)
    assert codes(head + wrong + BESIDE) == {"KD513"}
    assert codes(head + right + BESIDE) == set()


@pytest.mark.parametrize("tau", ["0.995", "0.005"])
def test_a_weight_kept_by_the_object(tau: str) -> None:
    source = f"""
class Averaged:
    def __init__(self, student, teacher, tau={tau}):
        self.student, self.teacher, self.tau = student, teacher, tau

    def update(self):
        new = self.student.state_dict()
        for name, old in self.teacher.state_dict().items():
            old.copy_((1 - self.tau) * old + self.tau * new[name])
"""
    assert codes(source + BESIDE) == ({"KD513"} if tau == "0.995" else set())


@pytest.mark.parametrize("weight", ["0.5", "0.1", "momentum"])
def test_a_weight_that_may_be_meant_is_left_alone(weight: str) -> None:
    form = AVERAGES["add"].format(new=weight, old=f"(1 - {weight})")
    assert codes(f"def update(teacher, student, momentum):\n    {form}\n{BESIDE}") == set()


LOOP = """
def fit(student, teacher, loader, held_out):
    {before}
    optimizer = torch.optim.SGD({optimized}, lr=0.1)
    teacher.eval()
    for epoch in range(30):
        {start}
        for x, y in loader:
            with torch.no_grad():
                target = teacher(x)
            loss = F.mse_loss({used}, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        {end}
        with torch.no_grad():
            print(epoch, student(held_out).mean())
"""
PLAIN = {"before": "pass", "optimized": "student.parameters()", "start": "student.train()",
         "used": "student(x)", "end": "student.eval()"}  # fmt: skip
LAYER = {"before": "reg = nn.Linear(8, 16)", "used": "reg(student(x))"}
CHANGES: dict[str, tuple[dict[str, str], set[str]]] = {
    "as it should be": ({}, set()),
    "train() once, before": ({"before": "student.train()", "start": "pass"}, {"KD514"}),
    "train() nowhere": ({"start": "pass"}, {"KD514"}),
    "evaluated by a function": ({"start": "pass", "end": "student.eval(); test(student)"},
                                {"KD514"}),
    "train() behind": ({"start": "pass", "end": "student.eval(); student.train()"}, set()),
    "a function that may train": ({"start": "prepare(student)"}, set()),
    "eval() on purpose at the start": ({"start": "student.eval()", "end": "pass"}, set()),
    "the teacher alone is optimised": ({"optimized": "teacher.parameters()"}, {"KD508"}),
    "a layer left out": (LAYER, {"KD515"}),
    "a Sequential left out": (
        LAYER | {"before": "reg = nn.Sequential(nn.Conv2d(8, 16, 1), nn.ReLU()).cuda()"},
        {"KD515"},
    ),
    "a layer in the list": (
        LAYER | {"optimized": "list(student.parameters()) + list(reg.parameters())"}, set()
    ),
    "a layer in a group": (
        LAYER | {"optimized": "[{'params': student.parameters()}, {'params': reg.parameters()}]"},
        set(),
    ),
    "a layer of the student": (
        LAYER | {"before": "reg = nn.Linear(8, 16)\n    student.reg = reg"}, set()
    ),
    "a frozen layer": (
        LAYER | {"before": "reg = nn.Linear(8, 16)\n    reg.requires_grad_(False)"}, set()
    ),
    "parameters chosen elsewhere": (LAYER | {"optimized": "trainable"}, set()),
    "a layer without weights": (LAYER | {"before": "reg = nn.ReLU()"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_training_loop(change: str) -> None:
    values, expected = CHANGES[change]
    assert codes(LOOP.format(**(PLAIN | values))) == expected


SUM = """
def hint(student_features, teacher_features):
    total = {zero}
    for s, t in {pairs}:
        {line}
    return {result}
"""
SUMS = {
    "replaced": ("0", "total = F.mse_loss(s, t.detach())", "total", {"KD312"}),
    "replaced, from a tensor": (
        "torch.tensor(0.0)", "total = 0.5 * F.mse_loss(s, t.detach())", "total / 3", {"KD312"},
    ),
    "by hand": ("0.", "total = (s - t.detach()).pow(2).mean()", "10 * total", {"KD312"}),
    "added": ("0", "total += F.mse_loss(s, t.detach())", "total", set()),
    "added, spelt out": ("0", "total = total + F.mse_loss(s, t.detach())", "total", set()),
    "the largest": ("0", "total = max(total, F.mse_loss(s, t.detach()))", "total", set()),
    "none at first": ("None", "total = F.mse_loss(s, t.detach())", "total", set()),
}  # fmt: skip


@pytest.mark.parametrize("form", SUMS)
def test_a_sum_over_layers(form: str) -> None:
    zero, line, result, expected = SUMS[form]
    pairs = "zip(student_features, teacher_features)"
    assert codes(SUM.format(zero=zero, line=line, result=result, pairs=pairs)) == expected
