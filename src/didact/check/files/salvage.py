"""What can be read of a file that is not Python 3: old Python, a line that was never finished.

Every line stays where it is and, but for a few words, as long as it is, so that findings stand at
their place in the file.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from didact._core.i18n import Text
from didact.check.files.source import UnreadableError, parse
from didact.check.findings.finding import Finding

MAX_BLANKED = 60
"""So many statements may be passed over; a file with more is another language, or prose."""
SMALLEST_SHARE = 0.5
"""Less than this share of the lines read is no reading."""

_OLD_WORDS = (
    # x.cuda(async=True): a keyword since Python 3.7
    (re.compile(r"\basync(?=\s*=[^=])"), "_sync"),
    # except Error, e:
    (re.compile(r"\bexcept(\s+[\w.]+)\s*,\s*(\w+)\s*:"), r"except\1 as \2:"),
    # 10L, 0777
    (re.compile(r"(?<![\w.])(\d+)[lL](?!\w)"), r"\1"),
    (re.compile(r"(?<![\w.])0(?=[0-7]+(?![\w.]))"), " "),
    (re.compile(r"<>"), "!="),
)
_PRINT = re.compile(r"^([ \t]*)print\b(?![ \t]*[(=.,\[]).*[^\\\s(\[{,][ \t]*$", re.MULTILINE)
_HEADER = re.compile(r"(?:async\s+)?(?:def|class|if|elif|else|for|while|try|except|finally|with)\b")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What could be read: the tree, the text that it stands for, and what is to be said."""

    tree: ast.Module
    code: str
    note: Finding


def salvage(code: str, error: UnreadableError) -> Salvaged | None:
    """The part of a text that is Python; nothing where too little of it is.

    Where tabs and spaces are mixed the columns are those of the text with the tabs expanded.

    Args:
        code: The text, its lines ending in a bare newline.
        error: Why the whole of it cannot be parsed.
    """
    if not error.syntax:
        return None
    text = code.expandtabs(8) if error.mixes_tabs else code
    for pattern, new in _OLD_WORDS:
        text = pattern.sub(new, text)
    text = _PRINT.sub(lambda found: f"{found[1]}pass", text)
    lines = text.split("\n")
    filled = sum(bool(line.strip()) for line in lines)
    blanked: set[int] = set()
    while True:
        try:
            tree = parse("\n".join(lines))
            break
        except UnreadableError as reason:
            if len(blanked) >= MAX_BLANKED or not _blank(lines, reason, blanked):
                return None
    if not filled or len(blanked) > filled * (1 - SMALLEST_SHARE):
        return None
    return Salvaged(tree, "\n".join(lines), _note(error, len(blanked)))


def _blank(lines: list[str], reason: UnreadableError, blanked: set[int]) -> bool:
    """Take out the statement that cannot be read; false where there is none left to take out."""
    number = min(reason.line, len(lines)) - 1
    while number > 0 and (number in blanked or not lines[number].strip()):
        number -= 1
    if number in blanked or not lines[number].strip():
        return False
    line = lines[number]
    indent = line[: len(line) - len(line.lstrip())]
    header = _HEADER.match(line.strip()) is not None and line.rstrip().endswith(":")
    lines[number] = f"{indent}if 1:" if header and number not in blanked else f"{indent}pass"
    blanked.add(number)
    return True


def _note(error: UnreadableError, blanked: int) -> Finding:
    """A warning at the first place that is not Python 3; what is passed over is counted."""
    if blanked:
        left_out = Text(
            "not Python 3: {reason}; passed over {n} such lines and checked the rest of the file",
            "不是 Python 3：{reason}；跳过了 {n} 处这样的行，文件的其余部分已检查",
        )
    else:
        left_out = Text(
            "not Python 3: {reason}; it was read as old Python and checked",
            "不是 Python 3：{reason}；已按旧版 Python 读取并检查",
        )
    message = left_out.format(reason=error.syntax, n=str(blanked))
    return replace(error.finding(), message=message)
