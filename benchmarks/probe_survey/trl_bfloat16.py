"""TRL generalized_jsd_loss and a KL in float32: how far bfloat16 logits move the gradient."""

from _given import show, student, teacher, torch
from torch import Tensor
from torch.nn import functional
from trl.experimental.gkd.gkd_trainer import GKDTrainer


def in_float32(student: Tensor, teacher: Tensor) -> Tensor:
    """Forward KL, whatever comes in."""
    wide = torch.promote_types(student.dtype, torch.float32)
    log_q, log_p = (x.to(wide).log_softmax(-1) for x in (student, teacher))
    return functional.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def off(loss) -> float:
    """The relative error of the gradient, near agreement, against the same numbers in float64."""
    target = teacher.bfloat16()
    near = (teacher + 0.25 * student / student.std()).bfloat16()
    found = []
    for dtype in (torch.bfloat16, torch.float64):
        leaf = near.to(dtype).requires_grad_()
        found.append(torch.autograd.grad(loss(leaf, target.to(dtype)), leaf)[0].double())
    return float((found[0] - found[1]).norm() / found[1].norm())


show(TRL=off(GKDTrainer.generalized_jsd_loss), in_float32=off(in_float32))
