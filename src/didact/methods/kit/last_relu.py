"""Features with both signs, for classifiers by cosine: a network without its last ReLU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact.methods.kit.network import growing
from didact.nn import undisturbed

_SAMPLES = 8
_RELUS = (nn.ReLU, nn.ReLU6)


class SkipLastCall(nn.Module):
    """A ReLU that a network calls several times in each pass; its last call does nothing.

    The blocks of torchvision's ResNets call one module after each of their convolutions.

    Args:
        relu: The module.
        calls: How often a pass calls it.
    """

    def __init__(self, relu: nn.Module, calls: int) -> None:
        super().__init__()
        self.relu = relu
        self.calls = calls
        self.made = 0

    def forward(self, features: Tensor) -> Tensor:
        """ReLU, and the features as they are in the last call of a pass."""
        self.made = (self.made + 1) % self.calls
        if self.made == 0:
            return features
        active: Tensor = self.relu(features)
        return active


def drop_last_relu(network: nn.Module, image_shape: tuple[int, ...]) -> None:
    """Leave out the ``nn.ReLU`` or ``nn.ReLU6`` that a network's features end with.

    The one that is called last is tried on noise: features that had no negative entry must get
    some. Where they do not, as after another activation or ``F.relu``, and where there are
    negative ones anyway, the network stays as it is.

    Args:
        network: With ``features(images)``; changed in place.
        image_shape: ``(channels, height, width)``.

    Papers: Hou et al. 2019, CVPR, section 4.1; Douillard et al. 2020, arXiv:2004.13513.
    """
    like = next(network.parameters(), torch.zeros(()))
    noise = torch.randn(_SAMPLES, *image_shape, generator=torch.Generator().manual_seed(0)).to(like)
    calls = _relu_calls(network, noise)
    if not calls or _has_both_signs(network, noise):
        return
    path = calls[-1]
    relu = network.get_submodule(path)
    times = calls.count(path)
    network.set_submodule(path, nn.Identity() if times == 1 else SkipLastCall(relu, times))
    if not _has_both_signs(network, noise):
        network.set_submodule(path, relu)


def _relu_calls(network: nn.Module, images: Tensor) -> list[str]:
    """The paths of the ReLUs in the order in which a pass calls them."""
    calls: list[str] = []
    handles = [
        module.register_forward_hook(lambda *_, path=path: calls.append(path))
        for path, module in network.named_modules()
        if isinstance(module, _RELUS)
    ]
    try:
        _features(network, images)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _has_both_signs(network: nn.Module, images: Tensor) -> bool:
    return bool((_features(network, images) < 0).any())


def _features(network: nn.Module, images: Tensor) -> Tensor:
    with undisturbed(network):
        return growing(network).features(images)
