"""Float64 references of the losses that are modules: the papers' equations with their weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from tests.losses.references.features import dot, flat, mean, squared_distance, unit
from tests.losses.support import reference
from torch import Tensor


def convolution(layer: Any, maps: Tensor) -> Tensor:
    """A convolution of stride 1 that keeps the size, offset by offset."""
    weight = layer.weight.detach().double()
    if layer.transposed:  # stride 1: the kernel turned round, inputs and outputs exchanged
        weight = weight.transpose(0, 1).flip(2, 3)
    reach = weight.shape[2] // 2
    batch, _, height, width = maps.shape
    wide = torch.zeros(batch, maps.shape[1], height + 2 * reach, width + 2 * reach).double()
    wide[:, :, reach : reach + height, reach : reach + width] = maps
    total = torch.zeros(batch, len(weight), height, width).double()
    for dy in range(weight.shape[2]):
        for dx in range(weight.shape[3]):
            shifted = wide[:, :, dy : dy + height, dx : dx + width]
            for o in range(len(weight)):
                for i in range(maps.shape[1]):
                    total[:, o] += weight[o, i, dy, dx] * shifted[:, i]
    if layer.bias is not None:
        total += layer.bias.detach().double()[:, None, None]
    return total


def batch_norm(layer: Any, maps: Tensor) -> Tensor:
    """Batch norm in training: by the batch's own mean and variance."""
    found = torch.empty_like(maps)
    for c in range(maps.shape[1]):
        channel = maps[:, c]
        centre = channel.mean()
        variance = ((channel - centre) ** 2).mean()
        found[:, c] = (channel - centre) / math.sqrt(float(variance) + 1e-5)
    weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
    return found * weight[:, None, None] + bias[:, None, None]


def run(layers: Any, maps: Tensor) -> Tensor:
    for layer in layers:
        kind = type(layer).__name__
        if kind.startswith("Conv"):
            maps = convolution(layer, maps)
        elif kind == "BatchNorm2d":
            maps = batch_norm(layer, maps)
        else:
            slope = {"ReLU": 0.0, "LeakyReLU": 0.1}[kind]
            maps = torch.where(maps > 0, maps, slope * maps)
    return maps


def pool(maps: Tensor, height: int, width: int) -> Tensor:
    """Average over the cells that tile the map, from floor to ceil of their bounds."""
    tall, wide = maps.shape[2:]
    found = torch.empty(*maps.shape[:2], height, width).double()
    for y in range(height):
        for x in range(width):
            cell = maps[
                :,
                :,
                y * tall // height : -(-(y + 1) * tall // height),
                x * wide // width : -(-(x + 1) * wide // width),
            ]
            found[:, :, y, x] = cell.mean((2, 3))
    return found


