"""The loss of a run: ``(1 - lambda) * CE + lambda * (weighted sum of distillation losses)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from didact.data import is_labelled
from didact.train.distilling.ramp import Ramp
from didact.train.distilling.tasks import TASKS, LabelLoss

Terms = dict[str, Tensor]
Features = Tensor | Sequence[Tensor]


@dataclass(frozen=True, slots=True)
class StepOutputs:
    """What a loss may look at for one part of a batch.

    ``labels`` are -1, or NaN, where a sample has none; numbers to predict come with mean 0 and
    deviation 1, and so do outputs; ``indices`` are the samples' places in the training
    split; ``features`` holds the student's and the teacher's for each loss that compares features.
    ``share`` and ``labelled_share`` turn a mean over this part into its share of the mean over the
    whole step (all components, all devices).
    """

    student_logits: Tensor
    teachers_logits: Sequence[Tensor]
    labels: Tensor
    indices: Tensor | None = None
    features: Mapping[str, tuple[Features, Features]] = field(default_factory=dict)
    share: float = 1.0
    labelled_share: float = 1.0


@dataclass(frozen=True, slots=True)
class DistillationTerm:
    """One distillation loss of a run.

    Attributes:
        name: As the user named it.
        function: Called with the keyword arguments that ``inputs`` maps to its parameters.
        weight: Its factor in the sum of distillation losses.
        inputs: From what didact has (``student_logits``, ``temperature``, ...) to the name of the
            function's parameter for it.
        options: Further keyword arguments, constant over the run.
        labels_optional: Whether the loss does without labels where a sample has none.
    """

    name: str
    function: Callable[..., Tensor]
    weight: float
    inputs: Mapping[str, str]
    options: Mapping[str, Any]
    labels_optional: bool = False


@dataclass(frozen=True, slots=True)
class LabelObjective:
    """The loss on the labelled samples: how a teacher and a student alone are trained."""

    label_loss: LabelLoss

    def __call__(self, outputs: StepOutputs, fraction: float) -> Terms:  # noqa: ARG002 - always the same
        """The one term."""
        return {"label": label_term(outputs, self.label_loss)}


@dataclass(frozen=True, slots=True)
class DistillationObjective:
    """Label term and distillation terms, weighted as the run's fraction done says.

    Attributes:
        terms: The distillation losses, summed with their weights.
        kd_weight: lambda over the run.
        temperature: T over the run, for every loss that has a temperature.
        warmup: The fraction of the run over which lambda grows linearly from 0 to its value.
        combine: Several teachers: ``"probs"`` averages their probabilities at T into one target,
            ``"losses"`` averages the losses to each of them.
        teacher_weights: One for each teacher; they sum to 1.
        label_loss: Of the task.
    """

    terms: Sequence[DistillationTerm]
    kd_weight: Ramp
    temperature: Ramp
    warmup: float
    combine: Literal["probs", "losses"]
    teacher_weights: Sequence[float]
    label_loss: LabelLoss = field(default_factory=lambda: LabelLoss(TASKS["single-label"]))

    def __call__(self, outputs: StepOutputs, fraction: float) -> Terms:
        """The named terms for one part of a batch; their sum is the loss."""
        weight = self.kd_weight.at(fraction)
        if fraction < self.warmup:
            weight *= fraction / self.warmup
        temperature = self.temperature.at(fraction)
        found: Terms = {}
        if weight < 1:
            found["label"] = (1 - weight) * label_term(outputs, self.label_loss)
        if weight > 0:
            for term in self.terms:
                value = self._over_teachers(term, outputs, temperature, fraction)
                found[term.name] = weight * term.weight * value
        return found

    def _over_teachers(
        self, term: DistillationTerm, outputs: StepOutputs, temperature: float, fraction: float
    ) -> Tensor:
        given = {"temperature": temperature, "progress": fraction}
        if len(outputs.teachers_logits) < 2 or "teacher_logits" not in term.inputs:
            return _apply(term, outputs, outputs.teachers_logits[0], given)
        if self.combine == "probs":
            used = temperature if "temperature" in term.inputs else 1.0
            combine = self.label_loss.task.combine
            mean = combine(outputs.teachers_logits, self.teacher_weights, used)
            return _apply(term, outputs, mean, given)
        values = [_apply(term, outputs, one, given) for one in outputs.teachers_logits]
        pairs = zip(self.teacher_weights, values, strict=True)
        return torch.stack([weight * value for weight, value in pairs]).sum()


def label_term(outputs: StepOutputs, label_loss: LabelLoss) -> Tensor:
    """The loss on labels over the labelled samples of the whole step: this part's share."""
    if outputs.labelled_share == 0:
        return outputs.student_logits.sum() * 0.0
    loss = label_loss(outputs.student_logits, outputs.labels)
    return loss if outputs.labelled_share == 1 else loss * outputs.labelled_share


def _apply(
    term: DistillationTerm, outputs: StepOutputs, teacher_logits: Tensor, given: Mapping[str, Any]
) -> Tensor:
    student_features, teacher_features = outputs.features.get(term.name, (None, None))
    available: dict[str, Any] = {
        **given,
        "student_logits": outputs.student_logits,
        "teacher_logits": teacher_logits,
        "teachers_logits": outputs.teachers_logits,
        "labels": outputs.labels,
        "indices": outputs.indices,
        "student_features": student_features,
        "teacher_features": teacher_features,
    }
    inputs, share = dict(term.inputs), outputs.share
    if "labels" in inputs and term.labels_optional and outputs.labels.is_floating_point():
        del inputs["labels"]  # it would take them for class numbers
    if "labels" in inputs and bool((labelled := is_labelled(outputs.labels)).logical_not().any()):
        if term.labels_optional:
            del inputs["labels"]
        elif outputs.labelled_share == 0 or not bool(labelled.any()):
            return outputs.student_logits.sum() * 0.0
        else:
            share = outputs.labelled_share
            available = _rows(available, labelled)
    elif "labels" in inputs and not term.labels_optional:
        share = outputs.labelled_share
    arguments = {parameter: available[name] for name, parameter in inputs.items()}
    value = term.function(**arguments, **term.options)
    return value if share == 1 else value * share


def _rows(available: Mapping[str, Any], wanted: Tensor) -> dict[str, Any]:
    """The same with only the wanted samples."""

    def pick(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value[wanted]
        return [one[wanted] for one in value] if isinstance(value, list | tuple) else value

    return {name: pick(value) for name, value in available.items()}
