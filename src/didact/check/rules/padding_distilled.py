"""Token-level distillation is reduced over all positions, padding included.

## What it does

Finds, in code whose batches are padded, `kl_div` on [B, S, V], flattened or not, with a built-in
reduction and no mask in the function.

## Why is this bad

On padding both models say anything; the student is trained to copy it, and the real tokens'
share of the mean falls with the padding.

## Measured effect

75 % of the positions in a test batch were padding; in one project perplexity fell by 4 when it
was fixed, and the ranking of methods changed.

## Example

```python
import torch.nn.functional as F
from transformers import Trainer


def kd_loss(student_logits, teacher_logits):
    log_probs = F.log_softmax(student_logits, dim=2)
    return F.kl_div(log_probs, F.softmax(teacher_logits, dim=2), reduction="sum")
```

## Use instead

```python
import torch.nn.functional as F
from transformers import Trainer


def kd_loss(student_logits, teacher_logits, mask):
    log_probs = F.log_softmax(student_logits, dim=2)
    loss = F.kl_div(log_probs, F.softmax(teacher_logits, dim=2), reduction="none")
    return (loss.sum(-1) * mask).sum() / mask.sum()
```

## Fix safety

No automatic fix: the change alters the training objective, so it is shown, never applied.

## Known false alarms

Packed batches without padding; silent where a mask is mentioned in the function.

## References

peremartra/optipfair, issue 34; Liger-Kernel, pull request 974.

---

token 级蒸馏对所有位置取平均，包括填充位置。

## 它检查什么

在批次有填充的代码中，检查对 [B, S, V]（展平与否都算）使用内置归约、且函数里没有掩码的 `kl_div`。

## 为什么

填充位置上两个模型的输出毫无意义，学生却被训练去模仿；填充越多，真实 token 在平均中的份额越
小。

## 实测影响

某测试批中 75 % 的位置是填充；有项目修正后困惑度降低 4，方法的排名也变了。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变训练目标，只提示，不应用。

## 已知误报

没有填充的打包批次；函数中提到掩码时不报告。

## 参考

peremartra/optipfair，issue 34；Liger-Kernel，pull request 974。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.index import Index
from didact.check.engine.names import dotted
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Evidence
from didact.check.findings.finding import Severity
from didact.check.rules._common import (
    arguments,
    around,
    has_word,
    names_at,
    rank_of,
    totals_with,
    uses,
)
from didact.check.rules._rule import Found
from didact.check.rules._trace import path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD306"
NAME = "padding-distilled"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("PAD-UNMASKED",)


_PADDING = re.compile(
    r"(\w+[._])*(attention_mask|pad_token(_id)?|pad_id|padding_mask|ignore_index|input_lengths)"
)
_VALID = re.compile(r"\w*masks?|valid|active|keep|idx|index|indices|labels?")
_MASKS = re.compile(r"\w*masks?|masked|masking|ignored?|pads?|padded|padding")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find losses over all positions of a padded batch."""
    library = any(path.startswith("transformers") for path in analysis.index.imports.values())
    found = list(uses(analysis, "kl_div"))
    evaluated = {id(use.node) for use in found if use.under_no_grad and not use.scope.calls}
    trained = [use for use in found if id(use.node) not in evaluated]
    entered = {id(use.node) for use in trained if use.scope.calls}
    for use in trained:  # an evaluation may count what it likes
        if not use.scope.calls and id(use.node) in entered:
            continue  # its callers tell whether they mask
        if (
            (
                (_is_sequence(use) and (library or _pads(analysis, use)))
                or _hard_term_skips(analysis, use)
                or (_was_sequence(analysis, use) and _names_padding(analysis.index))
            )
            and use.reduction in ("mean", "sum", "batchmean")
            and not any(_is_masked(analysis, place) for place in _places(analysis, use))
            and not _is_of_masked_rows(analysis, use)
        ):
            yield Found(use.node, _MESSAGE.format(both=arguments(use)))


def _is_of_masked_rows(analysis: Analysis, use: LossUse) -> bool:
    """Whether what goes in was picked by a mask, or is called so: ``masked_logits[:count]``."""
    for step in path(analysis, use.input_node, use.scope):
        node = step.node
        named = isinstance(node, ast.Name | ast.Attribute) and has_word(dotted(node), _MASKS)
        picked = isinstance(node, ast.Call) and dotted(node.func).endswith("masked_select")
        picked |= isinstance(node, ast.Subscript) and _is_chosen(node.slice, around(analysis, use))
        if named or picked:
            return True
    return False


def _is_chosen(key: ast.expr, place: ast.AST) -> bool:
    """Whether a key is true or false for each position: ``keep = attn.bool() & (labels > -1)``."""
    if isinstance(key, ast.Name):
        made = [n.value for n in nodes_of(place) if isinstance(n, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == key.id for t in n.targets)]  # fmt: skip
        return bool(made) and all(_is_boolean(value) for value in made)
    return _is_boolean(key)


