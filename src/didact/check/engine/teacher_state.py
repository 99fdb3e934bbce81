"""What a file does to its models: eval, train, freezing, optimisers, copies."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from didact.check.engine.index import Index
from didact.check.engine.names import dotted, role_of, words
from didact.check.engine.spaces import Role

_FREEZERS = ("freeze", "frozen", "requires_grad", "no_grad", "grad")
_SETTERS = ("eval", "freeze", "frozen", "prepare", "teacher", "disable")
_OPTIMIZERS = ("optim", "Optimizer", "SGD", "Adam", "AdamW", "RMSprop")


@dataclass(slots=True)
class ModelFacts:
    """Facts by the parts of a model's name: ``self.teacher.net`` counts for ``teacher``.

    Attributes:
        evaluated: ``.eval()`` or ``.train(False)`` is called on it.
        trained: ``.train()`` is called on it.
        frozen: Its parameters' ``requires_grad`` is turned off.
        optimized: Its parameters are given to an optimiser.
        aliases: ``teacher = model`` without a copy, with the statement.
        averaged: It follows another model by a moving average.
        overrides_train: Classes that define ``train`` themselves.
        gradients_wanted: ``.backward`` or ``autograd.grad`` is asked of a teacher's output.
    """

    evaluated: set[str] = field(default_factory=set)
    trained: dict[str, ast.Call] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    optimized: dict[str, ast.Call] = field(default_factory=dict)
    aliases: list[tuple[ast.Assign, str, str]] = field(default_factory=list)
    averaged: set[str] = field(default_factory=set)
    overrides_train: set[str] = field(default_factory=set)
    gradients_wanted: set[str] = field(default_factory=set)

    def beside(self, others: Iterable[ModelFacts]) -> ModelFacts:
        """The facts of this file, with what other files do to take care of a teacher."""
        others = list(others)
        return replace(
            self,
            evaluated=self.evaluated.union(*(other.evaluated for other in others)),
            frozen=self.frozen.union(*(other.frozen for other in others)),
            averaged=self.averaged.union(*(other.averaged for other in others)),
            gradients_wanted=self.gradients_wanted.union(*(o.gradients_wanted for o in others)),
        )

    def is_evaluated(self, model: str) -> bool:
        """Whether a model is put into evaluation mode anywhere in the file."""
        return any(name in self.evaluated for name in names_of(model))

    def is_frozen(self, model: str) -> bool:
        """Whether a model's parameters are frozen anywhere in the file."""
        return any(name in self.frozen for name in names_of(model))


def names_of(model: str) -> set[str]:
    """The parts of a dotted name by which facts are kept."""
    parts = [part for part in model.split(".") if part not in ("self", "module", "args", "cls")]
    teachers = {part for part in parts if role_of(part) is Role.TEACHER}
    return teachers or set(parts[:1]) | set(parts[-1:])


def model_facts(index: Index) -> ModelFacts:
    """Read the facts of a file in one walk, once."""
    known = index.notes.get("model_facts")
    if isinstance(known, ModelFacts):
        return known
    facts = index.notes["model_facts"] = ModelFacts()
    for call in index.of(ast.Call):
        _call(call, facts)
    for assignment in index.of(ast.Assign):
        _assignment(assignment, facts)
    for loop in index.of(ast.For):
        _loop(loop, facts)
    for owner in index.of(ast.ClassDef):
        methods = {item.name for item in owner.body if isinstance(item, ast.FunctionDef)}
        if methods & {"train", "eval", "on_train_epoch_start", "on_train_start"}:
            facts.overrides_train.add(owner.name)
    return facts


