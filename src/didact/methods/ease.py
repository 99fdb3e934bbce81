"""Zhou et al. 2024: EASE, expandable subspace ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.data import Batch, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.frozen import sums_by_class
from didact.methods.kit.options import at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage
from didact.nn import AdaptedBlock, CosineHead, token_body


@dataclass(frozen=True)
class EaseOptions:
    """Hyperparameters of EASE.

    Attributes:
        inner: Numbers inside an adapter; 64 in the authors' settings.
        alpha: Weight of the subspaces that are not a class's own; 0.1.
    """

    inner: int = 64
    alpha: float = 0.1

    def __post_init__(self) -> None:
        at_least("ease.inner", self.inner, 1)
        at_least("ease.alpha", self.alpha, 0)


@method(
    "ease",
    summary="Adapters for each task; old classes' means in new subspaces are put together.",
    paper="Zhou et al. 2024, arXiv:2403.12030",
    group="Pre-trained transformers",
)
class Ease(Method):
    """``sum_j w_j cos(f_j(x), P_(c,j))``, ``w = 1`` for a class's own subspace, else ``alpha / T``.

    Each task trains adapters of its own by ``CE`` over its classes; ``f_j`` is the network under
    those of task ``j``, ``P_(c,j)`` the mean of a class's features there. A class of task ``i`` has
    no images when subspace ``j`` comes: its mean there is that of the classes since task ``j``,
    weighted by ``softmax`` over their cosines with it in subspace ``i``. ``T`` is the number of the
    other subspaces. The network is taken as pre-trained.

    Paper: Zhou et al. 2024, CVPR, arXiv:2403.12030, section 4.

    Compared:
        adapters: in each block, beside the mlp, 64 inside | the same, scale 0.1, dropout 0.1 | the
            same
        weight of other subspaces: alpha = 0.1 | 0.1 divided by the number of earlier tasks | 0.1
            divided by the number of other subspaces
        similarity of classes: softmax of cosines in the old subspace | the same, anew at each task
            (``recalc_sim``) | anew at each task
        classifier while training: cosine | cosine with a learned scale, for the task's classes |
            the same
        training: SGD 0.01, cosine, 20 epochs | 0.025 on CIFAR-100 | the run's
        network: ViT-B/16, frozen | the same | any vision transformer, as it is given
    """

    Options = EaseOptions
    needs_tokens = True
    needs_pretrained = True

    def grow(self, task: Task) -> None:
        """Adapters and a classifier for the task, where it has new classes."""
        if task.index == 0:
            super().grow(task)
            body = token_body(self.network)
            for number, block in enumerate(body.blocks):
                body.module.blocks[number] = AdaptedBlock(block)
            self.width = body.width
        self.network.requires_grad_(False)
        if task.known == task.seen:
            return
        for block in self._blocks():
            for parameter in block.add(self.width, self.options.inner):
                parameter.requires_grad_(True)
        self.head = CosineHead(self.width, len(task.columns)).to(self.setting.device)

    def _blocks(self) -> list[AdaptedBlock]:
        return [m for m in self.network.modules() if isinstance(m, AdaptedBlock)]

    def stages(self, task: Task) -> Sequence[Stage]:
        """The newest adapters and the task's classifier."""
        if task.known == task.seen:
            return []
        return [Stage("train", self.with_exemplars(task.train), parameters=self._newest)]

    def _newest(self) -> list[nn.Parameter]:
        adapters = [p for block in self._blocks() for p in block.adapters[-1].parameters()]
        return [*adapters, *self.head.parameters()]

    def losses(self, batch: Batch) -> Terms:
        """``CE`` over the task's classes in the newest subspace."""
        logits = self.head(self.network.features(batch.images))
        place = torch.full((self.task.seen,), -1, device=batch.labels.device)
        columns = torch.tensor(self.task.columns, device=batch.labels.device)
        place[columns] = torch.arange(len(columns), device=columns.device)
        return {"classification": self.cross_entropy(logits, place[batch.labels])}

    def in_subspace(self, images: Tensor, subspace: int) -> Tensor:
        """The network's features under the adapters of one task."""
        blocks = self._blocks()
        newest = [block.active for block in blocks]
        for block in blocks:
            block.active = subspace
        found = self.network.features(images)
        for block, active in zip(blocks, newest, strict=True):
            block.active = active
        return found

    @property
    def subspaces(self) -> int:
        """How many there are."""
        return len(self._blocks()[0].adapters)

    def features(self, images: Tensor) -> Tensor:
        """Of all subspaces, one behind the other."""
        return torch.cat([self.in_subspace(images, j) for j in range(self.subspaces)], dim=1)

    def after_task(self, task: Task) -> None:
        """The new classes' means in every subspace, and the old ones' in the new subspace."""
        super().after_task(task)
        if task.known == task.seen:
            return
        new = task.train.subset((task.train.labels >= task.known).nonzero().flatten())
        features = self.map_images(new, self.features).double()
        labels = new.labels.to(features.device) - task.known
        count = task.seen - task.known
        numbers = torch.bincount(labels, minlength=count).clamp(min=1).unsqueeze(1)
        means = sums_by_class(features, labels, count) / numbers
        known = means.view(count, self.subspaces, self.width).float()
        measured, owners = self.kept.get("measured"), self.kept.get("owners")
        if measured is not None and owners is not None:
            wider = measured.new_zeros(len(measured), self.subspaces, self.width)
            wider[:, : measured.shape[1]] = measured
            known = torch.cat([wider, known])
        mine = torch.full((count,), self.subspaces - 1)
        self.kept["owners"] = mine if owners is None else torch.cat([owners, mine])
        self.kept["measured"] = known
        self.kept["prototypes"] = completed(known, self.kept["owners"].to(known.device))

    def predict(self, images: Tensor) -> Tensor:
        """The weighted cosines."""
        found = self.features(images).view(len(images), self.subspaces, self.width)
        owners = self.kept["owners"].to(found.device)
        return reweighted(found, self.kept["prototypes"], owners, self.options.alpha)

    def logits(self, images: Tensor) -> Tensor:
        """As :meth:`predict`."""
        return self.predict(images)


