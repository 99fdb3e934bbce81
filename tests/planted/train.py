"""Faults of the training loops, of ``distill`` and of ``learn``."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "train"
DISTILL = "tests/train/distilling/test_distill.py"
LEARN = "tests/train/learning/test_learn.py"
PROCESSES = "tests/train/learning/test_processes.py -k short_shard"

FAULTS = [
    Fault(
        "the students start from other weights",
        FLOOR,
        "seed_everything(seed, STUDENT_STREAM)",
        "pass",
        f"{DISTILL} -k kd_weight_zero",
    ),
    Fault(
        "a part of one image reaches BatchNorm",
        FLOOR,
        "settings.devices * settings.accumulate",
        "settings.devices",
        f"{DISTILL} -k single_image",
    ),
    Fault(
        "a short shard weighs as much as a long one in learn",
        "methods",
        "name: value if name in self.weighted else value * batch.weight",
        "name: value",
        PROCESSES,
    ),
    Fault(
        "label and distillation swap their weights",
        FLOOR,
        'found["label"] = (1 - weight) * label_term(outputs, self.label_loss)',
        'found["label"] = weight * label_term(outputs, self.label_loss)',
        f"{DISTILL} -k one_step",
    ),
    Fault(
        "the weight of a distillation loss is ignored",
        FLOOR,
        "found[term.name] = weight * term.weight * value",
        "found[term.name] = weight * value",
        "tests/train/distilling/test_objective.py",
    ),
    Fault(
        "the warm-up goes the wrong way",
        FLOOR,
        "weight *= fraction / self.warmup",
        "weight *= 1 - fraction / self.warmup",
        "tests/train/distilling/test_objective.py",
    ),
    Fault(
        "several teachers are averaged in log space",
        FLOOR,
        "torch.logsumexp(stacked + log_weights, dim=0) * temperature",
        "(stacked * log_weights.exp()).sum(0) * temperature",
        "tests/train/distilling/test_objective.py",
    ),
    Fault(
        "the mean over teachers forgets the temperature",
        FLOOR,
        'used = temperature if "temperature" in term.inputs else 1.0',
        "used = 1.0",
        f"{DISTILL} -k two_teachers",
    ),
    Fault(
        "an unlabelled image counts as class 0",
        FLOOR,
        "F.cross_entropy(outputs, labels, ignore_index=UNLABELLED)",
        "F.cross_entropy(outputs, labels.clamp(min=0))",
        f"{DISTILL} -k unlabelled",
    ),
    Fault(
        "a part of a step counts as a whole one",
        FLOOR,
        "share=batch.weight * len(part.labels) / len(batch.labels)",
        "share=batch.weight",
        "tests/train/distilling/test_processes.py -k accumulation",
    ),
    Fault(
        "the labelled share of a part is that of all its images",
        FLOOR,
        "labelled_share=batch.label_weight * labelled / max(of_batch, 1)",
        "labelled_share=batch.label_weight * len(part.labels) / len(batch.labels)",
        "tests/train/distilling/test_processes.py -k accumulation",
    ),
    Fault(
        "the cosine schedule is twice too high",
        FLOOR,
        "base * (1 + math.cos(math.pi * fraction)) / 2",
        "base * (1 + math.cos(math.pi * fraction))",
        "tests/train/distilling/test_objective.py",
    ),
    Fault(
        "a milestone counts one step late",
        FLOOR,
        "sum(fraction >= milestone for milestone in settings.milestones)",
        "sum(fraction > milestone for milestone in settings.milestones)",
        "tests/train/distilling/test_objective.py",
    ),
    Fault(
        "predictions are made in training mode",
        FLOOR,
        "    was_training = model.training\n    model.eval()\n    logits, labels = [], []",
        "    was_training = model.training\n    model.train()\n    logits, labels = [], []",
        f"{DISTILL} -k evidence",
    ),
    Fault(
        "the best epoch is not the one that is kept",
        FLOOR,
        "if best_model is not None:\n        spec.model.load_state_dict(best_model)",
        "if best_model is not None:\n        pass",
        f"{DISTILL} -k best_on_validation",
    ),
    Fault(
        "a resumed run has a new optimiser",
        FLOOR,
        "load_optimizer_state(spec.optimizer, snapshot.optimizer)",
        "pass",
        "tests/train/distilling/test_resume.py",
    ),
    Fault(
        "the gradient is not clipped",
        FLOOR,
        "model, optimizer, max_norm=settings.clip_norm, error_if_nonfinite=False",
        "model, optimizer, max_norm=1e9, error_if_nonfinite=False",
        f"{DISTILL} -k clip",
    ),
    Fault(
        "the teachers' remembered logits are in another order",
        FLOOR,
        "logits = [one[batch.indices] for one in cached]",
        "logits = [one[: len(batch.indices)] for one in cached]",
        f"{DISTILL} -k one_step",
    ),
    Fault(
        "the weights of the teachers are not made to add up to 1",
        FLOOR,
        "teacher_weights=[weight / sum(weights) for weight in weights]",
        "teacher_weights=list(weights)",
        f"{DISTILL} -k two_teachers",
    ),
    Fault(
        "a group's own factor of the learning rate is ignored",
        FLOOR,
        'group["lr"] = value * group.get("factor", 1.0)',
        'group["lr"] = value',
        f"{LEARN} -k factor",
    ),
    Fault(
        "the first task's own number of epochs is ignored",
        FLOOR,
        "return stage.epochs or first or settings.epochs",
        "return stage.epochs or settings.epochs",
        f"{LEARN} -k protocols_of_time",
    ),
    Fault(
        "an online stream is seen several times",
        FLOOR,
        "    if settings.online:\n        return 1\n",
        "",
        f"{LEARN} -k protocols_of_time",
    ),
    Fault(
        "numbers to predict are taken in their own units",
        FLOOR,
        "return (values.float() - self.shift.to(values.device)) / self.scale.to(values.device)",
        "return values.float()",
        "tests/train/distilling/test_tasks.py",
    ),
    Fault(
        "the metric of a regression is taken for better the larger it is",
        FLOOR,
        "return value if self.higher_is_better else -value",
        "return value",
        "tests/train/distilling/test_tasks.py",
    ),
    Fault(
        "a cell of a grid that is complete is run again",
        FLOOR,
        "if overwrite or not RunFolder(folder / name).complete",
        "if True",
        "tests/train/distilling/test_grid.py",
    ),
    Fault(
        "bits are counted for each token",
        "train",
        "return nll / math.log(2) / bytes_per_token",
        "return nll / math.log(2)",
        "tests/train/texts/test_distill_text.py -k measured",
    ),
    Fault(
        "a student of texts is kept for its test text",
        "train",
        'key=lambda pair: pair[1].numbers["validation"][METRIC]',
        'key=lambda pair: -pair[1].numbers["validation"][METRIC]',
        "tests/train/texts/test_distill_text.py -k measured",
    ),
    Fault(
        "windows of a text come in the order of every pass before",
        "train",
        "(self.seed * 1_000_003 + passes) % 2**63",
        "(self.seed * 1_000_003) % 2**63",
        "tests/train/texts/test_distill_text.py -k every_window",
    ),
]
