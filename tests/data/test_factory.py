"""A user's own datasets, from a function in a file."""

import random
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from didact._core.errors import DataError, UnknownNameError, UsageError
from didact.data import Batches, Split, StreamedSplit, load

HEAD = """
import random
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset, TensorDataset

def images(count, *shape):
    return torch.arange(count * int(np.prod(shape))).reshape(count, *shape).to(torch.uint8)

LABELS = torch.arange(12) % 3

class Pairs(Dataset):
    def __init__(self, pairs):
        self.pairs = pairs
    def __len__(self):
        return len(self.pairs)
    def __getitem__(self, index):
        return self.pairs[index]

def tensors(shape=(3, 4, 5), change=lambda x: x):
    return TensorDataset(change(images(12, *shape)), LABELS)
"""


def write(path: Path, body: str) -> str:
    (path / "own.py").write_text(HEAD + textwrap.dedent(body))
    return f"{path / 'own.py'}:make"


WHOLE = torch.arange(12 * 60).reshape(12, 3, 4, 5).to(torch.uint8)
LABELS = torch.arange(12) % 3


@pytest.mark.parametrize(
    ("returned", "validation"),
    [
        ("(tensors(), tensors())", 0),
        ("(tensors(), tensors(), tensors())", 12),
        ("{'train': tensors(), 'test': tensors()}", 0),
        ("{'train': tensors(), 'validation': tensors(), 'test': tensors()}", 12),
        ("didact_data()", 12),
    ],
)
def test_what_a_factory_may_return(tmp_path: Path, returned: str, validation: int) -> None:
    body = f"""
    def didact_data():
        from didact.data import Data, Split
        split = Split(images(12, 3, 4, 5), LABELS)
        return Data("own", split, split, split, ("0", "1", "2"), (0.5,) * 3, (0.2,) * 3,
                    torch.ones(12, dtype=torch.bool))
    def make():
        return {returned}
    """
    data = load(write(tmp_path, body), validation=0)
    assert isinstance(data.train, Split)
    assert torch.equal(data.train.images, WHOLE)
    assert torch.equal(data.test.labels, LABELS)
    assert len(data.validation) == validation
    assert data.class_names == ("0", "1", "2")


