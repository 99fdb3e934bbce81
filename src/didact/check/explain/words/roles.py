"""The roles of names, in the list of roles and behind a parameter, and what tells one."""

from __future__ import annotations

from didact._core.i18n import Text

ITS_MODEL = Text("its output is used as such", "它的输出在公式中充当这一角色")
IS_INPUT = Text("the models are given it", "它是模型的输入")
BY_NAME = Text("by its name alone", "仅凭名字推断")
BY_USE = Text("its use shows it", "由用法判断")
BY_CALL = Text("that is what the code passes for it", "代码调用时传入的就是它")
IS_IMITATED = Text("the other heads imitate it", "其他分支以它为目标")
BY_MAKING = Text("its model or its list tells", "由产生它的模型或列表判断")

ROLES = {
    "student": Text("student", "学生"),
    "student (peer)": Text("other student (peer)", "另一个学生（同伴）"),
    "teacher": Text("teacher", "教师"),
    "made target": Text("target made by hand (virtual teacher)", "手工构造的目标（虚拟教师）"),
    "layer": Text("added layer", "附加层"),
    "student parameters": Text("parameters of the student", "学生的参数"),
    "teacher parameters": Text("parameters of the teacher / old model", "教师/旧模型的参数"),
    "importance": Text("importance of each parameter", "各参数的重要性"),
    "labels": Text("labels", "标签"),
    "input": Text("input", "输入"),
    "mask": Text("mask", "掩码"),
    "padding": Text("label value that is left out", "被忽略的标签值"),
    "sign": Text("target ±1 of the cosine loss", "余弦损失的目标 ±1"),
    "temperature": Text("temperature", "温度"),
    "bound": Text("start or end of the schedule", "调度的起止值"),
    "counter": Text("epoch or step", "当前轮数或步数"),
    "rounds": Text("number of epochs or steps", "总轮数或总步数"),
    "weight": Text("weight", "权重"),
    "decay": Text("decay of the moving average", "滑动平均的衰减系数"),
    "rate": Text("coefficient of the moving average", "滑动平均的系数"),
    "margin": Text("margin", "间隔"),
    "true probability": Text("probability given to the true class", "分给真实类的概率"),
    "smoothing": Text("mass of label smoothing", "标签平滑的概率质量"),
    "centre": Text("centre of the teacher's outputs", "教师输出的中心"),
    "old classes": Text("number of old classes", "旧类数"),
    "new classes": Text("number of new classes", "新类数"),
    "classes": Text("number of classes", "类别数"),
    "kept": Text("how many topk keeps", "topk 保留的个数"),
    "place": Text("bound of a slice", "切片边界"),
    "student width": Text("feature width of the student", "学生特征的通道数（维数）"),
    "teacher width": Text("feature width of the teacher", "教师特征的通道数（维数）"),
    "width": Text("width of a layer", "层的宽度（维数）"),
}
"""What each role is called in the list of roles, in the order in which they stand there."""

AS_PARAMETER = {
    "student": Text("of the student / new model", "学生/新模型"),
    "teacher": Text("of the teacher / old model", "教师/旧模型"),
    "temperature": Text("temperature", "温度"),
    "weight": Text("a weight", "权重"),
    "student width": Text("the feature width of the student", "学生特征的通道数或维数"),
    "teacher width": Text("the feature width of the teacher", "教师特征的通道数或维数"),
    "margin": Text("the margin", "间隔"),
    "mask": Text("a mask", "掩码"),
    "old classes": Text("the number of old classes", "旧类数"),
    "new classes": Text("the number of new classes", "新类数"),
    "classes": Text("a number of classes", "类别数"),
    "loss": Text("a loss", "损失"),
    "count": Text("a count", "计数"),
    "optimizer": Text("the optimizer", "优化器"),
    "batches": Text("where the batches come from", "逐批取数据的来源"),
}
"""What stands behind a parameter, where it is not what the list of roles says."""


def behind(role: str) -> Text:
    """A role in brackets, as it stands behind a parameter."""
    told = AS_PARAMETER.get(role) or ROLES.get(role)
    return Text(f" ({told.en})", f"（{told.zh}）") if told is not None else Text("", "")


def named(role: str) -> Text:
    """What a role is called; what has no words of its own is shown as it is."""
    return ROLES.get(role) or AS_PARAMETER.get(role) or Text(role, role)
