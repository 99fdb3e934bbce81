"""A teacher run over texts, and its words written: the making of a cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from didact._core.atomic import leftovers
from didact._core.errors import CheckpointError, RangeError, RunFolderError, UsageError
from didact.lm.cache.header import (
    TOKENS,
    Header,
    Logits,
    digest_of_model,
    mapping_of,
    read_header,
    refuse_others,
    write_vocabulary,
)
from didact.lm.cache.packing import LARGEST, bits_of, bytes_of, pack, quantise
from didact.lm.cache.shard import check_shard, row_digest, write_shard
from didact.lm.models.logits import taught_logits
from didact.lm.vocabularies.vocabulary import Vocabulary
from didact.losses import TopK

Progress = Callable[[int, int], None]
"""Called with what is done and all of it."""
Teach = Callable[[Tensor], Tensor]
TOKENS_IN_SHARD = 1 << 16


Rows = Sequence[Tensor] | Tensor
"""The token ids of each row: tensors, or one tensor ``(rows, tokens)``."""


def texts_of(rows: Rows) -> Sequence[Tensor]:
    """A tensor for each row."""
    return rows.unbind() if isinstance(rows, Tensor) else rows


class Capture:
    """A teacher, asked for logits."""

    def __init__(self, teacher: nn.Module | Teach, batch_size: int) -> None:
        self.teacher, self.batch_size = teacher, batch_size

    def logits(self, token_ids: Tensor) -> Tensor:
        """Of rows of equal length, in eval mode, on the CPU."""
        if isinstance(self.teacher, nn.Module):
            device = next((p.device for p in self.teacher.parameters()), token_ids.device)
            token_ids = token_ids.to(device)
        return taught_logits(self.teacher, token_ids).cpu()

    def batches(self, rows: Sequence[Tensor]) -> Iterator[Tensor]:
        """Logits of some rows at a time, ``(tokens of all of them, classes)``."""
        first = 0
        while first < len(rows):
            last = first + 1
            while last < min(len(rows), first + self.batch_size) and (
                len(rows[last]) == len(rows[first])
            ):
                last += 1
            yield self.logits(torch.stack(list(rows[first:last]))).flatten(0, 1)
            first = last


OWN: dict[torch.dtype, Logits] = {torch.bfloat16: "bfloat16", torch.float16: "float16"}
_ON_DISK = {"float32": "<f4", "bfloat16": "<u2", "float16": "<f2", "u8": "u1"}
_STORED = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def identity(teacher: nn.Module | Teach, digest: str | None) -> str:
    """What a teacher is known by.

    Raises:
        UsageError: A function without a digest.
    """
    if digest is not None:
        return digest
    if isinstance(teacher, nn.Module):
        return digest_of_model(teacher)
    raise UsageError(
        "the teacher is a function, whose weights cannot be seen; pass digest=, a text that is "
        "another for another teacher"
    )


def check(header: Header, vocabulary: Vocabulary | None) -> None:
    """A cache of this kind can be made.

    Raises:
        UsageError: Ids or logits are to be kept in an unknown way, or the tokenizer is another's.
        RangeError: There are too many classes.
    """
    if header.ids not in ("packed", "int32"):
        raise UsageError(f"ids is {header.ids!r}; expected 'packed' or 'int32'")
    if header.logits not in (*_STORED, "u8"):
        raise UsageError(f"logits is {header.logits!r}; expected one of {(*_STORED, 'u8')}")
    if bits_of(header.classes) > LARGEST:
        raise RangeError(f"the teacher knows {header.classes} classes; at most {1 << LARGEST}")
    if vocabulary is not None and vocabulary.size > header.classes:
        raise UsageError(
            f"the tokenizer has ids up to {vocabulary.size - 1} and the teacher knows "
            f"{header.classes} classes; expected the teacher's own tokenizer"
        )


def begin(folder: Path, header: Header, vocabulary: Vocabulary | None) -> None:
    """Make the folder of a cache, or see that it is of the same one; clear what a kill left.

    Raises:
        CheckpointError: It holds another.
        RunFolderError: It is a file, or holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file; expected a folder, or the name of a new one")
    folder.mkdir(parents=True, exist_ok=True)
    for path in leftovers(folder):
        path.unlink(missing_ok=True)
    try:
        there = read_header(folder)
    except RunFolderError:
        if any(folder.iterdir()):
            raise RunFolderError(
                f"{folder} holds something else than a cache; take a folder of its own"
            ) from None
        header.write(folder)
    else:
        refuse_others(header, there, folder)
    if vocabulary is not None and not (folder / TOKENS).is_file():
        write_vocabulary(vocabulary, folder)


