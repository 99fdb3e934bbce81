"""From a cut statement to Python that parses, with small repairs that are told."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

from didact._core.i18n import Text
from didact.check.snippet.grammar import HEADERS, STARTERS, is_async_name, is_lambda
from didact.check.snippet.prose import sentence_words
from didact.check.snippet.statement import Cutter, Statement
from didact.check.snippet.tokens import Source

LAMBDA = Text(
    "`lambda` is a keyword of Python and cannot be the name of a parameter or variable "
    "(SyntaxError); it was renamed `lambda_` wherever it stands for a number.",
    "`lambda` 是 Python 关键字，不能作参数名或变量名（会报 SyntaxError）；"
    "凡是把它当数值用的地方都改名为 `lambda_`。",
)
PRINT = Text(
    "`print` without parentheses is Python 2; parentheses were added.",
    "不带括号的 `print` 是 Python 2 写法，已补上括号。",
)
EXEC = Text(
    "`exec` without parentheses is Python 2; parentheses were added.",
    "不带括号的 `exec` 是 Python 2 写法，已补上括号。",
)
ASYNC = Text(
    "`async` has been a keyword since Python 3.7 (SyntaxError); it was renamed `{name}`.",
    "`async` 从 Python 3.7 起是关键字（会报 SyntaxError），已改名为 `{name}`。",
)
UNEQUAL = Text("`<>` is Python 2; it became `!=`.", "`<>` 是 Python 2 写法，已改为 `!=`。")
COLON = Text("A missing colon was added after `{code}`.", "`{code}` 后面缺冒号，已补上。")
CLOSED = Text(
    "`{code}` is unfinished; the missing `{closers}` was added.",
    "`{code}` 没有写完，已补上缺少的 `{closers}`。",
)
ELLIPSIS = Text(
    "An ellipsis that stands for left-out parameters or arguments was removed from `{code}`.",
    "`{code}` 里用省略号代替的参数已去掉。",
)
PYTHON2 = Text(
    "Python 2 syntax was brought up to date: `{code}`.", "Python 2 语法已更新：`{code}`。"
)


@dataclass(slots=True)
class Code:
    """A statement that is known to parse."""

    text: str
    start: int
    end: int
    header: bool
    node: ast.stmt
    comments: list[str] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)


class Reader:
    """Reads statements from any place of a text; what was read once is remembered."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._seen: dict[tuple[int, bool, bool, bool], Code | None] = {}

    def read(
        self, start: int, *, strict: bool, one_line: bool, before_words: bool = False
    ) -> Code | None:
        """The statement that begins at ``start``.

        ``strict`` allows no repair but that of single words (``lambda``); ``before_words`` ends
        the statement where a sentence may go on (``f(x) and why is it negative``).
        """
        key = (start, strict, one_line, before_words)
        if key not in self._seen:
            self._seen[key] = None if self.source.exhausted else self._read(*key)
        return self._seen[key]

    def strong_at(self, start: int) -> bool:
        """Whether a statement begins here that prose is unlikely to read as."""
        code = self.read(start, strict=True, one_line=True)
        return code is not None and is_strong(code)

    def _read(self, start: int, strict: bool, one_line: bool, before_words: bool) -> Code | None:
        cutter = Cutter(self.source, start, one_line=one_line, before_words=before_words)
        statement = cutter.cut()
        if statement is not None and self._ends_in_a_remark(statement):
            limit = statement.opener.start if statement.opener else None
            statement = Cutter(self.source, start, one_line=one_line, limit=limit).cut()
        if statement is None:
            return None
        incomplete = statement.missing_colon or statement.unclosed
        if incomplete and (strict or not self._may_complete(statement)):
            return None
        text, notes = _assemble(self.source, statement)
        if fixed := _fix_valid_python2(text):
            text, notes = fixed, [*notes, PYTHON2.format(code=shorten(fixed))]
        node = parse_one(text, header=statement.header)
        if node is None and not strict:
            text, node = _fix(text, statement, notes)
        if node is None:
            return None
        if statement.missing_colon:
            if sentence_words(node) is not None:
                return None
            notes.append(COLON.format(code=shorten(text.removesuffix(":"))))
        if statement.unclosed:
            notes.append(CLOSED.format(code=shorten(text), closers=statement.unclosed))
        comments = list(statement.comments)
        return Code(text, start, statement.end, statement.header, node, comments, notes)

    def _ends_in_a_remark(self, statement: Statement) -> bool:
        """Whether the bracket that is left open holds words: ``return x (see the paper``."""
        opener, stop = statement.opener, statement.stopped_by
        if opener is None or stop is None or opener is statement.tokens[0]:
            return False
        apart = self.source.raw[opener.start - 1].isspace()
        return apart and stop.kind in {"name", "words"} and stop.text not in STARTERS

    def _may_complete(self, statement: Statement) -> bool:
        """Whether what stands behind an unfinished statement shows that it was code.

        A new line, a keyword or a whole statement does; a word on the same line does not, for then
        the bracket belongs to a sentence: ``LwF (Learning without Forgetting)``.
        """
        stop = statement.stopped_by
        if stop is None or stop.kind == "newline" or stop.text == ";":
            return True
        if stop.kind == "words":
            return statement.first == "return" or any(t.text == "=" for t in statement.tokens[:4])
        line = self.source.raw.rfind("\n", 0, stop.start) + 1
        if not self.source.raw[line : stop.start].strip() or stop.text in STARTERS:
            return True
        return self.strong_at(stop.start)


