"""The list of roles: the names of the formulas first, then what else has a role."""

from __future__ import annotations

import ast
import re

from didact.check.engine.names import is_label, is_loss
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.libraries import ALIASES
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import Told, is_layer, side
from didact.check.explain.formula.tree import Call, Given, Item, Node
from didact.check.explain.uses import Name, Use
from didact.check.explain.who import SIDES, RoleLine, Who, who_is_who
from didact.check.explain.words import roles as words

PEER = "student (peer)"
_HELD = re.compile(r"(^|_)(params?|variables|weights|state|rngs?|key)$|^\{")
"""What a functional model is given beside its input."""
_OF_LAYERS = re.compile(r"^(?!args|cfg|config|opt|hp|self).*\.(weight|bias)(\[|$)")
"""Parameters of layers, which are no weights of a term."""
_OF_LOCALS = frozenset(
    {"temperature", "weight", "mask", "decay", "rate", "made target", "sign", "old classes",
     "new classes", "classes", "true probability", "student parameters", "teacher parameters",
     "counter", "rounds", "bound"}
)  # fmt: skip
"""Roles that are worth saying of a name that the paste itself sets."""


def role_lines(judged: Judged, key: str) -> list[RoleLine]:
    """Who is who; ``key`` is the method."""
    who = who_is_who(judged)
    lines: dict[str, RoleLine] = {}
    for given, told in judged.roles.items():
        if given.text.isdigit():
            continue
        _of_formula(given, told, judged, who, key, lines)
    for name in who.names.all.values():
        text = name.text.removeprefix("self.")
        dotted = any(known.startswith(f"{text}.") for known in lines)
        if (
            text not in lines
            and text != "_"
            and not dotted
            and (line := _beside(name, text, who)) is not None
        ):
            lines[text] = line
    for held in _old_values(judged):
        if held not in lines or lines[held].role == "teacher":
            lines[held] = RoleLine(held, "teacher parameters", words.BY_USE)
    return [line for line in lines.values() if not line.name.endswith(".grad")]


def _old_values(judged: Judged) -> list[str]:
    """``star`` of ``p - star[n]`` in a loop over the named parameters."""
    found: list[str] = []
    for loop in nodes_of(judged.tracer.tree):
        if not isinstance(loop, ast.For) or not ast.unparse(loop.iter).endswith(
            "named_parameters()"
        ):
            continue
        own = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        for node in ast.walk(loop):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
                continue
            held = node.right
            by_name = isinstance(held, ast.Subscript) and ast.unparse(held.slice) in own
            if by_name and {n.id for n in ast.walk(node.left) if isinstance(n, ast.Name)} & own:
                found.append(ast.unparse(held.value).removeprefix("self."))  # type: ignore[attr-defined]
    return found


def _of_formula(
    given: Given, told: Told, judged: Judged, who: Who, key: str, lines: dict[str, RoleLine]
) -> None:
    name = judged.tracer.labels.get(given, given.text) if given.inputs else given.text
    if "(" in name:
        same = [n.text for n in who.names.holding.get(name, [])]
        name = same[0] if len(same) == 1 else name
    name = name.removeprefix("self.")
    if told.role == "labels" and not given.inputs:
        name = _taken_from(name, who)
    if name.startswith("<"):
        return  # what a loop carries on, not a name of the code
    if re.search(r"\.(weight|bias)(\[|$)", name) and not re.match(
        r"(args|cfg|config|opts?|hp)\.", name
    ):
        return  # a parameter of a layer
    settled = _settled(name, told, given, who)
    if settled is None:
        return
    role, reason = settled.role, settled.reason
    if given in who.heads:
        place = who.heads[given]
        head = name if place is None else f"{name}[{place}]"
        lines.setdefault(head, RoleLine(head, "teacher", words.IS_IMITATED))
    role = _of_callee(given, role, who)
    students = [line for line in lines.values() if line.role == "student"]
    modelled = given.text.split("(", 1)[0] in who.peers or "(" not in given.text
    if key == "dml" and role == "student" and students and modelled and not who.heads:
        role = PEER
    if name in {"eps", "epsilon"} or (role in SIDES and _is_of_loss(name)):
        return
    lines.setdefault(name, RoleLine(name, role, reason))
    if not given.inputs or role not in {*SIDES, PEER}:
        return
    callee = given.text.split("(", 1)[0].removeprefix("self.")
    owner = re.split(r"[\[.]", callee, maxsplit=1)[0]
    known = owner.isidentifier() and owner not in ALIASES and not is_loss(owner)
    if known and owner[:1].islower():
        given_to = [i for i in given.inputs if not (_is_item(i) and side(i, judged.roles) == role)]
        computed = any(side(i, judged.roles) for i in given_to)
        applied = "." not in callee and (computed or is_layer(owner))
        lines.setdefault(owner, RoleLine(owner, "layer" if applied else role, words.ITS_MODEL))
    for inner in given.inputs:
        held = isinstance(inner, Given) and bool(_HELD.search(inner.text))
        if held:
            lines.pop(inner.text, None)  # type: ignore[attr-defined]
        elif isinstance(inner, Given) and not inner.inputs and inner not in judged.roles:
            lines.setdefault(inner.text, RoleLine(inner.text, "input", words.IS_INPUT))


