"""A `compute_loss` is told `num_items_in_batch` and averages over its own micro-batch.

## What it does

Finds overrides of a trainer's `compute_loss` that take `num_items_in_batch`, never use it, and
return a loss that is averaged over what they see.

## Why is this bad

With gradient accumulation the Hugging Face `Trainer` used to divide by the number of micro-batches.
Since 4.46 it leaves that to the loss where the model's `forward` takes keyword arguments, as that
of nearly every causal language model does: the loss is to be a *sum* divided by
`num_items_in_batch`, the tokens of all micro-batches together. A local mean is then added up once
for each micro-batch.

## Measured effect

At 4 micro-batches the gradient is 4.00 times that of one batch of the same size; where clipping is
on, the learning rate no longer means what it says, and the distillation is clipped all the time.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import Trainer


class DistillationTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        outputs = model(**inputs)
        mask = inputs["labels"] != -100
        log_probs = F.log_softmax(outputs.logits[mask], dim=-1)
        loss = F.kl_div(log_probs, inputs["teacher_probs"][mask], reduction="batchmean")
        return (loss, outputs) if return_outputs else loss
```

## Use instead

```python
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import Trainer


class DistillationTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        outputs = model(**inputs)
        mask = inputs["labels"] != -100
        log_probs = F.log_softmax(outputs.logits[mask], dim=-1)
        count = mask.sum() if num_items_in_batch is None else num_items_in_batch
        loss = F.kl_div(log_probs, inputs["teacher_probs"][mask], reduction="sum") / count
        return (loss, outputs) if return_outputs else loss
```

## Fix safety

No automatic fix: it changes how the loss is summed.

## Known false alarms

Silent where the class sets `model_accepts_loss_kwargs`, or the loss is divided by
`gradient_accumulation_steps`. Without accumulation (one micro-batch) the two are the same.

## References

Hugging Face, "Fixing gradient accumulation" (2024).

---

`compute_loss` 收到了 `num_items_in_batch`，却只在自己的微批内取平均。

## 它检查什么

检查重写训练器 `compute_loss` 的方法：接收 `num_items_in_batch` 却从不使用，返回的损失只对当前
看到的数据取平均。

## 为什么

梯度累积时，Hugging Face 的 `Trainer` 过去会除以微批数。从 4.46 起，只要模型的 `forward` 接收关键字
参数（几乎所有因果语言模型都是如此），它就把这件事交给损失：损失应当是*求和*再除以
`num_items_in_batch`，即所有微批的 token 总数。此时若在微批内取平均，每个微批都会累加一次。

## 实测影响

4 个微批时，梯度是同样大小的一整批的 4.00 倍；若开了梯度裁剪，学习率就名不副实，蒸馏的梯度会一直
被裁剪。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：改动会改变损失的求和方式。

## 已知误报

类中设置了 `model_accepts_loss_kwargs`，或损失除以了 `gradient_accumulation_steps` 时，不报告。没有
梯度累积（只有一个微批）时，两者相同。

## 参考

Hugging Face，"Fixing gradient accumulation"（2024）。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse, Term
from didact.check.engine.index import Function
from didact.check.engine.nodes import nodes_of
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT
from didact.check.rules._rule import Found
from didact.check.rules._trace import place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD311"
NAME = "averaged-in-micro-batch"
SEVERITY = Severity.WARNING
TOPIC = "reduction"
CATALOGUE = ("MICRO-BATCH-MEAN",)
_COUNT = "num_items_in_batch"
_HANDLED = ("model_accepts_loss_kwargs", "gradient_accumulation_steps")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find overrides that are told the count and do not use it."""
    for info in analysis.index.classes.values():
        method = info.methods.get("compute_loss")
        if method is None or not _is_unused(method) or _names(info.node) & set(_HANDLED):
            continue
        for use in _averaged(analysis, method):
            yield Found(place_in_file(analysis, use), _MESSAGE)


def _is_unused(method: Function) -> bool:
    given = {argument.arg for argument in (*method.args.args, *method.args.kwonlyargs)}
    return _COUNT in given and _COUNT not in _names(method)


def _names(node: ast.AST) -> set[str]:
    parts = list(nodes_of(node))
    found = {part.id for part in parts if isinstance(part, ast.Name)}
    return found | {part.attr for part in parts if isinstance(part, ast.Attribute)}


def _averaged(analysis: Analysis, method: Function) -> Iterator[LossUse]:
    """The soft losses in what a method returns that have been averaged in it."""
    seen: set[int] = set()
    for total in analysis.totals:
        if total.how != "return" or total.scope.node is not method:
            continue
        for term in total.value.terms:
            if term.use.kind in SOFT and id(term.use.node) not in seen and _is_mean(term):
                seen.add(id(term.use.node))
                yield term.use


def _is_mean(term: Term) -> bool:
    if term.use.reduction in ("mean", "batchmean"):
        return True
    return any(reduction.kind in ("mean", "batchmean") for reduction in term.reductions)


_MESSAGE = Text(
    "compute_loss is given num_items_in_batch and averages over its micro-batch: with n steps of "
    "gradient accumulation the gradient is n times too large; divide the sum by num_items_in_batch",
    "compute_loss 收到了 num_items_in_batch，却只在微批内取平均：梯度累积 n 步时，梯度会大 n 倍；"
    "请求和后除以 num_items_in_batch",
)
