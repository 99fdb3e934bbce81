"""The files of a run: each whole or not there, with a digest that is checked at reading."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from didact._core import digest
from didact._core.atomic import replace_file, sync, sync_folder
from didact._core.errors import CheckpointError, RunFolderError
from didact._core.text import is_unicode

Json = dict[str, Any]
Shapes = dict[str, tuple[int, ...]]
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABOUT, _DIGEST = "didact", "didact.digest"


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step; a killed process leaves the old file.

    Raises:
        RunFolderError: The disk is full or the folder cannot be written.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def make_folder(path: Path) -> None:
    """Make a folder, and wait until its name and those above it are on the disk.

    Raises:
        RunFolderError: It cannot be made.
    """
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            sync_folder(folder.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def remove(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        RunFolderError: It is there and cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error, "remove") from error


def sync_file(path: Path) -> None:
    """Wait until what was appended to a file is on the disk.

    Raises:
        RunFolderError: The disk is full or broken.
    """
    try:
        with path.open("ab") as file:
            sync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError, what: str = "write") -> RunFolderError:
    """The message for a file that could not be written or removed."""
    if error.errno in _NO_ROOM:
        return RunFolderError(
            f"no room left to write {path}; what was finished before is kept. "
            "Free some space and go on with --resume"
        )
    return RunFolderError(f"cannot {what} {path}: {error.strerror or error}")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file in one step; an object gets its digest."""
    if isinstance(value, Mapping):
        value = digest.with_digest(value)
    text = json.dumps(value, indent=1, ensure_ascii=False)
    if not is_unicode(text):  # a file's name in another encoding
        text = json.dumps(value, indent=1)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path) -> object:
    """What :func:`write_json` wrote.

    Raises:
        CheckpointError: The file cannot be read, is not JSON, or is not what was written.
    """
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise digest.damaged(path, f"{type(error).__name__}: {error}"[:200]) from None
    return digest.checked_json(value, path) if isinstance(value, dict) else value


def read_object(path: Path) -> Json:
    """A JSON file that holds an object.

    Raises:
        CheckpointError: As :func:`read_json`, or it holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise digest.damaged(path, f"it holds a {type(value).__name__}; expected an object")
    return value


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]
) -> None:
    """Write a safetensors file in one step; ``about`` is JSON in its header."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    text = json.dumps(about)
    header = {_ABOUT: text, _DIGEST: digest_of(plain, text)}
    write_bytes(path, save(plain, metadata=header))


def read_header(path: Path) -> tuple[Shapes, Json]:
    """The shapes in a safetensors file and its ``about``, without its tensors.

    Raises:
        CheckpointError: The file is missing, truncated or not a safetensors file.
    """
    shapes, text, _, _ = _open(path, load=False)
    return shapes, _about(path, text)


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], Json]:
    """What :func:`write_tensors` wrote; ``about`` is empty for another program's file.

    Raises:
        CheckpointError: The file is missing, truncated, not a safetensors file, or not what was
            written.
    """
    _, text, stored, tensors = _open(path, load=True)
    if stored is not None and stored != digest_of(tensors, text):
        raise digest.damaged(path)
    return tensors, _about(path, text)


def digest_of(tensors: Mapping[str, torch.Tensor], about: str) -> str:
    """The digest of named CPU tensors, their types and shapes, and the text that goes with them."""
    found = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        if tensor.numel():
            found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _open(path: Path, *, load: bool) -> tuple[Shapes, str, str | None, dict[str, torch.Tensor]]:
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    try:
        with safe_open(str(path), framework="pt") as file:
            names = list(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            tensors = {name: file.get_tensor(name) for name in names} if load else {}
            header = file.metadata() or {}
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}); use another copy of it"
        ) from error
    return shapes, header.get(_ABOUT, "{}"), header.get(_DIGEST), tensors


def _about(path: Path, text: str) -> Json:
    try:
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise digest.damaged(path, f"its header is not JSON ({error})"[:200]) from None
    if not isinstance(about, dict):
        raise digest.damaged(path, "its header is not an object")
    return about
