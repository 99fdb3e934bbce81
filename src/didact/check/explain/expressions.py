"""One expression in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from didact._core.i18n import Text
from didact.check.engine.engine import Analysis
from didact.check.engine.events import LossUse
from didact.check.engine.names import (
    is_label,
    is_loss,
    is_model,
    is_temperature,
    is_weight,
    role_of,
    words,
)
from didact.check.engine.spaces import Grad, Role, Space
from didact.check.explain.call_words import Bare, arguments, bare, filled, last_name, same
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.formula.roles import LAYERS, side
from didact.check.explain.formula.trace import Library, is_output
from didact.check.explain.formula.tree import Call, Constant, Given, Node
from didact.check.explain.idioms import Scene, idiom
from didact.check.explain.idioms._peel import peel, reduction, times
from didact.check.explain.idioms.softmaxes import remark
from didact.check.explain.losscalls import (
    WRITTEN_OUT,
    code_of,
    factor_of,
    loss_phrase,
    softened,
)
from didact.check.explain.proof import Proof
from didact.check.explain.slices import slice_phrase
from didact.check.explain.sums import enumerated, weighted
from didact.check.explain.who import SIDES, Who, who_is_who
from didact.check.explain.words.calls import FUNCTIONS, GRADIENTS
from didact.check.explain.words.constructors import CONSTRUCTORS
from didact.check.explain.words.methods import METHODS, TENSOR_METHODS

_MODULES = {
    "F",
    "torch",
    "nn",
    "np",
    "math",
    "functional",
    "optim",
    "copy",
    "lr_scheduler",
    "random",
}
_OPERATORS: dict[type[ast.operator], Text] = {
    ast.Add: Text("the sum of {a} and {b}", "{a} 与 {b} 之和"),
    ast.Sub: Text("{a} minus {b}", "{a} 减 {b}"),
    ast.Mult: Text("{a} times {b}", "{a} 乘 {b}"),
    ast.Div: Text("{a} divided by {b}", "{a} 除以 {b}"),
    ast.FloorDiv: Text("{a} divided by {b}, rounded down", "{a} 整除 {b}"),
    ast.Mod: Text("the remainder of {a} by {b}", "{a} 除以 {b} 的余数"),
    ast.Pow: Text("{a} to the power {b}", "{a} 的 {b} 次方"),
    ast.MatMult: Text("the matrix product of {a} and {b}", "{a} 与 {b} 的矩阵乘积"),
}
_MODEL_CALL = Text("the output of {owner}{o} for {x}", "把 {x} 输入{owner}{o} 得到的输出")
_HELD_CALL = Text(
    "the output of {owner}{o} for {x}, run with the parameters {p}",
    "用参数 {p}、输入 {x} 运行{owner}{o} 得到的输出",
)
_INFERENCE = Text(
    "{what}, in inference mode (`training=False`: no dropout, BatchNorm with its moving "
    "statistics)",
    "{what}，推理模式（`training=False`：不做 dropout，BatchNorm 用滑动统计量）",
)
_TRAINING = Text("{what}, in training mode", "{what}，训练模式")
_TASK_LOSS = Text(
    "the loss of {a} against the labels {b} ({o} is not shown here)",
    "{a} 对标签 {b} 的损失（{o} 的定义不在此处）",
)
_KERAS_CALL = Text(
    "what the loss {o} gives for y_true = {a} and y_pred = {b}",
    "损失 {o} 在 y_true = {a}、y_pred = {b} 下的值",
)
_OWN_CALL = Text("what {o} returns for {args}", "以 {args} 调用 {o} 的返回值")
_PASTED_CALL = Text(
    "what {o}, defined in line {line}, makes of {args}", "由第 {line} 行定义的 {o} 从 {args} 算出"
)
_MEANT = Text("{what}: {meant}", "{what}：{meant}")
_IN_BACKTICKS = re.compile(r"`[^`]*`")
_OWN_CALL_BARE = Text("what {o}() returns", "{o}() 的返回值")
_CRITERION = Text("the loss {call}", "{call} 的损失值")
_NEW_CRITERION = Text("a new loss object {call}", "新建的损失对象 {call}")
_GRADIENT_AT = Text(
    "the gradient of {o} with respect to its first argument, {x}", "{o} 对其第一个参数 {x} 的梯度"
)
_GRADIENT_OF = Text("the gradient of {o} with respect to {x}", "{o} 对 {x} 的梯度")
_VALUE_AND_GRADIENT_AT = Text(
    "the value of {o} and its gradient with respect to its first argument, {x}",
    "{o} 的值及其对第一个参数 {x} 的梯度",
)
_FLAT = Text("{o} flattened to one dimension", "{o} 展平成一维")
_SHIFTED = Text(
    "the labels {a} renumbered so that class {b} becomes 0, as a head sliced from {b} on needs "
    "them",
    "标签 {a} 减去 {b} 后的编号：第 {b} 类变为 0，与从 {b} 起切出的分类头对应",
)
_FUNCTION = Text(
    "a small function of {parameters}: {what}", "一个小函数，参数 {parameters}：{what}"
)
_SMALLER = Text("the smaller of {args}", "{args} 中较小的一个")
_LARGER = Text("the larger of {args}", "{args} 中较大的一个")
_OWNER = {
    Role.STUDENT: Text("the student ", "学生模型 "),
    Role.TEACHER: Text("the teacher (old model) ", "教师（旧）模型 "),
    Role.UNKNOWN: Text("the model ", "模型 "),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Puts expressions in words, with what the analysis knows of them."""

    analysis: Analysis
    uses: dict[int, LossUse]
    judged: Judged
    proof: Proof

    def owner(self, node: ast.expr | None) -> Role:
        """Whose an expression is, by the formula's roles: provenance and use before names."""
        traced = self.traced(node)
        if traced is None or (node is not None and self.who.is_shared(node)):
            return Role.UNKNOWN
        told = side(traced, self.judged.roles)
        return Role(told) if told is not None else Role.UNKNOWN

    def whose(self, node: ast.expr | None) -> Role | str:
        """The same as it is said: of several students the name of the model."""
        traced = self.traced(node)
        if traced is None or (node is not None and self.who.is_shared(node)):
            return Role.UNKNOWN
        told = self.who.side_of(traced)
        if told is None:
            return Role.UNKNOWN
        return Role(told) if told in set(Role) else told

    def traced(self, node: ast.expr | None) -> Node | None:
        """The part of a formula that an expression is."""
        value = self.judged.tracer.values.get(id(node))
        return value if isinstance(value, Node) else None

    @property
    def scene(self) -> Scene:
        """What idioms are recognised in."""
        return Scene(self.judged, self.proof)

    @property
    def who(self) -> Who:
        """What the names of the paste stand for."""
        return who_is_who(self.judged)

    def is_forward(self, node: ast.expr) -> bool:
        """Whether an expression is a model's output and is said to be one."""
        return isinstance(node, ast.Call) and self._model_call(node) is not None

    def builds_model(self, node: ast.Assign) -> bool:
        """Whether an assignment makes a model: it is called, trained or moved later on."""
        target, value = node.targets[0], node.value
        if not isinstance(target, ast.Name | ast.Attribute) or not isinstance(value, ast.Call):
            return False
        while last_name(value.func) in _MOVES and isinstance(value.func, ast.Attribute):
            inner = value.func.value
            if not isinstance(inner, ast.Call):
                return False
            value = inner
        moved = value is not node.value
        if not self.is_plain_call(value) and not is_model(last_name(value.func)):
            return False
        own = last_name(value.func) in functions_of(self.analysis.tree)
        if own or any(isinstance(a, ast.Name) and not a.id.isupper() for a in value.args):
            return False
        shown = ast.unparse(target)
        called = shown in callees_of(self.analysis.tree)
        named = is_model(shown) or role_of(shown) is not Role.UNKNOWN
        return shown in models_of(self.analysis.tree) or (
            (called or moved) and named and not is_loss(shown)
        )

    def is_object(self, node: ast.expr) -> bool:
        """Whether an expression is certainly no tensor: a module, a model, ``self``."""
        value = self.judged.tracer.values.get(id(node))
        if isinstance(value, Node):
            if not isinstance(value, Given) or value.inputs:
                return False
            return is_model(value.text) and not is_output(value.text)
        return value is not None or ast.unparse(node) in {"self", "cls"}

    @property
    def is_torch(self) -> bool:
        """Whether the code is PyTorch's, as far as its imports tell."""
        frameworks = self.judged.tracer.frameworks
        return not frameworks or "torch" in frameworks

    def is_plain_call(self, node: ast.Call) -> bool:
        """Whether a call is of a function that nothing is known of."""
        name = last_name(node.func)
        if id(node) in self.uses or isinstance(node.func, ast.Call):
            return False
        known = name in METHODS or name in FUNCTIONS or name in CONSTRUCTORS
        return not (known or is_loss(ast.unparse(node.func)) or is_model(ast.unparse(node.func)))

    def phrase(self, node: ast.expr) -> Text:
        """What the expression gives, as a noun phrase."""
        if (meant := idiom(self.scene, node)) is not None:
            return meant
        if (reduced := self._reduced_here(node)) is not None:
            return reduced
        use = self.uses.get(id(node))
        if use is not None and (words := self.loss_words(use, node)) is not None:
            return words
        if (told := self.softened(node)) is not None:
            return told
        inferred = _INFERRED.get(type(node))
        if inferred is not None:
            return inferred(self, node)
        simple = _SIMPLE.get(type(node))
        return simple(node) if simple is not None else same(code_of(node))

    def _reduced_here(self, node: ast.expr) -> Text | None:
        """A loss that is kept element by element and summed up right behind the call."""
        part = self.traced(node)
        if not isinstance(part, Call) or id(node) in self.uses:
            return None
        found = peel(self.scene, part)
        call = next((n for n in nodes_of(node) if isinstance(n, ast.expr) and id(n) in self.uses
                     and self.traced(n) is found.core), None)  # fmt: skip
        if call is None or not found.reduced or self.uses[id(call)].reduction != "none":
            return None
        steps = reduction(found)
        if steps is None or found.negative or found.reduced == [("mean", None)]:
            return None
        bare_steps = Text(steps.en.removeprefix("; "), steps.zh.removeprefix("；"))
        words = self.loss_words(self.uses[id(call)], call, reduced=bare_steps)
        behind = times(self.scene, found, node)
        return Text(f"{words.en}{behind.en}", f"{words.zh}{behind.zh}") if words else None

    def loss_words(
        self, use: LossUse, node: ast.expr, *, reduced: Text | None = None
    ) -> Text | None:
        """What a loss computes, with what is known of its two sides."""
        part = self.traced(node)
        whole = True
        if isinstance(part, Call) and part.name == "kl_div" and len(part.args) > 1:
            sides = [
                self.proof.is_distribution(part.args[0], log=True),
                self.proof.is_distribution(part.args[1], log=bool(use.log_target)),
            ]
            whole = False not in sides
        return loss_phrase(use, self.whose, part, whole=whole, reduced=reduced)

    def softened(self, node: ast.expr) -> Text | None:
        """What a softmax gives, where the numbers bear out that it is one."""
        if not isinstance(node, ast.Call) or last_name(node.func) not in _SOFTMAXES:
            return None
        method = isinstance(node.func, ast.Attribute) and not _in_module(node.func.value)
        library = isinstance(self.judged.tracer.values.get(id(node.func)), Library)
        argument = node.func.value if method and not library else next(iter(node.args), None)  # type: ignore[attr-defined]
        if argument is None or (isinstance(node.func, ast.Name) and self._defined_at(node.func)):
            return None
        value = self.proof.value_of(node)
        if value is not None and not self.is_torch:
            value = value.replace(grad=Grad.UNKNOWN)
            given = any(k.arg in {"axis", "dim"} for k in node.keywords) or len(node.args) > 1
            if value.axis is not None and not given:
                value = value.replace(axis=-1)  # the default of the other libraries
        words = softened(node, argument, value, self.whose(node))
        return remark(self.scene, node, words) if words is not None else None

    def _call(self, node: ast.Call) -> Text:
        name = last_name(node.func)
        if isinstance(node.func, ast.Name) and self._defined_at(node.func):
            return self._own_call(node)
        if name != "clone" and (hot := self._hot(node)) is not None:
            return hot
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        value = self.judged.tracer.values.get(id(node.func))
        library = isinstance(value, Library)
        if owner is None and name in {"min", "max"} and len(node.args) > 1:
            either = _SMALLER if name == "min" else _LARGER
            return either.format(args=arguments(node))
        tensors_only = name in TENSOR_METHODS and owner is not None and self.is_object(owner)
        method = owner is not None and not _in_module(owner) and not library
        if method and owner is not None and name == "contiguous":
            return self.phrase(owner)
        if method and name in _COMPARED and len(node.args) == 1:
            return _IS.format(a=code_of(owner), sign=_COMPARED[name], b=code_of(node.args[0]))
        if method and name in {"view", "reshape"} and _is_minus_one(node.args):
            return _FLAT.format(o=code_of(owner))
        if method and name in _BEHIND and isinstance(owner, ast.Call):
            inner = self.phrase(owner)
            if not isinstance(inner, Bare):
                return _BEHIND[name].format(what=inner, args=arguments(node))
        if method and name in METHODS and not tensors_only:
            return filled(METHODS[name], node, owner, method=True)
        if (gradient := self._gradient(node)) is not None:
            return gradient
        free = owner is None or _in_module(owner) or (library and name in FUNCTIONS)
        if free and (template := FUNCTIONS.get(name) or CONSTRUCTORS.get(name)):
            return filled(template, node, owner, method=False)
        return self._own_call(node)

    def _hot(self, node: ast.Call) -> Text | None:
        """A mask that is one-hot, however it is made."""
        value = self.traced(node)
        cast = ""
        while isinstance(value, Call) and value.name in {"booleans", "floating", "integers"}:
            cast = cast or value.name
            value = value.args[0]
        if not isinstance(value, Call) or not cast or last_name(node.func) == "one_hot":
            return None
        if value.name == "one_hot":
            labels = value.args[0]
        elif value.name == "scatter" and len(value.args) > 3 and _is_filled(value, 0, 1):
            labels = value.args[2]
        else:
            return None
        while isinstance(labels, Call) and labels.name in {"unsqueeze", "view", "reshape"}:
            labels = labels.args[0]
        if not isinstance(labels, Given):
            return None
        sentence = _HOT_MASK if cast == "booleans" else _HOT_ROWS
        return sentence.format(y=self.scene.name(labels, node))

    def _gradient(self, node: ast.Call) -> Text | None:
        """A gradient, or the function that gives it, by a library's ``grad``."""
        function = node.func
        maker = function if isinstance(function, ast.Call) else node
        name = last_name(maker.func)
        value = self.judged.tracer.values.get(id(maker.func))
        taped = name == "gradient" and "tape" in ast.unparse(maker.func).lower()
        if taped and len(node.args) > 1:
            return _GRADIENT_OF.format(o=code_of(node.args[0]), x=code_of(node.args[1]))
        if name not in GRADIENTS or not library_of(maker.func, value) or not maker.args:
            return None
        what = code_of(maker.args[0])
        path = value.path if isinstance(value, Library) else ast.unparse(maker.func)
        if "autograd" in path:
            if maker is not node or len(node.args) < 2:
                return None
            return _GRADIENT_OF.format(o=what, x=code_of(node.args[1]))
        if maker is node:
            return GRADIENTS[name].format(o=what)
        if any(k.arg == "argnums" for k in maker.keywords) or not node.args:
            return None
        sentence = _GRADIENT_AT if name == "grad" else _VALUE_AND_GRADIENT_AT
        return sentence.format(o=what, x=code_of(node.args[0]))

    def _model_call(self, node: ast.Call) -> Text | None:
        """A forward pass of a model, with whose it is."""
        value = self.analysis.value_of(node)
        callee = ast.unparse(node.func)
        told = self.who.roles_called(callee.removeprefix("self."))
        sides = {r[0] for r in told if r is not None} & set(SIDES)
        runs = any(f.node is node for f in self.analysis.forwards)
        added = set(words(callee)) & LAYERS
        sided = bool(sides) and not added and not self._defined_at(node.func)
        if not (runs or sided or is_model(callee)) or is_loss(callee):
            return None
        held, x = self._given_to(node)
        if x is None:
            return None
        role = value.role if value is not None else Role.UNKNOWN
        role = Role(sides.pop()) if len(sides) == 1 else role
        role = role_of(callee) if role is Role.UNKNOWN else role
        if role is Role.UNKNOWN and self.owner(x.value) is Role.UNKNOWN:
            role = self.owner(node)
        stars = "**" if x.arg == "**" else ""
        shown = f"`{stars}{code_of(x.value)[1:]}"
        sentence = _MODEL_CALL if held is None else _HELD_CALL
        made = sentence.format(
            owner=_OWNER[role], o=code_of(node.func), x=shown, p=code_of(held) if held else ""
        )
        mode = next((k.value for k in node.keywords if k.arg == "training"), None)
        if not isinstance(mode, ast.Constant) or not isinstance(mode.value, bool):
            return made
        return (_TRAINING if mode.value else _INFERENCE).format(what=made)

    def _given_to(self, node: ast.Call) -> tuple[ast.expr | None, ast.keyword | None]:
        """The parameters that a functional model runs with, if any, and what it is given."""
        inputs = [ast.keyword("", a) for a in node.args if not isinstance(a, ast.Starred)]
        inputs += [
            ast.keyword(k.arg or "**", k.value) for k in node.keywords
            if k.arg in {None, "input_ids"} and not inputs
        ]  # fmt: skip
        held = inputs[0].value if len(inputs) > 1 else None
        if held is not None and self._is_held(held):
            return held, inputs[1]
        return None, inputs[0] if inputs else None

    def _is_held(self, node: ast.expr) -> bool:
        names = [n.id for n in nodes_of(node) if isinstance(n, ast.Name)]
        told = [r for n in names for r in self.who.roles_called(n) if r is not None]
        return bool(told) and all(role.endswith(" parameters") for role, _ in told)

    def _own_call(self, node: ast.Call) -> Text:
        value = self.analysis.value_of(node)
        callee = ast.unparse(node.func)
        shown = arguments(node)
        if (output := self._model_call(node)) is not None:
            return output
        line = self._defined_at(node.func)
        if line and shown and not last_name(node.func)[:1].isupper():
            words = _PASTED_CALL.format(o=code_of(node.func), args=shown, line=line)
            meant = self._meant_by(node)
            return words if meant is None else _MEANT.format(what=words, meant=meant)
        if is_loss(callee) or (value is not None and value.space is Space.LOSS):
            keras = "tensorflow" in self.judged.tracer.frameworks and len(node.args) == 2
            if keras and not last_name(node.func)[:1].isupper():
                a, b = map(code_of, node.args)
                return _KERAS_CALL.format(o=code_of(node.func), a=a, b=b)
            labels = self.traced(node.args[1]) if len(node.args) == 2 else None
            if labels is not None and self.scene.is_labels(labels):
                a, b = map(code_of, node.args)
                return _TASK_LOSS.format(o=code_of(node.func), a=a, b=b)
            if shown and not last_name(node.func)[:1].isupper():
                return bare(_CRITERION.format(call=code_of(node)))
            return _NEW_CRITERION.format(call=code_of(node))
        if not shown:
            return bare(_OWN_CALL_BARE.format(o=ast.unparse(node.func)))
        return bare(_OWN_CALL.format(o=code_of(node.func), args=shown))

    def _meant_by(self, node: ast.Call) -> Text | None:
        """What a function of the paste gives for one argument, in the words of its last lines."""
        function = next(
            (f for f in nodes_of(self.analysis.tree)
             if isinstance(f, ast.FunctionDef) and f.name == last_name(node.func)), None,
        )  # fmt: skip
        if function is None or len(function.args.args) != 1 or len(node.args) != 1:
            return None
        returned = [n.value for n in nodes_of(function) if isinstance(n, ast.Return)]
        if len(returned) != 1 or returned[0] is None:
            return None
        made: ast.expr = returned[0]
        if isinstance(made, ast.Name):
            values = [n for n in nodes_of(function) if isinstance(n, ast.Assign)]
            own = [n.value for n in values if text_of(n.targets[0]) == made.id]
            told = [w for v in own if (w := idiom(self.scene, v)) is not None]
            words = told[-1] if told else None
        else:
            words = idiom(self.scene, made) or self.softened(made)
        name, given = f"`{function.args.args[0].arg}`", code_of(node.args[0])
        if words is None or name not in words.en:
            return None
        others = set(_IN_BACKTICKS.findall(words.en)) - {name}
        if any(not o.strip("`").replace(".", "").replace("-", "").isalnum() for o in others):
            return None
        return Text(words.en.replace(name, given), words.zh.replace(name, given))

    def _defined_at(self, function: ast.expr) -> int:
        """The line that defines a function of the paste, or 0."""
        return functions_of(self.analysis.tree).get(last_name(function), 0)

    def _binop(self, node: ast.BinOp) -> Text:
        if isinstance(node.op, ast.Add | ast.Sub) and self._is_loss(node):
            return enumerated(node, self._inside) or weighted(node)
        if isinstance(node.op, ast.Mult | ast.Div) and (scaled := self._scaled_loss(node)):
            return scaled
        if isinstance(node.op, ast.Div) and is_temperature(ast.unparse(node.right)):
            return Text(
                f"{code_of(node.left)} divided by the temperature {code_of(node.right)}",
                f"{code_of(node.left)} 除以温度 {code_of(node.right)}",
            )
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
            return Text("a formatted string", "格式化后的字符串")
        if isinstance(node.op, ast.Sub) and is_label(ast.unparse(node.left)):
            return _SHIFTED.format(a=code_of(node.left), b=code_of(node.right))
        if (meant := self._arithmetic(node)) is not None:
            return meant
        operator = _OPERATORS.get(type(node.op))
        if operator is None:
            return same(code_of(node))
        shown = code_of if isinstance(node.op, ast.Add | ast.Sub) else factor_of
        return bare(operator.format(a=shown(node.left), b=shown(node.right)))

    def _arithmetic(self, node: ast.BinOp) -> Text | None:
        """What plain arithmetic is for, where its form tells it."""
        left, right = node.left, node.right
        if isinstance(node.op, ast.Div):
            if _is_masked_mean(left, right):
                return _MASKED_MEAN.format(a=code_of(_summand(left)), b=code_of(_mask_in(right)))
            scaled = isinstance(left, ast.Name) and left.id in names_in(right)
            if scaled and (along := _axis_in(right)) is not None:
                return along.format(a=code_of(left)) if along.en else same(code_of(node))
            if scaled and any(isinstance(n, ast.Call) for n in nodes_of(right)):
                return _BY_ITSELF.format(a=code_of(left), b=code_of(right))
            half = ast.unparse(right) in {"2", "2.0"}
            if half and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
                if isinstance(left.right, ast.Constant):
                    unit = ast.unparse(left.right) in {"1", "1.0"}
                    return _TO_UNIT.format(a=code_of(left.left)) if unit else same(code_of(node))
                return _HALFWAY.format(a=code_of(left.left), b=code_of(left.right))
        if isinstance(node.op, ast.Sub) and ast.unparse(left) in {"1", "1.0"}:
            told = self.traced(right)
            if isinstance(told, Node) and self._is_selection(right):
                return _COMPLEMENT.format(b=code_of(right))
        if isinstance(node.op, ast.Mult):
            if (called := self._scaled_call(node)) is not None:
                return called
            for one, other in ((left, right), (right, left)):
                if self._is_selection(other) and isinstance(other, ast.Name | ast.Subscript):
                    return _MASKED.format(a=code_of(one), b=code_of(other))
            factors = _factors_behind(node)
            if factors is not None:
                body, behind = factors
                words = self.phrase(body)
                if isinstance(words, Bare):
                    return same(code_of(node))
                shown = " × ".join(factor_of(f) for f in behind)
                return _TIMES.format(what=words, factors=shown)
        return None

    def _is_selection(self, node: ast.expr) -> bool:
        """Whether an expression is a mask: named so, or made by a comparison or of indices."""
        if (
            isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
            and "mask" in ast.unparse(node).lower()
        ):
            return True
        traced = self.traced(node)
        while isinstance(traced, Call) and traced.name in _KEEPING and traced.args:
            traced = traced.args[0]
        if isinstance(traced, Call):
            return traced.name in {"ne", "eq", "gt", "lt", "ge", "le", "one_hot", "scatter"}
        return isinstance(traced, Given) and self.judged.kinds.get(traced) is Kind.MASK

    def _scaled_call(self, node: ast.BinOp) -> Text | None:
        """A function of the paste with a weight before it."""
        for call, weight in ((node.right, node.left), (node.left, node.right)):
            if isinstance(call, ast.Call) and self._defined_at(call.func):
                words = self.phrase(call)
                if not isinstance(words, Bare):
                    return _TIMES.format(what=words, factors=factor_of(weight))
        return None

    def _scaled_loss(self, node: ast.BinOp) -> Text | None:
        """A loss with the factors around it: ``F.kl_div(...) * T ** 2 / n``."""
        factors: list[str] = []
        body: ast.expr = node
        while isinstance(body, ast.BinOp) and isinstance(body.op, ast.Mult | ast.Div):
            left_is_loss = self._holds_loss(body.left)
            if isinstance(body.op, ast.Div) and not left_is_loss:
                return None
            other = body.right if left_is_loss else body.left
            factors.append(("/ " if isinstance(body.op, ast.Div) else "× ") + factor_of(other))
            body = body.left if left_is_loss else body.right
        if not self._holds_loss(body):
            return None
        inner = self.phrase(body)
        if isinstance(inner, Bare):
            return same(code_of(node))
        factors.reverse()
        for number in range(len(factors) - 1, 0, -1):
            if factors[number] == factors[number - 1]:  # × T × T
                factors[number - 1 : number + 1] = [f"{factors[number]}²"]
        shown = ", ".join(factors)
        return Text(
            f"{inner.en}; all of it {shown}", f"{inner.zh}；整体再 {shown.replace(', ', '、')}"
        )

    def _inside(self, node: ast.expr) -> Text | None:
        """What a loss inside a sum computes."""
        use = self.uses.get(id(node))
        if use is None or use.kind in WRITTEN_OUT:
            return idiom(self.scene, node)
        return self.loss_words(use, node)

    def _holds_loss(self, node: ast.expr) -> bool:
        return any(id(n) in self.uses for n in nodes_of(node))

    def _is_loss(self, node: ast.expr) -> bool:
        value = self.analysis.value_of(node)
        return (value is not None and bool(value.terms)) or any(
            is_loss(n.id) for n in nodes_of(node) if isinstance(n, ast.Name)
        )

    def _lambda(self, node: ast.Lambda) -> Text:
        words = idiom(self.scene, node.body)
        parameters = ", ".join(f"`{a.arg}`" for a in node.args.args)
        if words is None:
            return same(code_of(node))
        return _FUNCTION.format(parameters=parameters or "()", what=words)

    def _subscript(self, node: ast.Subscript) -> Text:
        return slice_phrase(node, self.proof.value_of(node.value))

    def _unaryop(self, node: ast.UnaryOp) -> Text:
        if isinstance(node.op, ast.USub):
            inner = self.phrase(node.operand)
            if isinstance(inner, Bare):
                return same(code_of(node))
            return Text(f"minus {inner.en}", f"负的 {inner.zh}")
        if isinstance(node.op, ast.Invert):
            return _COMPLEMENT_OF.format(b=code_of(node.operand))
        if isinstance(node.op, ast.Not):
            return Text(
                f"whether not {code_of(node.operand)}", f"{code_of(node.operand)} 是否不成立"
            )
        return same(code_of(node))


