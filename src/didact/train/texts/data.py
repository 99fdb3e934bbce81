"""The texts of a run: which the teacher reads, which the student, and which both are tested on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from didact import lm
from didact._core.errors import DataError
from didact.data import Batch
from didact.train.texts.settings import TextSettings

PARTS = 6
"""A sixth of the texts is for the test, another for validation."""
FEWEST, PIECE = 30, 2000
"""Fewer texts than this are cut into pieces of so many letters, at blank lines."""
SPLIT_SEED = 2026


@dataclass(frozen=True)
class TextData:
    """What the models of a run read, in windows ``(windows, tokens)`` of ids.

    Attributes:
        name: As the user asked for it.
        tokenizer: From text to ids.
        classes: Tokens of the vocabulary.
        train: What the student sees.
        for_teacher: What a teacher that is trained here sees: that and more.
        validation: Whole texts that no model sees in training.
        test: Others.
        bytes_per_token: Of the validation and of the test text.
    """

    name: str
    tokenizer: Any
    classes: int
    train: Tensor
    for_teacher: Tensor
    validation: Tensor
    test: Tensor
    bytes_per_token: dict[str, float]

    @property
    def digest(self) -> str:
        """Of all windows."""
        found = hashlib.sha256()
        for part in (self.train, self.for_teacher, self.validation, self.test):
            found.update(repr(tuple(part.shape)).encode() + part.numpy().tobytes())
        return found.hexdigest()


def text_data(settings: TextSettings, tokenizer: Any = None, classes: int = 0) -> TextData:
    """Read, split and encode the texts; whole texts are held out.

    Args:
        settings: Which text, and how much of it.
        tokenizer: Of a model that has one; by default one is learnt from the training text.
        classes: Rows of that model's output layer.

    Raises:
        DataError: There is too little text.
    """
    documents = lm.read_documents(settings.data)
    texts = in_pieces(documents.texts)
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(SPLIT_SEED)).tolist()
    held = len(texts) // PARTS
    if not held:
        raise DataError(
            f"{settings.data} has {len(texts)} texts; expected {PARTS} or more, to hold some out "
            f"for the test: files, or paragraphs of together {PARTS * PIECE} letters"
        )
    test, validation, rest = order[:held], order[held : 2 * held], order[2 * held :]
    training = [texts[n] for n in rest]
    if tokenizer is None:
        tokenizer = lm.train_tokenizer([*training, *documents.plenty], settings.vocabulary)
        classes = tokenizer.get_vocab_size()

    def windows(chosen: Sequence[str]) -> tuple[Tensor, float]:
        ids = lm.encode(tokenizer, chosen)
        tokens = sum(map(len, ids))
        size = sum(len(text.encode()) for text in chosen)
        return lm.windows_of(ids, settings.window), size / tokens

    seen = _beginning(training, settings.student_text)
    parts = {"validation": validation, "test": test}
    found = {name: windows([texts[n] for n in numbers]) for name, numbers in parts.items()}
    return TextData(
        settings.data,
        tokenizer,
        classes,
        windows(seen)[0],
        windows([*training, *documents.plenty])[0],
        found["validation"][0],
        found["test"][0],
        {name: size for name, (_, size) in found.items()},
    )


def in_pieces(texts: Sequence[str]) -> list[str]:
    """The texts; few long ones are cut at blank lines."""
    if len(texts) >= FEWEST:
        return list(texts)
    pieces = []
    for text in texts:
        piece = ""
        for paragraph in re.split(r"(?<=\n)\s*\n", text):
            piece += paragraph + "\n"
            if len(piece) >= PIECE:
                pieces.append(piece)
                piece = ""
        if piece.strip():
            pieces.append(piece)
    return pieces


def _beginning(texts: Sequence[str], size: int) -> list[str]:
    """The first so many bytes of the texts, the last of them cut; all of them for 0."""
    if not size:
        return list(texts)
    found, left = [], size
    for text in texts:
        if left <= 0:
            break
        found.append(text.encode()[:left].decode("utf-8", "ignore"))
        left -= len(text.encode())
    return found


class Windows:
    """Batches of windows, in an order that is a function of seed and place alone.

    Every window comes once before any comes again, across the borders of epochs.

    Args:
        windows: ``(windows, tokens)``.
        batch_size: Windows of a batch.
        steps: Batches of an epoch.
        seed: Of the order.
        device: Where batches are wanted.
    """

    all_labelled = True

    def __init__(
        self, windows: Tensor, *, batch_size: int, steps: int, seed: int, device: torch.device
    ) -> None:
        self.windows = windows.to(device)
        self.batch_size, self.steps, self.seed = batch_size, steps, seed
        self._passes, self._permutation = -1, torch.zeros(0)

    def __len__(self) -> int:
        return self.steps

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the ``start``-th on."""
        first = (number * self.steps + start) * self.batch_size
        for step in range(self.steps - start):
            begin = first + step * self.batch_size
            places = [self._window(n) for n in range(begin, begin + self.batch_size)]
            indices = torch.tensor(places)
            ids = self.windows[indices.to(self.windows.device)]
            yield Batch(ids, ids, indices)

    def _window(self, place: int) -> int:
        passes, within = divmod(place, len(self.windows))
        return int(self._order(passes)[within])

    def _order(self, passes: int) -> Tensor:
        if self._passes != passes:
            draw = torch.Generator().manual_seed((self.seed * 1_000_003 + passes) % 2**63)
            self._passes = passes
            self._permutation = torch.randperm(len(self.windows), generator=draw)
        return self._permutation
