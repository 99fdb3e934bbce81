"""A binding in words."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.probe.binding.roles import Role
from didact.probe.binding.slots import Slot
from didact.probe.inputs.inputs import Layout


def what(slot: Slot, layout: Layout) -> Text:
    """A slot's binding in words."""
    if slot.fixed:
        return Text(f"fixed: {slot.value!r}"[:60], f"固定为 {slot.value!r}"[:60])
    words = {
        "student": Text("the student's {numbers}", "学生的{numbers}"),
        "teacher": Text("the teacher's {numbers}", "教师的{numbers}"),
        "labels": Text("class numbers", "类别标签")
        if slot.space != "one_hot"
        else Text("class numbers, one-hot", "类别标签（one-hot）"),
        "temperature": Text("temperature, varied", "温度（会变化）"),
        "weight": Text("weight, varied", "权重（会变化）"),
        "mask": Text("mask, all true unless a law masks", "掩码，默认全为真"),
        "index": Text("index of the sample", "样本下标"),
        "options": Text("an object with the options", "参数对象"),
        "reduction": Text(f"{slot.value or 'mean'!r}", f"{slot.value or 'mean'!r}"),
        "count": Text("1", "1"),
        "classes": Text("number of classes", "类别数"),
        "old_classes": Text("number of classes that the teacher knows", "教师认识的类别数"),
        "width": Text("number of channels", "通道数"),
        "criterion": Text("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss()"),
        "teacher_model": Text(
            "a model that returns the teacher's logits", "返回教师 logits 的模型"
        ),
        "student_model": Text(
            "a model that returns the student's logits", "返回学生 logits 的模型"
        ),
        "device": Text("the processor: 'cpu'", "处理器：'cpu'"),
        "default": Text("left at its default", "保持默认值"),
    }
    return words[slot.role].format(numbers=_numbers(slot, layout))


def _numbers(slot: Slot, layout: Layout) -> Text:
    if slot.space in ("probs", "log_probs"):
        word = slot.space.replace("_", "-")
        return Text(word, {"probs": "概率", "log-probs": "对数概率"}[word])
    words = {
        "classes": Text("logits [B, C]", " logits [B, C]"),
        "sequence": Text("logits [B, S, C]", " logits [B, S, C]"),
        "outputs": Text("output with .logits [B, C]", "输出对象（.logits [B, C]）"),
        "maps": Text("features [B, D, H, W]", "特征 [B, D, H, W]"),
        "vectors": Text("features [B, D]", "特征 [B, D]"),
        "layers": Text("list of feature maps", "特征图列表"),
        "teachers": Text("logits [B, C]", " logits [B, C]"),
    }
    if layout == "teachers" and slot.role == "teacher":
        return Text("logits, a list of [B, C]", " logits 列表 [B, C]")
    return words[layout]


ROLES: dict[Role, Text] = {
    "student": Text("student", "学生"),
    "teacher": Text("teacher", "教师"),
    "labels": Text("labels", "标签"),
    "temperature": Text("temperature", "温度"),
    "weight": Text("weight", "权重"),
    "mask": Text("mask", "掩码"),
    "index": Text("index of the sample", "样本下标"),
    "options": Text("options", "参数对象"),
    "reduction": Text("reduction", "归约方式"),
    "count": Text("a number", "数值"),
    "classes": Text("number of classes", "类别数"),
    "old_classes": Text("number of old classes", "旧类数"),
    "width": Text("number of channels", "通道数"),
    "criterion": Text("criterion", "损失函数"),
    "teacher_model": Text("teacher model", "教师模型"),
    "student_model": Text("student model", "学生模型"),
    "device": Text("device", "设备"),
    "default": Text("default", "默认值"),
    "unknown": Text("unknown", "未知"),
}
"""What a role is called."""
