"""The contrastive loss: its memory, its draws, its constants, several processes."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from didact import losses
from didact._core.errors import DtypeError, RangeError, ShapeError

INDICES = torch.tensor([3, 0, 19, 7])


def build(**options: object) -> losses.CRD:
    torch.manual_seed(0)
    given = {"num_samples": 20, "negatives": 8, "embedding_dim": 5, **options}
    return losses.CRD(3, 6, **given)  # type: ignore[arg-type]


def features(count: int = 4) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(count, 3), torch.randn(count, 6)


def test_memory_follows_the_samples_of_the_batch_alone() -> None:
    module = build(momentum=0.5)
    student, teacher = features()
    before = module.student_memory.rows.clone()
    module(student, teacher, INDICES)
    embedded = module.student_embedding(student)
    embedded = embedded / embedded.norm(dim=1, keepdim=True)
    moved = (before[INDICES] + embedded) / 2
    expected = before.clone()
    expected[INDICES] = (moved / moved.norm(dim=1, keepdim=True)).detach()
    torch.testing.assert_close(module.student_memory.rows, expected)


def test_memory_stands_still_in_evaluation_and_with_momentum_one() -> None:
    for module in (build().eval(), build(momentum=1.0)):
        before = module.teacher_memory.rows.clone()
        module(*features(), INDICES)
        assert torch.equal(module.teacher_memory.rows, before)
    assert build().eval().log_normalisers.isnan().all()


def test_constants_are_set_by_the_first_batch() -> None:
    module = build()
    module(*features(), INDICES)
    first = module.log_normalisers.clone()
    assert first.isfinite().all()
    module(*(10 * f + 1 for f in features()), INDICES)
    assert torch.equal(module.log_normalisers, first)


def test_the_loss_of_untrained_noise_is_near_that_of_chance() -> None:
    # with scores near their mean: h = 1 / (1 + K), so -log h - K log(1 - h) on each side
    module = build(num_samples=400, negatives=100, embedding_dim=64, temperature=5.0)
    h = 1 / (1 + 100)
    expected = 2 * (-math.log(h) - 100 * math.log(1 - h))
    assert module(*features(), INDICES).item() == pytest.approx(expected, rel=0.01)


def test_a_sample_is_never_its_own_negative_and_every_other_is_drawn() -> None:
    module = build(num_samples=6, negatives=600)
    indices = torch.tensor([0, 3, 5])
    drawn = module.draw_negatives(indices)
    assert drawn.shape == (3, 600)
    for own, row in zip(indices.tolist(), drawn, strict=True):
        assert set(row.tolist()) == set(range(6)) - {own}


def test_whole_and_picked_products_are_the_same() -> None:
    student, teacher = features()
    torch.manual_seed(2)
    negatives = torch.randint(0, 400, (4, 40))
    whole = build(num_samples=400, negatives=40)  # 400 rows: one product with all of them
    whole(student, teacher, INDICES, negatives).backward()
    expected = [p.grad.clone() for p in whole.parameters() if p.grad is not None]
    picked = build(num_samples=400, negatives=40)
    value = picked(student, teacher, INDICES, negatives[:, :40])
    torch.testing.assert_close(value, build(num_samples=400)(student, teacher, INDICES, negatives))
    few = [build(num_samples=400).student_memory for _ in range(2)]
    rows = torch.randint(0, 400, (4, 3))
    anchors = torch.randn(4, 5, requires_grad=True)
    direct = (few[0].rows[rows] * anchors[:, None]).sum(2)
    torch.testing.assert_close(few[0].scores(anchors, rows), direct)
    many = rows.repeat(1, 40)
    torch.testing.assert_close(few[1].scores(anchors, many), direct.repeat(1, 40))
    assert all(g.isfinite().all() for g in expected)


def test_the_gradient_is_that_of_the_memory_before_its_update() -> None:
    student, teacher = features()
    negatives = (INDICES[:, None] + torch.arange(1, 9)) % 20
    found = []
    for momentum in (0.5, 1.0):
        module = build(momentum=momentum)
        leaf = student.clone().requires_grad_()
        module(leaf, teacher, INDICES, negatives).backward()
        found.append(leaf.grad)
    torch.testing.assert_close(found[0], found[1])


def test_indices_and_options_out_of_range_are_refused() -> None:
    module, (student, teacher) = build(), features()
    for wrong, error in (
        (INDICES + 1, RangeError),
        (INDICES.float(), DtypeError),
        (INDICES[:2], ShapeError),
    ):
        with pytest.raises(error, match="indices"):
            module(student, teacher, wrong)
    for wrong, error in ((INDICES, ShapeError), (INDICES[:, None] + 20, RangeError)):
        with pytest.raises(error, match="negative_indices"):
            module(student, teacher, INDICES, wrong)
    for options in ({"num_samples": 1}, {"temperature": 0}, {"momentum": 2}, {"negatives": 0}):
        with pytest.raises(RangeError):
            build(**options)


PROCESS = """
import os, sys, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from didact.losses import CRD
from didact.losses.kit.ranks import mean_of_ranks

rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=2)
torch.manual_seed(0)
crd = CRD(3, 6, num_samples=20, negatives=8, embedding_dim=5, momentum=0.25)
before = crd.student_memory.rows.clone()
module = DistributedDataParallel(crd)
torch.manual_seed(10 + rank)
mine = torch.tensor([[1, 2, 3], [0, 8, 7]][rank][: 3 - rank])  # batches of 3 and of 2
for _ in range(2):
    module(torch.randn(len(mine), 3), torch.randn(len(mine), 6), mine).backward()
for tensor in (*crd.buffers(), *(p.grad for p in crd.parameters())):
    both = [torch.empty_like(tensor) for _ in range(2)]
    dist.all_gather(both, tensor)
    assert torch.equal(both[0], both[1]), (rank, tensor.shape)
assert mean_of_ranks(torch.tensor(float(rank))).item() == 0.5
moved = (crd.student_memory.rows != before).any(1).nonzero().flatten().tolist()
assert moved == [0, 1, 2, 3, 8], moved  # 0 is the number of padding too
dist.barrier()
os._exit(0)  # the group's threads, at times, abort a process that winds down
"""


@pytest.mark.slow
def test_all_processes_keep_one_memory(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    for run in runs:
        output, _ = run.communicate(timeout=120)
        assert run.returncode == 0, output


def test_within_a_batch_one_sample_alone_is_refused_and_classes_are_checked() -> None:
    loss = losses.InBatchCRD(3, 6)
    student, teacher = torch.randn(4, 3), torch.randn(4, 6)
    with pytest.raises(ShapeError, match="one sample"):
        loss(student[:1], teacher[:1])
    with pytest.raises(ShapeError, match="classes"):
        loss(student, teacher, torch.arange(3))
    alone = loss(student, teacher, torch.zeros(4, dtype=torch.int64))
    assert alone.item() == 0  # nothing is left to be told apart
    assert loss(student, teacher, torch.arange(4)).item() == loss(student, teacher).item() > 0
