"""One statement in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from didact._core.i18n import Text
from didact.check.engine.names import is_model
from didact.check.engine.spaces import Grad, Space
from didact.check.engine.values import Value
from didact.check.explain.blocks import explain_block
from didact.check.explain.call_words import Bare, last_name, plugged, same
from didact.check.explain.expressions import Reader
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.idioms import idiom, line_idiom
from didact.check.explain.idioms.hooks import hook
from didact.check.explain.losscalls import WRITTEN_OUT, code_of, facts, gradient_of
from didact.check.explain.slices import is_suspicious, slice_phrase
from didact.check.explain.words.actions import (
    ACTIONS,
    EACH,
    FROM_SHAPE,
    IMPORTS,
    LOGS,
    METHOD_HINTS,
    MOVED,
    MOVING,
    OUTPUT_PARTS,
    OWN_LOSS,
    PAIR,
    PART_OF,
    UNPACKS,
)

_AUGMENTED: dict[type[ast.operator], Text] = {
    ast.Add: Text("Adds to {target}: {what}.", "累加到 {target}：{what}。"),
    ast.Sub: Text("Subtracts from {target}: {what}.", "从 {target} 中减去：{what}。"),
    ast.Mult: Text("Multiplies {target} by {what}.", "{target} 乘以 {what}。"),
    ast.Div: Text("Divides {target} by {what}.", "{target} 除以 {what}。"),
}
_ALIGNS = Text(
    "Rescales the classifier rows {target} by {what}, as weight alignment (WA) does.",
    "把分类头的这些行 {target} 乘以 {what}：权重对齐（WA）的做法。",
)
_BY_NAME = Text("Calls {call}. By its name: {en}", "调用 {call}。按名字看：{zh}")
_FOR_EFFECT = Text(
    "Calls the method `{name}` of {o}; what it returns is not kept, so it is called for what it "
    "changes.",
    "调用 {o} 的方法 `{name}`；返回值没有保存，所以作用在于它改动了什么。",
)
_FORWARD = re.compile(
    r"forward|feature|backbone|extract|encod|stem|layer\d*$|^(\w+_)?head$|^fc$|classif"
)
_CHANGES = re.compile(r"^(add|set|reset|init|expand|extend|grow|update|freeze|unfreeze|load|save)_")
"""Parts of a model: calling them is a forward pass."""
_BUILT = Text("{target} is the model that {call} builds.", "{target}：由 {call} 建立的模型。")
_NAN = Text(
    "Sets the NaN in {x} to {value}: only NaN differs from itself.",
    "把 {x} 中的 NaN 改为 {value}（只有 NaN 不等于自身）。",
)
_BECOMES = Text("{target} is {what}.", "{target}：{what}。")
_ARE_EACH = Text("{target} are each {what}.", "{target} 都是{what}。")
_IN_PLACE = Text("Changes {o} in place: it is now {what}.", "就地修改 {o}：得到{what}。")
_OVERWRITES = Text("Writes over {place}: they become {what}.", "改写{place}：变为{what}。")
_RETURNS = Text("Returns {what}.", "返回{what}。")
_LEFT_OUT = Text("Stands for what was left out here.", "此处省略了若干代码。")
NOTHING = Text("", "")
"""Where the code says all there is to say."""


@dataclass(frozen=True, slots=True)
class Explainer:
    """Puts statements in words."""

    reader: Reader

    def explain(self, node: ast.stmt) -> Text:
        """What the statement does, without the statements inside it."""
        if (meant := line_idiom(self.reader.scene, node)) is not None:
            return meant
        explained = _BY_TYPE.get(type(node))
        if explained is not None:
            return explained(self, node)
        called_for = hook(self.reader.analysis.tree, node)
        block = explain_block(node, self.reader.who.parameter, called_for)
        return block if block is not None else plain(node)

    def _assign(self, node: ast.Assign) -> Text:
        added = _added_to_itself(node)
        if added is not None:
            sentence = _AUGMENTED[type(node.value.op)].format(  # type: ignore[attr-defined]
                target=code_of(node.targets[0]), what=self._value(added)
            )
            return self._with_facts(sentence, added)
        if (written := self._overwritten(node)) is not None:
            return written
        target = ", ".join(_target(t) for t in node.targets)
        if self.reader.builds_model(node):
            return _BUILT.format(target=target, call=code_of(node.value))
        if (special := self._special_assign(node)) is not None:
            return special
        what = self._value(node.value)
        if isinstance(what, Bare):
            return self._facts_of(target, node.value)
        return self._with_facts(_BECOMES.format(target=target, what=what), node.value)

    def _overwritten(self, node: ast.Assign) -> Text | None:
        """``target[:, :k] = ...``: which part is written over, and with what."""
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return None
        if ast.unparse(target.slice) == f"{(x := ast.unparse(target.value))} != {x}":
            value = code_of(node.value)
            return _NAN.format(x=code_of(target.value), value=value)
        keys = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        if not any(isinstance(k, ast.Slice) for k in keys) or "weight" in ast.unparse(target):
            return None
        own = self.reader.proof.value_of(target.value)
        known = own is not None and own.space not in {Space.UNKNOWN, Space.LABELS}
        place = slice_phrase(target, own if known else self.reader.proof.value_of(node.value))
        what = self._value(node.value)
        sentence = _OVERWRITES.format(place=spaced(place), what=spaced(what))
        return self._with_facts(sentence, node.value)

    def _facts_of(self, target: str, node: ast.expr) -> Text:
        """What is known of a value whose line says the rest itself."""
        known = self._with_facts(NOTHING, node)
        en, zh = known.en.strip(), known.zh.strip()
        if en.startswith("→ "):
            return Text(f"{target}: {en[2:]}", f"{target}：{zh.removeprefix('→').strip()}")
        return Text(en.removeprefix("Inside it, "), zh.removeprefix("其中 "))

    def _special_assign(self, node: ast.Assign) -> Text | None:
        target = node.targets[0]
        if isinstance(target, ast.Attribute) and target.attr == "requires_grad":
            on = isinstance(node.value, ast.Constant) and node.value.value is True
            return Text(
                f"{'Gives' if on else 'Takes'} {code_of(target.value)} {'a' if on else 'its'} "
                f"gradient"
                f"{'' if on else ' away: it will not be trained'}.",
                f"{'开启' if on else '关闭'} {code_of(target.value)} 的梯度"
                f"{'' if on else '：它不再被训练'}。",
            )
        if (
            isinstance(target, ast.Attribute)
            and target.attr == "grad"
            and isinstance(node.value, ast.Constant)
        ):
            return Text(
                f"Drops the gradient of {code_of(target.value)}.",
                f"清掉 {code_of(target.value)} 的梯度。",
            )
        if isinstance(target, ast.Tuple) and _is_shape(node.value):
            return FROM_SHAPE.format(parts=_listed(target.elts), what=code_of(_owner(node.value)))
        both = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        if both and (parts := self._side_by_side(target, node.value)) is not None:  # type: ignore[arg-type]
            return parts
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Name | ast.Subscript):
            return UNPACKS.format(what=code_of(node.value), parts=_listed(target.elts))
        if _keeps(node.value) and isinstance(node.value, ast.Call):
            owner = node.value.func.value  # type: ignore[attr-defined]
            if ast.unparse(owner) == ast.unparse(target):
                where = MOVED.get(node.value.func.attr)  # type: ignore[attr-defined]
                shown = ", ".join(code_of(a) for a in node.value.args)
                if where is not None and (shown or "{args}" not in where.en):
                    return where.format(o=code_of(target), args=shown)
        if _is_kept_as_it_is(node):
            return NOTHING
        part = node.value if isinstance(node.value, ast.Attribute) else None
        if part is not None and part.attr in OUTPUT_PARTS:
            names = ", ".join(code_of(t) for t in node.targets)
            owner = self.reader.phrase(part.value)
            words = OWN_LOSS if part.attr == "loss" else PART_OF
            sentence = words.format(target=names, part=part.attr, what=owner)
            return self._with_facts(sentence, node.value)
        if isinstance(node.value, ast.Constant | ast.Name | ast.Attribute):
            names = ", ".join(code_of(t) for t in node.targets)
            if isinstance(node.value, ast.Name | ast.Attribute) and _is_model(node.value, target):
                return Text(
                    f"{names} is another name for the same object as {code_of(node.value)}, not a "
                    f"copy.",
                    f"{names} 只是 {code_of(node.value)} 的另一个名字，指向同一对象，不是拷贝。",
                )
            if isinstance(node.value, ast.Constant) and node.value.value is None:
                return Text(
                    f"Sets {names} to `None` (nothing yet).", f"令 {names} 为 `None`（暂无）。"
                )
            if isinstance(node.value, ast.Constant):
                return NOTHING
            value = self._value(node.value)
            if isinstance(value, Bare):
                return self._facts_of(names, node.value)
            return self._with_facts(
                Text(f"Sets {names} to {value.en}.", f"令 {names} 为 {value.zh}。"), node.value
            )
        return None

    def _side_by_side(self, target: ast.Tuple, value: ast.Tuple) -> Text | None:
        """``a, b = f(x), g(x)``: each name with what it gets."""
        if len(target.elts) != len(value.elts) or len(value.elts) < 2:
            return None
        if any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts)):
            return None
        moved = [_moved(t, v) for t, v in zip(target.elts, value.elts, strict=True)]
        if None not in moved and len(set(moved)) == 1:
            method, shown = moved[0]  # type: ignore[misc]
            return MOVED[method].format(o=_listed(target.elts), args=shown)
        pairs = list(zip(target.elts, value.elts, strict=True))
        if all(ast.unparse(t) == f"self.{ast.unparse(v)}" for t, v in pairs):
            return NOTHING
        parts = [self.reader.phrase(e) for e in value.elts]
        if len({p.zh for p in parts}) == 1:
            return _ARE_EACH.format(target=_listed(target.elts), what=parts[0])
        names = [code_of(t) for t in target.elts]
        said = [(n, p) for n, p in zip(names, parts, strict=True) if not isinstance(p, Bare)]
        if not said:
            return NOTHING
        english = "; ".join(f"{n} is {p.en}" for n, p in said)
        chinese = "；".join(f"{n}：{p.zh}" for n, p in said)
        return Text(english + ".", chinese + "。")

    def _value(self, node: ast.expr) -> Text:
        if isinstance(node, ast.Tuple):
            parts = [self.reader.phrase(e) for e in node.elts]
            if all(isinstance(p, Bare) for p in parts):
                return same(code_of(node))
            if len(parts) > 1 and len({p.zh for p in parts}) == 1:
                return EACH.format(what=parts[0])
            return PAIR.format(
                parts=Text("; ".join(p.en for p in parts), "；".join(p.zh for p in parts))
            )
        return self.reader.phrase(node)

    def _with_facts(self, sentence: Text, node: ast.expr) -> Text:
        sentence = self._with_losses(sentence, node)
        if self.reader.softened(_without_moves(node)) is not None:
            return sentence
        value = self.reader.proof.value_of(node)
        if value is not None and _is_said_in(value, sentence):
            return sentence
        if value is not None and not self.reader.is_torch:
            value = value.replace(grad=Grad.UNKNOWN)  # a tape or a transformation decides
        if value is not None and "no gradient flows back" in sentence.en:
            value = value.replace(grad=Grad.UNKNOWN)  # said already
        known = (
            gradient_of(value) if self.reader.is_forward(node)
            else facts(value, self.reader.whose(node))
        )  # fmt: skip
        if known is None:
            return sentence
        return Text(f"{sentence.en} → {known.en}.", f"{sentence.zh}→ {known.zh}。")

    def _with_losses(self, sentence: Text, node: ast.expr) -> Text:
        """Add what each loss in the expression computes, and each odd slice takes, if not said."""
        covered: set[int] = set()
        parts = [n for n in nodes_of(node) if isinstance(n, ast.expr)]
        for inner in sorted(parts, key=lambda n: (n.lineno, n.col_offset, -(n.end_lineno or 0))):
            use = self.reader.uses.get(id(inner))
            if id(inner) in covered:
                continue
            words, shown = None, code_of(inner)
            if (use is not None or _holds_written(inner, self.reader)) and (
                words := idiom(self.reader.scene, inner)
            ) is not None:
                covered |= {id(n) for n in nodes_of(inner)}
            elif use is not None and use.kind not in WRITTEN_OUT:
                words = self.reader.loss_words(use, inner)
            if (
                inner is not node
                and words is not None
                and not self._is_said(inner, words, sentence)
            ):
                sentence = Text(
                    f"{sentence.en} Inside it, {shown} is {words.en}.",
                    f"{sentence.zh}其中 {shown} 是{spaced(words).zh}。",
                )
            if isinstance(inner, ast.Subscript) and inner is not node:
                sentence = self._with_slice(sentence, inner)
        return sentence

    def _is_said(self, node: ast.expr, words: Text, sentence: Text) -> bool:
        """Whether a sentence has the words for an expression, or for what it is made around."""
        if words.zh in sentence.zh:
            return True
        if id(node) in self.reader.uses and self.reader.uses[id(node)].reduction == "none":
            use = self.reader.uses[id(node)]
            begin = loss_begin(self.reader.loss_words(use, node))
            return begin is not None and begin in sentence.zh
        if not _holds_written(node, self.reader):
            return False
        inside = (idiom(self.reader.scene, n) for n in nodes_of(node) if isinstance(n, ast.expr))
        return any(told is not None and told.zh in sentence.zh for told in inside)

    def _with_slice(self, sentence: Text, node: ast.Subscript) -> Text:
        value = self.reader.proof.value_of(node.value)
        if not is_suspicious(node, value):
            return sentence
        words, shown = slice_phrase(node, value), code_of(node)
        return Text(
            f"{sentence.en} Mind {shown}: {words.en}.", f"{sentence.zh}注意 {shown}：{words.zh}。"
        )

    def _annassign(self, node: ast.AnnAssign) -> Text:
        if node.value is None:
            return Text(f"Declares {code_of(node.target)}.", f"声明 {code_of(node.target)}。")
        return _BECOMES.format(target=code_of(node.target), what=self._value(node.value))

    def _augassign(self, node: ast.AugAssign) -> Text:
        template = _AUGMENTED.get(type(node.op))
        if template is None:
            return Text(
                f"Updates {code_of(node.target)} in place.", f"原地更新 {code_of(node.target)}。"
            )
        if (
            isinstance(node.op, ast.Mult)
            and isinstance(node.target, ast.Subscript)
            and "weight" in ast.unparse(node.target)
        ):
            return _ALIGNS.format(target=code_of(node.target), what=code_of(node.value))
        what = self._value(node.value)
        if isinstance(what, Bare):
            return self._facts_of(code_of(node.value), node.value)
        sentence = template.format(target=code_of(node.target), what=what)
        return self._with_facts(sentence, node.value)

    def _return(self, node: ast.Return) -> Text:
        if node.value is None:
            return Text("Ends the function.", "结束函数。")
        what = self._value(node.value)
        if isinstance(what, Bare):
            return self._returned(node.value)
        return self._with_facts(_RETURNS.format(what=spaced(what)), node.value)

    def _returned(self, node: ast.expr) -> Text:
        """What is known of a result whose line says the rest itself."""
        known = self._facts_of("", node)
        if not known.en.startswith(": "):
            return known
        return Text(f"Returns {known.en[2:]}", f"返回{known.zh[1:]}")

    def _expr(self, node: ast.Expr) -> Text:
        value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return NOTHING
        if isinstance(value, ast.Constant) and value.value is Ellipsis:
            return _LEFT_OUT
        if isinstance(value, ast.Call):
            return action(value, self.reader)
        if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
            shown = code_of(value)
            return Text(f"Shows {shown} in a console or notebook; does nothing in a program.",
                        f"在控制台或 notebook 中显示 {shown}；在程序里不起作用。")  # fmt: skip
        what = spaced(self.reader.phrase(value))
        return Text(
            f"Evaluates {what.en}; the result is not kept.", f"计算{what.zh}，结果没有保存。"
        )

    def _import(self, node: ast.Import) -> Text:
        parts = [import_words(a.name, a.asname) for a in node.names]
        later = [p.en[0].lower() + p.en[1:] for p in parts[1:]]
        return Text("; ".join([parts[0].en, *later]) + ".", "；".join(p.zh for p in parts) + "。")

    def _importfrom(self, node: ast.ImportFrom) -> Text:
        names = ", ".join(f"`{a.asname or a.name}`" for a in node.names)
        module = "." * node.level + (node.module or "")
        return Text(f"Imports {names} from `{module}`.", f"从 `{module}` 导入 {names}。")


_BY_TYPE: dict[type[ast.stmt], Callable[[Explainer, Any], Text]] = {
    ast.Assign: Explainer._assign,
    ast.AnnAssign: Explainer._annassign,
    ast.AugAssign: Explainer._augassign,
    ast.Return: Explainer._return,
    ast.Expr: Explainer._expr,
    ast.Import: Explainer._import,
    ast.ImportFrom: Explainer._importfrom,
}


def _without_moves(node: ast.expr) -> ast.expr:
    """``x`` of ``x.detach().cuda()``."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in {"detach", "cuda", "to", "cpu", "float", "contiguous"}:
            break
        node = node.func.value
    return node


