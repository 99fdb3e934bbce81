"""What well-known methods give, as noun phrases: ``{o}`` is the object."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.check.explain.words.calls import FUNCTIONS

_SHARED = (
    "log_softmax softmax sigmoid exp log pow sqrt abs clamp relu argmax argsort topk max min mean "
    "sum norm matmul mm"
)

TENSOR_METHODS = frozenset(_SHARED.split())
"""Methods that other objects have in another sense: ``self.log`` of Lightning, say."""

METHODS: dict[str, Text] = {
    **{name: FUNCTIONS[name] for name in _SHARED.split()},
    "detach": Text(
        "{o}, detached from the graph (no gradient flows back)",
        "{o}，从计算图中截断（不回传梯度）",
    ),
    "clone": Text(
        "a copy of {o}: writing into it does not change {o}", "{o} 的一份拷贝：改写它不影响 {o}"
    ),
    "item": Text(
        "{o} as a Python number (it carries no gradient)",
        "{o} 的 Python 数值（不带梯度）",
    ),
    "tolist": Text("{o} as a Python list", "{o} 转成的 Python 列表"),
    "numpy": Text("{o} as a NumPy array", "{o} 转成的 NumPy 数组"),
    "to": Text("{o} moved to {args}", "移到 {args} 的 {o}"),
    "cuda": Text("{o} on the GPU", "{o} 移到 GPU"),
    "cpu": Text("{o} on the CPU", "{o} 移到 CPU"),
    "float": Text("{o} as float32", "{o} 转成 float32"),
    "bool": Text("{o} as true or false", "{o} 转成布尔值"),
    "long": Text(
        "{o} as int64 (what class indices must be)", "{o} 转成 int64（类别下标要求的类型）"
    ),
    "size": Text("the size of dim {args} of {o}", "{o} 第 {args} 维的大小"),
    "masked_fill": Text("{o} with {1} wherever {0} is true", "把 {o} 中 {0} 为真的位置填成 {1}"),
    "pop": Text(
        "what {o} holds under {0}, taken out of it", "从 {o} 中取出的 {0} 项（取出后即删除）"
    ),
    "eval": Text("{o}, put in evaluation mode", "切到评估模式的 {o}"),
    "train": Text("{o}, put in training mode", "切到训练模式的 {o}"),
    "view": Text(
        "{o} laid out in the shape ({args}), the same numbers", "{o} 重排成形状 ({args})，数值不变"
    ),
    "reshape": Text(
        "{o} in the shape ({args}), the same numbers", "{o} 重排成形状 ({args})，数值不变"
    ),
    "flatten": Text("{o} with dimensions merged into one", "{o} 若干维展平成一维"),
    "squeeze": Text("{o} without dimensions of size 1", "去掉 {o} 中大小为 1 的维"),
    "unsqueeze": Text("{o} with a new dimension of size 1", "在 {o} 中插入大小为 1 的一维"),
    "permute": Text("{o} with its dimensions reordered ({args})", "{o} 的各维按 ({args}) 重排"),
    "transpose": Text("{o} with dimensions {args} swapped", "{o} 交换第 {args} 维"),
    "t": Text("{o} transposed", "{o} 的转置"),
    "expand": Text("{o} repeated without copying", "{o} 不复制地扩展"),
    "gather": Text("entries of {o} picked by index", "按下标从 {o} 取出的元素"),
    "scatter_": Text(
        "{o} with values written at given indices (how one-hot rows are made)",
        "在 {o} 的指定下标处写入值（常用来构造 one-hot）",
    ),
    "eq": Text("where {o} equals {0}", "{o} 与 {0} 逐元素是否相等"),
    "parameters": Text("the parameters of {o}", "{o} 的参数"),
    "named_parameters": Text("the parameters of {o} with their names", "{o} 的参数及其名字"),
    "state_dict": Text(
        "the weights and buffers of {o} by name (references, not copies)",
        "{o} 的权重与缓冲区字典（是引用，不是拷贝）",
    ),
    "items": Text("the keys and values of {o}", "{o} 的键值对"),
    "keys": Text("the keys of {o}", "{o} 的键"),
    "values": Text("the values of {o}", "{o} 的值"),
    "get": Text("the value of {o} under {0}, if there is one", "{o} 中键 {0} 对应的值（若存在）"),
    "format": Text("a formatted string", "格式化后的字符串"),
    "extract_vector": Text("the features of {0} from {o}", "{o} 对 {0} 提取的特征"),
}
"""Methods, by name; where a function of the same name exists, ``{0}`` reads as the object."""
