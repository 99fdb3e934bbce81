"""What a task asks of a run: the loss on labels, what is measured, what distils it by default."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from didact import metrics
from didact._core.errors import UsageError
from didact.data import Data, TaskName, is_labelled
from didact.losses import CARDS

Json = dict[str, Any]
EVERY_TASK_FAMILIES = ("features", "relations")
UNLABELLED = -1


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of label.

    Attributes:
        name: As ``--task`` has it.
        metric: What runs are judged by, measured on the test split.
        higher_is_better: Whether more of it is better.
        default_loss: What distils where the user named no loss.
        logit_losses: didact's losses on logits that mean something here; None for all.
        score: From outputs and targets to the numbers of ``result.json``.
        combine: One output that stands for several teachers': ``(outputs, weights, temperature)``.
        agreement: From the outputs of two models to how alike they are.
        label_loss: From outputs and usable targets, in the units of the training, to ``[N]``.
    """

    name: TaskName
    metric: str
    higher_is_better: bool
    default_loss: str
    logit_losses: frozenset[str] | None
    score: Callable[[Tensor, Tensor], Json]
    combine: Callable[[Sequence[Tensor], Sequence[float], float], Tensor]
    agreement: Callable[[Tensor, Tensor], Json]
    label_loss: Callable[[Tensor, Tensor, Tensor | None], Tensor]

    @property
    def has_classes(self) -> bool:
        """Whether one class of several is meant, so that probabilities over them sum to 1."""
        return self.name in ("single-label", "soft-label")

    def metric_on(self, split: str) -> str:
        """What the metric is called, measured on ``"test"`` or ``"validation"``."""
        accuracy = self.metric == "test_accuracy" and split == "validation"
        return "validation_accuracy" if accuracy else self.metric

    def numbers(self, outputs: Tensor, targets: Tensor, teacher: Tensor | None, split: str) -> Json:
        """The numbers of one arm and seed that ``result.json`` lists."""
        found = self.score(outputs, targets)
        found = {self.metric_on(split) if k == self.metric else k: v for k, v in found.items()}
        if teacher is not None:
            found |= self.agreement(outputs, teacher)
        return {name: float(value) for name, value in found.items() if math.isfinite(value)}

    def validated(self, outputs: Tensor, targets: Tensor) -> Json:
        """What an epoch's row says of the validation split."""
        found = self.score(outputs, targets)
        first = "accuracy" if self.metric == "test_accuracy" else self.metric
        shown = {self.metric: first, "rmse": "rmse", "nll": "nll"}
        return {
            f"validation_{name}": found[key]
            for key, name in shown.items()
            if math.isfinite(found.get(key, math.nan))
        }

    def goodness(self, outputs: Tensor, targets: Tensor) -> float:
        """The metric, signed so that more is better."""
        value = float(self.score(outputs, targets)[self.metric])
        return value if self.higher_is_better else -value


def classes_of(targets: Tensor) -> Tensor:
    """The class of each sample; of a distribution over classes the likeliest."""
    return targets.argmax(dim=1) if targets.is_floating_point() else targets


def mean_probs_logits(
    teachers_logits: Sequence[Tensor], weights: Sequence[float], temperature: float
) -> Tensor:
    """Logits whose softmax at T is the weighted mean of the teachers' probabilities at T.

    ``T * log(sum_i w_i softmax(t_i / T))``, in log space; shape as each teacher's logits.
    """
    stacked = torch.stack([F.log_softmax(t.float() / temperature, dim=-1) for t in teachers_logits])
    log_weights = stacked.new_tensor(weights).log().reshape(-1, *[1] * (stacked.dim() - 1))
    return torch.logsumexp(stacked + log_weights, dim=0) * temperature


def _mean_yes_logits(
    teachers_logits: Sequence[Tensor], weights: Sequence[float], temperature: float
) -> Tensor:
    """Logits whose sigmoid at T is the weighted mean of the teachers' sigmoids at T."""
    scaled = torch.stack([logits.float() / temperature for logits in teachers_logits])
    log_weights = scaled.new_tensor(weights).log().reshape(-1, *[1] * (scaled.dim() - 1))
    yes, no = (torch.logsumexp(F.logsigmoid(x) + log_weights, dim=0) for x in (scaled, -scaled))
    return (yes - no) * temperature