_TWO_CLASSES = ("distribution over two classes", "mixture of the two distributions")


def _is_said_in(value: Value, sentence: Text) -> bool:
    """Whether a sentence has already what a value holds."""
    if value.space is Space.ONE_HOT:
        return "one-hot" in sentence.en
    return value.space is Space.PROBS and any(w in sentence.en for w in _TWO_CLASSES)


def loss_begin(words: Text | None) -> str | None:
    """The words for a loss up to its reduction."""
    return words.zh.rsplit("；", 1)[0] if words is not None else None


def _holds_written(node: ast.expr, reader: Reader) -> bool:
    """Whether an expression holds a loss that no call is for."""
    return any(
        reader.uses[id(n)].kind in WRITTEN_OUT for n in nodes_of(node) if id(n) in reader.uses
    )


def _added_to_itself(node: ast.Assign) -> ast.expr | None:
    """``y`` of ``x = x + y``."""
    value = node.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add | ast.Sub):
        return None
    same_name = text_of(node.targets[0]) == ast.unparse(value.left)
    return value.right if same_name and isinstance(value.left, ast.Name) else None


def _moved(target: ast.expr, value: ast.expr) -> tuple[str, str] | None:
    """The method and the arguments of ``x = x.to(device)``."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    if value.func.attr not in MOVED or ast.unparse(value.func.value) != ast.unparse(target):
        return None
    shown = ", ".join(code_of(a) for a in value.args)
    if not shown and "{args}" in MOVED[value.func.attr].en:
        return None
    return value.func.attr, shown


def _is_kept_as_it_is(node: ast.Assign) -> bool:
    """``self.alpha = alpha``."""
    target, value = node.targets[0], node.value
    if not isinstance(target, ast.Attribute) or not isinstance(value, ast.Name):
        return False
    return ast.unparse(target) == f"self.{value.id}"


def _is_shape(node: ast.expr) -> bool:
    """``x.shape`` or ``x.size()``."""
    if isinstance(node, ast.Call) and not node.args:
        return isinstance(node.func, ast.Attribute) and node.func.attr == "size"
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def _owner(node: ast.expr) -> ast.expr:
    function = node.func if isinstance(node, ast.Call) else node
    assert isinstance(function, ast.Attribute)
    return function.value


def _listed(parts: list[ast.expr]) -> Text:
    names = [code_of(p) for p in parts]
    if len(names) < 2:
        return Text(", ".join(names), "、".join(names))
    return Text(
        ", ".join(names[:-1]) + " and " + names[-1], "、".join(names[:-1]) + " 和 " + names[-1]
    )


def _keeps(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def _target(node: ast.expr) -> str:
    """A target; of a tuple its parts."""
    return ", ".join(map(code_of, node.elts)) if isinstance(node, ast.Tuple) else code_of(node)


def _is_model(value: ast.expr, target: ast.expr) -> bool:
    names = (last_name(value).lower(), last_name(target).lower())
    return all(any(w in n for w in ("model", "net", "teacher", "network")) for n in names)


def action(node: ast.Call, reader: Reader) -> Text:
    """What the call does, as a sentence."""
    name = last_name(node.func)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    owner_text = ast.unparse(owner) if owner is not None else ""
    if name == "__init__" and owner_text.startswith("super("):
        name = "super_init" if reader.is_torch else "super_init_elsewhere"
    if name in {"step", "update"} and "scaler" in owner_text.lower():
        name = f"scaler.{name}"
    if name == "step" and "sched" in owner_text.lower():
        name = "scheduler.step"
    logged = owner is not None and reader.is_object(owner) and name in {"log", "log_dict"}
    if logged and node.args:
        return LOGS.format(args=", ".join(code_of(a) for a in node.args))
    if name == "train" and "trainer" in owner_text.lower():
        name = "trainer.train"
    if (average := moving_average(node)) is not None:
        return average
    template = ACTIONS.get(name)
    if template is not None and (owner is not None or "{o}" not in template.en):
        return _filled(template, node, owner, reader)
    for hint, text in METHOD_HINTS:
        if hint in name.lower():
            return _BY_NAME.format(call=code_of(node), en=text.en, zh=text.zh)
    if reader.is_plain_call(node) or name == "print":
        return NOTHING
    if (
        owner is not None
        and is_model(last_name(owner))
        and (not _FORWARD.search(name) or _CHANGES.match(name))
    ):
        return _FOR_EFFECT.format(o=code_of(owner), name=name)
    what = spaced(reader.phrase(node))
    if name.endswith("_") and not name.endswith("__") and owner is not None:
        return _IN_PLACE.format(o=code_of(owner), what=what)
    return Text(f"Computes {what.en}; the result is not kept.", f"计算{what.zh}，结果没有保存。")


def moving_average(node: ast.Call) -> Text | None:
    """``ema.mul_(d).add_(p, alpha=1 - d)`` and the like: one step of a moving average."""
    name = last_name(node.func)
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name == "lerp_" and inner is not None and len(node.args) == 2:
        return MOVING.format(p=code_of(inner), d=f"1 − {code_of(node.args[1])}",
                             q=code_of(node.args[0]), r=code_of(node.args[1]))  # fmt: skip
    if name != "add_" or not isinstance(inner, ast.Call) or last_name(inner.func) != "mul_":
        return None
    if not inner.args or not node.args or not isinstance(inner.func, ast.Attribute):
        return None
    rest = next((k.value for k in node.keywords if k.arg == "alpha"), None)
    added: ast.expr = node.args[-1]
    if rest is None and len(node.args) == 2:
        rest = node.args[0]  # the old order: add_(1 - d, p)
    if rest is None and isinstance(added, ast.BinOp) and isinstance(added.op, ast.Mult):
        rest, added = added.left, added.right
    if rest is None:
        return None
    return MOVING.format(
        p=code_of(inner.func.value), d=_factor(inner.args[0]), q=code_of(added), r=code_of(rest)
    )


def _factor(node: ast.expr) -> str:
    """A weight before a dot of multiplication; a sum stands in parentheses."""
    return f"({code_of(node)})" if isinstance(node, ast.BinOp) else code_of(node)


def _filled(template: Text, node: ast.Call, owner: ast.expr | None, reader: Reader) -> Text:
    arguments = [code_of(a) for a in node.args] + [
        f"`{k.arg}={ast.unparse(k.value)}`" for k in node.keywords if k.arg
    ]
    shown = ", ".join(arguments)
    english, chinese = (plugged(t, arguments) for t in (template.en, template.zh))
    return Text(english, chinese).format(
        o=code_of(owner),
        args=shown or "…",
        with_args=Text(f" with {shown}" if shown else "", f"，参数 {shown}" if shown else ""),
        reached=_reached(owner, reader),
    )


def _reached(owner: ast.expr | None, reader: Reader) -> Text:
    """Who gets the gradient."""
    nothing = Text("", "")
    value = reader.analysis.value_of(owner) if owner is not None else None
    if value is None or not value.terms:
        return nothing
    if all(term.cut or term.use.under_no_grad for term in value.terms):
        return nothing
    roles = {term.use.input.grad for term in value.terms} | {t.use.target.grad for t in value.terms}
    soft = [t.use for t in value.terms if not t.use.is_hard]
    known = [reader.proof.value_of(use.target_node) or use.target for use in soft]
    if "yes" in {v.grad for v in known}:
        return Text(
            " It also reaches what the targets were computed from.",
            "注意：梯度也会回传到目标（软标签）一侧。",
        )
    if "yes" in roles and all(v.grad == "no" for v in known):
        return Text(" Only the prediction side gets gradient.", "只有预测（学生）一侧得到梯度。")
    return nothing


def import_words(name: str, alias: str | None) -> Text:
    """One imported module, with what it is for."""
    about = IMPORTS.get(name) or IMPORTS.get(name.split(".")[0])
    what = Text(f" ({about.en})", f"（{about.zh}）") if about else Text("", "")
    as_name = Text(f" under the name `{alias}`", f"，简写为 `{alias}`") if alias else Text("", "")
    return Text(f"Imports `{name}`{what.en}{as_name.en}", f"导入 `{name}`{what.zh}{as_name.zh}")


def spaced(text: Text) -> Text:
    """The Chinese with a space before it where it begins in Latin letters or code."""
    return Text(text.en, f" {text.zh}" if text.zh[:1].isascii() else text.zh)


_PLAIN: dict[type[ast.stmt], Text] = {
    ast.Pass: Text("Does nothing; stands where a statement is required.", "什么也不做，占位语句。"),
    ast.Break: Text("Leaves the innermost loop.", "跳出最内层循环。"),
    ast.Continue: Text("Goes on with the next round of the loop.", "进入循环的下一轮。"),
}


def plain(node: ast.stmt) -> Text:
    """A statement that needs no inference."""
    if type(node) in _PLAIN:
        return _PLAIN[type(node)]
    if isinstance(node, ast.Assert):
        return Text(
            f"Stops with an error unless {code_of(node.test)}.",
            f"断言 {code_of(node.test)}，不成立则报错。",
        )
    if isinstance(node, ast.Raise) and node.exc is None:
        return Text("Raises the error again.", "重新抛出当前异常。")
    if isinstance(node, ast.Raise):
        shown = code_of(node.exc)
        return Text(f"Stops with the error {shown}.", f"抛出异常 {shown}。")
    if isinstance(node, ast.Delete):
        names = ", ".join(code_of(t) for t in node.targets)
        return Text(
            f"Removes {names} and frees what nothing else holds.",
            f"删除 {names}，释放不再被引用的内存。",
        )
    if isinstance(node, ast.Global | ast.Nonlocal):
        names = ", ".join(f"`{n}`" for n in node.names)
        return Text(
            f"Lets the function assign the outer {names}.", f"声明在函数内修改外层的 {names}。"
        )
    return same(f"`{ast.unparse(node).splitlines()[0][:60]}`")
