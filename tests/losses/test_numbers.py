"""Numbers computed in float64 from the papers, apart from this library and its references."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from didact import losses

CASES = json.loads((Path(__file__).parent / "numbers.json").read_text("utf-8"))


def _argument(value: Any) -> Any:
    """Lists become tensors: of float64, int64 or bool."""
    if not isinstance(value, list):
        return value
    found = torch.tensor(value)
    return torch.tensor(value, dtype=torch.float64) if found.is_floating_point() else found


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_value_is_that_of_the_paper(case: dict[str, Any]) -> None:
    module, name = case["function"].rsplit(".", 1)
    options = {
        key: value if key in ("temperatures", "head_sizes") else _argument(value)
        for key, value in case["kwargs"].items()
    }
    found = getattr(importlib.import_module(module), name)(*map(_argument, case["args"]), **options)
    expected = torch.tensor([float(x) for x in _flat(case["expected"])], dtype=torch.float64)
    found = torch.as_tensor(found, dtype=torch.float64).flatten()
    torch.testing.assert_close(found, expected, rtol=0, atol=case["tolerance"], equal_nan=True)


def _flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_rkd_distance_is_continuous_where_points_meet() -> None:
    teacher = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    student = torch.tensor([[0.0, 0.0], [1e-6, 0.0], [3.0, 4.0]], dtype=torch.float64)
    apart = losses.rkd_distance(student, teacher)
    student[1] = 0
    torch.testing.assert_close(losses.rkd_distance(student, teacher), apart, rtol=0, atol=1e-5)


def test_the_divergence_halfway_is_symmetric_to_the_bit() -> None:
    one, two = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(losses.generalised_jsd(one, two), losses.generalised_jsd(two, one))


def _collapsed(share: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    student, teacher = torch.randn(2, 8, 4, generator=generator, dtype=torch.float64)
    student[: int(8 * share)] = student[0]
    return student, teacher


def test_a_collapsing_student_pays_more() -> None:
    values = [losses.rkd_distance(*_collapsed(share)).item() for share in (0.0, 0.5, 0.75)]
    assert values == sorted(values)
    assert values[2] > 2 * values[0]


def test_the_released_standardisation_is_that_of_another_temperature() -> None:
    student, teacher = map(
        _argument, next(c["args"] for c in CASES if c["name"] == "standardised_kd_population")
    )
    sides = [(z - z.mean(1, True)) / z.std(1, keepdim=True) for z in (student, teacher)]
    released = losses.kd(*sides, temperature=2.0)
    share = 3 / 4  # (C - 1) / C
    found = share * losses.standardised_kd(student, teacher, temperature=2.0 / share**0.5)
    torch.testing.assert_close(found, released, rtol=1e-9, atol=0)
    assert released.item() == pytest.approx(0.357076934, abs=1e-9)
