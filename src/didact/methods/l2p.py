"""Wang et al. 2022: L2P, learning to prompt for continual learning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from didact.data import Task
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
class L2pOptions(PromptedOptions):
    """Hyperparameters of L2P.

    Attributes:
        pool: M, how many prompts there are; 10 on CIFAR-100 (section 5.1).
        length: L_p, tokens of a prompt; 5.
        chosen: N, how many an image chooses; 5.
        pull: lambda, weight of the distance of the chosen keys; 0.5 in the paper.
    """

    pool: int = 10
    length: int = 5
    chosen: int = 5
    pull: float = 0.5

    def __post_init__(self) -> None:
        at_least("l2p.pool", self.pool, 1)
        at_least("l2p.length", self.length, 1)
        at_least("l2p.chosen", self.chosen, 1)
        at_least("l2p.pool - l2p.chosen", self.pool - self.chosen, 0)
        at_least("l2p.pull", self.pull, 0)


@method(
    "l2p",
    summary="A pool of prompts for a frozen transformer; each image chooses the nearest by key.",
    paper="Wang et al. 2022, arXiv:2112.08654",
    group="Pre-trained transformers",
)
class L2p(Prompted):
    """``CE(z, y) + pull * sum_(chosen) (1 - cos(q(x), key))``.

    The chosen prompts are tokens between the class token and the patches; their outputs' mean is
    the feature. One pool serves all tasks.

    Paper: Wang et al. 2022, CVPR, arXiv:2112.08654, section 4.

    Compared:
        chosen in training: each image its own, optionally with a penalty of frequent ones | those
            that the batch chooses most often, for all of it | each image its own
        pull: 0.5 times the cosine distance | 0.1 times minus the cosine in the PyTorch port | 0.5
            times the cosine distance, summed over the chosen
        positions of prompts: none | have embeddings of their own in the PyTorch port | none
        classes of the cross-entropy: the task's | the task's | the task's
        pool, length, chosen: 10, 5, 5 on CIFAR-100 | 10, 5, 5 | 10, 5, 5
        training: Adam, 0.03 for a batch of 128, 5 epochs | Adam, 0.001875 for a batch of 16 | the
            run's; without weight decay
        network: ViT-B/16, ImageNet-21k, frozen | the same | any vision transformer; trained on the
            first task unless ``train_first=false``
    """

    Options = L2pOptions

    def add_prompts(self, task: Task) -> None:
        """All of them, at the first task."""
        if task.index > 0:
            return
        options: L2pOptions = self.options
        width, like = self.body.width, self.network.classifier.weight
        self.pool = drawn_uniformly(options.pool, options.length, width, like=like)
        self.keys = drawn_uniformly(options.pool, width, like=like)

    def prompts(self) -> Iterator[nn.Parameter]:
        """The pool and its keys."""
        yield from (self.pool, self.keys)

    def prompted(self, images: Tensor, query: Tensor) -> tuple[Tensor, Terms]:
        """The mean of the outputs of the chosen prompts, and the pull of their keys."""
        options: L2pOptions = self.options
        found = similarities(query, self.keys).topk(options.chosen, dim=1)
        body = self.body
        tokens = body.embed(images)
        chosen = self.pool[found.indices].flatten(1, 2)
        tokens = torch.cat([tokens[:, :1], chosen, tokens[:, 1:]], dim=1)
        for block in body.blocks:
            tokens = block(tokens)
        feature = body.pooled(body.after(tokens)[:, 1 : 1 + chosen.shape[1]])
        return feature, {"pull": options.pull * (1 - found.values).sum(1).mean()}
