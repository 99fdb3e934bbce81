"""How each name of a file is used: what it is called with, cut by, multiplied with, fed to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache

from didact._core.words import word_set
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Use(StrEnum):
    """One way in which a name is used."""

    CALLED = "it is called"
    MODULE = "its parameters are read, or it is switched between training and evaluation"
    OPTIMIZER = "it takes the steps"
    BATCHES = "batches are read from it"
    TENSOR = "a method of tensors is called on it, or a softmax takes it"
    SCORES = "it is squared, averaged or normalised as class numbers never are"
    FED = "a model is called with it"
    NUMBER = "it can only be a number"
    FIRST = "a slice ends at it"
    REST = "a slice begins at it"
    BETWEEN = "a slice goes from one such bound to another"
    LAST = "a slice takes so many from the end"
    WIDTH = "a layer is made so wide"
    KEPT = "topk keeps so many"
    ROUNDS = "a loop has so many rounds"
    MARGIN = "it is the margin of a ranking loss"
    DIVISOR = "it divides what goes into a softmax"
    TARGET = "a loss compares scores with it as labels"
    SIGN = "a cosine loss takes it for the sign"
    FACTOR = "something is multiplied by it"
    SELECTS = "a tensor is indexed with it"


_MODULE = word_set(
    "parameters named_parameters eval state_dict load_state_dict modules named_modules train "
    "trainable_variables"
)
_OF_TENSORS = word_set(
    "detach softmax log_softmax size dim view reshape argmax max mean sum pow log exp abs "
    "unsqueeze squeeze topk gather masked_select clone numel permute transpose flatten sigmoid "
    "chunk split expand scatter_ norm std var float long shape ndim"
)
_OF_SCORES = word_set(
    "softmax log_softmax sigmoid pow log exp abs norm mean std var normalize sqrt matmul t"
)
_SOFTMAXES = word_set("softmax log_softmax sigmoid logsigmoid logsumexp")
_WIDE = word_set(
    "Linear Conv1d Conv2d Conv3d ConvTranspose2d BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm "
    "GroupNorm Embedding LazyLinear Dense Conv2D"
)
_LABEL_LOSSES = word_set(
    "cross_entropy nll_loss softmax_cross_entropy_with_integer_labels "
    "sparse_softmax_cross_entropy_with_logits"
)
_RANKINGS = word_set(
    "margin_ranking_loss MarginRankingLoss triplet_margin_loss TripletMarginLoss "
    "cosine_embedding_loss hinge_embedding_loss"
)
_NUMERIC = word_set("int float max min round abs cos exp pow")


@dataclass(slots=True)
class Name:
    """One name in the scope that it belongs to.

    Attributes:
        text: As it is written, ``self.`` included.
        scope: The function, or None for the file.
        argument: Its place among the parameters.
        default: What it is where nothing is given.
        uses: The ways in which it is used.
        loads: Where it is read.
        values: What is assigned to it.
        loops: It is what a loop goes through.
        attribute: The attribute that a constructor keeps it as.
    """

    text: str
    scope: ast.AST | None
    argument: ast.arg | None = None
    default: ast.expr | None = None
    uses: set[Use] = field(default_factory=set)
    loads: list[ast.expr] = field(default_factory=list)
    values: list[ast.expr] = field(default_factory=list)
    loops: list[ast.expr] = field(default_factory=list)
    attribute: Name | None = None

    @property
    def is_number(self) -> bool:
        """Whether it can only be a number."""
        value = self.default.value if isinstance(self.default, ast.Constant) else None
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        annotation = self.argument.annotation if self.argument is not None else None
        told = annotation is not None and ast.unparse(annotation) in {"int", "float"}
        return plain or told or bool(self.uses & _NUMBERS)

    @property
    def is_model(self) -> bool:
        """Whether it is called or has parameters."""
        return bool(self.uses & {Use.CALLED, Use.MODULE})

    @property
    def is_tensor(self) -> bool:
        """Whether only a tensor is used so."""
        return bool(self.uses & {Use.TENSOR, Use.TARGET, Use.SIGN})


_NUMBERS = frozenset({Use.NUMBER, Use.BETWEEN, Use.FIRST, Use.REST, Use.LAST, Use.WIDTH, Use.KEPT,
                      Use.ROUNDS, Use.MARGIN})  # fmt: skip


class Names:
    """The names of a file, each in its scope."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {
            c: p for p in nodes_of(tree) for c in ast.iter_child_nodes(p)
        }
        self.all: dict[tuple[int, str], Name] = {}
        self.functions = [n for n in nodes_of(tree) if isinstance(n, ast.FunctionDef)]
        self._bound: dict[ast.AST, set[str]] = {}
        for node in nodes_of(tree):
            if isinstance(node, Function):
                self._bind(node)
        for node in nodes_of(tree):
            self._see(node)
        for node in nodes_of(tree):
            self._keep(node)

    def of(self, node: ast.expr) -> Name | None:
        """The name that an expression is."""
        text = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        if isinstance(node, ast.Name):
            return self.all.get((id(self._scope_of(node, text)), text))
        if text.startswith("self.") and text.count(".") == 1:
            return self.all.get((id(self._class_of(node)), text))
        return self.all.get((id(None), text)) if text else None

    def parameters(self, function: ast.AST) -> list[Name]:
        """The parameters of a function."""
        return self._parameters.get(id(function), [])

    @cached_property
    def _parameters(self) -> dict[int, list[Name]]:
        found: dict[int, list[Name]] = {}
        for name in self.all.values():
            if name.argument is not None:
                found.setdefault(id(name.scope), []).append(name)
        return found

    @cached_property
    def defined(self) -> dict[str, list[ast.FunctionDef]]:
        """The functions of the file by name."""
        found: dict[str, list[ast.FunctionDef]] = {}
        for function in self.functions:
            found.setdefault(function.name, []).append(function)
        return found

    @cached_property
    def called(self) -> dict[str, list[Name]]:
        """All that is called so, ``self.`` left out."""
        found: dict[str, list[Name]] = {}
        for name in self.all.values():
            found.setdefault(name.text.removeprefix("self."), []).append(name)
        return found

    @cached_property
    def holding(self) -> dict[str, list[Name]]:
        """The names that a call or an item of something is given to, by its text."""
        found: dict[str, list[Name]] = {}
        for name in self.all.values():
            for value in name.values:
                if isinstance(value, ast.Call | ast.Attribute | ast.Subscript):
                    found.setdefault(ast.unparse(value), []).append(name)
        return found

    @cached_property
    def _calls(self) -> dict[str, list[ast.Call]]:
        found: dict[str, list[ast.Call]] = {}
        for node in nodes_of(self.tree):
            if isinstance(node, ast.Call):
                found.setdefault(last_name(node.func), []).append(node)
        return found

    def calls_of(self, function: ast.FunctionDef) -> list[ast.Call]:
        """Where a function of the file is called."""
        owner = self.parents.get(function)
        if isinstance(owner, ast.ClassDef) and function.name in {"__init__", "forward", "call"}:
            return []
        return [
            n for n in self._calls.get(function.name, [])
            if isinstance(n.func, ast.Name if owner is self.tree else ast.Attribute | ast.Name)
        ]  # fmt: skip

    def statement(self, node: ast.AST) -> ast.AST:
        """The statement that an expression stands in."""
        while not isinstance(node, ast.stmt) and node in self.parents:
            node = self.parents[node]
        return node

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What stands around a node, from the inside out, in the same statement."""
        while not isinstance(node, ast.stmt) and node in self.parents:
            node = self.parents[node]
            yield node

    def _bind(self, node: Function) -> None:
        arguments = node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
        pairs = [*zip(plain, defaults, strict=True),
                 *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]  # fmt: skip
        bound = self._bound.setdefault(node, set())
        for argument, default in pairs:
            bound.add(argument.arg)
            if argument.arg not in {"self", "cls"} and not isinstance(node, ast.Lambda):
                key = (id(node), argument.arg)
                self.all[key] = Name(argument.arg, node, argument, default)
        for inner in nodes_of(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                bound.add(inner.id)

    def _scope_of(self, node: ast.AST, text: str) -> ast.AST | None:
        found: ast.AST | None = self.parents.get(node)
        while found is not None:
            if isinstance(found, Function) and text in self._bound[found]:
                return found
            found = self.parents.get(found)
        return None

    def _class_of(self, node: ast.AST) -> ast.AST | None:
        found: ast.AST | None = self.parents.get(node)
        while found is not None and not isinstance(found, ast.ClassDef):
            found = self.parents.get(found)
        return found

    def _name(self, node: ast.expr) -> Name | None:
        if isinstance(node, ast.Name):
            text, scope = node.id, self._scope_of(node, node.id)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
            text, scope = f"self.{node.attr}", self._class_of(node)
        elif _is_setting(node):
            text, scope = ast.unparse(node), None
        else:
            return None
        return self.all.setdefault((id(scope), text), Name(text, scope))

    def _see(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._assigned(target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._looped(node.target, node.iter)
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            return
        name = self._name(node)
        if name is not None:
            name.loads.append(node)
            name.uses |= set(self._uses(node))

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            parts: list[ast.expr] = [value] * len(target.elts)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                parts = value.elts
            for one, part in zip(target.elts, parts, strict=True):
                self._assigned(one.value if isinstance(one, ast.Starred) else one, part)
        elif (name := self._name(target)) is not None:
            name.values.append(value)

    def _looped(self, target: ast.expr, over: ast.expr) -> None:
        called = last_name(over.func) if isinstance(over, ast.Call) else ""
        if called == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
            self._looped(target.elts[1], over.args[0] if over.args else over)  # type: ignore[attr-defined]
            return
        if called == "zip" and isinstance(target, ast.Tuple):
            for one, source in zip(target.elts, over.args, strict=False):  # type: ignore[attr-defined]
                self._looped(one, source)
            return
        if called.startswith("named_") and isinstance(target, ast.Tuple):
            target = target.elts[-1]
        for inner in nodes_of(target):
            name = self._name(inner) if isinstance(inner, ast.Name) else None
            if name is not None:
                name.loops.append(over)

    def _keep(self, node: ast.AST) -> None:
        """``self.T0 = T0``: the parameter is used as the attribute is."""
        if not isinstance(node, ast.Assign):
            return
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for one, value in pairs:
                given = self.of(value) if isinstance(value, ast.Name) else None
                kept = self.of(one) if isinstance(one, ast.Attribute) else None
                if given is not None and kept is not None and given.argument is not None:
                    given.uses |= kept.uses
                    kept.uses |= given.uses
                    kept.default = kept.default or given.default
                    given.attribute = kept

    def _uses(self, node: ast.expr) -> Iterator[Use]:
        outer = self.parents.get(node)
        if isinstance(outer, ast.Attribute):
            if outer.attr in _MODULE:
                yield Use.MODULE
            elif outer.attr in {"zero_grad", "param_groups"}:
                yield Use.OPTIMIZER
            elif outer.attr in _OF_TENSORS:
                yield Use.TENSOR
            if outer.attr in _OF_SCORES:
                yield Use.SCORES
        elif isinstance(outer, ast.Call):
            yield from self._in_call(node, outer)
        elif isinstance(outer, ast.keyword):
            call = self.parents.get(outer)
            yield from self._as_keyword(outer, call) if isinstance(call, ast.Call) else ()
        elif isinstance(outer, ast.Subscript) and outer.value is node:
            if any(isinstance(n, ast.Slice) for n in nodes_of(outer.slice)):
                yield Use.TENSOR
        elif isinstance(outer, ast.Subscript):
            yield Use.SELECTS
        elif isinstance(outer, ast.For | ast.comprehension) and outer.iter is node:
            yield Use.BATCHES
        yield from self._arithmetic(node)

    def _in_call(self, node: ast.expr, call: ast.Call) -> Iterator[Use]:
        if call.func is node:
            yield Use.CALLED
            return
        name = last_name(call.func)
        place = call.args.index(node) if node in call.args else -1
        method = isinstance(call.func, ast.Attribute) and last_name(call.func.value) not in {
            "F", "torch", "functional", "nn", "jnp", "tf", "optax"}  # fmt: skip
        if name in _WIDE and place >= 0:
            yield Use.WIDTH
        elif name == "topk" and place == (0 if method else 1):
            yield Use.KEPT
        elif name == "range":
            yield Use.ROUNDS
        elif name in _LABEL_LOSSES and place == 1:
            yield Use.TARGET
        elif place == 2 and re.search(r"cos", ast.unparse(call.func), re.IGNORECASE):
            yield Use.SIGN
        elif name in {"one_hot", "full", "zeros", "ones"} and place >= 1:
            yield Use.NUMBER
        elif name in _OF_SCORES and place == 0:
            yield Use.TENSOR
            yield Use.SCORES

    def _as_keyword(self, keyword: ast.keyword, call: ast.Call) -> Iterator[Use]:
        name = last_name(call.func)
        if keyword.arg == "margin" and name in _RANKINGS:
            yield Use.MARGIN
        elif keyword.arg == "k" and name == "topk":
            yield Use.KEPT
        elif keyword.arg in {"num_classes", "lr"}:
            yield Use.NUMBER
        elif keyword.arg == "target" and name in _LABEL_LOSSES:
            yield Use.TARGET
        elif name in _WIDE:
            yield Use.WIDTH

    def _arithmetic(self, node: ast.expr) -> Iterator[Use]:
        """Uses as a part of a sum, of a slice or of a divisor."""
        inner: ast.AST = node
        outer = self.parents.get(node)
        plain = True
        while isinstance(outer, ast.BinOp | ast.UnaryOp) or (
            isinstance(outer, ast.Call) and isinstance(outer.func, ast.Name)
            and last_name(outer.func) in _NUMERIC and inner in outer.args
        ):  # fmt: skip
            if isinstance(outer, ast.BinOp):
                if isinstance(outer.op, ast.Mult):
                    yield Use.FACTOR
                divides = isinstance(outer.op, ast.Div) and outer.right is inner
                if divides and self._is_softened(outer):
                    yield Use.DIVISOR
            plain = plain and isinstance(outer, ast.UnaryOp)
            inner, outer = outer, self.parents[outer]
        if not plain and _takes_scores(inner, outer):
            yield Use.SCORES
        if isinstance(outer, ast.Slice):
            if not plain:
                yield Use.NUMBER
            elif isinstance(inner, ast.UnaryOp):
                yield Use.LAST
            else:
                yield _end_of(outer, inner)

    def _is_softened(self, node: ast.AST) -> bool:
        """Whether a quotient goes into a softmax as it is."""
        outer = self.parents.get(node)
        if isinstance(outer, ast.Attribute):
            return outer.attr in _SOFTMAXES
        return (
            isinstance(outer, ast.Call) and last_name(outer.func) in _SOFTMAXES
            and node in outer.args[:1]
        )  # fmt: skip


_SETTINGS = word_set("args cfg config conf opt opts hp hparams flags FLAGS params settings")


def _is_setting(node: ast.expr) -> bool:
    """``cfg.tau_max``, ``self.args.alpha``."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = node.value
    if isinstance(owner, ast.Attribute) and ast.unparse(owner.value) == "self":
        return owner.attr in _SETTINGS
    return isinstance(owner, ast.Name) and owner.id in _SETTINGS


def _end_of(cut: ast.Slice, bound: ast.AST) -> Use:
    """What a bound of a slice is: where the first part ends, where the rest begins, or between."""
    if cut.lower is not None and cut.upper is not None and bound is not cut.step:
        return Use.FIRST if isinstance(cut.lower, ast.Constant) else Use.BETWEEN
    ends = {id(cut.upper): Use.FIRST, id(cut.lower): Use.REST}
    return ends.get(id(bound), Use.NUMBER)


def _takes_scores(inner: ast.AST, outer: ast.AST | None) -> bool:
    """Whether what a sum or a quotient becomes next is done with scores alone."""
    if isinstance(outer, ast.Attribute):
        return outer.attr in _OF_SCORES
    return (
        isinstance(outer, ast.Call) and last_name(outer.func) in _OF_SCORES
        and inner in outer.args[:1]
    )  # fmt: skip


@lru_cache(maxsize=4)
def names_of(tree: ast.Module) -> Names:
    """The names of a file."""
    return Names(tree)