def nearest(maps: Tensor, height: int, width: int) -> Tensor:
    tall, wide = maps.shape[2:]
    rows = [y * tall // height for y in range(height)]
    columns = [x * wide // width for x in range(width)]
    return maps[:, :, rows][:, :, :, columns]


@reference("VID")
def _(module: Any, student_features: Tensor, teacher_features: Tensor) -> float:
    predicted = run(module.regressor, student_features)
    terms = []
    for c, raw in enumerate(module.raw_variance.tolist()):
        variance = math.log(1 + math.exp(raw)) + 1e-5
        for t, m in zip(flat(teacher_features[:, c]), flat(predicted[:, c]), strict=True):
            terms.append(((t - m) ** 2 / variance + math.log(variance)) / 2)
    return mean(terms)


@reference("FT")
def _(module: Any, student_features: Tensor, teacher_features: Tensor) -> float:
    student = run(module.translator, student_features)
    teacher = run(module.paraphraser, teacher_features)
    terms = []
    for s, t in zip(student, teacher, strict=True):
        terms += [abs(a - b) for a, b in zip(unit(flat(s)), unit(flat(t)), strict=True)]
    return mean(terms)


@reference("MGD")
def _(module: Any, student_features: Tensor, teacher_features: Tensor, *, keep: Tensor) -> float:
    masked = convolution(module.align, student_features) * keep
    found = run(module.generator, masked)
    pairs = zip(found, teacher_features, strict=True)
    return mean([squared_distance(flat(s), flat(t)) for s, t in pairs])


@reference("SimKD")
def _(module: Any, student_features: Tensor, teacher_features: Tensor) -> float:
    found = run(module.projector, pool(student_features, 3, 3))
    return mean([(a - b) ** 2 for a, b in zip(flat(found), flat(teacher_features), strict=True)])


@reference("ReviewKD")
def _(module: Any, student_features: list[Tensor], teacher_features: list[Tensor]) -> float:
    total, deeper = 0.0, torch.zeros(0)
    for k in reversed(range(len(student_features))):
        fusion, teacher = module.fusions[k], teacher_features[k]
        here = run(fusion.inward, student_features[k])
        if k < len(student_features) - 1:
            deeper = nearest(deeper, *here.shape[2:])
            scores = convolution(fusion.attention[0], torch.cat([here, deeper], 1))
            weights = 1 / (1 + torch.exp(-scores))
            here = here * weights[:, :1] + deeper * weights[:, 1:]
        deeper = nearest(here, *teacher.shape[2:])
        found = run(fusion.outward, deeper)
        terms, weights_used, weight = [mean_square(found, teacher)], [1.0], 1.0
        for level in (4, 2, 1):
            if level < teacher.shape[2]:
                weight /= 2
                terms.append(
                    weight * mean_square(pool(found, level, level), pool(teacher, level, level))
                )
                weights_used.append(weight)
        total += sum(terms) / sum(weights_used)
    return total


def mean_square(left: Tensor, right: Tensor) -> float:
    return mean([(a - b) ** 2 for a, b in zip(flat(left), flat(right), strict=True)])


@reference("SemCKD")
def _(module: Any, student_features: list[Tensor], teacher_features: list[Tensor]) -> float:
    queries = [rows(n, f) for n, f in zip(module.queries, student_features, strict=True)]
    keys = [rows(n, f) for n, f in zip(module.keys, teacher_features, strict=True)]
    batch, total = len(student_features[0]), 0.0
    for k, student in enumerate(student_features):
        distances = []
        for j, teacher in enumerate(teacher_features):
            size = [min(a, b) for a, b in zip(student.shape[2:], teacher.shape[2:], strict=True)]
            found = run(module.projections[k][j], pool(student, *size))
            wanted = pool(teacher, *size)
            distances.append([mean_square(a, b) for a, b in zip(found, wanted, strict=True)])
        for n in range(batch):
            powers = [math.exp(dot(queries[k][n], key[n])) for key in keys]
            total += sum(p / sum(powers) * d[n] for p, d in zip(powers, distances, strict=True))
    return total / (batch * len(student_features))


def rows(network: Any, maps: Tensor) -> list[list[float]]:
    """Each sample's similarities to the batch, filled up with zeros, through the network."""
    samples, found = [flat(sample) for sample in maps], []
    for sample in samples:
        values = [dot(sample, other) for other in samples]
        values += [0.0] * (network[0].in_features - len(values))
        hidden = [max(0.0, h) for h in linear(network[0], values)]
        found.append(unit(linear(network[2], hidden)))
    return found


def linear(layer: Any, values: list[float]) -> list[float]:
    weights = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [dot(row, values) + bias for row, bias in weights]


@reference("CRD")
def _(
    module: Any,
    student_features: Tensor,
    teacher_features: Tensor,
    *,
    indices: Tensor,
    negative_indices: Tensor,
) -> float:
    total = 0.0
    for embedding, features, memory in (
        (module.student_embedding, student_features, module.teacher_memory.rows.tolist()),
        (module.teacher_embedding, teacher_features, module.student_memory.rows.tolist()),
    ):
        scores = []
        for sample, own, others in zip(
            features, indices.tolist(), negative_indices.tolist(), strict=True
        ):
            anchor = unit(linear(embedding, flat(sample)))
            scores.append(
                [math.exp(dot(anchor, memory[i]) / module.temperature) for i in (own, *others)]
            )
        z = mean([s for row in scores for s in row]) * len(memory)
        noise = len(scores[0][1:]) / len(memory)
        for own, *others in scores:
            total -= math.log(own / z / (own / z + noise))
            total -= sum(math.log(noise / (s / z + noise)) for s in others)
    return total / len(indices)


@reference("InBatchCRD")
def _(module: Any, student_features: Tensor, teacher_features: Tensor, *, classes: Tensor) -> float:
    student = [unit(linear(module.student_embedding, flat(s))) for s in student_features]
    teacher = [unit(linear(module.teacher_embedding, flat(t))) for t in teacher_features]
    kinds, total = classes.tolist(), 0.0
    for anchors, others in ((student, teacher), (teacher, student)):
        for i, anchor in enumerate(anchors):
            scores = [math.exp(dot(anchor, other) / module.temperature) for other in others]
            told = [s for j, s in enumerate(scores) if j == i or kinds[j] != kinds[i]]
            total -= math.log(scores[i] / sum(told))
    return total / len(student)
