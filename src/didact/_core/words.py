"""What people call things in code that distils: one list for the checker and for the probe."""

from __future__ import annotations

import re
from functools import lru_cache


def word_set(words: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(words.split())


TEACHER = word_set(
    "teacher teachers tea tch tchr old prev previous pre ref reference fixed frozen ema "
    "expert 老师 教师 旧 teach pretrained mentor 旧模型"
)
"""Whose it is: the teacher's, or yesterday's model's."""

STUDENT = word_set("student students stu stud new current cur s 学生 新 新模型")
"""Whose it is: the student's."""

TEMPERATURE = word_set("temp temps temperature temperatures temper tau 温度")
"""A temperature; ``t`` alone may also be the teacher or a time."""

WEIGHT = word_set("alpha lambda lamb lam lamda lmbda lambd lmda ratio weight w λ α 权重")
"""The weight that mixes two terms."""

COEFFICIENT = word_set("beta gamma weights wt coef coeff coefs coefficient mu eta factor")
"""Other factors of a term, which may as well be something else."""

LABELS = word_set("label labels lbl lbls lab target targets y gt ground 标签")
"""Class numbers."""

NETWORK = word_set("model models net nets network networks 模型 网络")
"""A model."""

FEATURE = word_set("feature features feat feats hidden attention attn embedding rep emb")
"""What a layer in the middle says."""


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a (dotted) name in lower case: ``self.oldModel_t`` -> old, model, t."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    parts = re.split(r"[\W_]+|(?<=[a-zA-Z])(?=\d)", spaced)
    return tuple(part.lower() for part in parts if part and part != "self")
