"""What is chosen: masked means, kept positions, largest entries, correct answers."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.tree import Call, Given, Node
from didact.check.explain.idioms._match import arg, constant, dim_of, is_call, number, peeled
from didact.check.explain.idioms._peel import Peel, peel, times
from didact.check.explain.idioms._scene import Scene, owned
from didact.check.explain.idioms.classes import hot, is_probability
from didact.check.explain.losscalls import code_of

_VALID = Text(
    "a mask: {one} where {y} is a real label, {zero} where it is {ignored} (positions "
    "that are left out)",
    "掩码：{y} 为真实标签处为 {one}，等于 {ignored}（被忽略的位置）处为 {zero}",
)
_NUMBERS = (Text("1", "1"), Text("0", "0"))
_TRUTHS = (Text("true", "True"), Text("false", "False"))
_BOTH = Text("the positions where both {a} and {b} hold", "{a} 与 {b} 同时成立的位置")
_KEPT = Text(
    "the rows of {x} at the positions that {m} selects",
    "{x} 中由 {m} 选中的那些位置",
)
_MASKED_SELECT = Text(
    "the entries of {x} where the mask {m} is true{rows}", "{x} 在掩码 {m} 为真处的元素{rows}"
)
_TRUE_ENTRIES = Text(
    "the entry of {x} at the true class of every sample", "每个样本在真实类处的 {x}"
)
_ROWS = Text(
    ", laid out with one row of {d} numbers for each kept position",
    "，每个保留的位置一行、{d} 个数",
)
_SPREAD = Text(
    "the mask {m}, repeated along the last dimension to the shape of {x}",
    "把掩码 {m} 沿最后一维扩展到 {x} 的形状",
)
_MASKED_MEAN = Text(
    "the mean of {x} over the positions that {m} selects", "{x} 只在 {m} 选中的位置上的平均"
)
_WEIGHTED_MEAN = Text("the mean of {x} weighted by {w}", "{x} 以 {w} 为权重的加权平均")
_ACCURACY = Text(
    "the accuracy: the share of the samples of the batch whose largest score is at the label",
    "准确率：本批中预测类（最大得分）与标签相同的样本所占比例",
)
_CORRECT = Text(
    "the number of correct predictions of the batch (largest score at the label)",
    "本批中预测正确（最大得分处即标签）的样本数",
)
_HITS = Text(
    "whether each prediction is correct: the class of the largest score is the label",
    "逐样本判断预测是否正确：得分最大的类是否等于标签",
)
_PREDICTED = Text(
    "the predicted class of each sample: the index of the largest entry of {x} along dim {dim}",
    "每个样本的预测类：{x} 沿 dim={dim} 最大项的下标",
)
_LARGEST = Text(
    "the largest entry of {x} along dim {dim} (`[0]` takes the values, not the indices)",
    "{x} 沿 dim={dim} 的最大值（`[0]` 取数值而不是下标）",
)
_CONFIDENCE = Text(
    "largest probability along dim {dim}: how sure the prediction is",
    "沿 dim={dim} 的最大概率，即预测的置信度",
)
_TOP_VALUES = Text(
    "the {k} largest entries of {x}{dim}, the largest first (values, not indices)",
    "{x}{dim}最大的 {k} 个值，从大到小（取数值而不是下标）",
)
_TOP_INDICES = Text(
    "the indices of the {k} largest entries of {x}{dim}", "{x}{dim}最大的 {k} 项的下标"
)
_TOP = Text(
    "the {k} largest entries of {x}{dim} and, beside them, their indices",
    "{x}{dim}最大的 {k} 个值及其下标",
)
_DIM = Text(" along dim {dim}", "沿 dim={dim} ")
_GATHERED = Text("the entries of {x} at the same indices {i}", "{x} 在同样下标 {i} 处的元素")
_LAST_STATES = Text("the hidden states of the last layer", "最后一层的隐状态")
_LAST = Text("the last element of {x}", "{x} 的最后一个元素")


_SHARE = Text(
    "the accuracy: correct predictions divided by the number of samples",
    "准确率：预测正确的样本数除以样本总数",
)
_DIAGONAL = Text(
    "the diagonal of {x}: entry (i, i) of every row", "{x} 的对角线：每行取第 (i, i) 个"
)


def _share(scene: Scene, node: ast.expr) -> Text | None:
    """``correct / total``, ``sum((m(x).argmax(1) == y).sum().item() for ...) / n``."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return None
    above = node.left
    if isinstance(above, ast.BinOp) and isinstance(above.op, ast.Mult):
        above = above.right if isinstance(above.left, ast.Constant) else above.left
    if isinstance(above, ast.Name):
        return _SHARE if above.id in {"correct", "n_correct", "num_correct"} else None
    if not isinstance(above, ast.Call) or not above.args:
        return None
    each = above.args[0]
    if not isinstance(each, ast.GeneratorExp) or ast.unparse(above.func) != "sum":
        return None
    counted = ast.unparse(each.elt)
    told = phrase(scene, each.elt) is _CORRECT
    by_form = "argmax(" in counted and "==" in counted and "sum()" in counted
    return _SHARE if told or by_form else None