_MOVES = frozenset({"cuda", "to", "eval", "train", "half", "float"})
_BEHIND = {
    "detach": Text(
        "{what}; detached from the graph (no gradient flows back)",
        "{what}；从计算图中截断（不回传梯度）",
    ),
    "cuda": Text("{what}; on the GPU", "{what}；放在 GPU 上"),
    "to": Text("{what}; moved to {args}", "{what}；移到 {args}"),
    "cpu": Text("{what}; on the CPU", "{what}；放在 CPU 上"),
    "eval": Text("{what}; put in evaluation mode", "{what}；切到评估模式"),
}
"""What stands behind the words for what a method is called on."""
_HOT_MASK = Text(
    "the one-hot mask of the labels {y}: true at the class of the label",
    "标签 {y} 的 one-hot 掩码：真实类的位置为 True",
)
_HOT_ROWS = Text(
    "one-hot rows of the labels {y}: 1 at the class of the label",
    "标签 {y} 的 one-hot 编码：真实类的位置为 1",
)


def _is_filled(scatter: Call, below: int, value: int) -> bool:
    """Whether a scatter writes one number into a tensor of another."""
    base, written = scatter.args[0], scatter.args[3]
    zeros = isinstance(base, Call) and base.name in {"zeros_like", "zeros"} and below == 0
    return zeros and isinstance(written, Constant) and written.value in {value, True}


