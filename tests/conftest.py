"""Tests leave the user's home alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The key that runs are signed with and the checker's answers, for all processes."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("configuration")
        patch.setenv("XDG_CONFIG_HOME", os.fspath(folder))
        patch.setenv("DIDACT_CACHE_DIR", os.fspath(tmp_path_factory.mktemp("cache")))
        yield folder
