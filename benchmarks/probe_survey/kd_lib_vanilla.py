"""KD-Lib's VanillaKD, from its method that computes the loss."""

from types import SimpleNamespace

from KD_Lib.KD.vision.vanilla.vanilla_kd import VanillaKD
from torch import nn

from didact.probe import probe, text_of


def vanilla(y_pred_student, y_pred_teacher, labels, temp=20.0, weight=0.5, loss_fn=None):
    made = SimpleNamespace(temp=temp, distil_weight=weight, loss_fn=loss_fn or nn.MSELoss())
    return VanillaKD.calculate_kd_loss(made, y_pred_student, y_pred_teacher, labels)


print(text_of(probe(vanilla)), text_of(probe(vanilla, arguments={"loss_fn": nn.KLDivLoss()})))
