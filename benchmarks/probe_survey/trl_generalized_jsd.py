"""TRL's generalised JSD: its power of T, and its limits in beta."""

import torch
from trl.experimental.gkd.gkd_trainer import GKDTrainer

from didact.probe import probe, text_of

jsd, logits = GKDTrainer.generalized_jsd_loss, torch.randn(2, 8, 50, generator=torch.manual_seed(0))
print(text_of(probe(jsd, layout="sequence")))
print({beta: jsd(logits[:1], logits[1:], beta=beta).item() for beta in (0.0, 0.001, 0.999, 1.0)})
