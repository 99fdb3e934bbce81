"""The lines of ``metrics.jsonl``: what a kill leaves at the end is told from what a disk leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from didact._core.digest import checked_lines, line_of
from didact._core.errors import CheckpointError

ROWS = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": float("nan")}, {"epoch": 3}]
WHOLE = "".join(map(line_of, ROWS)).encode()


def read(path: Path, content: bytes) -> list[dict[str, object]]:
    path.write_bytes(content)
    return checked_lines(path)


def test_a_file_cut_anywhere_gives_its_whole_lines(tmp_path: Path) -> None:
    for end in range(len(WHOLE)):
        rows = read(tmp_path / "m.jsonl", WHOLE[:end])
        assert repr(rows) == repr(ROWS[: len(rows)])
        assert len(rows) >= WHOLE[:end].count(b"\n")


def test_every_flipped_bit_is_damage(tmp_path: Path) -> None:
    """Wherever it is: in a digest, in its name, in the last newline."""
    for place in range(len(WHOLE)):
        for bit in (1, 4, 64):
            content = bytearray(WHOLE)
            content[place] ^= bit
            with pytest.raises(CheckpointError):
                read(tmp_path / "m.jsonl", bytes(content))


def test_what_a_power_cut_leaves_behind_a_line_is_dropped(tmp_path: Path) -> None:
    assert repr(read(tmp_path / "m.jsonl", WHOLE + b"\0" * 40)) == repr(ROWS)
