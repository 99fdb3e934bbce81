"""didact passes on what one network knows: teacher to student, old model to new."""

from importlib import import_module
from types import ModuleType

from didact._core.errors import DidactError as DidactError

__version__ = "0.1.0"

_SUB_PACKAGES = frozenset(
    {
        "check",
        "data",
        "lm",
        "losses",
        "methods",
        "metrics",
        "nn",
        "probe",
        "recipes",
        "report",
        "runs",
        "train",
        "web",
    }
)


def __getattr__(name: str) -> ModuleType:
    """Import a sub-package when first named (PEP 562): ``import didact`` needs no torch."""
    if name in _SUB_PACKAGES:
        return import_module(f"didact.{name}")
    raise AttributeError(f"module 'didact' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUB_PACKAGES})
