"""The page of the laws, in both languages."""

# ruff: noqa: E501 - paragraphs of a page

from __future__ import annotations

from didact._core.i18n import Language, Text
from didact.probe.forms.mistakes import MISTAKES
from didact.probe.judging.law import Law
from didact.probe.laws import all_laws

_INTRO = Text(
    """# Probe: the laws of a distillation loss

`didact probe file.py:my_loss` calls a loss on crafted inputs and says which laws hold, which break,
by how much, and what kind of mistake does that. It needs no data and takes about a second.

First it asks what the loss is. Logits, probabilities, log-probabilities and features are tried in the
shapes that losses take; names, annotations, docstrings and comments decide the order, and what fits a
known form decides. Only where a known form fits, or where you say the kind, does a broken law count,
and only if it breaks on a second, independent set of inputs too. What is no known form is described
and accused of nothing. Each diagnosis names its evidence.

```console
$ didact probe losses.py:my_kd --lang en
$ didact probe pkg.mod:DistillLoss --init alpha=0.5 --arg T=4 --format junit --output probe.xml
```

It imports and runs the code that you name, and nothing else. Exit code 0: every law of the kind
holds; 1: a law breaks; 2: the loss cannot be bound, or wrong usage. In a test:

```python
from didact.probe import assert_obeys
from didact.losses import kd

assert_obeys(kd, kind="divergence")
```

## What can be called

A function, a method (`file.py:Trainer.kd_loss`), a module or a class to build one from. Parameters
are bound by name, then by trial, and the binding is shown: logits of student and teacher, labels
(also one-hot), temperature, weights, masks, epochs, a `params` object or dict at any depth, lists of
teachers or of heads, models and a batch (a pair or a dictionary), outputs with `.logits`, the
teacher's likeliest classes with their numbers, `[B, S, C]`, `[B, C, H, W]`, features, hidden states.
For a method, what `__init__` writes into `self` is worked out as it is asked for; the constructor is
not run. Of `**kwargs` and `*args` the loss gets what its code reads, of a text the first that the
code compares it with, of a dataclass an instance; options such as `args` that a script makes only
when it is run are supplied. Beside `[B, C]` are tried `[B, S, C]`, `[B, C, L]`, `[V, B, S]`,
`[B, C, H, W]` and `[B, C, D, H, W]`; a number of classes or of teachers that the code has fixed is
read off its errors. A parameter that the code takes apart into the outputs of student and teacher gets
both; a documented shape with a dimension such as `num_teachers` gets all teachers in one tensor. An
option whose name says nothing is 1, or a layer that changes nothing, if the loss runs with it; the
binding then says "by trial". What asks for CUDA runs on the processor where there is no GPU, and who gathers from other
processes gets a group of one. Outputs that are annotated with a dataclass come as one, features also
in a dictionary by the names of layers; widths in a constructor, such as `student_dim=192`, are those of
the crafted features; what is `None` by default and asserted to be given is given. A search that has
taken 10 s of the processor ends with what was tried, and on the command line a loss that has not come
back after 90 s ends in a message.

`--student`, `--teacher` and `--labels` name the parts where their names do not. `--arg NAME=VALUE`
fixes a value, which then stays (a temperature that is given is not varied), also a dictionary, `tensor([1.0, 2.0])` or an object of your own, `mine.py:layers`, or
names what a parameter is: `student`,
`teacher`, `labels`, `mask`, `model`, `teacher-model`, `batch`; `--arg batch.y=labels` speaks of an
entry and `--arg self.args.heat=4` of an attribute. `--init` is for constructors; `--layout sequence`
asks for `[B, S, C]`, `dense` for `[B, C, H, W]`. What cannot be bound is said with all that was
tried, the likeliest first. The value may be returned alone, in a tuple or in a dict, of which the
part is taken that teacher and labels change; an unreduced one is added up and divided by the number
of samples.

Where labels add a term of their own, it is recognised and taken off, and the laws speak of the rest.

A student with more classes than its teacher is tried where the loss accepts it, and at once where a
parameter such as `known_classes` asks for it. `--old-classes 10` says how many the teacher knows.

## Which laws bind

A **divergence** is zero, with zero gradient, where student equals teacher, never negative, and blind
to a constant added to the logits. A **match** is non-negative and zero at equality. An **objective**
is anything else. Without `--kind` it is recognised. What does not bind a kind is reported as advice.
So is what counts only beside a label term, where there is none: a missing T², a sum over the samples.
Very large logits and half precision count only with `--kind`.

## Language models

A loss of tokens, `[B, S, C]` with labels of -100 or a mask, is also tried by the laws from `padding`
on: that the split into micro-batches, padding and the prompt change nothing, that position t meets
the teacher's position t and label t + 1, that padded classes have probability 0, and that bfloat16
keeps the gradient. `--language-model` says that it is one; then bfloat16 counts.

## One training step

```console
$ didact probe --step train.py:make
```

`make()` returns `(step, student, teacher, batch)`; `step(student, teacher, batch)` returns the loss,
or calls `backward()` itself, and an optimiser may step: both models are put back. In Python:
`didact.probe.step(step, student, teacher, batch)`. Checked are the teacher's mode, its parameters and
buffers, the student's gradient, that the distillation term reaches it, that two halves of the batch
make the same gradient as the whole, and that two processes under DDP do (`--processes 1` leaves that
out; in Python it is `processes=2` that asks for it). Normalisation and dropout are held still for the
last two.

## Laws
""",
    """# Probe：蒸馏损失应遵守的定律

`didact probe file.py:my_loss` 用构造的输入调用损失函数，指出哪些定律成立、哪些不成立、偏差多大，
以及哪类错误会造成这种现象。不需要数据，约一秒完成。

```console
$ didact probe losses.py:my_kd --lang zh
$ didact probe pkg.mod:DistillLoss --init alpha=0.5 --arg T=4 --format junit --output probe.xml
```

它先判断损失是什么：用各种形状的 logits、概率、对数概率与特征试调用；参数名、注解、docstring 与注释决定先后，
与哪个已知形式相符决定结论。只有符合某个已知形式、或您声明了种类时，不成立的定律才算问题，
而且必须在另一组独立的输入上同样不成立。不属于已知形式的损失只作描述，不作指控。每条诊断都附有依据。

它只导入并运行您指定的代码。退出码 0：该类损失的定律全部成立；1：有定律不成立；2：无法绑定参数或用法有误。
在测试中：

```python
from didact.probe import assert_obeys
from didact.losses import kd

assert_obeys(kd, kind="divergence")
```

## 可以检查什么

函数、方法（`file.py:Trainer.kd_loss`）、模块，或用来构造模块的类。参数先按名称、再按试调用绑定，并显示绑定结果：
学生与教师的 logits、标签（也可以是 one-hot）、温度、权重、掩码、轮次、任意层级的 `params` 对象或字典、
多个教师或多个头的列表、模型与批次（二元组或字典）、带 `.logits` 的输出、教师最可能的类别及其编号、
`[B, S, C]`、`[B, C, H, W]`、特征、隐藏状态。对于方法，`__init__` 写入 `self` 的内容在用到时才逐项求值，
构造函数本身不会运行。`**kwargs` 与 `*args` 按代码实际读取的内容给出；字符串取代码中与之比较的第一个值；
标注为 dataclass 的参数得到一个实例；`args` 之类只在脚本运行时才存在的全局选项会自动补上。除 `[B, C]` 外还会尝试
`[B, S, C]`、`[B, C, L]`、`[V, B, S]`、`[B, C, H, W]` 与 `[B, C, D, H, W]`；代码写死的类别数或教师数从报错中读出。
若代码把一个参数拆成学生与教师两份输出，则两份一并给出；若文档写明的形状含 `num_teachers` 之类的维度，则把多个教师堆叠成一个张量。
名称看不出含义的选项取 1 或一个不作任何变换的层，前提是损失能这样运行；绑定结果会注明“通过试调用确定”。
没有 GPU 时，要求 CUDA 的代码在 CPU 上运行；需要从其他进程收集数据的损失会得到单进程组。
标注为 dataclass 的网络输出会以该类的实例传入，特征也会以“层名 → 特征”的字典传入；构造函数里的通道数
（如 `student_dim=192`）改用构造特征的通道数；默认为 `None`、代码却断言必须给出的参数会自动给出。
搜索占用处理器超过 10 秒即停止，并列出已尝试的方式；在命令行中，超过 90 秒仍不返回的损失会以一条信息结束。

名称不明时用 `--student`、`--teacher`、`--labels` 指定。`--arg NAME=VALUE` 固定取值，之后不再变化（给定的温度也不变；也可以是字典、
`tensor([1.0, 2.0])`，或自己文件里的对象 `mine.py:layers`），或说明参数是什么：`student`、`teacher`、`labels`、`mask`、`model`、`teacher-model`、`batch`；
`--arg batch.y=labels` 针对字典项，`--arg self.args.heat=4` 针对属性。`--init` 用于构造函数；
`--layout sequence` 使用 `[B, S, C]`，`dense` 使用 `[B, C, H, W]`。无法绑定时，会按可能性从高到低列出尝试过的全部方式。
返回值可以单独返回，也可以放在 tuple 或 dict 里（取受教师和标签影响的那一项）；未归约的结果求和后除以样本数。

若标签构成单独的一项，会识别并去掉它，定律针对其余部分。

只要损失接受，就会试一次“学生类别多于教师”的情形；若有 `known_classes` 之类的参数，则直接按这种情形检查。
`--old-classes 10` 指定教师认识的类别数。

## 哪些定律有约束力

**散度**（divergence）在学生等于教师处为零且梯度为零、非负、对 logits 加常数不变；**匹配**（match）非负且在相等处为零；
**训练目标**（objective）是其他一切。不写 `--kind` 时自动识别。对某类没有约束力的定律只作为建议报告。
只有与标签项并用时才有影响的问题（缺少 T²、对样本求和），在没有标签项时也只作为建议。
极大的 logits 与半精度只有写了 `--kind` 时才算问题。

## 语言模型

以 token 为单位的损失（`[B, S, C]`，标签 -100 或掩码表示不计入）还要检验 `padding` 及其后的定律：
微批次的划分、填充与提示词都不改变结果；位置 t 对应教师的位置 t 与标签 t + 1；填充类别的概率为 0；
bfloat16 保持梯度。`--language-model` 声明它是语言模型的损失，此时 bfloat16 也算问题。

## 一个训练步

```console
$ didact probe --step train.py:make
```

`make()` 返回 `(step, student, teacher, batch)`；`step(student, teacher, batch)` 返回损失，或自行调用 `backward()`，
也可以执行优化器：两个模型最后都会还原。在 Python 中为 `didact.probe.step(step, student, teacher, batch)`。
检查的内容：教师的模式、参数与缓冲区，学生的梯度，蒸馏项是否传到学生，两半批次的梯度是否等于整批，
以及 DDP 下两个进程是否一致（`--processes 1` 跳过此项；在 Python 中用 `processes=2` 开启）。
最后两项检查时，归一化与 dropout 保持不动。

## 定律
""",
)


