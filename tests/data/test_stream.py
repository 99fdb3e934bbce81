"""How a data set becomes tasks, and which arrangements are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from didact._core.errors import DataError, RangeError, UsageError
from didact.data import Data, Split, StreamedSplit, joined, make_stream


def data_of(labels: Sequence[int], *, test: Sequence[int] | None = None, classes: int = 10) -> Data:
    """The image's first pixel is its label, the second its number."""

    def split(given: Sequence[int]) -> Split:
        images = torch.zeros(len(given), 1, 2, 3, dtype=torch.uint8)
        images[:, 0, 0, 0] = torch.tensor(list(given), dtype=torch.uint8)
        images[:, 0, 0, 1] = torch.arange(len(given)) % 256
        return Split(images, torch.tensor(list(given), dtype=torch.int64))

    return Data(
        name="some",
        train=split(labels),
        validation=split([]),
        test=split(sorted(set(labels)) if test is None else test),
        class_names=tuple("abcdefghij"[:classes]),
        mean=(0.5,),
        std=(0.5,),
        labelled=torch.ones(len(labels), dtype=torch.bool),
    )


TEN = [label for label in range(10) for _ in range(6)]


def classes(stream: Any) -> list[tuple[int, ...]]:
    return [stream.task(k).classes for k in range(len(stream))]


@pytest.mark.parametrize(
    ("base", "step", "sizes"),
    [
        (None, None, [2, 2, 2, 2, 2]),
        (None, 5, [5, 5]),
        (5, 1, [5, 1, 1, 1, 1, 1]),
        (4, 3, [4, 3, 3]),
        (None, 4, [4, 4, 2]),  # what is left over makes a smaller task
        (10, 2, [10]),
        (1, 1, [1] * 10),  # a task with one class
    ],
)
def test_base_and_step(base: int | None, step: int | None, sizes: list[int]) -> None:
    stream = make_stream(data_of(TEN), base=base, step=step)
    assert [len(group) for group in classes(stream)] == sizes
    assert [label for group in classes(stream) for label in group] == list(range(10))
    last = stream.task(len(stream) - 1)
    assert (last.known, last.seen) == (10 - sizes[-1], 10)


def test_labels_become_columns_and_the_images_stay_with_them() -> None:
    stream = make_stream(data_of(TEN), step=2, class_order=1993)
    expected = np.random.RandomState(1993).permutation(10).tolist()
    assert list(stream.class_order) == expected
    for number in range(5):
        task = stream.task(number)
        assert task.columns == (2 * number, 2 * number + 1)
        assert task.classes == tuple(expected[2 * number : 2 * number + 2])
        for split in (task.train, stream.tests[number]):
            original = split.images[:, 0, 0, 0].tolist()
            assert [expected[column] for column in split.labels.tolist()] == original


def test_class_orders() -> None:
    def order(given: Any, seed: int = 0) -> list[int]:
        return list(make_stream(data_of(TEN), class_order=given, seed=seed).class_order)

    backwards = tuple(range(9, -1, -1))
    assert order(backwards) == list(backwards)
    assert order("seed", 3) == order(3)
    assert order("seed", 3) != order("seed", 4)
    assert order(1993, 3) == order(1993, 4)
    with pytest.raises(UsageError, match="expected each class once"):
        order((0, 1))
    with pytest.raises(UsageError, match="class_order is 'best'"):
        order("best")


def test_labels_with_gaps_are_no_classes() -> None:
    stream = make_stream(data_of([1, 1, 4, 4, 7, 7, 9, 9]), step=2)
    assert stream.num_classes == 4
    assert classes(stream) == [(1, 4), (7, 9)]
    assert stream.task(1).train.labels.tolist() == [2, 2, 3, 3]