def _taken_from(name: str, who: Who) -> str:
    """``y`` of ``y = batch[1].to(device)``."""
    item = re.compile(rf"{re.escape(name)}\[\d+\]")
    taken = [
        n.text for text, held in who.names.holding.items() if item.match(text)
        for n in held if is_label(n.text)
    ]  # fmt: skip
    return taken[0] if len(taken) == 1 else name


def _of_callee(given: Given, role: str, who: Who) -> str:
    """The side of the model that is called, where its own uses tell another one."""
    callee = given.text.split("(", 1)[0].removeprefix("self.") if given.inputs else ""
    told = {r[0] for r in who.roles_called(callee) if r} if callee else set()
    return told.pop() if len(told) == 1 and role in SIDES and told <= set(SIDES) else role


def _is_of_loss(name: str) -> bool:
    callee = name.split("(", 1)[0].rsplit(".", 1)[-1]
    return is_loss(callee) or "cross_entropy" in callee


def _is_item(node: Node) -> bool:
    """Whether a part is an item of a list: the model that a loop is at."""
    return isinstance(node, Item) or (isinstance(node, Call) and node.name == "last")


def _settled(name: str, told: Told, given: Given, who: Who) -> Told | None:
    """The role of a name of a formula, where its other uses do not speak against it."""
    known = who.roles_called(name)
    roles = {r[0]: r for r in known if r is not None}
    if not known or told.role in roles:
        return told
    if len(roles) == 1:
        return Told(*next(iter(roles.values())))
    return told if given.inputs and not roles else None


def _is_of_batch(value: ast.expr) -> bool:
    """``batch[0].to(device)``, ``data["image"]``."""
    return bool(re.match(r"(batch|data|sample|examples?)\[", ast.unparse(value)))


def _is_of_zip(loop: ast.expr, who: Who) -> bool:
    outer = who.names.parents.get(loop)
    return isinstance(outer, ast.Call) and last_name(outer.func) == "zip"


def _beside(name: Name, text: str, who: Who) -> RoleLine | None:
    told = who.role(name)
    if told is None or told[0] not in words.ROLES or (told[0] in SIDES and _is_of_loss(text)):
        return None
    if len({r[0] for r in who.roles_called(text) if r}) > 1:
        return None
    from_outside = not name.values and Use.CALLED not in name.uses
    made = told[1] is words.BY_MAKING or (
        told[0] in SIDES and (name.is_model or name.loops or from_outside)
    )
    batch = bool(name.loops) or any(_is_of_batch(v) for v in name.values)
    made = made or (told[0] == "input" and batch)
    if name.argument is None and told[0] not in _OF_LOCALS and not made:
        return None
    paired = any(_is_of_zip(loop, who) for loop in name.loops)
    if told[0].endswith(" parameters") and name.loops and not paired:
        return None
    helper = name.argument is not None and who.is_helper(name)
    if helper and told[0] not in _OF_LOCALS - {"mask"}:
        return None
    if told[0] == "input" and Use.FED not in name.uses:
        return None
    return RoleLine(text, *told)
