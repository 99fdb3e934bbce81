"""One seed of a run: its data, its teachers, the student alone and the student distilled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from didact.data import AnySplit, Batches, Data
from didact.metrics import accuracy, negative_log_likelihood
from didact.nn import Teacher
from didact.train.distilling.features import Place
from didact.train.distilling.fit import Job, Look, Objective, Surroundings, fit
from didact.train.distilling.looks import look_at_labels, look_at_teachers
from didact.train.distilling.losses import LossChoice
from didact.train.distilling.objective import (
    DistillationObjective,
    label_objective,
    mean_probs_logits,
)
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.terms import BuiltTerms, Scene, build_terms
from didact.train.loop.evaluate import in_order, predict
from didact.train.loop.models import ModelSource, checked
from didact.train.loop.schedule import build_optimizer, seed_everything

STUDENT_STREAM, TEACHER_STREAM, TRAINING_STREAM = 1, 2, 3


@dataclass(frozen=True)
class Parts:
    """The objects that the settings name."""

    load_data: Callable[[int], Data]
    student: ModelSource
    teachers: Sequence[ModelSource]
    teacher_weights: Sequence[float]
    losses: Sequence[LossChoice]


@dataclass
class Trained:
    """A trained model with its logits on the test split."""

    model: nn.Module
    test_logits: Tensor
    validation_accuracy: float
    seconds: float


@dataclass
class Cell:
    """What one seed has produced so far."""

    seed: int
    data: Data
    teachers: list[Trained] = field(default_factory=list)
    students: dict[str, Trained] = field(default_factory=dict)

    @property
    def labels(self) -> Tensor:
        """The labels of the test split."""
        return self.data.test.labels.cpu()

    def teacher_logits(self, weights: Sequence[float]) -> Tensor | None:
        """The test logits of the teacher, or of the weighted mean of several teachers."""
        if not self.teachers:
            return None
        every = [teacher.test_logits for teacher in self.teachers]
        return every[0] if len(every) == 1 else mean_probs_logits(every, weights, 1.0)


@dataclass(frozen=True)
class _Plan:
    """How one model is trained.

    Attributes:
        extra: What is trained with the model and thrown away.
        unlabelled: Whether samples without a label are of use.
        taps: What is taken off the models afterwards.
    """

    arm: str
    epochs: int
    learning_rate: float
    objective: Objective = label_objective
    look: Look = look_at_labels
    extra: Sequence[nn.Module] = ()
    unlabelled: bool = False
    taps: BuiltTerms | None = None


class Learner(nn.Module):
    """A student and what is trained with it and thrown away: projectors, losses with weights."""

    def __init__(self, student: nn.Module, extra: Sequence[nn.Module]) -> None:
        super().__init__()
        self.student = student
        self.extra = nn.ModuleList(extra)

    def forward(self, images: Tensor) -> Tensor:
        """The student's logits."""
        logits: Tensor = self.student(images)
        return logits


def run_cell(seed: int, parts: Parts, around: Surroundings) -> Cell:
    """Train or load every arm of one seed; what an earlier process finished is loaded."""
    settings = around.settings
    cell = Cell(seed, parts.load_data(seed))
    for number, source in enumerate(parts.teachers):
        seed_everything(seed, TEACHER_STREAM, number)
        model = checked(source, cell.data, role="teacher")
        if source.trained:
            cell.teachers.append(_measured(model.to(around.fabric.device), cell, around, 0.0))
            continue
        plan = _Plan(
            "teacher" if len(parts.teachers) == 1 else f"teacher-{number + 1}",
            settings.teacher_epochs or settings.epochs,
            settings.teacher_learning_rate or settings.learning_rate,
        )
        cell.teachers.append(_train(model, plan, cell, around))
    for arm in ("alone", "distilled"):
        if arm in settings.arms:
            seed_everything(seed, STUDENT_STREAM)  # both start from the same weights
            model = checked(parts.student, cell.data, role="student").to(around.fabric.device)
            plan = _Plan(arm, settings.epochs, settings.learning_rate)
            if arm == "distilled":
                plan = _distillation_plan(model, cell, parts, around)
            cell.students[arm] = _train(model, plan, cell, around)
    return cell


