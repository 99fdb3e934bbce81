"""Which corrector mends which kind of mistake."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress

from didact.check.correct import graph, reduction, scale, spaces, training
from didact.check.correct.site import ElsewhereError, Site, span
from didact.check.engine.engine import Analysis
from didact.check.findings.finding import Edit, Finding

Corrector = Callable[[Site], list[Edit]]

_CORRECTORS: dict[str, Corrector] = {
    "KL-INPUT-PROBS": spaces.kl_arguments,
    "KL-INPUT-RAW": spaces.kl_arguments,
    "KL-TARGET-RAW": spaces.kl_arguments,
    "KL-TARGET-LOG": spaces.kl_arguments,
    "LOG-TARGET-ON-PROBS": spaces.without_log_target,
    "SWAPPED": spaces.exchanged,
    "ARGS-REVERSED": spaces.kl_arguments,
    "DEAD-NORM": spaces.kl_arguments,
    "CE-ON-PROBS": spaces.logits_for_loss,
    "CE-ON-LOGP": spaces.logits_for_loss,
    "HARD-CE-AT-T": spaces.logits_for_loss,
    "BCEWL-ON-PROBS": spaces.logits_for_loss,
    "NLL-WRONG-SPACE": spaces.log_probs_for_nll,
    "LOG-OF-SOFTMAX": spaces.log_softmax_at_once,
    "SOFTMAX-OF-SOFTMAX": spaces.one_softmax,
    "BCE-ON-SOFTMAX": spaces.kl_for_bce,
    "SIG/SOFTMAX-MIX": spaces.same_activation,
    "SLICE-AFTER-SOFTMAX": spaces.slice_first,
    "STUDENT-UNUSED": spaces.other_side,
    "NO-T2": scale.times_t_squared,
    "T-POW1": scale.times_t_squared,
    "T-ONE-SIDE": scale.temperature_on_both,
    "T-IGNORED": scale.temperature_used,
    "T-TWICE": scale.temperature_once,
    "T-INVERTED": scale.temperature_divides,
    "KL-MEAN": reduction.batchmean,
    "CLASS-MEAN": reduction.sum_over_classes,
    "SIGN-MISSING": scale.minus_sign,
    "ABS-HIDES-NEGATIVE": scale.without_patch,
    "CLAMP-HIDES-NEGATIVE": scale.without_patch,
    "DIM-0": reduction.class_axis,
    "DIM-SEQ": reduction.class_axis,
    "DIM-MISSING": reduction.class_axis,
    "MULTI-TEACHER-SUM": reduction.mean_over_teachers,
    "EMPTY-SLICE": graph.fill_slice,
    "SLICE-DIM0": graph.class_columns,
    "LABEL-OFFSET": graph.shift_labels,
    "ITEM-IN-GRAPH": graph.without_call,
    "GRAPH-CUT": graph.without_call,
    "DETACH-NOOP": graph.keep_detached,
    "TEACHER-GRAD": graph.teacher_without_graph,
    "TEACHER-TRAIN-MODE": graph.evaluated_teacher,
    "TARGET-IN-GRAPH": graph.detached_target,
    "POSITIONS-SHIFTED": graph.same_positions,
    "OPT-HAS-TEACHER": graph.student_alone,
    "NO-ZERO-GRAD": graph.cleared_gradients,
    "KERAS-FROM-LOGITS": spaces.from_logits,
    "ALIAS-TEACHER": graph.own_copy,
    "SUM-OVERWRITTEN": training.accumulated,
    "EMA-REVERSED": training.exchanged_weights,
    "STUDENT-EVAL-MODE": training.back_to_training,
    "NOT-IN-OPTIMIZER": training.optimised_too,
}


def proposals(analysis: Analysis, finding: Finding, kinds: tuple[str, ...]) -> list[list[Edit]]:
    """The ways to mend a finding, the likeliest first; columns are bytes, as in the tree."""
    site = site_of(analysis, finding)
    found = []
    for corrector in dict.fromkeys(_CORRECTORS[kind] for kind in kinds if kind in _CORRECTORS):
        with suppress(ElsewhereError):
            found.append(corrector(site))
    if finding.fix is not None and finding.fix.edits:
        found.append(list(finding.fix.edits))
    return found


def site_of(analysis: Analysis, finding: Finding) -> Site:
    """The nodes and the loss that a finding is about."""
    nodes = [n for n in ast.walk(analysis.tree) if hasattr(n, "lineno") and span(n) == finding.span]
    node = next((n for n in nodes if isinstance(n, ast.expr)), nodes[0] if nodes else None)
    own = [use for use in analysis.uses if analysis.owns(use.node)]
    uses = [u for u in own if span(u.node) == finding.span]
    if not uses:
        inside = {id(n) for n in ast.walk(node)} if node is not None else set()
        uses = [u for u in own if id(u.node) in inside]
    if not uses and node is not None:
        uses = [u for u in own if any(n is node for n in ast.walk(u.node))]
    if not uses:
        uses = [
            u for u in own
            if u.node.lineno <= finding.span.line <= (u.node.end_lineno or u.node.lineno)
        ]  # fmt: skip
    return Site(analysis, node, uses[0] if uses else None)
