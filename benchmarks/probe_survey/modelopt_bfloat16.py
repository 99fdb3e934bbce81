"""nvidia-modelopt LogitsDistillationLoss and a KL in float32, with bfloat16 logits."""

from _given import in_float32, off, show
from modelopt.torch.distill import LogitsDistillationLoss

loss = LogitsDistillationLoss(reduction="batchmean")
show(modelopt=off(loss), in_float32=off(in_float32))
