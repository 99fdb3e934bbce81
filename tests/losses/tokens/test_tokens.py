"""Language models: the shift, a sparse teacher, and heads whose logits are never held at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from didact import losses
from didact._core.errors import NonFiniteError, RangeError, ShapeError, UsageError
from didact.losses import Head, TopK, fused_linear_kd, next_tokens, top_k_kd


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("k", [1, 3, 10, 50])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_a_kept_teacher_is_the_dense_one_to_the_bit(
    k: int, temperature: float, dtype: torch.dtype
) -> None:
    student, teacher = randn(2, 3, 11, dtype=dtype), 4 * randn(2, 3, 11, seed=1, dtype=dtype)
    kept = TopK.of(teacher, k, temperatures=(1.0, temperature))
    mask = torch.tensor([[True, False, True], [True, True, False]])
    for options in ({}, {"mask": mask}, {"reduction": "none"}):
        found = []
        for side in (kept, teacher):
            leaf = student.clone().requires_grad_()
            value = top_k_kd(leaf, side, k=k, temperature=temperature, **options)
            found.append((value.detach(), torch.autograd.grad(value.sum(), leaf)[0]))
        assert all(torch.equal(*both) for both in zip(*found, strict=True))


def merged(logits: Tensor, ids: Tensor) -> Tensor:
    """Log-probabilities of the cells of one position, written from the definition."""
    probs, rest = logits.softmax(-1), torch.ones(len(logits), dtype=torch.bool)
    rest[ids] = False
    return torch.cat([probs[ids], probs[rest].sum()[None]] if rest.any() else [probs[ids]]).log()


def of_merged(divergence: str, p: Tensor, q: Tensor, beta: float = 0.3) -> Tensor:
    if divergence == "reverse_kl":
        return (q.exp() * (q - p)).sum()
    m = (beta * p.exp() + (1 - beta) * q.exp()).log()
    return beta * (p.exp() * (p - m)).sum() + (1 - beta) * (q.exp() * (q - m)).sum()


@pytest.mark.parametrize(
    "classes", [7, 33_000]
)  # by the formula's operations, a few rows at a time
@pytest.mark.parametrize("k", [1, 4, 7])
@pytest.mark.parametrize("divergence", ["reverse_kl", "jsd"])
def test_other_divergences_of_a_kept_teacher_are_those_of_its_cells(
    divergence: str, k: int, classes: int
) -> None:
    student, teacher = 2 * randn(5, classes), 2 * randn(5, classes, seed=1)
    kept = TopK.of(teacher, k, temperatures=(2.0,))
    options = {"temperature": 2.0, "divergence": divergence, "beta": 0.3}
    leaf, own = (student.clone().requires_grad_() for _ in range(2))
    found = top_k_kd(leaf, kept, **options)
    rows = [
        of_merged(divergence, merged(t / 2, ids), merged(s / 2, ids))
        for s, t, ids in zip(own, teacher, kept.ids, strict=True)
    ]
    expected = 4 * torch.stack(rows).mean()
    torch.testing.assert_close(found, expected)
    found.backward(), expected.backward()
    torch.testing.assert_close(leaf.grad, own.grad)
    assert torch.equal(top_k_kd(student, teacher, k=k, **options), found.detach())
    weight = randn(classes, 3, seed=4)
    heads_ = Head(randn(5, 3, seed=5), weight, None)
    fused = fused_linear_kd(heads_, kept, divergence=divergence, beta=0.3, temperature=2.0)
    torch.testing.assert_close(fused, top_k_kd(heads_.hidden @ weight.T, kept, **options))
    if k == classes:
        dense = DENSE[divergence](student, teacher, temperature=2.0)
        torch.testing.assert_close(found.detach(), dense)


@pytest.mark.parametrize("divergence", ["forward_kl", "reverse_kl", "jsd"])
@pytest.mark.parametrize("gap", [0.0, 90.0, -90.0, 400.0])
def test_no_student_is_too_far_from_a_kept_teacher(gap: float, divergence: str) -> None:
    """The powers are taken from the teacher's likeliest class on, where they may overflow."""
    teacher = randn(4, 40_000, dtype=torch.float32)
    kept = TopK.of(teacher, 5)
    student = randn(4, 40_000, seed=1, dtype=torch.float32)
    student.scatter_add_(-1, kept.ids, torch.full(kept.ids.shape, -gap))
    found = []
    for logits in (student, student.double()):
        leaf = logits.requires_grad_()
        value = top_k_kd(leaf, kept, divergence=divergence)
        found.append((value.detach().double(), torch.autograd.grad(value, leaf)[0].double()))
    for mine, exact in zip(*found, strict=True):
        assert (mine - exact).norm() <= 1e-4 * exact.norm() + 1e-6  # a logit of 400 is that coarse


