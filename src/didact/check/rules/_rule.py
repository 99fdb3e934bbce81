"""What a rule is: its constants, its page in two languages, its check."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from didact._core.i18n import Language, Text
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

SECTIONS = (
    ("What it does", "它检查什么"),
    ("Why is this bad", "为什么"),
    ("Measured effect", "实测影响"),
    ("Example", "错误示例"),
    ("Use instead", "正确写法"),
    ("Fix safety", "修复安全性"),
    ("Known false alarms", "已知误报"),
    ("References", "参考"),
)
_FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule's check yields: a place, a message, perhaps a fix or another severity."""

    node: ast.AST
    message: Text
    fix: Fix | None = None
    severity: Severity | None = None


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        code: ``KD101``...
        name: The bad pattern, in kebab case.
        severity: How bad it is, unless a finding says otherwise.
        topic: Its band.
        catalogue: The kinds of mistakes that it finds.
        frameworks: Whose code it can judge.
        check: Finds them.
        check_source: Finds them in text that is not Python, for the few rules that can.
        document: The page as written.
    """

    code: str
    name: str
    severity: Severity
    topic: str
    catalogue: tuple[str, ...]
    frameworks: tuple[str, ...]
    check: Callable[[Analysis], Iterable[Found]]
    check_source: Callable[[str], Iterable[Finding]] | None
    document: str

    @cached_property
    def summary(self) -> Text:
        """The page's first line."""
        return Text(_summary(self._half("en")), _summary(self._half("zh")))

    @property
    def bad(self) -> str:
        """The example that must give this code alone."""
        return self._code("Example")

    @property
    def good(self) -> str:
        """The example that must give nothing."""
        return self._code("Use instead")

    def page(self, language: Language) -> str:
        """The whole page as Markdown."""
        text = f"# {self.code} {self.name}\n\n{self._half(language)}"
        if language == "zh" and "```python" not in text:
            text = text.replace("## 错误示例\n", f"## 错误示例\n\n```python\n{self.bad}```\n")
            text = text.replace("## 正确写法\n", f"## 正确写法\n\n```python\n{self.good}```\n")
        return _unwrapped(text) if language == "zh" else text

    def finding(self, found: Found) -> Finding:
        """A finding of this rule."""
        severity = found.severity or self.severity
        return Finding(self.code, severity, span_of(found.node), found.message, found.fix)

    def _half(self, language: Language) -> str:
        english, _, chinese = self.document.partition("\n---\n")
        return (english if language == "en" else chinese).strip() + "\n"

    def _code(self, section: str) -> str:
        part = self._half("en").partition(f"## {section}\n")[2]
        match = _FENCE.search(part)
        return match[1] if match else ""


def read_rule(module: ModuleType) -> Rule:
    """The rule that a module defines."""
    given: dict[str, Any] = vars(module)
    return Rule(
        code=given["CODE"],
        name=given["NAME"],
        severity=given["SEVERITY"],
        topic=given["TOPIC"],
        catalogue=given["CATALOGUE"],
        frameworks=given.get("FRAMEWORKS", ("torch",)),
        check=given["check"],
        check_source=given.get("check_source"),
        document=module.__doc__ or "",
    )


def _summary(half: str) -> str:
    return half.partition("\n\n")[0].replace("\n", " ").strip()


def _unwrapped(text: str) -> str:
    """Chinese paragraphs on one line each: a line break inside one would show as a space."""
    lines: list[str] = []
    code = False
    for line in text.split("\n"):
        code ^= line.startswith("```")
        plain = bool(line) and not code and not line.startswith(("#", "```"))
        if plain and lines and lines[-1] and not lines[-1].startswith(("#", "```")):
            ascii_edge = lines[-1][-1].isascii() and line[0].isascii()
            lines[-1] += (" " if ascii_edge else "") + line
        else:
            lines.append(line)
    return "\n".join(lines)


def span_of(node: ast.AST) -> Span:
    """Where a node stands, as ``ast`` counts: columns in bytes of UTF-8."""
    line = getattr(node, "lineno", 1)
    column = getattr(node, "col_offset", 0)
    end_line = getattr(node, "end_lineno", None) or line
    end_column = getattr(node, "end_col_offset", None)
    return Span(line, column, end_line, column if end_column is None else end_column)


def replace(node: ast.AST, text: str) -> Edit:
    """The edit that puts a text in a node's place."""
    return Edit(span_of(node), text)
