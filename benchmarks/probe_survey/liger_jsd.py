"""liger-kernel's chunked JSD loss in plain PyTorch, with identity heads: logits are its inputs."""

import torch
from liger_kernel.chunked_loss import LigerFusedLinearJSDLoss

from didact.probe import probe, text_of


def jsd(student_logits, teacher_logits, labels, temperature=4.0):
    head = torch.eye(student_logits.shape[-1], dtype=student_logits.dtype)
    loss = LigerFusedLinearJSDLoss(temperature=temperature, compiled=False)
    return loss(student_logits, head, teacher_logits, head, labels)


print(text_of(probe(jsd)))
