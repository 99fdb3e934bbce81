"""One training run of a reader: frame labels first, CTC after that."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from didact_plates.grammar import ALPHABET, HANZI
from didact_plates.reader.network import PlateNet, channels_last
from didact_plates.synthetic.examples import NO_LABEL, Examples
from didact_plates.texts import say

WEIGHTS = torch.tensor([1.0, *(3.0 if character in HANZI else 1.0 for character in ALPHABET)])
"""Of the classes of a frame: there are more hanzi than digits and fewer frames of each."""

Loss = Callable[[tuple[Tensor, Tensor], "Batch"], Tensor]
"""Of the logits of frames and colours."""
LossOf = Callable[[bool], Loss]
"""The loss before (False) and after (True) CTC sets in."""


@dataclass(frozen=True)
class Batch:
    """Some examples as tensors; ``lines`` float32 ``[n, 3, 32, 128]``, channels last."""

    lines: Tensor
    frames: Tensor
    texts: Tensor
    colours: Tensor

    def where(self, wanted: Tensor) -> Batch:
        """The examples where ``wanted`` is true."""
        if bool(wanted.all()):
            return self
        return Batch(
            self.lines[wanted], self.frames[wanted], self.texts[wanted], self.colours[wanted]
        )


@dataclass(frozen=True)
class Recipe:
    """How long and how fast; the learning rate rises for a tenth of the steps and falls to 0.

    Attributes:
        steps: Batches in all.
        batch: Lines in a batch.
        rate: The highest learning rate of AdamW.
        ctc_from: From this part of the steps on the loss is CTC instead of frame labels.
        seed: Of the order of the lines.
    """

    steps: int
    batch: int = 128
    rate: float = 3e-3
    ctc_from: float = 1.0
    seed: int = 0
    decay: float = field(default=1e-2)


def batch_of(examples: Examples, rows: np.ndarray) -> Batch:
    """The examples at ``rows``."""
    lines = torch.from_numpy(examples.lines[rows]).permute(0, 3, 1, 2).float()
    return Batch(
        lines.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(examples.frames[rows]),
        torch.from_numpy(examples.texts[rows]),
        torch.from_numpy(examples.colours[rows]),
    )


def frame_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of each frame with the character that the drawing says is there."""
    known = batch.frames.flatten() != NO_LABEL
    if not known.any():
        return logits.sum() * 0
    return F.cross_entropy(
        logits.flatten(0, 1)[known],
        batch.frames.flatten()[known],
        weight=WEIGHTS.to(logits.dtype),
        label_smoothing=0.02,
    )


def ctc_loss(logits: Tensor, batch: Batch) -> Tensor:
    """CTC over all ways in which the frames can spell the text (Graves et al. 2006)."""
    log_probabilities = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    count = torch.full((len(batch.texts),), logits.shape[1], dtype=torch.long)
    lengths = (batch.texts > 0).sum(1)
    each = F.ctc_loss(
        log_probabilities, batch.texts, count, lengths, reduction="none", zero_infinity=True
    )
    return each.mean() / logits.shape[1]


def plain_loss(ctc: bool) -> Loss:
    """The loss without a teacher: characters and a tenth of the colour's cross-entropy."""

    def loss(outputs: tuple[Tensor, Tensor], batch: Batch) -> Tensor:
        logits, colour = outputs
        characters = (
            ctc_loss(logits, batch) + 0.3 * frame_loss(logits, batch)
            if ctc
            else frame_loss(logits, batch)
        )
        known = batch.colours != NO_LABEL
        if not known.any():
            return characters
        return characters + 0.1 * F.cross_entropy(colour[known], batch.colours[known])

    return loss


def learning_rate(step: int, recipe: Recipe) -> float:
    """Linear up, half a cosine down."""
    warm = max(recipe.steps // 10, 1)
    if step < warm:
        return recipe.rate * (step + 1) / warm
    part = (step - warm) / max(recipe.steps - warm, 1)
    return recipe.rate * 0.5 * (1 + float(np.cos(np.pi * part)))


class Fit:
    """A run that can be stopped after any step and goes on from its state."""

    def __init__(self, network: PlateNet, recipe: Recipe) -> None:
        self.network = channels_last(network)
        self.recipe = recipe
        self.step = 0
        self.optimiser = torch.optim.AdamW(
            network.parameters(), recipe.rate, weight_decay=recipe.decay
        )

    def state(self) -> dict[str, object]:
        """All that is needed to go on."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def load(self, state: dict[str, object]) -> None:
        """Go on from ``state``."""
        self.network.load_state_dict(state["network"])  # type: ignore[arg-type]
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        self.step = int(state["step"])  # type: ignore[call-overload]

    def run(
        self,
        examples: Examples,
        *,
        loss: LossOf = plain_loss,
        until: int | None = None,
        seconds: float = float("inf"),
        tell: Callable[[str], None] = print,
    ) -> bool:
        """Train until step ``until``, by default the end (True), or for ``seconds`` (False).

        Args:
            examples: The lines; each epoch in a new order.
            loss: Gives the loss without (False) or with CTC (True).
            until: The step to stop at.
            seconds: Stop after this time.
            tell: Gets a line about every two hundredth step.
        """
        recipe, start, total = self.recipe, time.monotonic(), 0.0
        per_epoch = len(examples) // recipe.batch
        self.network.train()
        while self.step < (recipe.steps if until is None else until):
            epoch, place = divmod(self.step, per_epoch)
            order = np.random.default_rng((recipe.seed, epoch)).permutation(len(examples))
            batch = batch_of(
                examples, np.sort(order[place * recipe.batch : (place + 1) * recipe.batch])
            )
            for group in self.optimiser.param_groups:
                group["lr"] = learning_rate(self.step, recipe)
            with torch.autocast("cpu", torch.bfloat16):
                outputs = self.network(batch.lines)
            floats = (outputs[0].float(), outputs[1].float())
            value = loss(self.step >= recipe.ctc_from * recipe.steps)(floats, batch)
            self.optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
            self.optimiser.step()
            self.step += 1
            total = value.item() if total == 0 else 0.98 * total + 0.02 * value.item()
            if self.step % 200 == 0:
                spent = time.monotonic() - start
                tell(
                    say(
                        "step {step} of {steps}: loss {loss}, {seconds} s",
                        step=self.step,
                        steps=recipe.steps,
                        loss=f"{total:.3f}",
                        seconds=f"{spent:.0f}",
                    )
                )
            if time.monotonic() - start > seconds:
                return False
        return True
