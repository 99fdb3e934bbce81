"""Floor 5: one self-contained HTML page from a run folder, and the table for the terminal."""

from didact._core.optional import expect

expect("pydantic", "scipy", "matplotlib", "jinja2")

from didact.report.comparing.either import compare
from didact.report.distilling.compare import ComparedRun, Comparison
from didact.report.distilling.compare_picture import comparison_picture
from didact.report.distilling.compare_table import (
    comparison_csv,
    comparison_json,
    comparison_latex,
    comparison_markdown,
    comparison_table,
)
from didact.report.distilling.evidence import goodness
from didact.report.distilling.load import Run, load_result, load_run
from didact.report.distilling.table import evidence_table, verdict
from didact.report.learning.table import learn_table, learn_verdict
from didact.report.render import render

__all__ = [
    "ComparedRun",
    "Comparison",
    "Run",
    "compare",
    "comparison_csv",
    "comparison_json",
    "comparison_latex",
    "comparison_markdown",
    "comparison_picture",
    "comparison_table",
    "evidence_table",
    "goodness",
    "learn_table",
    "learn_verdict",
    "load_result",
    "load_run",
    "render",
    "verdict",
]
