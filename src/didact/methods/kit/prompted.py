"""What the methods share that prompt a frozen vision transformer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.data import Batch, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.setting import Stage
from didact.nn import TokenBody, through_block, token_body

PROMPTS = "prompts"


@dataclass(frozen=True)
class PromptedOptions:
    """Hyperparameters of every method that prompts a frozen transformer.

    Attributes:
        train_first: Train the whole network on the first task before it is frozen. False for one
            that was trained on other data beforehand, as in the papers.
    """

    train_first: bool = True


class Prompted(Method):
    """A frozen transformer; what is learned of a task are prompts and its rows of the classifier.

    ``CE`` looks at the task's columns alone, so that no other row moves; nothing decays. What a
    prompt is chosen by, the query, is the feature of the frozen network without prompts.
    """

    needs_tokens = True

    @property
    def body(self) -> TokenBody:
        """The transformer."""
        return token_body(self.network)

    def grow(self, task: Task) -> None:
        """A wider classifier, and the task's prompts."""
        super().grow(task)
        self.add_prompts(task)

    def add_prompts(self, task: Task) -> None:
        """Make the prompts that the task brings with it."""
        raise NotImplementedError

    def prompts(self) -> Iterator[nn.Parameter]:
        """The prompts, keys and whatever else is trained beside the classifier."""
        raise NotImplementedError

    def prompted(self, images: Tensor, query: Tensor) -> tuple[Tensor, Terms]:
        """Features under the prompts that the queries choose, and further terms of the loss."""
        raise NotImplementedError

    def stages(self, task: Task) -> Sequence[Stage]:
        """The network on the first task, unless it is trained already; then prompts."""
        prompts = Stage(
            PROMPTS,
            self.with_exemplars(task.train),
            parameters=lambda: [*self.prompts(), *self.network.classifier.parameters()],
            weight_decay=0.0,
            evaluation_mode=True,
        )
        first = task.index == 0 and self.options.train_first
        return [Stage("train", task.train), prompts] if first else [prompts]

    def begin_stage(self, stage: Stage) -> Stage:
        """Freeze the network but for its classifier where prompts are trained."""
        self.network.requires_grad_(stage.name != PROMPTS)
        self.network.classifier.requires_grad_(True)
        return stage

    @property
    def training_network(self) -> bool:
        """Whether it is the first task's stage before the prompts."""
        return self.stage.name != PROMPTS

    def losses(self, batch: Batch) -> Terms:
        """``CE`` over the task's columns, and what the prompts add."""
        if self.training_network:
            logits = self.network(batch.images)
            return {"classification": self.cross_entropy(logits, batch.labels)}
        features, further = self.prompted(batch.images, self.query(batch.images))
        logits = self.network.classifier(features)
        own = self.cross_entropy(logits, batch.labels, self.task.columns)
        return {"classification": own, **further}

    @torch.no_grad()
    def query(self, images: Tensor) -> Tensor:
        """The frozen network's own feature, ``(batch, width)``."""
        return self.network.features(images)

    def features(self, images: Tensor) -> Tensor:
        """Under the prompts that the images' own queries choose."""
        return self.prompted(images, self.query(images))[0]

    def logits(self, images: Tensor) -> Tensor:
        """Of the classifier on prompted features."""
        found: Tensor = self.network.classifier(self.features(images))
        return found

    def through_blocks(
        self, images: Tensor, prefixes: Sequence[tuple[Tensor, Tensor] | None]
    ) -> Tensor:
        """The class token's feature with further keys and values in the first blocks.

        Args:
            images: Normalised.
            prefixes: For each of the first blocks keys and values ``(batch, length, width)``, or
                None.
        """
        body = self.body
        tokens = body.embed(images)
        for number, block in enumerate(body.blocks):
            prefix = prefixes[number] if number < len(prefixes) else None
            tokens = through_block(block, tokens, *(prefix or (None, None)))
        return body.pooled(body.after(tokens)[:, :1])


def similarities(query: Tensor, keys: Tensor) -> Tensor:
    """Cosines ``(batch, keys)`` of queries ``(batch, width)`` and keys ``(keys, width)``."""
    return F.normalize(query, dim=-1) @ F.normalize(keys, dim=-1).T


def drawn_uniformly(*shape: int, like: Tensor) -> nn.Parameter:
    """A parameter from -1 to 1, as the authors' code of L2P draws prompts and keys."""
    return nn.Parameter(torch.empty(shape, device=like.device, dtype=like.dtype).uniform_(-1, 1))
