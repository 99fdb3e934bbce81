"""What each name of a paste stands for: how it is used decides, its name only where that fits."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from didact._core.i18n import Text
from didact._core.words import LABELS
from didact.check.engine.names import (
    is_class_count,
    is_label,
    is_loss,
    is_model,
    is_temperature,
    is_weight,
    role_of,
    words,
)
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.computed import shown_by_form
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.libraries import ALIASES
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import BY_NAME as FORMULA_BY_NAME
from didact.check.explain.formula.roles import (
    OF_OUTPUTS,
    is_layer,
    leaves,
    own_targets,
    place_of,
    side,
)
from didact.check.explain.formula.tree import Given, Node
from didact.check.explain.uses import Name, Use, names_of
from didact.check.explain.words import roles as told_by

SIDES = ("student", "teacher")
_COUNTS = re.compile(
    r"(^|_)(n|num|nb|number|count|len|size|dim|dims|channels?|ch|width|epochs?|ep|steps?|iters?|idx|"
    r"index|rank|bs|batch_?size|seed|lr|rate|eps|device|path|dir|name)(_|\d|$)",
    re.IGNORECASE,
)
"""Names of numbers and settings: whoever's they are, they are no output and no model."""
_OLD = re.compile(r"old|known|prev|base|seen|learn|past", re.IGNORECASE)
_NEW = re.compile(r"new|cur|novel|added|fresh", re.IGNORECASE)
_ALL = re.compile(r"all|total|tot|cls|class|^[KCV]$")
_HELD = re.compile(r"(^|_)(params?|parameters?|theta|variables|state_?dict|rngs?)(_|$)")
_NOTHING = ("", Text("", ""))
"""Something speaks against every role."""
_SAFETY = frozenset({"eps", "epsilon"})
_CRITERIA = frozenset({"loss", "losses", "criterion", "criterions", "crit", "objective"})


@dataclass(frozen=True, slots=True)
class RoleLine:
    """What one name stands for, and what tells it."""

    name: str
    role: str
    reason: Text


