"""The cache of a teacher, size and speed: ``python benchmarks/teacher_cache.py``.

A stand-in for a teacher draws logits of Zipf's kind over 128,256 classes; k = 64. Windows of 512
tokens are read at random, every number of them, on one thread; CPU time, median of rounds that take
turns. ``didact-topk/1`` is read as a ``TopK``, ids as int64 and all checks of its own included;
``mapped`` copies the stored numbers alone. The files lie in the page cache.

    python benchmarks/teacher_cache.py                prints the table
    python benchmarks/teacher_cache.py --write        writes docs/benchmarks-cache.md as well
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from didact._core.processor import processor_name
from didact.lm import TeacherCache

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-cache.md"
CLASSES, K, WINDOW = 128_256, 64, 512
KINDS: list[dict[str, Any]] = [
    {"ids": "int32", "logits": "float16"},
    {"ids": "packed", "logits": "bfloat16"},
    {"ids": "packed", "logits": "u8"},
]


def teacher(token_ids: Tensor) -> Tensor:
    """Logits that fall with the logarithm of the rank, in an order of each token's own."""
    generator = torch.Generator().manual_seed(int(token_ids.sum()))
    likeliest = torch.full((*token_ids.shape, CLASSES), -9.0)
    ids = torch.randint(CLASSES, (*token_ids.shape, 200), generator=generator)
    found = 9 - 2 * torch.arange(1, 201).log() + torch.randn(*ids.shape, generator=generator) / 2
    return likeliest.scatter_(-1, ids, found)


def rows_of(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(CLASSES, (count, WINDOW), generator=generator)


def rates(cache: TeacherCache, rows: Tensor, windows: int) -> tuple[float, float]:
    """Tokens in a CPU second: as a TopK, and mapped alone."""
    order = torch.randint(len(rows), (windows,)).tolist()
    batches = [(number, rows[number][None]) for number in order]
    begin = time.process_time()
    for number, ids in batches:
        kept = cache.read(ids, rows=[number])
        assert kept.log_z.shape[1] == WINDOW
    whole = time.process_time() - begin
    begin = time.process_time()
    for number in order:
        for array in cache.arrays(number).values():
            np.array(array)
    return windows * WINDOW / whole, windows * WINDOW / (time.process_time() - begin)


def measured(count: int, windows: int, rounds: int) -> list[str]:
    rows = rows_of(count)
    lines = [
        "| ids, logits | bytes/token | written, M tokens/s | read as TopK | mapped | verified "
        "| largest error of a log-probability |",
        "|---|---|---|---|---|---|---|",
    ]
    place = Path(tempfile.mkdtemp())
    caches, written = {}, {}
    kept = {}

    def remembered(ids: Tensor) -> Tensor:  # the teacher itself is not measured
        return teacher(ids)

    for kind in KINDS:
        name = ", ".join(kind.values())
        begin = time.process_time()
        caches[name] = TeacherCache.build(
            place / name, remembered, rows, k=K, digest="zipf", batch_size=1, **kind
        )
        written[name] = time.process_time() - begin
    exact = caches[", ".join(KINDS[0].values())].read(rows[:2])
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in caches}
    for _ in range(rounds):
        for name, cache in caches.items():
            begin = time.process_time()
            cache.verify()
            verified = count * WINDOW / (time.process_time() - begin)
            found[name].append((*rates(cache, rows, windows), verified))
    for name, cache in caches.items():
        whole, mapped, verified = (
            statistics.median(x) / 1e6 for x in zip(*found[name], strict=True)
        )
        kept[name] = cache.read(rows[:2])
        gap = float((kept[name].logits.float() - exact.logits.float()).abs().max())
        size = cache.info()["bytes_per_token"]
        lines.append(
            f"| {name} | {size:.1f} | {count * WINDOW / written[name] / 1e6:.3f} | {whole:.2f} "
            f"| {mapped:.1f} | {verified:.1f} | {gap:.3f} |"
        )
        print(lines[-1], flush=True)
    shutil.rmtree(place)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    parts = [
        f"# Size and speed of the cache of a teacher ({processor_name()})",
        "Written by `python benchmarks/teacher_cache.py --write`.\n\n" + __doc__.split("\n\n")[1],
        f"Conditions: {processor_name()}, {os.cpu_count()} cores, 1 thread; torch "
        f"{torch.__version__}; load {load:.1f} at the start. Errors are against float16.",
        "\n".join(measured(chosen.rows, chosen.windows, chosen.rounds)),
    ]
    if chosen.write:
        PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