def _mean_numbers(
    predictions: Sequence[Tensor], weights: Sequence[float], temperature: float
) -> Tensor:
    del temperature  # numbers have none
    return torch.stack([w * p.float() for w, p in zip(weights, predictions, strict=True)]).sum(0)


def _class_scores(logits: Tensor, targets: Tensor) -> Json:
    labels = classes_of(targets)
    return {
        "test_accuracy": metrics.accuracy(logits, labels),
        "nll": metrics.negative_log_likelihood(logits, labels),
        "ece": metrics.expected_calibration_error(logits, labels).error,
        "brier": metrics.brier_score(logits, labels),
    }


def _class_agreement(logits: Tensor, teacher: Tensor) -> Json:
    return {
        "agreement_top1": metrics.agreement_top1(logits, teacher),
        "agreement_kl": metrics.agreement_kl(logits, teacher),
    }


def _label_scores(logits: Tensor, targets: Tensor) -> Json:
    return {
        "mean_average_precision": metrics.mean_average_precision(logits, targets),
        "f1_macro": metrics.multilabel_f1(logits, targets, average="macro"),
        "f1_micro": metrics.multilabel_f1(logits, targets, average="micro"),
        "nll": metrics.binary_negative_log_likelihood(logits, targets),
    }


def _label_agreement(logits: Tensor, teacher: Tensor) -> Json:
    return {"agreement_labels": ((logits > 0) == (teacher > 0)).double().mean().item()}


def _number_scores(predictions: Tensor, targets: Tensor) -> Json:
    return {
        "mae": metrics.mean_absolute_error(predictions, targets),
        "rmse": metrics.root_mean_squared_error(predictions, targets),
        "r2": metrics.explained_variance(predictions, targets),
    }


def _number_agreement(predictions: Tensor, teacher: Tensor) -> Json:
    return {"distance_from_teacher": metrics.mean_absolute_error(predictions, teacher)}


def _cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None or not targets.is_floating_point():
        return F.cross_entropy(logits, targets, weight=weights, reduction="none")
    return -(weights * targets * F.log_softmax(logits, dim=-1)).sum(dim=-1)


def _binary_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    loss = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights, reduction="none")
    return loss.mean(dim=-1)


