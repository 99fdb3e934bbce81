"""What the ids of a tokenizer stand for, and whether those of two models mean the same tokens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

from didact._core.errors import ShapeError, UsageError
from didact.losses import TopK

SHOWN = 5
RULED_OUT = -10_000.0
"""A logit without probability at any temperature, with which every divergence can be told."""
Said = TypeVar("Said", Tensor, TopK)


@dataclass(frozen=True)
class Vocabulary:
    """The token of each id that has one.

    Args:
        tokens: From id to token.
    """

    tokens: Mapping[int, str]

    @classmethod
    def of(cls, tokenizer: Any) -> Vocabulary:
        """That of a tokenizer of tokenizers, transformers, sentencepiece or tiktoken, or of a dict.

        Nothing of theirs is imported: a tokenizer is known by what it can be asked.

        Args:
            tokenizer: It, a mapping from token to id, or the tokens in the order of their ids.

        Raises:
            UsageError: It is none of these, or two tokens have one id.
        """
        if isinstance(tokenizer, Vocabulary):
            return tokenizer
        pairs = _pairs(tokenizer)
        tokens: dict[int, str] = {}
        for token, number in pairs:
            if number in tokens and tokens[number] != token:
                raise UsageError(
                    f"id {number} stands for two tokens, {tokens[number]!r} and {token!r}; "
                    "expected one token for each id"
                )
            tokens[number] = token
        if not tokens:
            raise UsageError("the tokenizer has no tokens; expected a vocabulary")
        return cls(dict(sorted(tokens.items())))

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return max(self.tokens) + 1

    @cached_property
    def digest(self) -> str:
        """Of ids and tokens: equal where and only where all ids mean the same."""
        found = hashlib.sha256()
        for number, token in sorted(self.tokens.items()):
            found.update(f"{number}\t{json.dumps(token)}\n".encode())
        return found.hexdigest()


def _pairs(tokenizer: Any) -> list[tuple[str, int]]:
    if callable(getattr(tokenizer, "get_vocab", None)):
        tokenizer = tokenizer.get_vocab()
    if isinstance(tokenizer, Mapping):
        if wrong := [n for n in tokenizer.values() if not isinstance(n, int) or n < 0]:
            raise UsageError(
                f"{wrong[0]!r} is no id; expected a mapping from token to id, 0 or more"
            )
        return [(str(token), int(number)) for token, number in tokenizer.items()]
    if callable(getattr(tokenizer, "id_to_piece", None)):  # sentencepiece
        return [(tokenizer.id_to_piece(n), n) for n in range(tokenizer.get_piece_size())]
    if callable(getattr(tokenizer, "decode_single_token_bytes", None)):  # tiktoken
        return list(_of_tiktoken(tokenizer))
    if isinstance(tokenizer, Sequence) and not isinstance(tokenizer, str | bytes):
        return [(str(token), number) for number, token in enumerate(tokenizer)]
    raise UsageError(
        f"{type(tokenizer).__name__} is no tokenizer that is known; expected one with get_vocab() "
        "(tokenizers, transformers), of sentencepiece or tiktoken, or a mapping from token to id"
    )


def _of_tiktoken(tokenizer: Any) -> list[tuple[str, int]]:
    found = []
    for number in range(tokenizer.n_vocab):
        try:
            found.append((tokenizer.decode_single_token_bytes(number).decode("latin-1"), number))
        except KeyError:
            continue  # an id without a token
    return found


@dataclass(frozen=True, slots=True)
class VocabularyPair:
    """Two models whose ids mean the same tokens.

    Attributes:
        kind: ``"same"``, or ``"padded"`` where one side has rows or tokens that the other lacks.
        student_classes: Rows of the student's output layer.
        teacher_classes: Rows of the teacher's.
        only_student: Ids with a token on the student's side alone.
        only_teacher: Ids with a token on the teacher's side alone.
        silent: Rows of the teacher's output layer that have no token of its own.
        digest: Of the teacher's vocabulary.
    """

    kind: Literal["same", "padded"]
    student_classes: int
    teacher_classes: int
    only_student: tuple[int, ...]
    only_teacher: tuple[int, ...]
    silent: tuple[int, ...]
    digest: str

    @property
    def classes(self) -> int:
        """The first so many rows are there on both sides: ``weight[:pair.classes]``."""
        return min(self.student_classes, self.teacher_classes)

    def align(self, teacher_logits: Said) -> Said:
        """The teacher's logits, or what is kept of them, on the student's classes.

        Classes that have no token for the teacher get a logit of -10,000, a probability of 0; those
        that the student lacks are left out. Of a :class:`TopK` both belong to the rest.

        Args:
            teacher_logits: ``(..., teacher_classes)``.

        Returns:
            ``(..., student_classes)``.

        Raises:
            ShapeError: They are of another number of classes.
            UsageError: A class of a :class:`TopK` is one that the student lacks.
        """
        if teacher_logits.shape[-1] != self.teacher_classes:
            raise ShapeError(
                f"teacher_logits is {tuple(teacher_logits.shape)}; expected (..., "
                f"{self.teacher_classes}), the classes that the teacher was paired with"
            )
        classes, lacking = self.student_classes, self.student_classes - self.teacher_classes
        if isinstance(teacher_logits, TopK):
            if lacking < 0 and bool((teacher_logits.ids >= classes).any()):
                raise UsageError(
                    f"the teacher kept class {int(teacher_logits.ids.max())} and the student has "
                    f"{classes} classes; expected ids that both know"
                )
            return replace(teacher_logits, classes=classes)
        if not self.silent and not lacking:
            return teacher_logits
        shape = (*teacher_logits.shape[:-1], max(0, lacking))
        ruled_out = teacher_logits.new_full(shape, RULED_OUT)
        made = torch.cat([teacher_logits[..., :classes], ruled_out], -1)
        made[..., [number for number in self.silent if number < classes]] = RULED_OUT
        return made


def pair_vocabularies(
    student: Any,
    teacher: Any,
    *,
    student_classes: int | None = None,
    teacher_classes: int | None = None,
) -> VocabularyPair:
    """Whether the ids of two models mean the same tokens: the same, padded, or an error.

    A teacher reads the ids that the student's tokenizer made, and its logits are compared class by
    class. With other ids of the same number it would read other words, and the loss would fall all
    the same. Output layers with more rows than there are tokens are harmless.

    Args:
        student: The student's tokenizer; see :meth:`Vocabulary.of`.
        teacher: The teacher's.
        student_classes: Rows of the student's output layer; by default as many as ids.
        teacher_classes: Those of the teacher's.

    Raises:
        UsageError: An id means another token on the other side, or has no row in its model; the
            first ids are shown.

    Example:
        >>> from didact.lm import pair_vocabularies
        >>> pair = pair_vocabularies({"a": 0, "b": 1}, {"a": 0, "b": 1}, teacher_classes=4)
        >>> pair.kind, pair.classes
        ('padded', 2)
        >>> pair_vocabularies({"a": 0, "b": 1}, {"b": 0, "a": 1})
        Traceback (most recent call last):
        didact._core.errors.UsageError: 2 of 2 ids mean another token to the teacher: 0 is 'a' to \
