"""One of two processes: a student under DDP, its teacher and taps beside and inside it."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from didact.nn import Teacher, build_model, tap


class Pair(nn.Module):
    """A teacher that sits inside the module that is trained."""

    def __init__(self, student: nn.Module, teacher: Teacher) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.student(images), self.teacher(images)


def main(rank: int, rendezvous: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    torch.manual_seed(rank)  # different weights: DDP makes the students' equal, and the teachers'
    models = [build_model("cnn-4", image_shape=(1, 8, 8), num_classes=3) for _ in range(2)]
    parallel = DistributedDataParallel(Pair(models[0], Teacher(models[1]))).train()
    teacher = parallel.module.teacher
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    optimizer = torch.optim.AdamW(parallel.parameters(), lr=0.1, weight_decay=0.5)
    with tap(parallel, "student.layer2") as own, tap(teacher, "layer2") as wanted:
        for _ in range(2):
            student_logits, teacher_logits = parallel(torch.randn(4, 1, 8, 8))
            loss = F.mse_loss(student_logits, teacher_logits)
            loss = loss + F.mse_loss(own.value, wanted.value)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in teacher.state_dict().items())
    assert Teacher(parallel).model.student is not models[0]
    weights = torch.cat([p.detach().flatten() for p in parallel.module.student.parameters()])
    gathered = [torch.empty_like(weights) for _ in range(2)]
    dist.all_gather(gathered, weights)
    assert torch.equal(gathered[0], gathered[1])
    dist.destroy_process_group()
    Path(sys.argv[3]).write_text("done")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
