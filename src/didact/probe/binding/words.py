"""A binding in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from inspect import isclass

from didact._core.i18n import Text
from didact.probe.binding.roles import Role
from didact.probe.binding.slots import Slot
from didact.probe.inputs.inputs import Layout

_NUMBERS: dict[Layout, Text] = {
    "classes": Text("logits [B, C]", " logits [B, C]"),
    "sequence": Text("logits [B, S, C]", " logits [B, S, C]"),
    "dense": Text("logits [B, C, H, W]", " logits [B, C, H, W]"),
    "volumes": Text("logits [B, C, D, H, W]", " logits [B, C, D, H, W]"),
    "channels_first": Text("logits [B, C, S]", " logits [B, C, S]"),
    "vocabulary_first": Text("logits [V, B, S]", " logits [V, B, S]"),
    "outputs": Text("output with .logits [B, C]", "输出对象（.logits [B, C]）"),
    "output_sequences": Text("output with .logits [B, S, C]", "输出对象（.logits [B, S, C]）"),
    "teachers": Text("logits [B, C]", " logits [B, C]"),
    "lists": Text("logits, a list of [B, C]", " logits 列表 [B, C]"),
    "nested": Text("logits [B, C] by layer", " logits [B, C]（按层取用）"),
    "nested_maps": Text("feature maps by layer", "特征图（按层取用）"),
    "named_maps": Text("feature maps by name", "特征图（按名称取用）"),
    "named_tokens": Text("features [B, S, D] by name", "特征 [B, S, D]（按名称取用）"),
    "vectors": Text("features [B, D]", "特征 [B, D]"),
    "tokens": Text("features [B, S, D]", "特征 [B, S, D]"),
    "maps": Text("features [B, D, H, W]", "特征 [B, D, H, W]"),
    "layers": Text("list of feature maps", "特征图列表"),
    "hidden": Text("hidden states of 13 layers [B, S, D]", " 13 层隐藏状态 [B, S, D]"),
    "attentions": Text("attentions of 13 layers [B, 2, S, S]", " 13 层注意力 [B, 2, S, S]"),
}
_SPACES = {
    "probs": Text("probabilities", "概率"),
    "log_probs": Text("log-probabilities", "对数概率"),
}
_WORDS: dict[Role, Text] = {
    "student": Text("the student's {numbers}", "学生的{numbers}"),
    "teacher": Text("the teacher's {numbers}", "教师的{numbers}"),
    "labels": Text("class labels", "类别标签"),
    "temperature": Text("temperature, varied", "温度（会变化）"),
    "weight": Text("weight, varied", "权重（会变化）"),
    "coefficient": Text("1", "1"),
    "mask": Text("mask, all true unless a law masks", "掩码，默认全为真"),
    "class_mask": Text(
        "true at the class of each label, or at all others", "标签类别处为真，或在其余类别处为真"
    ),
    "index": Text("index of the sample", "样本下标"),
    "top_ids": Text(
        "numbers of the teacher's classes, the likeliest first", "教师的类别编号，按可能性排序"
    ),
    "options": Text("an object with the options", "参数对象"),
    "images": Text("inputs of a model", "模型输入"),
    "count": Text("2", "2"),
    "total": Text("4", "4"),
    "items": Text("number of labelled positions", "有标签的位置数"),
    "batch_size": Text("number of samples", "样本数"),
    "classes": Text("number of classes", "类别数"),
    "old_classes": Text("number of classes that the teacher knows", "教师认识的类别数"),
    "width": Text("number of channels", "通道数"),
    "sample_weights": Text("a weight of 1 for each sample", "每个样本的权重均为 1"),
    "other_loss": Text("another loss: 1", "另一项损失：1"),
    "criterion": Text("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss()"),
    "projector": Text("a layer that changes nothing", "不作任何变换的层"),
    "lengths": Text("the full length of each sample", "每个样本的完整长度"),
    "channel_numbers": Text("0 for each channel", "每个通道取 0"),
    "sink": Text("a dict that the loss writes into", "供损失写入的字典"),
    "entries": Text("a dictionary with the entries given", "含给定各项的字典"),
    "both": Text("the outputs of student and teacher, a pair", "学生与教师的输出，成对"),
    "mapping": Text("pairs of layers: 0 with 0, 1 with 1", "层的对应：0 对 0、1 对 1"),
    "teacher_model": Text("a model that returns the teacher's {answer}", "返回教师{answer}的模型"),
    "student_model": Text("a model that returns the student's {answer}", "返回学生{answer}的模型"),
    "network": Text("a model that returns the student's {answer}", "返回学生{answer}的模型"),
    "device": Text("the processor: 'cpu'", "处理器：'cpu'"),
    "switch": Text("off", "关闭"),
    "ignored": Text("-100, the label that does not count", "-100，即不计入的标签"),
    "beside_features": Text("features, the same for both sides", "特征，两侧相同"),
    "beside_logits": Text("logits of 0", "全为 0 的 logits"),
    "choice": Text("the first text that the code compares it with", "代码中与之比较的第一个字符串"),
    "text": Text("its own name", "参数自身的名称"),
    "absent": Text("nothing: None", "空：None"),
    "default": Text("left at its default", "保持默认值"),
    "unknown": Text("unknown", "未知"),
}
_ANSWERS = {
    "tensor": Text("logits", " logits "),
    "outputs": Text("output with .logits", "输出对象（.logits）"),
    "with_features": Text("logits and features", " logits 与特征"),
    "features_first": Text("features and logits", "特征与 logits"),
}


def what(slot: Slot, layout: Layout) -> Text:
    """A slot's binding in words."""
    if slot.role in ("student", "teacher") and isclass(slot.value):
        held = slot.value.__name__
        holds = _WORDS[slot.role].format(numbers=_numbers(slot, layout))
        return Text(f"{held} of {holds.en}", f"{held}，含{holds.zh}")
    if slot.fixed:
        return Text(f"fixed: {slot.value!r}"[:60], f"固定为 {slot.value!r}"[:60])
    if slot.role in _SPECIAL:
        return _SPECIAL[slot.role](slot)
    answer = _ANSWERS[slot.value if slot.value in _ANSWERS else "tensor"]
    return _WORDS[slot.role].format(numbers=_numbers(slot, layout), answer=answer)