def test_a_class_that_comes_back_keeps_its_column_and_shares_its_images() -> None:
    stream = make_stream(data_of(TEN), groups=[[0, 1], [2, 0], [0]])
    assert [stream.task(k).columns for k in range(3)] == [(0, 1), (0, 2), (0,)]
    assert [(stream.task(k).known, stream.task(k).seen) for k in range(3)] == [
        (0, 2),
        (2, 3),
        (3, 3),
    ]
    numbers = [
        stream.task(k).train.images[stream.task(k).train.labels == 0][:, 0, 0, 1].tolist()
        for k in range(3)
    ]
    assert sorted(n for part in numbers for n in part) == list(range(6))
    assert [len(part) for part in numbers] == [2, 2, 2]
    assert [len(test) for test in stream.tests] == [2, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"tasks": 11}, RangeError, "11 tasks for 10 classes"),
        ({"step": 11}, RangeError, "step is 11"),
        ({"base": 11, "step": 1}, RangeError, "base is 11"),
        ({"tasks": 2, "step": 2}, UsageError, "either the number of tasks or base and step"),
        ({"groups": [[0, 1], []]}, DataError, "task 2 has no class"),
        ({"groups": []}, DataError, "there is no task"),
        ({"groups": [[0, 0]]}, DataError, "names a class twice"),
        ({"groups": [[0, 12]]}, DataError, "task 1 has class 12"),
        ({"groups": [[0]], "tasks": 2}, UsageError, "leave out base, step and tasks"),
        ({"imbalance": 0.0}, RangeError, "imbalance is 0"),
        ({"blurry": 1.0}, RangeError, "blurry is 1"),
        ({"evaluate_on": "validation"}, DataError, "no validation split"),
        ({"scenario": "domain", "step": 2}, UsageError, "give their number as tasks"),
        ({"scenario": "domain", "tasks": -1}, RangeError, "-1 domains"),
        ({"scenario": "domain", "domains": "groups", "step": 3}, UsageError, "the same for each"),
        ({"scenario": "domain", "domains": "other"}, UsageError, "domains are 'other'"),
    ],
)
def test_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_stream(data_of(TEN), **arguments)


def test_a_class_without_test_images_is_refused() -> None:
    with pytest.raises(DataError, match="class 3 has no image to be evaluated on"):
        make_stream(data_of([0, 1, 2, 3], test=[0, 1, 2]), step=2)


def test_tasks_of_sizes_that_differ_by_at_most_one() -> None:
    assert [len(group) for group in classes(make_stream(data_of(TEN), tasks=4))] == [3, 3, 2, 2]


def test_images_without_a_label_that_may_be_used_are_left_out() -> None:
    data = data_of(TEN)
    data.labelled[::2] = False
    stream = make_stream(data)
    assert sum(len(train) for train in stream.trains) == 30
    assert int(stream.trains[0].images[0, 0, 0, 1]) == 1


def test_imbalance_falls_exponentially_along_the_order() -> None:
    labels = [label for label in range(3) for _ in range(100)]
    stream = make_stream(data_of(labels), step=1, class_order=(2, 0, 1), imbalance=0.01)
    assert [len(train) for train in stream.trains] == [100, 10, 1]
    few = make_stream(
        data_of([label for label in range(3) for _ in range(5)]), step=1, imbalance=0.01
    )
    assert [len(train) for train in few.trains] == [5, 1, 1]  # none loses all of its images


def test_blurred_borders_move_images_but_lose_none() -> None:
    labels = [label for label in range(4) for _ in range(50)]
    stream = make_stream(data_of(labels), step=2, blurry=0.2)
    numbers = [n for train in stream.trains for n in train.images[:, 0, 0, 1].tolist()]
    assert sorted(numbers) == list(range(200))
    original = [Counter(train.images[:, 0, 0, 0].tolist()) for train in stream.trains]
    assert original[0] == {0: 40, 1: 40, 2: 10, 3: 10}
    assert original[1] == {0: 10, 1: 10, 2: 40, 3: 40}
    assert (stream.task(0).seen, stream.task(1).known) == (4, 4)
    assert [stream.columns_of(k).tolist() for k in range(2)] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("fraction", [0.5, 0.9])