def phrase(scene: Scene, node: ast.expr) -> Text | None:
    """What is chosen and by what."""
    if (share := _share(scene, node)) is not None:
        return share
    part = scene.part(node)
    if not isinstance(part, Call) or isinstance(node, ast.Name | ast.Attribute):
        return None
    for told in (_mask, _mean, _hits, _largest, _kept, _top, _last):
        if (words := told(scene, part, node)) is not None:
            return words
    return None


def _mask(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    inner = peeled(part)
    if is_call(inner, "expand_as") and len(inner.args) > 1:
        mask = inner.args[0]
        while is_call(mask, "unsqueeze"):
            mask = mask.args[0]
        last = is_call(inner.args[0], "unsqueeze") and dim_of(inner.args[0]) == -1
        if last and scene.is_named(mask, node) and scene.is_named(inner.args[1], node):
            return _SPREAD.format(m=scene.name(mask, node), x=scene.name(inner.args[1], node))
        return None
    both = is_call(inner, "logical_and") and all(is_mask(scene, a) for a in inner.args)
    if both and isinstance(node, ast.BinOp):
        return _BOTH.format(a=code_of(node.left), b=code_of(node.right))
    if is_call(inner, "ne") and _is_label(scene, inner.args[0]) and _is_ignored(scene, inner):
        one, zero = _NUMBERS if is_call(part, "floating", "integers") else _TRUTHS
        return _VALID.format(
            y=scene.name(inner.args[0], node), ignored=scene.name(inner.args[1], node),
            one=one, zero=zero,
        )  # fmt: skip
    return None


def _is_ignored(scene: Scene, test: Call) -> bool:
    """``-100``, 255 and what is called padding."""
    mark = test.args[1]
    if number(mark) in {-100, -1, 255}:
        return True
    return isinstance(mark, Given) and scene.judged.kinds.get(mark) is Kind.PADDING


def _is_label(scene: Scene, node: Node) -> bool:
    base = node
    while is_call(base, "index", "view", "reshape", "unsqueeze"):
        base = base.args[0]
    node = base
    if not isinstance(node, Given) or node.inputs:
        return False
    told = scene.judged.roles.get(node)
    if told is not None:
        return told.role == "labels"
    return any(w in node.text.lower() for w in ("label", "target", "gt"))


_MASK_NAMES = re.compile(r"mask|keep|valid|attn|attention|active|^m$", re.IGNORECASE)


def is_mask(scene: Scene, node: Node) -> bool:
    """Whether a part holds only 0 and 1: made by a comparison, or of labels."""
    node = peeled(node)
    while is_call(node, "unsqueeze", "squeeze", "view", "reshape", "expand_as", "index"):
        node = peeled(node.args[0])
    if is_call(node, "ne", "eq", "gt", "lt", "ge", "le", "one_hot", "logical_and", "logical_or",
               "logical_not", "invert", "isnan", "isinf"):  # fmt: skip
        return True
    if is_call(node, "mul"):
        return all(is_mask(scene, a) for a in node.args)
    named = isinstance(node, Given) and bool(_MASK_NAMES.search(node.text.rsplit(".", 1)[-1]))
    return named or hot(scene, node) is not None


def _mean(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    """``(x * w).sum() / w.sum()``: a masked mean only where ``w`` is a mask."""
    outer = peel(scene, part)
    if is_call(outer.core, "mul") and outer.reduced == [("mean", None)] and not outer.negative:
        return _over_all(scene, outer, node)
    if not is_call(outer.core, "div") or outer.reduced or outer.negative:
        return None
    inner = peel(scene, outer.core.args[0])
    above = inner.chain[-2] if len(inner.chain) > 1 else inner.core
    below = outer.core.args[1]
    if inner.reduced != [("sum", None)] or inner.negative or not is_call(above, "sum"):
        return None
    while is_call(below, "clamp", "clamp_min", "maximum", "add"):
        below = below.args[0]
    if not is_call(below, "sum") or not is_call(above.args[0], "mul"):
        return None
    product, w = above.args[0], below.args[0]
    if w not in product.args or not scene.is_written_in(above, node):
        return None
    x = product.args[1] if product.args[0] is w else product.args[0]
    if not (scene.is_named(x, node) and scene.is_named(w, node)):
        return None
    names = {"x": scene.name(x, node), "m": scene.name(w, node), "w": scene.name(w, node)}
    words = (_MASKED_MEAN if is_mask(scene, w) else _WEIGHTED_MEAN).format(**names)
    outer.factors += inner.factors
    factors = times(scene, outer, node)
    return Text(f"{words.en}{factors.en}", f"{words.zh}{factors.zh}")


_OVER_ALL = Text(
    "the mean of {x} × {m} over all positions: those that {m} sets to 0 count in the divisor as "
    "well{times}",
    "{x} × {m} 对所有位置取平均：被 {m} 置 0 的位置也计入分母{times}",
)


def _over_all(scene: Scene, outer: Peel, node: ast.expr) -> Text | None:
    """``(x * m).mean()``."""
    assert isinstance(outer.core, Call)
    if not scene.is_written_in(outer.core, node):
        return None
    for x, m in (outer.core.args, outer.core.args[::-1]):
        named = scene.is_named(x, node) and scene.is_named(m, node)
        if named and is_mask(scene, m) and hot(scene, m) is None and not is_mask(scene, x):
            return _OVER_ALL.format(
                x=scene.name(x, node), m=scene.name(m, node), times=times(scene, outer, node)
            )
    return None


def _hits(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    inner: Node = part
    how = ""
    while is_call(inner, "item", "floating", "integers", "mean", "sum", "detach"):
        if inner.name in {"mean", "sum"}:
            if how or len(inner.children) > 1:
                return None
            how = inner.name
        inner = inner.args[0]
    if not is_call(inner, "eq") or not any(predicted(a) is not None for a in inner.args):
        return None
    if not all(predicted(a) is not None or _is_class(scene, a) for a in inner.args):
        return None
    if not scene.is_written_in(inner, node):
        return None
    return {"mean": _ACCURACY, "sum": _CORRECT, "": _HITS}[how]


def _is_class(scene: Scene, node: Node) -> bool:
    while is_call(node, "view_as", "view", "reshape", "index"):
        node = node.args[0]
    return scene.is_labels(node) or (isinstance(node, Given) and not node.inputs)


def predicted(node: Node) -> tuple[Node, int] | None:
    """``x`` and the dimension of ``x.argmax(1)``, ``x.max(1)[1]``."""
    node = peeled(node)
    if is_call(node, "argmax"):
        dim = dim_of(node)
        return (node.args[0], dim) if dim is not None else None
    if is_call(node, "index") and number(node.args[1]) == 1 and is_call(node.args[0], "max"):
        dim = dim_of(node.args[0])
        return (node.args[0].args[0], dim) if dim is not None else None
    return None


def _largest(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    found = predicted(part)
    if found is not None and found[1] in {1, -1} and scene.is_named(found[0], node):
        return _PREDICTED.format(x=scene.name(found[0], node), dim=found[1])
    values = is_call(part, "index") and number(part.args[1]) == 0 and is_call(part.args[0], "max")
    inner = part.args[0] if values else part
    if not is_call(inner, "max", "amax") or dim_of(inner) is None:
        return None
    if not values and inner.name == "max":
        return None  # the pair of values and indices
    x, dim = inner.args[0], dim_of(inner)
    if is_probability(x) or is_call(x, "sigmoid"):
        return owned(scene.whose(x), _CONFIDENCE.format(dim=dim))
    if not values or not scene.is_named(x, node):
        return None
    return _LARGEST.format(x=scene.name(x, node), dim=dim)


def _kept(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    inner, rows = part, Text("", "")
    if is_call(part, "view", "reshape") and is_call(part.args[0], "masked_select"):
        inner = part.args[0]
        if len(part.args) == 3 and number(part.args[1]) == -1:
            d = scene.name(part.args[2], node)
            rows = _ROWS.format(d=d) if d != "…" else rows
    if is_call(inner, "masked_select") and len(inner.args) > 1:
        x, mask = inner.args[0], inner.args[1]
        while is_call(mask, "expand_as", "unsqueeze"):
            mask = mask.args[0]
        if hot(scene, mask) and scene.is_named(x, node) and inner is part:
            return _TRUE_ENTRIES.format(x=scene.name(x, node))
        if scene.is_named(x, node) and scene.is_named(mask, node):
            return _MASKED_SELECT.format(x=scene.name(x, node), m=scene.name(mask, node), rows=rows)
        return None
    if is_call(part, "index") and is_call(part.args[1], "key") and len(part.args[1].args) == 2:
        row, column = part.args[1].args
        if row is column and not is_call(row, "slice") and scene.is_named(part.args[0], node):
            return _DIAGONAL.format(x=scene.name(part.args[0], node))
    if is_call(part, "index") and is_mask(scene, part.args[1]) and not is_call(
        part.args[1], "slice", "key"
    ):  # fmt: skip
        x, mask = part.args
        if hot(scene, mask) is None and scene.is_named(x, node) and scene.is_named(mask, node):
            return _KEPT.format(x=scene.name(x, node), m=scene.name(mask, node))
    return None


def _top(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    """``x.topk(k)`` and its values or indices."""
    which = constant(part.args[1]) if is_call(part, "index") else None
    picked = isinstance(which, int) and which in {0, 1}
    call = _topk(part.args[0] if picked else part)
    if call is None:
        return None
    x, k, dim = call
    if not (scene.is_named(x, node) and scene.is_named(k, node)):
        return None
    words = _TOP if not picked else _TOP_INDICES if which else _TOP_VALUES
    along = _DIM.format(dim=dim) if dim is not None else Text("", "")
    return words.format(x=scene.name(x, node), k=scene.name(k, node), dim=along)


def _topk(node: Node) -> tuple[Node, Node, int | None] | None:
    if not is_call(node, "topk"):
        return None
    k = arg(node, 1, "k")
    return (node.args[0], k, dim_of(node, 2)) if k is not None else None


def _last(scene: Scene, part: Call, node: ast.expr) -> Text | None:
    if not is_call(part, "index") or number(part.args[1]) != -1:
        return None
    if not isinstance(node, ast.Subscript):
        return None
    if isinstance(node.value, ast.Attribute) and node.value.attr == "hidden_states":
        return _LAST_STATES
    if isinstance(node.value, ast.Name) and "hidden_states" in node.value.id:
        return owned(scene.whose(part), Text("hidden states of the last layer", "最后一层的隐状态"))
    base = part.args[0]
    kind = scene.judged.kinds.get(base) if isinstance(base, Given) else None
    return _LAST.format(x=f"`{ast.unparse(node.value)}`") if kind is Kind.LIST else None