the student and 'b' to the teacher, 1 is 'b' to the student and 'a' to the teacher. The teacher \
would read other words; take a teacher of the same tokenizer
    """
    own, other = Vocabulary.of(student), Vocabulary.of(teacher)
    sizes = [
        vocabulary.size if classes is None else classes
        for vocabulary, classes in ((own, student_classes), (other, teacher_classes))
    ]
    for name, vocabulary, classes in zip(("student", "teacher"), (own, other), sizes, strict=True):
        if beyond := [number for number in vocabulary.tokens if number >= classes]:
            raise UsageError(
                f"{len(beyond)} tokens of the {name} have no row in its {classes} classes, the "
                f"first {vocabulary.tokens[beyond[0]]!r} with id {beyond[0]}; expected its own "
                "tokenizer"
            )
    shared = own.tokens.keys() & other.tokens.keys()
    differ = sorted(n for n in shared if own.tokens[n] != other.tokens[n])
    if differ:
        raise UsageError(
            f"{len(differ)} of {len(shared)} ids mean another token to the teacher: "
            f"{_shown(differ, own, other)}. The teacher would read other words; take a teacher of "
            "the same tokenizer"
        )
    if not shared:
        raise UsageError("no id has a token on both sides; expected tokenizers of one family")
    only_student, only_teacher = (
        tuple(sorted(one.tokens.keys() - two.tokens.keys()))
        for one, two in ((own, other), (other, own))
    )
    same = sizes[0] == sizes[1] and not (only_student or only_teacher)
    silent = tuple(number for number in range(sizes[1]) if number not in other.tokens)
    kind: Literal["same", "padded"] = "same" if same else "padded"
    return VocabularyPair(
        kind, sizes[0], sizes[1], only_student, only_teacher, silent, other.digest
    )


def _shown(differ: list[int], own: Vocabulary, other: Vocabulary) -> str:
    parts = [
        f"{n} is {own.tokens[n]!r} to the student and {other.tokens[n]!r} to the teacher"
        for n in differ[:SHOWN]
    ]
    return ", ".join(parts) + (", ..." if len(differ) > SHOWN else "")
