"""Teachers of sentences by name, and what they say of them, kept in the run folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact import lm
from didact._core import digest
from didact._core.errors import DataError, ModelError
from didact._core.lookup import load
from didact.nn import count_parameters, size_on_disk
from didact.train.encoders.models import Encoder, encoder_of
from didact.train.encoders.settings import LIBRARIES, MINILM
from didact.train.loop.settings import names_code
from didact.train.record.checkpoint import PartOf
from didact.train.record.files import make_folder, read_tensors, write_tensors

SHARD = 1024
"""Sentences of a file; what a kill costs at most."""
Encode = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class SentenceTeacher:
    """A teacher that is trained already, or is to be trained here.

    Attributes:
        name: As the user typed it.
        encode: From sentences to vectors; None for one without a model, or to be trained.
        model: What ``encode`` runs, where that is known.
        digest: Of its weights, or of its file; empty where nothing can be compared.
        vectors: One for each sentence that was read, for ready vectors.
        untrained: What is to be trained here.
    """

    name: str
    encode: Encode | None = field(default=None, repr=False)
    model: nn.Module | None = field(default=None, repr=False)
    digest: str = ""
    vectors: Any = field(default=None, repr=False)
    untrained: Encoder | None = None

    def about(self) -> dict[str, Any]:
        """Name and size, as ``result.json`` has it."""
        if self.model is None:
            return {"name": self.name}
        size = {"parameters": count_parameters(self.model), "bytes": size_on_disk(self.model)}
        return {"name": self.name, **size}


def sentence_teacher(name: str) -> SentenceTeacher:
    """The teacher of a name.

    Raises:
        ModelError: There is none, or it cannot be read.
        DataError: Ready vectors that are no numbers.
        MissingDependencyError: A library or the wheel of a model is not installed.
    """
    kind, _, place = name.partition(":")
    if kind == "npy":
        return _ready(name, Path(place).expanduser())
    if name == MINILM or kind == "hf":
        model = lm.read_sentence_encoder(lm.minilm_folder() if name == MINILM else place)
        return SentenceTeacher(name, model.encode, model, lm.digest_of_model(model))
    if names_code(name, LIBRARIES):
        return _users_own(name)
    return SentenceTeacher(name, untrained=encoder_of(name))


def _ready(name: str, path: Path) -> SentenceTeacher:
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as an array of NumPy: {error}") from None
    if getattr(vectors, "ndim", 0) != 2 or vectors.dtype.kind != "f":
        raise DataError(
            f"{path} holds {getattr(vectors, 'shape', 'several arrays')} of "
            f"{getattr(vectors, 'dtype', 'any type')}; expected floating-point numbers "
            "(sentences, dimension)"
        )
    return SentenceTeacher(name, digest=digest.of_file(path), vectors=vectors)


def _users_own(name: str) -> SentenceTeacher:
    found = load(name, what="model")
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise ModelError(f"{name} is no function; expected one from a list of sentences to vectors")

    def encode(texts: Sequence[str]) -> Tensor:
        said = found(list(texts))
        vectors = torch.as_tensor(said if isinstance(said, Tensor) else np.asarray(said))
        if vectors.dim() != 2 or len(vectors) != len(texts):
            raise ModelError(
                f"{name} gave {tuple(vectors.shape)} for {len(texts)} sentences; expected "
                f"({len(texts)}, dimension)"
            )
        return vectors.detach().float().cpu()

    model = found if isinstance(found, nn.Module) else None
    return SentenceTeacher(name, encode, model, lm.digest_of_model(model) if model else "")


def kept_vectors(
    folder: Path,
    teacher: SentenceTeacher,
    encode: Encode | None,
    sentences: lm.Sentences,
    part_of: PartOf,
    progress: Callable[[int, int], None],
) -> Tensor:
    """The teacher's vectors of all sentences, of length 1; what is in the folder is read from it.

    Raises:
        CheckpointError: A file there is damaged, or of another teacher or other data.
        DataError: The teacher says NaN, or there is not one vector for each sentence.
    """
    if teacher.vectors is not None:
        return _of_sentences(teacher, sentences)
    make_folder(folder)
    texts, parts = sentences.texts, []
    for number, start in enumerate(range(0, len(texts), SHARD)):
        path = folder / f"vectors-{number:06d}.safetensors"
        if path.is_file():
            tensors, about = read_tensors(path)
            part_of.refuse_other(path, about, shard=number)
            found = tensors["vectors"]
        else:
            assert encode is not None
            found = _unit(encode(texts[start : start + SHARD]), teacher.name)
            write_tensors(path, {"vectors": found}, part_of.as_json(shard=number))
        parts.append(found)
        progress(min(start + SHARD, len(texts)), len(texts))
    return torch.cat(parts)


def _of_sentences(teacher: SentenceTeacher, sentences: lm.Sentences) -> Tensor:
    if len(teacher.vectors) != sentences.read:
        raise DataError(
            f"{teacher.name} has {len(teacher.vectors)} vectors and {sentences.name} "
            f"{sentences.read} sentences; expected one for each, in the same order"
        )
    rows = np.asarray(teacher.vectors[list(sentences.rows)], dtype=np.float32)
    return _unit(torch.from_numpy(rows), teacher.name)


def _unit(vectors: Tensor, name: str) -> Tensor:
    if not bool(vectors.isfinite().all()):
        raise DataError(f"{name} gave vectors with NaN or infinite numbers")
    return F.normalize(vectors.float(), dim=-1)
