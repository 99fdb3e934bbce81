"""Whether a module computes the same in training and in evaluation mode."""

from __future__ import annotations

import ast

from didact.check.engine.index import ClassInfo, Index
from didact.check.engine.names import dotted, word_set

_PLAIN = word_set(
    "Linear Bilinear Identity Embedding Flatten Unflatten Upsample ReLU ReLU6 LeakyReLU PReLU "
    "GELU SiLU Mish ELU SELU CELU Hardswish Hardsigmoid Sigmoid Tanh Softplus Softmax LogSoftmax "
    "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d MaxPool1d MaxPool2d "
    "AvgPool1d AvgPool2d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool2d LayerNorm "
    "GroupNorm RMSNorm Parameter ParameterList Sequential ModuleList ModuleDict ZeroPad2d "
    "PixelShuffle CosineSimilarity"
)
_DEPTH = 3


def has_no_mode(index: Index, made: ast.expr, depth: int = 0) -> bool:
    """Whether a module that is made so has neither dropout nor batch statistics, for certain."""
    if not isinstance(made, ast.Call) or depth > _DEPTH:
        return False
    last = dotted(made.func).rpartition(".")[2]
    if last in _PLAIN:
        return all(
            not isinstance(part, ast.Call) or has_no_mode(index, part, depth + 1)
            for part in made.args
        )
    if "Dropout" in last:
        rates = [*made.args[:1], *(k.value for k in made.keywords if k.arg == "p")]
        return bool(rates) and isinstance(rates[0], ast.Constant) and not rates[0].value
    info = _class(index, made)
    return info is not None and _class_has_none(info, made, depth)


def _class(index: Index, made: ast.Call) -> ClassInfo | None:
    name = dotted(made.func)
    if name in index.classes:
        return index.classes[name]
    found = index.defined(name) if name else None
    return found.what if found is not None and isinstance(found.what, ClassInfo) else None


def _class_has_none(info: ClassInfo, made: ast.Call, depth: int) -> bool:
    start = info.methods.get("__init__")
    if start is None or any(base not in ("Module", "object") for base in info.bases):
        return False
    off = _switched_off(start, made)
    for values in info.assigned.values():
        for value in values:
            if not isinstance(value, ast.Call):
                continue
            rate = value.args[0] if value.args else None
            dropout = "Dropout" in dotted(value.func).rpartition(".")[2]
            if dropout and isinstance(rate, ast.Name) and rate.id in off:
                continue
            if not has_no_mode(info.home, value, depth + 1):
                return False
    return True


def _switched_off(start: ast.FunctionDef | ast.AsyncFunctionDef, made: ast.Call) -> set[str]:
    """The parameters of a constructor that are given 0 or False."""
    names = [a.arg for a in start.args.args[1:]]
    given = dict(zip(names, made.args, strict=False))
    given |= {k.arg: k.value for k in made.keywords if k.arg}
    return {n for n, v in given.items() if isinstance(v, ast.Constant) and v.value in (0, False)}
