"""Example inputs of the losses on logits beyond the standard parameters."""

from __future__ import annotations

from tests.losses.support import BINDERS

BINDERS["k"] = lambda sizes: 2  # of 5 classes: two cells and a bucket of three
