"""Words of Python, and what may stand next to what."""

from __future__ import annotations

import re

from didact.check.snippet.tokens import Source, Token

_HEADERS = "if elif else for while def class with try except finally async"
HEADERS = frozenset(_HEADERS.split())
_SIMPLE = "return import from pass break continue raise del assert global nonlocal"
STARTERS = HEADERS | frozenset(_SIMPLE.split())
INFIX = frozenset({"and", "or", "in", "is", "not", "if", "else", "as", "for", "from", "import"})
TAKING = frozenset(
    {"and", "or", "in", "is", "not", "yield", "await", "lambda", "as", "print", "exec"}
)
PREFIX = (STARTERS - {"pass", "break", "continue", "try", "finally", "else"}) | TAKING
CONJUNCTIONS = frozenset({"and", "or", "is", "not", "in", "as", "if"})
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, ")]}"
DECORATOR = re.compile(r"@[A-Za-z_][\w.]*(?:\([^()]*\))?\s*(?:@|def\b|class\b|async\b)")
CLAUSES = {
    "elif": {"if", "elif"},
    "else": {"if", "elif", "for", "while", "except"},
    "except": {"try", "except"},
    "finally": {"try", "except", "else"},
}
"""Clauses, and the words of the headers that each goes on with."""

TERNARY_REACH = 400
"""Characters in which the ``else`` of a conditional expression is looked for; a longer one is rare,
and without an end each ``if`` would read the rest of the text."""

_PARAMETERS_REACH = 200
"""Characters in which the colon of a ``lambda`` is looked for, for the same reason."""
_PARAMETER = r"\*{0,2}[^\W\d]\w*(?:\s*=\s*[\w.'\"]+)?"
_PARAMETERS = re.compile(rf"\s*(?:{_PARAMETER}(?:\s*,\s*{_PARAMETER})*\s*,?\s*)?:")


def ends_expression(token: Token | None) -> bool:
    """Whether an expression could end with this token."""
    if token is None:
        return False
    if token.kind in {"number", "string"}:
        return True
    if token.kind == "name":
        return token.text not in PREFIX
    return token.text in {")", "]", "}", "..."}


def is_lambda(source: Source, token: Token, before: str) -> bool:
    """Whether this ``lambda`` opens a function, or is used as the name of a number."""
    if before in {"*", "+", "-", "/", "**", "<", ">", "<=", ">=", "=="}:
        return False
    head = source.ascii[token.end : token.end + _PARAMETERS_REACH]
    return bool(_PARAMETERS.match(head))


def is_async_name(source: Source, token: Token) -> bool:
    """Whether ``async`` is a name, as it was before Python 3.7 (``x.cuda(async=True)``)."""
    return not re.match(r"\s+(?:def|for|with)\b", source.ascii[token.end : token.end + 40])