def test_a_class_that_is_ruled_out_on_both_sides_counts_nothing() -> None:
    teacher = torch.tensor([[2.0, 1.0, -torch.inf, -torch.inf]])
    student = torch.tensor([[0.5, 1.0, -torch.inf, 0.0]])
    for divergence in ("forward_kl", "jsd"):
        value = top_k_kd(student, TopK.of(teacher, 3), divergence=divergence)
        assert value.isfinite(), divergence
    certain = TopK(
        torch.tensor([[0, 1]]), torch.tensor([[0.0, 0.0]]), torch.tensor([[0.6931472]]), (1.0,), 4
    )
    student = torch.zeros(1, 4, requires_grad=True)
    value = top_k_kd(student, certain, divergence="reverse_kl")
    value.backward()
    assert student.grad is not None
    assert student.grad.isfinite().all()
    assert 7 < value < 9  # half of it on classes of nothing: 0.5 * log(0.5 / 2^-23), less log 2 / 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("classes", [7, 40_000])  # a few rows at a time
@pytest.mark.parametrize("masked", [False, True])
def test_the_gradient_may_overwrite_the_logits(
    masked: bool, classes: int, dtype: torch.dtype
) -> None:
    student, teacher = randn(3, 5, classes, dtype=dtype), randn(3, 5, classes, seed=1, dtype=dtype)
    kept, mask = TopK.of(teacher, 3), randn(3, 5, seed=2) > 0 if masked else None
    leaf = student.clone().requires_grad_()
    expected = top_k_kd(leaf, kept, mask=mask)
    weight = torch.ones((), dtype=dtype, requires_grad=True)
    logits = student.clone() * weight
    found = top_k_kd(logits, kept, mask=mask, inplace=True)
    assert torch.equal(found, expected)
    expected.backward()
    gradient = torch.autograd.grad(found, weight)
    assert leaf.grad is not None
    assert torch.equal(logits.detach(), leaf.grad)
    assert gradient[0].isfinite()
    with pytest.raises(UsageError, match="inplace"):
        top_k_kd(student.requires_grad_(), kept, inplace=True)


def student_like(teacher: Tensor) -> Tensor:
    return randn(*teacher.shape, seed=9)


def test_in_double_precision_little_of_the_rest_is_still_told_from_nothing() -> None:
    teacher = torch.tensor([[0.0, -1.0, -23.0, -24.0]], dtype=torch.float64)
    student = torch.tensor([[0.0, 0.5, -0.3, 0.2]], dtype=torch.float64)
    kept = TopK.of(teacher, 2)
    p, q = merged(teacher[0], kept.ids[0]), merged(student[0], kept.ids[0])
    assert p[-1].exp() < 2.0**-23
    expected = of_merged("reverse_kl", p, q)
    found = top_k_kd(student, kept, divergence="reverse_kl")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)