class Who:
    """The roles of the names of a paste."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        self.names = names_of(judged.tracer.tree)
        self._form = shown_by_form(self.names)
        self._known: dict[int, tuple[str, Text] | None] = {}
        self._shared: dict[int, bool] = {}
        self._share_uses()

    def parameter(self, argument: ast.arg) -> str:
        """The role of a parameter, or nothing."""
        named = self.names.called.get(argument.arg, [])
        found = next((n for n in named if n.argument is argument), None)
        told = self.role(found) if found is not None else None
        return told[0] if told is not None else ""

    def role(self, name: Name) -> tuple[str, Text] | None:
        """What a name stands for and what tells it, or None where nothing may be said."""
        if id(name) not in self._known:
            self._known[id(name)] = None  # while it is looked for
            self._known[id(name)] = self._decided(name)
        return self._known[id(name)]

    def roles_called(self, text: str) -> list[tuple[str, Text] | None]:
        """The roles of all that is called so, ``self.`` left out."""
        return [self.role(n) for n in self.names.called.get(text, [])]

    def is_helper(self, name: Name) -> bool:
        """Whether a name is a parameter of a function that the file itself calls."""
        return isinstance(name.scope, ast.FunctionDef) and bool(self.names.calls_of(name.scope))

    def _decided(self, name: Name) -> tuple[str, Text] | None:
        for rule in (
            self._by_form, self._by_single_use, self._by_width, self._by_number, self._by_passing,
            self._by_calls, self._by_feeding, self._by_formula, self._by_making,
            self._by_output, self._by_name,
        ):  # fmt: skip
            told = rule(name)
            if told is not None:
                return told if told[0] else None
        return None

    def _by_form(self, name: Name) -> tuple[str, Text] | None:
        role = self._form.get(id(name)) or (
            self._form.get(id(name.attribute)) if name.attribute is not None else None
        )
        return (role, told_by.BY_USE) if role else None

    def _by_single_use(self, name: Name) -> tuple[str, Text] | None:
        last = name.text.rsplit(".", 1)[-1]
        if Use.MARGIN in name.uses:
            return "margin", told_by.BY_USE
        if Use.KEPT in name.uses:
            return "kept", told_by.BY_USE
        if Use.SIGN in name.uses:
            return "sign", told_by.BY_USE
        if Use.OPTIMIZER in name.uses and not is_model(last):
            return "optimizer", told_by.BY_USE
        if Use.BATCHES in name.uses and re.search(r"loader|dataset|batches", last, re.IGNORECASE):
            return "batches", told_by.BY_USE
        if last.lower() in {"fisher", "importance", "omega"} and not name.is_model:
            return "importance", told_by.BY_NAME
        if last.lower() in {"center", "centre"} and not name.is_model:
            return "centre", told_by.BY_NAME
        masks = "mask" in words(last) or (
            {Use.SELECTS, Use.TENSOR} <= name.uses and not name.values
        )
        if masks and not is_label(last) and not name.is_model and not name.is_number:
            return "mask", told_by.BY_NAME
        return self._held(name, last)

    def _held(self, name: Name, last: str) -> tuple[str, Text] | None:
        """Parameters of a model: from a loop over them, or by name."""
        for loop in name.loops:
            call = loop if isinstance(loop, ast.Call) else None
            if call is not None and last_name(call.func) in {"parameters", "named_parameters"}:
                assert isinstance(call.func, ast.Attribute)
                whose = self._whose(call.func.value)
                return (f"{whose} parameters", told_by.BY_USE) if whose in SIDES else (_NOTHING)
        if _HELD.search(last) and not name.is_model:
            role = role_of(last)
            if role is Role.UNKNOWN and last.startswith("t_"):
                role = Role.TEACHER
            run = {self._runs_with(n) for n in name.loads} - {""}
            if role is Role.UNKNOWN and len(run) != 1:
                return _NOTHING
            side = str(role) if role is not Role.UNKNOWN else run.pop()
            return f"{side} parameters", told_by.BY_USE
        return None

    def _runs_with(self, node: ast.expr) -> str:
        """Whose model a functional call runs with these parameters: ``apply(params, x)``."""
        outer = self.names.parents.get(node)
        if isinstance(outer, ast.Dict):
            node, outer = outer, self.names.parents.get(outer)
        if not isinstance(outer, ast.Call) or not outer.args or outer.args[0] is not node:
            return ""
        callee = ast.unparse(outer.func)
        named = "apply" in callee or is_model(callee.split(".")[0])
        if not named or len(outer.args) + len(outer.keywords) < 2:
            return ""
        return "teacher" if role_of(callee) is Role.TEACHER else "student"

    def _whose(self, node: ast.expr) -> str:
        name = self.names.of(node)
        told = self.role(name) if name is not None else None
        if told is not None:
            return told[0]
        text = ast.unparse(node)
        known = name is not None and (name.is_number or _COUNTS.search(text))
        return "" if known or is_loss(text) else str(role_of(text))

    def _by_width(self, name: Name) -> tuple[str, Text] | None:
        if Use.WIDTH not in name.uses:
            return None
        last = name.text.rsplit(".", 1)[-1]
        if is_class_count(last) or is_model(last):
            return None
        side = _side_named(last)
        return (f"{side} width" if side else "width"), told_by.BY_USE

    def _by_number(self, name: Name) -> tuple[str, Text] | None:
        last = name.text.rsplit(".", 1)[-1]
        told = self._told(name)
        kind = told[0] if told is not None else ""
        if Use.DIVISOR in name.uses and is_temperature(last) and not name.is_tensor:
            return "temperature", told_by.BY_USE
        if Use.TARGET in name.uses and not name.is_number and _may_be_labels(name, last):
            return ("labels", told_by.BY_USE) if kind != "teacher" or is_label(last) else None
        number = name.is_number or kind in _SCALARS
        if not number:
            return None
        if is_temperature(last) and self._is_counting(name):
            return _NOTHING
        if kind in {"weight", "temperature", "padding"}:
            return self._weighed(name, kind)
        if (count := self._count(name, last, kind)) is not None:
            return count, told_by.BY_USE
        if last in _SAFETY or name.uses & {Use.FIRST, Use.REST, Use.LAST}:
            return _NOTHING
        if is_temperature(last) and not name.is_tensor:
            return "temperature", told_by.BY_NAME
        if is_weight(last) and not re.search(r"decay|lr", last):
            return "weight", told_by.BY_NAME
        return _NOTHING

    def _is_counting(self, name: Name) -> bool:
        """Whether ``t`` or ``T`` is the number of a task or of rounds, and divides nothing."""
        if Use.DIVISOR in name.uses:
            return False
        counted = any(isinstance(v, ast.Call) and last_name(v.func) == "len" for v in name.values)
        return counted or bool(name.uses & {Use.ROUNDS, Use.SELECTS})

    def _weighed(self, name: Name, kind: str) -> tuple[str, Text] | None:
        """What the formula calls a weight or a temperature, where it is not used as a tensor."""
        against = {Use.FIRST, Use.REST, Use.LAST, Use.WIDTH, Use.FED, Use.TENSOR, Use.SCORES}
        if kind != "padding" and name.uses & against:
            return None
        return self._told(name)

    def _by_passing(self, name: Name) -> tuple[str, Text] | None:
        """What a function of the file takes for a number of some kind."""
        for load in name.loads:
            call = self.names.parents.get(load)
            if not isinstance(call, ast.Call) or load is call.func:
                continue
            for function in self.names.defined.get(last_name(call.func), []):
                if call not in self.names.calls_of(function):
                    continue
                for parameter in self.names.parameters(function):
                    told = (
                        self.role(parameter) if _passed(function, parameter, call) is load else None
                    )
                    if told is not None and told[0] in _PASSED:
                        return told
        return None

    def _by_output(self, name: Name) -> tuple[str, Text] | None:
        """A model is the student's where its output is."""
        own = {f.name for f in self.names.functions} | set(ALIASES)
        if Use.CALLED not in name.uses or is_loss(name.text) or is_layer(name.text):
            return None
        last = name.text.rsplit(".", 1)[-1]
        if last in own or last[:1].isupper():
            return None
        named = is_model(last) or last in {"net", "model"}
        sides = set()
        for load in name.loads:
            call = self.names.parents.get(load)
            statement = self.names.statement(load)
            if not isinstance(call, ast.Call) or call.func is not load:
                continue
            traced = self.judged.tracer.values.get(id(call))
            first = isinstance(traced, Given) and all(
                side(i, self.judged.roles) is None for i in traced.inputs
            )
            if not (named or first):
                return None
            outer: ast.AST | None = call
            while isinstance(outer, ast.Call | ast.Attribute | ast.Subscript):  # `.logits` of it
                part = self.judged.tracer.values.get(id(outer))
                sides.add(side(part, self.judged.roles) if isinstance(part, Node) else None)
                outer = self.names.parents.get(outer)
            if isinstance(statement, ast.Assign) and statement.value is call:
                into = {ast.unparse(t) + "." for t in statement.targets}
                sides |= {t.role for g, t in self.judged.roles.items()
                          if g.text.startswith(tuple(into))}  # fmt: skip
        sides &= set(SIDES)
        return (sides.pop() or "", told_by.ITS_MODEL) if len(sides) == 1 else None

    def _by_making(self, name: Name) -> tuple[str, Text] | None:
        """What a model returns, or an item of what is somebody's."""
        if name.argument is not None or name.is_number:
            return None
        made = {self._owner_of(v) for v in name.loops} or {self._maker(v) for v in name.values}
        side = made.pop() if len(made) == 1 else ""
        fits = side in SIDES and not _COUNTS.search(name.text)
        return (side, told_by.BY_MAKING) if fits else None

    def _maker(self, node: ast.expr) -> str:
        while isinstance(node, ast.Attribute | ast.Subscript) or (
            isinstance(node, ast.Call) and last_name(node.func) in {"detach", "float", "cpu"}
        ):  # fmt: skip
            inner = node.value if not isinstance(node, ast.Call) else node.func
            if isinstance(node, ast.Attribute) and node.attr in {"shape", "device", "dtype"}:
                return ""
            node = inner
        if isinstance(node, ast.ListComp):
            node = node.elt
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            return ""
        callee = ast.unparse(node.func).removeprefix("self.").removesuffix(".apply")
        plain = re.fullmatch(r"[\w.]+(\[\w+\])?", callee)
        if not plain or is_loss(callee) or is_layer(callee):
            return ""
        return self._whose(node.func)

    def _owner_of(self, loop: ast.expr) -> str:
        return self._whose(loop) if isinstance(loop, ast.Name | ast.Attribute) else ""

    def _count(self, name: Name, last: str, kind: str) -> str | None:
        """Which classes a number counts, or that a slice ends there."""
        cut = bool(name.uses & {Use.FIRST, Use.REST, Use.LAST, Use.BETWEEN})
        counted = bool(re.match(r"(n|num|nb)(_|[A-Z]|$)", last)) or is_class_count(last)
        if name.loops and cut:
            return "place"
        if len(name.values) == 1 and isinstance(name.values[0], ast.Name | ast.Attribute):
            told = self._whose(name.values[0])  # another name of the same number
            if told in {"old classes", "new classes", "classes"}:
                return told
        if name.values and not name.attribute:
            measured = {self._measured(v) for v in name.values}
            if measured != {"?"}:
                role = measured.pop() if len(measured) == 1 else None
                of_old = {self._is_of_old(v) for v in name.values}
                whole = role == "classes" and of_old == {True} and Use.FIRST in name.uses
                return "old classes" if whole else role
        if re.search(r"epoch|step|iter|sample|token|worker|item|batch|tasks$", last, re.IGNORECASE):
            return None
        if kind in {"old classes", "classes"} or cut or counted:
            if _NEW.search(last):
                return "new classes"
            if _OLD.search(last):
                return "classes" if self._is_width(last) else "old classes"
            if _ALL.search(last) or (counted and len(last) > 1):
                return "classes" if counted or kind == "classes" or cut else None
            ends = kind == "classes" and Use.FIRST in name.uses and Use.REST not in name.uses
            if ends or (kind == "old classes" and name.uses & {Use.FIRST, Use.REST}):
                return "old classes"
            if kind == "classes" and not cut:
                return "classes"
            return "place" if cut else None
        return None

    def _is_of_old(self, value: ast.expr) -> bool:
        """Whether ``x.size(1)`` is the width of the old model's output."""
        owner = value
        while isinstance(owner, ast.Call | ast.Attribute | ast.Subscript):
            owner = owner.func if isinstance(owner, ast.Call) else owner.value
        return isinstance(owner, ast.Name) and self._whose(owner) == "teacher"

    @cached_property
    def _widths(self) -> set[str]:
        """The names of what ``one_hot(y, num_classes=n)`` is as wide as."""
        calls = [
            n for n in nodes_of(self.names.tree)
            if isinstance(n, ast.Call) and last_name(n.func) == "one_hot"
        ]  # fmt: skip
        given = [
            w for call in calls
            for w in (call.args[1:2] or [k.value for k in call.keywords if k.arg == "num_classes"])
        ]  # fmt: skip
        return {ast.unparse(w).rsplit(".", 1)[-1] for w in given}

    def _is_width(self, last: str) -> bool:
        """Whether a number is that of all classes seen so far: one-hot labels are as wide."""
        return last in self._widths

    def _measured(self, value: ast.expr) -> str | None:
        """Of ``x.size(1)`` the classes, of ``x.size(0)`` nothing, of the rest a question mark."""
        text = ast.unparse(value)
        if re.search(r"\.size\((1|-1)\)$|\.shape\[(1|-1)\]$", text):
            return "classes"
        return None if re.search(r"\.size\(|\.shape|^len\(|numel|sum\(", text) else "?"

    def _by_calls(self, name: Name) -> tuple[str, Text] | None:
        """A parameter is what every call of the file passes for it."""
        function = name.scope
        if name.argument is None or not isinstance(function, ast.FunctionDef):
            return None
        given = [a for c in self.names.calls_of(function) if (a := _passed(function, name, c))]
        if not given:
            return None
        roles = {self._of_expression(a) for a in given}
        if len(roles) > 1 or (roles == {"student"} and self.peers):
            return _NOTHING
        role = roles.pop()
        if role in SIDES and (name.is_number or _COUNTS.search(name.text)):
            return None
        return (role, told_by.BY_CALL) if role else None

    def _of_expression(self, node: ast.expr) -> str:
        while isinstance(node, ast.Call) and last_name(node.func) in {"detach", "float"}:
            if not isinstance(node.func, ast.Attribute):
                break
            node = node.func.value
        name = self.names.of(node)
        if name is not None:
            told = self.role(name)
            return told[0] if told is not None else ""
        traced = self.judged.tracer.values.get(id(node))
        told_side = side(traced, self.judged.roles) if isinstance(traced, Node) else None
        return told_side or ""

    def _told(self, name: Name) -> tuple[str, Text] | None:
        """What the formulas tell of a name, where all its places agree."""
        found: dict[str, Text] = {}
        computed: dict[str, Text] = {}
        for load in [*name.loads, *(name.attribute.loads if name.attribute else [])]:
            value = self.judged.tracer.values.get(id(load))
            if isinstance(value, Given) and value in self.judged.roles:
                told = self.judged.roles[value]
                found[told.role] = told.reason
            elif isinstance(value, Node) and name.argument is None:
                whose = side(value, self.judged.roles)
                if whose is not None:
                    computed[whose] = told_by.BY_USE
        found = found or computed
        return found.popitem() if len(found) == 1 else None

    def _by_formula(self, name: Name) -> tuple[str, Text] | None:
        told = self._told(name)
        last = name.text.rsplit(".", 1)[-1]
        if told is None:
            return None
        if told[0] in SIDES and (name.is_number or _COUNTS.search(last)):
            return _NOTHING
        if told[0] == "temperature" and name.is_tensor:
            return None
        return told

    def _by_feeding(self, name: Name) -> tuple[str, Text] | None:
        """What models are called with is an input, whatever it is called."""
        last = name.text.rsplit(".", 1)[-1]
        if Use.FED in name.uses and not name.is_model and not name.is_number:
            told = self._told(name)
            computed = told is not None and told[1] is not FORMULA_BY_NAME and told[0] != "weight"
            if computed or is_label(last) or OF_OUTPUTS.search(last):
                return None
            return "input", told_by.IS_INPUT
        return None

    def _is_compared(self, name: Name) -> bool:
        """Whether the formulas square, multiply or normalise it: class indices are not."""
        kinds = self.judged.kinds
        own = [k for g, k in kinds.items() if g.text == name.text and not g.inputs]
        return bool(own) and all(kind is Kind.TENSOR for kind in own)

    def _by_name(self, name: Name) -> tuple[str, Text] | None:
        last = name.text.rsplit(".", 1)[-1]
        if name.argument is None:
            side = _side_named(last) if name.is_model and not is_loss(last) else ""
            own = {f.name for f in self.names.functions}
            if not (name.values or name.loops or name.is_number) and OF_OUTPUTS.search(last):
                side = _side_named(last)  # an output from elsewhere
            return (side, told_by.BY_NAME) if side and last not in own else None
        plain = not name.is_tensor and not name.is_model
        if set(words(last)) & _CRITERIA and not is_weight(last):
            return "loss", told_by.BY_NAME
        if is_weight(last) and plain and len(words(last)) > 0 and not _COUNTS.search(last):
            return "weight", told_by.BY_NAME
        if is_loss(last) and Use.CALLED in name.uses:
            return "loss", told_by.BY_NAME
        if is_temperature(last) and plain and not _HANDED.match(last) and last[-2:] != "_t":
            return "temperature", told_by.BY_NAME
        if _may_be_labels(name, last) and not self._is_compared(name):
            return "labels", told_by.BY_NAME
        if plain and (count := self._count(name, last, "")) is not None:
            return count, told_by.BY_NAME
        side = _side_named(last)
        if side and not _COUNTS.search(last) and not is_loss(last):
            return side, told_by.BY_NAME
        return None

    def is_shared(self, node: ast.AST) -> bool:
        """Whether a node stands in a function that is called for one side and for the other."""
        found: ast.AST | None = node
        while found is not None and not isinstance(found, ast.FunctionDef):
            found = self.names.parents.get(found)
        if found is None:
            return False
        if id(found) not in self._shared:
            self._shared[id(found)] = self._is_shared(found)
        return self._shared[id(found)]

    def _is_shared(self, found: ast.FunctionDef) -> bool:
        calls = self.names.calls_of(found)
        for parameter in self.names.parameters(found) if len(calls) > 1 else ():
            given = [a for c in calls if (a := _passed(found, parameter, c)) is not None]
            roles = {self._of_expression(a) for a in given}
            apart = len({ast.unparse(a) for a in given}) > 1
            if len(roles) > 1 or (apart and self.peers and "student" in roles):
                return True
        return False

    @cached_property
    def peers(self) -> frozenset[str]:
        """The models whose outputs are students' where there is more than one."""
        found = set()
        for given, told in self.judged.roles.items():
            callee = given.text.split("(", 1)[0]
            plain = all(side(i, self.judged.roles) is None for i in given.inputs)
            if told.role == "student" and "(" in given.text and plain and not is_layer(callee):
                found.add(callee)
        others = any(told.role == "teacher" for told in self.judged.roles.values())
        return frozenset(found) if len(found) > 1 and not others else frozenset()

    @cached_property
    def heads(self) -> dict[Given, int | None]:
        """The heads that others of the same model imitate."""
        if any(told.role == "teacher" for told in self.judged.roles.values()):
            return {}
        nodes = [e.value for e in self.judged.tracer.entries]
        return own_targets(nodes, self.judged.kinds)

    def side_of(self, node: Node) -> str | None:
        """Whose a part of a formula is; of several students the name of the model."""
        told = side(node, self.judged.roles)
        if told != "student":
            return told
        tensors = [g for g in leaves(node) if g in self.judged.roles]
        if any(g in self.heads for g in tensors):
            taught = [g for g in tensors if g in self.heads and (
                self.heads[g] is None or place_of(node, g) == self.heads[g])]  # fmt: skip
            return "teacher" if len(taught) == len(tensors) else told
        if self.peers:
            callees = {g.text.split("(", 1)[0] for g in tensors} & self.peers
            return callees.pop() if len(callees) == 1 else None
        return told

    def _share_uses(self) -> None:
        """What a function of the file does with a parameter is done with what is passed for it."""
        for _ in range(3):
            for function in self.names.functions:
                parameters = self.names.parameters(function)
                for call in self.names.calls_of(function) if parameters else ():
                    for parameter in parameters:
                        given = _passed(function, parameter, call)
                        name = self.names.of(given) if given is not None else None
                        if name is not None:
                            name.uses |= parameter.uses
        for name in self.names.all.values():
            name.uses |= {Use.FED for n in name.loads if self._is_fed(n)}

    def _is_fed(self, node: ast.expr) -> bool:
        """Whether a name is an argument of a model."""
        outer = self.names.parents.get(node)
        if isinstance(outer, ast.Starred):
            outer = self.names.parents.get(outer)
        while isinstance(outer, ast.Call) and outer.func is not node and isinstance(
            outer.func, ast.Attribute) and outer.func.attr in {"to", "cuda", "float"}:  # fmt: skip
            outer = self.names.parents.get(outer)
        if isinstance(outer, ast.keyword):
            outer = self.names.parents.get(outer)
        if not isinstance(outer, ast.Call) or outer.func is node:
            return False
        callee = ast.unparse(outer.func).removeprefix("self.").removesuffix(".apply")
        if (
            is_loss(callee)
            or callee.split(".")[0] in ALIASES
            or last_name(outer.func)[:1].isupper()
        ):
            return False
        return is_model(callee) or role_of(callee) is not Role.UNKNOWN


