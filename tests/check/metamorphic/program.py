"""A small program with numbered statements, so that a finding can be followed through a change.

Every statement carries ``origins``: the numbers of the statements it comes from in the program as
it was first read. A change gives new statements the origins of those that they stand for. After
the change the program is written out, read again, and every line knows its origins.
"""

from __future__ import annotations

import ast
import copy
import io
import re
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from didact.check import Options, Selection, Settings, check_paths
from didact.check.engine.engine import analyse
from didact.check.rules import findings_of

MAIN = "main.py"
Place = tuple[str, frozenset[int]]
"""A code and the numbers of the statements in question."""
_MARK = re.compile(r"""^\s*(?:'|\"\"\"|")⟦(after|before) ([0-9a-f]*)⟧(?:'|\"\"\"|")$""")


@dataclass
class Program:
    """One or more files.

    Attributes:
        trees: Their syntax trees by file name.
        texts: Their text.
        origins: The origins of the statement that begins in a line.
    """

    trees: dict[str, ast.Module]
    texts: dict[str, str] = field(default_factory=dict)
    origins: dict[str, dict[int, frozenset[int]]] = field(default_factory=dict)

    @property
    def tree(self) -> ast.Module:
        """The tree of the first file."""
        return self.trees[MAIN]

    @property
    def text(self) -> str:
        """The text of the first file."""
        return self.texts[MAIN]

    def copy(self) -> ast.Module:
        """A copy of the first file's tree, to be changed."""
        return copy.deepcopy(self.tree)


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """All statements, outer before inner, in the order of the text."""
    for block in blocks_of(tree):
        for statement in block:
            yield statement
            yield from statements(statement)


def blocks_of(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements directly in a node."""
    for name in ("body", "orelse", "handlers", "cases", "finalbody"):
        part = getattr(node, name, None)
        if not isinstance(part, list) or not part:
            continue
        if isinstance(part[0], ast.stmt):
            yield part
        else:
            for child in part:
                yield from blocks_of(child)


def read(text: str) -> Program:
    """Number the statements of a text and write it in ``ast``'s own layout, comments kept."""
    tree = ast.parse(text)
    for number, statement in enumerate(statements(tree)):
        statement.origins = (number,)
        statement.comments = []
    _take_comments(tree, text)
    return write({MAIN: tree})


def _take_comments(tree: ast.Module, text: str) -> None:
    """A comment belongs to the simple statement on its line, else stands before the next one."""
    found = list(statements(tree))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        inside = [s for s in found if s.lineno <= line <= s.end_lineno and not any(blocks_of(s))]
        following = [s for s in found if s.lineno >= line]
        if inside:
            inside[-1].comments.append(("after", token.string))
        elif following:
            following[0].comments.append(("before", token.string))


def write(trees: dict[str, ast.Module]) -> Program:
    """The program of some trees."""
    program = Program({})
    for name, tree in trees.items():
        text = _unparse(tree)
        again = ast.parse(text)
        lines: dict[int, frozenset[int]] = {}
        for old, new in zip(statements(tree), statements(again), strict=True):
            assert type(old) is type(new)
            new.origins = getattr(old, "origins", ())
            new.comments = getattr(old, "comments", [])
            lines.setdefault(new.lineno, frozenset(new.origins))
        program.trees[name], program.texts[name], program.origins[name] = again, text, lines
    return program


def _unparse(tree: ast.Module) -> str:
    marked = copy.deepcopy(tree)
    _mark(marked)
    lines: list[str] = []
    for line in ast.unparse(ast.fix_missing_locations(marked)).split("\n"):
        mark = _MARK.match(line)
        if mark is None:
            lines.append(line)
            continue
        comment = bytes.fromhex(mark[2]).decode()
        if mark[1] == "before":
            lines.append(" " * (len(line) - len(line.lstrip())) + comment)
        else:
            lines[-1] += f"  {comment}"
    return "\n".join(lines) + "\n"


def _mark(node: ast.AST) -> None:
    for block in list(blocks_of(node)):
        marked: list[ast.stmt] = []
        for statement in block:
            _mark(statement)
            comments = getattr(statement, "comments", [])
            marks = {where: [] for where in ("before", "after")}
            for where, comment in comments:
                text = f"⟦{where} {comment.encode().hex()}⟧"
                marks[where].append(ast.Expr(ast.Constant(text)))
            marked += [*marks["before"], statement, *marks["after"]]
        block[:] = marked


def findings(program: Program) -> set[Place]:
    """What is found: each code with the origins of the statement it is reported at."""
    if len(program.texts) == 1:
        found = findings_of(analyse(program.text, path=MAIN))
        return {(f.code, _origins(program, MAIN, f.span.line)) for f in found}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in program.texts.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        options = Options(Settings(root=Path(folder), selection=Selection(("KD",))), jobs=1)
        report = check_paths([folder], options)
    return {
        (d.code, _origins(program, Path(d.path).name, d.finding.span.line))
        for d in report.diagnostics
    }


def _origins(program: Program, name: str, line: int) -> frozenset[int]:
    known = program.origins[name]
    starts = [start for start in known if start <= line]
    return known[max(starts)] if starts else frozenset()


def kept(before: set[Place], after: set[Place]) -> tuple[int, int]:
    """How many findings are as before, of all that there are before or after; silence counts one.

    A place is the same if the statements have an origin in common.
    """
    same = sum(any(_same(old, new) for new in after) for old in before)
    added = sum(not any(_same(old, new) for old in before) for new in after)
    total = len(before) + added
    return (same, total) if total else (1, 1)


def _same(one: Place, other: Place) -> bool:
    return one[0] == other[0] and bool(one[1] & other[1])