def shard_name(number: int) -> str:
    """The file of a shard."""
    return f"shard-{number:06d}.safetensors"


def rows_of(header: Header, number: int) -> range:
    """The rows of a shard."""
    first = number * header.rows_in_shard
    return range(first, min(header.rows, first + header.rows_in_shard))


def is_whole(path: Path) -> bool:
    """Whether a shard is there and has its digest."""
    try:
        return path.is_file() and check_shard(path) > 0
    except CheckpointError:
        return False  # made anew


def fits(arrays: Mapping[str, NDArray[Any]], header: Header, number: int) -> bool:
    """Whether arrays are those of a shard, by their names, kinds and shapes."""
    packed, tokens = header.ids == "packed", len(arrays["log_z"]) if "log_z" in arrays else 0
    rows = len(rows_of(header, number))
    width = bytes_of(header.k, bits_of(header.classes)) if packed else header.k
    wanted = {
        "ids": ("u1" if packed else "<i4", (tokens, width)),
        "log_z": ("<f4", (tokens, len(header.temperatures))),
        "logits": (_ON_DISK[header.logits], (tokens, header.k)),
        "offsets": ("<i8", (rows + 1,)),
        "row_digest": ("u1", (rows, 8)),
    }
    if header.logits == "u8":
        wanted["scale"] = ("<f4", (tokens, 2))
    found = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    return found == {name: (np.dtype(kind), shape) for name, (kind, shape) in wanted.items()}


def write_rows(
    path: Path, header: Header, number: int, rows: Sequence[Tensor], capture: Capture
) -> None:
    """One shard from its rows."""
    kept = [
        TopK.of(logits, header.k, temperatures=header.temperatures)
        for logits in capture.batches(rows)
    ]
    ids, logits, log_z = (
        torch.cat([getattr(part, name) for part in kept]) for name in ("ids", "logits", "log_z")
    )
    write_kept(path, header, number, rows, (ids, logits, log_z))


def write_kept(
    path: Path,
    header: Header,
    number: int,
    rows: Sequence[Tensor],
    kept: tuple[Tensor, Tensor, Tensor],
) -> None:
    """One shard from ids, logits and log_z of all tokens of its rows."""
    ids, logits, log_z = kept
    lengths = [0, *(len(row) for row in rows)]
    digests = np.frombuffer(b"".join(row_digest(row.numpy()) for row in rows), np.uint8)
    tensors = {
        "log_z": log_z.float(),
        "offsets": torch.tensor(lengths).cumsum(0),
        "row_digest": torch.from_numpy(digests.reshape(-1, 8).copy()),
    }
    if header.ids == "packed":
        tensors["ids"] = torch.from_numpy(pack(ids.numpy(), bits_of(header.classes)))
    else:
        tensors["ids"] = ids.to(torch.int32)
    if header.logits == "u8":
        steps, scale = quantise(logits.float().numpy())
        tensors |= {"logits": torch.from_numpy(steps), "scale": torch.from_numpy(scale)}
    else:
        tensors["logits"] = logits.to(_STORED[header.logits])
    write_shard(path, tensors, {**mapping_of(header), "shard": number})
