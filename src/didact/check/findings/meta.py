"""What the checker says about a file itself rather than about a loss: the codes ``KD0xx``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from didact._core.i18n import Language, Text
from didact.check.findings.finding import Severity, Span


class RuleInfo(Protocol):
    """What the reports know of a rule."""

    @property
    def summary(self) -> Text:
        """One line."""
        ...

    def page(self, language: Language) -> str:
        """The whole page of the rule, as Markdown."""
        ...


@dataclass(frozen=True, slots=True)
class MetaRule:
    """A code that no rule file stands behind."""

    severity: Severity
    summary: Text
    explanation: Text

    def page(self, language: Language) -> str:
        """The page that ``didact explain`` prints."""
        return f"{self.summary.pick(language)}\n\n{self.explanation.pick(language)}\n"


UNUSED_NOQA = "KD001"
NOT_PARSED = "KD002"
FAILED = "KD003"
UNKNOWN_PRAGMA = "KD004"

META: Mapping[str, MetaRule] = {
    UNUSED_NOQA: MetaRule(
        Severity.INFO,
        Text("A noqa comment that silences nothing", "没有屏蔽任何问题的 noqa 注释"),
        Text(
            "The comment names a KD code, but that rule finds nothing there. A left-over comment "
            "hides the next real mistake on that line. Only KD codes are judged, and only those "
            "that are selected. The fix removes the code and is safe.",
            "注释里写了某个 KD 编号，但该规则在这里并没有发现问题。"
            "这样的残留注释会掩盖该行以后真正的错误。"
            "只检查 KD 开头、且已启用的编号。自动修正会删除该编号，是安全的。",
        ),
    ),
    NOT_PARSED: MetaRule(
        Severity.WARNING,
        Text("A file or cell that cannot be read as Python", "无法按 Python 读取的文件或单元格"),
        Text(
            "The text is not valid Python 3, is nested too deeply, or its bytes do not fit its "
            "encoding. What can be read of it was checked: `async=True` and the print statement "
            "of old Python are understood, a line that is not Python is passed over. The message "
            "says how much was. It does not fail the run unless this code is selected by name: "
            "--select KD --select KD002.",
            "内容不是合法的 Python 3、嵌套过深，或字节与所声明的编码不符。能读懂的部分仍会检查："
            "旧版 Python 的 `async=True` 和 print 语句可以识别，其余无法识别的行会被跳过，"
            "消息里说明跳过了多少。"
            "除非用 --select KD --select KD002 指名选中，否则不会使检查失败。",
        ),
    ),
    FAILED: MetaRule(
        Severity.ERROR,
        Text("The checker itself failed on this file", "检查器自身在这个文件上出错"),
        Text(
            "This is a defect of didact, not of the code. The other files were checked; the exit "
            "code is 2. Please report it with the file, or the smallest part that shows it.",
            "这是 didact 的缺陷，不是被检查代码的问题。其他文件照常检查，退出码为 2。"
            "请附上该文件（或能复现的最小片段）提交问题报告。",
        ),
    ),
    UNKNOWN_PRAGMA: MetaRule(
        Severity.INFO,
        Text("A kd: comment with a word that nothing answers to", "kd: 注释中有无法识别的写法"),
        Text(
            "`# kd: reverse-kl` says that a variant is meant. A misspelt word there says nothing, "
            "so the finding that it should have silenced stays.",
            "`# kd: reverse-kl` 用来说明这种写法是有意为之。"
            "拼错的词不起作用，本应屏蔽的问题仍会报告。",
        ),
    ),
}
"""Each code of the shell, with what is to be said about it."""

START = Span(1, 0, 1, 0)
"""Where a finding about a whole file stands."""
