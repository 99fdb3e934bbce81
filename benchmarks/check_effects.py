"""The numbers under "Measured effect" on the pages of some rules of `didact check`.

    python benchmarks/check_effects.py

Each is computed from the wrong and the right code of the page, on random logits or a linear
student; nothing is downloaded. Printed with three digits, more than the pages give.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TEMPERATURE = 4.0


def normal(*shape: int, deviation: float = 2.0, mean: float = 0.0, seed: int = 0) -> Tensor:
    """Normal logits."""
    generator = torch.Generator().manual_seed(seed)
    return mean + deviation * torch.randn(shape, generator=generator, dtype=torch.float64)


def divergence(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """The mean over the batch of KL(teacher || student)."""
    log_q = F.log_softmax(student / temperature, dim=-1)
    return F.kl_div(log_q, F.softmax(teacher / temperature, dim=-1), reduction="batchmean")


def mse_of_probabilities() -> None:
    """KD122: length of the gradient of the squared error against that of the divergence."""
    for classes in (10, 100, 1000):
        student = normal(256, classes).requires_grad_()
        teacher = normal(256, classes, seed=1)
        q, p = (F.softmax(z / TEMPERATURE, dim=-1) for z in (student, teacher))
        (wrong,) = torch.autograd.grad(F.mse_loss(q, p), student)
        (right,) = torch.autograd.grad(divergence(student, teacher, TEMPERATURE), student)
        print(f"KD122 C = {classes}: 1/{(right.norm() / wrong.norm()).item():.0f}")


def keras_divergence_swapped() -> None:
    """KD123: the cosine of the gradients of both directions."""
    for temperature in (1.0, TEMPERATURE):
        student = normal(256, 100).requires_grad_()
        teacher = normal(256, 100, seed=1)
        (right,) = torch.autograd.grad(divergence(student, teacher, temperature), student)
        (wrong,) = torch.autograd.grad(divergence(teacher, student, temperature), student)
        cosine = F.cosine_similarity(right.flatten(), wrong.flatten(), dim=0)
        print(f"KD123 T = {temperature:g}: cosine {cosine.item():.2f}")


def temperature_ignored() -> None:
    """KD208: what the teacher gives to the classes other than its first."""
    for temperature in (1.0, TEMPERATURE):
        p = F.softmax(normal(4096, 100, deviation=4) / temperature, dim=-1)
        print(f"KD208 T = {temperature:g}: {1 - p.amax(dim=-1).mean().item():.1%}")


def js_terms_exchanged() -> None:
    """KD310: both divergences as in the formula and as written wrongly."""
    z, t = normal(4096, 100, deviation=10), normal(4096, 100, deviation=10, seed=1)
    log_q, log_p = F.log_softmax(z, -1), F.log_softmax(t, -1)
    q, p = log_q.exp(), log_p.exp()
    for beta in (0.5, 0.1):
        m = beta * p + (1 - beta) * q
        first, second = ((a * (b - m.log())).sum(-1).mean() for a, b in ((p, log_p), (q, log_q)))
        turned = sum(F.kl_div(b, m, reduction="batchmean") / 2 for b in (log_p, log_q))
        right, exchanged = beta * first + (1 - beta) * second, (1 - beta) * first + beta * second
        print(f"KD310 beta = {beta}: {right:.3f}, exchanged {exchanged:.3f}, turned {turned:.3f}")


def averaged_in_micro_batch() -> None:
    """KD311: gradient of local means added up, against that of one batch."""
    weight = torch.zeros(8, 10, dtype=torch.float64, requires_grad=True)
    x, t = normal(64, 8), normal(64, 10, seed=1)
    (whole,) = torch.autograd.grad(divergence(x @ weight, t), weight)
    parts = sum(divergence(a @ weight, b) for a, b in zip(x.chunk(4), t.chunk(4), strict=True))
    (added,) = torch.autograd.grad(parts, weight)
    print(f"KD311 4 micro-batches: {(added.norm() / whole.norm()).item():.3f} times")


def logits_padded_with_zeros() -> None:
    """KD408: the share of 24 zeros beside 1000 logits."""
    for mean, temperature in ((-4.0, 1.0), (-4.0, TEMPERATURE), (-8.0, 1.0)):
        padded = F.pad(normal(512, 1000, mean=mean), (0, 24)) / temperature
        share = F.softmax(padded, dim=-1)[:, 1000:].sum(-1).mean().item()
        print(f"KD408 mean {mean:g}, T = {temperature:g}: {share:.1%}")


def topk_on_one_side() -> None:
    """KD409: the loss of equal models, and of a shuffled one with its own top k."""
    logits = normal(512, 1000)
    top, indices = logits.topk(20, dim=1)
    gathered = F.log_softmax(logits, dim=1).gather(1, indices)
    one = F.kl_div(gathered, top.softmax(dim=1), reduction="batchmean")
    own = logits[:, torch.randperm(1000)].topk(20, dim=1)[0]
    print(f"KD409 equal: {one:.3f}; shuffled, own top k: {abs(divergence(own, top)):.3f}")


def positions_shifted() -> None:
    """KD410: the loss of equal models whose positions are shifted by one."""
    logits = normal(32, 64, 1000)
    shifted = divergence(logits[:, :-1].flatten(0, 1), logits[:, 1:].flatten(0, 1))
    unrelated = divergence(logits, normal(32, 64, 1000, seed=9)) / 64
    print(f"KD410 {shifted:.3f}; unrelated {unrelated:.3f}")


def zero_grad() -> None:
    """KD510, KD511: 200 steps of a linear student."""
    for how in ("right", "missing", "after backward"):
        torch.manual_seed(0)
        student = nn.Linear(16, 10).double()
        before = student.weight.detach().clone()
        x = normal(512, 16, deviation=1)
        t = x @ normal(16, 10, deviation=0.3, seed=1)
        optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
        start = divergence(student(x), t).item()
        for step in range(200):
            rows = slice(step % 8 * 64, step % 8 * 64 + 64)
            loss = divergence(student(x[rows]), t[rows])
            if how == "right":
                optimizer.zero_grad()
            loss.backward()
            if how == "after backward":
                optimizer.zero_grad()
            optimizer.step()
        moved = (student.weight - before).abs().max().item()
        end = divergence(student(x), t).item()
        print(f"KD510, KD511 {how}: KL {start:.3f} to {end:.4f}, largest change {moved:.3g}")


def loss_over_loss() -> None:
    """KD607: with which factors the gradients of both terms enter CE + soft / CE."""
    teacher = normal(256, 100, deviation=4, seed=1)
    student = (teacher + normal(256, 100)).requires_grad_()
    labels = teacher.argmax(dim=1)
    hard = F.cross_entropy(student, labels)
    soft = divergence(student, teacher, TEMPERATURE) * TEMPERATURE**2
    parts = [torch.autograd.grad(term, student, retain_graph=True)[0] for term in (hard, soft)]
    for detached in (False, True):
        total = hard + soft / (hard.detach() if detached else hard)
        (gradient,) = torch.autograd.grad(total, student, retain_graph=True)
        basis = torch.stack([part.flatten() for part in parts], dim=1)
        factors = torch.linalg.lstsq(basis, gradient.flatten()[:, None]).solution.flatten()
        texts = [f"{factor:.3f}" for factor in factors.tolist()]
        print(f"KD607 CE {hard:.2f}, soft {soft:.2f}, detached {detached}: factors {texts}")


def bce_on_softmax() -> None:
    """KD113: length of the gradient against that of the cross-entropy, student undecided."""
    for classes in (10, 100, 1000):
        z = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
        target = F.one_hot(torch.tensor([0]), classes).double()
        (wrong,) = torch.autograd.grad(F.binary_cross_entropy(F.softmax(z, 1), target), z)
        (right,) = torch.autograd.grad(F.cross_entropy(z, torch.tensor([0])), z)
        print(f"KD113 C = {classes}: {(wrong.norm() / right.norm()).item() * classes:.3f} / C")


def main() -> None:
    """Print all."""
    torch.manual_seed(0)
    mse_of_probabilities()
    keras_divergence_swapped()
    temperature_ignored()
    js_terms_exchanged()
    averaged_in_micro_batch()
    logits_padded_with_zeros()
    topk_on_one_side()
    positions_shifted()
    zero_grad()
    loss_over_loss()
    bce_on_softmax()
    print(f"log 2 = {math.log(2):.3f}")


if __name__ == "__main__":
    main()
