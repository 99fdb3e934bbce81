"""The student of a finished run, for use: sentences in, vectors and classes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from didact import lm
from didact._core.errors import RunFolderError, UsageError
from didact.train.encoders.models import SentenceClassifier, encoder_of, network, trimmed
from didact.train.encoders.settings import LIBRARIES
from didact.train.loop.settings import names_code
from didact.train.predicting.predictor import Prediction
from didact.train.record.checkpoint import refused_if_malformed
from didact.train.record.files import read_tensors
from didact.train.record.run_folder import SETTINGS, STUDENT, read_toml
from didact.train.record.trust import ask_for_trust

AT_ONCE = 256


class SentenceEncoder:
    """A small encoder with its tokenizer and, where it learnt from labels, its classifier.

    Attributes:
        model: From ids to vectors and logits, in eval mode.
        tokenizer: From sentences to ids.
        class_names: One for each logit; none without labels.

    Example:
        ``load_encoder("runs/mine").classify(["book me a flight"])`` is ``[("book_flight", 0.93)]``.
    """

    def __init__(
        self, model: SentenceClassifier, tokenizer: Any, class_names: Sequence[str] = ()
    ) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.class_names = tuple(class_names)

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Vectors ``(sentences, dimension)`` of length 1: their products are cosines.

        Raises:
            UsageError: One string in place of a list.
        """
        return self._said(sentences)[0]

    def probabilities(self, sentences: Sequence[str]) -> Tensor:
        """``(sentences, classes)``.

        Raises:
            UsageError: One string in place of a list, or the student learnt from no labels.
        """
        if not self.class_names:
            raise UsageError("this student learnt from no labels; it has vectors alone: encode")
        return self._said(sentences)[1].softmax(-1)

    def classify(self, sentences: Sequence[str]) -> list[tuple[str, float]]:
        """The likeliest class of each sentence and its probability.

        Raises:
            UsageError: As :meth:`probabilities`.
        """
        found = self.probabilities(sentences).max(-1)
        pairs = zip(found.indices.tolist(), found.values.tolist(), strict=True)
        return [(self.class_names[number], value) for number, value in pairs]

    @torch.no_grad()
    def _said(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        if isinstance(sentences, str):
            raise UsageError(f"got the sentence {sentences[:40]!r}; expected a list of sentences")
        device = next((p.device for p in self.model.parameters()), torch.device("cpu"))
        parts = [(torch.zeros(0, 0), torch.zeros(0, len(self.class_names)))]
        for start in range(0, len(sentences), AT_ONCE):
            some = [text[: lm.LONGEST_SENTENCE] for text in sentences[start : start + AT_ONCE]]
            ids = torch.tensor([one.ids for one in self.tokenizer.encode_batch(some)])
            ids = ids.reshape(len(some), -1)
            ids = ids if ids.shape[1] else ids.new_zeros(len(some), 1)
            parts.append(self.model(trimmed(ids).to(device)))
        whole = parts[1:] or parts
        return torch.cat([one.cpu() for one, _ in whole]), torch.cat(
            [two.cpu() for _, two in whole]
        )


def is_on_sentences(place: str | Path) -> bool:
    """Whether a place is the folder of a run of ``--recipe encoder``."""
    path = Path(place).expanduser()
    return (path / SETTINGS).is_file() and read_toml(path / SETTINGS).get("recipe") == "encoder"


def predict_sentences(
    encoder: SentenceEncoder, files: Sequence[Path], *, top: int = 1
) -> Iterator[Prediction]:
    """The likeliest classes of each sentence of the files, in their order; none of a blank one.

    Raises:
        DataError: A file cannot be read as sentences.
        UsageError: The student learnt from no labels.
    """
    texts = [text for file in files for text in lm.read_lines(file)]
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        for text, row in zip(some, encoder.probabilities(some), strict=True):
            found = row.topk(min(top, len(row)) if text else 0)
            named = zip(found.indices.tolist(), found.values.tolist(), strict=True)
            yield Prediction(text, tuple((encoder.class_names[n], value) for n, value in named))


def load_encoder(folder: str | Path, *, trust: bool = False) -> SentenceEncoder:
    """The student of a run of ``didact distill --recipe encoder``.

    Args:
        folder: Of the run.
        trust: Whether code that the run names may be imported although this user did not start it.

    Raises:
        RunFolderError: The folder is no run on sentences, or it is not finished.
        CheckpointError: The student is damaged.
        TrustError: The student is code, and ``trust`` is false where it matters.
    """
    path = Path(folder).expanduser()
    if not (path / STUDENT).is_file():
        raise RunFolderError(
            f"{path} has no {STUDENT} yet; go on with: didact distill --resume {path}"
        )
    state, about = read_tensors(path / STUDENT)
    if about.get("task") != "sentences":
        raise RunFolderError(
            f"{path} is no run on sentences; expected one of didact distill --recipe encoder"
        )
    with refused_if_malformed(path / STUDENT):
        name, names = str(about["model"]), [str(one) for one in about["class_names"]]
        sizes = {key: int(about[key]) for key in ("tokens", "window", "dimension")}
        ask_for_trust(path, [name] if names_code(name, LIBRARIES) else [], trust=trust)
        model = network(encoder_of(name), classes=len(names), **sizes)
        model.load_state_dict(state)
        return SentenceEncoder(model, lm.read_tokenizer(path), names)
