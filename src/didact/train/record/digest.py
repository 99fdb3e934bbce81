"""Digests: a bit that flips on a disk is noticed when the file is read, not believed.

A digest is the SHA-256 of what a reader gets out of a file, so that a file without one, of another
program or of an earlier version, can still be read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from didact._core.errors import CheckpointError

KEY = "digest"
LINE_DIGITS = 16
_BLOCK = 1 << 20


def of_text(text: str, digits: int = 64) -> str:
    """Hexadecimal digits of a text's digest."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def of_json(value: Mapping[str, Any]) -> str:
    """The digest of a JSON object: of all of it but its own digest, whatever its order."""
    rest = {name: entry for name, entry in value.items() if name != KEY}
    return of_text(json.dumps(rest, sort_keys=True, separators=(",", ":")))


def of_file(path: Path) -> str:
    """The digest of a file's bytes, read block by block."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def of_tensors(tensors: Mapping[str, Tensor], about: str) -> str:
    """The digest of named CPU tensors, their types and shapes, and the text that goes with them."""
    found = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        if tensor.numel():
            found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def with_digest(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object that carries its digest."""
    return {**value, KEY: of_json(value)}


def checked_json(value: dict[str, Any], path: Path) -> dict[str, Any]:
    """The object without its digest.

    Raises:
        CheckpointError: It is not the object that was written.
    """
    stored = value.pop(KEY, None)
    if stored is not None and stored != of_json(value):
        raise damaged(path)
    return value


def damaged(
    path: Path, why: str = "it does not have the digest that was written with it"
) -> CheckpointError:
    """The message for a file that is not what was written."""
    return CheckpointError(f"{path} is damaged: {why}; use another copy of it, or run again")
