"""Floor 4: numeric laws that any distillation loss must obey."""

from didact._core.optional import require

require("torch", extra="torch")

from didact.probe._case import Kind, Outcome, State
from didact.probe._formats import json_of, junit_of
from didact.probe._law import Law, all_laws
from didact.probe._mistakes import MISTAKES, Mistake
from didact.probe._probe import assert_obeys, probe
from didact.probe._report import Report, Result
from didact.probe._step import step
from didact.probe._table import rendered, text_of

__all__ = [
    "MISTAKES",
    "Kind",
    "Law",
    "Mistake",
    "Outcome",
    "Report",
    "Result",
    "State",
    "all_laws",
    "assert_obeys",
    "json_of",
    "junit_of",
    "probe",
    "rendered",
    "step",
    "text_of",
]
