"""Run the functions of a small program on random tensors that suit the names of its parameters."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from unittest.mock import MagicMock, patch

import torch
from tests.check.metamorphic.editing import imports_of
from tests.check.metamorphic.program import MAIN, Program
from torch import Tensor, nn
from torch.nn import functional

BATCH, LENGTH, CLASSES = 4, 5, 10
SHAPES = ((BATCH, CLASSES), (BATCH, LENGTH, CLASSES))
_SHAPES: dict[str, dict[str, tuple[int, ...] | None]] = {}
_NUMBERS = {"alpha": 0.3, "beta": 0.6, "lam": 0.3, "known": 4, "num_old_classes": 4, "k": 4}
_NUMBERS |= {"vocab_size": 10, "T": 4.0, "temperature": 4.0, "tau": 4.0}
_ORDINARY = (RuntimeError, IndexError, ValueError, TypeError, AttributeError, NameError)
_FETCHES = {"transformers", "datasets", "huggingface_hub"}
_MODELS = ("model", "net", "teacher", "student", "old_model")
_TENSORS = ("logits", "probs", "out", "map", "feats")


@dataclass(frozen=True)
class Runnable:
    """A function or the ``forward`` of a class.

    Attributes:
        name: The function's or the class's name.
        needed: The names of the parameters without a default; those of ``__init__`` first.
        made: How many of them ``__init__`` takes; nothing for a function.
    """

    name: str
    needed: tuple[str, ...]
    made: int | None = None


def runnables(program: Program) -> Iterator[Runnable]:
    """What can be called in the first file, as far as its syntax tells."""
    for node in program.tree.body:
        if isinstance(node, ast.FunctionDef):
            yield Runnable(node.name, _needed(node))
        elif isinstance(node, ast.ClassDef):
            methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
            if "forward" in methods:
                first = _needed(methods["__init__"])[1:] if "__init__" in methods else ()
                needed = (*first, *_needed(methods["forward"])[1:])
                yield Runnable(node.name, needed, len(first))


def _needed(node: ast.FunctionDef) -> tuple[str, ...]:
    count = len(node.args.args) - len(node.args.defaults)
    return tuple(argument.arg for argument in node.args.args[:count])


def arguments(names: tuple[str, ...], shape: tuple[int, ...], seed: int = 0) -> list[Any]:
    """Values for parameters; the same for the same names, shape and seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [_argument(name, shape, generator) for name in names]


def _argument(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Any:
    scores = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    scores = scores.requires_grad_("student" in name) * 1
    labels = torch.randint(0, CLASSES, shape[:-1], generator=generator)
    if name in _NUMBERS:
        return _NUMBERS[name]
    if name == "soft":
        return True
    if name == "teachers_logits":
        return [scores, 3 * scores.flip(0)]
    if name in ("labels", "y"):
        return labels
    if name == "one_hot":
        return functional.one_hot(labels, CLASSES).to(scores)
    if "mask" in name:
        return (labels > 1).to(scores)
    if name.startswith(_MODELS) and not name.endswith(_TENSORS):
        return nn.Linear(CLASSES, CLASSES).double()
    if "log_probs" in name:
        return scores.log_softmax(-1)
    return scores.softmax(-1) if "probs" in name or name == "p" else scores


def namespace(program: Program, tree: ast.Module | None = None, **given: object) -> dict[str, Any]:
    """What the files define when they run; ``tree`` may stand in for the first file's.

    A package that is not installed is replaced by one that has whatever is asked of it.
    """
    found: dict[str, Any] = {"__name__": "program", **given}
    modules: dict[str, Any] = {missing: MagicMock() for missing in _missing(program.tree)}
    with patch.dict(sys.modules, modules), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in (name for name in program.texts if name != MAIN):
            module = types.ModuleType(name.removesuffix(".py"))
            exec(compile(program.texts[name], name, "exec"), module.__dict__)
            sys.modules[module.__name__] = module
        exec(compile(tree or ast.parse(program.text), MAIN, "exec"), found)
    return found


def _missing(tree: ast.AST) -> set[str]:
    """The packages that a program imports and that are not installed, or would fetch a model."""
    heads = {path.split(".")[0] for path in imports_of(tree).values()}
    absent = {head for head in heads if head not in sys.modules and find_spec(head) is None}
    return absent | (heads & _FETCHES)


def callable_of(
    found: dict[str, Any], item: Runnable, given: list[Any]
) -> Callable[[], Any] | None:
    """A call of what ``item`` is, or has become: a function, a module, a method, nothing."""
    title = "".join(part.title() for part in item.name.split("_")) + "Module"
    if item.made is not None:
        return lambda: found[item.name](*given[: item.made]).forward(*given[item.made :])
    if item.name in found:
        return lambda: found[item.name](*given)
    if title in found:
        return lambda: found[title]().forward(*given)
    owners = [v for v in found.values() if inspect.isclass(v) and hasattr(v, item.name)]
    if not owners:
        return None
    return lambda: getattr(owners[0](), item.name)(*given)


def outcome(call: Callable[[], Any], given: list[Any]) -> list[Tensor] | None:
    """What a call returns and the gradients it leaves, as tensors; nothing if it fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = call()
    except _ORDINARY:
        return None
    values = returned if isinstance(returned, tuple) else (returned,)
    tensors = [v.detach() for v in values if isinstance(v, Tensor)]
    for value in given:
        if isinstance(value, nn.Module):
            tensors += [p.grad.clone() for p in value.parameters() if p.grad is not None]
    return tensors


def shape_that_runs(program: Program, item: Runnable) -> tuple[int, ...] | None:
    """The first shape of scores on which a function runs."""
    known = _SHAPES.setdefault(program.text, {})
    if item.name not in known:
        known[item.name] = _try_shapes(program, item)
    return known[item.name]


def _try_shapes(program: Program, item: Runnable) -> tuple[int, ...] | None:
    for shape in SHAPES:
        given = arguments(item.needed, shape)
        try:
            found = namespace(program)
        except (TypeError, ImportError):  # it wants more of a package that is not installed
            return None
        if outcome(callable_of(found, item, given), given) is not None:
            return shape
    return None