def _squared_error(predictions: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    del weights  # numbers have no classes
    return F.mse_loss(predictions, targets, reduction="none").mean(dim=-1)


_CLASSES = (
    "test_accuracy",
    True,
    "kd",
    None,
    _class_scores,
    mean_probs_logits,
    _class_agreement,
    _cross_entropy,
)
TASKS: dict[str, Task] = {
    "single-label": Task("single-label", *_CLASSES),
    "soft-label": Task("soft-label", *_CLASSES),
    "multi-label": Task(
        "multi-label",
        "mean_average_precision",
        True,
        "binary_kd",
        frozenset({"binary_kd", "mse_logits"}),
        _label_scores,
        _mean_yes_logits,
        _label_agreement,
        _binary_cross_entropy,
    ),
    "regression": Task(
        "regression",
        "mae",
        False,
        "mse_logits",
        frozenset({"mse_logits"}),
        _number_scores,
        _mean_numbers,
        _number_agreement,
        _squared_error,
    ),
}


@dataclass(frozen=True, slots=True)
class LabelLoss:
    """The loss on labels of one run and seed.

    Attributes:
        task: Whose.
        weights: Of the classes, or of the yeses to each label; None where all count alike.
        scale: By what numbers to predict are divided, after ``shift`` is taken off; None for
            other tasks.
        shift: Their mean.
    """

    task: Task
    weights: Tensor | None = None
    scale: Tensor | None = None
    shift: Tensor | None = field(default=None)

    def standard(self, values: Tensor) -> Tensor:
        """Numbers to predict in the units of the training; of other tasks the same."""
        if self.scale is None or self.shift is None:
            return values
        return (values.float() - self.shift.to(values.device)) / self.scale.to(values.device)

    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The mean over the samples that have a label, 0 where none has."""
        if self.weights is None and not labels.is_floating_point():
            return F.cross_entropy(outputs, labels, ignore_index=UNLABELLED)
        known = is_labelled(labels)
        if not bool(known.all()):
            outputs, labels = outputs[known], labels[known]
        if not len(labels):
            return outputs.sum() * 0.0
        weights = None if self.weights is None else self.weights.to(outputs.device)
        return self.task.label_loss(outputs, labels, weights).mean()


def label_loss_of(data: Data, class_weight: tuple[float, ...] | str | None) -> LabelLoss:
    """The loss on labels for a data set.

    Raises:
        UsageError: Weights for a task without classes, or another number of them.
    """
    task = TASKS[data.task]
    if task.name == "regression":
        mean, deviation = data.units()
        _refuse_weights(class_weight)
        return LabelLoss(task, scale=deviation, shift=mean)
    return LabelLoss(task, class_weights(data, class_weight))


def _refuse_weights(class_weight: object) -> None:
    if class_weight is not None:
        raise UsageError("class-weight is for classes and labels; task is regression")


def class_weights(data: Data, wanted: tuple[float, ...] | str | None) -> Tensor | None:
    """Weights ``[K]``, for classes with mean 1 over the labelled training samples.

    ``"balanced"`` gives each class ``N / (K n_c)``, so that all count alike, and each label's yes
    ``(N - n_c) / n_c``, so that its yeses count as much as its noes.

    Raises:
        UsageError: Another number of weights than classes, or one that is not above 0.
    """
    if wanted is None:
        return None
    labels = data.train.labels[data.labelled]
    shares = _shares(data, labels)
    if isinstance(wanted, str):
        multi = data.task == "multi-label"
        return ((1 - shares) if multi else 1 / data.num_classes) / shares.clamp(min=1e-6)
    weights = torch.tensor(wanted, dtype=torch.float32)
    if len(weights) != data.num_classes or not bool((weights > 0).all()):
        raise UsageError(
            f"class-weight has {len(weights)} numbers ({', '.join(f'{w:g}' for w in wanted)}) and "
            f"{data.name} has {data.num_classes} classes; expected one above 0 for each, or "
            "balanced"
        )
    return weights if data.task == "multi-label" else weights / (weights * shares).sum()


def sampling_of(data: Data, labels: Tensor, sampling: str) -> Tensor | None:
    """How often each sample is drawn, so that every class comes equally often; None for once.

    A sample with several labels is drawn as often as its rarest label asks for; one without a
    label that may be used as often as the average.

    Raises:
        UsageError: A task without classes.
    """
    if sampling == "shuffled":
        return None
    if data.task == "regression":
        raise UsageError("sampling balanced is for classes and labels; task is regression")
    known = is_labelled(labels)
    shares = _shares(data, labels[known]).clamp(min=1e-6)
    if labels.is_floating_point():
        rarity = torch.where(labels > 0.5, 1 / shares, 0.0).amax(dim=1)
        rarity = torch.where(rarity > 0, rarity, torch.ones_like(rarity))
    else:
        rarity = (1 / shares)[labels.clamp(min=0)]
    average = float(rarity[known].mean()) if bool(known.any()) else 1.0
    return torch.where(known, rarity, torch.full_like(rarity, average))


def _shares(data: Data, labels: Tensor) -> Tensor:
    """Of each class or label, the share of samples that have it."""
    if labels.is_floating_point():
        return labels.mean(dim=0)
    return torch.bincount(labels, minlength=data.num_classes).float() / max(len(labels), 1)


def refuse_loss(name: str, task: Task, *, one_class: bool, mixed: bool) -> None:
    """Refuse a loss of didact's that has no meaning for a task.

    Args:
        name: As the user named it.
        task: Of the data.
        one_class: Whether it asks for one class of each sample.
        mixed: Whether samples are mixed, so that they have several.

    Raises:
        UsageError: It compares probabilities over classes, and there are none; or it asks for one
            class where a sample has several.
    """
    card = CARDS.get(name)
    if card is not None and task.logit_losses is not None:
        fits = card.family in EVERY_TASK_FAMILIES or name in task.logit_losses
        if not fits:
            raise UsageError(
                f"loss {name} compares probabilities over classes, and task is {task.name}; take "
                f"{' or '.join(sorted(task.logit_losses))}, or one on features, or your own"
            )
    if one_class and (mixed or task.name != "single-label"):
        why = "mixup and cutmix give it two" if mixed else f"task is {task.name}"
        raise UsageError(f"loss {name} asks for one class of each sample, and {why}; take another")
