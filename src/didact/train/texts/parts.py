"""What the settings of a run on texts name: models still to be built, and the text in tokens."""

from __future__ import annotations

from dataclasses import dataclass

from didact import lm
from didact.train.texts.data import TextData, text_data
from didact.train.texts.models import LanguageModel, language_model
from didact.train.texts.settings import TextSettings


@dataclass(frozen=True)
class Parts:
    """What the settings name, built and read."""

    student: LanguageModel
    teacher: LanguageModel
    data: TextData
    pair: lm.VocabularyPair


def build_parts(settings: TextSettings) -> Parts:
    """The models, and the text in tokens that mean the same to both.

    Raises:
        UsageError: Their tokenizers differ; the first ids that do are shown.
        ModelError: A model cannot be built.
        DataError: The text cannot be used.
    """
    student, teacher = language_model(settings.student), language_model(settings.teacher)
    own = student if student.tokenizer is not None else teacher
    data = text_data(settings, own.tokenizer, own.classes or 0)
    sides = [m.tokenizer if m.tokenizer is not None else data.tokenizer for m in (student, teacher)]
    pair = lm.pair_vocabularies(
        *sides,
        student_classes=student.classes or data.classes,
        teacher_classes=teacher.classes or data.classes,
    )
    return Parts(student, teacher, data, pair)


def notes_on(parts: Parts, settings: TextSettings) -> list[str]:
    """What a user should know of the tokenizers that models bring with them, a line each."""
    own = {one.name: one for one in (parts.teacher, parts.student) if one.tokenizer is not None}
    if not own:
        return []
    texts = lm.read_documents(settings.data).texts
    return [
        note
        for name, one in own.items()
        for note in lm.notes_on_tokenizer(name, one.tokenizer, one.classes, texts)
    ]
