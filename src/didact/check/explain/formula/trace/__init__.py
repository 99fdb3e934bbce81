"""From code to formulas: every value is followed through names, calls, loops and branches."""

from didact.check.explain.formula.trace.objects import Entry, Library
from didact.check.explain.formula.trace.tracer import Tracer, trace
from didact.check.explain.formula.trace.values import is_output

__all__ = ["Entry", "Library", "Tracer", "is_output", "trace"]
