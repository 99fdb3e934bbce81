"""TRL generalized_jsd_loss and a KL in float32: how far bfloat16 logits move the gradient."""

from _given import in_float32, off, show
from trl.experimental.gkd.gkd_trainer import GKDTrainer

show(TRL=off(GKDTrainer.generalized_jsd_loss), in_float32=off(in_float32))
