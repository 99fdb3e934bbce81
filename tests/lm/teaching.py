"""A small teacher, and its cache made in a process that is killed."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from didact.lm import TeacherCache

WORDS = [f"w{number}" for number in range(37)]
CLASSES = len(WORDS)


class Model(nn.Module):
    """Logits that hang on all tokens before."""

    def __init__(self, seed: int = 0, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embed = nn.Embedding(CLASSES, 16, dtype=dtype)
            self.head = nn.Linear(16, CLASSES, dtype=dtype)
        self.drop = nn.Dropout(0.5)

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.head(self.drop(self.embed(ids).cumsum(1)))
        return found


def rows(count: int = 30, length: int = 8, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(CLASSES, (count, length), generator=generator)


def build(folder: str | Path, **options: object) -> TeacherCache:
    """Ten files of three rows."""
    settings = {"k": 5, "temperatures": (1.0, 2.0), "tokenizer": WORDS, "batch_size": 2}
    settings |= {"tokens_in_shard": 24} | options
    teacher = settings.pop("teacher", None) or Model()
    data = settings.pop("data", None)
    return TeacherCache.build(folder, teacher, rows() if data is None else data, **settings)


def build_in_a_process(folder: str, _parts: object = None) -> None:
    torch.set_num_threads(1)
    build(folder)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
