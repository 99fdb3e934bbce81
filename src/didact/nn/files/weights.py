"""Weights from a file, whoever wrote it, and how they are brought to fit a model."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from didact._core.errors import CheckpointError, ModelError
from didact._core.text import printable

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar")
"""Files that hold weights. A ``.pt`` may also be TorchScript."""

PLACES = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
AVERAGES = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")
_SHOWN = 4
_MAKERS = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn}
_SPARE_TENSORS, _SPARE_NUMBERS = 16, 2**22


@dataclass(frozen=True)
class Weights:
    """What a file holds.

    Attributes:
        tensors: By name, as in the file.
        about: What didact wrote about the model; empty for another program's file.
        place: The key of the file under which the tensors stood; empty for none.
        others: Further keys that hold weights too, such as ``"ema"``.
    """

    tensors: Mapping[str, Tensor]
    about: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    others: tuple[str, ...] = ()


def read_weights(path: Path, place: str = "") -> Weights:
    """The tensors of a file of weights; nothing in it is executed.

    Args:
        path: A safetensors file, or one of ``torch.save``: a state dict, or a checkpoint with one
            under ``state_dict``, ``model``, ``ema`` and the like.
        place: The key to take, where a checkpoint has several. Without it the trained weights are
            preferred to their average.

    Raises:
        CheckpointError: The file is missing or damaged, holds more than tensors and numbers, or
            has no weights, or none under that key.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return _found_in(_unpickled(path), path, place)


def _read_safetensors(path: Path) -> Weights:
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = file.metadata() or {}
        return Weights(tensors, json.loads(header.get("didact", "{}")))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}); use another copy of it"
        ) from error


def _unpickled(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than weights ({_refused(error)}), and loading that would run code "
            "from it. Where you trust it, write its weights alone: "
            "torch.save(model.state_dict(), FILE)"
        ) from error
    except Exception as error:  # torch's reader meets damage with errors of every kind
        reason = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
        raise CheckpointError(f"{path} is damaged or no file of torch.save ({reason})") from error


def _refused(error: Exception) -> str:
    """What of the file was refused, from torch's long message."""
    for marker in ("Unsupported global: GLOBAL ", "Unsupported class "):
        _, found, rest = str(error).partition(marker)
        if found:
            return printable(rest.split()[0].rstrip(".,"))[:100]
    return "an object that is no tensor"


def _found_in(loaded: object, path: Path, place: str) -> Weights:
    if not isinstance(loaded, Mapping):
        raise CheckpointError(
            f"{path} holds a {type(loaded).__name__}; expected a state dict, or a checkpoint with "
            "one: torch.save(model.state_dict(), FILE)"
        )
    here = _tensors(loaded)
    inside = {str(key): found for key, value in loaded.items() if (found := _tensors(value))}
    if place:
        if place not in inside:
            has = printable(", ".join(inside))[:300] or "none"
            raise CheckpointError(f"{path} has no weights under {place!r}; it has: {has}")
        return Weights(inside[place], {}, place)
    if here:
        return Weights(here)
    chosen = next((key for key in (*PLACES, *AVERAGES) if key in inside), None)
    if chosen is None and len(inside) == 1:
        chosen = next(iter(inside))
    if chosen is None:
        has = printable(", ".join(map(str, loaded)))[:300] or "nothing"
        where = f"; choose one: {path}::{next(iter(inside))}" if inside else ""
        raise CheckpointError(
            f"{path} has {has}; expected weights, perhaps under {', '.join(PLACES[:3])} or "
            f"{AVERAGES[-1]}{where}"
        )
    return Weights(inside[chosen], {}, chosen, tuple(key for key in inside if key != chosen))


def _tensors(value: object) -> dict[str, Tensor]:
    """A state dict as it is; nothing where it is none. Numbers in it are no weights."""
    if not isinstance(value, Mapping) or not value:
        return {}
    found = {str(name): part for name, part in value.items() if isinstance(part, Tensor)}
    enough = any("." in name for name in found) or len(found) == len(value)
    return found if enough else {}


