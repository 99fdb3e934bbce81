"""Floor 2: language models. Vocabularies that mean the same, and what a teacher said, on disk.

In come tokenizers of any library and token ids. Calls the losses; imports no library of others
beyond torch and safetensors.
"""

from didact._core.optional import expect

expect("torch", "numpy", "safetensors")

from didact.lm.cache.capture import Progress
from didact.lm.cache.converters import convert
from didact.lm.cache.header import Header, digest_of_model
from didact.lm.cache.teacher_cache import Checked, TeacherCache
from didact.lm.models.folders import read_transformers
from didact.lm.models.logits import logits_of
from didact.lm.models.sentence_encoders import (
    SentenceModel,
    minilm_folder,
    read_sentence_encoder,
)
from didact.lm.models.tokenizers import notes_on_tokenizer, rows_of
from didact.lm.objectives.objective import Objective, Outcome
from didact.lm.texts.documents import Documents, read_documents
from didact.lm.texts.sentences import LONGEST as LONGEST_SENTENCE
from didact.lm.texts.sentences import PARTS, Sentences, read_lines, read_sentences
from didact.lm.texts.tokenizing import (
    encode,
    read_tokenizer,
    train_sentence_tokenizer,
    train_tokenizer,
    windows_of,
)
from didact.lm.vocabularies.vocabulary import Vocabulary, VocabularyPair, pair_vocabularies

__all__ = [
    "LONGEST_SENTENCE",
    "PARTS",
    "Checked",
    "Documents",
    "Header",
    "Objective",
    "Outcome",
    "Progress",
    "SentenceModel",
    "Sentences",
    "TeacherCache",
    "Vocabulary",
    "VocabularyPair",
    "convert",
    "digest_of_model",
    "encode",
    "logits_of",
    "minilm_folder",
    "notes_on_tokenizer",
    "pair_vocabularies",
    "read_documents",
    "read_lines",
    "read_sentence_encoder",
    "read_sentences",
    "read_tokenizer",
    "read_transformers",
    "rows_of",
    "train_sentence_tokenizer",
    "train_tokenizer",
    "windows_of",
]
