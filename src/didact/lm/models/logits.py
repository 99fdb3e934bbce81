"""A language model asked for logits, however it wants its inputs and wherever it puts them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError

Model = nn.Module | Callable[..., Any]


def ask(model: Model, token_ids: Tensor, others: Mapping[str, Any] | None = None) -> Any:
    """What a model says of token ids, as it says it.

    Args:
        model: A module or a function of token ids, by any name.
        token_ids: ``(batch, tokens)``.
        others: More inputs by name, such as ``attention_mask``; those that the model does not take
            are left out.

    Raises:
        ModelError: The text is too long for it, or holds ids that it does not have.
    """
    taken = _parameters_of(model)
    everything = any(one.kind is one.VAR_KEYWORD for one in taken.values())
    given = {n: value for n, value in (others or {}).items() if everything or n in taken}
    if "use_cache" in taken:  # keys and values are for generating
        given["use_cache"] = False
    by_name = "input_ids" in taken or not any(one.kind in PLACED for one in taken.values())
    try:
        return model(input_ids=token_ids, **given) if by_name else model(token_ids, **given)
    except IndexError as error:  # a table of positions or of tokens has too few rows
        raise ModelError(
            f"the model cannot read {token_ids.shape[-1]} tokens with ids up to "
            f"{int(token_ids.max())} ({error}); give it shorter texts, such as a smaller window, "
            "and the ids of its own tokenizer"
        ) from error


PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _parameters_of(model: Model) -> Mapping[str, inspect.Parameter]:
    """Those of the forward pass; of a model in a wrapper that takes anything, the model's own."""
    forward = model.forward if isinstance(model, nn.Module) else model
    taken = inspect.signature(forward).parameters
    inner = getattr(model, "_orig_mod", None) or getattr(model, "module", None)
    anything = any(one.kind is one.VAR_POSITIONAL for one in taken.values())
    return _parameters_of(inner) if anything and isinstance(inner, nn.Module) else taken


def logits_in(output: Any, token_ids: Tensor) -> Tensor:
    """The logits in what a model said, ``(batch, tokens, classes)``.

    Raises:
        ModelError: There are none of this shape.
    """
    found = output.get("logits") if isinstance(output, Mapping) else output
    found = getattr(found, "logits", found)
    if not isinstance(found, Tensor) or found.dim() != 3 or found.shape[:-1] != token_ids.shape:
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ModelError(
            f"the model gave {got} for token ids {tuple(token_ids.shape)}; expected logits (batch, "
            "tokens, classes), alone or as .logits of its output"
        )
    return found


def logits_of(model: Model, token_ids: Tensor, others: Mapping[str, Any] | None = None) -> Tensor:
    """Both: logits ``(batch, tokens, classes)`` of a model on token ids.

    Raises:
        ModelError: The model gives something else.
    """
    return logits_in(ask(model, token_ids, others), token_ids)


@torch.no_grad()
def taught_logits(
    model: Model, token_ids: Tensor, others: Mapping[str, Any] | None = None
) -> Tensor:
    """Those of a teacher: without a graph, in eval mode, in which it is not left.

    Raises:
        ModelError: The model gives something else.
    """
    if not isinstance(model, nn.Module) or not any(one.training for one in model.modules()):
        return logits_of(model, token_ids, others)
    modes = {one: one.training for one in model.modules()}
    model.eval()
    try:
        return logits_of(model, token_ids, others)
    finally:
        for one, training in modes.items():
            one.training = training
