"""The loss of one micro-batch of a language model, whichever loop asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.errors import ShapeError, UsageError
from didact.lm.cache.teacher_cache import TeacherCache
from didact.lm.models.logits import Model, ask, logits_in, taught_logits
from didact.lm.vocabularies.vocabulary import Vocabulary, VocabularyPair, pair_vocabularies
from didact.losses import TopK, generalised_jsd, kd, next_tokens, reverse_kl, top_k_kd
from didact.losses.kit.checks import check_temperature, check_weight
from didact.losses.tokens.cells import Divergence, judge
from didact.losses.tokens.next_tokens import NextTokens

Batch = Mapping[str, Any] | Tensor


class Outcome(NamedTuple):
    """Of one micro-batch.

    Attributes:
        loss: To go backward from.
        parts: ``"label"`` and ``"distillation"``, the mean over the tokens that count, without
            weights and without a graph.
        items: How many tokens count.
        outputs: What the student said, as it said it.
    """

    loss: Tensor
    parts: dict[str, Tensor]
    items: Tensor
    outputs: Any


class Objective:
    """``((1 - w) CE + w T^2 D(teacher, student)) / items``, each a sum over tokens that count.

    The shift to the next token is made here, once. A token of label ``-100`` counts for neither
    part. With ``items`` the number of tokens in all micro-batches of a step, the update is the same
    however the step was split.

    Args:
        teacher: A model of the same vocabulary, which is asked without gradients in eval mode, or
            the :class:`TeacherCache` of one.
        kd_weight: Share w of the teacher, from 0 to 1; the rest is the loss on the next token.
        temperature: T > 0 of the teacher's part; one that the cache knows.
        divergence: ``"forward_kl"``, ``"reverse_kl"`` or ``"jsd"``.
        beta: The teacher's share in the mixture of ``"jsd"``.
        tokenizer: The student's, to be compared with the cache's or with ``teacher_tokenizer``.
        teacher_tokenizer: That of a live teacher. Where both are known to mean the same, output
            layers may differ in rows without a token.
        ignore_index: The label of a token that does not count.

    Raises:
        UsageError: Tokenizers that differ, a temperature that the cache does not know, a tokenizer
            that has nothing to be compared with, or an unknown divergence.
        RangeError: A weight or a temperature out of its range.

    Example:
        >>> import torch
        >>> from didact.lm import Objective
        >>> from didact.nn import Gpt
        >>> teacher, student = (Gpt(32, 1, classes=300, window=8) for _ in range(2))
        >>> found = Objective(teacher)(student, torch.randint(300, (4, 8)))
        >>> found.loss.backward()
        >>> sorted(found.parts)
        ['distillation', 'label']
    """

    def __init__(
        self,
        teacher: Model | TeacherCache,
        *,
        kd_weight: float = 0.9,
        temperature: float = 1.0,
        divergence: Divergence = "forward_kl",
        beta: float = 0.5,
        tokenizer: Any = None,
        teacher_tokenizer: Any = None,
        ignore_index: int = -100,
    ) -> None:
        check_weight(kd_weight, name="kd_weight")
        check_temperature(temperature)
        self.teacher, self.kd_weight, self.ignore_index = teacher, kd_weight, ignore_index
        self._vocabularies: tuple[Vocabulary, Vocabulary] | None = None
        self._pair: VocabularyPair | None = None
        if isinstance(teacher, TeacherCache):
            if teacher_tokenizer is not None:
                raise UsageError("a cache has a tokenizer of its own; leave out teacher_tokenizer")
            teacher.check_temperature(temperature)
            if tokenizer is not None:
                self._vocabularies = Vocabulary.of(tokenizer), teacher.check_tokenizer(tokenizer)
        elif (tokenizer is None) != (teacher_tokenizer is None):
            raise UsageError(
                "one tokenizer alone cannot be compared; pass tokenizer and teacher_tokenizer, or "
                "neither"
            )
        elif tokenizer is not None:
            pair_vocabularies(tokenizer, teacher_tokenizer)
            self._vocabularies = Vocabulary.of(tokenizer), Vocabulary.of(teacher_tokenizer)
        judge(divergence, beta)
        options = partial(partial, temperature=temperature, reduction="sum")
        dense: dict[str, Callable[..., Tensor]] = {
            "forward_kl": kd,
            "reverse_kl": reverse_kl,
            "jsd": partial(generalised_jsd, beta=beta, normalise=False),
        }
        self._dense: Callable[..., Tensor] = options(dense[divergence])
        self._sparse: Callable[..., Tensor] = options(top_k_kd, divergence=divergence, beta=beta)

    def __call__(self, model: Model, batch: Batch, items: Tensor | float | None = None) -> Outcome:
        """The loss of a micro-batch.

        Args:
            model: The student.
            batch: Token ids ``(batch, tokens)``, or a mapping with ``input_ids``, perhaps
                ``labels``, not shifted, and what else the models take. Without labels every token
                counts but padding.
            items: Tokens that count in all micro-batches of the step; by default those of this one.

        Raises:
            UsageError: The teacher is the student, or the two have other numbers of classes and it
                is not known whether the ids mean the same.
            ModelError: A model gives no logits of each token.
            CheckpointError: The cache has not seen these rows.
        """
        if model is self.teacher:
            raise UsageError("the student is the teacher; pass a copy of it as one of them")
        fields = {"input_ids": batch} if isinstance(batch, Tensor) else dict(batch)
        ids, labels = _checked(fields.pop("input_ids", None)), fields.pop("labels", None)
        outputs = ask(model, ids, fields)
        logits = logits_in(outputs, ids)
        tokens = next_tokens(
            logits,
            self._said(ids, fields, logits.shape[-1]),
            self._labels(ids, fields) if labels is None else labels,
            ignore_index=self.ignore_index,
        )
        return self._judged(tokens, items, outputs)

    def count(self, batch: Batch) -> Tensor:
        """How many tokens of a batch count."""
        fields = {"input_ids": batch} if isinstance(batch, Tensor) else batch
        labels = fields.get("labels")
        if labels is None:
            labels = self._labels(fields["input_ids"], fields)
        return (labels[:, 1:] != self.ignore_index).sum()

    def _labels(self, ids: Tensor, fields: Mapping[str, Any]) -> Tensor:
        mask = fields.get("attention_mask")
        return ids if mask is None else ids.masked_fill(mask == 0, self.ignore_index)

    def _said(self, ids: Tensor, fields: Mapping[str, Any], classes: int) -> Tensor | TopK:
        said: Any  # of either kind
        if isinstance(self.teacher, TeacherCache):
            mask = fields.get("attention_mask")
            said = self.teacher.read(ids, mask=None if mask is None else mask.bool())
        else:
            said = taught_logits(self.teacher, ids, fields)
        if self._vocabularies is not None:
            if self._pair is None:
                sizes = {"student_classes": classes, "teacher_classes": said.shape[-1]}
                self._pair = pair_vocabularies(*self._vocabularies, **sizes)
            return cast("Tensor | TopK", self._pair.align(said))
        if said.shape[-1] == classes:
            return cast("Tensor | TopK", said)
        raise UsageError(
            f"the student has {classes} classes and the teacher {said.shape[-1]}; pass the "
            "tokenizers, so that it can be seen whether the ids mean the same tokens"
        )

    def _judged(self, tokens: NextTokens, items: Tensor | float | None, outputs: Any) -> Outcome:
        logits, said, labels, mask = tokens
        count = mask.sum().clamp_min(1)
        distillation = self._sparse if isinstance(said, TopK) else self._dense
        parts: dict[str, Tensor] = {}
        if self.kd_weight < 1:
            parts["label"] = F.cross_entropy(
                logits.flatten(0, 1).float(),
                labels.flatten(),
                ignore_index=self.ignore_index,
                reduction="sum",
            )
        if self.kd_weight > 0:
            parts["distillation"] = distillation(logits, said, mask=mask)
        weights = {"label": 1 - self.kd_weight, "distillation": self.kd_weight}
        whole = sum(weights[name] * value for name, value in parts.items())
        assert isinstance(whole, Tensor)
        shown = {name: value.detach() / count for name, value in parts.items()}
        divisor = count if items is None else torch.as_tensor(items, device=count.device)
        return Outcome(whole / divisor.clamp_min(1), shown, mask.sum(), outputs)


def _checked(ids: Any) -> Tensor:
    """Token ids of a batch.

    Raises:
        UsageError: They are none.
        ShapeError: They are not ``(batch, tokens)``, or there are none.
    """
    if not isinstance(ids, Tensor) or ids.is_floating_point():
        got = ids.dtype if isinstance(ids, Tensor) else type(ids).__name__
        raise UsageError(f"input_ids is {got}; expected the token ids of a batch, int64")
    if ids.dim() != 2 or not ids.numel():
        raise ShapeError(f"input_ids is {tuple(ids.shape)}; expected (batch, tokens)")
    return ids
