"""What an answer is made from: the code, its formulas and what was found in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from didact.check.explain.formula.judge import Judged
from didact.check.explain.proof import Proof
from didact.check.explain.summary import Verdict
from didact.check.findings.finding import Finding


@dataclass(frozen=True, slots=True)
class Code:
    """What is known of the code that a question stands beside.

    Attributes:
        tree: Its syntax tree.
        judged: Its formulas.
        proof: What is known of each expression.
        findings: What is wrong with it, the worst first.
        kinds: The kinds of mistakes among them.
        verdict: How far the losses are those that they are named after.
    """

    tree: ast.Module
    judged: Judged
    proof: Proof
    findings: Sequence[Finding]
    kinds: frozenset[str]
    verdict: Verdict