def test_what_is_kept_of_a_teacher_answers_for_what_it_knows() -> None:
    teacher = randn(2, 4, 7)
    kept = TopK.of(teacher, 2, temperatures=(1.0, 2.0))
    cells = kept.cells(2.0, like=teacher)
    probs = (teacher / 2).softmax(-1)
    assert cells.rest
    torch.testing.assert_close(cells.probs[..., :-1], probs.gather(-1, kept.ids))
    torch.testing.assert_close(cells.probs.sum(-1), torch.ones(2, 4).double())
    assert kept[:, 1:].shape == (2, 3, 7)
    torch.testing.assert_close(kept.residual(2.0), cells.probs[..., -1])
    assert TopK.of(teacher, 7).residual().tolist() == [[0.0] * 4] * 2
    assert torch.equal(kept[1].ids, kept.ids[1])
    with pytest.raises(UsageError, match=r"3\.0.*1\.0, 2\.0"):
        top_k_kd(teacher, kept, temperature=3.0)
    with pytest.raises(ShapeError, match="one shape"):
        top_k_kd(teacher[:, :3], kept)
    with pytest.raises(UsageError, match="positions"):
        kept[0, 0, 0]
    with pytest.raises(RangeError, match="ids holds 7"):
        TopK(torch.full_like(kept.ids, 7), kept.logits, kept.log_z, (1.0, 2.0), 7)
    with pytest.raises(ShapeError, match="log_z"):
        TopK(kept.ids, kept.logits, kept.log_z[..., :1], (1.0, 2.0), 7)
    for k in (0, 2.5, True):
        with pytest.raises(RangeError, match=f"k is {k}"):
            TopK.of(teacher, k)
    teacher[1, 2, 3] = torch.nan
    with pytest.raises(NonFiniteError, match=r"teacher_logits .* the first at \(1, 2, 3\)"):
        top_k_kd(student_like(teacher), teacher, k=2)


def test_the_logits_at_a_token_speak_of_the_next_and_both_parts_ignore_the_same() -> None:
    student, teacher = randn(2, 5, 7), randn(2, 5, 7, seed=1)
    labels = torch.tensor([[-100, 3, 1, -100, 2], [6, -100, 0, 5, -100]])
    tokens = next_tokens(student, teacher, labels)
    found = losses.cross_entropy_and_kd(
        *tokens[:3], mask=tokens.mask, kd_weight=0.4, temperature=2.0
    )
    hard, soft = [], []
    for sequence in range(2):
        for place in range(4):
            label = int(labels[sequence, place + 1])
            if label < 0:
                continue
            own, other = student[sequence, place], teacher[sequence, place]
            hard.append(-own.log_softmax(0)[label])
            p, q = (other / 2).log_softmax(0), (own / 2).log_softmax(0)
            soft.append(4 * (p.exp() * (p - q)).sum())
    assert len(hard) == int(tokens.mask.sum()) == 5
    torch.testing.assert_close(
        found, 0.6 * torch.stack(hard).mean() + 0.4 * torch.stack(soft).mean()
    )
    kept = next_tokens(student, TopK.of(teacher, 3), labels)
    expected = top_k_kd(tokens.student_logits, teacher[:, :-1], k=3, mask=tokens.mask)
    assert torch.equal(top_k_kd(*kept[:2], mask=kept.mask), expected)
    (own, other), labels = heads(), torch.tensor([[-100, 3, 1, -100, 2], [6, -100, 0, 5, -100]])
    found = fused_linear_kd(*next_tokens(own, other, labels)[:3], hard_weight=0.4)
    assert own.bias is not None
    dense = next_tokens(own.hidden @ own.weight.T + own.bias, other.hidden @ other.weight.T, labels)
    expected = losses.cross_entropy_and_kd(
        *dense[:3], mask=dense.mask, kd_weight=0.6, temperature=1.0
    )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        losses.cross_entropy_and_kd(*dense[:3], kd_weight=0.6, temperature=1.0), expected
    )
    with pytest.raises(ShapeError, match="Head"):
        next_tokens(own, other[:, 1:], labels)
    with pytest.raises(ShapeError, match="two tokens"):
        next_tokens(student[:, :1], teacher[:, :1], labels[:, :1])
    with pytest.raises(ShapeError, match="labels"):
        next_tokens(student, teacher, labels[:, :4])


