"""A user's own images in class folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from didact._core.errors import DataError
from didact._core.text import file_name
from didact.data.loading.image_files import SUFFIXES, image_header, read_image
from didact.data.loading.registry import Parts, Request, source
from didact.data.splits.split import AnySplit, Split, StreamedSplit
from didact.data.splits.subsets import complement, fixed_test_indices_by_class

_VALIDATION = ("val", "valid", "validation")


@dataclass(frozen=True, slots=True, eq=False)
class _Listing:
    """The files of one folder of class folders."""

    classes: tuple[str, ...]
    files: list[Path]
    labels: Tensor


@dataclass(frozen=True, slots=True)
class _FileReader:
    """From a position to the image; a plain object, so that worker processes can have it."""

    files: tuple[Path, ...]
    colour: bool
    size: tuple[int, int] | None

    def __call__(self, position: int) -> Tensor:
        return read_image(self.files[position], colour=self.colour, size=self.size)


@source(
    "folder",
    description="your images in class folders: PATH/train/CLASS and PATH/test/CLASS, or PATH/CLASS",
    licence="yours",
    argument="PATH",
)
def read_folder(request: Request) -> Parts:
    """Images in folders that are named like their classes.

    Either ``PATH/train/CLASS/*`` and ``PATH/test/CLASS/*`` (and perhaps ``PATH/val/CLASS/*``), or
    ``PATH/CLASS/*``: then a fixed fifth of each class is the test set. Classes are numbered in the
    order of their names. All images must have one size, or be resized; they are grey if all of them
    are grey.

    Raises:
        DataError: A folder is missing or empty, a file is damaged or of another size, or the splits
            have other classes.
    """
    root = Path(request.argument).expanduser()
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; expected folder:PATH with the path of one")
    listings = _listings(root)
    train = listings["train"]
    for what, listing in listings.items():
        if listing.classes != train.classes:
            raise DataError(
                f"{root / what} has other classes than {root / 'train'}: "
                f"{_difference(listing.classes, train.classes)}"
            )
    splits = _splits(listings, request)
    if "test" in splits:
        validation = next((split for what, split in splits.items() if what in _VALIDATION), None)
        return Parts(splits["train"], splits["test"], train.classes, validation)
    everything = splits["train"]
    test = fixed_test_indices_by_class(everything.labels, train.classes)
    rest = complement(test, len(everything))
    return Parts(everything.subset(rest), everything.subset(test), train.classes)


def _listings(root: Path) -> dict[str, _Listing]:
    if not (root / "train").is_dir():
        return {"train": _list(root)}
    if not (root / "test").is_dir():
        raise DataError(
            f"{root} has a folder train but no folder test; add {root / 'test'}, or put the class "
            f"folders into {root} itself to have a fifth of the images set aside"
        )
    wanted = ("train", "test", *(name for name in _VALIDATION if (root / name).is_dir()))
    return {name: _list(root / name) for name in wanted}


def _list(folder: Path) -> _Listing:
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not classes:
        raise DataError(f"{folder} has no class folders; expected {folder}/CLASS/image.png")
    files: list[Path] = []
    labels: list[int] = []
    for label, class_folder in enumerate(classes):
        found = sorted(
            path
            for path in class_folder.rglob("*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
        if not found:
            raise DataError(
                f"{class_folder} has no image; expected files that end in "
                f"{', '.join(sorted(SUFFIXES))}"
            )
        files += found
        labels += [label] * len(found)
    return _Listing(tuple(file_name(path.name) for path in classes), files, torch.tensor(labels))


def _splits(listings: dict[str, _Listing], request: Request) -> dict[str, AnySplit]:
    files = [path for listing in listings.values() for path in listing.files]
    height, width, colour = _common_size(files, request.resize)
    shape = (3 if colour else 1, height, width)
    resident = len(files) * shape[0] * height * width <= request.memory_budget
    splits: dict[str, AnySplit] = {}
    for what, listing in listings.items():
        read = _FileReader(tuple(listing.files), colour, request.resize)
        positions = torch.arange(len(listing.files))
        streamed = StreamedSplit(read, positions, listing.labels, shape)
        splits[what] = Split(streamed.images, listing.labels) if resident else streamed
    return splits


def _common_size(files: list[Path], resize: tuple[int, int] | None) -> tuple[int, int, bool]:
    """Height, width, and whether any image has colours; every header is looked at."""
    height, width, any_colour = image_header(files[0])
    for path in files[1:]:
        other_height, other_width, colour = image_header(path)
        any_colour = any_colour or colour
        if resize is None and (other_height, other_width) != (height, width):
            raise DataError(
                f"{path} is {other_width} x {other_height} pixels and {files[0]} is "
                f"{width} x {height}; all images must have one size: give --resize 32 or the like"
            )
    return (*(resize or (height, width)), any_colour)


def _difference(found: tuple[str, ...], expected: tuple[str, ...]) -> str:
    more, less = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
    parts = [f"only there: {', '.join(more[:5])}"] if more else []
    parts += [f"missing there: {', '.join(less[:5])}"] if less else []
    return "; ".join(parts)
