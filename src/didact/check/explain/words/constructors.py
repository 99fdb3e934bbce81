"""What is made by well-known constructors, as noun phrases."""

from __future__ import annotations

from didact._core.i18n import Text

CONSTRUCTORS: dict[str, Text] = {
    "deepcopy": Text(
        "an independent copy of {0}: later training of {0} does not change it",
        "{0} 的独立副本：之后再训练 {0} 也不会改变它",
    ),
    "DataLoader": Text("a loader that yields batches of {0}", "按批取出 {0} 的数据加载器"),
    "SGD": Text(
        "SGD over the parameters {0}; only these will be trained",
        "对参数 {0} 的 SGD 优化器；只有它们会被训练",
    ),
    "Adam": Text(
        "Adam over the parameters {0}; only these will be trained",
        "对参数 {0} 的 Adam 优化器；只有它们会被训练",
    ),
    "AdamW": Text(
        "AdamW over the parameters {0}; only these will be trained",
        "对参数 {0} 的 AdamW 优化器；只有它们会被训练",
    ),
    "StepLR": Text(
        "a schedule that lowers the learning rate of {0} every few epochs",
        "每隔若干轮降低 {0} 学习率的调度器",
    ),
    "MultiStepLR": Text(
        "a schedule that lowers the learning rate of {0} at given epochs",
        "在指定轮次降低 {0} 学习率的调度器",
    ),
    "CosineAnnealingLR": Text(
        "a cosine schedule for the learning rate of {0}", "{0} 学习率的余弦退火调度器"
    ),
    "GradScaler": Text(
        "a scaler that keeps small fp16 gradients from vanishing", "防止 fp16 梯度下溢的梯度缩放器"
    ),
    "Linear": Text(
        "a fully connected layer from {0} to {1} numbers", "从 {0} 维到 {1} 维的全连接层"
    ),
    "Conv2d": Text("a convolution from {0} to {1} channels", "从 {0} 通道到 {1} 通道的卷积层"),
    "BatchNorm2d": Text(
        "batch normalisation of {0} channels (batch statistics in train mode, running ones in "
        "eval mode)",
        "{0} 通道的 BatchNorm（train 模式用批统计量，eval 模式用滑动统计量）",
    ),
    "Sequential": Text("layers that run one after the other", "依次执行的一串层"),
    "ModuleList": Text("a registered list of modules", "已注册的模块列表"),
    "Dropout": Text(
        "a dropout layer (active in train mode only)", "dropout 层（只在 train 模式下生效）"
    ),
    "ReLU": Text("a ReLU layer", "ReLU 层"),
    "Softmax": Text("a softmax layer{dim}", "softmax 层{dim}"),
    "LogSoftmax": Text("a log-softmax layer{dim}", "log-softmax 层{dim}"),
    "KLDivLoss": Text(
        "a KL criterion: called as criterion(log-probabilities of the student, probabilities of "
        "the teacher){reduction}",
        "KL 散度损失：调用时第一个参数是学生的对数概率，第二个是教师的概率{reduction}",
    ),
    "CrossEntropyLoss": Text(
        "a cross-entropy criterion: takes raw logits (it applies log_softmax itself) and labels"
        "{reduction}",
        "交叉熵损失：输入原始 logits（内部自带 log_softmax）和标签{reduction}",
    ),
    "NLLLoss": Text(
        "a criterion that takes log-probabilities and labels{reduction}",
        "NLL 损失：输入对数概率和标签{reduction}",
    ),
    "BCELoss": Text(
        "binary cross-entropy on probabilities{reduction}", "作用在概率上的二元交叉熵{reduction}"
    ),
    "BCEWithLogitsLoss": Text(
        "binary cross-entropy on logits (it applies sigmoid itself){reduction}",
        "作用在 logits 上的二元交叉熵（内部自带 sigmoid）{reduction}",
    ),
    "MSELoss": Text("a mean-squared-error criterion{reduction}", "均方误差损失{reduction}"),
}
"""Layers, losses, optimisers, schedules and copies, by their last name."""
