"""Writes ``docs/loss-mutations.md``: ``python docs/generate_loss_mutations.py`` (minutes)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the faults are planted by a test module

from tests.losses import mutants

if __name__ == "__main__":
    mutants.write()
