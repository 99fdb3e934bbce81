"""Crops to readings: the network, the grammar, and how sure both are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from didact_plates.grammar import ALPHABET, COLOURS, INDEX, best_text, is_valid
from didact_plates.reader.network import PlateNet
from didact_plates.reader.preparing import TWO_ROWS, VIEWS, one_row, two_rows
from didact_plates.reader.store import load_network

SHIPPED = Path(__file__).parent / "student.safetensors"
SURELY_NONE = 0.02
"""Below this probability of being a plate at all, a crop is not read."""

DOUBTFUL = 0.85
"""A crop that is read with less confidence is looked at from some more views."""


@dataclass(frozen=True)
class Reading:
    """What stands on a crop.

    Attributes:
        text: The text, which the grammar allows; "" where there is none.
        confidence: The probability that this is a plate and its text is right, in 0..1.
        colour: ``blue``, ``yellow``, ``green``, ``white`` or ``black``.
        rows: 1 or 2.
        characters: The probability of each character of ``text``, whatever the others are.
    """

    text: str
    confidence: float
    colour: str
    rows: int
    characters: tuple[float, ...]


class Reader:
    """Reads plates from crops, without cutting them into characters first."""

    def __init__(self, network: PlateNet, temperature: float = 1.0, offset: float = 0.0) -> None:
        self.network = network.eval()
        self.temperature = temperature
        self.offset = offset

    @classmethod
    def load(cls, path: Path | None = None) -> "Reader":
        """The reader in ``path``; the one that comes with the program if None.

        Raises:
            ReaderFileError: ``path`` is no reader.
        """
        return cls(*load_network(path or SHIPPED))

    def read(self, crops: Sequence[np.ndarray]) -> list[Reading]:
        """Read each crop.

        Args:
            crops: uint8 BGR ``[height, width, 3]`` of any size, about upright, the plate filling
                them but for a margin of some hundredths. Those at least two fifths as high as wide
                are also tried as plates with two rows; doubtful ones are looked at again from
                ``VIEWS``, and the surest look counts.

        Returns:
            One reading for each crop, in their order.
        """
        first = self.read_once(crops)
        doubtful = [k for k, one in enumerate(first) if one.text and one.confidence < DOUBTFUL]
        if not doubtful:
            return first
        views = [view.of(crops[k]) for k in doubtful for view in VIEWS]
        again = self.read_once(views)
        for place, k in enumerate(doubtful):
            some = [first[k], *again[place * len(VIEWS) : (place + 1) * len(VIEWS)]]
            first[k] = max(some, key=lambda one: one.confidence)
        return first

    def read_once(self, crops: Sequence[np.ndarray]) -> list[Reading]:
        """The same from one look at each crop; its confidence is what was calibrated."""
        lines: list[np.ndarray] = []
        owners: list[tuple[int, int]] = []
        for index, crop in enumerate(crops):
            lines.append(one_row(crop))
            owners.append((index, 1))
            if crop.shape[0] >= TWO_ROWS * crop.shape[1]:
                lines.append(two_rows(crop))
                owners.append((index, 2))
        best: dict[int, Reading] = {}
        for (index, _), reading in zip(owners, self._read_lines(lines, owners), strict=True):
            if index not in best or reading.confidence > best[index].confidence:
                best[index] = reading
        return [best[index] for index in range(len(crops))]

    def _read_lines(self, lines: list[np.ndarray], owners: list[tuple[int, int]]) -> list[Reading]:
        if not lines:
            return []
        frames, colours = self.outputs(np.stack(lines))
        texts = [self._text(frame, colour) for frame, colour in zip(frames, colours, strict=True)]
        scores = text_scores(frames, texts)
        readings = []
        for (_, rows), text, score, frame, colour in zip(
            owners, texts, scores, frames, colours, strict=True
        ):
            name = COLOURS[int(colour[:5].argmax())]
            if not text:
                readings.append(Reading("", 0.0, name, rows, ()))
                continue
            possible = colour[:5] * may_have(text)
            plate = float(possible.sum())
            name = COLOURS[int(possible.argmax())]
            confidence = self._calibrated(plate * float(np.exp(score)))
            readings.append(Reading(text, confidence, name, rows, character_scores(frame, text)))
        return readings

    def outputs(self, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-probabilities of frames ``[n, 32, classes]``, probabilities of colours ``[n, 6]``."""
        pixels = torch.from_numpy(lines).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            logits, colours = self.network(pixels.contiguous(memory_format=torch.channels_last))
        return F.log_softmax(logits, dim=-1).numpy(), F.softmax(colours, dim=-1).numpy()

    def _calibrated(self, probability: float) -> float:
        clipped = min(max(probability, 1e-9), 1 - 1e-9)
        logit = np.log(clipped) - np.log1p(-clipped)
        return float(1 / (1 + np.exp(-(logit / self.temperature + self.offset))))

    @staticmethod
    def _text(frame: np.ndarray, colour: np.ndarray) -> str:
        """The greedy text where the grammar allows it, else the best one that it does."""
        if colour[5] > 1 - SURELY_NONE:
            return ""
        greedy = greedy_text(frame)
        if is_valid(greedy):
            return greedy
        return best_text(frame)[0] if 5 <= len(greedy) <= 10 else ""


def may_have(text: str) -> np.ndarray:
    """Which colours a plate with this text may have: eight characters are green, no others."""
    return np.array([(colour == "green") == (len(text) == 8) for colour in COLOURS])


def greedy_text(frames: np.ndarray) -> str:
    """The best class of each frame, repetitions and blanks taken out."""
    best = frames.argmax(-1)
    before = np.concatenate([[0], best[:-1]])
    return "".join(ALPHABET[index - 1] for index in best[(best > 0) & (best != before)])


def text_scores(frames: np.ndarray, texts: list[str]) -> np.ndarray:
    """The log-probability of each text, over all ways in which its frames can spell it (CTC)."""
    length = max([len(text) for text in texts] + [1])
    targets = np.zeros((len(texts), length), dtype=np.int64)
    for row, text in enumerate(texts):
        targets[row, : len(text)] = [1 + INDEX[character] for character in text]
    losses: Tensor = F.ctc_loss(
        torch.from_numpy(frames).transpose(0, 1),
        torch.from_numpy(targets),
        torch.full((len(texts),), frames.shape[1]),
        torch.tensor([len(text) for text in texts]),
        reduction="none",
        zero_infinity=True,
    )
    return -losses.numpy()


def character_scores(frames: np.ndarray, text: str) -> tuple[float, ...]:
    """The probability of each character at its frame on the best path that spells ``text``."""
    symbols = [0]
    for character in text:
        symbols += [1 + INDEX[character], 0]
    skips = np.array(
        [k > 1 and k % 2 == 1 and symbols[k] != symbols[k - 2] for k in range(len(symbols))]
    )
    emitted = frames[:, symbols]
    score = np.full(len(symbols), -np.inf)
    score[:2] = emitted[0, :2]
    moves = np.zeros((len(frames), len(symbols)), dtype=np.int64)
    for time in range(1, len(frames)):
        one = np.concatenate([[-np.inf], score[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
        ways = np.stack([score, one, two])
        moves[time] = ways.argmax(0)
        score = ways.max(0) + emitted[time]
    state = len(symbols) - 1 if score[-1] >= score[-2] else len(symbols) - 2
    best = np.full(len(text), -np.inf)
    for time in range(len(frames) - 1, -1, -1):
        if state % 2:
            best[state // 2] = max(best[state // 2], emitted[time, state])
        state -= moves[time, state]
    return tuple(float(value) for value in np.exp(best))