def test_a_class_keeps_an_image_at_home_however_blurred(fraction: float) -> None:
    labels = [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]
    stream = make_stream(data_of(labels), step=2, blurry=fraction)
    for train, home in zip(stream.trains, ((0, 1), (2, 3)), strict=True):
        found = Counter(train.images[:, 0, 0, 0].tolist())
        assert all(found[label] >= 1 for label in home)
    numbers = [n for train in stream.trains for n in train.images[:, 0, 0, 1].tolist()]
    assert sorted(numbers) == list(range(10))
    assert {0} == set(stream.trains[0].images[stream.trains[0].labels == 0][:, 0, 0, 1].tolist())


def test_permuted_and_rotated_domains() -> None:
    data = data_of(TEN)
    for domains in ("permuted", "rotated"):
        stream = make_stream(data, scenario="domain", domains=domains, tasks=3)
        assert torch.equal(stream.trains[0].images, data.train.images)
        for number in range(3):
            task = stream.task(number)
            assert task.columns == tuple(range(10))
            assert task.known == (0 if number == 0 else 10)
            assert torch.equal(task.train.labels, data.train.labels)
    stream = make_stream(data, scenario="domain", tasks=3)
    moved, still = stream.trains[1].images.flatten(1), data.train.images.flatten(1)
    assert not torch.equal(moved, still)
    assert torch.equal(moved.sort(1).values, still.sort(1).values)
    at = int((moved[-1] == 9).nonzero()[0])  # where the label's pixel went to, for every image
    assert torch.equal(moved[:, at], still[:, 0])
    assert torch.equal(stream.tests[1].images.flatten(1)[:, at], data.test.images[:, 0, 0, 0])


def test_a_half_turn_is_the_image_upside_down() -> None:
    images = torch.arange(12, dtype=torch.uint8).reshape(1, 1, 3, 4) * 20
    from didact.data.streams.domains import _rotated

    assert torch.equal(_rotated(images, degrees=180.0), images.flip(-1, -2))
    square = torch.arange(9, dtype=torch.uint8).reshape(1, 1, 3, 3) * 20
    assert torch.equal(_rotated(square, degrees=90.0), square.rot90(-1, (2, 3)))


def test_groups_as_domains_share_two_columns() -> None:
    stream = make_stream(data_of(TEN), scenario="domain", domains="groups", step=2)
    assert stream.num_classes == 2
    for number in range(5):
        train = stream.task(number).train
        assert (train.images[:, 0, 0, 0] % 2).tolist() == train.labels.tolist()


def test_all_data_so_far_is_that_of_the_tasks_together() -> None:
    stream = make_stream(data_of(TEN), step=4)
    task = stream.task(1, with_earlier=True)
    assert len(task.train) == 48
    assert task.columns == tuple(range(8))
    assert (task.known, task.seen) == (4, 8)


def test_streamed_images_are_read_one_by_one() -> None:
    read: list[int] = []

    def one(position: int) -> Tensor:
        read.append(position)
        return torch.full((1, 2, 3), position, dtype=torch.uint8)

    in_memory = data_of([0, 1, 2, 3] * 3)
    train = StreamedSplit(one, torch.arange(12), in_memory.train.labels, (1, 2, 3))
    data = Data(
        name="streamed",
        train=train,
        validation=in_memory.validation,
        test=in_memory.test,
        class_names=in_memory.class_names,
        mean=(0.5,),
        std=(0.5,),
        labelled=torch.ones(12, dtype=torch.bool),
    )
    read.clear()  # Data has looked at the first image to see its type
    second = make_stream(data, step=2).task(1).train
    assert not read
    both = joined(second, in_memory.test)
    assert both.take(torch.tensor([0, 6]))[:, 0, 0, 0].tolist() == [2, 0]
    assert read == [2]
    domain = make_stream(data, scenario="domain", tasks=2).trains[1]
    assert domain.take(torch.tensor([5])).unique().tolist() == [5]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10), st.integers(1, 10), st.integers(0, 99))
def test_every_image_is_in_exactly_one_task(base: int, step: int, order: int) -> None:
    stream = make_stream(data_of(TEN), base=base, step=step, class_order=order)
    numbers = [n for train in stream.trains for n in train.images[:, 0, 0, 1].tolist()]
    assert sorted(numbers) == list(range(60))
    assert [k for t in range(len(stream)) for k in stream.task(t).columns] == list(range(10))
