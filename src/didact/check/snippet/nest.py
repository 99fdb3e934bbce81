"""Which statement stands inside which, where the indentation is lost.

The statements are read in order with a stack of the blocks that are open. A statement first closes
the blocks that it cannot stand in, then takes its depth from the stack, then opens its own block:

1. ``else``, ``elif``, ``except``, ``finally`` close everything down to the header they belong to
   (`partners` pairs them beforehand: the nearest header of the right kind in the same function).
2. ``def``, ``class`` and decorators close everything, but for the class of a method and for a
   block that would stay empty.
3. Any other statement asks the open blocks from the inside out whether it leaves them; the first
   that keeps it ends the closing. `Nester.RULES` are asked in their order, and the first that has
   an opinion decides; the last always has one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from didact.check.snippet.grammar import CLAUSES
from didact.check.snippet.names import (
    accumulators,
    assigned,
    calls_method,
    first_parameter,
    loaded,
    loop_targets,
    mentions,
)

DEEPEST = 40
"""No deeper nesting is guessed; Python itself stops at 100 levels."""

_LEAVES = ast.Return | ast.Raise | ast.Break | ast.Continue
_STEPS = {"step", "zero_grad", "update", "clip_grad_norm_", "set_postfix"}
_DEFINITIONS = {"def", "class", "async", "@"}
_ALWAYS_KNOWN = {"torch", "F", "nn"}


@dataclass(slots=True)
class Line:
    """One statement as the guess sees it."""

    word: str
    node: ast.stmt
    header: bool


@dataclass(slots=True)
class Block:
    """An open block.

    Attributes:
        header: The index of its header.
        word: What kind of block it is.
        partner: The index of the clause that goes on with it (an ``else``), where there is one.
        last: The index of the last statement of a loop's body.
        size: How many statements stand directly in it so far.
        left: Whether the last of them leaves the block (``return`` and the like).
        names: What its body sets.
        used: What its body reads.
        wanted: For an ``else``: what the body before it sets, so that this one should too.
    """

    header: int
    word: str
    partner: int | None = None
    last: int | None = None
    size: int = 0
    left: bool = False
    names: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The statement that asks whether it leaves a block, and what it reads."""

    index: int
    line: Line
    reads: set[str]


