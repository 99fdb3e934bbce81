"""The sentences of a run: which may be learnt from, and which the models are judged by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from didact import lm
from didact._core.errors import DataError
from didact.lm import Sentences
from didact.train.encoders.settings import EncoderSettings

PARTS = 6
"""A sixth of the sentences of each class is for the test, another for validation."""
SPLIT_SEED = 2026
FEWEST = 3
"""Sentences that can be trained on, validated and tested."""


@dataclass(frozen=True)
class SentenceData:
    """What the models of a run read.

    Attributes:
        sentences: All of them, each once.
        tokenizer: Of the student.
        classes: Tokens of its vocabulary.
        class_names: One for each label; none where there are no labels.
        ids: ``(sentences, tokens)``, 0 behind the end.
        labels: ``(sentences,)``; -1 where there is none.
        groups: ``(sentences,)``; equal where sentences stand in one place.
        train: Places of the sentences that are learnt from.
        validation: Places of those that settings are chosen by.
        test: Places of those that the models are judged by.
    """

    sentences: Sentences
    tokenizer: Any
    classes: int
    class_names: tuple[str, ...]
    ids: Tensor
    labels: Tensor
    groups: Tensor
    train: Tensor
    validation: Tensor
    test: Tensor

    @property
    def digest(self) -> str:
        """Of the sentences, their labels, and the parts they are in."""
        found = hashlib.sha256()
        for text in (*self.sentences.texts, "\0", *self.class_names):
            found.update(len(text).to_bytes(8, "little") + text.encode("utf-8", "surrogatepass"))
        for part in (self.ids, self.labels, self.train, self.validation, self.test):
            found.update(repr(tuple(part.shape)).encode() + part.numpy().tobytes())
        return found.hexdigest()

    @property
    def has_classes(self) -> bool:
        """Whether there are labels."""
        return bool(self.class_names)

    def labelled(self, seed: int, per_class: int) -> Tensor:
        """Places of the labels that a seed may use: so many of each class, or all for 0."""
        usable = self.train[self.labels[self.train] >= 0]
        if not per_class or not self.has_classes:
            return usable
        draw = torch.Generator().manual_seed(seed % 2**63)
        mixed = usable[torch.randperm(len(usable), generator=draw)]
        labels = self.labels[mixed]
        chosen = [mixed[labels == number][:per_class] for number in range(len(self.class_names))]
        return torch.cat(chosen)


def sentence_data(settings: EncoderSettings) -> SentenceData:
    """Read, split and encode the sentences.

    Raises:
        DataError: There are too few, or all of them have one label.
    """
    sentences = lm.read_sentences(settings.data)
    if len(sentences.texts) < FEWEST:
        raise DataError(
            f"different sentences in {settings.data}: {len(sentences.texts)}; expected {FEWEST} "
            f"or more, and a few hundred for a student that is of use"
        )
    names = _class_names(sentences)
    known = {name: number for number, name in enumerate(names)}
    labels = torch.tensor([-1 if x is None else known.get(x, -1) for x in sentences.labels])
    parts = _parts(sentences, labels)
    places = {p: torch.tensor([n for n, x in enumerate(parts) if x == p]) for p in lm.PARTS}
    for part, found in places.items():
        if not len(found):
            raise DataError(
                f"{settings.data} leaves no sentence for the part {part}; expected {FEWEST} or "
                "more sentences with a label in at least one class"
            )
    seen = [sentences.texts[n] for n in places["train"].tolist()]
    tokenizer = lm.train_sentence_tokenizer(seen, settings.vocabulary, settings.window)
    ids = torch.tensor([one.ids for one in tokenizer.encode_batch(list(sentences.texts))])
    return SentenceData(
        sentences,
        tokenizer,
        tokenizer.get_vocab_size(),
        names,
        ids,
        labels,
        torch.tensor(sentences.groups),
        **places,
    )


def notes_on(data: SentenceData, settings: EncoderSettings) -> list[str]:
    """What a user should know of the sentences, a line each."""
    said, sentences = list(data.sentences.notes), data.sentences
    if repeated := sentences.read - len(sentences.texts):
        said.append(f"repeated sentences: {repeated} of {sentences.read}; each counts once")
    if sentences.contradicted:
        said.append(f"repeated with another label: {sentences.contradicted}; one label is taken")
    judged = set(data.labels[data.test].tolist())
    if data.has_classes and (unseen := len(data.class_names) - len(judged)):
        said.append(f"classes without a sentence in the test: {unseen} of {len(data.class_names)}")
    longer = int((data.ids[:, -1] != 0).sum()) if data.ids.shape[1] == settings.window else 0
    if longer:
        said.append(f"sentences of {settings.window} tokens or more, cut there: {longer}")
    return said


def _class_names(sentences: Sentences) -> tuple[str, ...]:
    """The labels that can be learnt: those of a sentence that is not held out by the files.

    Raises:
        DataError: There is one.
    """
    pairs = zip(sentences.labels, sentences.parts, strict=True)
    names = sorted({label for label, part in pairs if label and part in ("", "train")})
    if len(names) == 1:
        raise DataError(
            f"all sentences with a label have the label {names[0]!r}; expected two classes or "
            "more, or no labels"
        )
    return tuple(names)


def _parts(sentences: Sentences, labels: Tensor) -> list[str]:
    """The part of each sentence: as the files say it, or drawn class by class, groups whole."""
    parts = list(sentences.parts)
    if any(parts):
        if "validation" not in parts:
            _hold_out(parts, sentences.groups, labels, of="train", into=("validation",))
    else:
        parts = ["train"] * len(parts)
        _hold_out(parts, sentences.groups, labels, of="train", into=("test", "validation"))
    if bool((labels >= 0).any()):  # one without a label judges nothing
        parts = ["train" if y < 0 else p for p, y in zip(parts, labels.tolist(), strict=True)]
    return parts


def _hold_out(
    parts: list[str],
    groups: Sequence[int],
    labels: Tensor,
    *,
    of: str,
    into: tuple[str, ...],
) -> None:
    draw = torch.Generator().manual_seed(SPLIT_SEED)
    by_class: dict[int, dict[int, list[int]]] = {}
    for place, (part, group, label) in enumerate(zip(parts, groups, labels.tolist(), strict=True)):
        if part == of:
            by_class.setdefault(label, {}).setdefault(group, []).append(place)
    for label in sorted(by_class):
        own = list(by_class[label].values())
        if label < 0 and len(by_class) > 1:
            continue
        order = torch.randperm(len(own), generator=draw).tolist()
        held = len(own) // PARTS or int(len(own) > len(into))
        for number, part in enumerate(into):
            for which in order[number * held : (number + 1) * held]:
                for place in own[which]:
                    parts[place] = part
