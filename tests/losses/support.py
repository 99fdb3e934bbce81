"""Example inputs for every public loss, bound by parameter name, and the registries of its tests.

A loss whose parameters have the standard names needs nothing here. One with other inputs, with
constructor arguments or with a law it rightly breaks says so in a file
``tests/losses/examples/<family>.py``; every file of that name is read:

    from tests.losses.support import Sizes, broken_law, constructor, example

    @example("fsp")
    def _(sizes: Sizes) -> dict[str, object]:
        return {"student_features": [...], "teacher_features": [...]}

    @constructor("vid")
    def _(sizes: Sizes) -> dict[str, object]:
        return {"student_channels": 3, "teacher_channels": 4}

    broken_law("crd", "samples_are_independent", "each sample is contrasted with the others")

The slow float64 reference of each loss stands in ``tests/losses/references/<family>.py``:

    @reference("kd")
    def _(student_logits, teacher_logits, *, temperature=4.0): ...  # returns the mean, a float

It gets the same arguments as the loss (and ``module`` first, where the loss is a module).
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from didact.losses import CARDS, Card


@dataclass(frozen=True)
class Sizes:
    batch: int = 4
    classes: int = 5
    teachers: int = 3
    dtype: torch.dtype = torch.float64
    seed: int = 0

    def randn(self, *shape: int, scale: float = 2.0, salt: int = 0) -> Tensor:
        """The same numbers (before rounding) in every dtype."""
        generator = torch.Generator().manual_seed(1000 * self.seed + salt)
        numbers = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return (numbers * scale).to(self.dtype)


Example = Callable[[Sizes], dict[str, Any]]
EXAMPLES: dict[str, Example] = {}
CONSTRUCTORS: dict[str, Example] = {}
REFERENCES: dict[str, Callable[..., float]] = {}
BROKEN_LAWS: dict[tuple[str, str], str] = {}
SIZE_IN_HALF: dict[str, float] = {}
"""Sizes of features whose gradient float16 can hold, where at 10 000 the exact one is too large."""

BINDERS: dict[str, Callable[[Sizes], Any]] = {
    "student_logits": lambda z: z.randn(z.batch, z.classes, salt=1),
    "teacher_logits": lambda z: z.randn(z.batch, z.classes, salt=2),
    "teachers_logits": lambda z: [
        z.randn(z.batch, z.classes, salt=3 + k) for k in range(z.teachers)
    ],
    "labels": lambda z: torch.arange(z.batch) * 2 % z.classes,
    "routes": lambda z: torch.arange(z.batch) % z.teachers,
    "student_features": lambda z: z.randn(z.batch, 6, 3, 3, salt=21),
    "teacher_features": lambda z: z.randn(z.batch, 6, 3, 3, salt=22),
}


def example(name: str) -> Callable[[Example], Example]:
    """Register the inputs of a loss whose parameters do not have the standard names or shapes."""
    return lambda make: EXAMPLES.setdefault(name, make)


def constructor(name: str) -> Callable[[Example], Example]:
    """Register the constructor arguments of a loss that is a module."""
    return lambda make: CONSTRUCTORS.setdefault(name, make)


def reference(name: str) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register the slow float64 writing of a loss's mean, made from the paper's equations."""
    return lambda write: REFERENCES.setdefault(name, write)


def broken_law(name: str, check: str, why: str) -> None:
    """Say that a loss breaks a law by its nature; the test then expects it to break it."""
    BROKEN_LAWS[name, check] = why


def load_registries() -> None:
    """Import every file of the folders ``examples`` and ``references``."""
    here = Path(__file__).parent
    for folder in ("examples", "references"):
        for path in sorted((here / folder).glob("*.py")):
            importlib.import_module(f"tests.losses.{folder}.{path.stem}")


def is_module(card: Card) -> bool:
    return inspect.isclass(card.function)


def parameters(card: Card) -> Mapping[str, inspect.Parameter]:
    """The parameters that a call takes (those of ``forward`` for a module)."""
    call = card.function.forward if is_module(card) else card.function  # type: ignore[attr-defined]
    found = dict(inspect.signature(call).parameters)
    found.pop("self", None)
    return found


