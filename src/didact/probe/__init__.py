"""Floor 4: numeric laws that any distillation loss must obey."""

from didact._core.optional import expect

expect("torch", "numpy", "scipy")

from didact.probe.errors import ProbeError, nearest, reason_of
from didact.probe.forms.mistakes import MISTAKES, Mistake
from didact.probe.judging.case import Kind, Outcome, State
from didact.probe.judging.law import Law
from didact.probe.laws import all_laws
from didact.probe.output.formats import json_of, junit_of
from didact.probe.output.report import Report, Result
from didact.probe.output.table import rendered, text_of
from didact.probe.run import assert_obeys, probe
from didact.probe.training_step.step import step, step_of

__all__ = [
    "MISTAKES",
    "Kind",
    "Law",
    "Mistake",
    "Outcome",
    "ProbeError",
    "Report",
    "Result",
    "State",
    "all_laws",
    "assert_obeys",
    "json_of",
    "junit_of",
    "nearest",
    "probe",
    "reason_of",
    "rendered",
    "step",
    "step_of",
    "text_of",
]
