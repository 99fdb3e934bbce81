"""A definition, evaluated on candidates."""

from __future__ import annotations

from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.definitions import (
    LOGITS,
    Definition,
    tree_of,
)
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.kinds import Kind, is_scalar
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.tree import (
    Call,
    Evaluator,
    Given,
    Loop,
    Node,
)
from didact.check.explain.formula.verdict.candidates import Inputs
from didact.check.explain.formula.verdict.laboratory import Laboratory

_KEEPS = frozenset(
    [
        "index",
        "view",
        "reshape",
        "flatten",
        "t",
        "permute",
        "transpose",
        "squeeze",
        "detach",
        "identity",
    ]
)


def _is_normalised(node: Node) -> bool:
    """Whether a part is probabilities already."""
    while isinstance(node, Call) and node.name in _KEEPS and node.args:
        node = node.args[0]
    return isinstance(node, Call) and node.name in {"softmax", "sigmoid", "normalize", "one_hot"}


def _is_scaled(node: Node, lab: Laboratory) -> bool:
    """Whether a part is divided or multiplied by a number: its temperature must be told apart."""
    while isinstance(node, Call) and node.name in _KEEPS and node.args:
        node = node.args[0]
    return (
        isinstance(node, Call)
        and node.name in {"div", "mul"}
        and any(is_scalar(a, lab.kinds) for a in node.args)
    )


def _is_mixed(lab: Laboratory, inputs: Inputs) -> bool:
    """Whether both sides are made of one tensor: a mixture is no model's output."""
    if inputs.teacher is None:
        return False
    shared = leaves(inputs.student) & leaves(inputs.teacher)
    return any(lab.kinds.get(g) is Kind.TENSOR for g in shared)


def _are_told(lab: Laboratory, inputs: Inputs) -> bool:
    """Whether it is known who is the student and who the teacher."""
    if inputs.teacher is None:
        return False
    return (side(inputs.student, lab.roles), side(inputs.teacher, lab.roles)) == (
        "student", "teacher",
    )  # fmt: skip


def defined(
    lab: Laboratory, definition: Definition, inputs: Inputs, draw: Draw, loop: Loop | None
) -> float | None:
    """What a definition is for these candidates; None where they do not fit."""
    key = (definition.key, id(inputs.student), id(inputs.teacher), id(inputs.labels),
           id(inputs.temperature), id(inputs.second), id(inputs.centre), id(inputs.scalar), draw,
           loop.number if loop else 0)  # fmt: skip
    if key not in lab.defined:
        try:
            lab.defined[key] = _evaluate(lab, definition, inputs, draw, loop)
        except EvaluationError:
            lab.defined[key] = None
    return lab.defined[key]


def _evaluate(
    lab: Laboratory, definition: Definition, inputs: Inputs, draw: Draw, loop: Loop | None
) -> float | None:
    tree, names = tree_of(definition)
    if definition.key in LOGITS and any(
        n is not None and _is_normalised(n) for n in (inputs.student, inputs.teacher)
    ):
        return None
    if definition.key in LOGITS and _is_mixed(lab, inputs):
        return None
    if definition.power is not None and any(
        n is not None and _is_scaled(n, lab) for n in (inputs.student, inputs.teacher)
    ):
        return None
    if definition.key.startswith("reverse_kl") and not _are_told(lab, inputs):
        return None
    if definition.hard and inputs.labels is None and inputs.hot is None:
        return None
    given = {
        "s": inputs.student, "t": inputs.teacher, "y": inputs.labels, "T": inputs.temperature,
        "beta": inputs.scalar, "k": inputs.old, "h": inputs.hot,
        "pad": inputs.padding, "eps": inputs.smoothing, "m": inputs.mask, "U": inputs.second,
        "c": inputs.centre,
    }  # fmt: skip
    if "t" not in names and inputs.teacher is not None:
        return None
    if lab.tried is not inputs:
        lab.tried, lab.bound = inputs, {}
    binding, evaluator = lab.bound.setdefault(draw, _nothing_bound())
    for name, leaf in names.items():
        if name == "axis":
            continue
        node = given[name]
        if node is None:
            return None
        if leaf not in binding:
            binding[leaf] = lab.raw(node, draw, loop)
    student = binding[names["s"]]
    if not isinstance(student, Array) or student.rank not in definition.ranks:
        return None
    teacher = binding.get(names["t"]) if "t" in names else None
    if definition.narrow:
        if not isinstance(teacher, Array) or binding[names["k"]] != teacher.shape[-1]:
            return None
        if teacher.shape[:-1] != student.shape[:-1]:
            return None
        value = evaluator(tree)
        return float(value.data[0]) if isinstance(value, Array) and len(value.data) == 1 else None
    teachers = teacher if definition.listed and isinstance(teacher, list) else [teacher]
    if "t" in names and any(not isinstance(t, Array) or t.shape != student.shape for t in teachers):
        return None
    if "axis" in names:
        binding[names["axis"]] = 1 if student.rank == 4 else student.rank - 1
    value = evaluator(tree)
    return float(value.data[0]) if isinstance(value, Array) and len(value.data) == 1 else None


def _nothing_bound() -> tuple[dict[Given, object], Evaluator]:
    """For all definitions on the same candidates: what they have in common is evaluated once."""
    binding: dict[Given, object] = {}
    return binding, Evaluator(binding)
