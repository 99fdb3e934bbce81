"""A tokenizer of our own, and texts as windows of token ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from didact._core.errors import DataError, UsageError
from didact._core.optional import require

END = "<|end|>"
"""The token behind each text."""


PADDING = "<|padding|>"
"""The token with id 0 that fills up the shorter sentences of a batch."""


def train_tokenizer(texts: Iterable[str], size: int) -> Any:
    """Byte-pair encoding (Sennrich et al. 2016) of bytes: it has a token for any text.

    Args:
        texts: To learn from.
        size: Of the vocabulary, 257 or more.

    Returns:
        A ``tokenizers.Tokenizer``.

    Raises:
        UsageError: ``size`` is too small.
        MissingDependencyError: The library tokenizers is not installed.
    """
    return _learnt(texts, size, END)


def train_sentence_tokenizer(texts: Iterable[str], size: int, window: int) -> Any:
    """Byte-pair encoding for sentences: capitals and full-width letters are read as the plain ones.

    It cuts a sentence after ``window`` tokens and fills up a batch with id 0, so that its
    ``encode_batch`` gives what an encoder takes.

    Args:
        texts: To learn from.
        size: Of the vocabulary, 257 or more.
        window: The longest sentence, in tokens.

    Returns:
        A ``tokenizers.Tokenizer``.

    Raises:
        UsageError: ``size`` is too small.
        MissingDependencyError: The library tokenizers is not installed.
    """
    library = require("tokenizers", extra="text")
    plain = library.normalizers.Sequence(
        [library.normalizers.NFKC(), library.normalizers.Lowercase()]
    )
    tokenizer = _learnt(texts, size, PADDING, plain)
    tokenizer.enable_padding(pad_id=0, pad_token=PADDING)
    tokenizer.enable_truncation(max_length=window)
    return tokenizer


def _learnt(texts: Iterable[str], size: int, first: str, normaliser: Any = None) -> Any:
    if size < 257:
        raise UsageError(
            f"the vocabulary has {size} tokens; expected 257 or more, the bytes and an end"
        )
    library = require("tokenizers", extra="text")
    tokenizer = library.Tokenizer(library.models.BPE())
    if normaliser is not None:
        tokenizer.normalizer = normaliser
    spaced = normaliser is not None  # a word is the same token at the beginning, too
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=spaced)
    tokenizer.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[first],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def read_tokenizer(path: str | Path) -> Any:
    """A tokenizer from a ``tokenizer.json``, or from the folder that holds it.

    Raises:
        DataError: There is none, or it cannot be read.
        MissingDependencyError: The library tokenizers is not installed.
    """
    library = require("tokenizers", extra="text")
    place = Path(path)
    if place.is_dir():
        place /= "tokenizer.json"
    if not place.is_file():
        raise DataError(f"there is no {place}; expected a tokenizer.json of the library tokenizers")
    try:
        return library.Tokenizer.from_file(str(place))
    except Exception as error:  # noqa: BLE001 - the library raises plain Exception
        raise DataError(f"{place} is no tokenizer that can be read: {error}") from None


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """The ids of each text, with the token of the end behind where the tokenizer has one.

    Args:
        tokenizer: Of tokenizers or transformers.
        texts: To be encoded.
    """
    if hasattr(tokenizer, "encode_batch"):
        end = tokenizer.token_to_id(END)
        found = [
            encoded.ids for encoded in tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]
    else:
        end = getattr(tokenizer, "eos_token_id", None)
        found = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return [[*ids, *([] if end is None else [end])] for ids in found]


def windows_of(ids: Iterable[Sequence[int]], length: int) -> Int64[Tensor, "windows length"]:
    """All texts one after the other, cut into windows; what is left at the end is dropped.

    Raises:
        DataError: There are fewer tokens than one window has.
        UsageError: A window of one token, after which nothing comes.
    """
    if length < 2:
        raise UsageError(f"the window is {length}; expected 2 tokens or more, one to be predicted")
    stream = [number for text in ids for number in text]
    count = len(stream) // length
    if not count:
        raise DataError(
            f"the text has {len(stream)} tokens and a window {length}; expected more text, or a "
            "shorter window"
        )
    return torch.tensor(stream[: count * length]).view(count, length)
