"""nvidia-modelopt LogitsDistillationLoss: how far bfloat16 logits move the gradient."""

from _given import show, student, teacher, torch
from modelopt.torch.distill import LogitsDistillationLoss

loss = LogitsDistillationLoss(reduction="batchmean")
target = teacher.bfloat16()
near = (teacher + 0.25 * student / student.std()).bfloat16()
found = []
for dtype in (torch.bfloat16, torch.float64):
    leaf = near.to(dtype).requires_grad_()
    found.append(torch.autograd.grad(loss(leaf, target.to(dtype)), leaf)[0].double())
show(off=(found[0] - found[1]).norm() / found[1].norm())
