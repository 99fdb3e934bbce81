"""Distillation in the Trainer of transformers and in the SFTTrainer of TRL."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from didact._core.optional import require
from didact.lm import Objective, TeacherCache

require("transformers", extra="transformers")
BLIND = "whether its ids mean the same to the teacher is not known"


class Distils:
    """Put before a trainer, it makes the loss that of :class:`didact.lm.Objective`.

    Its sums are divided by the tokens that count in the whole optimiser step, which the trainer
    knows (``num_items_in_batch``): the update does not depend on how the step is split into micro-
    batches or over processes. The mean of each part is logged as well.

    Args:
        teacher: A model, or a :class:`didact.lm.TeacherCache` of one. It is in no checkpoint.
        teacher_tokenizer: Of a live teacher, to be compared with ``processing_class``.
        objective: Its other arguments, such as ``{"kd_weight": 0.5, "temperature": 2.0}``.
        trainer: All that the trainer takes.

    Example:
        >>> from transformers import Trainer
        >>> class Distilling(Distils, Trainer): ...
        >>> Distilling(model, args, train_dataset=data, teacher=cache).train()  # doctest: +SKIP
    """

    def __init__(
        self,
        *positional: Any,
        teacher: nn.Module | TeacherCache,
        teacher_tokenizer: Any = None,
        objective: Mapping[str, Any] | None = None,
        **trainer: Any,
    ) -> None:
        super().__init__(*positional, **trainer)
        own: Any = self
        own.model_accepts_loss_kwargs = True  # count the tokens of a step, and divide no more
        own._loss_shifts_labels = True  # the first of a row is predicted by nothing
        tokenizers = {"teacher_tokenizer": teacher_tokenizer, "tokenizer": own.processing_class}
        kept = isinstance(teacher, TeacherCache)  # which compares the ids of each row
        known = teacher.header.vocabulary if kept else teacher_tokenizer  # type: ignore[union-attr]
        blind = own.processing_class is None or not known
        if blind and not kept:
            warnings.warn(f"{BLIND}; pass teacher_tokenizer and processing_class", stacklevel=2)
        if isinstance(teacher, nn.Module) and not hasattr(teacher, "hf_device_map"):
            teacher.to(own.args.device)
        self.objective = Objective(teacher, **({} if blind else tokenizers), **(objective or {}))
        self._parts: dict[str, Tensor] = {}

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """What a trainer goes backward from."""
        found, own = self.objective(model, inputs, num_items_in_batch), self.__dict__
        loss, outputs = found.loss, found.outputs
        if num_items_in_batch is not None and own["args"].average_tokens_across_devices:
            loss = loss * own["accelerator"].num_processes  # which averages the gradients
        for name, value in found.parts.items() if model.training else ():
            part = torch.stack([value * found.items, found.items])
            self._parts[f"{name}_loss"] = part + self._parts.get(f"{name}_loss", 0)
        outputs = outputs if isinstance(outputs, Mapping) else {"logits": outputs}
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], *more: Any) -> None:
        """The trainer's, and the mean of each part since the last time."""
        for name, (total, count) in self._parts.items():  # over tokens, as the loss is
            logs[name] = float(total / count.clamp_min(1))
        self._parts.clear()
        super().log(logs, *more)  # type: ignore[misc]