_SOFTMAXES = frozenset({"softmax", "log_softmax"})
_COMPARED = {"ne": "≠", "eq": "=", "gt": ">", "lt": "<", "ge": "≥", "le": "≤"}
_IS = Text("whether {a} {sign} {b}, element by element", "逐元素判断 {a} {sign} {b}")
_KEEPING = frozenset({"floating", "integers", "unsqueeze", "index", "view", "reshape", "identity"})
_BY_ITSELF = Text(
    "{a} divided by {b}, so that its overall scale drops out", "{a} 除以 {b}，去掉整体尺度"
)
_TO_UNIT = Text(
    "({a} + 1) / 2, which maps the range from −1 to 1 onto 0 to 1",
    "({a} + 1) / 2，把 −1 到 1 的范围变到 0 到 1",
)
_HALFWAY = Text("the mean of {a} and {b}", "{a} 与 {b} 的平均")
_COMPLEMENT = Text("the complement of {b}: 0 and 1 exchanged", "{b} 的补：0 与 1 互换")
_COMPLEMENT_OF = Text("the complement of the mask {b}", "掩码 {b} 取反")
_MASKED = Text("{a}, set to 0 where {b} is 0", "{a}，在 {b} 为 0 处置 0")
_MASKED_MEAN = Text("the mean of {a} over what {b} selects", "{a} 只在 {b} 选中的位置上的平均")
_TIMES = Text("{what}; all of it × {factors}", "{what}；整体再 × {factors}")