def _labels(slot: Slot) -> Text:
    if slot.space == "one_hot":
        return Text("class labels, one-hot", "类别标签（one-hot）")
    return _WORDS["labels"]


def _reduction(slot: Slot) -> Text:
    return Text(f"{slot.value or 'mean'!r}", f"{slot.value or 'mean'!r}")


def _batch(slot: Slot) -> Text:
    if slot.value == "dict":
        return Text("a batch, its entries by name", "批次，按名称取各项")
    return Text("a batch: inputs and class labels", "批次：输入与类别标签")


def _options(slot: Slot) -> Text:
    if not isclass(slot.value) or is_dataclass(slot.value):
        return _WORDS["options"]
    name = slot.value.__name__
    return Text(
        f"stands for an instance of {name}; the constructor is not run",
        f"代替 {name} 的实例；不运行构造函数",
    )


_SPECIAL: dict[Role, Callable[[Slot], Text]] = {
    "options": _options,
    "labels": _labels,
    "reduction": _reduction,
    "batch": _batch,
}


def _numbers(slot: Slot, layout: Layout) -> Text:
    if slot.space in _SPACES:
        return _SPACES[slot.space]
    if layout == "teachers" and slot.role == "teacher":
        return _NUMBERS["lists"]
    return _NUMBERS[layout]


ROLES: dict[Role, Text] = {
    "student": Text("student", "学生"),
    "teacher": Text("teacher", "教师"),
    "labels": Text("labels", "标签"),
    "temperature": Text("temperature", "温度"),
    "weight": Text("weight", "权重"),
    "coefficient": Text("coefficient", "系数"),
    "mask": Text("mask", "掩码"),
    "class_mask": Text("mask of classes", "类别掩码"),
    "index": Text("index of the sample", "样本下标"),
    "top_ids": Text("numbers of classes", "类别编号"),
    "options": Text("options", "参数对象"),
    "batch": Text("batch", "批次"),
    "images": Text("inputs", "输入"),
    "reduction": Text("reduction", "归约方式"),
    "count": Text("a number", "数值"),
    "total": Text("a number", "数值"),
    "items": Text("number of positions", "位置数"),
    "batch_size": Text("number of samples", "样本数"),
    "classes": Text("number of classes", "类别数"),
    "old_classes": Text("number of old classes", "旧类数"),
    "width": Text("number of channels", "通道数"),
    "sample_weights": Text("weights of samples", "样本权重"),
    "other_loss": Text("another loss", "另一项损失"),
    "criterion": Text("criterion", "损失函数"),
    "projector": Text("projector", "投影层"),
    "mapping": Text("pairs of layers", "层的对应"),
    "both": Text("student and teacher", "学生与教师"),
    "lengths": Text("lengths", "长度"),
    "channel_numbers": Text("numbers of channels", "各通道的数值"),
    "sink": Text("a dict to write into", "供写入的字典"),
    "entries": Text("a dictionary", "字典"),
    "teacher_model": Text("teacher model", "教师模型"),
    "student_model": Text("student model", "学生模型"),
    "network": Text("student model", "学生模型"),
    "device": Text("device", "设备"),
    "switch": Text("switch", "开关"),
    "ignored": Text("ignored label", "被忽略的标签"),
    "beside_features": Text("features beside", "并列的特征"),
    "beside_logits": Text("logits beside", "并列的 logits"),
    "choice": Text("choice", "选项"),
    "text": Text("text", "字符串"),
    "absent": Text("nothing", "空"),
    "default": Text("default", "默认值"),
    "unknown": Text("unknown", "未知"),
}
"""What a role is called."""
