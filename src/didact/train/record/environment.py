"""Versions and hardware, for the record of a run."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from didact import __version__
from didact._core.processor import processor_name

_PACKAGES = ("torch", "lightning-fabric", "numpy", "scipy", "scikit-learn", "onnxruntime")


def versions() -> dict[str, str]:
    """didact, Python and the packages that decide the numbers."""
    found = {"didact": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def hardware(device: torch.device) -> dict[str, Any]:
    """Processor, cores, threads, device and memory."""
    return {
        "cpu": processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "memory_gib": _memory_gib(),
    }


def command() -> str:
    """What the user typed, as far as it can be typed again."""
    program = Path(sys.argv[0]).name
    words = ["didact" if program in ("didact", "__main__.py") else f"python {program}"]
    return " ".join(words + sys.argv[1:])


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None