class Nester:
    """Guesses the depth of each statement from keywords, data flow and habit."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.partner = partners(lines)
        self.opener = {clause: opener for opener, clause in self.partner.items()}
        self.first_set: dict[str, int] = {}
        for index, line in enumerate(lines):
            for name in assigned(line.node):
                self.first_set.setdefault(name, index)
        self.stack: list[Block] = []

    def levels(self) -> list[int]:
        """The depth of each statement."""
        result = []
        for index, line in enumerate(self.lines):
            wanted: set[str] = set()
            if line.word in CLAUSES:
                wanted = self._close_to_opener(index)
            elif line.word in _DEFINITIONS:
                self._close_for_definition(index)
            else:
                self._close_for_statement(index)
            result.append(len(self.stack))
            self._record(line)
            if line.header and len(self.stack) < DEEPEST:
                self.stack.append(self._block(index, wanted))
        return result

    def _close_to_opener(self, index: int) -> set[str]:
        """Close down to the header that a clause belongs to; the names that its body sets."""
        opener = self.opener.get(index)
        while opener is not None and self.stack:
            block = self._pop()
            if block.header == opener:
                return block.names
        return set()

    def _close_for_definition(self, index: int) -> None:
        line = self.lines[index]
        target = next((later for later in self.lines[index:] if later.word != "@"), line)
        static = line.word == "@" and _is_static(line.node)
        method = first_parameter(target.node) in {"self", "cls"} or static
        while self.stack:
            top = self.stack[-1]
            if top.word == "class" and line.word != "class" and (method or not top.size):
                return
            if top.word not in {"class", "def", "async"} and not top.size:
                return
            self._pop()

    def _close_for_statement(self, index: int) -> None:
        candidate = Candidate(index, self.lines[index], loaded(self.lines[index].node))
        while self.stack and self._leaves(self.stack[-1], candidate):
            self._pop()

    def _leaves(self, block: Block, candidate: Candidate) -> bool:
        """What the first rule says that has an opinion."""
        opinions = (rule(self, block, candidate) for rule in self.RULES)
        return next(opinion for opinion in opinions if opinion is not None)

    def _must_stay(self, block: Block, candidate: Candidate) -> bool | None:
        """A header needs a body; a body goes on until its ``else`` comes."""
        waits = block.partner is not None and block.partner > candidate.index
        return False if not block.size or waits else None

    def _cannot_stay(self, block: Block, candidate: Candidate) -> bool | None:
        """Nothing follows ``return`` in its block; ``__name__ == "__main__"`` is top level."""
        return True if block.left or "__name__" in candidate.reads else None

    def _leaves_loop(self, block: Block, candidate: Candidate) -> bool | None:
        """A ``return`` stands after the loop; else the loop's end is known beforehand."""
        if block.word not in {"for", "while"}:
            return None
        return isinstance(candidate.line.node, ast.Return) or candidate.index > (block.last or 0)

    def _leaves_function(self, block: Block, candidate: Candidate) -> bool | None:
        """A function ends where something is imported or the function itself is called."""
        if block.word not in {"def", "async"}:
            return None
        name = getattr(self.lines[block.header].node, "name", "")
        return isinstance(candidate.line.node, ast.Import | ast.ImportFrom) or (
            name in candidate.reads
        )

    def _leaves_class(self, block: Block, candidate: Candidate) -> bool | None:
        """A class holds methods, and one assignment at most beside them."""
        if block.word != "class":
            return None
        return not isinstance(candidate.line.node, ast.Assign | ast.AnnAssign) or block.size > 1

    def _leaves_no_grad(self, block: Block, candidate: Candidate) -> bool | None:
        """Under ``no_grad`` only assignments from what the block itself has read or set."""
        if block.word != "with" or not mentions(self.lines[block.header].node, ("no_grad",)):
            return None
        known = block.names | block.used | _ALWAYS_KNOWN
        return not isinstance(candidate.line.node, ast.Assign) or not all(
            name in known or name.isupper() or name.startswith("temp") for name in candidate.reads
        )

    def _leaves_with(self, block: Block, candidate: Candidate) -> bool | None:
        """A ``return`` stands after ``with``, ``if`` and ``else``; all else stays in ``with``."""
        if isinstance(candidate.line.node, ast.Return):
            return True
        return False if block.word == "with" else None

    def _leaves_branch(self, block: Block, candidate: Candidate) -> bool:
        """A branch keeps what reads names that only it has set, or sets what the other set."""
        reads_own = any(self._is_own(name, block) for name in candidate.reads)
        if block.word == "else" and block.wanted - block.names:
            return not (assigned(candidate.line.node) & block.wanted or reads_own)
        return not reads_own

    RULES: ClassVar[tuple[Callable[[Nester, Block, Candidate], bool | None], ...]] = (
        _must_stay,
        _cannot_stay,
        _leaves_loop,
        _leaves_function,
        _leaves_class,
        _leaves_no_grad,
        _leaves_with,
        _leaves_branch,
    )

    def _is_own(self, name: str, block: Block) -> bool:
        """Whether only the body of this block has set a name so far."""
        return (
            name in block.names
            and name not in block.wanted
            and self.first_set[name] >= block.header
        )

    def _pop(self) -> Block:
        block = self.stack.pop()
        if self.stack:
            self.stack[-1].names |= block.names
        return block

    def _record(self, line: Line) -> None:
        if self.stack:
            block = self.stack[-1]
            block.size += 1
            block.left = isinstance(line.node, _LEAVES) and not line.header
        for block in self.stack:
            block.names |= assigned(line.node)
            block.used |= loaded(line.node)

    def _block(self, index: int, wanted: set[str]) -> Block:
        word = self.lines[index].word
        block = Block(index, word, partner=self.partner.get(index))
        if word == "else":
            block.wanted = wanted
        if word in {"for", "while"}:
            block.last = self._loop_end(index)
        return block

    def _loop_end(self, index: int) -> int:
        """The last statement that depends on what the loop gives, and the steps after it.

        A loop whose variable is not used (epochs) or that counts holds all that could stand in
        it, up to where the trained model is kept as the old one.
        """
        line = self.lines[index]
        region = self._region(index)
        targets = loop_targets(line.node)
        used = any(targets & loaded(later.node) for later in self.lines[index + 1 : region])
        if line.word == "while" or not used or "range" in loaded(line.node):
            copies = (i for i in range(index + 2, region) if _keeps_a_copy(self.lines[i].node))
            return next(copies, region) - 1
        dependent, last = set(targets), index + 1
        for position in range(index + 1, region):
            node = self.lines[position].node
            if dependent & loaded(node):
                older = {n for n in accumulators(node) if self.first_set[n] < index}
                dependent |= assigned(node) - older
                last = position
        trains = any(calls_method(s.node, {"backward"}) for s in self.lines[index : last + 1])
        while trains and last + 1 < region and _is_step(self.lines[last + 1].node):
            last += 1
        return last

    def _region(self, index: int) -> int:
        """One past the last statement that could stand in a loop that opens at ``index``."""
        limit = len(self.lines)
        targets = loop_targets(self.lines[index].node)
        for block in self.stack:
            if block.last is not None:
                limit = min(limit, block.last + 1)
        for position in range(index + 1, limit):
            if self.lines[position].word in _DEFINITIONS:
                return position
            if loop_targets(self.lines[position].node) == targets != set():
                return position
        return limit


def partners(lines: list[Line]) -> dict[int, int]:
    """For each header that has an ``else`` or the like: the index of that clause."""
    open_headers: list[int] = []
    partner: dict[int, int] = {}
    for index, line in enumerate(lines):
        if line.word in {"def", "class", "async"}:
            open_headers.clear()
        if line.word in CLAUSES:
            for place in reversed(range(len(open_headers))):
                opener = open_headers[place]
                if lines[opener].word in CLAUSES[line.word]:
                    partner[opener] = index
                    del open_headers[place:]
                    break
        if line.word in {"if", "elif", "for", "while", "try", "except", "else"}:
            open_headers.append(index)
    return partner


def _keeps_a_copy(node: ast.stmt) -> bool:
    """Whether the trained model is kept as the old one, which is done after the last epoch."""
    return isinstance(node, ast.Assign) and mentions(node, ("deepcopy",))


def _is_step(node: ast.stmt) -> bool:
    return calls_method(node, _STEPS) and not mentions(node, ("sched",))


def _is_static(node: ast.stmt) -> bool:
    """Whether a decorator is ``@staticmethod``; its node decorates a stand-in."""
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators)
