"""Wang et al. 2022: DualPrompt, complementary prompting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.data import Batch, Task
from didact.methods.kit.base import Terms
from didact.methods.kit.options import at_least
from didact.methods.kit.prompted import (
    Prompted,
    PromptedOptions,
    drawn_uniformly,
    similarities,
)
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class DualPromptOptions(PromptedOptions):
    """Hyperparameters of DualPrompt.

    Attributes:
        general: The first blocks, which have prompts that all tasks share; 2.
        general_length: Keys, and values, of each of them; 5.
        expert: The blocks after them, which have prompts of each task's own; 3. A transformer of
            fewer blocks has fewer of them, but one.
        expert_length: Keys, and values, of each of them; 20.
        pull: Weight of the distance of a task's key from its images' queries; 1 in the paper's
            objective, 0.1 in the PyTorch port.
    """

    general: int = 2
    general_length: int = 5
    expert: int = 3
    expert_length: int = 20
    pull: float = 1.0

    def __post_init__(self) -> None:
        at_least("dualprompt.general", self.general, 0)
        at_least("dualprompt.general_length", self.general_length, 1)
        at_least("dualprompt.expert", self.expert, 1)
        at_least("dualprompt.expert_length", self.expert_length, 1)
        at_least("dualprompt.pull", self.pull, 0)


@method(
    "dualprompt",
    summary="Prefixes for all tasks in the first blocks, for each task's own in the next.",
    paper="Wang et al. 2022, arXiv:2204.04799",
    group="Pre-trained transformers",
)
class DualPrompt(Prompted):
    """``CE(z, y) + pull * (1 - cos(q(x), key_t))``; at test time the task with the nearest key.

    Prompts are prefixes: further keys and values of a block's attention. In training a task's own
    prompt is taken, whatever the keys say.

    Paper: Wang et al. 2022, ECCV, arXiv:2204.04799, section 4.

    Compared:
        blocks of general and expert prompts: 1 to 2, 3 to 5 | the same | the same
        lengths: 5 and 20, half keys, half values | 5 and 20 keys, and as many values | 5 and 20
            keys, and as many values
        first values of a task's prompt: not said | those of the task before (PyTorch port) | those
            of the task before
        pull: the distance as it is | 0.1 times minus the cosine (PyTorch port) | the distance as
            it is, ``pull``
        classes of the cross-entropy: the task's | the task's | the task's
        training: Adam 0.005, batch of 128, 5 epochs on CIFAR-100 | Adam, 0.001 for a batch of 24 |
            the run's; without weight decay
        network: ViT-B/16, ImageNet, frozen | ImageNet-21k | any vision transformer; trained on the
            first task unless ``train_first=false``
    """

    Options = DualPromptOptions

    def add_prompts(self, task: Task) -> None:
        """A prefix and a key for the task; the general ones at the first."""
        options: DualPromptOptions = self.options
        body, like = self.body, self.network.classifier.weight
        if task.index == 0:
            depth = len(body.blocks)
            if depth <= options.general:
                raise ModelError(
                    f"the transformer has {depth} blocks, of which {options.general} have general "
                    "prompts and none is left for those of a task; give a smaller "
                    "dualprompt.general"
                )
            self.general = drawn_uniformly(
                options.general, 2, options.general_length, body.width, like=like
            )
            self.experts, self.keys = nn.ParameterList(), nn.ParameterList()
        layers = min(options.expert, len(body.blocks) - options.general)
        shape = (layers, 2, options.expert_length, body.width)
        self.experts.requires_grad_(False)
        self.keys.requires_grad_(False)
        self.experts.append(drawn_uniformly(*shape, like=like))
        self.keys.append(drawn_uniformly(body.width, like=like))

    @torch.no_grad()
    def begin_task(self, task: Task) -> None:
        """A task's prompt and key begin as those of the task before."""
        if task.index > 0:
            for kept in (self.experts, self.keys):
                kept[-1].copy_(kept[-2])

    def prompts(self) -> Iterator[nn.Parameter]:
        """The general prompts, and the prompt and the key of the task under way."""
        yield from (self.general, self.experts[-1], self.keys[-1])

    def prompted(self, images: Tensor, query: Tensor) -> tuple[Tensor, Terms]:
        """The class token's feature under the general prompts and those of the nearest key."""
        nearest = similarities(query, torch.stack(list(self.keys))).argmax(1)
        return self._prefixed(images, torch.stack(list(self.experts))[nearest]), {}

    def losses(self, batch: Batch) -> Terms:
        """``CE`` under the task's own prompt, and the distance of its key."""
        if self.training_network:
            return super().losses(batch)
        query = self.query(batch.images)
        expert = self.experts[-1].expand(len(query), -1, -1, -1, -1)
        logits = self.network.classifier(self._prefixed(batch.images, expert))
        distance = 1 - similarities(query, self.keys[-1][None])
        return {
            "classification": self.cross_entropy(logits, batch.labels, self.task.columns),
            "pull": self.options.pull * distance.mean(),
        }

    def _prefixed(self, images: Tensor, experts: Tensor) -> Tensor:
        """Features under general prompts, and experts ``(batch, blocks, 2, length, width)``."""
        general = [
            (keys.expand(len(images), -1, -1), values.expand(len(images), -1, -1))
            for keys, values in self.general
        ]
        own = [(experts[:, n, 0], experts[:, n, 1]) for n in range(experts.shape[1])]
        return self.through_blocks(images, [*general, *own])
