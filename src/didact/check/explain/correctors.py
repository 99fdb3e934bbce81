"""Which correction mends which kind of mistake."""

from __future__ import annotations

from collections.abc import Callable

from didact.check.explain import correct_graph as graph
from didact.check.explain import correct_reduction as reduction
from didact.check.explain import correct_scale as scale
from didact.check.explain import correct_spaces as spaces
from didact.check.explain.site import Site
from didact.check.findings.finding import Edit

Corrector = Callable[[Site], list[Edit]]

CORRECTORS: dict[str, Corrector] = {
    "KL-INPUT-PROBS": spaces.kl_arguments,
    "KL-INPUT-RAW": spaces.kl_arguments,
    "KL-TARGET-RAW": spaces.kl_arguments,
    "KL-TARGET-LOG": spaces.kl_arguments,
    "LOG-TARGET-ON-PROBS": spaces.without_log_target,
    "SWAPPED": spaces.kl_arguments,
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
    "SIG/SOFTMAX-MIX": spaces.same_link,
    "SLICE-AFTER-SOFTMAX": spaces.slice_first,
    "NO-T2": scale.times_t_squared,
    "T-POW1": scale.times_t_squared,
    "T-ONE-SIDE": scale.temperature_on_both,
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
    "TARGET-IN-GRAPH": graph.detached_target,
    "ALIAS-TEACHER": graph.own_copy,
}
"""By kind of mistake."""
