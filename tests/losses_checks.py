"""The laws that public losses obey. Each is a plain function of a case, so that the contract suite
runs it on every loss and the mutation check runs it on faulty copies of each loss.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from didact._core.errors import DidactError, DtypeError, NonFiniteError, RangeError, ShapeError
from losses_support import (
    EXAMPLES,
    REFERENCES,
    Case,
    close,
    is_module,
    make_case,
    map_tensors,
    tensors_of,
)

Law = Callable[[Case], None]


@dataclass(frozen=True)
class Check:
    name: str
    law: Law
    applies: Callable[[Case], bool]


CHECKS: dict[str, Check] = {}


def law(applies: Callable[[Case], bool] = lambda case: True) -> Callable[[Law], Law]:
    """Register a law and the kind of loss that it holds for."""

    def register(function: Law) -> Law:
        CHECKS[function.__name__] = Check(function.__name__, function, applies)
        return function

    return register


def per_sample(case: Case) -> bool:
    return case.takes("reduction")


def on_logits(case: Case) -> bool:
    return case.takes("student_logits") and (
        case.takes("teacher_logits") or case.takes("teachers_logits")
    )


def same_classes(case: Case) -> bool:
    """Logits bound by name: both sides know the same classes."""
    return on_logits(case) and case.card.name not in EXAMPLES


def kind(*kinds: str) -> Callable[[Case], bool]:
    return lambda case: case.card.kind in kinds


def both(*conditions: Callable[[Case], bool]) -> Callable[[Case], bool]:
    return lambda case: all(c(case) for c in conditions)


def remade(case: Case, **changes: Any) -> Case:
    """The same loss (perhaps a faulty copy) with inputs made for other sizes."""
    sizes = dataclasses.replace(case.sizes, **changes)
    return make_case(case.card.name, sizes, function=case.function)


VARIANTS: dict[str, tuple[Any, ...]] = {
    "temperature": (2.5,),
    "alpha": (0.3,),
    "beta": (0.3, 0.0, 1.0),
    "k": (4,),
    "normalise": (False,),
    "kd_weight": (0.3,),
}
"""Other values of hyperparameters, for the references that know them."""


def variants(case: Case) -> list[dict[str, Any]]:
    """No option, and each option that the loss and its reference both take."""
    known = inspect.signature(REFERENCES[case.card.name]).parameters
    return [{}] + [
        {option: value}
        for option, values in VARIANTS.items()
        if option in known and case.takes(option)
        for value in values
    ]


@law(lambda case: case.card.name in REFERENCES)
def agrees_with_its_reference(case: Case) -> None:
    for seed in (0, 1):
        for dtype, tolerance in (
            (torch.float64, 1e-9),
            (torch.float32, 1e-5),
            (torch.bfloat16, 2e-2),
        ):
            here = remade(case, dtype=dtype, seed=seed)
            for options in variants(case):
                expected = _by_the_paper(here, options)
                close(here.loss(**options), expected, tolerance, f"{dtype}, {seed}, {options}")


def _by_the_paper(case: Case, options: dict[str, Any]) -> float:
    exact = {
        n: map_tensors(v, lambda t: t.double() if t.is_floating_point() else t)
        for n, v in case.inputs.items()
    }
    first = [case.call] if is_module(case.card) else []
    return REFERENCES[case.card.name](*first, **{**exact, **options})


@law()
def mean_is_a_finite_scalar(case: Case) -> None:
    value = case.loss()
    assert value.shape == ()
    assert math.isfinite(value.item())


@law(both(kind("divergence", "match"), on_logits))
def is_zero_where_student_is_teacher(case: Case) -> None:
    close(case.equal_sides().loss(), 0.0, 1e-12)


@law(both(kind("divergence", "match"), on_logits))
def has_no_gradient_where_student_is_teacher(case: Case) -> None:
    for gradient in case.equal_sides().gradients():
        close(gradient, torch.zeros_like(gradient), 1e-12)


@law(kind("divergence", "match"))
def is_not_negative(case: Case) -> None:
    for seed in range(5):
        for dtype in (torch.float64, torch.float32):
            assert remade(case, seed=seed, dtype=dtype).loss().item() >= 0


@law(kind("divergence", "match"))
def is_positive_where_they_differ(case: Case) -> None:
    assert case.loss().item() > 1e-6


@law(both(kind("divergence"), on_logits))
def is_blind_to_a_constant_added_to_the_logits(case: Case) -> None:
    value = case.loss()
    for side in ("student", "teacher"):
        shifted = {
            n: map_tensors(
                case.inputs[n], lambda t: t + torch.arange(len(t), dtype=t.dtype)[:, None] - 1.5
            )
            for n in case.names(side)
        }
        close(case.loss(**shifted), value, 1e-9, f"{side} shifted")


@law(both(same_classes, lambda case: case.sizes.classes > 2))
def class_order_does_not_matter(case: Case) -> None:
    order = torch.tensor([3, 0, 4, 2, 1])
    new_name = torch.empty_like(order)
    new_name[order] = torch.arange(len(order))
    changed = {
        n: map_tensors(case.inputs[n], lambda t: t[..., order])
        for n in (*case.names("student"), *case.names("teacher"))
    }
    if "labels" in case.inputs:
        changed["labels"] = new_name[case.inputs["labels"]]
    close(case.loss(**changed), case.loss(), 1e-9)


@law(per_sample)
def a_batch_twice_has_the_same_mean(case: Case) -> None:
    twice = {n: map_tensors(v, lambda t: torch.cat([t, t])) for n, v in case.inputs.items()}
    close(case.loss(**twice), case.loss(), 1e-9)
    close(case.loss(**twice, reduction="sum"), 2 * case.loss(reduction="sum"), 1e-9)


@law(per_sample)
def reductions_agree(case: Case) -> None:
    each = case.loss(reduction="none")
    assert each.shape == (case.sizes.batch,)
    close(case.loss(reduction="mean"), each.mean(), 1e-12)
    close(case.loss(reduction="sum"), each.sum(), 1e-12)
    with pytest.raises(DidactError, match="reduction"):
        case.loss(reduction="batchmean")


@law(both(per_sample, on_logits))
def leading_dimensions_are_samples(case: Case) -> None:
    shape = (2, case.sizes.batch // 2)
    folded = {n: map_tensors(v, lambda t: t.unflatten(0, shape)) for n, v in case.inputs.items()}
    each = case.loss(**folded, reduction="none")
    assert each.shape == shape
    close(each.flatten(), case.loss(reduction="none"), 1e-12)


@law(per_sample)
def samples_are_independent(case: Case) -> None:
    each = case.loss(reduction="none")
    other = remade(case, seed=7)
    mixed = {
        n: _first_from(case.inputs[n], other.inputs[n])
        for n in case.inputs
        if tensors_of(case.inputs[n])
    }
    changed = case.loss(**mixed, reduction="none")
    close(changed[0], each[0], 1e-12)
    assert not torch.allclose(changed[1:], each[1:])


def _first_from(mine: Any, others: Any) -> Any:
    if isinstance(mine, Tensor):
        return torch.cat([mine[:1], others[1:]])
    return type(mine)(_first_from(m, o) for m, o in zip(mine, others, strict=True))


@law(lambda case: case.takes("mask") and case.takes("reduction"))
def masked_positions_do_not_count(case: Case) -> None:
    mask = torch.tensor([True, False, True, True])
    poisoned = {
        n: map_tensors(
            case.inputs[n],
            lambda t: torch.where(mask.view(-1, *[1] * (t.dim() - 1)), t, torch.nan),
        )
        for n in (*case.names("student"), *case.names("teacher"))
    }
    kept = {n: map_tensors(v, lambda t: t[mask]) for n, v in case.inputs.items()}
    for reduction in ("mean", "sum"):
        masked = case.loss(**poisoned, mask=mask, reduction=reduction)
        close(masked, case.loss(**kept, reduction=reduction), 1e-12)
    assert case.loss(mask=mask, reduction="none")[1] == 0
    there = case.having(**kept).gradients()
    for gradient, expected in zip(case.gradients(**poisoned, mask=mask), there, strict=True):
        assert torch.equal(gradient[1], torch.zeros_like(gradient[1]))
        close(gradient[mask], expected, 1e-12)
    nobody = case.leaves()[0].loss(mask=torch.zeros_like(mask))
    close(nobody, 0.0, 0.0)
    with pytest.raises(DtypeError, match="mask"):
        case.loss(mask=mask.long())
    with pytest.raises(ShapeError, match="mask"):
        case.loss(mask=mask[:1])


@law()
def the_teacher_gets_no_gradient(case: Case) -> None:
    case, _ = case.leaves()
    live = {
        n: map_tensors(case.inputs[n], lambda t: t.detach().clone().requires_grad_())
        for n in case.names("teacher")
    }
    case.loss(**live).backward()
    for name, value in live.items():
        for tensor in tensors_of(value):
            assert tensor.grad is None, f"{name} got a gradient"
        if on_logits(case):  # the plain formula must not leak either
            leak = torch.func.grad(lambda value, n=name: case.loss(**{n: value}))(value)
            assert not any(tensor.any() for tensor in tensors_of(leak)), f"{name} got a gradient"


@law()
def gradients_are_right(case: Case) -> None:
    case, leaves = remade(case, batch=3, classes=4).leaves()
    names = case.names("student")

    def loss(*flat: Tensor) -> Tensor:
        rest = list(flat)
        changes = {n: map_tensors(case.inputs[n], lambda _: rest.pop(0)) for n in names}
        return case.loss(**changes, **options)

    branches = [{o: v} for o in ("beta", "k") if case.takes(o) for v in VARIANTS[o]]
    for options in ({}, *branches):
        assert torch.autograd.gradcheck(
            loss, tuple(leaves), eps=1e-6, atol=1e-6, nondet_tol=1e-12
        ), options


@law(both(on_logits, kind("divergence", "match"), lambda case: case.takes("temperature")))
def gradient_hardly_depends_on_a_high_temperature(case: Case) -> None:
    cold, hot = (
        torch.linalg.vector_norm(case.gradients(temperature=temperature)[0])
        for temperature in (50.0, 800.0)
    )
    assert 0.9 < hot / cold < 1.1


@law()
def extreme_inputs_stay_finite(case: Case) -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        for pattern in range(3):
            here = remade(case, dtype=dtype)
            extreme = {
                n: map_tensors(here.inputs[n], _extremes(n, pattern))
                for n in (*here.names("student"), *here.names("teacher"))
            }
            here, leaves = here.having(**extreme).leaves()
            value = here.loss()
            assert math.isfinite(value.item()), f"{dtype}, pattern {pattern}: {value}"
            gradients = torch.autograd.grad(value, leaves, allow_unused=True)
            for gradient in gradients:
                assert gradient is None or gradient.isfinite().all(), f"{dtype}, {pattern}"


def _extremes(name: str, pattern: int) -> Callable[[Tensor], Tensor]:
    return lambda t: _extreme(t, len(name) * pattern) if t.dim() else t


def _extreme(tensor: Tensor, pattern: int) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    signs = torch.arange(tensor.numel()).view(tensor.shape) * (pattern + 3) // 2 % 3 - 1
    return (signs * 1e4).to(tensor.dtype)


@law()
def half_precision_is_computed_in_float32(case: Case) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        half = remade(case, dtype=dtype)
        names = (*half.names("student"), *half.names("teacher"))
        single = {n: map_tensors(half.inputs[n], lambda t: t.float()) for n in names}
        value = half.loss()
        assert value.dtype == torch.float32
        close(value, half.loss(**single), 1e-6)
        for found, expected in zip(half.gradients(), half.gradients(**single), strict=True):
            assert found.dtype == dtype
            close(found, expected, 1e-2)
    assert remade(case, dtype=torch.float64).loss().dtype == torch.float64


@law()
def autocast_changes_nothing(case: Case) -> None:
    case = remade(case, dtype=torch.float32)
    value = case.loss()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = case.loss()
    assert found.dtype == torch.float32
    close(found, value, 1e-6)


@law(same_classes)
def nothing_is_broadcast(case: Case) -> None:
    for name in case.names("teacher"):
        for small in (lambda t: t[:1], lambda t: t[0], lambda t: t[:, :1], lambda t: t[..., :-1]):
            with pytest.raises(ShapeError):
                case.loss(**{name: map_tensors(case.inputs[name], small)})


@law(lambda case: not same_classes(case) and bool(case.names("teacher")))
def features_are_not_broadcast(case: Case) -> None:
    for name in case.names("teacher"):
        for small in (lambda t: t[:1], lambda t: t[0]):
            with pytest.raises(DidactError):
                case.loss(**{name: map_tensors(case.inputs[name], small)})


@law()
def integers_are_refused(case: Case) -> None:
    for name in (*case.names("student"), *case.names("teacher")):
        with pytest.raises(DtypeError, match=name.removesuffix("_logits").removesuffix("s")):
            case.loss(**{name: map_tensors(case.inputs[name], lambda t: t.long())})


@law()
def an_empty_batch_is_refused(case: Case) -> None:
    empty = {n: map_tensors(v, lambda t: t[:0] if t.dim() else t) for n, v in case.inputs.items()}
    with pytest.raises(DidactError):
        case.loss(**empty)


@law(lambda case: bool(case.names("teacher")) and on_logits(case))
def nan_in_the_teacher_is_named(case: Case) -> None:
    for name in case.names("teacher"):
        for reduction in ("mean", "none") if per_sample(case) else ("mean",):
            spoilt = map_tensors(
                case.inputs[name], lambda t: t.index_fill(-1, torch.tensor(1), torch.nan)
            )
            more = {"reduction": reduction} if per_sample(case) else {}
            with pytest.raises(NonFiniteError, match=r"teacher.*NaN"):
                case.loss(**{name: spoilt}, **more)


@law(lambda case: case.takes("temperature"))
def temperature_is_positive(case: Case) -> None:
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(RangeError, match="temperature"):
            case.loss(temperature=wrong)


@law(lambda case: "labels" in case.inputs)
def labels_are_class_numbers(case: Case) -> None:
    labels = case.inputs["labels"]
    for wrong in (labels + 1000, labels - 1000):
        with pytest.raises(RangeError, match="labels"):
            case.loss(labels=wrong)
    with pytest.raises(DtypeError, match="labels"):
        case.loss(labels=labels.float())
    with pytest.raises(ShapeError, match="labels"):
        case.loss(labels=labels[:, None])


@law()
def compiles_without_a_break(case: Case) -> None:
    names = (*case.names("student"), *case.names("teacher"))
    rest = {n: v for n, v in case.inputs.items() if n not in names}
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own
        compiled = torch.compile(
            lambda given: case.call(**given, **rest), fullgraph=True, backend="eager"
        )
        found = compiled({n: case.inputs[n] for n in names})
    close(found, case.loss(), 1e-12)


def _student_function(case: Case) -> tuple[Callable[[Any], Tensor], Any]:
    name = case.names("student")[0]
    return lambda value: case.loss(**{name: value}), case.inputs[name]


@law(lambda case: isinstance(case.inputs.get((case.names("student") or [""])[0]), Tensor))
def functional_gradient_is_the_same(case: Case) -> None:
    loss, value = _student_function(case)
    found = torch.func.grad(loss)(value)
    close(found, case.gradients()[0], 1e-10)
    if not case.takes("mask") or not case.takes("reduction"):
        return
    mask = torch.tensor([True, False, True, True])
    masked, expected = (
        case.having(mask=mask, reduction="sum"),
        case.gradients(mask=mask, reduction="sum"),
    )
    value = torch.where(mask.view(-1, *[1] * (value.dim() - 1)), value, torch.nan)
    found = torch.func.grad(_student_function(masked)[0])(value)
    close(found, expected[0], 1e-10)


@law(both(per_sample, same_classes))
def maps_over_samples(case: Case) -> None:
    names = [n for n, v in case.inputs.items() if isinstance(v, Tensor | list)]

    def one(*values: Any) -> Tensor:
        single = (map_tensors(v, lambda t: t[None]) for v in values)
        return case.loss(**dict(zip(names, single, strict=True)))

    found = torch.func.vmap(one)(*(case.inputs[n] for n in names))
    close(found, case.loss(reduction="none"), 1e-10)
