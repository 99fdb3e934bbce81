"""nvidia-modelopt's LogitsDistillationLoss with its default reduction."""

from modelopt.torch.distill import LogitsDistillationLoss

from didact.probe import probe, text_of

print(text_of(probe(LogitsDistillationLoss)))
