"""What a cache answers for: its teacher, tokenizer, data, and at which temperatures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from didact import __version__
from didact._core import digest
from didact._core.atomic import replace_file
from didact._core.errors import CheckpointError, DtypeError, RunFolderError, ShapeError, UsageError
from didact.lm.cache.shard import row_digest
from didact.lm.vocabularies.vocabulary import Vocabulary

FORMAT = "didact-topk/1"
NAME, TOKENS = "header.json", "vocabulary.json"
Ids = Literal["int32", "packed"]
Logits = Literal["float32", "bfloat16", "float16", "u8"]


@dataclass(frozen=True)
class Header:
    """The whole description of a cache; one with another is another cache.

    Attributes:
        teacher: The digest of its weights.
        teacher_name: How it is called.
        vocabulary: The digest of its ids and tokens; empty where they are not known.
        classes: How many it knows.
        data: The digest of the rows' token ids, in their order.
        rows: How many there are.
        tokens: Of all rows.
        k: Classes kept of a token.
        temperatures: At which the normaliser is known.
        ids: How class numbers are kept.
        logits: How logits are kept.
        rows_in_shard: Rows of a file; the last may have fewer.
        made_with: Versions, which are not compared.
        format: Of the folder.
    """

    teacher: str
    teacher_name: str
    vocabulary: str
    classes: int
    data: str
    rows: int
    tokens: int
    k: int
    temperatures: tuple[float, ...]
    ids: Ids
    logits: Logits
    rows_in_shard: int
    made_with: dict[str, str] = field(
        default_factory=lambda: {"didact": __version__, "torch": torch.__version__}
    )
    format: str = FORMAT

    @property
    def shards(self) -> int:
        """How many files there are when it is whole."""
        return -(-self.rows // self.rows_in_shard)

    def compared(self) -> dict[str, Any]:
        """All but the versions."""
        return {name: value for name, value in asdict(self).items() if name != "made_with"}

    def write(self, folder: Path) -> None:
        """Write it in one step."""
        content = json.dumps(digest.with_digest(asdict(self)), indent=1, sort_keys=True)
        replace_file(folder / NAME, content.encode() + b"\n")


def read_header(folder: Path) -> Header:
    """The header of a folder.

    Raises:
        RunFolderError: It is no cache.
        CheckpointError: Its header is damaged, or of another format.
    """
    path = folder / NAME
    if not path.is_file():
        raise RunFolderError(
            f"{folder} is no cache of a teacher: it has no {NAME}. Make one with didact cache build"
        )
    try:
        value = digest.checked_json(json.loads(path.read_text("utf-8")), path)
        if value["format"] != FORMAT:
            raise CheckpointError(
                f"{path} is of format {value['format']}; this didact reads {FORMAT}"
            )
        return Header(**{**value, "temperatures": tuple(value["temperatures"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise digest.damaged(path, str(error)) from None


def refuse_others(header: Header, there: Header, folder: Path) -> None:
    """A folder holds one cache.

    Raises:
        CheckpointError: It was begun with other settings; the first that differs is named.
    """
    wanted, found = header.compared(), there.compared()
    for name, value in wanted.items():
        if json.dumps(value) != json.dumps(found[name]):
            raise CheckpointError(
                f"{folder} was begun with another {_WORDS.get(name, name)}: {_short(found[name])} "
                f"there, {_short(value)} now. Take another folder, or remove this one"
            )


_WORDS = {"teacher": "teacher (weights)", "vocabulary": "tokenizer", "data": "data"}


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}..." if len(text) > 40 else text


def write_vocabulary(vocabulary: Vocabulary, folder: Path) -> None:
    """Keep the tokens, so that another tokenizer can be told which ids differ."""
    content = json.dumps({str(number): token for number, token in vocabulary.tokens.items()})
    replace_file(folder / TOKENS, content.encode() + b"\n")


def read_vocabulary(header: Header, folder: Path) -> Vocabulary:
    """The teacher's tokens.

    Raises:
        CheckpointError: They are not those that the header answers for.
    """
    path = folder / TOKENS
    try:
        entries = json.loads(path.read_text("utf-8"))
        vocabulary = Vocabulary({int(number): str(token) for number, token in entries.items()})
    except (OSError, ValueError, AttributeError) as error:
        raise digest.damaged(path, str(error)) from None
    if vocabulary.digest != header.vocabulary:
        raise digest.damaged(path)
    return vocabulary


def digest_of_model(model: nn.Module) -> str:
    """Of the names, shapes and bits of all weights and buffers."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not isinstance(tensor, Tensor):
            continue
        found.update(f"{name}\t{tensor.dtype}\t{tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def check_rows(rows: Sequence[Tensor]) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """The token ids of each row.

    Raises:
        ShapeError: A row is not one-dimensional, or empty.
        DtypeError: A row is not of int64.
    """
    for number in range(len(rows)):
        row = rows[number]
        if row.dtype != torch.int64:
            raise DtypeError(f"row {number} is {row.dtype}; expected int64 token ids")
        if row.dim() != 1 or not len(row):
            raise ShapeError(
                f"row {number} is {tuple(row.shape)}; expected the token ids of one text, (tokens,)"
            )
        yield row.numpy()


def digest_of_rows(rows: Sequence[Tensor]) -> tuple[str, int]:
    """Of the token ids of all rows in their order, and how many tokens they have."""
    found, tokens = hashlib.sha256(), 0
    for row in check_rows(rows):
        found.update(row_digest(row))
        tokens += len(row)
    if not tokens:
        raise UsageError("there are no rows; expected the token ids of at least one text")
    return found.hexdigest(), tokens


def mapping_of(header: Header) -> Mapping[str, Any]:
    """What every shard says of the cache that it belongs to."""
    return {"format": header.format, "header": digest.of_json(header.compared())}
