"""A teacher that stays as it was: in eval mode, without gradients, out of the optimiser."""

from __future__ import annotations

import copy as copying
from collections.abc import Iterator
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from didact._core.errors import ModelError
from didact.nn.files.programs import ScriptModel
from didact.nn.inspection.unwrap import unwrap

MOST_CACHED_LOGITS = 50_000_000
"""So many of a teacher's logits are kept in memory where its images never change; 200 MB."""


class Frozen(nn.Module):
    """A module that hides its parameters from optimisers and does not leave its eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.training = False

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002
        """Does nothing: a teacher does not train."""
        return self

    def named_parameters(
        self,
        prefix: str = "",  # noqa: ARG002
        recurse: bool = True,  # noqa: ARG002
        remove_duplicate: bool = True,  # noqa: ARG002
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """None: what an optimiser asks for here must not be trained."""
        return iter(())


class Teacher(Frozen):
    """A frozen model whose output is a constant to the student.

    - It is in eval mode and deaf to ``train()``, its own and that of any module it sits in; a
      part of it that was switched to training by other means is switched back before it runs.
    - Its forward runs under ``no_grad`` and the output is detached. The output is an ordinary
      tensor, not an inference tensor, so the student's graph may hold it.
    - A teacher in half or double precision is given its inputs in it, outside of autocast.
    - A forward leaves every buffer as it was, also buffers that a module changes in eval mode.
    - ``parameters()`` yields nothing, so no optimiser can be given them by accident.
      ``state_dict()``, ``load_state_dict()``, ``to()`` and ``half()`` work as on any module; the
      model itself is :attr:`model`, and the keys of the state begin with ``model.``.

    Args:
        model: The model to learn from. A wrapper (DDP, Fabric, ``torch.compile``) is taken off
            before the model is copied: compile the teacher itself if it shall be compiled.
        copy: With True (the default) the teacher is a copy: whatever is done to ``model`` later,
            training it included, does not reach the teacher, and ``model`` is left as it is. With
            False nothing is copied: ``model`` itself is frozen and put in eval mode for good, and
            must not be trained any more. Use it where two copies do not fit in memory.

    Raises:
        ModelError: ``model`` is no module, or it cannot be copied.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from didact.nn import Teacher
        >>> teacher = Teacher(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)))
        >>> logits = teacher.train()(torch.zeros(2, 4))
        >>> logits.requires_grad, teacher.training, list(teacher.parameters())
        (False, False, [])
    """

    model: nn.Module

    def __init__(self, model: nn.Module, *, copy: bool = True) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise ModelError(f"a teacher is made of an nn.Module, not of {type(model).__name__}")
        if isinstance(model, Teacher):
            model = model.model
        self.model = _copy(unwrap(model)) if copy else model
        if isinstance(self.model, torch.jit.ScriptModule):
            self.model = ScriptModel(self.model)
        self.model.requires_grad_(False)
        self.model.eval()
        self._buffers_changed = _buffers_changed_in_eval(self.model)
        self._parts = tuple(self.model.modules())  # walking the tree costs 20 times as much

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The model's output, detached."""
        args, kwargs = self._in_its_precision((args, kwargs))
        with torch.no_grad():
            if any(part.training for part in self._parts):
                self.model.eval()
            if self._buffers_changed:
                scratch = {
                    name: self.model.get_buffer(name).clone() for name in self._buffers_changed
                }
                output = torch.func.functional_call(self.model, scratch, args, kwargs)
            else:
                output = self.model(*args, **kwargs)
        return output.detach() if isinstance(output, Tensor) else _detach(output)

    def _in_its_precision(self, inputs: Any) -> Any:
        """The inputs, with numbers of the type that all of the model's parameters have."""
        own = next((p for p in self.model.parameters() if p.is_floating_point()), None)
        if own is None or own.dtype == torch.float32 or torch.is_autocast_enabled(own.device.type):
            return inputs
        if {p.dtype for p in self.model.parameters() if p.is_floating_point()} != {own.dtype}:
            return inputs
        return tree_map_only(
            Tensor, lambda t: t.to(own.dtype) if t.is_floating_point() else t, inputs
        )


def _detach(output: Any) -> Any:
    return tree_map_only(Tensor, Tensor.detach, output)


def _copy(model: nn.Module) -> nn.Module:
    try:
        with torch.no_grad():  # of TorchScript a copy's parameters would be no leaves
            return copying.deepcopy(model)
    except Exception as error:
        raise ModelError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}: {error}); "
            "Teacher(model, copy=False) freezes the model itself instead"
        ) from error


def _buffers_changed_in_eval(model: nn.Module) -> list[str]:
    """Buffers that a forward in eval mode may change: all but those of torch's own modules."""
    return [
        f"{path}.{name}" if path else name
        for path, module in model.named_modules()
        if not type(module).__module__.startswith("torch.nn.")
        for name, _ in module.named_buffers(recurse=False)
    ]