_UNIT = Text(
    "{a} with each vector along dim {dim} scaled to length 1",
    "{a} 沿 dim={dim} 归一化为单位长度的向量",
)
_SHARES = Text(
    "{a} divided by its sum over dim {dim}, so that it sums to 1 there",
    "{a} 除以自身沿 dim={dim} 的和，使该维上的和为 1",
)


def _axis_in(node: ast.expr) -> Text | None:
    """What dividing by a norm or a sum over one dimension does; no words for other functions."""
    for call in nodes_of(node):
        axis = next(
            (k.value for k in getattr(call, "keywords", []) if k.arg in {"dim", "axis"}), None
        )
        if isinstance(call, ast.Call) and axis is not None:
            name = last_name(call.func)
            words = _UNIT if name == "norm" else _SHARES if name == "sum" else Text("", "")
            if name == "sum" and (root := _root_around(node)) is not None:
                words = _UNIT if root else Text("", "")
            return Text(*(w.replace("{dim}", ast.unparse(axis)) for w in (words.en, words.zh)))
    return None


def _root_around(node: ast.expr) -> bool | None:
    """Whether a divisor is the root of a sum of squares; None where it has no root."""
    text = ast.unparse(node)
    if "sqrt" not in text and "** 0.5" not in text:
        return None
    return "** 2" in text or "pow(2)" in text or "square(" in text or ".pow(" in text


