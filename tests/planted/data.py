"""Faults of streams, memories, batches, augmentation and splits."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "data"
STREAM = "tests/data/test_stream.py"
BATCHES = "tests/data/test_batches.py"
MEMORY = "tests/data/test_memory.py"

FAULTS = [
    Fault(
        "a blurred class may leave home altogether",
        FLOOR,
        "min(round(fraction * len(where)), len(where) - 1)",
        "round(fraction * len(where))",
        STREAM,
    ),
    Fault(
        "a rare class loses its last image",
        FLOOR,
        "max(1, round(len(where) * ratio ** (place / max(len(order) - 1, 1))))",
        "round(len(where) * ratio ** (place / max(len(order) - 1, 1)))",
        STREAM,
    ),
    Fault(
        "the imbalance falls one class too late",
        FLOOR,
        "ratio ** (place / max(len(order) - 1, 1))",
        "ratio ** (place / len(order))",
        STREAM,
    ),
    Fault(
        "the blurred images stay in their own task",
        FLOOR,
        "arriving[other].append(train.subset(part))",
        "arriving[number].append(train.subset(part))",
        STREAM,
    ),
    Fault(
        "the order of the literature is drawn by another seed",
        FLOOR,
        "np.random.RandomState(seed % 2**32).permutation(len(present))",
        "np.random.RandomState((seed + 1) % 2**32).permutation(len(present))",
        STREAM,
    ),
    Fault(
        "a class that comes back shares no images",
        FLOOR,
        "zip(tasks, where.tensor_split(len(tasks)), strict=True)",
        "zip(tasks, [where] * len(tasks), strict=True)",
        STREAM,
    ),
    Fault(
        "the classes known before include those of the task",
        FLOOR,
        "set().union(*present[:index])",
        "set().union(*present[: index + 1])",
        STREAM,
    ),
    Fault(
        "all tasks so far leave out the newest",
        FLOOR,
        "joined(*self.trains[: index + 1]) if with_earlier",
        "joined(*self.trains[: max(index, 1)]) if with_earlier",
        STREAM,
    ),
    Fault(
        "a rotation turns the other way",
        FLOOR,
        "[[cosine, sine * height / width, 0.0], [-sine * width / height, cosine, 0]]",
        "[[cosine, -sine * height / width, 0.0], [sine * width / height, cosine, 0]]",
        STREAM,
    ),
    Fault(
        "every epoch has the same order",
        FLOOR,
        'generator_for(self._seed, "order", number)',
        'generator_for(self._seed, "order")',
        BATCHES,
    ),
    Fault(
        "a short shard weighs as much as a long one",
        FLOOR,
        "length * world_size / count))",
        "1.0))",
        BATCHES,
    ),
    Fault(
        "a rank without images repeats the last one",
        FLOOR,
        "shards.append(Shard(begin + count - 1, begin + count, 0.0))",
        "shards.append(Shard(begin + count - 1, begin + count, 1.0))",
        BATCHES,
    ),
    Fault(
        "the labelled images of a shard are weighed by the full batch",
        FLOOR,
        "in_shard * world_size / in_batch if in_batch else 0.0",
        "in_shard * world_size / global_size if in_batch else 0.0",
        BATCHES,
    ),
    Fault(
        "the mean of bytes is taken as that of fractions",
        FLOOR,
        "floats.sub_(self.mean * scale).div_(self.std * scale)",
        "floats.sub_(self.mean).div_(self.std * scale)",
        BATCHES,
    ),
    Fault(
        "the brightness is that of the normalised image",
        FLOOR,
        "floats.clamp_(max=255.0)",
        "floats.clamp_(max=1e9)",
        f"{BATCHES} tests/data/test_augment.py",
    ),
    Fault(
        "every image of a set is flipped",
        FLOOR,
        "flip=integers(2) if self.flip else zero",
        "flip=integers(2) * 0 + 1 if self.flip else zero",
        f"tests/data/test_augment.py {BATCHES}",
    ),
    Fault(
        "a crop never reaches the far border",
        FLOOR,
        "window = 2 * self.padding + 1",
        "window = 2 * self.padding",
        f"tests/data/test_augment.py {BATCHES}",
    ),
    Fault(
        "herding forgets the picks before",
        FLOOR,
        "score += 2 * (points @ points[best])",
        "score += 0 * (points @ points[best])",
        "tests/data/test_herding.py",
    ),
    Fault(
        "herding picks a sample twice",
        FLOOR,
        "        score[best] = torch.inf\n",
        "",
        "tests/data/test_herding.py",
    ),
    Fault(
        "late samples flood the reservoir",
        FLOOR,
        "drawn = _below(self.observed, generator)",
        "drawn = _below(self.total, generator)",
        MEMORY,
    ),
    Fault(
        "the reservoir forgets how many it has seen",
        FLOOR,
        'self.observed = int(state["observed"])',
        "pass",
        MEMORY,
    ),
    Fault(
        "a class with as many as the fullest gives none of its own",
        FLOOR,
        "if mine < largest:",
        "if mine <= largest:",
        MEMORY,
    ),
    Fault(
        "old classes keep more than their share",
        FLOOR,
        "(self._labels == label).nonzero().flatten()[:share] for label in old",
        "(self._labels == label).nonzero().flatten() for label in old",
        MEMORY,
    ),
    Fault(
        "the worst of the ranking is kept when the share shrinks",
        FLOOR,
        "(self._labels == label).nonzero().flatten()[:share] for label in old",
        "(self._labels == label).nonzero().flatten()[-share:] for label in old",
        MEMORY,
    ),
    Fault(
        "noise may leave a label right",
        FLOOR,
        "torch.randint(1, num_classes, (len(chosen),), generator=generator)",
        "torch.randint(0, num_classes, (len(chosen),), generator=generator)",
        "tests/data/test_factory.py tests/data/test_load.py",
    ),
    Fault(
        "the test images depend on the seed's stream for labels",
        FLOOR,
        "FIXED_TEST_FRACTION = 0.2",
        "FIXED_TEST_FRACTION = 0.25",
        "tests/data/test_factory.py tests/data/test_load.py",
    ),
    Fault(
        "a subset of a subset counts its rows from the whole",
        FLOOR,
        "return self._with(rows[indices], self.labels[indices])",
        "return self._with(indices, self.labels[indices])",
        "tests/data/test_memory_use.py -k subset",
    ),
    Fault(
        "images that are resized are cut at the corner",
        FLOOR,
        "top, left = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2",
        "top, left = 0, 0",
        "tests/data/test_memory_use.py -k resized",
    ),
]
