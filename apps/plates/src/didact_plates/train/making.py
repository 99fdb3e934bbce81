"""From nothing to a reader's file: draw, train, calibrate, write; a piece at a time if need be."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from didact_plates.errors import PlatesError
from didact_plates.grammar import ALPHABET
from didact_plates.reader import Reader
from didact_plates.reader.network import STUDENT, PlateNet, Widths
from didact_plates.reader.store import save_network
from didact_plates.synthetic import Examples, draw_examples
from didact_plates.synthetic.examples import Cut, together
from didact_plates.texts import say
from didact_plates.train.fitting import Fit, LossOf, Recipe, plain_loss
from didact_plates.train.real import crop_examples

Tell = Callable[[str], None]
HELD_OUT = 10_000_019
"""The seed of the plates that calibrate the confidence; no training draws from it."""


@dataclass(frozen=True)
class Plan:
    """How much is drawn and how long is trained.

    Attributes:
        rounds: In each round new plates are drawn.
        lines: So many in a round.
        passes: So often a round's lines are seen.
        rate: The highest learning rate.
        ctc_from: The part of training after which CTC sets in.
        calibrate: Lines that the confidence is calibrated on.
    """

    rounds: int = 18
    lines: int = 24_000
    passes: int = 1
    rate: float = 3e-3
    ctc_from: float = 0.7
    calibrate: int = 3000

    @property
    def steps(self) -> int:
        """Batches of a round."""
        return self.lines * self.passes // 128


QUICK = Plan(rounds=1, lines=640, passes=1, calibrate=200)


@dataclass(frozen=True)
class Material:
    """What is trained on beside drawn plates: shapes of characters, cut plates with their texts."""

    cut: Cut = None
    crops: tuple[tuple[str, np.ndarray], ...] = ()
    share: float = 0.35

    def sizes(self) -> tuple[int, int, float]:
        """What tells one material from another."""
        return sum(map(len, (self.cut or {}).values())), len(self.crops), self.share

    def examples(self, plan: Plan, seed: int, number: int) -> Examples:
        """The lines of one round."""
        lines = plan.lines - (int(plan.lines * self.share) if self.crops else 0)
        drawn = draw_examples(
            lines, seed=1000 * seed + number, processes=os.cpu_count() or 1, cut=self.cut
        )
        if not self.crops:
            return drawn
        rest = plan.lines - lines
        times = -(-rest // len(self.crops))
        cut = crop_examples(list(self.crops), times, seed=1000 * seed + number)
        return together(drawn, cut.take(np.arange(rest)))


def train_network(
    plan: Plan,
    *,
    widths: Widths = STUDENT,
    start: PlateNet | None = None,
    material: Material | None = None,
    loss: LossOf = plain_loss,
    seed: int = 0,
    state: Path | None = None,
    seconds: float = float("inf"),
    tell: Tell = print,
) -> PlateNet | None:
    """Train one network.

    Args:
        plan: How long.
        widths: Of a new network.
        start: A network to go on from instead.
        material: What is trained on beside drawn plates.
        loss: See :func:`distilled_loss`.
        seed: Of weights, plates and their order.
        state: A file in which the run is kept after each round, and from which it goes on.
        seconds: Stop after the round in which this time is over.
        tell: Gets lines about the progress.

    Returns:
        The network; None where ``seconds`` were over before (call again to go on).

    Raises:
        PlatesError: ``state`` is damaged or of another run.
    """
    torch.manual_seed(seed)
    network = start or PlateNet(widths)
    recipe = Recipe(plan.rounds * plan.steps, rate=plan.rate, ctc_from=plan.ctc_from, seed=seed)
    fit = Fit(network, recipe)
    identity = repr((plan, network.widths, seed, *(material or Material()).sizes()))
    if state is not None and state.exists():
        _go_on(fit, state, identity)
    clock = Clock(seconds)
    while fit.step < recipe.steps:
        if clock.is_over():
            return None
        number = fit.step // plan.steps
        torch.manual_seed(1000 * seed + number)  # of dropout, so that pieces are the whole
        examples = (material or Material()).examples(plan, seed, number)
        fit.run(examples, loss=loss, until=(number + 1) * plan.steps, tell=tell)
        if state is not None:
            torch.save(fit.state() | {"of": identity}, state)
    return network.eval()


def _go_on(fit: Fit, state: Path, identity: str) -> None:
    """Continue the run in ``state``, if it is this one."""
    try:
        found = torch.load(state, weights_only=True)
        same = found["of"] == identity
        if same:
            fit.load(found)
    except Exception as error:
        raise PlatesError(say("{file} is damaged; remove it to begin anew", file=state)) from error
    if not same:
        raise PlatesError(
            say("{file} is of a run with other settings; remove it to begin anew", file=state)
        )


def calibration(network: PlateNet, count: int) -> tuple[float, float]:
    """Temperature and offset of the confidence: logistic regression on drawn plates held out.

    What is predicted is whether the text is right, from the logit of the text's probability
    (Platt 1999); lines without a plate are wrong whatever is read.
    """
    from sklearn.linear_model import LogisticRegression

    examples = draw_examples(count, seed=HELD_OUT, empty=0.3, processes=os.cpu_count() or 1)
    readings = Reader(network).read_once(list(examples.lines))
    texts = ["".join(ALPHABET[k - 1] for k in row if k) for row in examples.texts]
    pairs = [(r.confidence, r.text == t) for r, t in zip(readings, texts, strict=True) if r.text]
    confidence = np.clip([pair[0] for pair in pairs], 1e-9, 1 - 1e-9)
    right = np.array([pair[1] for pair in pairs])
    if right.all() or not right.any():
        return 1.0, 0.0
    logits = np.log(confidence) - np.log1p(-confidence)
    found = LogisticRegression(C=1e6).fit(logits[:, None], right)
    return 1 / max(float(found.coef_[0, 0]), 0.05), float(found.intercept_[0])


def write_reader(network: PlateNet, path: Path, count: int) -> None:
    """Calibrate ``network`` and write it to ``path``."""
    temperature, offset = calibration(network, count)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_network(path, network, temperature, offset)


class Clock:
    """Says when a time is over."""

    def __init__(self, seconds: float) -> None:
        self._now = time.monotonic
        self._end = self._now() + seconds

    def is_over(self) -> bool:
        """Whether it is."""
        return self._now() > self._end