def names_in(node: ast.expr) -> set[str]:
    """The names that an expression reads."""
    return {n.id for n in nodes_of(node) if isinstance(n, ast.Name)}


@lru_cache(maxsize=4)
def functions_of(tree: ast.Module) -> dict[str, int]:
    """The functions that a file defines, each with its first line."""
    found: dict[str, int] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, node.lineno)
    return found


@lru_cache(maxsize=4)
def callees_of(tree: ast.Module) -> frozenset[str]:
    """What a file calls, as it is written."""
    return frozenset(ast.unparse(n.func) for n in nodes_of(tree) if isinstance(n, ast.Call))


@lru_cache(maxsize=4)
def models_of(tree: ast.Module) -> frozenset[str]:
    """What is called, trained, moved or asked for its parameters: models."""
    found: set[str] = set()
    telling = {"parameters", "eval", "train", "state_dict", "load_state_dict"}
    for node in nodes_of(tree):
        method = node.func if isinstance(node, ast.Call) else None
        if isinstance(method, ast.Attribute) and method.attr in telling:
            found.add(ast.unparse(method.value))
    return frozenset(found)


def _is_sum(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and last_name(node.func) == "sum"
        and not (isinstance(node.func, ast.Name) and not node.args)
    )


def _summand(node: ast.expr) -> ast.expr:
    """``x`` of ``(x * m).sum()``."""
    inner = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]  # type: ignore[attr-defined]
    return inner.left if isinstance(inner, ast.BinOp) else inner