def page(language: Language) -> str:
    """The page in one language, as Markdown."""
    parts = [_INTRO.pick(language), *(_section(law, language) for law in all_laws())]
    head = Text(
        "## Mistakes that it names\n\n| Mistake | `didact check` | What it is |\n|---|---|---|\n",
        "## 能指出的错误\n\n| 错误 | `didact check` | 说明 |\n|---|---|---|\n",
    )
    rows = [
        f"| {m.key} | {', '.join(m.codes) or '-'} | {_cell(m.text.pick(language))} |\n"
        for m in MISTAKES.values()
    ]
    return "\n".join(parts) + "\n" + head.pick(language) + "".join(rows)


def _section(law: Law, language: Language) -> str:
    names = {
        "divergence": Text("divergence", "散度"),
        "match": Text("match", "匹配"),
        "objective": Text("objective", "训练目标"),
    }
    kinds = {"en": ", ", "zh": "、"}[language].join(names[k].pick(language) for k in law.binds)
    binds = Text(
        f"Binds: {kinds or 'none, it is only reported'}.", f"约束：{kinds or '无，仅报告'}。"
    )
    meaning = Text("If it breaks: ", "不成立意味着：").pick(language) + law.meaning.pick(language)
    title = law.title.pick(language)
    body = "\n\n".join([law.maths.pick(language), meaning, binds.pick(language)])
    return f"### {law.name}\n\n**{title}**\n\n{body}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
