"""What a run leaves for use: one network alone, and as ONNX the whole way from image to scores."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn

from didact._core.errors import MissingDependencyError
from didact.data import Stream, joined
from didact.methods import Method
from didact.train.learning.learner import FILE, Learner
from didact.train.learning.record import cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.loop.export import ExportError, export_onnx
from didact.train.loop.models import ModelLike
from didact.train.record.files import remove
from didact.train.record.log import say
from didact.train.record.run_folder import MODEL, MODEL_ONNX, RunFolder

Json = dict[str, Any]


class Answers(nn.Module):
    """A method as a network from normalised images to scores, as the exporter wants one."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, images: Tensor) -> Tensor:
        """``method.predict``."""
        return self.method.predict(images)


def handed_on(methods: Json, settings: LearnSettings) -> Json:
    """Which method and seed a run hands on.

    The one with the highest last accuracy, mean over the seeds, of its first seed. The bound that
    sees all images at once is none that could be used, unless there is no other.
    """
    names = [name for name in settings.method if name != "joint"] or list(settings.method)
    best = max(names, key=lambda name: fmean(methods[name]["numbers"]["last"]))
    return {"method": best, "seed": settings.seeds[0]}


def hand_on(
    run: RunFolder,
    settings: LearnSettings,
    model: ModelLike,
    stream: Stream,
    chosen: Json,
    console: Console | None,
) -> Json | None:
    """Write ``model.safetensors`` and ``model.onnx`` of the chosen method and seed.

    They are made from the file that the method was saved in, as whoever uses it would load it.

    Returns:
        How far the ONNX file is from PyTorch, as :func:`export_onnx`; None where there is none.
    """
    path = cell_folder(run.path, chosen["method"], chosen["seed"]) / FILE
    learner = Learner.load(path, model=model)
    learner.save_network(run.path / MODEL)
    remove(run.path / MODEL_ONNX)
    if not settings.onnx:
        return None
    tests = joined(*stream.tests)
    labelled = torch.ones(len(tests), dtype=torch.bool)
    images = replace(learner.data, train=tests, test=tests, labelled=labelled)
    try:
        return export_onnx(Answers(learner.method), images, run.path / MODEL_ONNX)
    except (MissingDependencyError, ExportError) as error:
        say(console, f"no ONNX file: {error}")
        return None