def _mask_in(node: ast.expr) -> ast.expr:
    """``m`` of ``m.sum()``, ``m.sum().clamp(min=1)``, ``(m.sum() + eps)``."""
    for inner in nodes_of(node):
        if isinstance(inner, ast.Call) and _is_sum(inner) and isinstance(inner.func, ast.Attribute):
            return inner.func.value
    return node


def _is_masked_mean(left: ast.expr, right: ast.expr) -> bool:
    """``(x * m).sum() / m.sum()``."""
    mask = _mask_in(right)
    if not _is_sum(left) or mask is right or not isinstance(left.func, ast.Attribute):  # type: ignore[attr-defined]
        return False
    inner = left.func.value  # type: ignore[attr-defined]
    if not isinstance(inner, ast.BinOp) or not isinstance(inner.op, ast.Mult):
        return False
    return ast.unparse(mask) in {ast.unparse(inner.left), ast.unparse(inner.right)}


def _factors_behind(node: ast.BinOp) -> tuple[ast.expr, list[ast.expr]] | None:
    """A reduced value and the numbers behind it: ``x.mean() * T ** 2``."""
    behind: list[ast.expr] = []
    body: ast.expr = node
    while isinstance(body, ast.BinOp) and isinstance(body.op, ast.Mult):
        if not _is_plain_number(body.right):
            break
        behind.insert(0, body.right)
        body = body.left
    return (body, behind) if behind and isinstance(body, ast.Call | ast.BinOp) else None


