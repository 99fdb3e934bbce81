"""The teacher's head is new, and nothing trains or loads it: its answers are noise.

## What it does

Finds soft losses whose target comes from a teacher that is a pretrained body with a fresh head: a
classifier of `transformers` made from a checkpoint that has none (`bert-base-uncased` and the
like), or a network whose last layer was replaced by a new one; or that is new altogether, in a
script that trains its student; and that is neither trained nor loaded with weights before.

## Why is this bad

`from_pretrained` fills the body and draws the head at random (it warns of it); `model.fc =
nn.Linear(...)` is random, too. Such a teacher gives nearly the same arbitrary distribution for
every input, and the student is pulled towards it.

## Measured effect

The accuracy of such a teacher is that of guessing; the soft term teaches nothing but its bias.

## Example

```python
import torch
import torch.nn.functional as F
from transformers import AutoModelForSequenceClassification

teacher = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=2)
teacher.eval()


def soft_loss(student, batch, T=2.0):
    with torch.no_grad():
        target = F.softmax(teacher(**batch).logits / T, dim=-1)
    log_probs = F.log_softmax(student(**batch).logits / T, dim=-1)
    return F.kl_div(log_probs, target, reduction="batchmean") * T**2
```

## Use instead

```python
import torch
import torch.nn.functional as F
from transformers import AutoModelForSequenceClassification

teacher = AutoModelForSequenceClassification.from_pretrained("runs/teacher-finetuned")
teacher.eval()


def soft_loss(student, batch, T=2.0):
    with torch.no_grad():
        target = F.softmax(teacher(**batch).logits / T, dim=-1)
    log_probs = F.log_softmax(student(**batch).logits / T, dim=-1)
    return F.kl_div(log_probs, target, reduction="batchmean") * T**2
```

## Fix safety

No automatic fix: the teacher has to be trained first, or its weights loaded.

## Known false alarms

Silent as soon as the teacher is in an optimiser, has `.train()` or `load_state_dict` called on it,
or is handed to anything that may train it. Training after the last distillation, further down in a
notebook, does not count.

## References

Hinton et al. 2015; transformers, "Some weights were not initialized from the checkpoint".

---

教师的分类头是新的，没有任何代码训练或加载它：它的输出只是噪声。

## 它检查什么

检查软损失的目标来自这样的教师：主干已预训练而分类头是新的（用没有分类头的检查点创建的
`transformers` 分类模型，如 `bert-base-uncased`；或最后一层换成了新层的网络），或在训练学生的脚本
里整个是新建的；
并且之前既没有训练、也没有加载权重。

## 为什么

`from_pretrained` 只填充主干，分类头随机初始化（它会为此给出警告）；`model.fc = nn.Linear(...)` 同样
是随机的。这样的教师对任何输入都给出几乎相同的任意分布，学生就被拉向它。

## 实测影响

这种教师的准确率等于瞎猜；软损失除了它的偏置什么也教不了。

## 错误示例

## 正确写法

## 修复安全性

不自动修复：应先训练教师，或加载它的权重。

## 已知误报

只要教师进入了优化器、调用了 `.train()` 或 `load_state_dict`，或被交给任何可能训练它的代码，就不
报告。在 notebook 里排在蒸馏之后的训练不算。

## 参考

Hinton 等 2015；transformers 的警告 "Some weights were not initialized from the checkpoint"。
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.engine.events import LossUse
from didact.check.engine.index import ClassInfo
from didact.check.engine.names import dotted, role_of, word_set, words
from didact.check.engine.nodes import nodes_of
from didact.check.engine.spaces import Role
from didact.check.engine.values import Value
from didact.check.findings.finding import Severity
from didact.check.rules._common import SOFT, uses
from didact.check.rules._rule import Found
from didact.check.rules._trace import place_in_file

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD516"
NAME = "teacher-never-trained"
SEVERITY = Severity.WARNING
TOPIC = "teacher"
CATALOGUE = ("UNTRAINED-TEACHER",)
_CLASSIFIER = re.compile(
    r"\w+For(SequenceClassification|TokenClassification|ImageClassification|MultipleChoice)"
)
_BARE = re.compile(
    r"([\w-]+/)?((distil|m)?bert-(base|large)(-(un)?cased|-multilingual(-un)?-?cased|-chinese|"
    r"-german-cased)*|(xlm-|distil)?roberta-(base|large)|albert-\w+-v\d|deberta(-v\d)?-\w+|"
    r"electra-\w+-discriminator|xlnet-(base|large)-cased|camembert-base|phobert-(base|large)|"
    r"vit-\w+-patch\d+-224-in21k|bert-(tiny|mini|small|medium))"
)
"""Checkpoints without a head for a task."""
_HEADS = ("fc", "classifier", "head", "heads", "last_linear", "fc_out", "output_layer")
_TRAINS = ("train", "load_state_dict", "fit", "load_weights", "load", "load_adapter", "half_train")
_HARMLESS = word_set(
    "distill distil distillation kd student evaluate eval evaluation test testing print count "
    "summary size parameters params len type validate val accuracy acc measure benchmark "
    "isinstance save compare predict infer inference export soft freeze latency time flops "
    "plot method prepare wrap parallel compile deepcopy copy info describe profile logits outputs "
    "features"
)


def check(analysis: Analysis) -> Iterator[Found]:
    """Find targets of teachers whose head is new."""
    fresh = {name: node for name, node in _fresh(analysis) if role_of(name) is Role.TEACHER}
    if not fresh:
        return
    done: set[int] = set()
    for use in uses(analysis, *SOFT, "mse", "cross_entropy"):
        ran = _teacher_call(analysis, use, set(fresh))
        if ran is None:
            continue
        name, call = ran
        place = place_in_file(analysis, use)
        if id(place) in done or _may_be_trained(analysis, name, call):
            continue
        done.add(id(place))
        yield Found(place, _MESSAGE.format(name=name, line=getattr(fresh[name], "lineno", 1)))


def _fresh(analysis: Analysis) -> Iterator[tuple[str, ast.AST]]:
    """The names of models with a new head, and where it is made."""
    for node in analysis.index.of(ast.Assign):
        target = dotted(node.targets[0])
        if not target:
            continue
        made = node.value
        while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
            if not isinstance(made.func.value, ast.Call):
                break
            made = made.func.value  # from_pretrained(...).to(device)
        if isinstance(made, ast.Call) and (
            _is_bare_checkpoint(analysis, made) or _is_new_network(analysis, made)
        ):
            yield target, node
        owner, _, last = target.rpartition(".")
        layered = isinstance(made, ast.Call) and dotted(made.func).rpartition(".")[2] in (
            "Linear",
            "Sequential",
        )
        if owner and last in _HEADS and layered:
            yield owner.removesuffix(".heads"), node


def _is_new_network(analysis: Analysis, call: ast.Call) -> bool:
    """Whether a network is made without weights, in a script that trains another one here."""
    name = dotted(call.func)
    last = name.rpartition(".")[2]
    path = analysis.index.imports.get(name.partition(".")[0], "")
    info = analysis.index.classes.get(name)
    zoo = path.startswith("torchvision") and last[:1].islower()
    own = info is not None and "Module" in info.bases
    timm = path.startswith("timm") and last == "create_model"
    if not (zoo or own or timm) or not _trains_something(analysis):
        return False
    given = {k.arg: ast.unparse(k.value) for k in call.keywords}
    if timm:
        return given.get("num_classes", "1000") != "1000" or given.get("pretrained") != "True"
    loaded = {"weights", "pretrained", "checkpoint", "path", "ckpt", "weights_path"} & given.keys()
    texts = [
        a for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str | bool)
    ]
    return not loaded and not texts and None not in given and not _loads_inside(info)


def _loads_inside(info: ClassInfo | None) -> bool:
    """Whether the class loads weights itself."""
    nodes = nodes_of(info.node) if info is not None else ()
    calls = (node for node in nodes if isinstance(node, ast.Call))
    named = (words(dotted(call.func).rpartition(".")[2]) for call in calls)
    return any({"load", "pretrained", "download"} & set(found) for found in named)


def _trains_something(analysis: Analysis) -> bool:
    calls = [dotted(call.func).rpartition(".")[2] for call in analysis.index.of(ast.Call)]
    return "DataLoader" in calls and {"step", "zero_grad"} <= set(calls)


def _is_bare_checkpoint(analysis: Analysis, call: ast.Call) -> bool:
    name = dotted(call.func)
    made_by, _, method = name.rpartition(".")
    if method != "from_pretrained" or not _CLASSIFIER.fullmatch(made_by.rpartition(".")[2]):
        return False
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Name):
        given = [
            node.value
            for node in analysis.index.of(ast.Assign)
            if any(isinstance(t, ast.Name) and t.id == first.id for t in node.targets)
        ]
        first = given[0] if len(given) == 1 else None
    text = first.value if isinstance(first, ast.Constant) else None
    return isinstance(text, str) and _BARE.fullmatch(text) is not None


def _teacher_call(analysis: Analysis, use: LossUse, names: set[str]) -> tuple[str, ast.Call] | None:
    """The call of one of these teachers that a loss has its target from."""
    for side, origin in _origins(analysis, use):
        if side.role is not Role.TEACHER or not isinstance(origin, ast.Call):
            continue
        called = dotted(origin.func)
        last = called.rpartition(".")[2]
        if called in names:
            return called, origin
        teachers = [name for name in names if name.rpartition(".")[2] == last]
        if called.startswith("self.") and len(teachers) == 1:  # handed to a Trainer
            return teachers[0], origin
    return None


def _origins(analysis: Analysis, use: LossUse) -> Iterator[tuple[Value, ast.expr | None]]:
    """What the sides of a loss were made of, before the softmax."""
    for side in (use.target, use.input):
        yield side, side.origin
        for softmax in analysis.softmaxes:
            if softmax.node is side.origin:
                yield side, softmax.argument.origin


def _may_be_trained(analysis: Analysis, name: str, run: ast.Call) -> bool:
    """Whether anything that comes before trains the model, loads it, or may do so."""
    kinds = (ast.Name, ast.Attribute)
    places = [n for kind in kinds for n in analysis.index.of(kind) if dotted(n) == name]
    return any(
        _trains(analysis, node)
        for node in places
        if not (_is_outside(analysis, node) and _is_outside(analysis, run) and _after(node, run))
    )


def _after(node: ast.AST, run: ast.AST) -> bool:
    return getattr(node, "lineno", 0) > getattr(run, "lineno", 0)


def _is_outside(analysis: Analysis, node: ast.AST) -> bool:
    """Whether a node stands in the script itself, where lines are run in their order."""
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        around = analysis.parent_of(around)
    return True


def _trains(analysis: Analysis, node: ast.AST) -> bool:
    parent = analysis.parent_of(node)
    if isinstance(parent, ast.Attribute):
        if parent.attr in ("parameters", "named_parameters"):
            return _is_optimised(analysis, parent)
        call = analysis.parent_of(parent)
        off = isinstance(call, ast.Call) and [ast.unparse(a) for a in call.args] == ["False"]
        return parent.attr in _TRAINS and not off
    if isinstance(parent, ast.keyword):
        student = parent.arg is not None and role_of(parent.arg) is Role.TEACHER
        return not student
    if isinstance(parent, ast.Call) and parent.func is not node:
        named = words(dotted(parent.func).rpartition(".")[2])
        roles = [role_of(dotted(argument)) for argument in parent.args]
        return not (set(named) & _HARMLESS or Role.STUDENT in roles)
    return False


def _is_optimised(analysis: Analysis, node: ast.AST) -> bool:
    """Whether parameters go into an optimiser rather than into a loop that freezes them."""
    around: ast.AST | None = node
    while around is not None and not isinstance(around, ast.stmt):
        if isinstance(around, ast.Call):
            name = dotted(around.func)
            if "optim" in name.lower() or any(k.arg == "lr" for k in around.keywords):
                return True
        around = analysis.parent_of(around)
    return False


_MESSAGE = Text(
    "the target comes from {name}, whose weights or head are new (line {line}) and which nothing "
    "before trains or loads: its answers are noise. Train the teacher first, or load its weights",
    "目标来自 {name}，它的权重或分类头是新的（第 {line} 行），之前没有任何代码训练或加载它：它的"
    "输出只是噪声。应先训练教师，或加载它的权重",
)