def _distillation_plan(model: nn.Module, cell: Cell, parts: Parts, around: Surroundings) -> _Plan:
    settings = around.settings
    teachers = [Teacher(trained.model) for trained in cell.teachers]
    built = build_terms(parts.losses, scene_of(model, teachers[0], parts, settings, cell.data))
    look = look_at_teachers(teachers, cell.data, around.fabric, settings.augment, built)
    return _Plan(
        "distilled",
        settings.epochs,
        settings.learning_rate,
        objective_of(built, parts, settings),
        look,
        built.trained,
        unlabelled=True,
        taps=built,
    )


def scene_of(
    student: nn.Module, teacher: nn.Module, parts: Parts, settings: DistillSettings, data: Data
) -> Scene:
    """What the losses are built for; features are those of the first teacher."""
    return Scene(
        Place(student, parts.student.name, settings.student_layer, "student"),
        Place(teacher, parts.teachers[0].name, settings.teacher_layer, "teacher"),
        data.image_shape,
        len(data.train),
        settings.batch_size,
    )


def objective_of(
    built: BuiltTerms, parts: Parts, settings: DistillSettings
) -> DistillationObjective:
    """The objective of the distilled student."""
    return DistillationObjective(
        built.terms,
        settings.kd_weight,
        settings.temperature,
        settings.warmup_epochs / settings.epochs,
        settings.combine,
        parts.teacher_weights,
    )


def _train(model: nn.Module, plan: _Plan, cell: Cell, around: Surroundings) -> Trained:
    """Train a model, or load it where an earlier process finished it."""
    fabric = around.fabric
    model.to(fabric.device)
    done = around.checkpoints.finished(plan.arm, cell.seed)
    if done is not None:
        state, about = done
        model.load_state_dict(state)
        around.log.skip(plan.epochs)
        seconds = float(about["seconds"])
    else:
        seed_everything(cell.seed, TRAINING_STREAM)
        seconds = fit(_job(model, plan, cell, around), around).seconds
        if fabric.is_global_zero:
            about = {"seconds": seconds}
            around.checkpoints.finish(plan.arm, cell.seed, model.state_dict(), about)
        fabric.barrier()
    if plan.taps is not None:
        plan.taps.remove()
    return _measured(model, cell, around, seconds)


def _job(model: nn.Module, plan: _Plan, cell: Cell, around: Surroundings) -> Job:
    fabric, settings, data = around.fabric, around.settings, cell.data
    learner = Learner(model, plan.extra).to(fabric.device) if plan.extra else model
    split = data.train if plan.unlabelled else _labelled_only(data)
    batches = Batches(
        split,
        batch_size=settings.batch_size // fabric.world_size,
        seed=cell.seed,
        shuffle=True,
        augment=settings.augment,
        mean=data.mean,
        std=data.std,
        labelled=data.labelled if plan.unlabelled else None,
        rank=fabric.global_rank,
        world_size=fabric.world_size,
        drop_last=_last_is_too_small(model, len(split), settings),
        device=fabric.device,
        workers=settings.workers,
    )
    return Job(
        arm=plan.arm,
        seed=cell.seed,
        epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        model=learner,
        optimizer=build_optimizer(settings, plan.learning_rate, learner.parameters()),
        batches=batches,
        look=plan.look,
        objective=plan.objective,
        validate=_validation(data, around),
    )


def _last_is_too_small(model: nn.Module, samples: int, settings: DistillSettings) -> bool:
    """Whether a part of an epoch's last step would give a BatchNorm layer a single sample."""
    left = samples % settings.batch_size
    few = samples > settings.batch_size and 0 < left < 2 * settings.devices * settings.accumulate
    return few and any(isinstance(module, _BatchNorm) for module in model.modules())


def _labelled_only(data: Data) -> AnySplit:
    """The labelled samples, repeated to the size of the split: the same number of full steps."""
    if bool(data.labelled.all()):
        return data.train
    indices = data.labelled.nonzero().flatten()
    repeats = -(-len(data.train) // len(indices))
    return data.train.subset(indices.repeat(repeats)[: len(data.train)])


def _validation(data: Data, around: Surroundings) -> Callable[[nn.Module], tuple[float, float]]:
    batches = in_order(data, "validation", around.fabric.device)

    def validate(model: nn.Module) -> tuple[float, float]:
        logits, labels = predict(model, batches)
        return accuracy(logits, labels), negative_log_likelihood(logits, labels)

    return validate


def _measured(model: nn.Module, cell: Cell, around: Surroundings, seconds: float) -> Trained:
    test_logits, _ = predict(model, in_order(cell.data, "test", around.fabric.device))
    validation, _ = _validation(cell.data, around)(model)
    return Trained(model.eval(), test_logits, validation, seconds)
