"""The gradients that one training step makes, whatever the step does with them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from didact.probe.errors import ProbeError

Step = Callable[[nn.Module, nn.Module, Any], Any]
_NOISY = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


class Frozen:
    """Notes every gradient that arrives at a model, and puts the model back at the end.

    Args:
        model: The model.
        still: Also hold batch normalisation and dropout in eval mode, against ``train()``.
    """

    def __init__(self, model: nn.Module, *, still: bool = True) -> None:
        self.model, self.still = model, still
        self.gradients: dict[str, Tensor] = {}

    def __enter__(self) -> Self:
        model = self.model
        self._state = copy.deepcopy(model.state_dict())
        self._modes = [(m, m.training) for m in model.modules()]
        self._grads = [(p, p.grad) for p in model.parameters()]
        for parameter in model.parameters():
            parameter.grad = None
        self._hooks = [
            p.register_hook(partial(self._note, n))  # type: ignore[no-untyped-call]
            for n, p in model.named_parameters()
            if p.requires_grad
        ]
        self._held = [m for m in model.modules() if self.still and isinstance(m, _NOISY)]
        for module in self._held:
            module.eval()
            module.__dict__["train"] = _deaf(module)
        return self

    def _note(self, name: str, gradient: Tensor) -> None:
        known = self.gradients.get(name)
        new = gradient.detach().clone()
        self.gradients[name] = new if known is None else known + new

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for module in self._held:
            module.__dict__.pop("train", None)
        for hook in self._hooks:
            hook.remove()
        self.model.load_state_dict(self._state)
        for each, mode in self._modes:
            each.training = mode
        for parameter, gradient in self._grads:
            parameter.grad = gradient

    def norm(self) -> float:
        """The length of all gradients together."""
        return float(sum(float(g.norm()) ** 2 for g in self.gradients.values()) ** 0.5)

    def listed(self) -> list[Tensor]:
        """One gradient for each trainable parameter, zero where none arrived."""
        return [
            self.gradients.get(n, torch.zeros_like(p))
            for n, p in self.model.named_parameters()
            if p.requires_grad
        ]


def _deaf(module: nn.Module) -> Callable[[bool], nn.Module]:
    def train(_mode: bool = True) -> nn.Module:
        return module

    return train


def gradients_of(
    step: Step, student: nn.Module, teacher: nn.Module, batch: Any, *, still: bool = True
) -> list[Tensor]:
    """The gradients of the student's parameters; both models are put back, unless ``still`` is off.

    Raises:
        ProbeError: The step neither calls ``backward`` nor returns something to call it on.
    """
    teacher_guard = Frozen(teacher, still=still) if still else None
    with torch.random.fork_rng(devices=[]), Frozen(student, still=still) as noted:
        torch.manual_seed(0)
        if teacher_guard is None:
            backpropagate(step(student, teacher, batch), noted)
        else:
            with teacher_guard:
                backpropagate(step(student, teacher, batch), noted)
        return noted.listed()


def backpropagate(returned: Any, noted: Frozen) -> None:
    """Call ``backward`` where the step has not.

    Raises:
        ProbeError: There is nothing to call it on.
    """
    if noted.gradients:
        return
    loss = returned
    if isinstance(returned, Mapping):
        tensors = [v for v in returned.values() if isinstance(v, Tensor) and v.numel() == 1]
        loss = returned["loss"] if "loss" in returned else sum(tensors)
    elif isinstance(returned, list | tuple) and returned:
        loss = returned[0]
    if not isinstance(loss, Tensor):
        name = type(returned).__name__
        raise ProbeError(
            f"the step returned {name} and called no backward(); expected it to return the loss, "
            "or to call backward() itself",
            f"训练步返回了 {name}，也没有调用 backward()；应返回损失，或自行调用 backward()",
        )
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]


def difference(found: list[Tensor], expected: list[Tensor]) -> float:
    """The relative difference of two gradients."""
    size = sum(float(e.norm()) ** 2 for e in expected) ** 0.5
    gap = sum(float((f - e).norm()) ** 2 for f, e in zip(found, expected, strict=True)) ** 0.5
    return float(gap / size) if size else float(gap)