@dataclass(frozen=True)
class Case:
    """One loss with inputs that it can be called with."""

    card: Card
    call: Callable[..., Tensor]
    inputs: dict[str, Any]
    sizes: Sizes
    function: Callable[..., Any]

    def loss(self, **changes: Any) -> Tensor:
        return self.call(**{**self.inputs, **changes})

    def having(self, **changes: Any) -> Case:
        return dataclasses.replace(self, inputs={**self.inputs, **changes})

    def takes(self, name: str) -> bool:
        return name in parameters(self.card)

    def names(self, side: str) -> list[str]:
        """The inputs of one side, ``"student"`` or ``"teacher"`` (which includes ``teachers_``)."""
        return [n for n, v in self.inputs.items() if n.startswith(side) and tensors_of(v)]

    def leaves(self) -> tuple[Case, list[Tensor]]:
        """The same case with student tensors that collect gradients, and these tensors."""
        fresh = {
            n: map_tensors(self.inputs[n], lambda t: t.detach().clone().requires_grad_())
            for n in self.names("student")
        }
        return self.having(**fresh), [t for v in fresh.values() for t in tensors_of(v)]

    def gradients(self, **changes: Any) -> list[Tensor]:
        case, leaves = self.having(**changes).leaves()
        value = case.loss()
        return [
            torch.zeros_like(leaf) if g is None else g
            for leaf, g in zip(
                leaves, torch.autograd.grad(value.sum(), leaves, allow_unused=True), strict=True
            )
        ]

    def equal_sides(self) -> Case:
        """The teacher's inputs replaced by the student's, where each has a counterpart."""
        changes: dict[str, Any] = {}
        for name in self.names("teacher"):
            twin = name.replace("teachers", "student").replace("teacher", "student")
            mine = self.inputs.get(twin)
            if mine is None:
                continue
            count = len(self.inputs[name]) if name.startswith("teachers") else 0
            copy = map_tensors(mine, lambda t: t.detach().clone())
            changes[name] = [copy] * count if count else copy
        return self.having(**changes)


def map_tensors(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, list | tuple):
        return type(value)(map_tensors(v, function) for v in value)
    return value


def tensors_of(value: Any) -> list[Tensor]:
    """The floating-point tensors in a tensor, list or tuple."""
    if isinstance(value, Tensor):
        return [value] if value.is_floating_point() else []
    return [t for v in value for t in tensors_of(v)] if isinstance(value, list | tuple) else []


def make_case(
    name: str, sizes: Sizes | None = None, *, function: Callable[..., Any] | None = None
) -> Case:
    """A case of a public loss; ``function`` puts another implementation in its place.

    Raises:
        LookupError: A required parameter has no standard name and the loss no example.
    """
    sizes = sizes or Sizes()
    card = CARDS[name]
    function = call = function or card.function
    if is_module(card):
        torch.manual_seed(sizes.seed)
        arguments = CONSTRUCTORS[name](sizes) if name in CONSTRUCTORS else {}
        try:
            call = _build(call, arguments, sizes.dtype)
        except TypeError as error:
            raise LookupError(
                f"{name} cannot be built with {arguments}: {error}; add @constructor({name!r}) "
                "to a file tests/losses/examples/<family>.py"
            ) from error
    if name in EXAMPLES:
        return Case(card, call, EXAMPLES[name](sizes), sizes, function)
    inputs: dict[str, Any] = {}
    for parameter in parameters(card).values():
        if parameter.name in BINDERS:
            inputs[parameter.name] = BINDERS[parameter.name](sizes)
        elif parameter.default is inspect.Parameter.empty:
            raise LookupError(
                f"{name}: nothing is known to bind its parameter {parameter.name!r} to; "
                f"add @example({name!r}) to a file tests/losses/examples/<family>.py"
            )
    return Case(card, call, inputs, sizes, function)


def _build(cls: Callable[..., Any], arguments: dict[str, Any], dtype: torch.dtype) -> nn.Module:
    module = cls(**arguments)
    # As in mixed-precision training, parameters stay in float32 when the inputs are halves.
    return module.to(torch.float64) if dtype == torch.float64 else module


def close(found: Tensor, expected: Tensor | float, tolerance: float, what: str = "") -> None:
    expected = torch.as_tensor(expected, dtype=torch.float64).detach()
    found = found.detach().to(torch.float64)
    assert found.shape == expected.shape, f"{what}: {found.shape} is not {expected.shape}"
    scale = max(1.0, float(expected.abs().max()) if expected.numel() else 1.0)
    gap = float((found - expected).abs().max()) if expected.numel() else 0.0
    assert math.isfinite(gap), f"{what}: {found} is not {expected}"
    assert gap <= tolerance * scale, f"{what}: off by {gap:.3g} ({found} is not {expected})"
