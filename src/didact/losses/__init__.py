"""Floor 1: the losses. Pure functions, one file per paper; the names below are the public list."""

from didact._core.optional import require

require("torch", extra="torch")

from didact.losses._card import CARDS, Card
from didact.losses._kd import kd

__all__ = ["CARDS", "Card", "kd"]
