"""What Linux says of the processor; elsewhere, what Python's standard library says."""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """The model, or as much of it as the system tells."""
    return _first("model name") or platform.processor() or platform.machine()


def _first(field: str) -> str:
    """A field of the first core: the file lists every core of the machine."""
    try:
        with CPUINFO.open(encoding="utf-8") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == field:
                    return value.strip()
    except OSError:  # not Linux
        pass
    return ""