def fitted(tensors: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The tensors under the names that a model has for them.

    ``_orig_mod.`` of a compiled model is taken out. A common beginning, such as ``module.`` of
    DataParallel or ``model.`` of a Lightning module, is taken off where the names fit without it;
    what stands beside it, such as a loss with weights, is left out.

    Args:
        tensors: As in the file.
        model: Whose names are wanted.
    """
    plain = {name.replace("_orig_mod.", ""): tensor for name, tensor in tensors.items()}
    wanted = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    best, fits = "", sum(name in plain for name in wanted)
    for prefix in sorted(_beginnings(plain, wanted), key=len):
        count = sum(prefix + name in plain for name in wanted)
        if count > fits:
            best, fits = prefix, count
    begin = len(best)
    return {name[begin:]: tensor for name, tensor in plain.items() if name.startswith(best)}


def _beginnings(names: Iterable[str], wanted: Iterable[str]) -> set[str]:
    """What stands before a wanted name in some name."""
    ends = set(wanted)
    found = set()
    for name in names:
        parts = name.split(".")
        for cut in range(1, len(parts)):
            if ".".join(parts[cut:]) in ends:
                found.add(".".join(parts[:cut]) + ".")
    return found


def load_weights(
    model: nn.Module,
    weights: Weights,
    *,
    what: str,
    new_classifier: bool = False,
) -> list[str]:
    """Put weights into a model, under whatever names its wrappers gave them.

    Args:
        model: Changed in place.
        weights: From :func:`read_weights`.
        what: What the message calls the file.
        new_classifier: Whether layers for another number of classes keep the model's own values,
            as where a pretrained student gets a new head.

    Returns:
        The names that kept the model's own values.

    Raises:
        ModelError: They do not fit; the message has the missing and the unexpected names, and the
            shapes that differ. Or they are whole or complex numbers where the model has real ones.
    """
    fresh = check_weights(model, weights, what=what, new_classifier=new_classifier)
    found, own = fitted(weights.tensors, model), model.state_dict()
    for name, tensor in found.items():
        if own[name].is_floating_point() and not tensor.is_floating_point():
            raise ModelError(
                f"{name} in {what} has numbers of type {tensor.dtype}, and the model has "
                f"{own[name].dtype} there; expected floating point. Weights that were quantised "
                "must be brought back to it first"
            )
    state = {name: tensor for name, tensor in found.items() if name not in fresh}
    model.load_state_dict(state, strict=False)
    return fresh


def check_weights(
    model: nn.Module, weights: Weights, *, what: str, new_classifier: bool = False
) -> list[str]:
    """Whether weights fit, by names and shapes alone: tensors on torch's ``meta`` device do.

    The arguments, the result and the errors are those of :func:`load_weights`.
    """
    found, own = fitted(weights.tensors, model), model.state_dict()
    other_shape = {n for n in found if n in own and found[n].shape != own[n].shape}
    fresh: set[str] = set()
    if new_classifier:
        fresh = {name for name in other_shape if _only_classes_differ(found[name], own[name])}
    missing = [
        name for name in own if name not in found and not name.endswith("num_batches_tracked")
    ]
    unexpected = [name for name in found if name not in own]
    wrong = sorted(other_shape - fresh)
    if missing or unexpected or wrong:
        shapes = [f"{n} {tuple(found[n].shape)} for {tuple(own[n].shape)}" for n in wrong]
        raise ModelError(
            f"the weights in {what} do not fit {type(model).__name__}: "
            f"missing {_some(missing, len(own))}; unexpected {_some(unexpected, len(found))}"
            + (f"; of other shape {_some(shapes, len(own))}" if shapes else "")
        )
    return sorted(fresh)


class NoLargerThan(TorchFunctionMode):
    """A context: the tensors made in it may together be about as large as the weights, not more.

    So a name that a file gives to its model takes no more memory and time than the file is worth.
    What is too large is refused before it is made.

    Args:
        weights: Of the file; on torch's ``meta`` device they do.
        what: What the message calls the file.

    Raises:
        ModelError: From the making of what would be more than twice as much.
    """

    def __init__(self, weights: Weights, *, what: str) -> None:
        super().__init__()
        self.what, self.count = what, len(weights.tensors)
        self._tensors = 2 * self.count + _SPARE_TENSORS
        self._numbers = 2 * sum(t.numel() for t in weights.tensors.values()) + _SPARE_NUMBERS

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _MAKERS:
            size = (kwargs or {}).get("size", args)
            size = size[0] if size and isinstance(size[0], Sequence) else size
            self._tensors -= 1
            self._numbers -= math.prod(side for side in size if isinstance(side, int))
            if min(self._tensors, self._numbers) < 0:
                raise ModelError(
                    f"the weights in {self.what} do not fit: the model that it names is more than "
                    f"twice as large as they are ({self.count} tensors)"
                )
        return func(*args, **(kwargs or {}))


def _only_classes_differ(found: Tensor, own: Tensor) -> bool:
    """Whether a tensor is that of a last linear layer for another number of classes."""
    return found.dim() == own.dim() <= 2 and found.shape[1:] == own.shape[1:]


def _some(names: list[str], of: int) -> str:
    """``3 of 120: a, b, c``."""
    if not names:
        return "none"
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"{len(names)} of {of}: {shown}"
