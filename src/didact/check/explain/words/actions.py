"""What a call does when it stands alone on its line, as a sentence."""

from __future__ import annotations

from didact._core.i18n import Text

ACTIONS: dict[str, Text] = {
    "zero_grad": Text(
        "Clears the gradients that {o} holds; otherwise `backward()` would add to those of the "
        "last step.",
        "清空 {o} 所管参数的梯度；否则 `backward()` 会在上一步的梯度上继续累加。",
    ),
    "backward": Text(
        "Backpropagates {o}: adds ∂{o}/∂θ to `.grad` of every parameter θ that {o} depends on."
        "{reached}",
        "对 {o} 反向传播：把 ∂{o}/∂θ 累加到它所依赖的每个参数 θ 的 `.grad` 上。{reached}",
    ),
    "step": Text(
        "{o} moves its parameters one step, using the gradients now in `.grad`.",
        "{o} 用当前 `.grad` 中的梯度更新一次参数。",
    ),
    "scaler.step": Text(
        "{0} moves its parameters one step with the unscaled gradients; the step is left out where "
        "they are inf or NaN.",
        "还原梯度的缩放后，由 {0} 更新一次参数；梯度中有 inf 或 NaN 时跳过这一步。",
    ),
    "scaler.update": Text(
        "Adapts the scale of {o} for the next step.", "调整 {o} 下一步的缩放倍数。"
    ),
    "scheduler.step": Text(
        "Moves the learning-rate schedule {o} one step on.", "学习率调度器 {o} 前进一步。"
    ),
    "eval": Text(
        "Puts {o} in evaluation mode: dropout off, BatchNorm uses its running statistics and stops "
        "updating them. It does not stop gradients; that is what `no_grad` is for.",
        "把 {o} 切到评估模式：关闭 dropout，BatchNorm 使用滑动统计量且不再更新。"
        "它并不阻止梯度计算，那是 `no_grad` 的事。",
    ),
    "train": Text(
        "Puts {o} in training mode: dropout on, BatchNorm uses and updates batch statistics.",
        "把 {o} 切到训练模式：启用 dropout，BatchNorm 用批统计量并更新滑动统计量。",
    ),
    "trainer.train": Text(
        "Starts the training that {o} is set up for.", "开始 {o} 所设定的训练流程。"
    ),
    "to": Text(
        "Moves {o} to {args} (in place if {o} is a module; a tensor must be assigned).",
        "把 {o} 移到 {args}（模块是原地生效，张量必须重新赋值）。",
    ),
    "cuda": Text(
        "Moves {o} to the GPU (in place for a module; a tensor must be assigned).",
        "把 {o} 移到 GPU（模块原地生效，张量必须重新赋值）。",
    ),
    "load_state_dict": Text(
        "Copies the saved weights {0} into {o}.", "把保存的权重 {0} 拷入 {o}。"
    ),
    "detach": Text(
        "Computes {o} without its graph and throws the result away: this line has no effect "
        "(`detach_()` or an assignment would).",
        "得到脱离计算图的 {o}，但结果没有保存：这一行不起作用（应赋值，或用 `detach_()`）。",
    ),
    "detach_": Text(
        "Cuts {o} out of the graph in place: no gradient flows back beyond it.",
        "原地把 {o} 从计算图中切断：梯度不再往前传。",
    ),
    "requires_grad_": Text(
        "Switches the gradient of {o} on or off ({args}).", "设置 {o} 是否需要梯度（{args}）。"
    ),
    "append": Text("Adds {0} at the end of {o}.", "把 {0} 追加到 {o}。"),
    "extend": Text("Adds all items of {0} at the end of {o}.", "把 {0} 的所有元素追加到 {o}。"),
    "update": Text("Updates {o}{with_args}.", "更新 {o}{with_args}。"),
    "save": Text("Saves {0} to the file {1}.", "把 {0} 保存到文件 {1}。"),
    "clip_grad_norm_": Text(
        "Scales the gradients of {0} down if their common norm is above {1}; must come after "
        "backward and before step.",
        "若 {0} 的总梯度范数超过 {1} 就按比例缩小；应放在 backward 之后、step 之前。",
    ),
    "manual_seed": Text("Fixes the random seed to {0}.", "把随机种子固定为 {0}。"),
    "register_buffer": Text(
        "Stores a tensor in the module that is saved with it but not trained: {args}.",
        "在模块中注册一个随模型保存、但不参与训练的张量：{args}。",
    ),
    "add_exemplars": Text("Adds exemplars to the memory {o}.", "把样例加入记忆 {o}。"),
    "sort": Text("Sorts {o} in place.", "原地排序 {o}。"),
    "shuffle": Text("Shuffles {0} in place.", "原地打乱 {0}。"),
    "super_init": Text(
        "Runs the constructor of the parent class.",
        "调用父类的构造函数。",
    ),
    "super_init_elsewhere": Text(
        "Runs the constructor of the parent class.", "调用父类的构造函数。"
    ),
    "apply_gradients": Text(
        "{o} moves its parameters one step, using these gradients.",
        "{o} 用这些梯度更新一次参数。",
    ),
    "compile": Text("Sets the training up with {args}.", "用 {args} 设置训练。"),
    "fill_": Text("Sets every entry of {o} to {0}.", "把 {o} 的所有元素置为 {0}。"),
    "mul_": Text("Multiplies {o} by {0} in place.", "原地把 {o} 乘以 {0}。"),
    "copy_": Text("Copies {0} into {o}.", "把 {0} 的数值拷入 {o}。"),
}

