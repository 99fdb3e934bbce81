"""Files that are whole or not there: written under another name, then renamed."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from didact._core.atomic import replace_file
from didact._core.errors import CheckpointError, RunFolderError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step; a killed process leaves the old file.

    Raises:
        RunFolderError: The disk is full or the folder cannot be written.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> RunFolderError:
    """The message for a file that could not be written."""
    if error.errno in _NO_ROOM:
        return RunFolderError(
            f"no room left to write {path}; what was finished before is kept. "
            "Free some space and go on with --resume"
        )
    return RunFolderError(f"cannot write {path}: {error.strerror or error}")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file in one step."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]
) -> None:
    """Write a safetensors file in one step; ``about`` is JSON in its header."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_bytes(path, save(plain, metadata={"didact": json.dumps(about)}))


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What :func:`write_tensors` wrote; ``about`` is empty for another program's file.

    Raises:
        CheckpointError: The file is missing, truncated or not a safetensors file.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = file.metadata() or {}
        about = json.loads(header.get("didact", "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}); use another copy of it"
        ) from error
    return tensors, about
