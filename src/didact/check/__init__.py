"""A tower of its own: static analysis of distillation code, with the standard library alone.

The names below are imported when first used: whoever only explains a paste (the page in a browser,
say) needs neither the search for files nor what that search needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span
    from didact.check.findings.report import Diagnostic, FileResult, Report
    from didact.check.running.one import check_source
    from didact.check.running.options import Options
    from didact.check.running.run import check_paths
    from didact.check.wanted.config import Settings
    from didact.check.wanted.select import Selection

_HOMES = {
    **dict.fromkeys(("Edit", "Finding", "Fix", "Severity", "Span"), "findings.finding"),
    **dict.fromkeys(("Diagnostic", "FileResult", "Report"), "findings.report"),
    "Options": "running.options",
    "check_paths": "running.run",
    "check_source": "running.one",
    "Settings": "wanted.config",
    "Selection": "wanted.select",
}

__all__ = [
    "Diagnostic",
    "Edit",
    "FileResult",
    "Finding",
    "Fix",
    "Options",
    "Report",
    "Selection",
    "Settings",
    "Severity",
    "Span",
    "check_paths",
    "check_source",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"didact.check.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'didact.check' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
