"""Which statement stands inside which, where the indentation is lost."""

from __future__ import annotations

import ast

from didact.check.snippet.clauses import CLAUSES, Block, Line, partners
from didact.check.snippet.names import (
    accumulators,
    assigned,
    calls_method,
    first_parameter,
    loaded,
    loop_targets,
)

_LEAVES = ast.Return | ast.Raise | ast.Break | ast.Continue
_STEPS = {"step", "zero_grad", "update", "clip_grad_norm_", "set_postfix"}


DEEPEST = 40
"""No deeper nesting is guessed; Python itself stops at 100 levels."""


class Nester:
    """Guesses the depth of each statement from keywords, data flow and habit."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.sets = [assigned(line.node) for line in lines]
        self.partner = partners(lines)
        self.stack: list[Block] = []
        self.closed: list[Block] = []

    def levels(self) -> list[int]:
        """The depth of each statement."""
        result = []
        for index, line in enumerate(self.lines):
            wanted = self._make_room(index, line)
            level = len(self.stack)
            result.append(level)
            self._note(line)
            if line.header and level < DEEPEST:
                self.stack.append(self._block(index, line, wanted))
        return result

    def _make_room(self, index: int, line: Line) -> set[str]:
        """Close what must be closed before this statement; the names an else should set."""
        if line.word in CLAUSES:
            opener = next((o for o, p in self.partner.items() if p == index), None)
            if opener is None:
                return set()
            while self.stack:
                block = self._pop()
                if block.header == opener:
                    return block.names
            return set()
        if line.word in {"def", "class", "async", "@"}:
            self._close_for_definition(index, line)
            return set()
        while self.stack and self._closes(self.stack[-1], index, line):
            self._pop()
        return set()

    def _pop(self) -> Block:
        block = self.stack.pop()
        self.closed.append(block)
        if self.stack:
            self.stack[-1].names |= block.names
        return block

    def _close_for_definition(self, index: int, line: Line) -> None:
        target = line
        for later in self.lines[index:]:
            target = later
            if later.word != "@":
                break
        static = line.word == "@" and "staticmethod" in ast.dump(line.node)
        method = first_parameter(target.node) in {"self", "cls"} or static
        while self.stack:
            top = self.stack[-1]
            if top.word == "class" and line.word != "class" and (method or not top.body):
                return
            if top.word != "class" and not top.body and top.word not in {"def", "async"}:
                return
            self._pop()

    def _closes(self, block: Block, index: int, line: Line) -> bool:
        if not block.body or (block.partner is not None and block.partner > index):
            return False
        if block.left or "__name__" in loaded(line.node):
            return True
        if block.word in {"for", "while"}:
            return isinstance(line.node, ast.Return) or index > (block.last or 0)
        if block.word in {"def", "async"}:
            name = getattr(self.lines[block.header].node, "name", "")
            top_level = isinstance(line.node, ast.Import | ast.ImportFrom)
            return top_level or name in loaded(line.node)
        if block.word == "class":
            return not isinstance(line.node, ast.Assign | ast.AnnAssign) or block.body > 1
        return not self._belongs(block, line)

    def _belongs(self, block: Block, line: Line) -> bool:
        """Whether a statement goes on with the body of a with, if, else or except."""
        names = loaded(line.node)
        if block.word == "with" and "no_grad" in ast.dump(self.lines[block.header].node):
            known = block.names | block.used | {"torch", "F", "nn"}
            return isinstance(line.node, ast.Assign) and all(
                n in known or n.isupper() or n.startswith("temp") for n in names
            )
        if isinstance(line.node, ast.Return):
            return False
        if block.word == "with":
            return True
        if block.word == "else" and block.wanted - block.names:
            return bool(assigned(line.node) & block.wanted) or bool(names & self._fresh(block))
        return bool(names & self._fresh(block))

    def _fresh(self, block: Block) -> set[str]:
        """Names that only the body of this block has set so far."""
        before: set[str] = set()
        for names in self.sets[: block.header]:
            before |= names
        return block.names - before - block.wanted

    def _note(self, line: Line) -> None:
        if self.stack:
            block = self.stack[-1]
            block.body += 1
            block.left = isinstance(line.node, _LEAVES) and not line.header
        for block in self.stack:
            block.names |= assigned(line.node)
            block.used |= loaded(line.node)

    def _block(self, index: int, line: Line, wanted: set[str]) -> Block:
        block = Block(index, line.word, partner=self.partner.get(index))
        if line.word == "else":
            block.wanted = wanted
        if line.word in {"for", "while"}:
            block.last = self._loop_end(index, line)
        return block

    def _loop_end(self, index: int, line: Line) -> int:
        """The last statement that depends on what the loop gives, and the steps after it."""
        region = self._region(index)
        targets = loop_targets(line.node)
        used = any(targets & loaded(s.node) for s in self.lines[index + 1 : region])
        if line.word == "while" or not used or "range" in loaded(line.node):
            copies = (i for i in range(index + 2, region) if _keeps_a_copy(self.lines[i].node))
            return next(copies, region) - 1
        before: set[str] = set()
        for names in self.sets[:index]:
            before |= names
        tainted, last = set(targets), index + 1
        for position in range(index + 1, region):
            node = self.lines[position].node
            if tainted & loaded(node):
                tainted |= assigned(node) - (accumulators(node) & before)
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
            if self.lines[position].word in {"def", "class", "async", "@"}:
                return position
            if loop_targets(self.lines[position].node) == targets != set():
                return position
        return limit


def _keeps_a_copy(node: ast.stmt) -> bool:
    """Whether the trained model is kept as the old one, which is done after the last epoch."""
    return isinstance(node, ast.Assign) and "deepcopy" in ast.dump(node.value)


def _is_step(node: ast.stmt) -> bool:
    return calls_method(node, _STEPS) and "sched" not in ast.dump(node).lower()
