"""Faults of the losses, beside the hundreds of ``tests/losses/mutants.py``."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "losses"
CONTRACT = "tests/losses/test_contract.py -k"

FAULTS = [
    Fault(
        "the plain formula forgets T squared",
        FLOOR,
        "(teacher_log_probs - student_log_probs)\n"
        "    return reduce_classes(divergence, reduction, mask, factor=temperature**2)",
        "(teacher_log_probs - student_log_probs)\n"
        "    return reduce_classes(divergence, reduction, mask, factor=temperature)",
        "tests/losses/test_logits.py",
    ),
    Fault(
        "masked positions count in the mean",
        FLOOR,
        "(per_sample.numel() if mask is None else mask.sum().clamp(min=1))",
        "per_sample.numel()",
        f"{CONTRACT} dkd",
    ),
    Fault(
        "DKD's binary part and the rest swap their weights",
        FLOOR,
        "return alpha * target_part + beta * other_part, gradient",
        "return beta * target_part + alpha * other_part, gradient",
        f"{CONTRACT} dkd",
    ),
    Fault(
        "DKD's other classes hold the target",
        FLOOR,
        "others = logits.masked_fill(target, -torch.inf)",
        "others = logits",
        f"{CONTRACT} dkd",
    ),
    Fault(
        "DIST compares the classes twice",
        FLOOR,
        "intra, intra_slope = _unlikeness(both, -2)",
        "intra, intra_slope = _unlikeness(both, -1)",
        f"{CONTRACT} dist",
    ),
    Fault(
        "the angles are taken at the wrong point",
        FLOOR,
        "(products - products.unsqueeze(2)) - (products.unsqueeze(1) - corner)",
        "(products - products.unsqueeze(2)) - (products.unsqueeze(1) + corner)",
        f"{CONTRACT} rkd_angle",
    ),
    Fault(
        "the two relations swap their weights",
        FLOOR,
        "distance_weight * distance + angle_weight * rkd_angle(student, teacher)",
        "angle_weight * distance + distance_weight * rkd_angle(student, teacher)",
        f"{CONTRACT} rkd",
    ),
    Fault(
        "POD pools the width twice",
        FLOOR,
        "torch.cat([energy.sum(3).flatten(1), energy.sum(2).flatten(1)], dim=1)",
        "torch.cat([energy.sum(3).flatten(1), energy.sum(3).flatten(1)], dim=1)",
        f"{CONTRACT} podnet_spatial",
    ),
    Fault(
        "a sample is a neighbour of itself in PKT",
        FLOOR,
        "student_sums = _sums(found.masked_fill(itself, 0.0))",
        "student_sums = _sums(found)",
        f"{CONTRACT} pkt",
    ),
    Fault(
        "LUCIR's margin pushes from the old classes",
        FLOOR,
        "hardest, which = scores[..., old_classes:].topk(negatives, dim=-1)",
        "hardest, which = scores[..., :old_classes].topk(min(negatives, old_classes), dim=-1)",
        f"{CONTRACT} lucir_margin",
    ),
    Fault(
        "the heads of EEIL are averaged",
        FLOOR,
        "return torch.stack(losses).sum(0)",
        "return torch.stack(losses).mean(0)",
        f"{CONTRACT} eeil",
    ),
    Fault(
        "the margin of OFD loses its sign",
        FLOOR,
        "usual = mean - std * density / negative.clamp(min=_FEW_NEGATIVES)",
        "usual = mean + std * density / negative.clamp(min=_FEW_NEGATIVES)",
        f"{CONTRACT} ofd",
    ),
    Fault(
        "the Taylor series of CC forgets the factorial",
        FLOOR,
        "math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p)",
        "math.exp(-2 * gamma) * (2 * gamma) ** p",
        f"{CONTRACT} cc",
    ),
    Fault(
        "the memory of several processes keeps the padding",
        FLOOR,
        "torch.cat([part[:size] for part, size in zip(gathered, sizes, strict=True)])",
        "torch.cat([part for part, size in zip(gathered, sizes, strict=True)])",
        "tests/losses/features/test_crd.py",
    ),
    Fault(
        "the mean over processes is a sum",
        FLOOR,
        "return total / _world()",
        "return total",
        "tests/losses/features",
    ),
    Fault(
        "a zero vector has a gradient",
        FLOOR,
        "return squared.masked_fill(zero, 1.0).sqrt().masked_fill(zero, 0.0)",
        "return squared.sqrt()",
        "tests/losses/features tests/losses/test_contract.py",
    ),
]
