"""Help pages with the options in groups, and what each is where nobody types it."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

OTHERS, OPTIONS = "Others", "Options"
DATA = (
    "data", "data_dir", "task", "labelled", "label_noise", "validation", "evaluate_on", "resize",
    "augment", "mixup", "cutmix", "class_weight", "sampling",
)  # fmt: skip
TRAINING = (
    "optimizer", "learning_rate", "teacher_learning_rate", "momentum", "weight_decay", "schedule",
    "milestones", "decay", "epochs", "teacher_epochs", "first_epochs", "batch_size", "accumulate",
    "clip_norm", "select", "seeds", "arms",
)  # fmt: skip
MACHINE = (
    "accelerator", "devices", "precision", "channels_last", "threads", "compile", "workers",
    "checkpoint_seconds",
)  # fmt: skip
RECORD = (
    "onnx",
    "log",
    "config",
    "output",
    "overwrite",
    "trust",
    "resume",
    "continue_from",
)
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "distill": {
        "Data": DATA,
        "Texts": (
            "recipe", "window", "vocabulary", "student_text", "labels_per_class", "steps",
            "teacher_steps", "k",
        ),
        "Student and teachers": (
            "student", "teacher", "teacher_weight", "teacher_normalise", "teacher_input_size",
            "accept_teacher", "combine",
        ),
        "Loss": (
            "loss", "loss_option", "temperature", "kd_weight", "warmup_epochs", "student_layer",
            "teacher_layer",
        ),
        "Training": TRAINING,
        "Many runs": ("grid", "jobs", "launcher", "launcher_option"),
        "Machine": MACHINE,
        "Record": RECORD,
    },
    "learn": {
        "Data": DATA,
        "Tasks": (
            "scenario", "base", "step", "tasks", "groups", "class_order", "domains", "imbalance",
            "blurry", "online",
        ),
        "Methods": (
            "method", "option", "memory", "memory_per_class", "exemplars", "model", "known",
            "normalise",
        ),
        "Training": TRAINING,
        "Machine": ("jobs", *MACHINE),
        "Record": RECORD,
    },
}  # fmt: skip
"""The options of a command, by the group in which its help page has them."""

SHARED = {
    "data": "digits", "labelled": "1", "label_noise": "0", "augment": "none", "optimizer": "sgd",
    "learning_rate": "0.05", "momentum": "0.9", "decay": "0.1", "epochs": "30",
    "batch_size": "64", "accelerator": "auto", "devices": "1", "precision": "32-true",
    "workers": "0", "checkpoint_seconds": "20", "evaluate_on": "test",
}  # fmt: skip
DEFAULTS: dict[str, dict[str, str]] = {
    "distill": SHARED | {
        "task": "auto", "validation": "0.2", "mixup": "0", "cutmix": "0", "sampling": "shuffled",
        "student": "mlp", "teacher": "cnn", "teacher_normalise": "auto", "combine": "probs",
        "temperature": "4", "kd_weight": "0.9", "warmup_epochs": "0", "weight_decay": "0.0005",
        "schedule": "cosine", "milestones": "0.625,0.75,0.875", "accumulate": "1",
        "select": "last", "seeds": "0,1,2,3,4", "arms": "teacher,alone,distilled",
    },
    "learn": SHARED | {
        "validation": "0", "weight_decay": "0", "schedule": "constant", "milestones": "0.47,0.71",
        "seeds": "0", "scenario": "class", "class_order": "natural", "domains": "permuted",
        "imbalance": "1", "blurry": "0", "method": "finetune,lwf,icarl,joint", "model": "mlp",
        "jobs": "1",
    },
}  # fmt: skip
"""What an option is for data that has no recipe of its own; a test compares it with the settings.

They stand here once more because a help page need not wait for torch.
"""


def grouped(command: Any, ctx: Any) -> dict[str, list[tuple[Any, tuple[str, str]]]]:
    """The parameters of a command with their records, by the group that they are shown in."""
    groups = GROUPS.get(str(command.name), {})
    where = {option: title for title, options in groups.items() for option in options}
    others = OTHERS if groups else OPTIONS
    rows: dict[str, list[tuple[Any, tuple[str, str]]]] = {title: [] for title in groups}
    for parameter in command.get_params(ctx):
        if (record := parameter.get_help_record(ctx)) is not None:
            name = str(parameter.name)
            default = DEFAULTS.get(str(command.name), {}).get(name)
            text = record[1] if default is None else f"{record[1]}  [default: {default}]".strip()
            rows.setdefault(where.get(name, others), []).append((parameter, (record[0], text)))
    return {title: found for title, found in rows.items() if found}


class GroupedCommand(TyperCommand):
    """A command whose help page has its options in groups, each with its default."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """See typer."""
        if str(self.name) not in GROUPS:
            super().format_options(ctx, formatter)
            return
        for title, found in grouped(self, ctx).items():
            with formatter.section(title):
                formatter.write_dl([record for _, record in found])