def _is_plain_number(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _is_plain_number(node.left)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return is_temperature(ast.unparse(node)) or is_weight(ast.unparse(node))


def _is_minus_one(arguments: list[ast.expr]) -> bool:
    return [ast.unparse(argument) for argument in arguments] == ["-1"]


def library_of(function: ast.expr, value: object) -> bool:
    """Whether a function is one of a library's: ``jax.grad``, or ``grad`` imported from there."""
    text = ast.unparse(function)
    return isinstance(value, Library) or text.startswith(("jax.", "torch.autograd.", "autograd."))


def _in_module(owner: ast.expr) -> bool:
    """Whether ``owner`` is a module such as ``F`` or ``torch.optim``."""
    return last_name(owner) in _MODULES


def _constant(node: ast.Constant) -> Text:
    if isinstance(node.value, str):
        return Text(f"the string {node.value!r}", f"字符串 {node.value!r}")
    if node.value is None:
        return Text("`None` (nothing yet)", "`None`（暂无）")
    return same(f"`{node.value!r}`")


def _ifexp(node: ast.IfExp) -> Text:
    return Bare(
        f"{code_of(node.body)} if {code_of(node.test)}, otherwise {code_of(node.orelse)}",
        f"若 {code_of(node.test)} 成立则取 {code_of(node.body)}，否则取 {code_of(node.orelse)}",
    )


def _listcomp(node: ast.ListComp | ast.GeneratorExp) -> Text:
    loop = node.generators[0]
    return Bare(
        f"{code_of(node.elt)} for every {code_of(loop.target)} of {code_of(loop.iter)}",
        f"对 {code_of(loop.iter)} 中每个 {code_of(loop.target)} 求 {code_of(node.elt)}，组成序列",
    )


_FEW = 6


def _joinedstr(_node: ast.JoinedStr) -> Text:
    return Text("a formatted string", "格式化后的字符串")


def _list(node: ast.List) -> Text:
    if not node.elts:
        return Text("an empty list", "空列表")
    return Text(
        f"a list of {len(node.elts)}: {code_of(node)}",
        f"{len(node.elts)} 个元素的列表 {code_of(node)}",
    )


def _dictcomp(node: ast.DictComp) -> Text:
    loop = node.generators[0]
    return Bare(
        f"a dictionary with {code_of(node.value)} for every entry of {code_of(loop.iter)}",
        f"对 {code_of(loop.iter)} 的每一项取 {code_of(node.value)} 组成的字典",
    )


def _dict(node: ast.Dict) -> Text:
    if not node.keys:
        return Text("an empty dictionary", "空字典")
    keys = [ast.unparse(k) if not isinstance(k, ast.Constant) else str(k.value)
            for k in node.keys if k is not None]  # fmt: skip
    shown = ", ".join(f"`{k}`" for k in keys)
    if len(keys) < len(node.keys) or not keys or len(keys) > _FEW:
        return Text(f"a dictionary of {len(node.keys)} entries", f"{len(node.keys)} 项的字典")
    entries = "the one entry" if len(keys) == 1 else "the entries"
    return Text(f"a dictionary with {entries} {shown}", f"字典，含 {shown.replace(', ', '、')}")


def _attribute(node: ast.Attribute) -> Text:
    if node.attr == "data":
        return Text(
            f"the numbers of {code_of(node.value)} outside the graph (prefer `.detach()`)",
            f"{code_of(node.value)} 的数值，脱离计算图（建议用 `.detach()`）",
        )
    if node.attr == "shape":
        return Text(f"the shape of {code_of(node.value)}", f"{code_of(node.value)} 的形状")
    return same(code_of(node))


def _compare(node: ast.Compare) -> Text:
    return Bare(f"whether {code_of(node)} (true or false, element by element for tensors)",
                f"判断 {code_of(node)}（张量则逐元素）")  # fmt: skip


_INFERRED: dict[type[ast.expr], Callable[[Reader, Any], Text]] = {
    ast.Call: Reader._call,
    ast.BinOp: Reader._binop,
    ast.Subscript: Reader._subscript,
    ast.UnaryOp: Reader._unaryop,
    ast.Lambda: Reader._lambda,
}
_SIMPLE: dict[type[ast.expr], Callable[[Any], Text]] = {
    ast.Constant: _constant,
    ast.IfExp: _ifexp,
    ast.JoinedStr: _joinedstr,
    ast.List: _list,
    ast.Dict: _dict,
    ast.DictComp: _dictcomp,
    ast.Attribute: _attribute,
    ast.Compare: _compare,
    ast.ListComp: _listcomp,
    ast.GeneratorExp: _listcomp,
}
