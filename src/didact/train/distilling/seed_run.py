"""One seed of a run: its data, its teachers, the student alone and the student distilled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.data import AnySplit, Batches, Data, Mixing
from didact.nn import Teacher
from didact.train.distilling.build_losses import BuiltLosses, LossBuildContext, build_losses
from didact.train.distilling.features import TappedModel
from didact.train.distilling.fit import (
    DistillContext,
    ForwardFn,
    ModelSpec,
    Objective,
    Validate,
    fit,
    refuse_lost_rows,
)
from didact.train.distilling.forward import forward_with_teachers, student_forward
from didact.train.distilling.hooks import Hooks
from didact.train.distilling.losses import LossChoice
from didact.train.distilling.objective import (
    DistillationObjective,
    LabelObjective,
)
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.tasks import TASKS, LabelLoss, Task, label_loss_of, sampling_of
from didact.train.loop.data import digest_of
from didact.train.loop.evaluate import predict, test_batches
from didact.train.loop.fit import RunContext, last_is_too_small
from didact.train.loop.models import ModelSource, checked
from didact.train.loop.schedule import build_optimizer, seed_everything
from didact.train.record.checkpoint import Checkpoints, PartOf
from didact.train.record.run_folder import CHECKPOINT

STUDENT_STREAM, TEACHER_STREAM, TRAINING_STREAM = 1, 2, 3


@dataclass(frozen=True)
class Components:
    """The objects that the settings name."""

    load_data: Callable[[int], Data]
    student: ModelSource
    teachers: Sequence[ModelSource]
    teacher_weights: Sequence[float]
    losses: Sequence[LossChoice]
    hooks: Hooks = field(default_factory=Hooks)


@dataclass
class Trained:
    """A trained model and what it says.

    Attributes:
        model: In eval mode.
        logits: On the split that the run is judged by.
        validation: On the validation split.
        goodness: The task's metric on it, signed so that more is better.
        seconds: That its training took.
    """

    model: nn.Module
    logits: Tensor
    validation: Tensor
    goodness: float
    seconds: float


@dataclass
class SeedRun:
    """What one seed has produced so far; ``judged_on`` is the test or the validation split."""

    seed: int
    data: Data
    judged_on: str = "test"
    teachers: list[Trained] = field(default_factory=list)
    students: dict[str, Trained] = field(default_factory=dict)

    @property
    def labels(self) -> Tensor:
        """The labels of the split that the run is judged by."""
        return self.labels_of(self.judged_on)

    def labels_of(self, split: str) -> Tensor:
        """The labels of ``"test"`` or ``"validation"``."""
        labels: Tensor = getattr(self.data, split).labels
        return labels.cpu()

    @property
    def task(self) -> Task:
        """What the labels are."""
        return TASKS[self.data.task]

    def teacher_logits(
        self, weights: Sequence[float], *, validation: bool = False
    ) -> Tensor | None:
        """What the teacher says, or the weighted mean of several teachers."""
        if not self.teachers:
            return None
        every = [one.validation if validation else one.logits for one in self.teachers]
        return every[0] if len(every) == 1 else self.task.combine(every, weights, 1.0)


@dataclass(frozen=True)
class TrainingPlan:
    """How one model is trained.

    Attributes:
        extra: What is trained with the model and thrown away.
        unlabelled: Whether samples without a label are of use.
        taps: What is taken off the models afterwards.
    """

    arm: str
    epochs: int
    learning_rate: float
    objective: Objective
    forward_fn: ForwardFn
    extra: Sequence[nn.Module] = ()
    unlabelled: bool = False
    taps: BuiltLosses | None = None


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


def run_seed(seed: int, components: Components, of_run: RunContext[DistillSettings]) -> SeedRun:
    """Train or load every arm of one seed; what an earlier process finished is loaded."""
    settings = of_run.settings
    run = SeedRun(seed, components.load_data(seed), judged_on=settings.evaluate_on)
    label_loss = label_loss_of(run.data, settings.class_weight)
    by_labels = LabelObjective(label_loss), student_forward(label_loss.standard)
    part_of = PartOf(settings.deciding(), digest_of(run.data))
    checkpoints = Checkpoints(of_run.folder.path / CHECKPOINT, part_of)
    context = DistillContext(**vars(of_run), checkpoints=checkpoints, hooks=components.hooks)
    for number, source in enumerate(components.teachers):
        seed_everything(seed, TEACHER_STREAM, number)
        model = checked(source, run.data, role="teacher")
        if source.trained:
            run.teachers.append(_measured(model.to(context.fabric.device), run, context, 0.0))
            continue
        plan = TrainingPlan(
            "teacher" if len(components.teachers) == 1 else f"teacher-{number + 1}",
            settings.teacher_epochs or settings.epochs,
            settings.teacher_learning_rate or settings.learning_rate,
            *by_labels,
        )
        run.teachers.append(_train(model, plan, run, context))
    for arm in ("alone", "distilled"):
        if arm in settings.arms:
            seed_everything(seed, STUDENT_STREAM)  # both start from the same weights
            model = checked(components.student, run.data, role="student").to(context.fabric.device)
            plan = TrainingPlan(arm, settings.epochs, settings.learning_rate, *by_labels)
            if arm == "distilled":
                refuse_weak_teachers(run, components, settings)
                plan = _distillation_plan(model, run, components, context, label_loss)
            run.students[arm] = _train(model, plan, run, context)
    return run


def _distillation_plan(
    model: nn.Module,
    run: SeedRun,
    components: Components,
    context: DistillContext,
    label_loss: LabelLoss,
) -> TrainingPlan:
    settings = context.settings
    teachers = [Teacher(trained.model) for trained in run.teachers]
    built = build_losses(
        components.losses, loss_context_of(model, teachers[0], components, settings, run.data)
    )
    look = forward_with_teachers(
        teachers,
        run.data,
        context.fabric,
        built,
        varied=settings.varied,
        standard=label_loss.standard,
    )
    return TrainingPlan(
        "distilled",
        settings.epochs,
        settings.learning_rate,
        objective_of(built, components, settings, label_loss),
        look,
        built.trained,
        unlabelled=True,
        taps=built,
    )


def _known_as(source: ModelSource) -> str:
    """The name under which the list of models has it, if it does."""
    return source.architecture or source.name


def refuse_weak_teachers(run: SeedRun, components: Components, settings: DistillSettings) -> None:
    """Stop where a teacher from elsewhere is far behind the student alone.

    Raises:
        ModelError: It is, by more than ten points and by more than chance explains.
    """
    alone, count = run.students.get("alone"), len(run.data.validation)
    if alone is None or settings.accept_teacher:
        return
    for source, teacher in zip(components.teachers, run.teachers, strict=True):
        own, other = teacher.goodness, alone.goodness
        if run.task.has_classes:
            doubt = 3 * math.sqrt((own * (1 - own) + other * (1 - other)) / count)
            weak = other - own > max(0.1, doubt)
            said = f"gets {100 * own:.1f} % of the validation images right", f"{100 * other:.1f} %"
        else:
            weak = other - own > (0.1 if run.task.higher_is_better else 0.25 * abs(other))
            name = run.task.metric.replace("_", " ")
            said = f"has {name} {abs(own):.4g} on the validation split", f"{abs(other):.4g}"
        if source.trained and weak:
            raise ModelError(
                f"the teacher {source.name} {said[0]} "
                f"and the student alone {said[1]}: it would pull the student down. "
                "Likely it was trained on images of another normalisation, size or crop "
                "(--teacher-normalise, --teacher-input-size), or on other classes; "
                "--accept-teacher goes on anyway"
            )


def loss_context_of(
    student: nn.Module,
    teacher: nn.Module,
    components: Components,
    settings: DistillSettings,
    data: Data,
) -> LossBuildContext:
    """What the losses are built for; features are those of the first teacher."""
    return LossBuildContext(
        TappedModel(student, _known_as(components.student), settings.student_layer, "student"),
        TappedModel(teacher, _known_as(components.teachers[0]), settings.teacher_layer, "teacher"),
        data.image_shape,
        len(data.train),
        settings.batch_size,
    )


def objective_of(
    built: BuiltLosses, components: Components, settings: DistillSettings, label_loss: LabelLoss
) -> DistillationObjective:
    """The objective of the distilled student."""
    return DistillationObjective(
        built.terms,
        settings.kd_weight,
        settings.temperature,
        settings.warmup_epochs / settings.epochs,
        settings.combine,
        components.teacher_weights,
        label_loss,
    )


def _train(model: nn.Module, plan: TrainingPlan, run: SeedRun, context: DistillContext) -> Trained:
    """Train a model, or load it where an earlier process finished it."""
    fabric = context.fabric
    model.to(fabric.device)
    done = context.checkpoints.finished(plan.arm, run.seed)
    if done is not None:
        state, about = done
        model.load_state_dict(state)
        context.log.skip(plan.epochs)
        refuse_lost_rows(context, plan.arm, run.seed, plan.epochs)
        seconds = float(about["seconds"])
    else:
        seed_everything(run.seed, TRAINING_STREAM)
        seconds = fit(_model_spec(model, plan, run, context), context).seconds
        if fabric.is_global_zero:
            about = {"seconds": seconds}
            context.folder.sync()
            context.checkpoints.finish(plan.arm, run.seed, model.state_dict(), about)
        fabric.barrier()
    if plan.taps is not None:
        plan.taps.remove()
    return _measured(model, run, context, seconds)


def _model_spec(
    model: nn.Module, plan: TrainingPlan, run: SeedRun, context: DistillContext
) -> ModelSpec:
    fabric, settings, data = context.fabric, context.settings, run.data
    learner = Learner(model, plan.extra).to(fabric.device) if plan.extra else model
    split = data.train if plan.unlabelled else _labelled_only(data)
    parts_of_a_step = settings.devices * settings.accumulate
    batches = Batches(
        split,
        batch_size=settings.batch_size // fabric.world_size,
        seed=run.seed,
        shuffle=True,
        augment=settings.augment,
        mean=data.mean,
        std=data.std,
        labelled=data.labelled if plan.unlabelled else None,
        rank=fabric.global_rank,
        world_size=fabric.world_size,
        drop_last=last_is_too_small(model, len(split), settings, parts_of_a_step),
        device=fabric.device,
        workers=settings.workers,
        sampling=sampling_of(data, split.labels, settings.sampling),
        mixing=Mixing(settings.mixup, settings.cutmix),
        num_classes=data.num_classes,
    )
    optimizer = build_optimizer(
        settings.optimizer,
        learner.parameters(),
        learning_rate=plan.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    return ModelSpec(
        arm=plan.arm,
        seed=run.seed,
        epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        model=learner,
        optimizer=optimizer,
        batches=batches,
        forward_fn=plan.forward_fn,
        objective=plan.objective,
        validate=_validation(data, context),
        measure=lambda: _final_numbers(model, run, context),
    )


def _labelled_only(data: Data) -> AnySplit:
    """The labelled samples, repeated to the size of the split: the same number of full steps."""
    if bool(data.labelled.all()):
        return data.train
    indices = data.labelled.nonzero().flatten()
    repeats = -(-len(data.train) // len(indices))
    return data.train.subset(indices.repeat(repeats)[: len(data.train)])


def _validation(data: Data, context: DistillContext) -> Validate:
    batches = test_batches(data, "validation", context.fabric.device)
    task = TASKS[data.task]

    def validate(model: nn.Module) -> tuple[float, dict[str, float]]:
        logits, labels = predict(model, batches)
        return task.goodness(logits, labels), task.validated(logits, labels)

    return validate


def _final_numbers(model: nn.Module, run: SeedRun, context: DistillContext) -> dict[str, float]:
    batches = test_batches(run.data, run.judged_on, context.fabric.device)
    outputs, targets = predict(model, batches)
    return run.task.numbers(outputs, targets, None, run.judged_on)


def _measured(model: nn.Module, run: SeedRun, context: DistillContext, seconds: float) -> Trained:
    device = context.fabric.device
    validation, labels = predict(model, test_batches(run.data, "validation", device))
    logits = validation
    if run.judged_on == "test":
        logits, _ = predict(model, test_batches(run.data, "test", device))
    goodness = run.task.goodness(validation, labels)
    return Trained(model.eval(), logits, validation, goodness, seconds)
