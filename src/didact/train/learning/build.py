"""From settings to the components of a class-incremental run: stream, memory, method, network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from didact.data import Data, Memory, Stream, make_stream
from didact.losses.kit.ranks import from_all_ranks
from didact.methods import Method, MethodEntry, Setting, build_options
from didact.nn import build_model, split_head
from didact.train.learning.settings import LearnSettings
from didact.train.loop.fabric import Fabric


@dataclass(frozen=True)
class LearnComponents:
    """The objects that the settings name; the stream is that of a seed."""

    stream: Callable[[int], Stream]
    data_digest: Callable[[int], str]
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


def network_of(components: LearnComponents, data: Data, classes: int) -> nn.Module:
    """A new network with the components that methods need: features and a linear classifier."""
    return split_head(components.build_network(data, classes), data.image_shape)


def method_of(
    name: str,
    seed: int,
    settings: LearnSettings,
    components: LearnComponents,
    stream: Stream,
    fabric: Fabric,
) -> Method:
    """The method before its first task."""
    entry, data = components.methods[name], stream.data

    def build_network(classes: int) -> nn.Module:
        network = network_of(components, data, classes).to(fabric.device)
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
        gather=from_all_ranks,
    )
    options = build_options(entry, settings.options_of(name))
    return entry.method(options, setting, memory_of(settings, entry))


def named_network(model: str) -> Callable[[Data, int], nn.Module]:
    """Builds the network that a name stands for."""

    def build(data: Data, classes: int) -> nn.Module:
        return build_model(model, image_shape=data.image_shape, num_classes=classes)

    return build
