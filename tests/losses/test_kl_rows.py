"""The fused arithmetic equals the plain formula, and gives way where it cannot serve."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from didact import losses
from didact._core.errors import UsageError
from didact.losses.fast import kl_rows, node
from didact.losses.logits import kd as _kd

LABELS = torch.tensor([0, 2, -100, 1, 4, 0])
MASK = torch.tensor([True, True, False, True, True, True])
LOSSES: dict[str, Callable[..., Tensor]] = {
    "kd": lambda s, t, **o: losses.kd(s, t[0], **o),
    "ce_and_kd": lambda s, t, **o: losses.cross_entropy_and_kd(s, t[0], LABELS, **o),
    "weighted_sum": lambda s, t, **o: losses.kd_weighted_sum(s, t, weights=[0.5, 0.2, 0.3], **o),
    "mean_probs": lambda s, t, **o: losses.kd_mean_probs(s, t, weights=[0.5, 0.2, 0.3], **o),
    "confidence": lambda s, t, **o: losses.kd_confidence_weighted(s, t, LABELS.clamp_min(0), **o),
}


def logits(dtype: torch.dtype = torch.float64, scale: float = 3.0) -> tuple[Tensor, list[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    student, *teachers = (
        torch.randn(4, 6, 5, generator=generator, dtype=torch.float64) * scale
    ).to(dtype)
    return student.requires_grad_(), teachers


@pytest.fixture(autouse=True)
def _all_sizes_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kl_rows, "SMALL", 0)


@pytest.fixture
def only_plain(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(kl_rows, "can_serve", lambda *_: False)


@pytest.mark.parametrize("chunk", [1, 13, kl_rows.CHUNK])
@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_equal_the_plain_formula(
    name: str,
    masked: bool,
    reduction: str,
    temperature: float,
    chunk: int,
    only_plain: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kl_rows, "CHUNK", chunk)
    options = {"temperature": temperature, "reduction": reduction, "mask": MASK if masked else None}

    def measure() -> tuple[Tensor, Tensor]:
        student, teachers = logits()
        value = LOSSES[name](student, teachers, **options)
        upstream = torch.arange(1.0, 1 + value.numel(), dtype=value.dtype).view(value.shape)
        return value.detach(), torch.autograd.grad(value, student, upstream)[0]

    fused = measure()
    only_plain()
    plain = measure()
    torch.testing.assert_close(fused[0], plain[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(fused[1], plain[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", LOSSES)
def test_lower_precisions_equal_the_plain_formula(
    name: str, dtype: torch.dtype, only_plain: Callable[[], None]
) -> None:
    student, teachers = logits(dtype)
    value = LOSSES[name](student, teachers)
    (gradient,) = torch.autograd.grad(value, student)
    only_plain()
    expected = LOSSES[name](student, teachers)
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)
    (plain_gradient,) = torch.autograd.grad(expected, student)
    tolerance = 1e-6 if dtype == torch.float32 else 1e-2
    torch.testing.assert_close(gradient, plain_gradient, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("small", [0, 1000])
@pytest.mark.parametrize("temperature", [1.0, 3.0, 4.0])
@pytest.mark.parametrize("sizes", [(0, 300), (300, 0), (-9000, 9000), (25, -25), (-60, -60)])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("kd", {}),
        ("kd", {"inplace": True}),
        ("ce_and_kd", {}),
        ("ce_and_kd", {"inplace": True}),
        ("weighted_sum", {}),
        ("mean_probs", {}),
    ],
)
def test_logits_of_any_size_equal_the_plain_formula_in_double_precision(
    name: str,
    sizes: tuple[float, float],
    options: dict[str, bool],
    temperature: float,
    small: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kl_rows, "SMALL", small)
    student, teachers = logits(torch.float32)
    leaf = (student.detach() + sizes[0]).requires_grad_()
    teachers = [teacher + sizes[1] for teacher in teachers]
    value = LOSSES[name](leaf * 1, teachers, temperature=temperature, **options)
    (gradient,) = torch.autograd.grad(value, leaf)
    double = leaf.detach().double().requires_grad_()
    expected = LOSSES[name](
        double, [teacher.double() for teacher in teachers], temperature=temperature
    )
    rounding = 1e-7 * max(map(abs, sizes)) * temperature  # some ways divide by T before all else
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-5 + rounding)
    (true_gradient,) = torch.autograd.grad(expected, double)
    torch.testing.assert_close(gradient.double(), true_gradient, rtol=1e-4, atol=1e-6 + rounding)


def test_a_distance_of_the_logits_does_not_swamp_a_small_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    teacher = torch.randn(256, 100, generator=generator)
    student = teacher + 0.01 * torch.randn(256, 100, generator=generator)
    student, teacher = (student + 40).requires_grad_(), teacher - 40
    loss = losses.kd(student, teacher, temperature=4.0)
    double = losses.kd(student.double(), teacher.double(), temperature=4.0)
    torch.testing.assert_close(loss.double(), double, rtol=0, atol=1e-5)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", ["kd", "ce_and_kd"])
def test_a_teacher_may_share_the_students_memory(name: str, inplace: bool) -> None:
    leaf, _ = logits(torch.float32)
    student = leaf * 1
    value = LOSSES[name](student, [student.detach()], inplace=inplace)
    (gradient,) = torch.autograd.grad(value, leaf)
    exact = leaf.detach().double().requires_grad_()
    expected = LOSSES[name](exact, [exact.detach()])
    (true_gradient,) = torch.autograd.grad(expected, exact)
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient.double(), true_gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [kl_rows.SMALL - 100, kl_rows.SMALL])
def test_few_logits_take_the_plain_formula(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    student = torch.zeros(size // 100 + 1, 100, requires_grad=True)
    student, teacher = student[: -(-size // 100)] * 1, torch.zeros(-(-size // 100), 100)
    node_name = type(losses.kd(student, teacher).grad_fn).__name__
    assert (node_name == "KeptGradientBackward") == (student.numel() >= kl_rows.SMALL)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_a_second_backward_pass_gives_the_same_bits(name: str, dtype: torch.dtype) -> None:
    student, teachers = logits(dtype)
    value = 2 * LOSSES[name](student, teachers)
    (first,) = torch.autograd.grad(value, student, retain_graph=True)
    (second,) = torch.autograd.grad(value, student)
    assert torch.equal(first, second)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck_passes_with_its_defaults(name: str, reduction: str) -> None:
    student, teachers = logits()
    assert torch.autograd.gradcheck(
        lambda s: LOSSES[name](s, teachers, reduction=reduction), (student,)
    )


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_double_backward_is_right(name: str, reduction: str) -> None:
    student, teachers = logits()
    small = student.detach()[:6, :5].requires_grad_()
    assert torch.autograd.gradgradcheck(
        lambda s: LOSSES[name](s, teachers, reduction=reduction), (small,)
    )


def test_double_backward_in_float32_is_that_of_the_plain_formula() -> None:
    student, teachers = logits(torch.float32)
    penalty = torch.autograd.grad(losses.kd(student, teachers[0]), student, create_graph=True)[0]
    (found,) = torch.autograd.grad(penalty.square().sum(), student)
    plain = _kd.plain_kd(student, teachers[0], 4.0, "mean")
    penalty = torch.autograd.grad(plain, student, create_graph=True)[0]
    (expected,) = torch.autograd.grad(penalty.square().sum(), student)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_the_gradient_becomes_the_leafs_without_a_copy() -> None:
    student, teachers = logits(torch.float32)
    value = losses.kd(student, teachers[0], mask=MASK)
    kept = value.grad_fn.gradient.data_ptr()  # type: ignore[union-attr]
    value.backward()
    assert student.grad is not None
    assert student.grad.data_ptr() == kept


@pytest.mark.parametrize("layout", ["transposed", "strided", "expanded"])
def test_logits_of_any_memory_layout(layout: str) -> None:
    student, teachers = logits()
    teacher = teachers[0]
    views = {
        "transposed": lambda t: t.t().contiguous().t(),
        "strided": lambda t: torch.stack([t, t], -1)[..., 0],
        "expanded": lambda t: t[:1].expand(6, 5),
    }
    s, t = views[layout](student.detach()), views[layout](teacher)
    there = losses.kd(s.clone(memory_format=torch.contiguous_format), t.clone())
    torch.testing.assert_close(losses.kd(s, t), there)
    s = s.detach().requires_grad_()
    losses.kd(s, t).backward()
    assert s.grad is not None


def test_sides_of_different_precision() -> None:
    student, teachers = logits(torch.float32)
    expected = losses.kd(student, teachers[0])
    for dtype in (torch.float64, torch.bfloat16):
        value = losses.kd(student, teachers[0].to(dtype))
        torch.testing.assert_close(value.float(), expected, rtol=1e-2, atol=1e-3)
        (gradient,) = torch.autograd.grad(value, student)
        assert gradient.dtype == torch.float32


def test_the_value_without_a_gradient_is_the_same() -> None:
    student, teachers = logits()
    for name, loss in LOSSES.items():
        with torch.no_grad():
            without = loss(student, teachers)
        assert not without.requires_grad
        torch.testing.assert_close(without, loss(student, teachers).detach(), msg=name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_place_writes_the_gradient_over_the_logits(dtype: torch.dtype) -> None:
    features = torch.randn(6, 3, generator=torch.Generator().manual_seed(1)).to(dtype)
    weight = torch.randn(5, 3, generator=torch.Generator().manual_seed(2)).to(dtype)
    _, teachers = logits(dtype)
    gradients = []
    for inplace in (False, True):
        layer = weight.clone().requires_grad_()
        student = torch.nn.functional.linear(features, layer)
        memory, before = student.data_ptr(), student.detach().clone()
        losses.cross_entropy_and_kd(student, teachers[0], LABELS, inplace=inplace).backward()
        assert layer.grad is not None
        gradients.append(layer.grad)
        assert torch.equal(student, before) is not inplace
        assert student.data_ptr() == memory
    torch.testing.assert_close(gradients[0], gradients[1])


def test_in_place_is_refused_where_it_would_be_wrong() -> None:
    view, teachers = logits()
    leaf = view.detach().clone().requires_grad_()
    with pytest.raises(UsageError, match="leaf"):
        losses.kd(leaf, teachers[0], inplace=True)
    with pytest.raises(UsageError, match="leaf"):
        losses.kd(leaf.view(6, 5), teachers[0], inplace=True)
    with pytest.raises(UsageError, match="contiguous"):
        losses.kd((leaf * 1.0).t().contiguous().t(), teachers[0], inplace=True)
    value = losses.kd(leaf * 1.0, teachers[0], inplace=True)
    value.backward(retain_graph=True)
    with pytest.raises(UsageError, match="second"):
        value.backward()
    saved_by_its_layer = leaf.tanh()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        losses.kd(saved_by_its_layer, teachers[0], inplace=True).backward()


def test_in_place_leaves_the_logits_alone_without_a_gradient() -> None:
    student, teachers = logits()
    before = student.detach().clone()
    with torch.no_grad():
        losses.kd(student, teachers[0], inplace=True)
    assert torch.equal(student, before)


def test_the_plain_formula_serves_while_tracing_and_mapping() -> None:
    student, teachers = logits()
    seen: list[bool] = []

    def loss(s: Tensor) -> Tensor:
        seen.append(node.can_serve(s, *teachers))
        return losses.kd(s, teachers[0])

    torch.func.grad(loss)(student.detach())
    torch.func.vmap(lambda s: loss(s[None].expand(6, 5)))(student.detach())
    assert seen == [False, False]
    loss(student)
    assert seen[-1]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_learnt_temperature_gets_the_gradient_of_the_plain_formula(reduction: str) -> None:
    student, teachers = logits()
    temperature = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    value = 2 * losses.kd(student, teachers[0], temperature=temperature, reduction=reduction)
    plain = 2 * _kd.plain_kd(student, teachers[0], temperature, reduction)
    torch.testing.assert_close(value, plain, rtol=1e-12, atol=1e-12)
    expected = torch.autograd.grad(plain, (student, temperature))
    for keep in (True, False):  # the second time the plain formula serves
        found = torch.autograd.grad(value, (student, temperature), retain_graph=keep)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_learnt_temperature_differentiates_twice() -> None:
    student, teachers = logits()
    temperature = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(
        lambda s, t: losses.kd(s, teachers[0], temperature=t),
        (student, temperature),
    )


def test_two_results_do_not_share_working_memory() -> None:
    student, teachers = logits()
    first = losses.kd(student, teachers[0], mask=MASK)
    alone = torch.autograd.grad(first, student, retain_graph=True)[0].clone()
    again = losses.kd(student, teachers[0], mask=MASK)
    losses.kd(student, teachers[1], mask=MASK)
    torch.testing.assert_close(torch.autograd.grad(again, student)[0], alone, rtol=0, atol=1e-15)
