"""What well-known functions give, as noun phrases: ``{0}`` is the first argument."""

from __future__ import annotations

from didact._core.i18n import Text

FUNCTIONS: dict[str, Text] = {
    "log_softmax": Text(
        "the log-probabilities log softmax({0}){dim}", "{0} 的对数概率 log softmax{dim}"
    ),
    "softmax": Text("the probabilities softmax({0}){dim}", "{0} 经 softmax 得到的概率{dim}"),
    "sigmoid": Text(
        "the sigmoid of {0}: an independent probability in (0, 1) for every class (they need not "
        "sum to 1)",
        "对 {0} 逐类做 sigmoid，得到各自独立的概率（各类之和不必为 1）",
    ),
    "logsigmoid": Text("log sigmoid({0}), class by class", "逐类计算 log sigmoid({0})"),
    "normalize": Text("{0} scaled to length 1{dim}", "{0} 归一化为单位长度的向量{dim}"),
    "relu": Text("{0} with negative numbers set to 0", "{0} 中的负数置 0（ReLU）"),
    "dropout": Text(
        "{0} with random entries zeroed in training", "训练时对 {0} 随机置零（dropout）"
    ),
    "one_hot": Text("the labels {0} as one-hot rows", "标签 {0} 的 one-hot 编码"),
    "exp": Text("exp({0}), element by element", "逐元素计算 exp({0})"),
    "logsumexp": Text("log Σ exp of {0}{dim}", "对 {0} 求 log Σ exp{dim}"),
    "log": Text("the natural logarithm of {0}, element by element", "逐元素取 {0} 的自然对数"),
    "pow": Text("{0} to the power {1}, element by element", "逐元素求 {0} 的 {1} 次方"),
    "stop_gradient": Text(
        "{0}, cut off from the gradient (none flows back)", "{0}，截断梯度（不回传）"
    ),
    "sqrt": Text("the square root of {0}", "{0} 的平方根"),
    "abs": Text("the absolute values of {0}", "{0} 的绝对值"),
    "clamp": Text(
        "{0} limited to a range (no gradient outside it)", "把 {0} 截断到给定范围（范围外没有梯度）"
    ),
    "cat": Text("the tensors {0} joined{dim}", "把 {0} 拼接起来{dim}"),
    "stack": Text("the tensors {0} stacked as a new dimension{dim}", "把 {0} 堆叠成新的一维{dim}"),
    "zeros": Text("a tensor of zeros", "全零张量"),
    "ones": Text("a tensor of ones", "全一张量"),
    "zeros_like": Text("zeros of the shape of {0}", "与 {0} 形状相同的全零张量"),
    "ones_like": Text("ones of the shape of {0}", "与 {0} 形状相同的全一张量"),
    "rand": Text("uniform random numbers in [0, 1)", "[0, 1) 上的均匀随机数"),
    "randn": Text("random numbers from N(0, 1)", "标准正态分布的随机数"),
    "arange": Text("the integers {args}", "整数序列 {args}"),
    "tensor": Text(
        "a new tensor with the value of {0}, outside any graph",
        "由 {0} 的值新建的张量，不在计算图中",
    ),
    "from_numpy": Text(
        "a tensor that shares memory with the array {0}", "与数组 {0} 共享内存的张量"
    ),
    "where": Text("one of two values per element, chosen by {0}", "按条件 {0} 逐元素二选一"),
    "matmul": Text("the matrix product of {0} and {1}", "{0} 与 {1} 的矩阵乘积"),
    "mm": Text("the matrix product of {0} and {1}", "{0} 与 {1} 的矩阵乘积"),
    "cosine_similarity": Text(
        "the cosine of the angle between {0} and {1}{dim}", "{0} 与 {1} 的余弦相似度{dim}"
    ),
    "pairwise_distance": Text("the row-wise distance of {0} and {1}", "{0} 与 {1} 逐行的距离"),
    "cdist": Text(
        "the distances of all pairs of rows of {0} and {1}", "{0} 与 {1} 所有行两两之间的距离"
    ),
    "adaptive_avg_pool2d": Text("{0} average-pooled to the size {1}", "{0} 平均池化到 {1} 的大小"),
    "avg_pool2d": Text("{0} averaged over windows", "{0} 的平均池化"),
    "interpolate": Text("{0} resized in space", "{0} 缩放到新的空间尺寸"),
    "argmax": Text(
        "the index of the largest entry of {0}{dim}: a hard decision, no gradient",
        "{0} 中最大项的下标{dim}：硬判决，没有梯度",
    ),
    "argsort": Text("the order that sorts {0}{dim}", "使 {0} 有序的下标{dim}"),
    "topk": Text("the largest entries of {0} and their indices", "{0} 中最大的若干项及其下标"),
    "max": Text("the largest of {0}{dim}", "{0} 的最大值{dim}"),
    "min": Text("the smallest of {0}{dim}", "{0} 的最小值{dim}"),
    "mean": Text("the mean of {0}{dim}", "{0} 的均值{dim}"),
    "sum": Text("the sum of {0}{dim}", "{0} 的和{dim}"),
    "norm": Text("the norm of {0}{dim}", "{0} 的范数{dim}"),
    "len": Text("the length of {0}", "{0} 的长度"),
    "range": Text("the integers {args}", "整数序列 {args}"),
    "enumerate": Text("the items of {0} with their numbers", "{0} 的元素及其序号"),
    "zip": Text("the items of {args} side by side", "{args} 并排配对的元素"),
    "float": Text("{0} as a Python number", "{0} 转成的 Python 浮点数"),
    "int": Text("{0} as an integer", "{0} 转成的整数"),
    "list": Text("a list of {0}", "由 {0} 得到的列表"),
    "sorted": Text("the items of {0} in order", "{0} 排序后的结果"),
    "load": Text("what was saved in the file {0}", "从文件 {0} 读出的内容"),
    "device": Text("the device {0}", "设备 {0}"),
    "is_available": Text("whether a GPU can be used", "是否有可用的 GPU"),
}
"""Functions and constructors, by their last name."""

GRADIENTS: dict[str, Text] = {
    "grad": Text(
        "the gradient function of {o}: called, it gives ∂{o} with respect to its first argument",
        "{o} 的梯度函数：调用后得到 {o} 对其第一个参数的梯度",
    ),
    "value_and_grad": Text(
        "a function that gives the value of {o} and its gradient with respect to the first "
        "argument",
        "一个同时给出 {o} 的值及其对第一个参数的梯度的函数",
    ),
}
"""Functions that make gradient functions of functions."""
