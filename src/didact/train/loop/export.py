"""The student as ONNX, checked against PyTorch before it is called done."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from didact._core.errors import DidactError
from didact._core.optional import require
from didact._core.text import printable
from didact.data import Data
from didact.train.loop.evaluate import test_batches
from didact.train.record.files import write_bytes

TOLERANCE = 1e-3


class ExportError(DidactError):
    """The exported model does not compute what the PyTorch model computes."""


class CannotExportError(ExportError):
    """The exporter does not know a part of the model."""


class WithNormalisation(nn.Module):
    """The student with its normalisation: takes images in 0..1 (uint8 values / 255)."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        student: nn.Module,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        dimensions: int = 3,
    ) -> None:
        super().__init__()
        self.student = student
        form = (1, -1, *[1] * (dimensions - 1))
        self.register_buffer("mean", torch.tensor(mean).reshape(form))
        self.register_buffer("std", torch.tensor(std).reshape(form))

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)`` of images ``(batch, channels, height, width)``."""
        logits: Tensor = self.student((images - self.mean) / self.std)
        return logits


def export_onnx(student: nn.Module, data: Data, path: Path) -> dict[str, Any]:
    """Write ``path`` and compare its logits with PyTorch's on the whole test split.

    The graph takes float32 ``images`` in 0..1 and gives ``logits``; the batch size is free. Class
    names stand in its metadata.

    Returns:
        ``{"checked": True, "images": N, "max_abs_difference": d}``.

    Raises:
        MissingDependencyError: The ``export`` extra is not installed.
        CannotExportError: The exporter does not know a part of the model.
        ExportError: The logits differ by more than 1e-3 of their size; nothing is written.
    """
    onnx = require("onnx", extra="export")
    require("onnxscript", extra="export")
    runtime = require("onnxruntime", extra="export")
    model = WithNormalisation(
        student.cpu().eval(), data.mean, data.std, len(data.image_shape)
    ).eval()
    free = ({0: torch.export.Dim("batch")},)
    example = torch.rand(2, *data.image_shape)
    graph = quietly_exported(model, example, ("images",), ("logits",), free)
    said = {"class_names": json.dumps(list(data.class_names)), "task": data.task}
    onnx.helper.set_model_props(graph, said)
    content = graph.SerializeToString()
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    worst, size, count = 0.0, 1.0, 0
    for batch in test_batches(data, "test", torch.device("cpu")).epoch(0):
        images = batch.images * model.std + model.mean
        with torch.no_grad():
            expected = model(images).numpy()
        got = session.run(None, {"images": images.numpy()})[0]
        known = np.isfinite(expected)  # a class that is never the answer scores minus infinity
        same = np.where(known, 0.0, np.where(got == expected, 0.0, np.inf))
        same[known] = np.abs(got[known] - expected[known])
        worst = max(worst, float(same.max()))
        size = max(size, float(np.abs(expected[known]).max(initial=0.0)))
        count += len(images)
    if not worst <= TOLERANCE * size:
        raise ExportError(
            f"the ONNX model's logits differ from PyTorch's by up to {worst:.3g} on {count} test "
            f"images (allowed {TOLERANCE * size:.3g}); {path.name} was not written"
        )
    write_bytes(path, content)
    return {"checked": True, "images": count, "max_abs_difference": worst}


def quietly_exported(
    model: nn.Module,
    example: Tensor,
    inputs: Sequence[str],
    outputs: Sequence[str],
    free: tuple[dict[int, Any], ...],
) -> Any:
    """The model as a graph of ONNX.

    Args:
        model: In eval mode.
        example: Its one input.
        inputs: Names of inputs.
        outputs: Names of outputs.
        free: For each input the dimensions that are not fixed.

    Raises:
        CannotExportError: The exporter does not know a part of the model.
    """
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                (example,),
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=free,
                verbose=False,
            )
            assert program is not None
            return program.model_proto
    except Exception as error:  # the exporter meets what it does not know with errors of every kind
        reason = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
        raise CannotExportError(f"the model cannot be written as ONNX ({reason})") from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
