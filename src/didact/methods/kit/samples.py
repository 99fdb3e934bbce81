"""What every method does with images: goes through them, keeps some, replays those it has kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from didact.data import AnySplit, Batch, Batches, Memory, Task, generator_for, joined
from didact.methods.kit.nearest_mean import class_means
from didact.methods.kit.setting import Moment, Setting, Stage

EVALUATION_BATCH = 512


class Samples(nn.Module):
    """The part of a method that deals with splits and exemplars.

    Attributes:
        setting: Of the run.
        memory: The exemplars.
        task: The task under way; the loop sets it.
        stage: The stage under way; the loop sets it.
        moment: The step under way; the loop sets it.
    """

    setting: Setting
    memory: Memory
    task: Task
    stage: Stage
    moment: Moment

    def features(self, images: Tensor) -> Tensor:
        """The network's penultimate features, ``(batch, width)``."""
        raise NotImplementedError

    @torch.no_grad()
    def map_images(self, split: AnySplit, function: Callable[[Tensor], Tensor]) -> Tensor:
        """``function`` of all normalised images of a split, in eval mode, in order."""
        was_training = self.training
        self.eval()
        found = [function(batch.images).float() for batch in self.iterate(split)]
        self.train(was_training)
        return torch.cat(found)

    def mean_directions(self, split: AnySplit, classes: int, *, mirrored: bool) -> Tensor:
        """The mean direction of each class's features, ``(classes, width)``.

        Args:
            split: Images with their columns.
            classes: How many columns there are.
            mirrored: Whether the mirror image of each image counts as another one of its class.
        """
        features, labels = self.map_images(split, self.features), split.labels
        if mirrored:
            flipped = self.map_images(split, lambda images: self.features(images.flip(-1)))
            features, labels = torch.cat([features, flipped]), torch.cat([labels, labels])
        return class_means(features, labels.to(features.device), classes)

    def trains_on_mirror_images(self) -> bool:
        """Whether a training image may come as its mirror image."""
        return "flip" in self.setting.augment.split("-")

    def iterate(self, split: AnySplit, batch_size: int = EVALUATION_BATCH) -> Iterator[Batch]:
        """Batches of a split, in order, normalised, not augmented; the same on each process."""
        setting = self.setting
        return Batches(
            split,
            batch_size=batch_size,
            mean=setting.mean,
            std=setting.std,
            device=setting.device,
            cache_bytes=0,
        ).epoch(0)

    def with_exemplars(self, split: AnySplit) -> AnySplit:
        """A split and the exemplars behind it, as one."""
        return joined(split, self.memory.split()) if len(self.memory) else split

    def fill_memory(self, task: Task) -> None:
        """Choose the task's exemplars, and drop old ones where they exceed their share."""
        self.memory.fill(
            task.train,
            seen=task.seen,
            generator=generator_for(self.setting.seed, "exemplars", task.index),
            features=lambda split: self.map_images(split, self.features),
        )

    def replay(self, count: int, purpose: str = "replay") -> tuple[Batch, dict[str, Tensor]] | None:
        """Exemplars drawn for this step, augmented as in training, and what was stored with them.

        ``count`` is that of all processes together, a multiple of their number; each gets its
        shard. None while the memory is empty. The draw is without replacement (with it, while
        there are fewer than ``count``), a function of the seed, the moment, the memory and the
        ``purpose``: name one where a step draws twice.
        """
        setting, generator = self.setting, self.generator(purpose)
        if not len(self.memory):
            return None
        size = len(self.memory)
        if size >= count:
            drawn = torch.randperm(size, generator=generator)[:count]
        else:
            drawn = torch.randint(size, (count,), generator=generator)
        share = count // setting.world_size
        mine = drawn[setting.rank * share : (setting.rank + 1) * share]
        split, extras = self.memory.take(drawn)
        batches = Batches(
            split,
            batch_size=share,
            seed=int(torch.randint(2**62, (), generator=generator)),
            augment=setting.augment,
            mean=setting.mean,
            std=setting.std,
            rank=setting.rank,
            world_size=setting.world_size,
            device=setting.device,
            cache_bytes=0,
        )
        place = slice(setting.rank * share, (setting.rank + 1) * share)
        batch = next(iter(batches.epoch(0)))._replace(indices=mine)
        return batch, {k: values[place].to(setting.device) for k, values in extras.items()}

    def generator(self, purpose: str) -> torch.Generator:
        """Random numbers for this step: a function of the seed and the moment."""
        at = self.moment
        return generator_for(self.setting.seed, purpose, at.task, at.stage, at.epoch, at.step)