LOGS = Text(
    "Logs {args}: the value is recorded under that name (Lightning); nothing is computed for "
    "training.",
    "记录 {args}：把数值登记到该名字下（Lightning 的日志），与训练计算无关。",
)
MOVING = Text(
    "One step of a moving average (EMA), in place: {p} ← {d} · {p} + ({r}) · {q}.",
    "原地做一步指数滑动平均（EMA）：{p} ← {d} · {p} + ({r}) · {q}。",
)
OUTPUT_PARTS = frozenset(
    {"logits", "loss", "last_hidden_state", "hidden_states", "attentions", "pooler_output"}
)
"""What models of transformers return, by attribute."""
OWN_LOSS = Text(
    "{target} is the task loss that the model computes itself from the labels among its inputs "
    "(`loss` of {what}).",
    "{target}：模型在 forward 里根据输入中的标签自己算好的任务损失（{what} 中的 `loss`）。",
)
PART_OF = Text("{target} is `{part}` of {what}.", "{target}：{what} 中的 `{part}`。")
EACH = Text("each {what}", "都是{what}")
PAIR = Text("together: {parts}", "以下几个值：{parts}")
FROM_SHAPE = Text("Takes {parts} from the shape of {what}.", "取出 {what} 的形状 {parts}。")
UNPACKS = Text("Unpacks {what} into {parts}.", "把 {what} 拆成 {parts}。")
MOVED: dict[str, Text] = {
    "to": Text("Moves {o} to {args}.", "把 {o} 移到 {args}。"),
    "cuda": Text("Moves {o} to the GPU.", "把 {o} 移到 GPU。"),
    "cpu": Text("Moves {o} to the CPU.", "把 {o} 移到 CPU。"),
    "detach": Text(
        "Takes {o} out of the graph: no gradient flows back beyond it.",
        "把 {o} 从计算图中取出：梯度不再往前传。",
    ),
    "float": Text("Turns {o} into float32.", "把 {o} 转成 float32。"),
    "long": Text("Turns {o} into int64.", "把 {o} 转成 int64。"),
}
"""``x = x.to(...)`` and the like, by method."""

WIDENS = (
    "update_fc", "update_head", "expand_head", "expand_fc", "expand_classifier", "extend_head",
    "extend_fc", "grow_head", "grow_fc", "adapt_head", "add_classes", "increment_classes",
)  # fmt: skip
"""Names of methods that widen a classifier."""
_WIDENED = Text("it widens the classifier for the new classes.", "为新类加宽分类头。")
METHOD_HINTS: tuple[tuple[str, Text], ...] = (
    (
        "herding",
        Text(
            "it chooses exemplars by herding: samples whose mean features follow the class mean "
            "(iCaRL).",
            "用 herding 选取样例：使样例特征均值逐步逼近类均值（iCaRL）。",
        ),
    ),
    (
        "exemplar",
        Text(
            "it has to do with the exemplar memory (stored samples of old classes).",
            "与样例记忆（保留的旧类样本）有关。",
        ),
    ),
    (
        "rehearsal",
        Text(
            "it has to do with the rehearsal memory (stored samples of old classes).",
            "与回放记忆（保留的旧类样本）有关。",
        ),
    ),
    (
        "weight_align",
        Text(
            "it brings the weight norms of the new classes down to those of the old ones (weight "
            "alignment, WA).",
            "权重对齐（WA）：把新类权重的范数缩放到旧类的水平。",
        ),
    ),
    *((hint, _WIDENED) for hint in WIDENS),
    ("add_head", Text("it adds a head for the new task.", "为新任务增加一个分类头。")),
    (
        "incremental",
        Text("it runs one step of class-incremental training.", "执行一步类增量学习。"),
    ),
    (
        "freeze",
        Text(
            "it freezes a model, whose parameters get no gradient.",
            "冻结模型，其参数不再计算梯度。",
        ),
    ),
)  # fmt: skip
"""Own method names that say what they do, first match wins."""

IMPORTS: dict[str, Text] = {
    "torch": Text("tensors and automatic differentiation", "张量与自动求导"),
    "torch.nn": Text("layers, modules and loss classes", "层、模块与损失类"),
    "torch.nn.functional": Text(
        "losses and activations as plain functions", "函数形式的损失与激活"
    ),
    "torch.optim": Text("optimisers", "优化器"),
    "torch.utils.data": Text("datasets and loaders", "数据集与数据加载"),
    "torchvision": Text("vision models and data sets", "视觉模型与数据集"),
    "copy": Text(
        "copies of objects (`deepcopy` for the old model)", "对象拷贝（`deepcopy` 用于保存旧模型）"
    ),
    "numpy": Text("arrays", "数组计算"),
    "math": Text("mathematics of single numbers", "标量数学函数"),
}
