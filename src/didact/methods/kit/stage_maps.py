"""The feature maps of a network's stages as they are before the ReLU that ends a stage."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor, nn

from didact.methods.kit.network import growing
from didact.nn import Taps, find_module, tap, undisturbed

_MOST_SPLIT = 4
_RELUS = (nn.ReLU, nn.ReLU6)


class MapPlace(NamedTuple):
    """Where a map is read: what a module gets, or what it gives."""

    path: str
    side: Literal["input", "output"]


def stage_maps(network: nn.Module, images: Tensor) -> tuple[MapPlace, ...]:
    """Where the maps of a network's stages are, before the ReLU that ends each.

    The stages are those of ``feature_paths`` without the stem and the embedding. Where they are
    fewer than four and the last consists of blocks, the last block counts as a stage of its own,
    as in the CIFAR network of PODNet's authors. A stage that ends with something else than a ReLU,
    or with one that works in place, gives its output.

    Args:
        network: With ``features(images)``; none is found without ``feature_paths``.
        images: A few of the shape that it takes.

    Raises:
        UnknownNameError: One of ``feature_paths`` is no module of the network.

    Paper: Douillard et al. 2020, ECCV, arXiv:2004.13513, figure 1; "before ReLU" is the authors'
    code's.
    """
    stages = [p for p in tuple(getattr(network, "feature_paths", ()))[:-1] if p != "stem"]
    modules = [find_module(network, path) for path in stages]
    if stages and len(stages) < _MOST_SPLIT:
        last = modules[-1]
        if isinstance(last, nn.Sequential) and len(last) > 1 and all(map(_is_block, last)):
            stages.insert(-1, f"{stages[-1]}.{len(last) - 2}")
    if not stages:
        return ()
    names = {module: path for path, module in network.named_modules()}
    relus: list[tuple[str, Tensor, bool]] = []
    outputs: dict[str, Tensor] = {}

    def note(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, _RELUS):
            relus.append((names[module], output, output is given[0]))
        if names[module] in stages:
            outputs[names[module]] = output

    handles = [m.register_forward_hook(note) for m in names]
    try:
        with undisturbed(network):
            growing(network).features(images)
    finally:
        for handle in handles:
            handle.remove()
    maps = {path: outputs[path] for path in stages if path in outputs}
    return tuple(_place(path, found, relus) for path, found in maps.items() if found.dim() == 4)


def read_maps(network: nn.Module, places: tuple[MapPlace, ...]) -> Taps:
    """Taps that read the maps of each forward, in the order of ``places``."""
    return Taps([tap(network, place.path, side=place.side) for place in places])


def _is_block(module: nn.Module) -> bool:
    return any(True for _ in module.children())


def _place(path: str, output: Tensor, relus: list[tuple[str, Tensor, bool]]) -> MapPlace:
    for relu, found, in_place in relus:
        if found is output and not in_place:
            return MapPlace(relu, "input")
    return MapPlace(path, "output")
