"""From settings to the components of a class-incremental run: stream, memory, setting, network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from didact._core.errors import UsageError
from didact.data import Data, Known, Memory, Stream, continue_stream, make_stream
from didact.data.loading.statistics import channel_statistics
from didact.data.splits.labels import distinct, places_of
from didact.losses.kit.ranks import from_all_ranks
from didact.methods import MethodEntry, Setting
from didact.nn import Normalisation, split_head
from didact.train.learning.networks import NetworkSource
from didact.train.learning.settings import LearnSettings
from didact.train.loop.fabric import Fabric


@dataclass(frozen=True)
class LearnComponents:
    """The objects that the settings name.

    Attributes:
        stream: That of a seed.
        data_digest: Of the data of a seed, and of what the run begins with.
        methods: By name.
        source: Of the network.
        before: The learner's file that a method and seed begin with; None where it is a new one.
    """

    stream: Callable[[int], Stream]
    data_digest: Callable[[int], str]
    methods: dict[str, MethodEntry]
    source: NetworkSource
    before: Callable[[str, int], Path] | None = None


def stream_of(
    settings: LearnSettings,
    data: Data,
    seed: int,
    known: Known | None = None,
    normalisation: Normalisation | None = None,
) -> Stream:
    """The tasks, as the settings cut them.

    Args:
        settings: Of the run.
        data: Of the seed.
        seed: Of the run.
        known: What there is before the first task.
        normalisation: Instead of that of the training images.
    """
    if known is not None:
        return continue_stream(
            data,
            known,
            step=settings.step,
            tasks=settings.tasks,
            groups=settings.groups,
            class_order=settings.class_order,
            seed=seed,
            evaluate_on=settings.evaluate_on,
        )
    stream = make_stream(
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
    return replace(stream, data=_normalised(stream, normalisation))


def _normalised(stream: Stream, normalisation: Normalisation | None) -> Data:
    """The data with its normalisation: of the classes that are used, unless another is asked for.

    A class that no task has changes no number.
    """
    data = stream.data
    if normalisation is not None:
        parts = [normalisation.mean, normalisation.std]
    else:
        labels = {label for group in stream.protocol.get("groups", ()) for label in group}
        unused = set(distinct(data.train.labels)) - labels
        if not labels or not unused:
            return data
        used = data.train.subset(places_of(data.train.labels, sorted(labels)))
        parts = [*channel_statistics(used)]
    channels = data.image_shape[0]
    if max(map(len, parts)) not in (1, channels):
        raise UsageError(
            f"the normalisation is of {max(map(len, parts))} channels and {data.name} has "
            f"{channels}; expected one number or one for each channel"
        )
    mean, std = (part * channels if len(part) == 1 else part for part in parts)
    return replace(data, mean=mean, std=std)


def memory_of(settings: LearnSettings, entry: MethodEntry) -> Memory:
    """The method's exemplar memory: empty for a method that keeps none."""
    choice = settings.exemplars or entry.method.exemplars
    if entry.method.exemplars is None or choice is None:
        return Memory(total=0)
    if settings.memory_per_class is not None:
        return Memory(choice, per_class=settings.memory_per_class)
    return Memory(choice, total=settings.total_memory)


def network_of(source: NetworkSource, data: Data, classes: int) -> nn.Module:
    """A new network with the components that methods need: features and a linear classifier."""
    return split_head(source.build(data, classes), data.image_shape)


def setting_of(
    seed: int, settings: LearnSettings, source: NetworkSource, data: Data, fabric: Fabric
) -> Setting:
    """What a method is told of its run."""

    def build_network(classes: int) -> nn.Module:
        network = network_of(source, data, classes).to(fabric.device)
        if settings.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    return Setting(
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
