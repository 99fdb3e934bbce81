"""A causal language model's logits meet labels of the same position.

## What it does

Finds cross-entropies between the `logits` of a causal language model and labels that are the input
ids, or that the model gets as `labels=` too, where neither side was shifted by one position.

## Why is this bad

The logits at position i are a prediction of token i + 1. Compared with token i the model is taught
to copy what it reads: the loss falls to nearly 0 and generation gets worse. `transformers` shifts
inside the model, for `labels=` alone.

## Measured effect

The hard term trains the identity; beside a distillation term that is right the two pull in
different directions at every position.

## Example

```python
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("gpt2")


def hard_loss(batch):
    labels = batch["input_ids"].clone()
    logits = model(input_ids=batch["input_ids"]).logits
    return F.cross_entropy(logits.view(-1, logits.size(-1)), labels.view(-1))
```

## Use instead

```python
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("gpt2")


def hard_loss(batch):
    labels = batch["input_ids"][:, 1:]
    logits = model(input_ids=batch["input_ids"]).logits[:, :-1]
    return F.cross_entropy(logits.reshape(-1, logits.size(-1)), labels.reshape(-1))
```

## Fix safety

No automatic fix: which side is shifted is the author's to choose.

## Known false alarms

A data set that shifts its labels itself; silent where the file shifts anything by one, and for
masked and encoder-decoder models, whose labels are not shifted.

## References

transformers, `ForCausalLMLoss`.

---

因果语言模型的 logits 与同一位置的标签相比较。

## 它检查什么

检查因果语言模型的 `logits` 与标签之间的交叉熵：标签就是输入 id，或同时以 `labels=` 传给模型，而
两侧都没有错开一个位置。

## 为什么

位置 i 的 logits 预测的是第 i + 1 个 token。若与第 i 个 token 比较，模型学到的是照抄输入：损失降到
接近 0，生成却变差。`transformers` 只对 `labels=` 在模型内部错位。

## 实测影响

硬损失训练的是恒等映射；旁边的蒸馏项若是对的，两者在每个位置上都往不同方向拉。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：错开哪一侧由作者决定。

## 已知误报

数据集自己已把标签错位的情形；文件中有任何错开一位的写法时不报告，掩码语言模型与编码器-解码器模型的
标签本来就不错位，也不报告。

## 参考

transformers 的 `ForCausalLMLoss`。
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.index import Index
from didact.check.engine.names import dotted, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Role
from didact.check.findings.finding import Severity
from didact.check.rules._common import arguments, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import path, place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD411"
NAME = "labels-not-shifted-by-one"
SEVERITY = Severity.WARNING
TOPIC = "dimension"
CATALOGUE = ("NO-SHIFT",)
_CAUSAL = ("ForCausalLM", "LMHeadModel")
_OTHER = ("ForMaskedLM", "ForConditionalGeneration", "ForSeq2SeqLM", "WithLMHead", "Seq2Seq")


def check(analysis: Analysis) -> Iterator[Found]:
    """Find unshifted pairs."""
    if not _is_causal(analysis):
        return
    project = analysis.index.project
    copied = (project is not None and project.copies_labels()) or any(
        map(_labels_are_inputs, analysis.files())
    )
    done: set[int] = set()
    for use in uses(analysis, "cross_entropy"):
        place = place_in_file(analysis, use)
        if id(place) in done or not use.is_hard or use.input.role is Role.TEACHER:
            continue
        files = list(analysis.files())
        if use.scope.calls:
            home = [index for index in files if id(use.node) in index.parents]
            files = [*analysis.files_on_the_way(use.scope), *home]
        if not any(map(_shifts, files)) and _is_flattened(analysis, use, copied=copied):
            done.add(id(place))
            yield Found(place, _MESSAGE.format(both=arguments(use)))


def _is_causal(analysis: Analysis) -> bool:
    """Whether the models around the file are causal language models, and no others."""
    index = analysis.index
    names = {path.rpartition(".")[2] for path in index.imports.values()}
    heads = {name for name in names if name.endswith((*_CAUSAL, *_OTHER))}
    if not heads and index.project is not None:
        heads = set(index.project.heads(index.path))
    return bool(heads) and all(name.endswith(_CAUSAL) for name in heads)


def _labels_are_inputs(index: Index) -> bool:
    return index.once("labels are inputs", False, partial(_look_for_copies, index))


def _look_for_copies(index: Index) -> bool:
    """``labels = input_ids.clone()``, in any form, a collator for causal models, ``labels=``."""
    for name in index.imports.values():
        if name.endswith(("DataCollatorForLanguageModeling", "DataCollatorForSeq2Seq")):
            return True
    pairs = [(target, a.value) for a in index.of(ast.Assign) for target in a.targets]
    for node in index.of(ast.Dict):
        pairs += [(k, v) for k, v in zip(node.keys, node.values, strict=True) if k is not None]
    return any(_called(t) == "labels" and _called(v) == "input_ids" for t, v in pairs)


def _called(node: ast.expr) -> str:
    """The last name or key of ``enc["input_ids"].squeeze(0).clone()``."""
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in _KEEPING:
                return ""
            node = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            if isinstance(node.slice.value, str):
                return node.slice.value
            node = node.value
        elif isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        else:
            return dotted(node).rpartition(".")[2]


def _is_one_off(part: ast.AST) -> bool:
    """``[1:]`` or ``[:-1]``."""
    if not isinstance(part, ast.Slice):
        return False
    lower = "" if part.lower is None else ast.unparse(part.lower)
    upper = "" if part.upper is None else ast.unparse(part.upper)
    return (lower, upper) in (("1", ""), ("", "-1"))


_SEQUENCES = word_set(
    "ids tokens labels label logits targets x y chunk data sequence seq buf inputs"
)
_KEEPING = ("clone", "copy", "squeeze", "to", "detach", "long", "tolist", "view", "reshape")


def _shifts(index: Index) -> bool:
    return index.once("shifts by one", False, partial(_look_for_shift, index))


def _look_for_shift(index: Index) -> bool:
    """Whether positions are cut by one at an end anywhere in the file, or called shifted."""
    for node in index.of(ast.Subscript):
        if isinstance(node.slice, ast.Slice):
            plain = bool(set(words(dotted(node.value).rpartition(".")[2])) & _SEQUENCES)
        else:
            plain = isinstance(node.slice, ast.Tuple)
        if plain and any(map(_is_one_off, nodes_of(node.slice))):
            return True
    names = (node.id for node in index.of(ast.Name))
    return any("shift" in name.lower() for name in names)


def _is_flattened(analysis: Analysis, use: LossUse, *, copied: bool) -> bool:
    """Whether rows of [B, S, V] meet labels, in the order of the positions."""
    sides = [use.input_node, use.target_node]
    flat = False
    for step in path(analysis, sides[0], use.scope):
        node = step.node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            flat |= node.func.attr in ("view", "reshape", "flatten", "transpose", "permute")
    named = [step.node for step in path(analysis, sides[1], use.scope)]
    names = {_called(node) for node in named if isinstance(node, ast.expr)}
    return flat and ("input_ids" in names or (copied and "labels" in names))


_MESSAGE = Text(
    "logits at position i predict token i + 1, and here they meet the label of position i: the "
    "model learns to copy its input. Use logits[..., :-1, :] and labels[..., 1:] {both}",
    "位置 i 的 logits 预测第 i + 1 个 token，这里却与位置 i 的标签相比：模型学到的是照抄输入。"
    "应使用 logits[..., :-1, :] 与 labels[..., 1:] {both}",
)