def _assemble(source: Source, statement: Statement) -> tuple[str, list[Text]]:
    parts: list[str] = []
    notes: list[Text] = []
    position, before = statement.start, ""
    moves = any(token.text in {"cuda", "to", "copy_"} for token in statement.tokens)
    for token in statement.tokens:
        gap = source.raw[position : token.start]
        parts.append(gap if "\n" in gap and "\\" not in gap else " " if gap else "")
        text = token.text
        if text == "lambda" and token.kind == "name" and not is_lambda(source, token, before):
            text = "lambda_"
            notes.append(LAMBDA)
        elif text == "async" and token.kind == "name" and is_async_name(source, token):
            text = "non_blocking" if moves else "async_"
            notes.append(ASYNC.format(name=text))
        elif text == "<>":
            text = "!="
            notes.append(UNEQUAL)
        parts.append(text)
        position, before = token.end, token.text
    code = "".join(parts).strip() + statement.unclosed
    return code + (":" if statement.missing_colon else ""), list(dict.fromkeys(notes))


def _fix_valid_python2(text: str) -> str | None:
    """Python 2 that Python 3 reads as something else: ``print >>file, text``."""
    if match := re.match(r"print\s*>>\s*([\w.]+)\s*(?:,\s*(.*))?$", text, re.DOTALL):
        rest = (match[2] or "").rstrip()
        ending = ', end=" "' if rest.endswith(",") else ""
        rest = rest.rstrip(", ")
        return f"print({rest}, file={match[1]}{ending})" if rest else f"print(file={match[1]})"
    return None


def _fix(text: str, statement: Statement, notes: list[Text]) -> tuple[str, ast.stmt | None]:
    """Try the repairs one after the other until the statement parses."""
    header = statement.header
    for pattern, note in ((r"print\s+(?!\()(.+)$", PRINT), (r"exec\s+(?!\()(.+)$", EXEC)):
        if match := re.match(pattern, text, re.DOTALL):
            call = text.split(None, 1)[0]
            inside = re.sub(r"\s+in\s+", ", ", match[1]) if call == "exec" else match[1]
            fixed = f"{call}({inside.rstrip(', ')})"
            if node := parse_one(fixed, header=False):
                notes.append(note)
                return fixed, node
    fixed = re.sub(r",\s*\.\.\.\s*(?=[,)])|(?<=\()\s*\.\.\.\s*,\s*", "", text)
    fixed = re.sub(r"(?<=\()\s*\.\.\.\s*(?=\)\s*(?:->.*)?:$)", "", fixed)
    if fixed != text and (node := parse_one(fixed, header=header)):
        notes.append(ELLIPSIS.format(code=shorten(fixed)))
        return fixed, node
    fixed = re.sub(r"^except\s+(.+?),\s*(\w+)\s*:$", r"except \1 as \2:", text)
    fixed = _fix_raise(fixed)
    fixed = re.sub(r"(?<![\w.])0+(?=\d+\b(?![.\w]))", "0o", fixed)
    if fixed != text and (node := parse_one(fixed, header=header)):
        notes.append(PYTHON2.format(code=shorten(fixed)))
        return fixed, node
    return text, None


def _fix_raise(text: str) -> str:
    """``raise E, "message", traceback`` as Python 3 writes it."""
    tree = parse(text.replace("raise ", "_ = ", 1)) if text.startswith("raise ") else None
    match tree.body if tree else []:
        case [ast.Assign(value=ast.Tuple(elts=[error, message, *traceback]))] if len(traceback) < 2:
            fixed = f"raise {ast.unparse(error)}({ast.unparse(message)})"
            return fixed + "".join(f".with_traceback({ast.unparse(t)})" for t in traceback)
    return text


_BEFORE = {"elif": "if 1: pass\n", "else": "if 1: pass\n"} | dict.fromkeys(
    ("except", "finally"), "try: pass\n"
)


def parse_one(text: str, *, header: bool) -> ast.stmt | None:
    """The one statement that the text is, or None."""
    first = re.match(r"\w*", text)
    word = first[0] if first else ""
    before = _BEFORE.get(word, "") if header else ""
    after = " pass" if header else ""
    if word == "try" and header:
        after += "\nfinally: pass"
    if text.startswith("@"):
        after += "\ndef decorated(): pass"
    tree = parse(before + text + after)
    if tree is None or len(tree.body) != 1:
        return None
    node = tree.body[0]
    return node.orelse[0] if word == "elif" and isinstance(node, ast.If) and header else node


def parse(text: str) -> ast.Module | None:
    """The syntax tree, or None for whatever reason Python has."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_strong(code: Code) -> bool:
    """Whether prose is unlikely to read as this statement by chance."""
    if code.header or code.text.startswith("@"):
        return True
    node = code.node
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    return not isinstance(node, ast.Pass | ast.Break | ast.Continue) or code.text in HEADERS


def shorten(text: str, width: int = 48) -> str:
    """One line of at most ``width`` characters, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
