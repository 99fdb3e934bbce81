"""The cache of a teacher, captured by processes that are killed, and bits of it that flip."""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.lm.teaching import build, build_in_a_process, files, rows
from tests.train.killing import Killer

from didact._core.errors import DidactError
from didact.lm import TeacherCache

THOROUGH = bool(os.environ.get("DIDACT_ATTACK"))
KILLS, FLIPS = (100, 1000) if THOROUGH else (3, 40)


def test_a_killed_capture_ends_in_the_same_bytes(tmp_path: Path) -> None:
    build(tmp_path / "whole")
    whole = files(tmp_path / "whole")
    killer = Killer(build_in_a_process, "tests.lm.teaching")
    killer.to_the_end(tmp_path / "first", {})  # starts the server
    began = time.monotonic()
    killer.to_the_end(tmp_path / "second", {})
    takes = time.monotonic() - began
    folders = 0
    for folder in killer.killed(tmp_path, {}, kills=KILLS, within=(0.0, takes)):
        assert files(folder) == whole
        folders += 1
    print(f"{KILLS} kills over {folders} captures: the same bytes")


def test_flipped_bits_are_found(tmp_path: Path) -> None:
    build(tmp_path)
    draw, names, data = random.Random(1), sorted(files(tmp_path)), rows()
    for _ in range(FLIPS):
        path = tmp_path / draw.choice(names)
        whole = path.read_bytes()
        place = draw.randrange(8 * len(whole))
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << place % 8
        path.write_bytes(broken)
        with pytest.raises(DidactError, match=r"."):
            TeacherCache.open(tmp_path).verify()
        with suppress(DidactError):  # reading looks at less: it answers or refuses
            TeacherCache.open(tmp_path).read(data)
        path.write_bytes(whole)
    print(f"{FLIPS} flipped bits: all found")