def test_micro_batches_add_up() -> None:
    student, teacher = randn(4, 6, 9), randn(4, 6, 9, seed=1)
    labels = torch.randint(9, (4, 6), generator=torch.Generator().manual_seed(0))
    labels[0, 2:], labels[3, :4] = -100, -100

    def total(rows: slice) -> tuple[Tensor, int]:
        tokens = next_tokens(student[rows], teacher[rows], labels[rows])
        value = losses.kd(*tokens[:2], mask=tokens.mask, reduction="sum")
        return value, int(tokens.mask.sum())

    whole, count = total(slice(None))
    parts = [total(slice(first, first + 1)) for first in range(4)]
    torch.testing.assert_close(sum(value for value, _ in parts) / count, whole / count)


DENSE: dict[str, Callable[..., Tensor]] = {
    "forward_kl": losses.forward_kl,
    "reverse_kl": losses.reverse_kl,
    "jsd": lambda *sides, **options: losses.generalised_jsd(
        *sides, beta=0.3, normalise=False, **options
    ),
}


def heads(dtype: torch.dtype = torch.float64) -> tuple[Head, Head]:
    student = Head(
        randn(2, 5, 4, dtype=dtype).requires_grad_(),
        randn(11, 4, seed=1, dtype=dtype).requires_grad_(),
        randn(11, seed=2, dtype=dtype).requires_grad_(),
    )
    return student, Head(randn(2, 5, 6, seed=3, dtype=dtype), randn(11, 6, seed=4, dtype=dtype))


def gradients(value: Tensor, head: Head) -> tuple[Tensor, ...]:
    assert head.bias is not None
    return torch.autograd.grad(value, (head.hidden, head.weight, head.bias))


