"""A tower of its own: static analysis of distillation code, with the standard library alone."""

from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span
from didact.check.findings.report import Diagnostic, FileResult, Report
from didact.check.running.run import Options, check_paths, check_source
from didact.check.wanted.config import Settings
from didact.check.wanted.select import Selection

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
