"""TextBrewer's kd_ce_loss: which form, which power of T."""

from textbrewer.losses import kd_ce_loss

from didact.probe import probe, text_of

print(text_of(probe(kd_ce_loss)))
