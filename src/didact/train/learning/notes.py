"""What a run's settings say in vain: options without effect, and tasks that teach nothing."""

from __future__ import annotations

from collections.abc import Collection

from didact.methods import build_options
from didact.nn import MODELS
from didact.train.learning.build import LearnComponents
from didact.train.learning.settings import LearnSettings
from didact.train.loop.models import LIBRARIES


def ignored(
    settings: LearnSettings, components: LearnComponents, given: Collection[str]
) -> list[str]:
    """One sentence for each of the ``given`` settings that changes nothing in this run.

    Args:
        settings: The whole of them.
        components: What they name.
        given: The names of those that the user wrote.
    """
    return [
        f"--{name.replace('_', '-')} has no effect: {why}"
        for name, why in _reasons(settings, components).items()
        if why and name in given
    ]


def _reasons(settings: LearnSettings, components: LearnComponents) -> dict[str, str]:
    """Why each of the settings that depend on others has no effect; empty where it has one."""
    unkept = "" if _any_keeps(components) else f"{_names(components)} no exemplars"
    empty = settings.memory_per_class == 0 or settings.memory == 0
    one_pass = "--online is one pass over each task" if settings.online else ""
    said = settings.groups is not None and settings.imbalance == 1
    return {
        "memory": unkept,
        "memory_per_class": unkept,
        "exemplars": unkept or ("the memory is 0" if empty else ""),
        "domains": "" if settings.scenario == "domain" else "it is for --scenario domain",
        "epochs": one_pass,
        "first_epochs": one_pass,
        "momentum": "" if settings.optimizer == "sgd" else "it is for --optimizer sgd",
        "milestones": "" if settings.schedule == "step" else "it is for --schedule step",
        "decay": "" if settings.schedule == "step" else "it is for --schedule step",
        "class_order": "--groups say which classes come when" if said else "",
    }


def _any_keeps(components: LearnComponents) -> bool:
    return any(entry.method.exemplars is not None for entry in components.methods.values())


def _names(components: LearnComponents) -> str:
    names = list(components.methods)
    return f"{' and '.join(names)} keep{'s' if len(names) == 1 else ''}"


def random_start_notes(settings: LearnSettings, components: LearnComponents) -> list[str]:
    """One sentence for the methods that want a pre-trained network and get random weights."""
    if settings.model not in MODELS and settings.model.partition(":")[0] not in LIBRARIES:
        return []
    names = [name for name, entry in components.methods.items() if entry.method.needs_pretrained]
    return [
        f"{', '.join(names)} expects a network that was trained before, and {settings.model} "
        "begins with random weights; give --model FILE.py:NAME, whose function loads some"
        for _ in names[:1]
    ]


def single_class_notes(settings: LearnSettings, components: LearnComponents) -> list[str]:
    """One sentence for each method whose loss is constant in a task with one class."""
    stream = components.stream(settings.seeds[0])
    alone = [k + 1 for k in range(len(stream)) if len(stream.task(k).columns) == 1]
    if settings.scenario != "class" or not alone or len(stream) == 1:
        return []
    return [
        f"{name} compares a task's classes with each other alone, and there is one class in task "
        f"{', '.join(map(str, alone))}: it learns nothing of it; "
        f"--option {name}.classes=seen compares with all classes so far"
        for name, entry in components.methods.items()
        if getattr(build_options(entry, settings.options_of(name)), "classes", "") == "new"
    ]
