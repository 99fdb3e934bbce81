"""avalanche's LwF distillation term."""

from avalanche.training.regularization import LearningWithoutForgetting

from didact.probe import probe, text_of


def lwf(student_logits, teacher_logits, temperature=2.0):
    loss = LearningWithoutForgetting(temperature=temperature)
    return loss._distillation_loss(student_logits, teacher_logits, range(student_logits.shape[-1]))


print(text_of(probe(lwf)))
