"""A teacher's words on disk: built once, checked, and read at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int64
from numpy.typing import NDArray
from torch import Tensor, nn

from didact._core.digest import damaged
from didact._core.errors import (
    CheckpointError,
    DtypeError,
    RangeError,
    RunFolderError,
    ShapeError,
    UsageError,
)
from didact.lm.cache.capture import (
    OWN,
    TOKENS_IN_SHARD,
    Capture,
    Progress,
    Rows,
    Teach,
    begin,
    check,
    fits,
    identity,
    is_whole,
    rows_of,
    shard_name,
    texts_of,
    write_rows,
)
from didact.lm.cache.header import (
    Header,
    Ids,
    Logits,
    digest_of_model,
    digest_of_rows,
    mapping_of,
    read_header,
    read_vocabulary,
)
from didact.lm.cache.packing import bits_of, restore, unpack
from didact.lm.cache.shard import Shard, as_tensor, check_shard, row_digest
from didact.lm.vocabularies.vocabulary import Vocabulary, pair_vocabularies
from didact.losses import TopK


@dataclass(frozen=True, slots=True)
class Checked:
    """What :meth:`TeacherCache.verify` has found to be right.

    Attributes:
        files: Shards that have their digest.
        bytes: Of them.
        rows: Compared with a teacher that was run again.
        largest: The largest difference of a logit from that teacher's.
        control: The largest difference between two runs of it.
    """

    files: int
    bytes: int
    rows: int = 0
    largest: float = 0.0
    control: float = 0.0


class TeacherCache:
    """What a teacher says of every token of a text, kept in a folder that answers for it.

    A header names the teacher by its weights, the tokenizer by its tokens, the data by its ids, k
    and the temperatures. Each file is written whole, in one step, with a digest of itself inside;
    equal input makes equal bytes, however often it was killed. At every read the ids of a row are
    compared with those that the teacher saw.

    Example:
        >>> import tempfile, torch
        >>> from didact.lm import TeacherCache
        >>> from didact.losses import top_k_kd
        >>> teacher = torch.nn.Sequential(torch.nn.Embedding(11, 4), torch.nn.Linear(4, 11))
        >>> rows = torch.randint(11, (6, 5))
        >>> folder = tempfile.mkdtemp()
        >>> cache = TeacherCache.build(folder, teacher, rows, k=3)
        >>> student_logits = torch.randn(2, 5, 11)
        >>> top_k_kd(student_logits, cache.read(rows[2:4])).shape
        torch.Size([])
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.header: Header = read_header(self.folder)
        self._shards: dict[int, Shard] = {}
        missing = [n for n in range(self.header.shards) if not self._path(n).is_file()]
        if missing:
            raise RunFolderError(
                f"{folder} is not finished: {len(missing)} of {self.header.shards} files are "
                "missing; go on with the command that began it"
            )

    @classmethod
    def build(
        cls,
        folder: str | Path,
        teacher: nn.Module | Teach,
        rows: Rows,
        *,
        k: int = 64,
        temperatures: Sequence[float] = (1.0,),
        tokenizer: Any = None,
        name: str = "",
        digest: str | None = None,
        ids: Ids = "packed",
        logits: Logits | None = None,
        batch_size: int = 8,
        tokens_in_shard: int = TOKENS_IN_SHARD,
        progress: Progress | None = None,
    ) -> TeacherCache:
        """Run a teacher once over all rows; what a killed process has left is gone on with.

        Args:
            folder: Of the cache; made, or one that was begun with the same arguments.
            teacher: From token ids ``(batch, tokens)`` to logits ``(batch, tokens, classes)``: a
                module, whose output may carry them as ``.logits``, or a function.
            rows: Token ids, a row for each text or window.
            k: Classes kept of each token, the likeliest; all of them from ``classes - 1`` on.
            temperatures: Those at which it can be read.
            tokenizer: The teacher's, see :func:`pair_vocabularies`. Without it nothing can be
                compared when the cache is opened.
            name: Of the teacher, for people.
            digest: Of a teacher that is a function, which has no weights to be seen.
            ids: ``"packed"`` in as many bits as they need, or ``"int32"``, which is read faster.
            logits: The teacher's own precision by default, without loss. ``"u8"`` keeps 256 steps.
            batch_size: Rows at a time.
            tokens_in_shard: Of a file, about.
            progress: Told of the rows that are done.

        Raises:
            CheckpointError: The folder holds another cache; what differs is named.
            UsageError: There are no rows, or a function without a digest.
            DtypeError: Rows that are not int64.
            ShapeError: Rows that are not one-dimensional.
            ModelError: The teacher gives something else than logits.
            RangeError: ``k`` or a temperature is out of its range.
        """
        place, texts = Path(folder), texts_of(rows)
        temperatures = sorted(set(map(float, temperatures)))
        if not temperatures:
            raise UsageError("temperatures is empty; expected one or more, such as (1.0,)")
        for word, value in (("batch_size", batch_size), ("tokens_in_shard", tokens_in_shard)):
            if value < 1:
                raise RangeError(f"{word} is {value}; expected 1 or more")
        of_data, tokens = digest_of_rows(texts)
        capture = Capture(teacher, batch_size)
        first = capture.logits(texts[0][None])[0]
        vocabulary = None if tokenizer is None else Vocabulary.of(tokenizer)
        header = Header(
            teacher=identity(teacher, digest),
            teacher_name=name,
            vocabulary="" if vocabulary is None else vocabulary.digest,
            classes=first.shape[-1],
            data=of_data,
            rows=len(texts),
            tokens=tokens,
            k=TopK.of(first[:1], k, temperatures=temperatures).ids.shape[-1],
            temperatures=tuple(temperatures),
            ids=ids,
            logits=OWN.get(first.dtype, "float32") if logits is None else logits,
            rows_in_shard=max(1, tokens_in_shard * len(texts) // tokens),
        )
        check(header, vocabulary)
        begin(place, header, vocabulary)
        for number in range(header.shards):
            path, share = place / shard_name(number), rows_of(header, number)
            if not is_whole(path):
                write_rows(path, header, number, [texts[n] for n in share], capture)
            if progress is not None:
                progress(share.stop, header.rows)
        return cls(place)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        tokenizer: Any = None,
        teacher: nn.Module | None = None,
        temperature: float | None = None,
    ) -> TeacherCache:
        """A finished cache, if it is of this tokenizer, this teacher, and knows this temperature.

        Raises:
            UsageError: It is not; of a tokenizer the first ids that differ are shown.
            RunFolderError: The folder is no cache, or not finished.
            CheckpointError: It is damaged.
        """
        cache = cls(folder)
        header = cache.header
        if tokenizer is not None:
            cache.check_tokenizer(tokenizer)
        if teacher is not None and digest_of_model(teacher) != header.teacher:
            raise UsageError(
                f"{folder} is of another teacher: its weights have another digest than those of "
                f"{header.teacher_name or 'the one that was run'}; build a cache of this one"
            )
        if temperature is not None:
            cache.check_temperature(temperature)
        return cache

    def check_temperature(self, temperature: float) -> None:
        """It can be read at a temperature.

        Raises:
            UsageError: It cannot.
        """
        if temperature not in self.header.temperatures:
            known = ", ".join(map(str, self.header.temperatures))
            raise UsageError(
                f"temperature is {temperature}; {self.folder} knows {known} only. Take one of "
                "these, or build it with this one"
            )

    def check_tokenizer(self, tokenizer: Any) -> Vocabulary:
        """A tokenizer has the ids of the teacher's.

        Returns:
            The teacher's.

        Raises:
            UsageError: It has others, or the cache does not know.
        """
        if not self.header.vocabulary:
            raise UsageError(
                f"{self.folder} was built without a tokenizer: it cannot be told whether the ids "
                "mean the same; build it with the tokenizer"
            )
        own = read_vocabulary(self.header, self.folder)
        pair_vocabularies(tokenizer, own, teacher_classes=self.header.classes)
        return own

    def __len__(self) -> int:
        return self.header.rows

    def read(
        self,
        token_ids: Int64[Tensor, "batch tokens"],
        *,
        rows: Int64[Tensor, " batch"] | Sequence[int] | None = None,
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> TopK:
        """What the teacher says of each token of some rows.

        Args:
            token_ids: The rows as the student sees them.
            rows: Their numbers in the cache; by default they are found by their ids.
            mask: True where a token counts: padding at either end of a shorter row is left out.

        Returns:
            Of logits ``(batch, tokens, classes)``; a token that does not count has equal logits.

        Raises:
            CheckpointError: A row has other ids than the teacher saw: another order, other data.
            RangeError: There is no such row.
        """
        ids = token_ids.detach().cpu().numpy()
        if ids.dtype != np.int64 or ids.ndim != 2:
            raise DtypeError(
                f"token_ids is {tuple(token_ids.shape)} of {token_ids.dtype}; expected (batch, "
                "tokens) of int64"
            )
        counts = None if mask is None else mask.detach().cpu().numpy()
        if counts is not None and counts.shape != ids.shape:
            raise ShapeError(f"mask is {counts.shape}; expected {ids.shape}")
        texts = list(ids)
        if counts is not None:
            texts = [row[keep] for row, keep in zip(ids, counts, strict=True)]
        numbers = self._found(texts) if rows is None else [int(row) for row in rows]
        if len(numbers) != len(texts):
            raise ShapeError(f"{len(numbers)} rows for {len(texts)} texts; expected one for each")
        parts = [self._row(number, text) for number, text in zip(numbers, texts, strict=True)]
        found = self._together(parts)
        if counts is not None and not counts.all():
            found = _spread(found, torch.from_numpy(counts.reshape(-1)), self.header.classes)
        shape = token_ids.shape
        kept_ids, logits, log_z = (x.view(*shape, -1).to(token_ids.device) for x in found)
        return TopK(kept_ids, logits, log_z, self.header.temperatures, self.header.classes)

    def arrays(self, row: int) -> dict[str, NDArray[Any]]:
        """The stored numbers of a row as they lie on the disk, not yet unpacked.

        Raises:
            RangeError: There is no such row.
            CheckpointError: Its file is damaged.
        """
        shard, place = self._locate(row)
        first, last = (int(n) for n in shard.arrays["offsets"][place : place + 2])
        return {
            name: array[first:last]
            for name, array in shard.arrays.items()
            if name not in ("offsets", "row_digest")
        }

    def verify(
        self,
        *,
        against: nn.Module | Teach | None = None,
        rows: Rows | None = None,
        progress: Progress | None = None,
    ) -> Checked:
        """Compare the digest of every file, and some rows with the teacher run again.

        Args:
            against: The teacher. It is run twice, since it may not equal itself on a GPU.
            rows: Token ids of rows, for ``against``.
            progress: Told of the files that are done.

        Raises:
            CheckpointError: A file is not what was written, or belongs to another cache.
        """
        size = 0
        if self.header.vocabulary:
            read_vocabulary(self.header, self.folder)
        for number in range(self.header.shards):
            size += check_shard(self._path(number))
            self._shard(number)
            if progress is not None:
                progress(number + 1, self.header.shards)
        if against is None:
            return Checked(self.header.shards, size)
        if rows is None:
            raise UsageError("against needs rows; pass the token ids of some")
        largest = control = 0.0
        capture = Capture(against, 1)
        for row in texts_of(rows):
            kept = self.read(row[None])
            once, again = (capture.logits(row[None]).float() for _ in range(2))
            gap = once.gather(-1, kept.ids) - kept.logits.float()
            largest = max(largest, float(gap.abs().max()))
            control = max(control, float((once - again).abs().max()))
        return Checked(self.header.shards, size, len(rows), largest, control)

    def info(self) -> dict[str, Any]:
        """The header, and how large it is."""
        size = sum(self._path(number).stat().st_size for number in range(self.header.shards))
        about = self.header.compared() | {"made_with": self.header.made_with}
        return about | {"bytes": size, "bytes_per_token": size / self.header.tokens}

    @cached_property
    def _by_digest(self) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for number in range(self.header.shards):
            first = number * self.header.rows_in_shard
            for place, row in enumerate(self._shard(number).arrays["row_digest"]):
                found.setdefault(row.tobytes(), first + place)
        return found

    def _found(self, texts: list[NDArray[np.int64]]) -> list[int]:
        numbers = [self._by_digest.get(row_digest(text), -1) for text in texts]
        if -1 in numbers:
            place = numbers.index(-1)
            raise CheckpointError(
                f"row {place} of the batch is none that the teacher saw ({len(texts[place])} "
                f"tokens, the first {texts[place][:5].tolist()}); expected rows of the data of "
                f"{self.folder}, cut and padded as they were"
            )
        return numbers

    def _row(self, number: int, text: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        shard, place = self._locate(number)
        if shard.arrays["row_digest"][place].tobytes() != row_digest(text):
            raise CheckpointError(
                f"row {number} of {self.folder} is of other token ids than those of the batch: "
                "another order or other data. Pass the rows that belong to the batch"
            )
        found = self.arrays(number)
        if len(found["log_z"]) != len(text):
            raise damaged(self._path(number // self.header.rows_in_shard), "a row is cut off")
        return found

    def _together(self, parts: list[dict[str, NDArray[Any]]]) -> tuple[Tensor, Tensor, Tensor]:
        """Ids, logits and normalisers of all tokens, each number copied once."""
        header = self.header
        stored = {
            name: np.concatenate([part[name] for part in parts])
            for name in parts[0]
            if name != "ids" or header.ids == "packed"
        }
        if header.ids == "packed":
            ids = unpack(stored["ids"], header.k, bits_of(header.classes))
        else:
            ids = np.concatenate([part["ids"] for part in parts], dtype=np.int64)
        if header.logits == "u8":
            logits = torch.from_numpy(restore(stored["logits"], stored["scale"]))
        else:
            logits = as_tensor(stored["logits"], header.logits)
        return torch.from_numpy(ids), logits, torch.from_numpy(stored["log_z"])

    def _locate(self, row: int) -> tuple[Shard, int]:
        if not 0 <= row < self.header.rows:
            raise RangeError(f"row is {row}; expected 0 to {self.header.rows - 1}")
        number, place = divmod(row, self.header.rows_in_shard)
        return self._shard(number), place

    def _shard(self, number: int) -> Shard:
        if number not in self._shards:
            path = self._path(number)
            shard = Shard(path)
            if shard.about != {**shard.about, **mapping_of(self.header), "shard": number}:
                raise damaged(path, "it belongs to another cache, or to another place")
            if not fits(shard.arrays, self.header, number):
                raise damaged(path, "it has not the arrays that its cache has")
            self._shards[number] = shard
        return self._shards[number]

    def _path(self, number: int) -> Path:
        return self.folder / shard_name(number)


def _spread(
    found: tuple[Tensor, Tensor, Tensor], counts: Tensor, classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same with tokens of equal logits where none was read."""
    k = found[0].shape[-1]
    ids = torch.arange(k).expand(len(counts), k).clone()
    logits = found[1].new_zeros(len(counts), k)
    log_z = found[2].new_full((len(counts), found[2].shape[-1]), float(np.log(classes)))
    ids[counts], logits[counts], log_z[counts] = found
    return ids, logits, log_z
