"""A softmax without `dim`: PyTorch picks one by the rank.

## What it does

Finds softmax, log_softmax and their modules called without a dimension, and scores of a batch
that are normalised by hand with a sum over everything (also in Keras).

## Why is this bad

Without `dim` the legacy rule applies: 0 for tensors of 0, 1 or 3 dimensions, else 1. On [B, S,
V] that is the batch. It also warns at run time.

## Measured effect

On 3-D input the sums over dim 0 are 1.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def probs(logits):
    return F.softmax(logits)
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F


def probs(logits):
    return F.softmax(logits, dim=1)
```

## Fix safety

Safe where the rank is known for certain: the dimension that is picked today is written out. Else
unsafe: `dim=-1`, the classes in most code.

## Known false alarms

Softmaxes of other libraries are not reported.

## References

PyTorch, `torch.nn.functional.softmax`, argument `dim`.

---

softmax 没有写 `dim`：PyTorch 按维数自行选择。

## 它检查什么

检查没有指定维度的 softmax、log_softmax 及对应模块，以及对一批分数手写、却对全部元素求和的归一化
（也包括 Keras）。

## 为什么

不写 `dim` 时沿用旧规则：0、1、3 维张量取 0，其余取 1。对 [B, S, V] 就成了批维度。运行时还会
给出警告。

## 实测影响

三维输入时，沿第 0 维之和为 1。

## 错误示例

## 正确写法

## 修复安全性

确知维数时为安全修复：把当前实际使用的维度写明；否则为不安全修复：写 `dim=-1`，多数代码里
它就是类别维。

## 已知误报

其他库的 softmax 不报告。

## 参考

PyTorch 文档 `torch.nn.functional.softmax` 的 `dim` 参数。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import Scope, Softmax
from didact.check.engine.names import dotted, role_of, source, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Edit, Fix, Severity, Span
from didact.check.rules._keras import function_of
from didact.check.rules._rule import Found
from didact.check.rules._trace import callee, is_one_sample, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD403"
NAME = "softmax-without-dim"
SEVERITY = Severity.WARNING
TOPIC = "dimension"
CATALOGUE = ("DIM-MISSING",)
FRAMEWORKS = ("torch", "tensorflow")
_SCORES = word_set("logit logits pred preds output outputs score scores")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find softmaxes that leave the dimension to a legacy rule."""
    yield from _by_hand(analysis)
    for softmax in analysis.softmaxes if analysis.index.framework == "torch" else ():
        if softmax.dim_known or softmax.kind not in ("softmax", "log_softmax"):
            continue
        rank = softmax.argument.rank if softmax.argument.exact else None
        picked = None if rank is None else (0 if rank in (0, 1, 3) else 1)
        severity = Severity.ERROR if rank == 3 else None
        yield Found(softmax.layer or softmax.node, _MESSAGE, _fix(softmax, picked), severity)


def _by_hand(analysis: Analysis) -> Iterator[Found]:
    """``exp(x) / sum(exp(x))`` of the scores of a batch, without a dimension."""
    for node in analysis.index.of(ast.BinOp):
        if not isinstance(node.op, ast.Div) or not isinstance(node.right, ast.Call):
            continue
        total = node.right
        named = dotted(total.func).rpartition(".")[2] or getattr(total.func, "attr", "")
        summed = _summed(analysis, total) if named in ("sum", "reduce_sum") else None
        if summed is None or ast.unparse(summed) != ast.unparse(node.left):
            continue
        scope = Scope(function_of(analysis, node))
        scores = _exponent(analysis, node.left, scope)
        if scores is None or is_one_sample(analysis, scores, scope):
            continue
        if _is_of_a_batch(analysis, scores):
            yield Found(node, _HAND.format(text=source(total)))


def _summed(analysis: Analysis, call: ast.Call) -> ast.expr | None:
    """What is summed, where no dimension is given."""
    if call.keywords or len(call.args) > 1:
        return None
    if call.args:
        return call.args[0] if not callee(analysis, call).startswith(".") else None
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _exponent(analysis: Analysis, node: ast.expr, scope: Scope) -> ast.expr | None:
    for step in path(analysis, node, scope):
        part = step.node
        if callee(analysis, part).rpartition(".")[2] == "exp" and isinstance(part, ast.Call):
            method = part.func.value if isinstance(part.func, ast.Attribute) else None
            return part.args[0] if part.args else method
    return None


def _is_of_a_batch(analysis: Analysis, scores: ast.expr) -> bool:
    """Whether they are a model's scores: rows of a batch, not one vector."""
    for part in nodes_of(scores):
        if isinstance(part, ast.Name | ast.Attribute):
            value = analysis.value_of(part)
            if value is not None and value.exact and (value.rank or 0) < 2 and value.rank:
                return False
            name = dotted(part)
            if name and (role_of(name) is not Role.UNKNOWN or set(words(name)) & _SCORES):
                return True
    return False


def _fix(softmax: Softmax, picked: int | None) -> Fix | None:
    call = softmax.layer or softmax.node
    if picked is None or call.end_lineno is None or call.end_col_offset is None:
        return None
    end = call.end_col_offset - 1
    text = f"dim={picked}" if not (call.args or call.keywords) else f", dim={picked}"
    message = Text("write out the dimension that is used today", "写明当前实际使用的维度")
    return Fix((Edit(Span(call.end_lineno, end, call.end_lineno, end), text),), "safe", message)


_HAND = Text(
    "'{text}' sums over the whole batch, so this softmax is one distribution over all samples and "
    "classes together; sum over the classes and keep the dimension",
    "'{text}' 对整个批求和，这个 softmax 成了所有样本与类别共用的一个分布；应只对类别维求和，"
    "并保留该维",
)
_MESSAGE = Text(
    "softmax without dim: PyTorch picks 0 for 1-D and 3-D tensors and 1 for others; write the "
    "class dimension, dim=-1",
    "softmax 没有写 dim：PyTorch 对一维和三维张量取 0，其余取 1；应写明类别维 dim=-1",
)
