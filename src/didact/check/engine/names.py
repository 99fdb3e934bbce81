"""What names suggest: whose model it is, a temperature, a number of classes, a weight."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache

from didact._core.words import (
    COEFFICIENT,
    FEATURE,
    LABELS,
    NETWORK,
    STUDENT,
    TEACHER,
    TEMPERATURE,
    WEIGHT,
)
from didact._core.words import word_set as word_set
from didact._core.words import words as words
from didact.check.engine.spaces import Role, Space

_TEMPERATURE = TEMPERATURE | {"t"}
HEADS = {
    "ForCausalLM": 3,
    "LMHeadModel": 3,
    "ForMaskedLM": 3,
    "WithLMHead": 3,
    "ForConditionalGeneration": 3,
    "ForSeq2SeqLM": 3,
    "ForSpeechSeq2Seq": 3,
    "ForVision2Seq": 3,
    "ForCTC": 3,
    "ForTokenClassification": 3,
    "ForAudioFrameClassification": 3,
    "ForObjectDetection": 3,
    "ForSemanticSegmentation": 4,
    "ForSequenceClassification": 2,
    "ForImageClassification": 2,
    "ForAudioClassification": 2,
    "ForVideoClassification": 2,
    "ForMultipleChoice": 2,
}
"""Endings of the classes of ``transformers``, with the rank of their ``logits``."""
_HARD = word_set("cls ce hard task classification xent sup supervised label labels clf gt student")
_OUTPUT_NAMES = word_set("out output outputs student res result results")
_FLAGS = word_set("use is has with enable enabled do apply no learn learnable")
"""A name that begins so says whether, not how much."""
_CLASSES = re.compile(
    r"n(um|r)_?(of_?)?(all_|old_|new_|total_|known_|seen_)?(class|label|cls)|n_?class|nb_?(cl|class|old)|"
    r"(class|label|cls)_?(num|count)|known_class|vocab|\bn_?labels|\bC\b|\bK\b|\bV\b|\bout_features|"
    r"(size\((1|-1)\)|shape\[(1|-1)\])|num_old|seen_cls|total_class|类别",
    re.IGNORECASE,
)
_BATCH = re.compile(
    r"batch_?size|\bbs\b|\bB\b|\bN\b|\bbsz\b|(size\(0\)|shape\[0\])|\blen\(|num_samples|n_samples|"
    r"numel|valid|mask|count|num_tokens",
    re.IGNORECASE,
)
_WEIGHT = WEIGHT | COEFFICIENT
_MODEL = NETWORK | word_set(
    "backbone classifier teacher student encoder module resnet bert gpt learner solver convnet "
    "generator projector adapter adaptor regressor"
)
_TENSOR = word_set(
    "logit logits prob probs feature features feat feats label labels output outputs out "
    "score scores loss losses log logp target targets pred preds mask masks hidden attention "
    "attn state states param params grad aligned transform embed embedding criterion sorted "
    "data input inputs x batch config cfg args opt optimizer scheduler loader dataset "
    "tokenizer path name dir kwargs ids tokens hook hooks cache dict buffer queue"
)
_LOSS = word_set(
    "loss losses criterion criterions crit kd kl kld distill distillation distil ce xent bce "
    "objective"
)


@lru_cache(maxsize=20_000)
def role_of(name: str) -> Role:
    """Whose it is, as far as the name tells."""
    found = words(name)
    if any(word in TEACHER or "teacher" in word for word in found):
        return Role.TEACHER
    if [*found] == ["s", "t"]:
        return Role.UNKNOWN  # the teacher's S, or student and time
    if any(word in STUDENT or "student" in word for word in found):
        return Role.STUDENT
    if len(found) > 1 and "t" in (found[0], found[-1]):
        return Role.TEACHER
    return Role.UNKNOWN


def paired_roles(names: Iterable[str]) -> dict[str, Role]:
    """Whose the parameters are that come in pairs: ``y_s, y_t`` or ``s, t``, not a time or a T."""
    known = set(names)
    roles: dict[str, Role] = {}
    for name in known:
        student = re.sub(r"(?<![^\W_])t(?![^\W_])", "s", name)
        taken = name == "t" and any(role_of(other) is Role.TEACHER for other in known)
        if student != name and student in known and not taken:
            roles |= {student: Role.STUDENT, name: Role.TEACHER}
    return roles


@lru_cache(maxsize=20_000)
def space_of(name: str) -> Space:
    """The space that a parameter's name claims; only for values that nothing else tells."""
    found = words(name)
    last = found[-1] if found else ""
    if any(word.startswith("logit") and word != "log" for word in found):
        return Space.LOGITS
    if last in LABELS or (len(found) > 1 and found[-2:] == ("y", "true")):
        return Space.LABELS
    if "onehot" in found or ("one" in found and "hot" in found):
        return Space.ONE_HOT
    if any(word in ("scores", "score") for word in found):
        return Space.LOGITS
    return Space.UNKNOWN


