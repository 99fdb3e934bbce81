"""One file of a teacher's cache: written whole, with a digest inside that covers every bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from didact._core import digest
from didact._core.atomic import replace_file

KEY = "didact"
_DIGITS = 64
_MARK = b'\\"digest\\":\\"'
_KINDS = {"U8": "u1", "I32": "<i4", "I64": "<i8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_HEAD = 8


def row_digest(tokens: NDArray[np.int64]) -> bytes:
    """Eight bytes of a row's token ids."""
    return hashlib.blake2b(np.ascontiguousarray(tokens, "<i8").tobytes(), digest_size=8).digest()


def write_shard(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write a shard in one step; equal tensors make equal bytes.

    The file has one key of metadata, since two come out in any order, and in it the SHA-256 of the
    whole file with zeros in its place.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    text = json.dumps({**about, "digest": "0" * _DIGITS}, sort_keys=True, separators=(",", ":"))
    content = bytearray(save(dict(tensors), {KEY: text}))
    start = _place(content)
    found = hashlib.sha256(content).hexdigest()
    content[start : start + _DIGITS] = found.encode()
    replace_file(path, bytes(content))


def _place(content: bytes | bytearray | memoryview) -> int:
    """Where the digits of the digest are; -1 where there are none."""
    length = int.from_bytes(bytes(content[:_HEAD]), "little")
    found = bytes(content[_HEAD : _HEAD + min(length, 1 << 20)]).find(_MARK)
    return -1 if found < 0 else _HEAD + found + len(_MARK)


def check_shard(path: Path) -> int:
    """Read a whole shard and compare its digest.

    Returns:
        Its bytes.

    Raises:
        CheckpointError: It is not what was written.
    """
    try:
        content = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError) as error:
        raise digest.damaged(path, str(error)) from None
    view = content.data
    start = _place(view)
    if start < 0 or start + _DIGITS > len(view):
        raise digest.damaged(path, "it has no digest")
    found = hashlib.sha256(view[:start])
    found.update(b"0" * _DIGITS)
    found.update(view[start + _DIGITS :])
    if found.hexdigest().encode() != bytes(view[start : start + _DIGITS]):
        raise digest.damaged(path)
    return len(view)


class Shard:
    """The arrays of a shard, mapped into memory: what is not read is not loaded.

    Args:
        path: The file.

    Raises:
        CheckpointError: It is no file of this kind.
    """

    def __init__(self, path: Path) -> None:
        try:
            mapped = np.memmap(path, np.uint8, "r")
            length = int.from_bytes(mapped[:_HEAD].tobytes(), "little")
            if length > len(mapped) - _HEAD:
                raise ValueError("its head is longer than the file")
            described = json.loads(mapped[_HEAD : _HEAD + length].tobytes())
            self.about: dict[str, Any] = json.loads(described.pop("__metadata__")[KEY])
            self.arrays = {
                name: self._array(mapped, _HEAD + length, entry)
                for name, entry in described.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise digest.damaged(path, str(error)) from None

    @staticmethod
    def _array(mapped: NDArray[np.uint8], begin: int, entry: Mapping[str, Any]) -> NDArray[Any]:
        first, last = (begin + offset for offset in entry["data_offsets"])
        if last > len(mapped):
            raise ValueError("it is cut off")
        return mapped[first:last].view(_KINDS[entry["dtype"]]).reshape(entry["shape"])


def as_tensor(array: NDArray[Any], kind: str) -> Tensor:
    """A copy of mapped numbers as a tensor; ``kind`` says which 16 bits they are."""
    found = torch.from_numpy(np.ascontiguousarray(array))
    return found.view(torch.bfloat16) if kind == "bfloat16" else found