def completed(measured: Tensor, owners: Tensor) -> Tensor:
    """Class means in every subspace; those that nobody could measure are put together.

    Args:
        measured: ``(classes, subspaces, width)``; a class was measured in its own subspace and in
            those before.
        owners: ``(classes,)``, the number of a class's own subspace.

    Paper: Zhou et al. 2024, arXiv:2403.12030, section 4.2.
    """
    found = measured.clone()
    for own in range(measured.shape[1]):
        of_own = owners == own
        if not bool(of_own.any()):
            continue
        for later in range(own + 1, measured.shape[1]):
            since = owners >= later
            before = F.normalize(measured[:, own], dim=-1)
            shares = (before[of_own] @ before[since].T).softmax(1)
            found[of_own, later] = shares @ measured[since, later]
    return found


def reweighted(features: Tensor, prototypes: Tensor, owners: Tensor, alpha: float) -> Tensor:
    """Sums of cosines over the subspaces, ``(samples, classes)``.

    Args:
        features: ``(samples, subspaces, width)``.
        prototypes: ``(classes, subspaces, width)``.
        owners: ``(classes,)``, the number of a class's own subspace, which counts 1.
        alpha: What the others count together, divided by their number.
    """
    subspaces = features.shape[1]
    left, right = F.normalize(features, dim=-1), F.normalize(prototypes, dim=-1)
    cosines = torch.einsum("bjw,cjw->bcj", left, right)
    weights = torch.full_like(cosines[0], alpha / max(subspaces - 1, 1))
    weights[torch.arange(len(owners), device=owners.device), owners] = 1.0
    return (cosines * weights).sum(-1)