def _is_boolean(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("view", "reshape", "flatten", "squeeze", "to"):
            return _is_boolean(node.func.value)
        return node.func.attr in ("bool", "ne", "eq", "gt", "ge", "lt", "le")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        return _is_boolean(node.left) and _is_boolean(node.right)
    return isinstance(node, ast.Compare)


def _is_sequence(use: LossUse) -> bool:
    rank, why = rank_of(use)
    return use.input.axis in (2, -1) and rank == 3 and why is not Evidence.NAME


def _was_sequence(analysis: Analysis, use: LossUse) -> bool:
    """Whether the input was flattened from [B, S, V]."""
    if use.input.rank != 2 or not use.input.exact:
        return False
    for step in path(analysis, use.input_node, use.scope):
        if isinstance(step.node, ast.Subscript) and _chooses(step.node.slice):
            return False
        value = analysis.value_of(step.node)
        if value is not None and value.rank == 3 and value.rank_from is not Evidence.NAME:
            return value.axis in (None, 2, -1)
    return False


def _chooses(key: ast.expr) -> bool:
    """Whether a subscript picks entries, such as those that are no padding."""
    return isinstance(key, ast.Name | ast.Attribute | ast.Compare | ast.Call | ast.UnaryOp)


def _pads(analysis: Analysis, use: LossUse) -> bool:
    """Whether batches are padded here: this file, or one on the way to the loss, says so."""
    return any(map(_names_padding, analysis.files_on_the_way(use.scope)))


def _name(node: ast.AST) -> str:
    """The name in one node: a variable's, an attribute's, an argument's, a key's."""
    for field in ("id", "attr", "arg", "value"):
        found = getattr(node, field, None)
        if isinstance(found, str):
            return found
    return ""


def _names_padding(index: Index) -> bool:
    """Whether a file speaks of padding, of the lengths of sequences or of the label -100."""
    return index.once("names padding", False, partial(_look_for_padding, index))


def _look_for_padding(index: Index) -> bool:
    kinds = (ast.Name, ast.Attribute, ast.arg, ast.keyword, ast.Constant)
    nodes = (node for kind in kinds for node in index.nodes.get(kind, ()))
    if any(_PADDING.fullmatch(_name(node)) for node in nodes):
        return True
    return any(_minus_100(node) for node in index.nodes.get(ast.UnaryOp, ()))


def _hard_term_skips(analysis: Analysis, use: LossUse) -> bool:
    """The loss on the labels beside it leaves positions out."""
    return use.input.axis == -1 and any(
        _skips(other.use)
        for total, term in totals_with(analysis, use)
        for other in total.value.terms
        if other.use.is_hard
        and not term.excludes(other)
        and term.use.scope.calls == use.scope.calls  # a caller may pass what is not padded
    )


def _skips(use: LossUse) -> bool:
    """Whether a loss on labels is told what to ignore, or takes the valid rows of both sides."""
    if "ignore_index" in use.arguments:
        return True
    sides = (use.input_node, use.target_node)
    keys = [ast.unparse(side.slice) for side in sides if isinstance(side, ast.Subscript)]
    return len(keys) == 2 and keys[0] == keys[1] and has_word(keys[0], _VALID)


def _places(analysis: Analysis, use: LossUse) -> Iterator[ast.AST]:
    """Where a mask would be: the function, and the calls through which it was entered."""
    yield around(analysis, use)
    yield from use.scope.calls


def _is_masked(analysis: Analysis, place: ast.AST) -> bool:
    """Whether a mask, padding or the label -100 is used, other than for models and hard terms."""
    other = {id(forward.node) for forward in analysis.forwards}
    other |= {id(use.node) for use in analysis.uses if use.is_hard}
    other |= _for_hard_terms(place, other)
    stack = [place]
    while stack:
        node = stack.pop()
        if id(node) in other:
            continue
        if _minus_100(node) or any(has_word(name, _MASKS) for name in names_at(node)):
            return True
        stack.extend(ast.iter_child_nodes(node))
    return False


def _for_hard_terms(place: ast.AST, other: set[int]) -> set[int]:
    """What says nothing of the soft term: a mask that hard terms alone read, and defaults."""
    found = set(map(id, _defaults(place)))
    inside: set[int] = set()
    for node in nodes_of(place):
        if id(node) in other:
            inside |= {id(part) for part in nodes_of(node)}
    if not inside:
        return found
    reads = [n for n in nodes_of(place) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    outside = {node.id for node in reads if id(node) not in inside}
    for node in nodes_of(place):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and target.id not in outside:
            found.add(id(node))
    return found


def _defaults(place: ast.AST) -> Iterator[ast.AST]:
    """What parameters are when nobody says, and how they are called: they are no mask yet."""
    if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef):
        yield place.args


def _minus_100(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and node.operand.value == 100
    )


_MESSAGE = Text(
    "every position counts here, padding included: use reduction='none', sum over the "
    "vocabulary, multiply by the mask and divide by mask.sum() {both}",
    "这里所有位置都参与计算，包括填充：应使用 reduction='none'，对词表求和，乘掩码，再除以 "
    "mask.sum() {both}",
)