_SCALARS = frozenset({"temperature", "weight", "old classes", "classes", "padding", "count"})
_PASSED = frozenset({"counter", "rounds", "bound", "kept", "margin", "decay", "rate",
                     "true probability", "smoothing"})  # fmt: skip
_HANDED = re.compile(r"(pred|logit|out|feat|prob|score|emb|hidden|[zyxfpqh])[a-z]*_[tT]$")


def _side_named(last: str) -> str:
    if _HANDED.match(last):
        return "teacher"
    role = role_of(last)
    return "" if role is Role.UNKNOWN else str(role)


def _may_be_labels(name: Name, last: str) -> bool:
    scores = name.uses & {Use.SCORES, Use.FED, Use.MODULE, Use.CALLED}
    soft = re.search(r"soft|prob|logit", last, re.IGNORECASE)
    named = not soft and (is_label(last) or last in {"y_true", "gold", "gt"} or bool(
        set(words(last)[-1:]) & LABELS))  # fmt: skip
    return named and not scores and not name.is_number and role_of(last) is Role.UNKNOWN


def _passed(function: ast.FunctionDef, name: Name, call: ast.Call) -> ast.expr | None:
    """What a call passes for a parameter."""
    arguments = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if arguments[:1] == ["self"] and isinstance(call.func, ast.Attribute):
        arguments = arguments[1:]
    given = dict(zip(arguments, call.args, strict=False))
    given |= {k.arg: k.value for k in call.keywords if k.arg}
    return given.get(name.text)


@lru_cache(maxsize=4)
def who_is_who(judged: Judged) -> Who:
    """The roles of the names of a paste."""
    return Who(judged)
