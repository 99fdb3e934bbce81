"""The student encoder and its classifier as ONNX, checked against PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from didact._core.optional import require
from didact.train.encoders.data import SentenceData
from didact.train.encoders.models import AT_ONCE, SentenceClassifier, trimmed
from didact.train.loop.export import TOLERANCE, ExportError, quietly_exported
from didact.train.record.files import write_bytes

VECTORS, LOGITS, IDS = "vectors", "logits", "ids"


class _VectorsAlone(nn.Module):
    """A student without labels has no logits to give."""

    def __init__(self, model: SentenceClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.model(ids)[0]
        return vectors


def export_encoder(
    model: SentenceClassifier, data: SentenceData, path: Path, window: int
) -> dict[str, Any]:
    """Write ``path`` and compare what it says with PyTorch on the whole test part.

    The graph takes int64 ``ids`` of any number of sentences and up to ``window`` tokens, 0 behind
    their end, and gives ``vectors`` of length 1 and, where there are labels, ``logits``. The names
    of the classes stand in its metadata.

    Returns:
        ``{"checked": True, "images": N, "max_abs_difference": d}``.

    Raises:
        MissingDependencyError: The ``export`` extra is not installed.
        CannotExportError: The exporter does not know a part of the model.
        ExportError: The outputs differ by more than 1e-3 of their size; nothing is written.
    """
    onnx = require("onnx", extra="export")
    require("onnxscript", extra="export")
    runtime = require("onnxruntime", extra="export")
    model = model.eval()
    whole: nn.Module = model if data.has_classes else _VectorsAlone(model)
    outputs = (VECTORS, LOGITS) if data.has_classes else (VECTORS,)
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", max=window)}
    if window < 3:  # one token alone is no dimension that could vary
        free = {0: free[0]}
    example = torch.ones(2, min(window, 3), dtype=torch.int64)
    graph = quietly_exported(whole, example, (IDS,), outputs, (free,))
    onnx.helper.set_model_props(graph, {"class_names": json.dumps(list(data.class_names))})
    content = graph.SerializeToString()
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    worst, size = 0.0, 1.0
    for some in torch.split(data.ids[data.test], AT_ONCE):
        ids = trimmed(some) if window >= 3 else some
        with torch.no_grad():
            expected = model(ids)[: len(outputs)]
        for one, two in zip(expected, session.run(None, {IDS: ids.numpy()}), strict=True):
            worst = max(worst, float(np.abs(one.numpy() - two).max()))
            size = max(size, float(one.abs().max()))
    if not worst <= TOLERANCE * size:
        raise ExportError(
            f"the ONNX model's outputs differ from PyTorch's by up to {worst:.3g} on "
            f"{len(data.test)} test sentences (allowed {TOLERANCE * size:.3g}); {path.name} was "
            "not written"
        )
    write_bytes(path, content)
    return {"checked": True, "images": len(data.test), "max_abs_difference": worst}
