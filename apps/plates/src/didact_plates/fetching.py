"""EasyPR's character set: fetched by checksum, or from a folder, and kept as one file of arrays."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from didact_plates.errors import DownloadError
from didact_plates.locate import Image
from didact_plates.texts import say

COMMIT = "34ba808ea2563b3b2ff7266b9cc6d0d9a98f52b1"
ADDRESS = f"https://raw.githubusercontent.com/wzh191920/License-Plate-Recognition/{COMMIT}/train/"
"""Where the set lies in the form in which EasyPR gave it out: MIT licence, from EasyPR."""
ARCHIVES = {
    "chars2.7z": "dfa87bac354f784c0b4e98f87822a1b4071c6e7178e20547e007ce4adf6ae60d",
    "charsChinese.7z": "3544ffef01b960db987e51dca4a4ca43ba5c41e2717840a98136929f29e012c4",
}
"""Each archive and its SHA-256."""
PROVINCES = {
    "cuan": "川", "e": "鄂", "gan": "赣", "gan1": "甘", "gui": "贵", "gui1": "桂", "hei": "黑",
    "hu": "沪", "ji": "冀", "jin": "津", "jing": "京", "jl": "吉", "liao": "辽", "lu": "鲁",
    "meng": "蒙", "min": "闽", "ning": "宁", "qing": "青", "qiong": "琼", "shan": "陕", "su": "苏",
    "sx": "晋", "wan": "皖", "xiang": "湘", "xin": "新", "yu": "豫", "yu1": "渝", "yue": "粤",
    "yun": "云", "zang": "藏", "zhe": "浙",
}  # fmt: skip
"""What the folders of the provinces are called in the archive, after ``zh_``."""
TEST_PART = 0.2
SIDE = 20
NAME = "easypr-characters.npz"


def fetch(target: Path, source: Path | None = None) -> dict[str, int]:
    """Write the character set to ``target``, a folder, as :data:`NAME`.

    The file has ``x`` ``[n, 20, 20]`` (white on black; none twice, none that is said to be two
    things), ``y`` (which of ``glyph`` each is), ``glyph`` and ``is_test`` (a fifth of each class,
    chosen by the pictures' digests).

    Args:
        target: A folder; made if it is not there.
        source: A folder with the two archives; they are downloaded where it is None.

    Returns:
        How many characters, classes and pictures for tests there are.

    Raises:
        DownloadError: An archive cannot be had, or is not what it should be.
    """
    if find_spec("py7zr") is None:
        package = '"didact-plates[fetch]"'
        raise DownloadError(
            say("{module} is not installed. Install it with: pip install {package}",
                module="py7zr", package=package)
        )  # fmt: skip
    if source is not None:  # looked at before anything is written
        for name, digest in ARCHIVES.items():
            _archive(name, digest, target, source)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        text = say("{folder} is there already, and is no folder", folder=target)
        raise DownloadError(text) from None
    archives = [_archive(name, digest, target, source) for name, digest in ARCHIVES.items()]
    arrays = _arrays(_pictures(archives))
    np.savez_compressed(target / NAME, **arrays)  # type: ignore[arg-type]
    return {
        "characters": len(arrays["x"]),
        "classes": len(arrays["glyph"]),
        "test": int(arrays["is_test"].sum()),
    }


def _archive(name: str, digest: str, target: Path, source: Path | None) -> Path:
    if source is not None:
        path = source / name
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            reason = error.strerror or str(error)
            raise DownloadError(
                say("{file} cannot be read: {reason}", file=path, reason=reason)
            ) from None
        if found != digest:
            raise DownloadError(
                say("{file} is not the file that is expected: its SHA-256 is {found}, not {digest}",
                    file=path, found=found, digest=digest)
            )  # fmt: skip
        return path
    import pooch

    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(pooch.retrieve(ADDRESS + name, f"sha256:{digest}", name, target))
    except Exception as error:
        if not isinstance(error, (OSError, ValueError)):  # those of requests are OSErrors
            raise
        raise DownloadError(
            say("{name} could not be fetched ({reason}); without network, take it from {address} "
                "to a folder and use --from FOLDER", name=name, reason=_first_line(error),
                address=ADDRESS + name)
        ) from None  # fmt: skip


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _pictures(archives: list[Path]) -> Iterator[tuple[str, Image]]:
    """Each picture with what it shows; the name of its folder says it."""
    import py7zr

    for archive in archives:
        with tempfile.TemporaryDirectory() as folder:
            try:
                with py7zr.SevenZipFile(archive) as file:
                    file.extractall(folder)
            except (py7zr.exceptions.ArchiveError, OSError, ValueError, EOFError) as error:
                raise DownloadError(
                    say("{file} is damaged: {reason}", file=archive, reason=_first_line(error))
                ) from None
            for path in sorted(Path(folder).rglob("*.jpg")):
                name = path.parent.name
                glyph = PROVINCES.get(name.removeprefix("zh_")) if "zh_" in name else name
                image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
                if glyph is None or len(glyph) != 1 or image is None:
                    continue
                yield glyph, cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _arrays(pictures: Iterator[tuple[str, Image]]) -> dict[str, np.ndarray]:
    digests: dict[bytes, tuple[str, Image]] = {}
    doubtful = set()
    for glyph, image in pictures:
        digest = hashlib.sha256(image.tobytes()).digest()
        if digests.setdefault(digest, (glyph, image))[0] != glyph:
            doubtful.add(digest)
    for digest in doubtful:
        del digests[digest]
    if not digests:
        raise DownloadError(say("the archives have no pictures of characters"))
    ordered = sorted(digests.items(), key=lambda item: (item[1][0], item[0]))
    glyphs = np.array([glyph for _, (glyph, _) in ordered])
    classes, labels, counts = np.unique(glyphs, return_inverse=True, return_counts=True)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.arange(len(glyphs)) - starts[labels]  # in its class, in the order of digests
    return {
        "x": np.stack([image for _, (_, image) in ordered]),
        "y": labels.astype(np.int64),
        "is_test": place < np.round(TEST_PART * counts)[labels],
        "glyph": classes,
    }
