"""From settings to the parts of a class-incremental run: stream, memory, method, network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from didact.data import Data, Memory, Stream, make_stream
from didact.methods import Method, MethodEntry, Setting, build_options
from didact.nn import build_model, split_head
from didact.train.learning.settings import LearnSettings
from didact.train.loop.fabric import Fabric


@dataclass(frozen=True)
class LearnParts:
    """The objects that the settings name; the stream is that of a seed."""

    stream: Callable[[int], Stream]
    methods: dict[str, MethodEntry]
    build_network: Callable[[Data, int], nn.Module]


def stream_of(settings: LearnSettings, data: Data, seed: int) -> Stream:
    """The tasks, as the settings cut them."""
    return make_stream(
        data,
        scenario=settings.scenario,
        base=settings.base,
        step=settings.step,
        tasks=settings.tasks,
        groups=settings.groups,
        class_order=settings.class_order,
        domains=settings.domains,
        imbalance=settings.imbalance,
        blurry=settings.blurry,
        seed=seed,
        evaluate_on=settings.evaluate_on,
    )


def memory_of(settings: LearnSettings, entry: MethodEntry) -> Memory:
    """The method's exemplar memory: empty for a method that keeps none."""
    choice = settings.exemplars or entry.method.exemplars
    if entry.method.exemplars is None or choice is None:
        return Memory(total=0)
    if settings.memory_per_class is not None:
        return Memory(choice, per_class=settings.memory_per_class)
    return Memory(choice, total=settings.total_memory)


def network_of(parts: LearnParts, data: Data, classes: int) -> nn.Module:
    """A new network with the parts that methods need: features and a linear classifier."""
    return split_head(parts.build_network(data, classes), data.image_shape)


def method_of(
    name: str, seed: int, settings: LearnSettings, parts: LearnParts, stream: Stream, fabric: Fabric
) -> Method:
    """The method before its first task."""
    entry, data = parts.methods[name], stream.data

    def build_network(classes: int) -> nn.Module:
        network = network_of(parts, data, classes).to(fabric.device)
        if settings.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    setting = Setting(
        build_network=build_network,
        seed=seed,
        epochs=1 if settings.online else settings.epochs,
        batch_size=settings.batch_size,
        mean=data.mean,
        std=data.std,
        augment=settings.augment,
        device=fabric.device,
        rank=fabric.global_rank,
        world_size=fabric.world_size,
        gather=_gatherer(fabric),
    )
    options = build_options(entry, settings.options_of(name))
    return entry.method(options, setting, memory_of(settings, entry))


def _gatherer(fabric: Fabric) -> Callable[[Tensor], Tensor]:
    def gather(shard: Tensor) -> Tensor:
        if fabric.world_size == 1:
            return shard
        mine = torch.tensor([len(shard)], device=shard.device)
        sizes = [torch.zeros_like(mine) for _ in range(fabric.world_size)]
        torch.distributed.all_gather(sizes, mine)
        longest = max(int(size) for size in sizes)
        padded = shard.new_zeros(longest, *shard.shape[1:])
        padded[: len(shard)] = shard
        parts = [torch.empty_like(padded) for _ in sizes]
        torch.distributed.all_gather(parts, padded)
        return torch.cat([part[: int(n)] for part, n in zip(parts, sizes, strict=True)])

    return gather


def named_network(model: str) -> Callable[[Data, int], nn.Module]:
    """Builds the network that a name stands for."""

    def build(data: Data, classes: int) -> nn.Module:
        return build_model(model, image_shape=data.image_shape, num_classes=classes)

    return build
