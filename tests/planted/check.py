"""Faults of the checker: its inference, its rules, its comments, its fixes."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "check"
ENGINE = "tests/check/engine"
RULES = "tests/check/rules/test_rules.py"
BOTH = f"{ENGINE} {RULES}"
RUNNING = "tests/check/running"
WANTED = "tests/check/wanted"

FAULTS = [
    Fault(
        "a class that overrides train() is warned of all the same",
        FLOOR,
        "if info is None or owner.name in analysis.facts.overrides_train:",
        "if info is None:",
        BOTH,
    ),
    Fault(
        "a quotient multiplies",
        FLOOR,
        "return self.times(other.power(-1))",
        "return self.times(other)",
        BOTH,
    ),
    Fault(
        "the exponents of a power add up",
        FLOOR,
        "{symbol: e * exponent for symbol, e in self.atoms}",
        "{symbol: e + exponent for symbol, e in self.atoms}",
        BOTH,
    ),
    Fault(
        "the temperature of a softmax is its inverse",
        FLOOR,
        "own = base.scale.power(-1)",
        "own = base.scale",
        BOTH,
    ),
    Fault(
        "a mean is taken for a sum",
        FLOOR,
        'kind = "mean" if "mean" in call.name else "sum"',
        'kind = "sum"',
        BOTH,
    ),
    Fault(
        "a guarded logarithm is no guard",
        FLOOR,
        "if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):\n        return True",
        "if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):\n        return True",
        BOTH,
    ),
    Fault(
        "the exponential of anything is a distribution",
        FLOOR,
        "Space.PROBS if base.space is Space.LOG_PROBS and base.scale.is_one else Space.UNKNOWN",
        "Space.PROBS",
        BOTH,
    ),
    Fault(
        "a difference of losses is a sum",
        FLOOR,
        "_sum_of_losses(left, negated(right) if minus else right)",
        "_sum_of_losses(left, right)",
        BOTH,
    ),
    Fault(
        "batchmean on two dimensions is warned of",
        FLOOR,
        "for use, rank, why in ranks if rank >= 3 and why",
        "for use, rank, why in ranks if rank >= 2 and why",
        BOTH,
    ),
    Fault(
        "T squared counts as a wrong power",
        FLOOR,
        "if powers and 2 not in powers and beside_hard_term(analysis, use):",
        "if powers and beside_hard_term(analysis, use):",
        BOTH,
    ),
    Fault(
        "a teacher that is trained or averaged is told to stay in eval mode",
        FLOOR,
        "return facts.is_evaluated(model) or trained or _is_updated(analysis, model)",
        "return facts.is_evaluated(model)",
        BOTH,
    ),
    Fault(
        "eval() in a loop is not heard",
        FLOOR,
        'evaluated |= part.func.attr == "eval"',
        'evaluated |= part.func.attr == "evaluate"',
        BOTH,
    ),
    Fault(
        "a fix that finds more than before is kept",
        FLOOR,
        "if len(left) >= len(findings) or after - before or fixed.unread > document.unread:",
        "if fixed.unread > document.unread:",
        f"{RUNNING}/test_fix.py",
    ),
    Fault(
        "two fixes write over one another",
        FLOOR,
        "return start < other_end and other_start < end",
        "return False",
        f"{RUNNING}/test_fix.py",
    ),
    Fault(
        "the baseline knows a finding for ever",
        FLOOR,
        "known[key] -= 1",
        "known[key] -= 0",
        f"{WANTED}/test_baseline.py",
    ),
    Fault(
        "an ignored code of equal length is reported",
        FLOOR,
        "and selected > _longest(code, self.ignore)",
        "and selected >= _longest(code, self.ignore)",
        f"{WANTED}/test_select.py",
    ),
    Fault(
        "a comment that silences one code silences all",
        FLOOR,
        "return bool(naming) or not self.codes",
        "return True",
        f"{WANTED}/test_suppress.py",
    ),
    Fault(
        "the comment on a statement's last line is not heard",
        FLOOR,
        "return {span.line, span.end_line, reach.first, reach.last, *head}",
        "return {span.line, *head}",
        f"{WANTED}/test_suppress.py",
    ),
]
