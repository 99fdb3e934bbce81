"""Smith et al. 2023: CODA-Prompt, decomposed attention-based prompting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.data import Task, generator_for
from didact.methods.kit.base import Terms
from didact.methods.kit.options import at_least
from didact.methods.kit.prompted import Prompted, PromptedOptions
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class CodaPromptOptions(PromptedOptions):
    """Hyperparameters of CODA-Prompt.

    Attributes:
        components: Prompt components that each task brings; 100 over 10 tasks in the authors'
            settings.
        length: Tokens of a component, half of them keys, half values; 8.
        layers: The first blocks, each with components of its own; 5.
        orthogonality: lambda, weight of ``|B B^T - I|^2``, a mean over its entries, for components,
            keys and attention; 0.1 in the paper, 0 in the settings that the authors give since.
    """

    components: int = 10
    length: int = 8
    layers: int = 5
    orthogonality: float = 0.1

    def __post_init__(self) -> None:
        at_least("coda-prompt.components", self.components, 1)
        at_least("coda-prompt.length", self.length, 2)
        at_least("coda-prompt.layers", self.layers, 1)
        at_least("coda-prompt.orthogonality", self.orthogonality, 0)


class Components(nn.Module):
    """What one task brings to one block: components with a key and an attention for each."""

    def __init__(self, count: int, length: int, like: Tensor) -> None:
        super().__init__()
        width = like.shape[-1]
        self.prompts = nn.Parameter(like.new_empty(count, length, width))
        self.keys = nn.Parameter(like.new_empty(count, width))
        self.attention = nn.Parameter(like.new_empty(count, width))


@method(
    "coda-prompt",
    summary="Prompts as sums of components, weighted by attention; each task adds orthogonal ones.",
    paper="Smith et al. 2023, arXiv:2211.13218",
    group="Pre-trained transformers",
)
class CodaPrompt(Prompted):
    """``CE(z, y) + lambda * (|P P^T - I|^2 + |K K^T - I|^2 + |A A^T - I|^2)``.

    The prompt of a block is ``p = sum_m cos(q(x) * A_m, K_m) P_m`` over the components of all tasks
    so far; half of it stands beside the keys of the attention, half beside the values. Those of
    earlier tasks are frozen.

    Paper: Smith et al. 2023, CVPR, arXiv:2211.13218, section 4.

    Compared:
        components: 100 in all | 100 in all, as many new ones for each task | ``components`` for
            each task, however many tasks there will be
        first values: orthogonal, all at the start | orthogonal to earlier ones (Gram-Schmidt), at
            each task | the same; random directions where the width is used up
        orthogonality: lambda ``|B B^T - I|^2`` | a mean over entries, 0 in the settings given | a
            mean over entries, 0.1
        layers, length: 1 to 5, 8 | the same, 4 keys and 4 values | the same
        classes of the cross-entropy: the task's | the task's | the task's
        training: Adam 0.001, cosine, 20 epochs on CIFAR-100 | the same | the run's; without weight
            decay
        network: ViT-B/16, ImageNet-1k, frozen | the same | any vision transformer; trained on the
            first task unless ``train_first=false``
    """

    Options = CodaPromptOptions

    def add_prompts(self, task: Task) -> None:
        """New components for each of the first blocks; the old ones stand still."""
        options: CodaPromptOptions = self.options
        if task.index == 0:
            self.pools = nn.ModuleList()
        self.pools.requires_grad_(False)
        like = self.body.module.cls_token
        layers = min(options.layers, len(self.body.blocks))
        self.pools.append(
            nn.ModuleList(
                Components(options.components, options.length, like) for _ in range(layers)
            )
        )

    @torch.no_grad()
    def begin_task(self, task: Task) -> None:
        """The new components are orthogonal to those before, and to one another."""
        generator = generator_for(self.setting.seed, "components", task.index)
        for layer in range(len(self.newest)):
            for name in ("prompts", "keys", "attention"):
                every = [getattr(pool[layer], name) for pool in self._pools()]
                new = every[-1]
                old = torch.cat(every[:-1]).flatten(1) if every[:-1] else new.flatten(1)[:0]
                found = orthogonal_rows(len(new), old, generator)
                new.copy_(found.view_as(new))

    @property
    def newest(self) -> nn.ModuleList:
        """The components of the task under way."""
        return self._pools()[-1]

    def _pools(self) -> list[nn.ModuleList]:
        return [pool for pool in self.pools if isinstance(pool, nn.ModuleList)]

    def prompts(self) -> Iterator[nn.Parameter]:
        """The components of the task under way."""
        return self.newest.parameters()

    def prompted(self, images: Tensor, query: Tensor) -> tuple[Tensor, Terms]:
        """The class token's feature, and the distance from orthogonality."""
        prefixes, penalty = [], query.new_zeros(())
        for layer in range(len(self.newest)):
            parts = {
                name: torch.cat([getattr(pool[layer], name) for pool in self._pools()])
                for name in ("prompts", "keys", "attention")
            }
            prompt = weighted_prompt(query, **parts)
            half = prompt.shape[1] // 2
            prefixes.append((prompt[:, :half], prompt[:, half:]))
            for matrix in parts.values():
                penalty = penalty + distance_from_orthogonal(matrix.flatten(1))
        feature = self.through_blocks(images, prefixes)
        return feature, {"orthogonality": self.options.orthogonality * penalty}


def weighted_prompt(query: Tensor, prompts: Tensor, keys: Tensor, attention: Tensor) -> Tensor:
    """``sum_m cos(q * A_m, K_m) P_m``, ``(batch, length, width)``.

    Args:
        query: ``(batch, width)``.
        prompts: ``(components, length, width)``.
        keys: ``(components, width)``.
        attention: ``(components, width)``.
    """
    attended = F.normalize(query[:, None] * attention, dim=-1)
    weights = (attended * F.normalize(keys, dim=-1)).sum(-1)
    return torch.einsum("bm,mlw->blw", weights, prompts)


def distance_from_orthogonal(rows: Tensor) -> Tensor:
    """The mean of the squares of ``B B^T - I``."""
    identity = torch.eye(len(rows), device=rows.device, dtype=rows.dtype)
    return (rows @ rows.T - identity).square().mean()


def orthogonal_rows(count: int, old: Tensor, generator: torch.Generator) -> Tensor:
    """Random rows of length 1, orthogonal to the old ones and to one another (Gram-Schmidt).

    Args:
        count: How many.
        old: ``(rows, width)``, of any length. Where they and the new ones are more than the width,
            those that find no room are random directions.
        generator: On the CPU.
    """
    basis: list[Tensor] = []
    for row in old.double().cpu():
        _append_orthogonal(basis, row)
    found = []
    for _ in range(count):
        drawn = torch.randn(old.shape[1], generator=generator, dtype=torch.float64)
        kept = _append_orthogonal(basis, drawn)
        found.append(F.normalize(drawn, dim=0) if kept is None else kept)
    return torch.stack(found).to(old)


def _append_orthogonal(basis: list[Tensor], row: Tensor) -> Tensor | None:
    """Add what of a row is orthogonal to the basis; None where nothing is."""
    left = row
    for _ in range(2):  # once more, for what rounding has left
        for direction in basis:
            left = left - (left @ direction) * direction
    if left.norm() < 1e-6 * row.norm() or not row.norm():
        return None
    basis.append(left / left.norm())
    return basis[-1]
