"""Gradients of single samples, for measures of how much each parameter matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from didact.data import Batch

MOST_NUMBERS = 16_000_000


def trained(network: nn.Module) -> dict[str, Tensor]:
    """The parameters that are trained, by name."""
    return {n: p for n, p in network.named_parameters() if p.requires_grad}


def mean_over_samples(
    network: nn.Module,
    batches: Iterable[Batch],
    objective: Callable[[Tensor, Tensor], Tensor],
    power: int,
) -> dict[str, Tensor]:
    """The mean over samples of ``|gradient|^power`` of each parameter.

    Args:
        network: From images to logits; in eval mode, so that samples do not interact.
        batches: The samples; small batches, since each sample has a gradient of its own.
        objective: From one sample's logits ``(classes,)`` and label to a scalar.
        power: 1 for the size of the gradient, 2 for its square.

    Returns:
        By name, shapes as the parameters'.
    """
    parameters = {name: p.detach() for name, p in trained(network).items()}
    frozen = {n: t.detach() for n, t in network.state_dict().items() if n not in parameters}

    def of_one(values: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits = functional_call(network, {**frozen, **values}, (image.unsqueeze(0),))
        return objective(logits[0], label)

    of_each = vmap(grad(of_one), in_dims=(None, 0, 0), randomness="different")
    totals = {name: torch.zeros_like(p) for name, p in parameters.items()}
    count = 0
    for batch in batches:
        found = of_each(parameters, batch.images, batch.labels)
        for name, gradients in found.items():
            totals[name] += gradients.abs().pow(power).sum(0)
        count += len(batch.labels)
    return {name: total / max(count, 1) for name, total in totals.items()}


def samples_at_once(network: nn.Module) -> int:
    """How many samples' gradients fit in memory side by side."""
    numbers = sum(p.numel() for p in trained(network).values())
    return max(1, min(128, MOST_NUMBERS // max(numbers, 1)))
