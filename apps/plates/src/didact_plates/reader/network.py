"""The network: a line of 128 x 32 pixels to 32 frames of characters, and the plate's colour."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from didact_plates.grammar import ALPHABET

CLASSES = 1 + len(ALPHABET)
COLOUR_CLASSES = 6


@dataclass(frozen=True)
class Widths:
    """Channels of the stages, and how many blocks the third has."""

    stem: int
    second: int
    third: int
    frames: int
    blocks: int
    context: int


STUDENT = Widths(16, 32, 64, 96, 1, 1)
TEACHER = Widths(16, 40, 80, 256, 1, 2)


def _conv(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | None = None,
) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """Two convolutions and the way round them (He et al. 2016)."""

    def __init__(self, channels: int, kernel: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        self.first = _conv(channels, channels, kernel)
        self.second = nn.Sequential(
            nn.Conv2d(
                channels, channels, kernel, padding=(kernel[0] // 2, kernel[1] // 2), bias=False
            ),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return F.relu(x + self.second(self.first(x)))


class PlateNet(nn.Module):
    """Lines to frames.

    ``forward`` takes float BGR ``[n, 3, 32, 128]`` in 0..255 and brings each line to mean 0 and
    deviation 1 itself, so that dark and pale plates look alike. It gives the logits of the frames,
    ``[n, 32, 1 + alphabet]`` (column 0: no character here), and of the colour, ``[n, 6]`` (last: no
    plate).
    """

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.widths = widths
        w = widths
        self.body = nn.Sequential(
            _conv(3, w.stem, (3, 3), (2, 2)),  # 16 x 64
            Block(w.stem),
            _conv(w.stem, w.second, (3, 3), (2, 2)),  # 8 x 32
            Block(w.second),
            _conv(w.second, w.third, (3, 3), (2, 1)),  # 4 x 32
            *[Block(w.third) for _ in range(w.blocks)],
            _conv(w.third, w.frames, (4, 3), padding=(0, 1)),  # 1 x 32
            *[Block(w.frames, (1, 3)) for _ in range(w.context)],
        )
        self.dropout = nn.Dropout(0.1)
        self.characters = nn.Linear(w.frames, CLASSES)
        self.colour = nn.Linear(2 * w.frames, COLOUR_CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the frames and of the colour."""
        deviation, mean = torch.std_mean(x, dim=(1, 2, 3), keepdim=True)
        x = (x - mean) / (deviation + 4.0)
        frames = self.body(x)[:, :, 0].transpose(1, 2)
        pooled = torch.cat([frames.mean(1), frames.amax(1)], dim=1)
        return self.characters(self.dropout(frames)), self.colour(pooled)


def channels_last(network: PlateNet) -> PlateNet:
    """``network`` with its convolutions' weights as CPUs want them; changed in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
    return network
