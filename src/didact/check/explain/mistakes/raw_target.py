"""Logits as targets of a cross-entropy."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE147": ("CE-TARGET-RAW",)}


def _raw_targets(loss: Loss, judged: Judged, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """In other frameworks: a cross-entropy whose soft labels are the teacher's logits."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name != "mul" or len(part.args) != 2:
            continue
        target, logs = part.args
        if not isinstance(logs, Call) or logs.name != "log_softmax":
            continue
        while isinstance(target, Call) and target.name in {"div", "detach", "identity"}:
            target = target.args[0]
        named = " ".join(g.text for g in leaves(target))
        if isinstance(target, Call) or side(target, judged.roles) != "teacher":
            continue
        if "logit" not in named.lower():
            continue
        call = _call_of(judged, loss, places)
        yield Finding("KE147", Severity.ERROR, span(call), OWN["KE147"], _softened(call))
        return


def _softened(call: ast.AST) -> Fix | None:
    """The labels of a cross-entropy from logits behind the softmax that they lack."""
    if not isinstance(call, ast.Call):
        return None
    root = ast.unparse(call.func).split(".", 1)[0]
    made = {"tf": "tf.nn.softmax", "optax": "jax.nn.softmax"}.get(root)
    labels = next((k.value for k in call.keywords if k.arg == "labels"), None)
    if made is None or labels is None:
        return None
    edit = Edit(span(labels), f"{made}({ast.unparse(labels)}, axis=-1)")
    return Fix((edit,), "unsafe", Text("Give probabilities", "改为概率"))


def _call_of(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> ast.AST:
    del places
    for node in nodes_of(judged.tracer.tree):
        if isinstance(node, ast.Call) and last_name(node.func) in {
            "softmax_cross_entropy_with_logits", "CategoricalCrossentropy", "softmax_cross_entropy",
        }:  # fmt: skip
            return node
    return loss.entry.node


def in_formulas(look: Look) -> Iterator[Finding]:
    """In code of another framework: in PyTorch a rule of ``check`` finds it."""
    if look.is_elsewhere:
        for loss in look.judged.losses:
            yield from _raw_targets(loss, look.judged, look.places)
