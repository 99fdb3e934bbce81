"""Methods that a framework calls by their name, and what they are there for."""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import parents_of
from didact.check.explain.idioms._scene import Scene
from didact.check.explain.losscalls import code_of

_TRAINER = {
    "compute_loss": Text(
        "The method that `Trainer` calls at every step for the loss; overriding it replaces the "
        "loss and nothing else. `inputs` is the batch as a dictionary; with `return_outputs` (as "
        "in evaluation) the outputs are wanted, too.",
        "`Trainer` 每一步都调用它来计算损失；重写它就只替换损失，其余不变。"
        "`inputs` 是一个批次的字典；`return_outputs` 为真时（如评估）还要返回模型输出。",
    ),
    "training_step": Text(
        "The method that `Trainer` calls for every training step.",
        "`Trainer` 每个训练步调用的方法。",
    ),
    "prediction_step": Text(
        "The method that `Trainer` calls for every batch in evaluation.",
        "`Trainer` 评估时对每个批次调用的方法。",
    ),
}
_LIGHTNING = {
    "training_step": Text(
        "What Lightning does with every training batch; what it returns is the loss that Lightning "
        "backpropagates (no `backward()` or `step()` is needed here).",
        "Lightning 对每个训练批次执行的步骤；返回值就是损失，由 Lightning 负责反向传播"
        "（这里不需要 `backward()` 和 `step()`）。",
    ),
    "validation_step": Text(
        "What Lightning does with every validation batch, without gradients and in eval mode.",
        "Lightning 对每个验证批次执行的步骤（不求梯度、eval 模式）。",
    ),
    "configure_optimizers": Text(
        "Where Lightning asks for the optimisers.", "Lightning 在这里取得优化器。"
    ),
}
_KERAS = {
    "train_step": Text(
        "What Keras' `fit()` does with every batch; overriding it replaces the training step.",
        "Keras 的 `fit()` 对每个批次调用的方法；重写它即替换训练步骤。",
    ),
    "test_step": Text(
        "What Keras' `evaluate()` does with every batch.",
        "Keras 的 `evaluate()` 对每个批次调用的方法。",
    ),
    "compile": Text(
        "Called once before `fit()`: takes what the training is set up with.",
        "在 `fit()` 之前调用一次：接收训练的各项设置。",
    ),
    "compute_loss": Text(
        "What Keras calls for the loss of a batch.", "Keras 用它计算一个批次的损失。"
    ),
    "call": Text("What the model computes when it is called.", "模型被调用时执行的计算。"),
}
_BASES = (("Trainer", _TRAINER), ("LightningModule", _LIGHTNING), ("Model", _KERAS))
_CUT = Text(
    "{what} Without a graph (`@torch.no_grad()`): nothing in it passes gradient on.",
    "{what}不记录计算图（`@torch.no_grad()`）：其中的计算都不回传梯度。",
)
_EVALUATION = Text(
    "Returns {a} if {test} (as in evaluation, where the outputs are needed as well), otherwise "
    "{b}.",
    "若 {test} 成立（评估时还需要输出），返回 {a}，否则返回 {b}。",
)


def hook(tree: ast.Module, function: ast.stmt) -> Text | None:
    """What a framework calls a method for."""
    owner = parents_of(tree).get(function)
    bases = [last_name(b) for b in owner.bases] if isinstance(owner, ast.ClassDef) else []
    for base, words in _BASES:
        if any(b == base or (b.endswith(base) and base != "Model") for b in bases):
            return words.get(getattr(function, "name", ""))
    arguments = getattr(function, "args", None)
    names = [a.arg for a in arguments.args[:3]] if isinstance(arguments, ast.arguments) else []
    if getattr(function, "name", "") == "compute_loss" and names == ["self", "model", "inputs"]:
        return _TRAINER["compute_loss"]
    return None


def without_graph(function: ast.stmt, words: Text) -> Text:
    """The words with what ``@torch.no_grad()`` above the function means."""
    decorators = getattr(function, "decorator_list", [])
    names = [last_name(d.func if isinstance(d, ast.Call) else d) for d in decorators]
    return _CUT.format(what=words) if {"no_grad", "inference_mode"} & set(names) else words


def sentence(scene: Scene, statement: ast.stmt) -> Text | None:
    """``return (loss, outputs) if return_outputs else loss``."""
    del scene
    value = statement.value if isinstance(statement, ast.Return) else None
    if not isinstance(value, ast.IfExp):
        return None
    turned = isinstance(value.test, ast.UnaryOp) and isinstance(value.test.op, ast.Not)
    test = value.test.operand if isinstance(value.test, ast.UnaryOp) else value.test
    if ast.unparse(test) != "return_outputs":
        return None
    one, other = (value.orelse, value.body) if turned else (value.body, value.orelse)
    return _EVALUATION.format(a=code_of(one), test=code_of(test), b=code_of(other))
