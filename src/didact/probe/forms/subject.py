"""The bound loss as a function with a value and a gradient, alone or without its label term."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from didact.probe.binding.binding import Binding
from didact.probe.forms.evaluation import Evaluation, evaluate
from didact.probe.forms.label_forms import LabelForm
from didact.probe.inputs.changes import relabelled
from didact.probe.inputs.inputs import Inputs


@dataclass(frozen=True)
class Subject:
    """What the laws are tried on.

    Attributes:
        binding: How the loss is called.
        label_form: The term that depends on labels, to be taken off; ``None``: nothing is.
    """

    binding: Binding
    label_form: LabelForm | None = None

    def __call__(self, inputs: Inputs) -> Evaluation:
        """The value and gradient of the distillation term."""
        whole = self.whole(inputs)
        if self.label_form is None:
            return whole
        weight, part = self.label_part(inputs, whole)
        gradient = whole.gradient - weight * part.gradient
        size = max(whole.norm, abs(weight) * part.norm)
        if float(gradient.norm()) <= 1e-12 * size:
            gradient = torch.zeros_like(gradient)
        return Evaluation(whole.value - weight * part.value, gradient, whole.connected)

    def whole(self, inputs: Inputs) -> Evaluation:
        """The value and gradient of the loss as it is."""
        student = inputs.student.detach().to(self.binding.dtype).requires_grad_()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            value = self.binding(inputs.having(student=student))
        return evaluate(value, student)

    def label_part(self, inputs: Inputs, whole: Evaluation) -> tuple[float, Evaluation]:
        """The weight of the label term at these inputs, and the term."""
        if self.label_form is None:
            return 0.0, Evaluation(0.0, torch.zeros_like(whole.gradient), connected=True)
        other = inputs.having(labels=relabelled(inputs))
        measured = whole.gradient - self.whole(other).gradient
        best = (float("inf"), 0.0, whole)
        for masked in (True, False) if inputs.mask is not None else (True,):
            here, there = (self.label_form(i, masked=masked) for i in (inputs, other))
            rise = here.gradient - there.gradient
            square = float((rise * rise).sum())
            weight = float((measured * rise).sum()) / square if square else 0.0
            left_over = float((measured - weight * rise).norm())
            best = min(best, (left_over, weight, here), key=lambda candidate: candidate[0])
        return best[1], best[2]

    def has(self, role: str) -> bool:
        """Whether the loss takes an input of this role."""
        return self.binding.has(role)  # type: ignore[arg-type]
