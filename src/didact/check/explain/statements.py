"""One statement in words."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.explain.blocks import explain_block
from didact.check.explain.call_statements import action
from didact.check.explain.call_words import last_name
from didact.check.explain.expressions import Reader
from didact.check.explain.losscalls import code_of, facts, loss_phrase
from didact.check.explain.plain import import_words, plain, spaced
from didact.check.explain.slices import is_suspicious, slice_phrase

_AUGMENTED: dict[type[ast.operator], Text] = {
    ast.Add: Text("Adds to {target}: {what}.", "累加到 {target}：{what}。"),
    ast.Sub: Text("Subtracts from {target}: {what}.", "从 {target} 中减去：{what}。"),
    ast.Mult: Text("Multiplies {target} by {what}.", "{target} 乘以 {what}。"),
    ast.Div: Text("Divides {target} by {what}.", "{target} 除以 {what}。"),
}
_ALIGNS = Text(
    "Rescales the classifier rows {target} by {what}: weight alignment (WA), which takes back the "
    "bias towards the new classes.",
    "把分类头的这些行 {target} 乘以 {what}：即权重对齐（WA），用来消除对新类的偏向。",
)
_BECOMES = Text("{target} is {what}.", "{target}：{what}。")
_RETURNS = Text("Returns {what}.", "返回{what}。")


@dataclass(frozen=True, slots=True)
class Narrator:
    """Puts statements in words."""

    reader: Reader

    def explain(self, node: ast.stmt) -> Text:
        """What the statement does, without the statements inside it."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is not None:
            result: Text = method(node)
            return result
        block = explain_block(node, self.reader)
        return block if block is not None else plain(node)

    def _assign(self, node: ast.Assign) -> Text:
        target = ", ".join(_target(t) for t in node.targets)
        if (special := self._special_assign(node)) is not None:
            return special
        return self._with_facts(
            _BECOMES.format(target=target, what=self._value(node.value)), node.value
        )

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
        if isinstance(node.value, ast.Constant | ast.Name | ast.Attribute):
            value = self._value(node.value)
            names = ", ".join(code_of(t) for t in node.targets)
            if isinstance(node.value, ast.Name | ast.Attribute) and _is_model(node.value, target):
                return Text(
                    f"{names} is another name for the same object as {code_of(node.value)}, not a "
                    f"copy.",
                    f"{names} 只是 {code_of(node.value)} 的另一个名字，指向同一对象，不是拷贝。",
                )
            return self._with_facts(
                Text(f"Sets {names} to {value.en}.", f"令 {names} 为 {value.zh}。"), node.value
            )
        return None

    def _value(self, node: ast.expr) -> Text:
        if isinstance(node, ast.Tuple):
            parts = [self.reader.phrase(e) for e in node.elts]
            return Text("; ".join(p.en for p in parts), "；".join(p.zh for p in parts))
        return self.reader.phrase(node)

    def _with_facts(self, sentence: Text, node: ast.expr) -> Text:
        sentence = self._with_losses(sentence, node)
        known = facts(self.reader.analysis.value_of(node))
        if known is None:
            return sentence
        return Text(f"{sentence.en} → {known.en}.", f"{sentence.zh}→ {known.zh}。")

    def _with_losses(self, sentence: Text, node: ast.expr) -> Text:
        """Add what each loss in the expression computes, and each odd slice takes, if not said."""
        for inner in ast.walk(node):
            use = self.reader.uses.get(id(inner))
            words = loss_phrase(use) if use is not None and inner is not node else None
            if use is not None and words is not None and words.zh not in sentence.zh:
                shown = code_of(use.node, 40)
                sentence = Text(
                    f"{sentence.en} Inside it, {shown} is {words.en}.",
                    f"{sentence.zh}其中 {shown} 是{spaced(words).zh}。",
                )
            if isinstance(inner, ast.Subscript) and inner is not node:
                sentence = self._with_slice(sentence, inner)
        return sentence

    def _with_slice(self, sentence: Text, node: ast.Subscript) -> Text:
        value = self.reader.analysis.value_of(node.value)
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
        sentence = template.format(target=code_of(node.target), what=self._value(node.value))
        return self._with_facts(sentence, node.value)

    def _return(self, node: ast.Return) -> Text:
        if node.value is None:
            return Text("Ends the function.", "结束函数。")
        sentence = _RETURNS.format(what=spaced(self._value(node.value)))
        return self._with_facts(sentence, node.value)

    def _expr(self, node: ast.Expr) -> Text:
        value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return Text("A documentation string.", "文档字符串。")
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
        return Text("; ".join(p.en for p in parts) + ".", "；".join(p.zh for p in parts) + "。")

    def _importfrom(self, node: ast.ImportFrom) -> Text:
        names = ", ".join(f"`{a.asname or a.name}`" for a in node.names)
        module = "." * node.level + (node.module or "")
        return Text(f"Imports {names} from `{module}`.", f"从 `{module}` 导入 {names}。")


def _target(node: ast.expr) -> str:
    """A target; of a tuple its parts."""
    return ", ".join(map(code_of, node.elts)) if isinstance(node, ast.Tuple) else code_of(node)


def _is_model(value: ast.expr, target: ast.expr) -> bool:
    names = (last_name(value).lower(), last_name(target).lower())
    return all(any(w in n for w in ("model", "net", "teacher", "network")) for n in names)
