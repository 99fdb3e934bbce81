"""Distillation losses of Keras: which calls they are, and what goes into them.

The interpreter knows PyTorch; here a few calls are looked at for themselves, in files that import
TensorFlow or Keras.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from didact.check.engine.events import Scope
from didact.check.engine.index import FRAMEWORKS, Index
from didact.check.engine.names import dotted, is_temperature, role_of
from didact.check.engine.spaces import Role
from didact.check.rules._keras_models import activations_of, compiled_with
from didact.check.rules._trace import Step, callee, callee_in, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

_PACKAGES = ("tensorflow", "keras", "tf_keras")
_KINDS = {
    "KLDivergence": "kl",
    "KLD": "kl",
    "kl_divergence": "kl",
    "kullback_leibler_divergence": "kl",
    "kld": "kl",
    "CategoricalCrossentropy": "ce",
    "categorical_crossentropy": "ce",
    "SparseCategoricalCrossentropy": "sparse",
    "sparse_categorical_crossentropy": "sparse",
    "BinaryCrossentropy": "bce",
    "binary_crossentropy": "bce",
    "softmax_cross_entropy_with_logits": "ce",
    "softmax_cross_entropy_with_logits_v2": "ce",
}
_OF_LOGITS = "_with_logits"
"""Functions of ``tf.nn`` that are called so take the softmax themselves."""
"""The losses of Keras by their names; those that begin with a capital are classes."""


@dataclass(frozen=True, slots=True)
class Side:
    """One argument of a loss.

    Attributes:
        role: Whose it is, by the name that it begins with.
        softmaxes: How many softmaxes it passed.
        temperature: The dotted name of the divisor before the last of them, or of the logits
            themselves; empty without one.
        root: The text of what it begins with.
        node: The argument.
        scope: The function around it.
    """

    role: Role
    softmaxes: int
    temperature: str
    root: str
    node: ast.expr
    scope: Scope


@dataclass(frozen=True, slots=True)
class KerasLoss:
    """One loss with its arguments ``(y_true, y_pred)``.

    Attributes:
        node: The call.
        kind: ``"kl"``, ``"ce"``, ``"sparse"`` or ``"bce"``.
        from_logits: Whether it takes the softmax itself; ``None`` if not known.
        true: The first argument.
        predicted: The second.
        scope: The function around it.
    """

    node: ast.Call
    kind: str
    from_logits: bool | None
    true: Side
    predicted: Side
    scope: Scope

    @property
    def is_soft(self) -> bool:
        """Whether its target is a softmax."""
        return self.kind in ("kl", "ce") and self.true.softmaxes > 0


def is_keras(analysis: Analysis) -> bool:
    """Whether a file imports TensorFlow or Keras, and not PyTorch beside it.

    A fragment without such an import is told by ``tf.`` and ``keras.``.
    """
    roots = {path.split(".")[0] for path in analysis.index.imports.values()}
    if "torch" in roots or roots & set(_PACKAGES):
        return "torch" not in roots
    return not roots & set(FRAMEWORKS) and analysis.index.framework == "tensorflow"


def keras_losses(analysis: Analysis) -> Iterator[KerasLoss]:
    """The losses of a Keras file of which both arguments are seen."""
    if not is_keras(analysis):
        return
    objects = _objects(analysis)
    for node in analysis.index.of(ast.Call):
        found = _what(analysis, node, objects)
        arguments = _arguments(node)
        if found is None or arguments is None:
            continue
        scope = Scope(function_of(analysis, node))
        true, predicted = (_side(analysis, part, scope) for part in arguments)
        yield KerasLoss(node, *found, true, predicted, scope)


def _arguments(node: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    order = ("y_true", "y_pred", "labels", "logits")
    pair = [*node.args, *(named[name] for name in order if name in named)]
    return (pair[0], pair[1]) if len(pair) >= 2 else None


def _kind(index: Index, node: ast.AST) -> tuple[str, str]:
    """The kind of a loss that is called, or made, and its name; empty for others."""
    name = callee_in(index, node)
    last = name.rpartition(".")[2]
    ours = name.split(".")[0] in _PACKAGES and last in _KINDS
    return (_KINDS[last], last) if ours else ("", "")


def _flag(node: ast.Call) -> bool | None:
    """``from_logits`` as given; it is off by default."""
    for keyword in node.keywords:
        if keyword.arg == "from_logits":
            value = keyword.value
            return bool(value.value) if isinstance(value, ast.Constant) else None
        if keyword.arg is None:
            return None
    return False


def _made(index: Index, node: ast.AST) -> tuple[str, bool | None] | None:
    """The loss object that an expression makes."""
    kind, name = _kind(index, node)
    if not kind or not name[:1].isupper() or not isinstance(node, ast.Call):
        return None
    return (kind, None) if node.args else (kind, _flag(node))


def _objects(analysis: Analysis) -> dict[str, tuple[str, bool | None]]:
    """The loss objects of the files by name: assigned, or passed on by keyword."""
    found: dict[str, tuple[str, bool | None]] = {}
    for index in analysis.files():
        pairs = [
            (dotted(node.targets[0]).removeprefix("self."), node.value)
            for node in index.of(ast.Assign)
        ]
        for node in index.of(ast.Call):
            pairs += [(k.arg, k.value) for k in node.keywords if k.arg]
        for name, value in pairs:
            made = _made(index, value)
            if name and made is not None:
                other = found.get(name, made)
                found[name] = made if other == made else (made[0], None)
    return found


def _what(
    analysis: Analysis, node: ast.Call, objects: dict[str, tuple[str, bool | None]]
) -> tuple[str, bool | None] | None:
    made = _made(analysis.index, node.func)
    if made is not None:
        return made
    kind, name = _kind(analysis.index, node)
    if kind:
        if _OF_LOGITS in name:
            return kind, True
        return None if name[:1].isupper() and name != "KLD" else (kind, _flag(node))
    return objects.get(dotted(node.func).removeprefix("self."))


def final_activation(analysis: Analysis, side: Side) -> str | None:
    """The last activation of the model that gives a value: its name, "" for none, or unknown.

    The model is found by its name, which it keeps where it is handed to a class; the prediction
    in a loss function is the output of the model that is compiled with it.
    """
    call = side.root.partition("(")[0]
    found = activations_of(analysis, call) if "(" in side.root and call else set()
    function = side.scope.node
    if not found and isinstance(function, ast.FunctionDef):
        names = [argument.arg for argument in function.args.args]
        if side.root in names[1:2]:
            found = compiled_with(analysis, function.name)
    return found.pop() if len(found) == 1 else None


def function_of(
    analysis: Analysis, node: ast.AST
) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module:
    """The function around a node, else the module."""
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return around
        around = analysis.parent_of(around)
    return analysis.tree


def _steps(analysis: Analysis, node: ast.expr, scope: Scope) -> Iterator[Step]:
    """The way back of a value, also through a softmax that a class was given as an argument."""
    last: Step | None = None
    for last in path(analysis, node, scope):
        yield last
    while last is not None and isinstance(last.node, ast.Call) and last.node.args:
        if not _is_softmax(analysis, last.node) or not dotted(last.node.func).startswith("self."):
            return
        inner, last = last, None
        for last in path(analysis, inner.node.args[0], inner.scope):  # type: ignore[attr-defined]
            yield last


def _is_softmax(analysis: Analysis, node: ast.AST) -> bool:
    if callee(analysis, node).rpartition(".")[2] == "softmax":
        return True
    name = dotted(node.func) if isinstance(node, ast.Call) else ""
    return name.startswith("self.") and name[5:] in _given_softmax(analysis)


def _given_softmax(analysis: Analysis) -> set[str]:
    """The attributes that are ``tf.nn.softmax``: assigned, or given to the constructor."""
    given: set[str] = set()
    for index in analysis.files():
        for call in index.of(ast.Call):
            info = analysis.index.classes.get(dotted(call.func))
            start = info.methods.get("__init__") if info is not None else None
            names = [a.arg for a in start.args.args[1:]] if start is not None else []
            pairs = [*zip(names, call.args, strict=False)]
            pairs += [(k.arg, k.value) for k in call.keywords if k.arg in names]
            given |= {name for name, value in pairs if _names_softmax(value) and name}
    for info in analysis.index.classes.values():
        for name, values in info.assigned.items():
            if any(_names_softmax(v) or (dotted(v) in given) for v in values):
                given.add(name)
    return given


def _names_softmax(value: ast.expr) -> bool:
    """``tf.nn.softmax`` itself, or a layer that is one."""
    made = value.func if isinstance(value, ast.Call) else value
    last = dotted(made).rpartition(".")[2]
    return last == ("Softmax" if isinstance(value, ast.Call) else "softmax")


def _side(analysis: Analysis, node: ast.expr, scope: Scope) -> Side:
    count, divisor, last = 0, "", node
    for step in _steps(analysis, node, scope):
        last = step.node
        if _is_softmax(analysis, last):
            count += 1
        elif not divisor and isinstance(last, ast.BinOp) and isinstance(last.op, ast.Div):
            name = root_of(analysis, last.right, step.scope)
            divisor = name if is_temperature(name) else ""
    text = dotted(last.func) if isinstance(last, ast.Call) else dotted(last)
    role = role_of(text) if text else Role.UNKNOWN
    return Side(role, count, divisor, ast.unparse(last), node, scope)


def root_of(analysis: Analysis, node: ast.expr, scope: Scope) -> str:
    """The dotted name that a value begins with, behind its aliases; empty if there is none."""
    name = ""
    for step in path(analysis, node, scope):
        name = dotted(step.node)
    return name
