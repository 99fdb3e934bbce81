"""torchdistill's KDLoss, with labels and without."""

from torchdistill.losses.mid_level import KDLoss

from didact.probe import probe, text_of


def kd(student_logits, teacher_logits, labels=None, temperature=4.0, alpha=0.5):
    sides = {"student_io_dict": {".": {"output": student_logits}}}
    sides["teacher_io_dict"] = {".": {"output": teacher_logits}}
    return KDLoss(".", "output", ".", "output", temperature, alpha)(**sides, targets=labels)


print(text_of(probe(kd)), text_of(probe(kd, arguments={"labels": None})), sep="\n")
