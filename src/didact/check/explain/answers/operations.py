"""What a call computes here, said with the tensors that it is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, both, either, shown
from didact.check.explain.call_words import last_name

PLACE = 50
_NAMES = (
    "bmm", "gather", "scatter_", "scatter", "stack", "topk", "masked_fill_", "masked_fill",
    "masked_select", "view", "reshape", "clone", "clamp", "deepcopy",
)  # fmt: skip
ASKS = re.compile(r"(?<![A-Za-z])(" + "|".join(_NAMES) + r")(?![A-Za-z])")
_WHAT = either(
    r"what|why|how|do(es)?\b|mean|comput|for\?|purpose|need|correct|right",
    r"什么|为什么|为何|干嘛|作用|意思|怎么|在算|是干|有什么用|必要|需要|对吗",
)


_RIGHT = either(r"right|correct|ok\b|fine", r"对吗|对不对|正确|写对|写得对")


def answer(question: str, code: Code) -> Text | None:
    """The operations that a question names, where the code calls them in a form that is known."""
    if not _WHAT.search(question):
        return None
    said: list[Text] = []
    for name in dict.fromkeys(m[1] for m in ASKS.finditer(question)):
        told = _FORMS.get(name.rstrip("_"))
        found = [t for c in code.calls(name) if told is not None and (t := told(c, code))]
        said += found[:1]
    right = _RIGHT.search(question) and not code.serious
    if said and right:
        said[0] = Text("It is right: " + said[0].en, "写得对：" + said[0].zh)
    return both(*said) if said else None


_ANGLES = Text(
    "`{code}` (line {line}) multiplies, for each sample i, the matrix of unit vectors from i to "
    "the others with its own transpose: entry [i, j, k] is the cosine of the angle at sample i "
    "between the directions to j and k. It is B×B×B, and its size does not depend on the width "
    "of the features.",
    "`{code}`（第 {line} 行）对每个样本 i，把“从 i 指向其他样本的单位向量”组成的矩阵与自身的转置"
    "相乘：元素 [i, j, k] 是在样本 i 处，指向 j 与指向 k 的两个方向之间夹角的余弦。结果是 B×B×B，"
    "与特征维度无关。",
)
_GRAMS = Text(
    "`{code}` (line {line}) multiplies one matrix per sample with its own transpose: entry [i, "
    "j] is the inner product of rows i and j, for each sample apart.",
    "`{code}`（第 {line} 行）对每个样本分别把矩阵与自身的转置相乘：元素 [i, j] 是第 i 行与第 j 行"
    "的内积。",
)
_BMM = Text(
    "`{code}` (line {line}) is one matrix product per item of dim 0: [B, n, m] times [B, m, p] is "
    "[B, n, p].",
    "`{code}`（第 {line} 行）对第 0 维的每一项各做一次矩阵乘法：[B, n, m] 乘 [B, m, p] 得 [B, n, "
    "p]。",
)


def _bmm(call: ast.Call, code: Code) -> Text | None:
    if len(call.args) != 2:
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if owner is None or len(call.args) != 1:
            return None
        left, right = owner, call.args[0]
    else:
        left, right = call.args[0], call.args[1]
    values = {"code": shown(call), "line": call.lineno}
    name = ast.unparse(left)
    turned = re.fullmatch(
        rf"{re.escape(name)}\.(transpose\((1, 2|2, 1|-1, -2|-2, -1)\)|permute\(0, 2, 1\)|mT)",
        ast.unparse(right),
    )
    if turned is None:
        return _BMM.format(**values)
    made = re.search(rf"\b{re.escape(name)} = [^\n]*normalize\((\w+)", code.text)
    if made is not None:
        of = made[1]
        differences = re.search(
            rf"\b{of} = \(?(\w+)\.unsqueeze\(0\) - \1\.unsqueeze\(1\)", code.text
        )
        if differences is not None:
            return _ANGLES.format(**values)
    return _GRAMS.format(**values)


_GATHER = Text(
    "`{code}` (line {line}) takes along dim {dim} the entries whose positions stand in "
    "`{index}`: {what}.",
    "`{code}`（第 {line} 行）沿第 {dim} 维，按 `{index}` 给出的位置取元素：{what}。",
)
_OF_OTHERS = Text(
    "the positions come from the other model's topk, so both sides hold the same classes, in the "
    "same order; what lies outside of them does not take part",
    "这些位置来自另一个模型的 topk，所以两边取的是同一组类别，顺序也一致；其余类别不参与",
)
_OF_LABELS = Text("one per row, the entry of its label", "每行一个，即该样本标签对应的那一项")
_BY_INDEX = Text("as many per row as the index has", "每行取的个数与下标相同")


def _gather(call: ast.Call, code: Code) -> Text | None:
    if len(call.args) < 2:
        return None
    dim, index = ast.unparse(call.args[-2]), call.args[-1]
    text = ast.unparse(index)
    root = re.split(r"[.\[(]", text)[0]
    from_topk = re.search(
        rf"\b{re.escape(root)}\b[^\n=]* = [^\n]*topk\(|, {re.escape(root)} = [^\n]*topk\(",
        code.text,
    )
    labels = re.search(r"unsqueeze\((1|-1)\)|view\(-1, 1\)|\[:, None\]", text)
    what = _OF_OTHERS if from_topk else _OF_LABELS if labels else _BY_INDEX
    return _GATHER.format(
        code=shown(call), line=call.lineno, dim=dim, index=shown(index), what=what
    )


_SCATTER = Text(
    "`{code}` (line {line}) writes {value} into each row at the column that `{index}` names, "
    "along dim {dim}: a one-hot row for each label.",
    "`{code}`（第 {line} 行）沿第 {dim} 维，在每一行里把 `{index}` 指定的那一列写成 {value}：即每"
    "个标签的 one-hot。",
)


def _scatter(call: ast.Call, code: Code) -> Text | None:
    if len(call.args) != 3 or not isinstance(call.args[2], ast.Constant):
        return None
    dim, index, value = (shown(a) for a in call.args)
    owner = ast.unparse(call.func)
    if "zeros" not in owner and not re.search(
        rf"{re.escape(owner.split('.')[0])} = [\w.]*zeros", code.text
    ):
        return None
    return _SCATTER.format(code=shown(call), line=call.lineno, dim=dim, index=index, value=value)


_STACK = Text(
    "`{code}` (line {line}) puts tensors of one shape side by side along a new dim {dim}, whose "
    "size is their number; a mean over that dim is then the mean of them.",
    "`{code}`（第 {line} 行）沿新增的第 {dim} 维把形状相同的张量叠起来，这一维的大小就是张量的个"
    "数；再对它取平均就是这些张量的平均。",
)
_PAIR = Text(
    "`{code}` (line {line}) puts `{first}` and `{second}` side by side, so each row is a "
    "distribution over two outcomes, which sums to 1.",
    "`{code}`（第 {line} 行）把 `{first}` 和 `{second}` 并排放，每一行就是一个二元分布，和为 1。",
)


def _stack(call: ast.Call, _code: Code) -> Text | None:
    given = [ast.unparse(k.value) for k in call.keywords if k.arg in {"dim", "axis"}]
    given += [ast.unparse(a) for a in call.args[1:2]]
    held = call.args[0] if call.args else None
    values = {"code": shown(call), "line": call.lineno}
    if isinstance(held, ast.List | ast.Tuple) and len(held.elts) == 2:
        first, second = (ast.unparse(e) for e in held.elts)
        if second in {f"1 - {first}", f"1.0 - {first}"}:
            return _PAIR.format(**values, first=first, second=second)
    return _STACK.format(**values, dim=given[0] if given else "0")


_TOPK = Text(
    "`{code}` (line {line}) gives the {k} largest entries of each row along the last dim, and "
    "their positions; what is left out does not count any more.",
    "`{code}`（第 {line} 行）给出每行沿最后一维最大的 {k} 个值以及它们的位置；其余的不再参与。",
)


def _topk(call: ast.Call, _code: Code) -> Text | None:
    arguments = [ast.unparse(a) for a in call.args]
    arguments += [ast.unparse(k.value) for k in call.keywords if k.arg == "k"]
    dims = [ast.unparse(k.value) for k in call.keywords if k.arg == "dim"]
    if any(d not in {"-1", "1"} for d in dims) or not arguments:
        return None
    return _TOPK.format(code=shown(call), line=call.lineno, k=arguments[-1 if not dims else 0])


_FILL = Text(
    "`{code}` (line {line}) sets the entries where `{mask}` is true to {value}{so}; the others "
    "stay.",
    "`{code}`（第 {line} 行）把 `{mask}` 为真的位置改成 {value}{so}，其余不变。",
)
_SO_ZERO = Text(
    ", so that after a softmax their probability is 0", "，softmax 之后这些位置的概率为 0"
)
_INFINITE = re.compile(r"-inf|float\('-inf'\)|-1e\d|-10{3,}|finfo")


def _fill(call: ast.Call, _code: Code) -> Text | None:
    if len(call.args) != 2:
        return None
    mask, value = shown(call.args[0]), ast.unparse(call.args[1])
    so = _SO_ZERO if _INFINITE.search(value.replace("--", "")) else Text("", "")
    return _FILL.format(code=shown(call), line=call.lineno, mask=mask, value=f"`{value}`", so=so)


_SELECT = Text(
    "masked_select gives a flat, one-dimensional tensor of the entries that are kept; `.view(-1, "
    "{last})` (line {line}) puts it back into [kept positions, classes], so that the softmax "
    "runs over the classes and batchmean divides by the number of kept positions.",
    "masked_select 的结果是一维的，把保留下来的元素排成一串；`.view(-1, {last})`（第 {line} 行）"
    "把它还原成 [保留的位置数, 类别数]，softmax 才会沿类别进行，batchmean 除的也就是保留的位置数"
    "。",
)
_FLAT = Text(
    "`{code}` (line {line}) puts all positions into one dimension and leaves `{last}` columns: "
    "each row is then one position with its own distribution.",
    "`{code}`（第 {line} 行）把所有位置并成一维，保留 `{last}` 列：每一行就是一个位置自己的分布。",
)


_PIXELS = Text(
    "After permute(0, 2, 3, 1) has put the classes last, `{code}` (line {line}) lays all pixels "
    "of all images into one dimension: each row holds the `{last}` logits of one pixel.",
    "permute(0, 2, 3, 1) 先把类别移到最后一维，`{code}`（第 {line} 行）再把所有图像的所有像素排成"
    "一维：每一行就是一个像素的 `{last}` 个 logits。",
)


def _view(call: ast.Call, _code: Code) -> Text | None:
    if len(call.args) != 2 or ast.unparse(call.args[0]) != "-1":
        return None
    owner = ast.unparse(call.func)
    last = shown(call.args[1])
    if "masked_select" in owner:
        return _SELECT.format(last=last, line=call.lineno)
    if "permute(0, 2, 3, 1)" in owner:
        return _PIXELS.format(
            code=f".{last_name(call.func)}(-1, {last})", line=call.lineno, last=last
        )
    if "permute" in owner or not re.search(r"size\(-1\)|shape\[-1\]|vocab|\bV\b|\bC\b|class", last):
        return None
    return _FLAT.format(code=shown(call), line=call.lineno, last=last)


def _masked_select(_call: ast.Call, code: Code) -> Text | None:
    for view in code.calls("view"):
        if "masked_select" in ast.unparse(view.func) and view.args:
            return _view(view, code)
    return None


_CLONE = Text(
    "`{code}` (line {line}) makes a copy before entries of it are overwritten: writing into the "
    "result itself would change a value that the backward pass still needs.",
    "`{code}`（第 {line} 行）先复制一份再改写其中的元素：直接改原来的结果，会破坏反向传播还要用的"
    "值。",
)


def _clone(call: ast.Call, code: Code) -> Text | None:
    parent = code.parents.get(id(call))
    if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
        return None
    name = parent.targets[0].id
    for node in code.nodes:
        if not isinstance(node, ast.Assign) or node.lineno < call.lineno:
            continue
        target = node.targets[0]
        if isinstance(target, ast.Subscript) and ast.unparse(target.value) == name:
            return _CLONE.format(code=shown(call), line=call.lineno)
    return None


_CLAMP = Text(
    "`{code}` (line {line}) keeps the values from going below {low}: {why}.",
    "`{code}`（第 {line} 行）不让数值小于 {low}：{why}。",
)
_ROOT = Text(
    "rounding may make a squared distance slightly negative, and the gradient of a root at 0 is "
    "infinite",
    "舍入误差可能让距离的平方变成很小的负数，而且开方在 0 处的梯度是无穷大",
)
_DIVISOR = Text("it is divided by, and 0/0 would be NaN", "它作分母，为 0 时 0/0 会得到 NaN")
_LOGARITHM = Text("the logarithm of 0 is −∞", "log 0 是负无穷")


def _clamp(call: ast.Call, code: Code) -> Text | None:
    low = [ast.unparse(k.value) for k in call.keywords if k.arg == "min"]
    low += [ast.unparse(a) for a in call.args[:1]]
    line = code.text.split("\n")
    text = ast.unparse(call)
    around = next((t for t in line if text in t), "")
    after = around.split(text, 1)[-1]
    before = around.split(text, 1)[0]
    if not low:
        return None
    name = re.match(r"\s*(\w+) = ", around)
    rooted = name is not None and re.search(
        rf"\b{name[1]}(\.sqrt\(\)| ?= {name[1]}\.sqrt)|sqrt\({name[1]}\)", code.text
    )
    if after.startswith((".sqrt()", ") ** 0.5", " ** 0.5")) or "sqrt(" in before or rooted:
        why = _ROOT
    elif re.search(r"/ \(?[^/]*$", before):
        why = _DIVISOR
    elif after.startswith(".log()") or before.endswith("log("):
        why = _LOGARITHM
    else:
        return None
    return _CLAMP.format(code=shown(call), line=call.lineno, low=low[0], why=why)


_DEEPCOPY = Text(
    "`{code}` (line {line}) makes a model with parameters of its own, which stays as it is while "
    "the other is trained on; a plain `=` would be a second name of the same model.",
    "`{code}`（第 {line} 行）得到一个有自己参数的模型，另一个继续训练时它保持不变；只写 `=` 的话"
    "只是同一个模型的另一个名字。",
)


def _deepcopy(call: ast.Call, _code: Code) -> Text | None:
    return _DEEPCOPY.format(code=shown(call), line=call.lineno)


_FORMS: dict[str, Callable[[ast.Call, Code], Text | None]] = {
    "bmm": _bmm, "gather": _gather, "scatter": _scatter, "stack": _stack, "topk": _topk,
    "masked_fill": _fill, "masked_select": _masked_select, "view": _view, "reshape": _view,
    "clone": _clone, "clamp": _clamp, "deepcopy": _deepcopy,
}  # fmt: skip
