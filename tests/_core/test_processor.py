"""What is read of the processor."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from didact._core import processor

INTEL = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R): 2\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (INTEL, "Intel(R) Xeon(R): 2"),
        ("vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n" + INTEL, "AMD EPYC"),
        ("CPU implementer\t: 0x41\n", ""),
        (None, ""),
    ],
)
def test_the_first_core_tells(
    content: str | None, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(processor, "CPUINFO", file)
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert processor.processor_name() == (name or platform.machine())


def test_elsewhere_the_standard_library_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6, GenuineIntel")
    assert processor.processor_name() == "Intel64 Family 6, GenuineIntel"