@pytest.mark.parametrize(
    ("item", "dtype", "shape"),
    [
        ("(torch.zeros(3, 4, 5), 1)", torch.float32, (3, 4, 5)),
        ("(torch.zeros(4, 5, dtype=torch.float64), np.int64(1))", torch.float32, (1, 4, 5)),
        ("(np.zeros((3, 4, 5), np.uint8), torch.tensor(1))", torch.uint8, (3, 4, 5)),
        ("(Image.new('RGB', (5, 4)), 1)", torch.uint8, (3, 4, 5)),
        ("(Image.new('L', (5, 4)), 1, 'more')", torch.uint8, (1, 4, 5)),
    ],
)
def test_what_an_item_may_be(
    tmp_path: Path, item: str, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    body = f"""
    def make():
        item = {item}
        pairs = Pairs([(item[0], 0), item] * 4)
        pairs.classes = ["a", "b"]
        return pairs, pairs
    """
    data = load(write(tmp_path, body))
    assert data.train.images.dtype == dtype
    assert data.image_shape == shape
    assert data.class_names == ("a", "b")


def test_large_datasets_are_streamed(tmp_path: Path) -> None:
    spec = write(tmp_path, "def make():\n    return tensors(), tensors()")
    data = load(spec, validation=0, memory_budget=100)
    assert isinstance(data.train, StreamedSplit)
    assert torch.equal(data.train.images, WHOLE)
    assert data.mean == pytest.approx((WHOLE.double() / 255).mean(dim=(0, 2, 3)).tolist())


RANDOM = """
class Random(Pairs):
    def __getitem__(self, index):
        noise = torch.rand(()) + random.random() + np.random.rand()
        return torch.full((1, 4, 5), float(index)) + noise, index % 3

def make():
    return Random(list(range(12))), tensors((1, 4, 5), torch.Tensor.float)
"""


@pytest.mark.parametrize("workers", [0, 1])
def test_random_transforms_are_kept_alive_and_can_be_repeated(tmp_path: Path, workers: int) -> None:
    data = load(write(tmp_path, RANDOM), validation=0)
    assert isinstance(data.train, StreamedSplit)
    assert data.train.varies
    assert isinstance(data.test, Split)

    def epoch(number: int, start: int = 0) -> list[Tensor]:
        batches = Batches(
            data.train, batch_size=5, seed=1, shuffle=True, mean=[0.0], std=[1.0], workers=workers
        )
        return [batch.images for batch in batches.epoch(number, start)]

    before = (random.getstate(), torch.get_rng_state().tolist(), np.random.get_state()[1].tolist())  # type: ignore[index, union-attr]  # noqa: NPY002
    first = epoch(1)
    random.random()
    torch.rand(())
    random.setstate(before[0])
    torch.set_rng_state(torch.tensor(before[1], dtype=torch.uint8))
    again = epoch(1, start=1)
    assert all(torch.equal(a, b) for a, b in zip(first[1:], again, strict=True))
    drawn, drawn_later = torch.cat(first).frac().unique(), torch.cat(epoch(2)).frac().unique()
    assert not torch.isin(drawn, drawn_later).any()
    after = (random.getstate(), torch.get_rng_state().tolist(), np.random.get_state()[1].tolist())  # type: ignore[index, union-attr]  # noqa: NPY002
    assert before == after


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("make = 3", "is a int, not a function"),
        ("def make():\n    return 1 / 0", "failed: ZeroDivisionError"),
        ("def make():\n    return tensors()", "returned a TensorDataset; expected a didact"),
        ("def make():\n    return {'train': tensors()}", "returned a dict; expected"),
        ("def make():\n    return {'train': 1, 'test': 1, 'x': 1}", "a dict with x; expected"),
        ("def make():\n    return 1, 2", "train is a int without a length"),
        ("def make():\n    return iter([1]), tensors()", "without a length"),
        ("def make():\n    return Pairs([]), tensors()", "train is empty"),
        ("def make():\n    return Pairs([1, 2]), tensors()", "item 0 is a int; expected"),
        ("def make():\n    return Pairs([('a', 1)]), tensors()", "a str as its image"),
        ("def make():\n    return tensors((2, 3, 4, 5)), tensors()", r"shape \(2, 3, 4, 5\)"),
        ("def make():\n    return tensors(change=torch.Tensor.long), tensors()", "torch.int64"),
        (
            "def make():\n    return TensorDataset(images(12, 1, 2, 2), LABELS / 2), tensors()",
            "labels are torch.int64",
        ),
        (
            "def make():\n    return TensorDataset(images(12, 1, 2, 2), LABELS - 1), tensors()",
            r"image 0 has label -1; expected 0\.\.1",
        ),
        ("def make():\n    return tensors(), tensors((3, 4, 6))", r"test images are \(3, 4, 6\)"),
        (
            "def make():\n    a = tensors()\n"
            "    return Pairs([*a][:2] + [(torch.zeros(3, 4, 4, dtype=torch.uint8), 0)] + [*a]), a",
            r"item 2 is torch.uint8 \(3, 4, 4\) and item 0",
        ),
        (
            "def make():\n    return tensors(), tensors(change=torch.Tensor.float)",
            "test images are torch.float32 and training images are torch.uint8",
        ),
        ("def make():\n    return Pairs({0: (images(1, 2, 2), 0), 2: 1}), tensors()", "KeyError"),
    ],
)
def test_what_a_factory_gets_wrong(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, body))


def test_a_factory_that_is_not_there(tmp_path: Path) -> None:
    spec = write(tmp_path, "def maker():\n    return None")
    with pytest.raises(UnknownNameError, match="did you mean 'maker'"):
        load(spec)
    with pytest.raises(UnknownNameError, match="there is no file"):
        load(f"{tmp_path}/none.py:make")
    with pytest.raises(UnknownNameError, match="importing no_such_package failed"):
        load("no_such_package:make")


def test_data_that_says_itself_which_labels_count(tmp_path: Path) -> None:
    body = """
    def make():
        from didact.data import Data, Split
        split = Split(images(12, 3, 4, 5), LABELS)
        return Data("own", split, split, split, ("0", "1", "2"), (0.5,) * 3, (0.2,) * 3,
                    torch.arange(12) < 6)
    """
    spec = write(tmp_path, body)
    data = load(spec, label_noise=0.5)
    assert torch.equal(data.labelled, torch.arange(12) < 6)
    changed = data.train.labels != LABELS
    assert int(changed[:6].sum()) == 3
    assert not changed[6:].any()
    with pytest.raises(UsageError, match="says itself which of its labels"):
        load(spec, labelled=0.5)
