"""Calls: of functions of the code, of libraries, of methods and of models."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence as Items
from contextlib import suppress

from didact.check.engine.names import is_model
from didact.check.explain.formula.libraries import (
    CASTS,
    METHODS,
    SAME,
    Layer,
    call,
    lacks_arguments,
    layer,
    translation,
)
from didact.check.explain.formula.plain import bare, sign_of
from didact.check.explain.formula.trace.looks import is_tape, method_of
from didact.check.explain.formula.trace.objects import (
    NONE,
    RAISED,
    ClassValue,
    Closure,
    Either,
    Instance,
    Library,
    Named,
    Partial,
    Scope,
    Value,
)
from didact.check.explain.formula.trace.state import State
from didact.check.explain.formula.trace.values import (
    is_joined_labels,
    is_model_itself,
    is_sample,
    is_setting,
    is_square,
)
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Given,
    Item,
    Node,
    Sequence,
)

DEPTH = 8
_MADE = {"new_zeros": "zeros", "new_ones": "ones", "new_tensor": "tensor", "new": "zeros",
         "new_empty": "zeros"}  # fmt: skip
"""Methods that make a tensor of the kind of another one."""
_OF_MODELS_TOO = frozenset({"norm", "relu", "sort", "add", "to", "cuda", "cpu", "float", "half"})
"""Methods of tensors that a model may have as well."""

_PLACED = frozenset({"cuda", "to", "cpu", "eval", "train", "half", "float", "double", "bfloat16"})
"""Methods of a module that give back the module."""


class Calls(State):
    """Follows calls."""

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        value = self._called_value(node, scope)
        if isinstance(value, Call) and lacks_arguments(value):
            return self._unknown(ast.unparse(node), value.children)
        if is_tape(node.func) and node.args:
            self._goes_back(node, node.args[0], scope)
        return value

    def _called_value(self, node: ast.Call, scope: Scope) -> Value:
        if isinstance(node.func, ast.Attribute):
            base = self._value(node.func.value, scope)
            if isinstance(base, Node):
                return self._method(node, base, scope)
            if isinstance(base, Instance) and node.func.attr in _PLACED and (
                method_of(base.node, node.func.attr) is None
            ):  # fmt: skip
                return base
            if isinstance(base, Named) and node.func.attr == "values" and not node.args:
                return Sequence(tuple(base.items.values()))
        function = self._value(node.func, scope)
        args = [self._value(a, scope) for a in node.args if not isinstance(a, ast.Starred)]
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                args += self._spread(argument, scope)
        keywords = {k.arg: self._value(k.value, scope) for k in node.keywords if k.arg}
        return self._apply(node, function, args, keywords)

    def _spread(self, node: ast.Starred, scope: Scope) -> list[Value]:
        value = self._value(node.value, scope)
        if isinstance(value, Sequence):
            return list(value.items)
        return [self._unknown(ast.unparse(node), [value])]

    def _apply(
        self, node: ast.Call, function: Value, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        nodes = [a for a in args if isinstance(a, Node)]
        named = {k: v for k, v in keywords.items() if isinstance(v, Node)}
        if isinstance(function, Closure):
            return self._inline(node, function, args, keywords)
        if isinstance(function, Either):
            then = self._apply(node, function.then, args, keywords)
            other = self._apply(node, function.other, args, keywords)
            return self._choice(function.text, function.test, then, other)
        if isinstance(function, Partial):
            more = {**function.keywords, **keywords}
            return self._apply(node, function.function, [*function.args, *args], more)
        if isinstance(function, ClassValue):
            return self._instance(function, args, keywords)
        if isinstance(function, Instance):
            for name in ("forward", "__call__", "call"):
                method = method_of(function.node, name)
                if method is not None:
                    return self._inline(node, Closure(method, self.top, function), args, keywords)
        if isinstance(function, Layer) and len(nodes) == len(args):
            made = function(nodes, named)
            if made is not None:
                return made
        if isinstance(function, Library) and function.path == "functools.partial" and args:
            return Partial(args[0], tuple(args[1:]), keywords)
        if isinstance(function, Library):
            return self._library_call(node, function.path, args, nodes, named)
        if isinstance(function, Given) and not function.inputs:
            same = self._class_named(function.text)
            if same is not None:
                return self._apply(node, self._instance(same, [], {}), args, keywords)
            builtin = self._builtin(node, function.text, args, named)
            if builtin is not None:
                return builtin
            assumed = self._assumed_loss(function.text, args) if not keywords else None
            if assumed is not None:
                return assumed
        shown = self._shown_call(node, args)
        model = isinstance(function, Given) and (is_model(function.text) or function.model)
        own = [function] if isinstance(function, Item) else []  # a model of a list of models
        return self._unknown(shown, [*own, *args, *keywords.values()], model=model)

    def _shown_call(self, node: ast.Call, args: list[Value]) -> str:
        """A call as it reads where the function that it stands in is called."""
        if not self._depth or any(isinstance(a, ast.Starred) for a in node.args):
            return ast.unparse(node)
        changed = copy.copy(node)
        changed.args = [
            self._outer(a, v) for a, v in zip(node.args, args, strict=False)
        ]  # fmt: skip
        return ast.unparse(changed)

    def _outer(self, argument: ast.expr, value: Value) -> ast.expr:
        """A parameter under the name of what it was given."""
        if isinstance(argument, ast.Call) and isinstance(value, Given) and value.inputs:
            with suppress(SyntaxError):
                return ast.parse(value.text, mode="eval").body
        if not isinstance(argument, ast.Name) or not isinstance(value, Given):
            return argument
        name = self.labels.get(value, value.text) if value.inputs else value.text
        known = name.replace(".", "_").isidentifier() or name.startswith("self.")
        return ast.Name(id=name) if known and name != argument.id else argument

    def _assumed_loss(self, name: str, args: list[Value]) -> Node | None:
        """A loss that is not shown, where what it is given leaves one choice."""
        nodes = [a for a in args if isinstance(a, Node)]
        kinds = [bare(n).name if isinstance(bare(n), Call) else "" for n in nodes]  # type: ignore[attr-defined]
        made: Node | None = None
        if len(nodes) != len(args):
            return None
        if kinds == ["log_softmax", "softmax"] and "tensorflow" not in self.frameworks:
            told = 'nn.KLDivLoss(reduction="batchmean")'
            made = Call("kl_div", tuple(nodes), (("reduction", Constant("batchmean")),))
        elif kinds == ["softmax", "softmax"] and self.frameworks == {"tensorflow"}:
            told = "keras.losses.KLDivergence()"
            function = layer("tensorflow.keras.losses.KLDivergence", [], {})
            made = function(nodes, {}) if function is not None else None
        elif len(nodes) == 3 and "cos" in name.lower() and sign_of(nodes[2]) == 1:
            told = "nn.CosineEmbeddingLoss()"
            made = call("cosine_embedding_loss", nodes, {})
        if made is not None:
            self.assumed[name] = told
        return made

    def _class_named(self, text: str) -> ClassValue | None:
        """The class of the code that an object is called after: ``teacher`` is a ``Teacher``."""
        wanted = text.rsplit(".", 1)[-1].replace("_", "").lower()
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node.name.lower() == wanted:
                return ClassValue(node, self.top)
        return None

    def _count_of_classes(self, node: Node) -> Node:
        """A number of classes that stands in the code, as one that another paste could have."""
        value = node.value if isinstance(node, Constant) else None
        return self._given(str(value), ()) if type(value) is int and value > 1 else node

    def _library_call(
        self, node: ast.Call, path: str, args: list[Value], nodes: list[Node],
        named: dict[str, Node],
    ) -> Value:  # fmt: skip
        self._library(path)
        if path.endswith("adaptive_avg_pool2d") and is_square(nodes):
            return self._unknown(ast.unparse(node), nodes)  # to the size of maps that are square
        if path.endswith(".cat") and is_joined_labels(nodes):
            return self._unknown(ast.unparse(node), nodes)  # the labels of a larger batch
        if path.endswith(".one_hot"):  # ten classes there, and any number of them here
            nodes = [*nodes[:1], *map(self._count_of_classes, nodes[1:])]
            named = {k: self._count_of_classes(v) for k, v in named.items()}
        if len(nodes) == len(args):
            made = layer(path, nodes, named)
            if made is not None:
                return made
            if path == "torch.logaddexp" and len(nodes) == 2:
                return Call("logsumexp", (Call("stack", (Sequence(tuple(nodes)),)), Constant(0)))
            function = translation(path)
            result = function(list(nodes), dict(named)) if function is not None else None
            if result is not None:
                return result
        return self._unknown(ast.unparse(node), [*nodes, *named.values()])

    def _builtin(
        self, node: ast.Call, name: str, args: list[Value], keywords: dict[str, Node]
    ) -> Value | None:
        nodes = [a for a in args if isinstance(a, Node)]
        if len(nodes) != len(args):
            return None
        if name in {"len", "range", "abs", "sum", "max", "min", "float", "int", "list", "tuple"}:
            if name == "len" and nodes and isinstance(nodes[0], Sequence):
                return Constant(len(nodes[0].items))
            text = nodes[0].value if nodes and isinstance(nodes[0], Constant) else None
            if name == "float" and isinstance(text, str):
                with suppress(ValueError):
                    return Constant(float(text))
            plain = nodes[0] if len(nodes) == 1 else None
            if name in {"float", "int"} and isinstance(plain, Given) and is_setting(plain):
                return plain
            if name in {"list", "tuple", "float", "int"}:
                single = {"float": "floating", "int": "integers"}.get(name)
                if not nodes:
                    return Sequence(())
                return nodes[0] if single is None else Call("item", (nodes[0],))
            if name == "sum" and len(nodes) == 2:
                return Call("add", (nodes[1], Call("sum", (nodes[0],))))
            if name in {"max", "min"} and len(nodes) == 2:
                return Call(f"{name}imum", tuple(nodes))
            return Call("length" if name == "len" else name, tuple(nodes))
        if name == "super":
            return self._given("super()", ())
        del node, keywords
        return None

    def _method(self, node: ast.Call, base: Node, scope: Scope) -> Value:
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr.rstrip("_") if node.func.attr != "_" else "_"
        args = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                args += self._spread(argument, scope)
            else:
                args.append(self._value(argument, scope))
        keywords = {k.arg: self._value(k.value, scope) for k in node.keywords if k.arg}
        shape = self._shape_of(node, scope) if name in {"view", "reshape"} else None
        if shape is not None:
            return Call("view_as", (base, shape))
        nodes = [a for a in args if isinstance(a, Node)]
        named = {k: v for k, v in keywords.items() if isinstance(v, Node)}
        model = name in _OF_MODELS_TOO and is_model_itself(base)
        if not model and len(nodes) == len(args) and not isinstance(base, Sequence):
            if name in SAME:
                return base
            if name in CASTS:
                return Call(CASTS[name], (base,))
            if name == "fill" and len(nodes) == 1:
                return Call("full_like", (base, nodes[0]))
            if name == "zero" and not nodes:
                return Call("zeros_like", (base,))
            if name in _MADE:
                return call(_MADE[name], nodes, named) or self._unknown(ast.unparse(node), nodes)
            if name == "permute" or name in METHODS:
                made = call(name, [base, *nodes], named)
                if made is not None:
                    return made
        shown = self._shown_call(node, args)
        inside = base.inputs if isinstance(base, Given) else (base,)
        return self._unknown(shown, [*inside, *args, *keywords.values()], model=model)

    def _shape_of(self, node: ast.Call, scope: Scope) -> Node | None:
        """``x`` of ``view(*x.shape)`` and ``view(x.shape)``."""
        if len(node.args) != 1 or node.keywords:
            return None
        given = node.args[0].value if isinstance(node.args[0], ast.Starred) else node.args[0]
        value = self._value(given, scope)
        whole = isinstance(value, Call) and value.name == "size" and len(value.args) == 1
        return value.args[0] if whole else None

    def _inline(
        self, node: ast.Call, closure: Closure, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        if self._depth >= DEPTH:
            return self._unknown(ast.unparse(node), args)
        self._called.add(id(closure.node))
        sample = any(map(is_sample, [*args, *keywords.values()]))
        if id(node) in self._printed or (id(node) in self._shown and sample):
            self._demonstrated.add(id(closure.node))
        scope = Scope({}, closure.scope)
        self._parameters(closure, args, keywords, scope, called=True)
        self._depth += 1
        try:
            if isinstance(closure.node, ast.Lambda):
                return self._value(closure.node.body, scope)
            result = self._block(closure.node.body, scope)
        finally:
            self._depth -= 1
        if result is None or result is RAISED:
            return NONE
        if self._frozen and isinstance(result, Call):
            return Call("detach", (result,))
        return result

    def _parameters(
        self, closure: Closure, args: Items[Value], keywords: dict[str, Value], scope: Scope,
        *, called: bool = False,
    ) -> None:  # fmt: skip
        arguments = closure.node.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        defaults: dict[str, ast.expr] = dict(
            zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True)
        )
        for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            names.append(parameter.arg)
            if value is not None:
                defaults[parameter.arg] = value
        if closure.owner is not None and names:
            scope.names[names[0]] = closure.owner
            names = names[1:]
        given = dict(zip(names, args, strict=False)) | keywords
        for name in names:
            if name in given:
                scope.names[name] = given[name]
                continue
            default = defaults.get(name)
            value = self._value(default, closure.scope) if default is not None else None
            constant = value.value if isinstance(value, Constant) else None
            number = isinstance(constant, int | float)
            if isinstance(value, Node) and (
                not isinstance(value, Constant) or (called and not number)
            ):
                scope.names[name] = value
            else:
                scope.names[name] = self._given(name, (), default=constant)
        if arguments.vararg is not None:
            scope.names[arguments.vararg.arg] = self._given(arguments.vararg.arg, ())

    def _instance(
        self, cls: ClassValue, args: list[Value], keywords: dict[str, Value], *, free: bool = False
    ) -> Instance:
        del free
        instance = Instance(cls.node, {})
        self._instances.append(instance)
        start = method_of(cls.node, "__init__")
        if start is not None and self._depth < DEPTH:
            closure = Closure(start, cls.scope, instance)
            scope = Scope({}, cls.scope)
            self._parameters(closure, args, keywords, scope)
            self._called.add(id(start))
            self._depth += 1
            try:
                self._block(start.body, scope)
            finally:
                self._depth -= 1
        return instance
