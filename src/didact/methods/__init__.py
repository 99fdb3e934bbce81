"""Floor 3: one file per class-incremental method."""

from didact._core.optional import expect

expect("torch")

from didact.methods.kit.base import Method, NoOptions
from didact.methods.kit.kept import Kept
from didact.methods.kit.registry import (
    GROUPS,
    METHODS,
    MethodEntry,
    build_options,
    discover,
    find_method,
    method,
)
from didact.methods.kit.setting import Moment, Setting, Stage

discover()

__all__ = [
    "GROUPS",
    "METHODS",
    "Kept",
    "Method",
    "MethodEntry",
    "Moment",
    "NoOptions",
    "Setting",
    "Stage",
    "build_options",
    "discover",
    "find_method",
    "method",
]