@pytest.mark.parametrize("workspace", [1, 3 * 11 * 4, 1 << 20])
@pytest.mark.parametrize("divergence", DENSE)
@pytest.mark.parametrize("options", [{}, {"temperature": 2.0, "reduction": "sum"}, {"masked": 1}])
def test_it_is_the_loss_of_the_logits(
    options: dict[str, Any], divergence: str, workspace: int
) -> None:
    (student, teacher), options = heads(), dict(options)
    if options.pop("masked", None):
        options["mask"] = randn(2, 5, seed=7) > 0
    sides = [head.hidden @ head.weight.T for head in (student, teacher)]
    assert student.bias is not None
    expected = DENSE[divergence](sides[0] + student.bias, sides[1], **options)
    found = fused_linear_kd(
        student, teacher, divergence=divergence, beta=0.3, workspace=workspace, **options
    )
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(
        gradients(3 * found, student), gradients(3 * expected, student), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("workspace", [1, 1 << 20])
def test_hard_labels_and_a_kept_teacher_go_through_the_same_pass(workspace: int) -> None:
    student, teacher = heads()
    labels = torch.tensor([[3, -100, 0, 10, 1], [-100, -100, 2, 4, 4]])
    logits = student.hidden @ student.weight.T + student.bias
    kept = TopK.of(teacher.hidden @ teacher.weight.T, 3, temperatures=(2.0,))
    found = fused_linear_kd(
        student, kept, labels, hard_weight=0.3, temperature=2.0, workspace=workspace
    )
    mask = labels >= 0
    hard = torch.nn.functional.cross_entropy(logits[mask], labels[mask])
    expected = 0.7 * top_k_kd(logits, kept, temperature=2.0, mask=mask) + 0.3 * hard
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(gradients(found, student), gradients(expected, student), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("workspace", [1, 1 << 20])
@pytest.mark.parametrize("divergence", [*DENSE, "top_k"])
def test_logits_may_be_scaled_and_bounded(divergence: str, workspace: int) -> None:
    (plain, teacher), labels = heads(), torch.tensor([[3, 1, 0, 10, 1], [-100, -100, 2, 4, 4]])
    student = replace(plain, scale=0.7, softcap=1.5)
    teacher = replace(teacher, scale=2.0, softcap=3.0)
    raw = plain.hidden @ plain.weight.T + plain.bias
    logits = 1.5 * torch.tanh(0.7 * raw / 1.5)
    target = 3.0 * torch.tanh(2.0 * (teacher.hidden @ teacher.weight.T) / 3.0)
    torch.testing.assert_close(teacher.flat().logits(), target.flatten(0, 1))
    side = TopK.of(target, 3) if divergence == "top_k" else teacher
    options = {} if divergence == "top_k" else {"divergence": divergence, "beta": 0.3}
    soft = top_k_kd if divergence == "top_k" else DENSE[divergence]
    found = fused_linear_kd(student, side, labels, hard_weight=0.3, workspace=workspace, **options)
    mask = labels >= 0
    hard = torch.nn.functional.cross_entropy(logits[mask], labels[mask])
    dense = side if divergence == "top_k" else target
    expected = 0.7 * soft(logits, dense, mask=mask) + 0.3 * hard
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(gradients(found, plain), gradients(expected, plain), strict=True):
        torch.testing.assert_close(mine, theirs)
    with pytest.raises(RangeError, match="softcap is 0"):
        replace(plain, softcap=0.0)


def test_of_a_frozen_layer_no_gradient_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    student, teacher = heads()
    expected = gradients(fused_linear_kd(student, teacher), student)[0]
    student.weight.requires_grad_(False)
    monkeypatch.setattr("didact.losses.tokens.fused_linear.add_outer", None)
    fused_linear_kd(replace(student, bias=None), teacher).backward()
    assert student.weight.grad is None
    frozen = Head(student.hidden, student.weight, student.bias)
    (mine,) = torch.autograd.grad(fused_linear_kd(frozen, teacher), student.hidden)
    torch.testing.assert_close(mine, expected)


def test_a_second_backward_pass_gives_the_same_and_knows_of_changes() -> None:
    student, teacher = heads()
    value = fused_linear_kd(student, teacher)
    first, second = (
        torch.autograd.grad(2 * value, student.hidden, retain_graph=True)[0] for _ in range(2)
    )
    assert torch.equal(first, second)
    with torch.no_grad():
        student.weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


@pytest.mark.parametrize("divergence", DENSE)
def test_half_precision_costs_one_percent_of_the_gradient(divergence: str) -> None:
    """Near the teacher, where rounded logits would drown what the two differ by."""
    weight = randn(500, 64, seed=1) / 4
    hidden = randn(3, 40, 64)
    student = Head(hidden.bfloat16(), (weight + 0.03 * randn(500, 64, seed=2)).bfloat16())
    teacher = Head(hidden.bfloat16(), weight.bfloat16())
    sides = [Head(h.hidden.double(), h.weight.double()) for h in (student, teacher)]
    found = []
    for own, other in ((student, teacher), sides):
        own.hidden.requires_grad_(), own.weight.requires_grad_()
        value = fused_linear_kd(own, other, divergence=divergence, workspace=50_000)
        found.append((value, *torch.autograd.grad(value, (own.hidden, own.weight))))
    if divergence == "forward_kl":
        assert 0.02 < found[1][0] < 0.05
    for mine, exact in zip(*found, strict=True):
        assert (mine.double() - exact).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize("kinds", [(torch.bfloat16, torch.float32), (torch.float32, torch.float16)])
def test_hidden_states_and_weights_may_differ_in_precision(kinds: tuple[torch.dtype, ...]) -> None:
    hidden, weight = randn(6, 4).to(kinds[0]), randn(11, 4, seed=1).to(kinds[1])
    own, teacher = Head(hidden.requires_grad_(), weight.requires_grad_()), heads()[1].flat()
    value = fused_linear_kd(own, Head(teacher.hidden[:6], teacher.weight))
    value.backward()
    assert hidden.grad is not None
    assert weight.grad is not None
    assert (hidden.grad.dtype, weight.grad.dtype) == kinds
    exact = Head(hidden.double(), weight.double())
    torch.testing.assert_close(
        value.double(), fused_linear_kd(exact, Head(teacher.hidden[:6], teacher.weight)).double()
    )


def test_tokens_that_do_not_count_are_not_looked_at() -> None:
    student, teacher = heads()
    mask = torch.zeros(2, 5, dtype=torch.bool)
    assert fused_linear_kd(student, teacher, mask=mask).item() == 0
    mask[0] = True
    hidden = teacher.hidden.clone()
    hidden[1] = torch.nan
    spoilt = Head(hidden, teacher.weight)
    value = fused_linear_kd(student, spoilt, mask=mask)
    torch.testing.assert_close(value, fused_linear_kd(student, teacher, mask=mask))
    with pytest.raises(NonFiniteError, match="teacher's hidden holds NaN"):
        fused_linear_kd(student, spoilt)


def test_heads_in_bfloat16_are_compared_in_float32() -> None:
    (student, teacher), exact = heads(torch.bfloat16), heads()
    value = fused_linear_kd(student, teacher, workspace=3 * 11 * 4)
    assert value.dtype == torch.float32
    expected = fused_linear_kd(*exact)
    torch.testing.assert_close(value.double(), expected, rtol=0.05, atol=0.02)
    for mine, theirs in zip(gradients(value, student), gradients(expected, exact[0]), strict=True):
        assert mine.dtype == torch.bfloat16
        torch.testing.assert_close(mine.double(), theirs, rtol=0.1, atol=0.05)


def test_without_a_gradient_none_is_made_and_twice_is_refused() -> None:
    student, teacher = heads()
    with torch.no_grad():
        value = fused_linear_kd(student, teacher)
    assert not value.requires_grad
    again = fused_linear_kd(student, teacher)
    torch.testing.assert_close(again.detach(), value)
    with pytest.raises(UsageError, match="twice"):
        torch.autograd.grad(again, student.hidden, create_graph=True)


def test_heads_that_do_not_fit_are_named() -> None:
    student, teacher = heads()
    with pytest.raises(ShapeError, match="empty batch"):
        student[:0]
    with pytest.raises(ShapeError, match="padded vocabulary"):
        fused_linear_kd(student, Head(teacher.hidden, teacher.weight[:10]))
    with pytest.raises(ShapeError, match="units"):
        Head(teacher.hidden, student.weight)
    with pytest.raises(ShapeError, match="bias"):
        Head(teacher.hidden, teacher.weight, torch.zeros(10))
    with pytest.raises(UsageError, match="labels"):
        fused_linear_kd(student, teacher, hard_weight=0.5)
    with pytest.raises(UsageError, match="divergence is 'kl'"):
        fused_linear_kd(student, teacher, divergence="kl")  # type: ignore[arg-type]
    kept = TopK.of(teacher.hidden @ teacher.weight.T, 3)
    with pytest.raises(UsageError, match="divergence is 'kl'"):
        top_k_kd(randn(2, 5, 11), kept, divergence="kl")  # type: ignore[arg-type]
    with pytest.raises(RangeError, match="beta"):
        fused_linear_kd(student, teacher, divergence="jsd", beta=1.0)
    with pytest.raises(RangeError, match="labels holds 11"):
        fused_linear_kd(student, teacher, torch.full((2, 5), 11), hard_weight=0.5)
    with pytest.raises(UsageError, match="none"):
        fused_linear_kd(student, teacher, reduction="none")  # type: ignore[arg-type]
