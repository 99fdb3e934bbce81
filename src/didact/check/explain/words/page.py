"""Headings and fixed phrases of the page."""

from __future__ import annotations

from didact._core.i18n import Text

HEADINGS = {
    "summary": Text("In short", "概要"),
    "asked": Text("Your question", "你的问题"),
    "corrected": Text("Corrected code", "修正后的代码"),
    "formula": Text("The loss as a formula", "损失的整体公式"),
    "statements": Text("Line by line", "逐行解释"),
    "findings": Text("Findings and their reasons", "发现的问题及原因"),
    "questions": Text("Questions this code raises", "这段代码引出的问题"),
    "guesses": Text("How the paste was read", "粘贴内容的还原"),
}
NO_FINDINGS = Text("Nothing was found.", "没有发现问题。")
NOT_JUDGED = Text(
    "Nothing is reported, but the loss was not recognised, so this is no all-clear.",
    "没有可报告的问题；但损失没有识别出来，不代表代码正确。",
)
PARTLY_JUDGED = Text(
    "Nothing is reported; one part of the loss was not recognised, so this is no all-clear.",
    "没有可报告的问题；但损失有一部分没有识别出来，不代表代码正确。",
)
NO_LOSS = Text("No loss was recognised here.", "这段代码里没有识别出损失。")
UNCHANGED = Text("Nothing had to be changed.", "无需修改。")
DEPARTS_UNCHANGED = Text(
    "Nothing was changed automatically; what differs is said at the top.",
    "没有自动修改；不一致之处见概要。",
)
AS_IT_IS = Text(
    "Nothing was changed; the loss was not recognised, so this is no judgement of it.",
    "没有改动；损失未被识别，因此这并不表示它正确。",
)
PARTLY_AS_IT_IS = Text(
    "Nothing was changed; one part of the loss was not recognised, so this is no judgement of the "
    "whole.",
    "没有改动；损失有一部分未被识别，因此这并不表示整体正确。",
)
NOT_SHOWN = Text("({count} unchanged lines)", "（{count} 行未改动）")
REBUILT = Text(
    "The code as it was recovered, with its lines and indentation:",
    "还原出的代码（带换行和缩进）：",
)
LEFT = Text(
    "Not changed automatically, so this is still open: {findings}.",
    "以下问题没有自动改正，仍然存在：{findings}。",
)
STILL = Text(
    "The corrected code still differs from the definition: {reasons}.",
    "修正后的代码与定义仍有差别：{reasons}。",
)
LINE = Text("line {line}, {severity}", "第 {line} 行，{severity}")
LINES = Text("lines {line}, {severity}", "第 {line} 行，{severity}")
SEVERITY = {
    "error": Text("error", "错误"),
    "warning": Text("warning", "警告"),
    "info": Text("remark", "提示"),
}
CHANGED = Text("changed: {codes}", "已修改：{codes}")
ADDED = Text("added", "新增")
WRITTEN = Text("As written: {formula}", "代码所写：{formula}")
RIGHT = Text("As corrected: {formula}", "修正之后：{formula}")
AS_BEFORE = Text("As line {line}.", "同第 {line} 行。")
WHO = Text("Roles: {roles}.", "各变量的角色：{roles}。")
