"""The laws that public losses obey. Each is a plain function of a case, so that the contract suite
runs it on every loss and the mutation check runs it on faulty copies of each loss.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.losses.support import (
    EXAMPLES,
    REFERENCES,
    SIZE_IN_HALF,
    Case,
    close,
    is_module,
    make_case,
    map_tensors,
    tensors_of,
)
from torch import Tensor

from didact._core.errors import DidactError, DtypeError, NonFiniteError, RangeError, ShapeError

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


SEEDS_OF_SHAPES = {"nst": (0, 1)}
"""Losses that go another way for other shapes, which their example has with another seed."""

VARIANTS: dict[str, tuple[Any, ...]] = {
    "temperature": (2.5,),
    "alpha": (0.3,),
    "beta": (0.3, 0.0, 1.0, 1 - 1e-4),
    "k": (4,),
    "normalise": (False,),
    "kd_weight": (0.3,),
    "negatives": (9,),
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
                training = here.leaves()[0]  # values may be made together with the gradient
                for loss in (here.loss, training.loss):
                    close(loss(**options), expected, tolerance, f"{dtype}, {seed}, {options}")


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


@law(kind("divergence", "match"))
def is_zero_where_student_is_teacher(case: Case) -> None:
    close(case.equal_sides().loss(), 0.0, 1e-12)


@law(kind("divergence", "match"))
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
    twice = {
        n: map_tensors(v, lambda t: torch.cat([t, t]))
        for n, v in case.inputs.items()
        if _has_samples(v, case.sizes.batch)
    }
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
    other = remade(case, seed=8)
    mixed = {
        n: _first_from(case.inputs[n], other.inputs[n])
        for n in case.inputs
        if tensors_of(case.inputs[n]) and _has_samples(case.inputs[n], case.sizes.batch)
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
    names = [n for n in case.inputs if tensors_of(case.inputs[n]) and not n.startswith("student")]
    live = {
        n: map_tensors(case.inputs[n], lambda t: t.detach().clone().requires_grad_()) for n in names
    }
    for reduction in ({}, {"reduction": "none"}) if per_sample(case) else ({},):
        case.loss(**live, **reduction).sum().backward()
        for name, value in live.items():
            for tensor in tensors_of(value):
                assert tensor.grad is None, f"{name} got a gradient, {reduction}"
    case = _in_evaluation(case)
    for name, value in live.items():  # the plain formula must not leak either
        leak = torch.func.grad(lambda value, n=name: case.loss(**{n: value}))(value)
        assert not any(tensor.any() for tensor in tensors_of(leak)), f"{name} got a gradient"


@law()
def gradients_are_right(case: Case) -> None:
    for seed in SEEDS_OF_SHAPES.get(case.card.name, (0,)):
        _gradients_are_right(remade(case, batch=3, classes=4, seed=seed))


def _gradients_are_right(case: Case) -> None:
    case, leaves = case.leaves()
    names = case.names("student")

    def loss(*flat: Tensor) -> Tensor:
        rest = list(flat)
        changes = {n: map_tensors(case.inputs[n], lambda _: rest.pop(0)) for n in names}
        return case.loss(**changes, **options)

    branches = [{o: v} for o in ("beta", "k") if case.takes(o) for v in VARIANTS[o]]
    for options in ({}, *branches):
        assert torch.autograd.gradcheck(
            loss,
            tuple(leaves),
            eps=1e-6,
            atol=1e-6,
            nondet_tol=1e-12,
            fast_mode=is_module(case.card),  # one random direction; a module's pass is long
        ), options


@law()
def gradients_in_float32_are_those_in_float64(case: Case) -> None:
    """The laws above differentiate in float64, where the fast ways of float32 do not serve."""
    exact = remade(case, dtype=torch.float64)
    for options in ({}, {"reduction": "sum"}) if case.takes("reduction") else ({},):
        single = remade(case, dtype=torch.float32)
        pairs = zip(single.gradients(**options), exact.gradients(**options), strict=True)
        for found, expected in pairs:
            assert found.dtype == torch.float32
            close(found.double(), expected, 1e-5)


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
        size = SIZE_IN_HALF.get(case.card.name, 1e4) if dtype == torch.float16 else 1e4
        here = remade(case, dtype=dtype)
        for salt in range(1, 4):
            _stays_finite(_extreme(here, size, salt), f"{dtype}, signs {salt}")
        if on_logits(case):  # a sample that knows nothing, on either side and on both
            for side in ("student", "teacher"):
                flat = _extreme(here, size, 1, flat=side)
                _stays_finite(flat, f"{dtype}, flat {side}")
                _stays_finite(flat.equal_sides(), f"{dtype}, flat {side}, equal sides")


def _stays_finite(case: Case, what: str) -> None:
    case, leaves = case.leaves()
    value = case.loss()
    assert math.isfinite(value.item()), f"{what}: {value}"
    for gradient in torch.autograd.grad(value, leaves, allow_unused=True):
        assert gradient is None or gradient.isfinite().all(), what


def _extreme(case: Case, size: float, salt: int, flat: str = "no side") -> Case:
    """Numbers of one size with signs of chance, or on the flat side with one sign."""
    generator = torch.Generator().manual_seed(salt)

    def signs(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point() or not tensor.dim():
            return tensor
        return torch.randint(0, 2, tensor.shape, generator=generator).to(tensor) * 2 - 1

    changes = {}
    for name in (*case.names("student"), *case.names("teacher")):
        make = torch.ones_like if name.startswith(flat) else signs
        changes[name] = map_tensors(case.inputs[name], lambda t, m=make: m(t) * size)
    return case.having(**changes)


@law()
def half_precision_is_computed_in_float32(case: Case) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        half = remade(case, dtype=dtype)
        names = (*half.names("student"), *half.names("teacher"))
        single = {n: map_tensors(half.inputs[n], lambda t: t.float()) for n in names}
        expected = half.loss(**single)
        for value, tolerance in ((half.loss(), 1e-6), (half.leaves()[0].loss(), 1e-5)):
            assert value.dtype == torch.float32
            close(value, expected, tolerance)
        for found, expected in zip(half.gradients(), half.gradients(**single), strict=True):
            assert found.dtype == dtype
            close(found, expected, 1e-2)
    assert remade(case, dtype=torch.float64).loss().dtype == torch.float64


@law(lambda case: is_module(case.card))
def a_module_in_half_precision_gives_a_float32_value(case: Case) -> None:
    case = remade(case, dtype=torch.float32)
    half = remade(case, dtype=torch.bfloat16)
    module = copy.deepcopy(half.call).bfloat16()  # type: ignore[attr-defined]
    value = dataclasses.replace(half, call=module).loss()
    assert value.dtype == torch.float32
    close(value, case.loss(), 5e-2)


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
            with pytest.raises(ShapeError):
                case.loss(**{name: map_tensors(case.inputs[name], small)})


@law()
def integers_are_refused(case: Case) -> None:
    for name in (*case.names("student"), *case.names("teacher")):
        with pytest.raises(DtypeError, match=name.removesuffix("_logits").removesuffix("s")):
            case.loss(**{name: map_tensors(case.inputs[name], lambda t: t.long())})


@law(lambda case: bool(case.names("teacher")))
def a_teacher_may_have_another_precision(case: Case) -> None:
    case = remade(case, dtype=torch.float32)
    expected = case.loss()
    for dtype, tolerance in ((torch.float64, 1e-5), (torch.bfloat16, 0.5)):
        other = {
            name: map_tensors(
                case.inputs[name], lambda t, dtype=dtype: t.to(dtype) if t.dim() else t
            )
            for name in case.names("teacher")
        }
        found = case.loss(**other)
        assert found.dtype == torch.float32 or not on_logits(case)
        close(found, expected, tolerance, f"a teacher in {dtype}")
        for gradient in case.gradients(**other):
            assert gradient.dtype == torch.float32


@law(lambda case: bool(case.names("teacher")))
def a_teacher_may_come_from_inference_mode(case: Case) -> None:
    with torch.inference_mode():
        other = {
            name: map_tensors(case.inputs[name], lambda t: t.clone())
            for name in case.names("teacher")
        }
    close(case.loss(**other), case.loss(), 1e-9)
    for found, expected in zip(case.gradients(**other), case.gradients(), strict=True):
        close(found, expected, 1e-9)


@law(on_logits)
def outputs_that_are_no_tensor_are_refused(case: Case) -> None:
    for name in (*case.names("student"), *case.names("teacher")):
        tensors = tensors_of(case.inputs[name])
        several = name.startswith("teachers")
        for what, words in (
            (types.SimpleNamespace(logits=tensors[0]), r"\.logits"),
            ({"logits": tensors[0]}, "logits"),
            ((tensors[0], None), r"output\[0\]"),
            (None, r"\.logits"),
        ):
            with pytest.raises(DtypeError, match=f"{name}.*expected a tensor.*{words}"):
                case.loss(**{name: [what, *tensors[1:]] if several else what})


@law()
def an_empty_batch_is_refused(case: Case) -> None:
    empty = {n: map_tensors(v, lambda t: t[:0] if t.dim() else t) for n, v in case.inputs.items()}
    with pytest.raises(ShapeError):
        case.loss(**empty)


@law(lambda case: bool(case.names("teacher")))
def nan_in_the_teacher_is_named(case: Case) -> None:
    for name in case.names("teacher"):
        spoilt = map_tensors(case.inputs[name], _spoil)
        for more in ({}, {"reduction": "none"}) if per_sample(case) else ({},):
            with pytest.raises(NonFiniteError, match=r"teacher.*NaN"):
                case.loss(**{name: spoilt}, **more)
            with pytest.raises(NonFiniteError, match=r"teacher.*NaN"):
                case.leaves()[0].loss(**{name: spoilt}, **more)


def _spoil(tensor: Tensor) -> Tensor:
    spoilt = tensor.clone()
    spoilt[1].view(-1)[0] = torch.nan
    return spoilt


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
    for wrong in (labels[:, None], labels[:1], labels[0]):
        with pytest.raises(ShapeError, match="labels"):
            case.loss(labels=wrong)


@law()
def compiles_without_a_break(case: Case) -> None:
    names = (*case.names("student"), *case.names("teacher"))
    rest = {n: v for n, v in case.inputs.items() if n not in names}
    expected = case.loss(), *case.gradients()
    torch._dynamo.reset()
    case, leaves = case.leaves()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own
        compiled = torch.compile(
            lambda given: case.call(**given, **rest), fullgraph=True, backend="eager"
        )
        value = compiled({n: case.inputs[n] for n in names})
        gradients = torch.autograd.grad(value, leaves, allow_unused=True)
    for found, wanted in zip((value, *gradients), expected, strict=True):
        close(torch.zeros_like(wanted) if found is None else found, wanted, 1e-12)


@law()
def functional_gradient_is_the_same(case: Case) -> None:
    for seed in SEEDS_OF_SHAPES.get(case.card.name, (0,)):
        here = _in_evaluation(remade(case, seed=seed))
        _functional_gradient(here, here)
    if not case.takes("mask") or not case.takes("reduction"):
        return
    mask = torch.tensor([True, False, True, True])
    spoilt = map_tensors(
        case.inputs[case.names("student")[0]],
        lambda t: torch.where(mask.view(-1, *[1] * (t.dim() - 1)), t, torch.nan),
    )
    for reduction in ("sum", "mean"):
        masked = case.having(mask=mask, reduction=reduction)
        _functional_gradient(masked.having(**{case.names("student")[0]: spoilt}), masked)


def _functional_gradient(case: Case, plain: Case) -> None:
    """Under ``torch.func`` the case has the value and gradient that the other has outside."""
    name = case.names("student")[0]
    loss = torch.func.grad_and_value(lambda value: case.loss(**{name: value}))
    found, value = loss(case.inputs[name])
    close(value, plain.loss(), 1e-10)
    expected = plain.gradients()
    for one, other in zip(tensors_of(found), expected, strict=False):
        close(one, other, 1e-10)


def _in_evaluation(case: Case) -> Case:
    """A module that changes nothing of itself: no batch norm, no memory moves on."""
    if not is_module(case.card):
        return case
    case.loss()  # the first batch sets what a contrastive loss is divided by
    return dataclasses.replace(case, call=copy.deepcopy(case.call).eval())  # type: ignore[attr-defined]


@law(per_sample)
def maps_over_samples(case: Case) -> None:
    names = [n for n, v in case.inputs.items() if _has_samples(v, case.sizes.batch)]

    def one(*values: Any) -> Tensor:
        single = (map_tensors(v, lambda t: t[None]) for v in values)
        return case.loss(**dict(zip(names, single, strict=True)))

    found = torch.func.vmap(one)(*(case.inputs[n] for n in names))
    close(found, case.loss(reduction="none"), 1e-10)


def _has_samples(value: Any, batch: int) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and _has_samples(value[0], batch)
    return isinstance(value, Tensor) and value.dim() > 0 and len(value) == batch


@law(lambda case: case.card.name == "FT")
def reconstruction_is_the_mean_squared_difference(case: Case) -> None:
    module: Any = case.call
    teacher = case.inputs["teacher_features"].clone().requires_grad_()
    value = module.reconstruction(teacher)
    found = module.decoder(module.paraphraser(teacher.detach()))
    close(value, sum((f - t) ** 2 for f, t in _units(found, teacher)) / teacher.numel(), 1e-12)
    value.backward()
    assert teacher.grad is None


def _units(left: Tensor, right: Tensor) -> list[tuple[float, float]]:
    return list(zip(left.flatten().tolist(), right.flatten().tolist(), strict=True))


@law(lambda case: case.card.name == "kd")
def a_temperature_in_a_tensor_is_the_same_temperature(case: Case) -> None:
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5), (torch.bfloat16, 1e-2)):
        here, number, tensor = remade(case, dtype=dtype), 2.5, torch.tensor(2.5)
        value = here.leaves()[0].loss(temperature=tensor)
        close(value, here.loss(temperature=number), min(tolerance, 1e-5))
        pairs = (here.gradients(temperature=given)[0] for given in (tensor, number))
        close(*pairs, tolerance)


@law(lambda case: case.card.name == "CurriculumKD")
def the_temperature_climbs_the_loss(case: Case) -> None:
    module: Any = case.call
    (own,) = torch.autograd.grad(module.temperature, module.parameter)
    fixed = module.temperature.detach().requires_grad_()
    logs, teacher_logs = (
        (case.inputs[f"{side}_logits"] / fixed).log_softmax(-1) for side in ("student", "teacher")
    )
    plain = (teacher_logs.exp() * (teacher_logs - logs)).sum(-1).mean() * fixed**2
    (slope,) = torch.autograd.grad(plain, fixed)
    for progress in (0.0, 0.3, 1.0):
        (found,) = torch.autograd.grad(case.loss(progress=progress), module.parameter)
        close(found, -(1 - math.cos(math.pi * progress)) / 2 * slope * own, 1e-9)


@law(lambda case: case.card.name == "CRD")
def the_memory_moves_towards_the_batch(case: Case) -> None:
    module: Any = case.call
    indices = case.inputs["indices"]
    for momentum in (0.75, 1.0):
        for memory in (module.student_memory, module.teacher_memory):
            memory.momentum = momentum
        before = module.student_memory.rows.clone()
        embedded = module.student_embedding(case.inputs["student_features"].flatten(1))
        case.loss()
        moved = before[indices] * momentum + (1 - momentum) * _unit(embedded)
        before[indices] = _unit(moved)
        close(module.student_memory.rows, before, 1e-6)


def _unit(rows: Tensor) -> Tensor:
    return torch.stack([row / math.sqrt(sum(x * x for x in row.tolist())) for row in rows])
