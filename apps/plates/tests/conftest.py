"""Each test begins in English."""

from __future__ import annotations

import pytest

from didact_plates.texts import speak


@pytest.fixture(autouse=True)
def _english() -> None:
    speak("en")
