"""What the commands say of data is what there is."""

from __future__ import annotations

from didact.cli import _shared
from didact.data import SOURCES


def test_the_help_lists_every_data_set() -> None:
    usages = sorted(entry.usage for entry in SOURCES.values())
    assert sorted(_shared._sources().split(", ")) == usages
