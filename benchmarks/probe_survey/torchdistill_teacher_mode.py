"""torchdistill's default work before an epoch, and the mode that the teacher is left in."""

from types import SimpleNamespace

from torch import nn
from torchdistill.core.interfaces.pre_epoch_proc import default_pre_epoch_process_with_teacher

models = {"teacher_model": nn.Dropout(), "student_model": nn.Dropout()}
box = SimpleNamespace(**models, teacher_io_dict={}, student_io_dict={}, distributed=False)
default_pre_epoch_process_with_teacher(box, epoch=0)
print("the teacher is in train mode:", box.teacher_model.training)
