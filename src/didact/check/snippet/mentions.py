"""Sentences that mention code: their lines are no statements, but may define what the code uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.snippet.repair import parse
from didact.check.snippet.segment import LONG_LINE, Piece
from didact.check.snippet.tokens import Source

DEFINED = Text(
    "`{code}` was taken from the text and put in front of the code that uses it.",
    "`{code}` 取自正文，已放到用到它的代码之前。",
)
_EFFECTS = frozenset(
    {
        "backward", "step", "zero_grad", "print", "append", "extend", "train", "eval", "fit",
        "compile", "load_state_dict", "save", "update", "manual_seed", "requires_grad_", "copy_",
        "to", "cuda", "show", "plot", "freeze", "register_buffer", "register_forward_hook", "run",
        "main", "exit", "log", "debug", "info", "write", "close", "manual_backward",
    }
)  # fmt: skip
"""Calls that stand alone for what they do."""
_OF_MODULES = frozenset({"log"})
"""Of these, those that are functions where nothing stands before the dot."""
_ASSIGNMENT = re.compile(r"(?<![\w.\"'])([A-Za-z_]\w*)\s*=\s*(?=[A-Za-z_][\w.]*\()", re.ASCII)
_GOES_ON = re.compile(r"\s*[-+*/]\s*(?:[\d.]+(?!\w)|[A-Za-z_][\w.]*)", re.ASCII)
_MOST_LINES = 400


def as_sentences(source: Source, pieces: list[Piece]) -> list[Piece]:
    """The pieces, with lines that only mention code as words.

    A line of words is a sentence where its code is calls without an effect, or an assignment that
    no statement would be.
    """
    lines: dict[int, list[Piece]] = {}
    for piece in pieces:
        lines.setdefault(source.line_of(piece.start), []).append(piece)
    if not any(p.kind == "code" and not _is_mention(source, p) for p in pieces):
        return pieces
    result: list[Piece] = []
    for inside in lines.values():
        start, stop = inside[0].start, inside[-1].end
        whole = source.raw[start:stop]
        worded = any(p.kind == "words" for p in inside)
        if (
            worded
            and len(whole) <= LONG_LINE
            and not any(p.kind == "comment" for p in inside)
            and "\n" not in whole
            and all(_is_mention(source, p) for p in inside if p.kind == "code")
        ):
            result.append(Piece("words", whole.strip(), start, stop))
        else:
            result += inside
    return result


def _is_mention(source: Source, piece: Piece) -> bool:
    """Whether a statement inside a sentence is one that nobody would write for what it does."""
    node = piece.node
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        if isinstance(function, ast.Name):
            return function.id not in _EFFECTS - _OF_MODULES
        return isinstance(function, ast.Attribute) and function.attr not in _EFFECTS
    if not isinstance(node, ast.Assign):
        return False
    target = node.targets[0]
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Call):
        return True
    parted = isinstance(node.value, ast.Tuple) and not source.raw[
        piece.start : piece.end
    ].rstrip().endswith(")")
    named = source.raw[: piece.start].rstrip(" \t`")[-1:]
    return parted and (piece.text.rstrip().endswith(",") or not named.isascii())


def defined_in_words(tree: ast.Module, words: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Assignments that stand in sentences, of names that the code uses and does not set."""
    if len(words) > _MOST_LINES:
        return
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    used = {n.id for n in nodes if isinstance(n.ctx, ast.Load)}
    known = {n.id for n in nodes if isinstance(n.ctx, ast.Store)} | _bound(tree)
    for line, text in words:
        for match in _ASSIGNMENT.finditer(text):
            name = match[1]
            code = _statement(text, match.start(), match.end())
            if code is None or name in known or name not in used:
                continue
            known.add(name)
            yield line, code


def is_used_before(node: ast.stmt, tree: ast.Module) -> bool:
    """Whether an assignment of a call defines a name that only the code above it reads."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return False
    target = node.targets[0]
    if len(node.targets) != 1 or not isinstance(target, ast.Name):
        return False
    above = [
        n for n in ast.walk(tree)
        if isinstance(n, ast.Name) and n.id == target.id and n is not target
    ]  # fmt: skip
    inside = {id(n) for n in ast.walk(node)}
    return (
        bool(above)
        and not any(isinstance(n.ctx, ast.Store) or id(n) in inside for n in above)
        and target.id not in _bound(tree)
    )


def _bound(tree: ast.Module) -> set[str]:
    """Names that functions, classes, imports and parameters bind."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
    return found


def _statement(text: str, start: int, end: int) -> str | None:
    """The assignment from ``start`` on, up to the bracket that closes its last call."""
    stop = _closed(text, end)
    while stop is not None and (more := _GOES_ON.match(text, stop)):
        called = text[more.end() : more.end() + 1] == "("
        closed = _closed(text, more.end()) if called else None
        if closed is None:
            stop = stop if called else more.end()
            break
        stop = closed
    if stop is None:
        return None
    code = text[start:stop].strip()
    tree = parse(code)
    whole = tree is not None and len(tree.body) == 1 and isinstance(tree.body[0], ast.Assign)
    return code if whole else None


def _closed(text: str, start: int) -> int | None:
    """Behind the bracket that closes the first one from here on."""
    depth, quote = 0, ""
    for position in range(start, len(text)):
        sign = text[position]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth == 0:
                return position + 1
    return None