def _call(node: ast.Call, facts: ModelFacts) -> None:
    function = node.func
    if isinstance(function, ast.Attribute):
        _method(node, function, facts)
    name = dotted(function)
    rate = any(keyword.arg == "lr" for keyword in node.keywords)
    if name and (rate or any(part in name for part in _OPTIMIZERS)):
        _optimizer(node, facts)
    last = set(words(name)[-4:]) if name else set()
    if last & {"momentum", "ema", "average"}:
        for argument in node.args:
            model = dotted(argument)
            facts.averaged |= names_of(model) if model else set()
    for argument in node.args if last & {*_FREEZERS, *_SETTERS} else ():
        model = dotted(argument)
        for part in names_of(model) if model else ():
            facts.evaluated.add(part)
            if last & set(_FREEZERS):
                facts.frozen.add(part)


def _method(node: ast.Call, function: ast.Attribute, facts: ModelFacts) -> None:
    model = dotted(function.value) or _called_on(function.value)
    off = bool(node.args) and isinstance(node.args[0], ast.Constant) and not node.args[0].value
    if not model:
        return
    parts = names_of(model)
    if function.attr == "eval" or (function.attr == "train" and off):
        facts.evaluated |= parts
    elif function.attr == "train":
        for part in parts:
            facts.trained.setdefault(part, node)
    elif (function.attr == "requires_grad_" and off) or "freeze" in function.attr:
        facts.frozen |= parts
        if "freeze" in function.attr:
            facts.evaluated |= parts
    elif function.attr == "backward":
        facts.gradients_wanted |= parts


def _called_on(node: ast.expr) -> str:
    """The model at the start of a chain of calls, ``x.to(d).eval()``."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return dotted(node)


def _optimizer(node: ast.Call, facts: ModelFacts) -> None:
    for argument in [*node.args[:1], *(k.value for k in node.keywords if k.arg == "params")]:
        for part in ast.walk(argument):
            if isinstance(part, ast.Attribute) and part.attr in ("parameters", "named_parameters"):
                model = dotted(part.value)
                for name in names_of(model) if model else ():
                    facts.optimized.setdefault(name, node)


def _assignment(node: ast.Assign, facts: ModelFacts) -> None:
    target = dotted(node.targets[0])
    value = node.value
    if not target:
        return
    made = value
    if isinstance(value, ast.Call) and dotted(value.func).endswith("deepcopy") and value.args:
        made = value.args[0]
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
        chain = _methods_in(made)
        if "eval" in chain:
            facts.evaluated |= names_of(target)
        if "requires_grad_" in chain:
            facts.frozen |= names_of(target)
        if "freeze" in chain:
            facts.evaluated |= names_of(target)
            facts.frozen |= names_of(target)
    source = dotted(value) if isinstance(value, ast.Name | ast.Attribute) else ""
    if source and source != target:
        facts.aliases.append((node, target, source))


def _methods_in(node: ast.expr) -> set[str]:
    found: set[str] = set()
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        found.add(node.func.attr)
        node = node.func.value
    return found


def _small(node: ast.For) -> Iterator[ast.AST]:
    """The nodes of a loop that does little: a training loop is no loop over parameters."""
    return ast.walk(node) if (node.end_lineno or node.lineno) - node.lineno < 8 else iter(())


def _loop(node: ast.For, facts: ModelFacts) -> None:
    """``for p in m.parameters(): p.requires_grad = False``, ``for m in (a, b): m.eval()``."""
    frozen = evaluated = False
    for part in _small(node):
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Attribute):
            off = isinstance(part.value, ast.Constant) and part.value.value is False
            frozen |= part.targets[0].attr == "requires_grad" and off
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            frozen |= part.func.attr in ("requires_grad_", "detach_") and bool(
                part.args or part.func.attr == "detach_"
            )
            evaluated |= part.func.attr == "eval"
    if not (frozen or evaluated):
        return
    for part in ast.walk(node.iter):
        if isinstance(part, ast.Name | ast.Attribute):
            name = dotted(part).removesuffix(".parameters").removesuffix(".named_parameters")
            for model in names_of(name) if name else ():
                if frozen:
                    facts.frozen.add(model)
                if evaluated:
                    facts.evaluated.add(model)
