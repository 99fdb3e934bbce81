"""What a value is: a setting, a sample, the output of a model, a running sum."""

from __future__ import annotations

import ast
import re

from didact.check.engine.names import is_label, is_model, is_temperature, is_weight
from didact.check.explain.formula.trace.objects import Value
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Given,
    Item,
    Node,
    Sequence,
    walk,
)


def written_factors(left: Constant, right: Constant) -> tuple[float, ...]:
    """The numbers of a product as they are written: the 9 in ``0.5 * 9`` is T² at T = 3."""
    if any(isinstance(c.value, bool) or not isinstance(c.value, int | float)
           for c in (left, right)):  # fmt: skip
        return ()
    return (*(left.factors or (left.value,)), *(right.factors or (right.value,)))


def is_setting(given: Given) -> bool:
    """Whether a name is a number of the configuration: ``float(T)`` is T."""
    last = given.text.rsplit(".", 1)[-1]
    named = is_temperature(last) or is_weight(last) or isinstance(given.default, int | float)
    return not given.inputs and not given.model and named


def is_sample(value: Value) -> bool:
    """Whether a value is made of random numbers or of numbers that are written out.

    A function that is given it is only shown.
    """
    if not isinstance(value, Node):
        return False
    parts = list(walk(value))
    if any(isinstance(p, Given) and _RANDOM.search(p.text) for p in parts):
        return True
    made = any(isinstance(p, Call) and p.name == "tensor" for p in parts)
    return made and not any(isinstance(p, Given) for p in parts)


_RANDOM = re.compile(r"\b(?:randn|rand|randint|normal|uniform)\(")


def returned_parts(value: Value) -> list[Node]:
    """The parts of what is returned; of ``(loss, outputs) if flag else loss`` the loss."""
    if isinstance(value, Sequence):
        return [part for part in value.items if isinstance(part, Node)]
    if isinstance(value, Choice) and isinstance(value.then, Sequence) != isinstance(
        value.other, Sequence
    ):
        then, other = (_first(v) for v in (value.then, value.other))
        if then is None or other is None:
            return [part for part in (then, other) if part is not None]
        return [then if then is other else Choice(value.text, value.test, then, other)]
    return [value] if isinstance(value, Node) else []


def _first(value: Node) -> Node | None:
    if not isinstance(value, Sequence):
        return value
    return next((part for part in value.items if isinstance(part, Node)), None)


def is_model_itself(node: Node) -> bool:
    """Whether a name stands for a model, not for what it returns."""
    if not isinstance(node, Given) or node.model:
        return False
    return is_model(node.text) and not is_output(node.text)


def is_output(text: str) -> bool:
    """Whether a name with a model in it is what the model returns."""
    words = text.lower().replace(".", "_").split("_")
    return bool({"logits", "logit", "output", "outputs", "out", "feat", "features", "pred",
                 "preds", "prob", "probs", "scores"} & set(words))  # fmt: skip


def _loaded(target: ast.expr) -> ast.expr:
    return target


def addend_of(new: Node, mark: Node) -> Node | None:
    """``x`` where the value is ``mark + x`` and x does not read the mark."""
    if not isinstance(new, Call) or new.name not in {"add", "sub"}:
        return None
    left, right = new.args
    if mark not in set(walk(right)):
        rest = left
        addend = Call("neg", (right,)) if new.name == "sub" else right
    elif new.name == "add" and mark not in set(walk(left)):
        rest, addend = right, left
    else:
        return None
    if rest is mark:
        return addend
    before = addend_of(rest, mark)
    return None if before is None else Call("add", (before, addend))


def is_square(args: list[Node]) -> bool:
    """Whether a map is brought to one size of another map, on both sides."""
    size = args[1] if len(args) > 1 else None
    if isinstance(size, Sequence) and len(size.items) == 2:
        return size.items[0] is size.items[1]
    if not isinstance(size, Call) or not size.args:
        return False
    if size.name == "size":
        return len(size.args) == 2
    sizes = size.args[0] if size.name == "index" else None
    whole = isinstance(sizes, Call) and sizes.name == "size"
    return whole and isinstance(size.args[1], Constant)


def is_joined_labels(args: list[Node]) -> bool:
    """Whether labels are joined, as those of new samples and of a memory."""
    items = args[0].items if args and isinstance(args[0], Sequence) else ()
    names = [i.text.rsplit(".", 1)[-1] for i in items if isinstance(i, Given)]
    return len(names) == len(items) > 1 and any(map(is_label, names))


def is_text_item(key: Node) -> bool:
    """Whether a key is one of texts that are written out: ``for name in ["layer1", "layer2"]``."""
    if not isinstance(key, Item) or key.source < 0:
        return False
    source = key.loop.sources[key.source]
    return isinstance(source, Sequence) and all(
        isinstance(i, Constant) and isinstance(i.value, str) for i in source.items
    )
