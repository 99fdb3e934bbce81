"""Reader files: weights as whole numbers of 8 bits, one scale for each output, in safetensors.

Only the storage is small; the network computes in float32. Batch norm is folded into the
convolutions before, so that the file holds convolutions and linear layers alone.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from didact_plates.errors import ModelFileError
from didact_plates.reader.network import PlateNet, Widths, channels_last
from didact_plates.texts import say

FORMAT = "didact-plates reader 1"


class ReaderFileError(ModelFileError):
    """A file that is no reader, or a reader of another version."""


def folded(network: PlateNet) -> PlateNet:
    """A copy of ``network`` for reading alone, each batch norm folded into its convolution."""
    copy = PlateNet(network.widths).eval()
    copy.load_state_dict(network.state_dict())
    for module in list(copy.modules()):
        if (
            isinstance(module, nn.Sequential)
            and len(module) > 1
            and isinstance(module[1], nn.BatchNorm2d)
        ):
            convolution = module[0]
            assert isinstance(convolution, nn.Conv2d)
            module[0] = fuse_conv_bn_eval(convolution, module[1])
            module[1] = nn.Identity()
    return copy.requires_grad_(requires_grad=False)


def save_network(path: Path, network: PlateNet, temperature: float, offset: float) -> None:
    """Write ``network`` (not folded yet) and how its confidence is calibrated."""
    tensors: dict[str, np.ndarray] = {}
    for name, value in folded(network).state_dict().items():
        array = value.detach().float().numpy()
        if array.ndim == 1:
            tensors[name] = array.astype(np.float16)
            continue
        peak = np.abs(array.reshape(len(array), -1)).max(1)
        scale = (np.maximum(peak, 1e-8) / 127).astype(np.float32)
        shape = (-1, *[1] * (array.ndim - 1))
        tensors[name] = np.round(array / scale.reshape(shape)).astype(np.int8)
        tensors[name + ".scale"] = scale
    about = {
        "format": FORMAT,
        "widths": json.dumps(asdict(network.widths)),
        "temperature": repr(temperature),
        "offset": repr(offset),
    }
    save_file(tensors, path, metadata=about)


def load_network(path: Path) -> tuple[PlateNet, float, float]:
    """The folded network, temperature and offset of its confidence.

    Raises:
        ReaderFileError: ``path`` is no file that :func:`save_network` wrote.
    """
    if not path.exists():
        raise ReaderFileError(say("there is no file {path}", path=path))
    try:
        with safe_open(str(path), framework="np") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if about.get("format") != FORMAT:
            raise ReaderFileError(say("{path} is no reader of plates", path=path))
        network = folded(PlateNet(Widths(**json.loads(about["widths"]))))
        state: dict[str, Tensor] = {}
        for name, array in tensors.items():
            if name.endswith(".scale"):
                continue
            value = array.astype(np.float32)
            if array.dtype == np.int8:
                value *= tensors[name + ".scale"].reshape((-1, *[1] * (array.ndim - 1)))
            state[name] = torch.from_numpy(value)
        network.load_state_dict(state)
        return (
            channels_last(network),
            float(about["temperature"]),
            float(about["offset"]),
        )
    except ReaderFileError:
        raise
    except Exception as error:
        raise ReaderFileError(say("{path} is no reader of plates", path=path)) from error