def is_temperature(symbol: str) -> bool:
    """Whether a symbol is named like a temperature."""
    last = re.sub(r"[()\[\]'\"]+", "", symbol).rsplit(".", 1)[-1]
    if last in ("T", "τ"):
        return True
    found = words(last)
    return bool(found and found[0] not in _FLAGS) and (
        "temperature" in found
        or "temp" in found
        or "tau" in found
        or found[-1] in _TEMPERATURE
        or any("temperature" in word for word in found)
    )


def is_class_count(symbol: str) -> bool:
    """Whether a symbol is named like a number of classes."""
    return _CLASSES.search(symbol) is not None


def is_batch_count(symbol: str) -> bool:
    """Whether a symbol is named like a number of samples or of valid positions."""
    return _BATCH.search(symbol) is not None


def is_weight(symbol: str) -> bool:
    """Whether a symbol is named like the weight of a term."""
    found = words(symbol)
    return any(word in _WEIGHT or word.endswith(("weight", "lambda", "alpha")) for word in found)


def is_model(name: str) -> bool:
    """Whether a name is that of a model."""
    found = words(name)
    if any(word in _TENSOR for word in found):
        return False
    return any(word in _MODEL or word.endswith(("model", "net")) for word in found[-3:])


def is_language_head(name: str) -> bool:
    """Whether a class of ``transformers`` scores a vocabulary at every position."""
    return head_rank(name) == 3 and not name.endswith(("TokenClassification", "Detection"))


def head_rank(name: str) -> int | None:
    """The rank of the logits of a class of ``transformers``, by its name."""
    return next((rank for end, rank in HEADS.items() if name.endswith(end)), None)


def is_hard_loss(name: str) -> bool:
    """Whether a name is that of the loss on the true labels: ``loss_cls``, ``ce_loss``."""
    owner, _, last = name.rpartition(".")
    found = set(words(last))
    if last == "loss" and owner:  # what a model of transformers gives for the labels
        return bool(set(words(owner)) & _OUTPUT_NAMES) and role_of(owner) is not Role.TEACHER
    return bool(found & {"loss", "losses"} and found & _HARD) or bool(found & {"celoss", "clsloss"})


def is_loss(name: str) -> bool:
    """Whether a name is that of a loss function."""
    found = words(name)
    return any(word in _LOSS or word.endswith("loss") for word in found)


def is_label(name: str) -> bool:
    """Whether a name is that of labels."""
    found = [word for word in words(name) if not word.isdigit()]
    return bool(found) and found[-1] in LABELS and role_of(name) is not Role.TEACHER


def is_feature(name: str) -> bool:
    """Whether a name is that of features rather than of predictions."""
    return any(word in FEATURE for word in words(name))


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or an attribute chain, with ``[..]`` and calls left out; else nothing."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join(reversed([*parts, node.id]))
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in ("cuda", "to", "cpu", "module"):
                return ""
            node = node.func.value
        else:
            return ""


def source(node: ast.AST, limit: int = 60) -> str:
    """The expression as text, shortened."""
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):
        return "..."
    return text if len(text) <= limit else text[: limit - 3] + "..."
