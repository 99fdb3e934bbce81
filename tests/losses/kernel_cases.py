"""Cases of ``test_kernel.py``, in a process in which Triton runs its programs as Python."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from didact.losses import Head, fused_linear_kd
from didact.losses.fast import kl_kernel, kl_rows, kl_triton
from didact.losses.fast.kl_rows import Plan

kl_triton.WIDEST = 256  # several blocks for a row
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of what is not taken


def logits(seed: int, classes: int, dtype: torch.dtype, rows: int = 5) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(rows, classes, generator=draw)).to(dtype)


def by_operations(plan: Plan, sides: list[Tensor], gradient: Tensor | None) -> Tensor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kl_kernel, "can_run", lambda *_: False)
        return kl_rows.run(plan.of_rows(), sides[0], [sides[1]], gradient)


OPTIONS: dict[str, dict[str, Any]] = {
    "soft": {},
    "labels": {"hard": 0.3, "labels": torch.tensor([3, -100, 0, 9, -100])},
    "mask": {"mask": torch.tensor([True, False, True, True, False])},
    "both": {
        "hard": 0.3,
        "labels": torch.tensor([3, 1, 0, 9, 2]),
        "mask": torch.tensor([True, False, True, True, False]),
    },
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("classes", "temperature"), [(10, 1.0), (256, 2.5), (1000, 1.0)])
def test_value_and_gradient_are_those_of_the_operations(
    classes: int, temperature: float, dtype: torch.dtype, name: str
) -> None:
    sides = [logits(seed, classes, dtype) for seed in (0, 1)]
    plan = Plan(temperature, soft=0.7, **OPTIONS[name])
    exact = [side.double() for side in sides]
    slopes = [torch.empty_like(side[0]) for side in (sides, exact)]
    expected = by_operations(plan, exact, slopes[1])
    assert kl_kernel.can_run(*sides)
    found = kl_rows.run(plan.of_rows(), sides[0], [sides[1]], slopes[0])
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    coarse = torch.finfo(dtype).eps
    assert (slopes[0].double() - slopes[1]).abs().max() < max(2e-6, coarse)
    kept = sides[0].clone()
    kl_rows.run(plan.of_rows(), kept, [sides[1]], kept)
    assert torch.equal(kept, slopes[0]), "the gradient may overwrite the logits"
    torch.testing.assert_close(kl_rows.run(plan.of_rows(), sides[0], [sides[1]], None), found)


def test_extreme_and_ruled_out_logits() -> None:
    student, teacher = logits(0, 500, torch.float32), logits(1, 500, torch.float32)
    student[0] += 3e4
    teacher[1] -= 3e4
    student[2, 7] = teacher[2, 7] = -torch.inf
    teacher[3, :400] = -torch.inf  # the first blocks are nothing at all
    gradient = torch.empty_like(student)
    found = kl_rows.run(Plan(1.0), student, [teacher], gradient)
    assert found.isfinite().all()
    p, q = teacher.double().softmax(-1), student.double().softmax(-1)
    torch.testing.assert_close(gradient.double(), q - p, rtol=1e-3, atol=2e-3)  # 3e4 is coarse
    assert (
        kl_triton.kl_of_rows(student[:0], teacher[:0], None, temperature=1.0, soft=1.0).numel() == 0
    )


def test_heads_go_through_it_and_other_plans_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(0)
    hidden, weight, other = (
        torch.randn(*shape, generator=draw) for shape in ((6, 8), (301, 8), (301, 8))
    )
    labels, calls = torch.tensor([3, -100, 0, 300, 1, 2]), []

    def gradients() -> tuple[Tensor, ...]:
        leaf = hidden.clone().requires_grad_()
        value = fused_linear_kd(
            Head(leaf, weight), Head(hidden, other), labels, hard_weight=0.2, workspace=3 * 301 * 4
        )
        return value.detach(), *torch.autograd.grad(value, leaf)

    original = kl_triton.kl_of_rows
    monkeypatch.setattr(
        kl_triton, "kl_of_rows", lambda *a, **k: (calls.append(1), original(*a, **k))[1]
    )
    found = gradients()
    assert len(calls) >= 2
    monkeypatch.setattr(kl_kernel, "can_run", lambda *_: False)
    for mine, theirs in zip(found, gradients(), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert not Plan(1.0, weights=(0.5, 0.5)).is_plain()
    assert not Plan(1.0, weights=(torch.ones(3),)).is_plain()


def test_where_it_is_wrong_or_cannot_be_made_it_does_not_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sides = [logits(seed, 10, torch.float32) for seed in (0, 1)]
    kl_kernel._is_right.cache_clear()
    monkeypatch.setattr(kl_triton, "kl_of_rows", lambda s, *_, **__: s.sum(-1))
    with pytest.warns(UserWarning, match="wrong numbers on cpu"):
        assert not kl_kernel.can_run(*sides)
    kl_kernel._is_right.cache_clear()

    def broken(*_: Any, **__: Any) -> Tensor:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(kl_triton, "kl_of_rows", broken)
    with pytest.warns(UserWarning, match="cannot be used on cpu: no compiler"):
        assert not kl_kernel.can_run(*sides)
    kl_kernel._is_right.cache_clear()
    assert not kl_kernel.can_run(sides[0].double(), sides[1])
    monkeypatch.delenv("TRITON_INTERPRET")
    assert not kl_kernel.can_run(*sides), "the CPU has operations"
