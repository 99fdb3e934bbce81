"""Zhang et al. 2023: SLCA, a slow learner with classifier alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from didact.data import Batch, Task, generator_for
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.options import above_zero, at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage

RIDGE = 1e-4
SHRUNK = 0.9


@dataclass(frozen=True)
class SlcaOptions:
    """Hyperparameters of SLCA.

    Attributes:
        slow: The network's learning rate as a fraction of the classifier's; 0.0001 beside 0.01. It
            is for a network that was trained beforehand: give 1 for one that was not.
        align_epochs: Epochs of the classifier's alignment, but no more than the training has; 5 in
            the paper's experiments.
        temperature: tau of the normalised logits; 0.1. With 0 logits are taken as they are.
    """

    slow: float = 0.01
    align_epochs: int = 5
    temperature: float = 0.1

    def __post_init__(self) -> None:
        at_least("slca.slow", self.slow, 0)
        at_least("slca.align_epochs", self.align_epochs, 0)
        at_least("slca.temperature", self.temperature, 0)
        above_zero("2 - slca.slow", 2 - self.slow)


@method(
    "slca",
    summary="The network learns slowly; its classifier is aligned on features drawn by class.",
    paper="Zhang et al. 2023, arXiv:2303.05118",
    group="Pre-trained transformers",
)
class Slca(Method):
    """``CE`` over the task's columns, the network at a hundredth of the rate; then alignment.

    Each class is remembered as the mean and the covariance of its features. From the second task
    on the classifier alone is trained on features drawn from these, as many of each class:
    ``CE(z / (tau * mean_t |z_t|), y)``, ``z_t`` being the logits of a task's classes. A step draws
    as many as a batch has. Any network will do.

    Paper: Zhang et al. 2023, ICCV, arXiv:2303.05118, sections 3.2 and 3.3.

    Compared:
        rate of the network: 0.0001 beside 0.01 | the same | ``slow`` of the run's
        features: a Gaussian of each class | with 0.0001 on the diagonal, means of earlier tasks
            shortened by up to a tenth | the same
        drawn: 256 of each class in an epoch | the same, batches of 256 | a batch in each step, as
            many steps as the task has
        logits: divided by their norm, tau 0.1 | by the mean of the norms of all tasks, tau 0.1 | by
            the mean of the norms of all tasks, tau 0.1
        schedule of the alignment: not said | cosine, 5 or 3 epochs at the classifier's rate | the
            run's, 5 epochs at most
        classes of the cross-entropy: the task's | the task's | the task's
    """

    Options = SlcaOptions
    needs_pretrained = True

    def stages(self, task: Task) -> Sequence[Stage]:
        """Everything on the task, the network slowly; then the classifier alone."""
        options: SlcaOptions = self.options
        stages = [Stage("train", self.with_exemplars(task.train), parameters=self._two_rates)]
        epochs = min(options.align_epochs, self.setting.epochs)
        if 0 < task.known < task.seen and epochs:
            alignment = Stage(
                "alignment",
                task.train,
                parameters=lambda: self.network.classifier.parameters(),
                epochs=epochs,
                evaluation_mode=True,
                augment=False,
            )
            stages.append(alignment)
        return stages

    def _two_rates(self) -> list[dict[str, object]]:
        head = list(self.network.classifier.parameters())
        ids = {id(parameter) for parameter in head}
        rest = [p for p in self.network.parameters() if id(p) not in ids and p.requires_grad]
        groups: list[dict[str, Any]] = [{"params": head, "factor": 1.0}]
        if rest and self.options.slow:
            groups.append({"params": rest, "factor": self.options.slow})
        return groups

    def losses(self, batch: Batch) -> Terms:
        """``CE`` over the task's columns; in the alignment over all, on drawn features."""
        if self.stage.name == "train":
            logits = self.logits(batch.images)
            own = self.cross_entropy(logits, batch.labels, self.task.columns)
            return {"classification": own}
        features, labels = self.drawn(len(batch.labels))
        logits = self.network.classifier(features)
        if self.options.temperature:
            logits = normalised_logits(logits, self._sizes()) / self.options.temperature
        return {"classification": self.cross_entropy(logits, labels)}

    def drawn(self, count: int) -> tuple[Tensor, Tensor]:
        """Features of classes drawn with equal chances, and their columns."""
        setting, at = self.setting, self.moment
        generator = generator_for(
            setting.seed, "features", setting.rank, at.task, at.epoch, at.step
        )
        means, factors = self.kept["means"], self.kept["factors"]
        labels = torch.randint(len(means), (count,), generator=generator)
        noise = torch.randn(count, means.shape[1], generator=generator).to(means)
        labels = labels.to(means.device)
        sizes = self._sizes()
        age = torch.cat([torch.full((size,), n + 1) for n, size in enumerate(sizes)]).to(means)
        shortened = means * (SHRUNK + (1 - SHRUNK) * age / len(sizes)).unsqueeze(1)
        features = shortened[labels] + torch.einsum("bij,bj->bi", factors[labels], noise)
        return features.to(self.network.classifier.weight.dtype), labels

    def _sizes(self) -> list[int]:
        """How many new classes each task so far has brought."""
        return [int(size) for size in self.kept["sizes"]]

    def after_stage(self, stage: Stage) -> None:
        """Remember the new classes' features as Gaussians."""
        task = self.task
        if stage.name != "train" or task.known == task.seen:
            return
        new = task.train.labels >= task.known
        split = task.train.subset(new.nonzero().flatten())
        features = self.map_images(split, self.features).double()
        labels = split.labels.to(features.device) - task.known
        means, factors = gaussians(features, labels, task.seen - task.known)
        for name, value in (("means", means.float()), ("factors", factors.float())):
            old = self.kept.get(name)
            self.kept[name] = value if old is None else torch.cat([old, value])
        size = torch.tensor([task.seen - task.known])
        old = self.kept.get("sizes")
        self.kept["sizes"] = size if old is None else torch.cat([old, size])


def gaussians(features: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The mean of each class, and a factor ``F`` with ``F F^T`` its covariance.

    Args:
        features: ``(samples, width)``.
        labels: ``(samples,)``.
        classes: How many; one without samples has zeros, one with a single sample no spread.

    Returns:
        ``(classes, width)`` and ``(classes, width, width)``, lower triangular; 0.0001 is added to
        the covariance's diagonal.
    """
    width = features.shape[1]
    means, factors = features.new_zeros(classes, width), features.new_zeros(classes, width, width)
    for label in range(classes):
        own = features[labels == label]
        if len(own):
            means[label] = own.mean(0)
        off = own - means[label]
        covariance = off.T @ off / max(len(own) - 1, 1)
        ridge = RIDGE * torch.eye(width, dtype=features.dtype, device=features.device)
        factors[label] = torch.linalg.cholesky(covariance + ridge)
    return means, factors


def normalised_logits(logits: Tensor, sizes: Sequence[int]) -> Tensor:
    """Logits divided by the mean, over tasks, of the length of a task's logits.

    Args:
        logits: ``(samples, classes)``.
        sizes: How many classes each task has.
    """
    lengths = torch.stack([part.norm(dim=1) for part in torch.split(logits, list(sizes), dim=1)])
    return logits / (lengths.mean(0) + 1e-7).unsqueeze(1)
