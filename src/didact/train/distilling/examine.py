"""How good a teacher from elsewhere is on this data, and which normalisation it wants."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest
from torch import Tensor

from didact._core.errors import ModelError
from didact.data import Batches, Data
from didact.metrics import explained_variance
from didact.nn import Normalisation, candidates
from didact.train.distilling.seed_run import Components
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.tasks import TASKS, Task, classes_of
from didact.train.loop.evaluate import EVALUATION_BATCH, predict
from didact.train.loop.models import ModelSource, with_inputs, with_units

MOST_IMAGES = 2000
"""So many validation images are enough to tell normalisations apart."""
FEWEST_IMAGES = 50
"""With fewer a teacher is not judged: chance would decide."""


@dataclass(frozen=True)
class Trial:
    """A teacher with one normalisation on the validation images.

    Attributes:
        normalisation: The one tried.
        logits: ``(images, classes)``.
        errors: ``(images,)``, of each image how wrong: 0 or 1 for classes.
        goodness: The task's metric, more being better: the share of images that are right.
    """

    normalisation: Normalisation
    logits: Tensor
    errors: Tensor
    goodness: float


def examine(
    components: Components, data: Data, chosen: DistillSettings
) -> tuple[Components, list[str]]:
    """Try the teachers that come trained, and settle what normalisation they get.

    Returns:
        The components with every normalisation known, and one line about each such teacher.

    Raises:
        ModelError: A teacher cannot take the images, or does no better than guessing.
    """
    teachers, notes = [], []
    for source in components.teachers:
        if source.trained:
            found, note = _examined(source, data, chosen)
            teachers.append(found)
            notes.append(note)
        else:
            teachers.append(source)
    return replace(components, teachers=teachers), notes


def _examined(source: ModelSource, data: Data, chosen: DistillSettings) -> tuple[ModelSource, str]:
    labels, trials = _trials(source, data, chosen)
    trial = trials[0]
    for other in trials[1:]:  # the likelier ones come first
        if _surely_better(other, trial):
            trial = other
    task = TASKS[data.task]
    if not chosen.accept_teacher:
        refuse = _refuse_guessing if task.has_classes else _refuse_useless
        refuse(source, trial, trials, labels, data)
    text = f"teacher {source.name}: {_said(task, trial.goodness)} of {len(labels)} validation "
    text += "images right" if task.has_classes else "samples"
    if source.normalise is not None:
        return source, text
    others = ", ".join(
        f"{t.normalisation.name} {_number(task, t.goodness)}" for t in trials if t is not trial
    )
    name = trial.normalisation.name
    tied = [t.normalisation.name for t in trials if t is not trial and not _surely_better(trial, t)]
    if tied:
        note = (
            f"{text} with normalisation {name}, and not surely fewer with {', '.join(tied)} "
            f"({others}): which one it was trained with cannot be told; "
        )
        return replace(source, normalise=name), f"{note}say it by --teacher-normalise"
    note = f"{text} with normalisation {name}, the best of those tried ({others}); "
    return replace(source, normalise=name), note + f"--teacher-normalise {name} settles it"


def _said(task: Task, goodness: float) -> str:
    """``94.1 %``, or the metric and its value."""
    if task.has_classes:
        return f"{100 * goodness:.1f} %"
    return f"{task.metric.replace('_', ' ')} {_number(task, goodness)}"


def _number(task: Task, goodness: float) -> str:
    return f"{100 * goodness:.1f}" if task.has_classes else f"{abs(goodness):.4g}"


def _errors(task: Task, outputs: Tensor, targets: Tensor) -> Tensor:
    if task.has_classes:
        return (outputs.argmax(-1) != classes_of(targets)).float()
    if task.name == "multi-label":
        found = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        return found.mean(dim=1)
    return (outputs - targets).abs().mean(dim=1)


def _surely_better(one: Trial, other: Trial) -> bool:
    """Whether chance explains it in less than one of a hundred cases (sign test, McNemar 1947)."""
    won, lost = int((one.errors < other.errors).sum()), int((one.errors > other.errors).sum())
    return won > lost and float(binomtest(won, won + lost, alternative="greater").pvalue) < 0.01


def _trials(source: ModelSource, data: Data, chosen: DistillSettings) -> tuple[Tensor, list[Trial]]:
    """The teacher on some validation images, with each normalisation that it takes."""
    device = _device(chosen)
    split = data.validation
    if len(split) > MOST_IMAGES:
        split = split.subset(torch.linspace(0, len(split) - 1, MOST_IMAGES).long())
    batches = Batches(
        split, batch_size=EVALUATION_BATCH, mean=data.mean, std=data.std, device=device
    )
    if source.normalise is None:
        tried = candidates(data.mean, data.std)
    else:
        tried = [Normalisation.read(source.normalise, data.mean, data.std)]
    task, targets = TASKS[data.task], split.labels.cpu()
    model = source.build(data, source.shape_for(data)).to(device)
    trials, problem = [], ""
    for normalisation in tried:
        try:
            whole = with_inputs(model, source, data, normalisation)
            whole = with_units(whole, source, data, "teacher").to(device)
            logits, _ = predict(whole, batches)
        except (RuntimeError, ValueError, TypeError, ModelError) as error:
            problem = problem or str(error).splitlines()[0]
            continue
        if logits.dim() != 2 or logits.shape[1] != data.num_classes:
            break
        errors = _errors(task, logits, targets)
        goodness = task.goodness(logits, targets)
        trials.append(Trial(normalisation, logits, errors, goodness))
    if not trials and problem:
        raise ModelError(
            f"the teacher {source.name} cannot take images of shape {data.image_shape} (channels, "
            f"height, width): {problem}; for another size give --teacher-input-size, for grey "
            "images and three channels --teacher-normalise imagenet"
        )
    if not trials:
        knows = (
            f"knows {logits.shape[1]} classes"
            if logits.dim() == 2
            else (f"gives logits of shape {tuple(logits.shape)}")
        )
        raise ModelError(
            f"the teacher {source.name} {knows} and {data.name} has {data.num_classes}; student, "
            "teacher and data must have the same classes"
        )
    return targets, trials


def _device(chosen: DistillSettings) -> torch.device:
    fits = chosen.accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available()
    return torch.device("cuda" if fits else "cpu")


def _refuse_guessing(
    source: ModelSource, trial: Trial, trials: list[Trial], labels: Tensor, data: Data
) -> None:
    """Stop where a teacher is surely no better than guessing, with the likely reason.

    Raises:
        ModelError: It is as good as guessing, or a twentieth of the way from it to certainty.
    """
    if len(labels) < FEWEST_IMAGES:
        return
    labels = classes_of(labels)
    counts = torch.bincount(labels, minlength=data.num_classes)
    chance = float(counts.max()) / len(labels)
    doubt = 2 * math.sqrt(chance * (1 - chance) / len(labels))
    if trial.goodness > chance + max(doubt, 0.05 * (1 - chance)):
        return
    reason = _other_order(trials, labels, data)
    if reason is None:
        tried = ", ".join(one.normalisation.name for one in trials)
        reason = (
            f"Normalisation was tried ({tried}). Likely its weights are those of another data set, "
            "its images had another size (--teacher-input-size), or it was never trained"
        )
    raise ModelError(
        f"the teacher {source.name} gets {100 * trial.goodness:.1f} % of {len(labels)} validation "
        f"images right and guessing the commonest class {100 * chance:.1f} %. {reason}. "
        "--accept-teacher goes on anyway"
    )


def _refuse_useless(
    source: ModelSource, trial: Trial, trials: list[Trial], labels: Tensor, data: Data
) -> None:
    """Stop where a teacher says hardly more than who has not looked at the sample.

    Raises:
        ModelError: Of numbers it explains less than a twentieth of the variance; several labels it
            ranks hardly better than at random.
    """
    if len(labels) < FEWEST_IMAGES:
        return
    task = TASKS[data.task]
    if task.name == "regression":
        explained = explained_variance(trial.logits, labels)
        useless, said = explained < 0.05, f"explains {100 * explained:.1f} % of the variance"
        blind = "always saying the mean explains 0 %"
    else:
        share = float(labels.mean())
        useless = trial.goodness < share + 0.05 * (1 - share)
        said = f"has mean average precision {trial.goodness:.3f}"
        blind = f"ranking at random has {share:.3f}"
    if useless:
        tried = ", ".join(one.normalisation.name for one in trials)
        raise ModelError(
            f"the teacher {source.name} {said} on {len(labels)} validation samples, and {blind}. "
            f"Normalisation was tried ({tried}). Likely it was trained for other targets, in other "
            "units or an other order, or never. --accept-teacher goes on anyway"
        )


def _other_order(trials: list[Trial], labels: Tensor, data: Data) -> str | None:
    """Whether the teacher would be right if its classes were named in another order."""
    found = []
    for trial in trials:
        confusion = torch.zeros(data.num_classes, data.num_classes)
        pairs = (trial.logits.argmax(-1), labels)
        confusion.index_put_(pairs, torch.ones(len(labels)), accumulate=True)
        rows, columns = linear_sum_assignment(confusion.numpy(), maximize=True)
        found.append((float(confusion[rows, columns].sum()) / len(labels), trial))
    share, trial = max(found, key=lambda pair: pair[0])
    if share < 0.5 or share < 2 * trial.goodness:
        return None
    return (
        f"With its classes in another order it would get {100 * share:.1f} %: its labels are "
        "numbered differently from those of the data (class folders are numbered by name)"
    )
