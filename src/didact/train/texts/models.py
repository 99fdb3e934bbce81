"""Language models by name: our own, of transformers, and the user's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from didact import lm
from didact._core.errors import ModelError
from didact._core.lookup import load
from didact.nn import build_gpt
from didact.train.loop.settings import names_code
from didact.train.texts.settings import LIBRARIES


@dataclass(frozen=True)
class LanguageModel:
    """A model that is still to be built.

    Attributes:
        name: As the user typed it.
        build: From the tokens of the vocabulary and of a window to a model.
        trained: Whether it comes with weights.
        tokenizer: Its own; None for one that takes any.
        classes: Rows of its output layer, where they are fixed.
    """

    name: str
    build: Callable[[int, int], nn.Module] = field(repr=False)
    trained: bool = False
    tokenizer: Any = None
    classes: int | None = None


def language_model(name: str) -> LanguageModel:
    """The model of a name.

    Raises:
        ModelError: There is none, or it is no model.
        UnknownNameError: It cannot be imported.
        MissingDependencyError: transformers is wanted and not installed.
    """
    kind, _, place = name.partition(":")
    if kind == "hf":
        model, tokenizer = lm.read_transformers(place)
        weights = getattr(model.get_output_embeddings(), "weight", None)  # type: ignore[operator]
        if not isinstance(weights, Tensor):
            raise ModelError(f"{place} has no output layer whose rows could be counted")
        return LanguageModel(
            name, lambda *_: copy.deepcopy(model), True, tokenizer, weights.shape[0]
        )
    if names_code(name, LIBRARIES):
        return LanguageModel(name, _users_own(name))
    build_gpt(name, classes=2, window=1)  # a wrong name is said before the text is read

    def build(classes: int, window: int) -> nn.Module:
        return build_gpt(name, classes=classes, window=window)

    return LanguageModel(name, build)


def _users_own(name: str) -> Callable[[int, int], nn.Module]:
    make = load(name, what="model")
    if not callable(make) or isinstance(make, nn.Module):
        raise ModelError(f"{name} is no function; expected one of (classes, window)")

    def build(classes: int, window: int) -> nn.Module:
        made = make(classes, window)
        if not isinstance(made, nn.Module):
            raise ModelError(f"{name} gave {type(made).__name__}; expected a torch.nn.Module")
        return made

    return build


@torch.no_grad()
def measure(
    model: nn.Module, windows: Tensor, *, teacher: Tensor | None = None, at_once: int = 32
) -> tuple[dict[str, float], Tensor]:
    """The mean loss on the next token, and its likeliest class.

    Args:
        model: Left in the mode it was in.
        windows: ``(windows, tokens)``, on the model's device.
        teacher: The likeliest classes of a teacher, to be compared with.
        at_once: Windows at a time.

    Returns:
        ``nll`` in nats, ``accuracy`` and, with a teacher, ``agreement_top1``; and the likeliest
        classes ``(windows, tokens - 1)``.
    """
    training = model.training
    model.eval()
    total, choices = 0.0, []
    for some in torch.split(windows, at_once):
        log_probs = lm.logits_of(model, some)[:, :-1].float().log_softmax(-1)
        total -= float(log_probs.gather(-1, some[:, 1:, None]).double().sum())
        choices.append(log_probs.argmax(-1))
    model.train(training)
    chosen = torch.cat(choices)
    found = {
        "nll": total / chosen.numel(),
        "accuracy": float((chosen == windows[:, 1:]).double().mean()),
    }
    if teacher is not None:
        found["agreement_top1"] = float((chosen == teacher).double().mean())
    return found, chosen
