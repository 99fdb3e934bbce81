"""What is measured on a trained model: predictions, numbers, latency, disagreements."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from didact.data import AnySplit, Batches, Data
from didact.nn import Teacher
from didact.train.loop.cached import CachedLogits

EVALUATION_BATCH = 512
LATENCY_BATCH = 64
LATENCY_REPEATS = 30
MOST_DISAGREEMENTS = 24

Json = dict[str, Any]


@torch.no_grad()
def predict(model: nn.Module, batches: Batches) -> tuple[Tensor, Tensor]:
    """Logits ``(samples, classes)`` in float32 and labels ``(samples,)``, both on the CPU.

    The model is left in the mode it was in.
    """
    if (cached := cached_logits(model)) is not None:
        return cached.of(batches.split), batches.split.labels.cpu()
    was_training = model.training
    model.eval()
    logits, labels = [], []
    for batch in batches.epoch(0):
        logits.append(model(batch.images).float().cpu())
        labels.append(batch.labels.cpu())
    model.train(was_training)
    return torch.cat(logits), torch.cat(labels)


def cached_logits(model: nn.Module) -> CachedLogits | None:
    """The tables of a teacher that is no network."""
    inner = model.model if isinstance(model, Teacher) else model
    return inner if isinstance(inner, CachedLogits) else None


def test_batches(data: Data, part: str, device: torch.device) -> Batches:
    """The validation or test split, unshuffled and not augmented."""
    return Batches(
        getattr(data, part),
        batch_size=EVALUATION_BATCH,
        seed=0,
        shuffle=False,
        augment="none",
        mean=data.mean,
        std=data.std,
        device=device,
    )


@torch.no_grad()
def latency(model: nn.Module, data: Data, device: torch.device) -> Json:
    """Milliseconds of one forward pass over 64 images: median and quartiles of 30."""
    model.eval()
    images = torch.randn(LATENCY_BATCH, *data.image_shape, device=device)
    times = []
    for repeat in range(LATENCY_REPEATS + 3):
        began = time.perf_counter()
        model(images)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if repeat >= 3:
            times.append(1000 * (time.perf_counter() - began))
    q1, median, q3 = np.quantile(times, [0.25, 0.5, 0.75])
    return {
        "median": round(float(median), 4),
        "q1": round(float(q1), 4),
        "q3": round(float(q3), 4),
        "batch_size": LATENCY_BATCH,
    }


def disagreements(
    data: Data, split: str, labels: Tensor, teacher_logits: Tensor, student_logits: Tensor
) -> list[Json]:
    """The images of a split on which student and teacher differ, the surest student first."""
    teacher_probs, student_probs = teacher_logits.softmax(-1), student_logits.softmax(-1)
    teacher_top, student_top = teacher_probs.max(-1), student_probs.max(-1)
    differ = (teacher_top.indices != student_top.indices).nonzero().flatten()
    order = differ[student_top.values[differ].argsort(descending=True, stable=True)]
    return [
        {
            "index": index,
            "label": int(labels[index]),
            "teacher_class": int(teacher_top.indices[index]),
            "teacher_confidence": float(teacher_top.values[index]),
            "student_class": int(student_top.indices[index]),
            "student_confidence": float(student_top.values[index]),
            "png": "" if data.is_table else png_of(getattr(data, split), index),
        }
        for index in order[:MOST_DISAGREEMENTS].tolist()
    ]


def png_of(split: AnySplit, index: int) -> str:
    """An image of a split as PNG in base64."""
    image = split.take(torch.tensor([index]))[0]
    if image.is_floating_point():
        low, high = image.min(), image.max()
        image = ((image - low) / (high - low).clamp(min=1e-12) * 255).to(torch.uint8)
    pixels = image.permute(1, 2, 0).numpy()
    rgb = pixels if pixels.shape[2] == 3 else pixels[:, :, 0]
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
