"""Packages that only a part of didact needs."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from didact._core.errors import MissingDependencyError


def require(module: str, *, extra: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Args:
        module: The module's dotted name, such as ``"torch"``.
        extra: The extra of didact that installs it, such as ``"torch"``.

    Raises:
        MissingDependencyError: The module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        missing = (error.name or top).partition(".")[0]
        if missing != top:
            raise MissingDependencyError(
                f"{top} needs {missing}, which is not installed; install it with: "
                f"pip install {missing}"
            ) from error
        raise MissingDependencyError(
            f"{top} is not installed and this needs it. "
            f'Install it with: pip install "didact[{extra}]"'
        ) from error
