"""Which statement stands inside which, where the indentation is lost.

The statements are read in order with a stack of the blocks that are open. A statement first closes
the blocks that it cannot stand in, then takes its depth from the stack, then opens its own block:

Beforehand the text tells where a loop ends (its last statement that depends on the loop variable)
and up to where a branch must reach at least (what only it sets is read there).

1. ``else``, ``elif``, ``except``, ``finally`` close everything down to the header they belong to
   (`partners` pairs them beforehand: the nearest header of the right kind in the same function).
2. ``def``, ``class`` and decorators close everything, but for the class of a method, for a block
   that would stay empty, and for the function whose names a closure reads.
3. Any other statement asks the open blocks from the inside out whether it leaves them; the first
   that keeps it ends the closing. `Nester.RULES` are asked in their order, and the first that has
   an opinion decides; the last always has one. What must be so comes before what usually is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from didact.check.snippet.clauses import DEEPEST, LEAVES, Line, partners
from didact.check.snippet.grammar import CLAUSES
from didact.check.snippet.names import (
    accumulators,
    alike,
    appended,
    assigned,
    calls_method,
    first_parameter,
    loaded,
    loop_targets,
    mentions,
    own_nodes,
)

LOOK_AHEAD = 300
"""Statements that are looked at for the end of a block. Longer bodies are rare, and without an end
each header would read the rest of the text."""

_STEPS = {"step", "zero_grad", "update", "clip_grad_norm_", "set_postfix"}
_DEFINITIONS = {"def", "class", "async", "@"}
_ALWAYS_KNOWN = {"torch", "F", "nn"}
_TEACHER = ("teacher", "tea", "tch", "old", "prev", "frozen", "ema")


@dataclass(slots=True)
class Block:
    """An open block.

    Attributes:
        header: The index of its header.
        word: What kind of block it is.
        partner: The index of the clause that goes on with it (an ``else``), where there is one.
        last: The index of the last statement of a loop's body.
        least: The index of the last statement that must stand in a branch's body.
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
    least: int = -1
    size: int = 0
    left: bool = False
    names: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The statement that asks whether it leaves a block, and what it sets and reads."""

    index: int
    line: Line
    sets: set[str]
    reads: set[str]


class Nester:
    """Guesses the depth of each statement from keywords, data flow and habit."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.partner = partners(lines)
        self.opener = {clause: opener for opener, clause in self.partner.items()}
        self.sets = [assigned(line.node) for line in lines]
        self.reads = [loaded(line.node) for line in lines]
        self.first_set: dict[str, int] = {}
        self.last_set: dict[str, int] = {}
        for index, names in enumerate(self.sets):
            for name in names:
                self.first_set.setdefault(name, index)
                if name not in self.reads[index]:
                    self.last_set[name] = index
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
            self._record(index)
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
        after = range(index, min(index + LOOK_AHEAD, len(self.lines)))
        target = next((self.lines[i] for i in after if self.lines[i].word != "@"), line)
        static = line.word == "@" and _is_static(line.node)
        method = first_parameter(target.node) in {"self", "cls"} or static
        while self.stack:
            top = self.stack[-1]
            if top.word == "class" and line.word != "class" and (method or not top.size):
                return
            if top.word not in {"class", "def", "async"} and not top.size:
                return
            if top.word in {"def", "async"} and self._is_closure(index, top):
                return
            self._pop()

    def _is_closure(self, index: int, outer: Block) -> bool:
        """Whether the function that begins here reads what only the function around it sets."""
        if outer.left or not outer.size:
            return False
        own, read = set[str](), set[str]()
        for position in range(index, min(index + LOOK_AHEAD, len(self.lines))):
            if self.lines[position].word == "class":
                return False
            own |= self.sets[position]
            read |= self.reads[position]
            if isinstance(self.lines[position].node, ast.Return):
                break
        inside = {n for n in outer.names if self.first_set[n] > outer.header}
        return bool((read - own) & inside)

    def _close_for_statement(self, index: int) -> None:
        candidate = Candidate(index, self.lines[index], self.sets[index], self.reads[index])
        while self.stack and self._leaves(self.stack[-1], candidate):
            self._pop()

    def _leaves(self, block: Block, candidate: Candidate) -> bool:
        """What the first rule says that has an opinion."""
        opinions = (rule(self, block, candidate) for rule in self.RULES)
        return next(opinion for opinion in opinions if opinion is not None)

    def _must_stay(self, block: Block, candidate: Candidate) -> bool | None:
        """A header needs a body; a body goes on until its ``else`` comes."""
        waits = block.partner is not None and block.partner > candidate.index
        return False if not block.size or waits or candidate.index <= block.least else None

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
        """A class holds methods, annotated fields, and two statements at most beside them."""
        if block.word != "class":
            return None
        if isinstance(candidate.line.node, ast.AnnAssign):
            return False
        return not isinstance(candidate.line.node, ast.Assign) or block.size > 1

    def _leaves_no_grad(self, block: Block, candidate: Candidate) -> bool | None:
        """Under ``no_grad`` only assignments from what the block itself has read or set.

        A block that begins with the teacher's pass does not hold the student's.
        """
        if block.word != "with" or not mentions(self.lines[block.header].node, ("no_grad",)):
            return None
        if not block.names and isinstance(candidate.line.node, ast.Assign):
            return False
        first = self.lines[block.header + 1].node
        students = mentions(first, _TEACHER) and not mentions(candidate.line.node, _TEACHER)
        if students and not candidate.reads & block.names:
            return True
        known = block.names | block.used | _ALWAYS_KNOWN
        return not isinstance(candidate.line.node, ast.Assign) or not all(
            name in known or name.isupper() or name.startswith("temp") for name in candidate.reads
        )

    def _returns(self, block: Block, candidate: Candidate) -> bool | None:
        """A ``return`` stands after ``with``, ``if`` and ``else``."""
        return True if block.size and isinstance(candidate.line.node, ast.Return) else None

    def _leaves_with(self, block: Block, candidate: Candidate) -> bool | None:
        """``with`` keeps all but the backward pass and the step, which follow on it."""
        if block.word != "with":
            return None
        after = _takes_a_step(candidate.line.node) or mentions(
            candidate.line.node, ("trainable_variables", "trainable_weights")
        )
        return after and not mentions(self.lines[block.header].node, ("set_grad_enabled",))

    def _leaves_branch(self, block: Block, candidate: Candidate) -> bool:
        """A branch keeps what reads names that only it has set, or sets what the other set.

        ``break`` and ``continue`` end a branch, for in a loop's own body they make no sense.
        """
        node = candidate.line.node
        if isinstance(node, ast.Break | ast.Continue):
            return False
        if block.word == "except" and isinstance(node, ast.Raise) and node.exc is None:
            return False
        reads_own = any(self._is_own(name, block) for name in candidate.reads)
        if alike(self.lines[candidate.index - 1].node, candidate.line.node):
            return False
        decided_by = self.reads[block.header] - block.names
        if candidate.sets & decided_by and not candidate.sets & candidate.reads:
            return False
        if block.word in {"else", "elif"} and block.wanted - block.names:
            return not (candidate.sets & block.wanted or reads_own)
        return not reads_own

    RULES: ClassVar[tuple[Callable[[Nester, Block, Candidate], bool | None], ...]] = (
        _must_stay,
        _cannot_stay,
        _leaves_loop,
        _leaves_function,
        _leaves_class,
        _leaves_no_grad,
        _returns,
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

    def _record(self, index: int) -> None:
        line = self.lines[index]
        if self.stack:
            block = self.stack[-1]
            block.size += 1
            block.left = isinstance(line.node, LEAVES) and not line.header
        for block in self.stack:
            block.names |= self.sets[index]
            block.used |= self.reads[index]

    def _block(self, index: int, wanted: set[str]) -> Block:
        word = self.lines[index].word
        block = Block(index, word, partner=self.partner.get(index))
        if word in {"else", "elif"}:
            block.wanted = wanted
        if word in {"if", "elif", "else"} and block.partner is None:
            block.least = self._least_end(index, wanted)
        if word in {"for", "while"}:
            block.last = self._loop_end(index)
        return block

    def _least_end(self, index: int, wanted: set[str]) -> int:
        """The last statement that must stand in the last branch of an ``if``.

        It reads a name that only this branch sets, so that it would fail were the branch not
        taken; or it sets the last of the names that the branch before sets as well; or it is
        the ``break`` or ``continue`` that no other condition guards.
        """
        end, own, seen, missing = index + 1, set[str](), set[str](), set(wanted)
        simple = True
        for position in range(index + 1, self._region(index)):
            line, sets, reads = self.lines[position], self.sets[position], self.reads[position]
            needs = any(self._only_set_between(n, index, position) for n in reads & own)
            if line.word in CLAUSES or (line.header and position > index + 1 and not needs):
                break
            simple = simple and not line.header
            missing -= reads - sets
            ends_missing = bool(sets & missing) and not reads & sets
            leaves = isinstance(line.node, ast.Break | ast.Continue)
            if needs or position == index + 1 or (simple and (leaves or ends_missing)):
                end = position
                own |= seen | sets
                seen.clear()
            seen |= sets
            missing -= sets
        return end

    def _only_set_between(self, name: str, start: int, stop: int) -> bool:
        """Whether all that sets a name stands between two statements."""
        return start <= self.first_set[name] < stop and self.last_set.get(name, 0) <= stop

    def _loop_end(self, index: int) -> int:
        """The last statement that depends on what the loop gives, and the steps after it.

        A loop whose variable is not used or only counts (epochs) holds all that could stand in
        it, up to where the trained model is kept as the old one.
        """
        line = self.lines[index]
        region = self._region(index)
        targets = loop_targets(line.node)
        used = any(targets & self.reads[later] for later in range(index + 1, region))
        counts = "range" in self.reads[index] and not self._indexes(index, region, targets)
        if line.word == "while" or not used or counts:
            return self._counting_loop_end(index, region)
        dependent, last = set(targets), index + 1
        for position in range(index + 1, region):
            node = self.lines[position].node
            if dependent & self.reads[position]:
                older = {n for n in accumulators(node) if self.first_set[n] < index}
                dependent |= self.sets[position] - older
                last = position
            elif not self.lines[position].header:
                dependent -= self.sets[position]
        trains = any(calls_method(s.node, {"backward"}) for s in self.lines[index : last + 1])
        while last + 1 < region and (
            self._counts_on(index, last + 1) or (trains and _is_step(self.lines[last + 1].node))
        ):
            last += 1
        return last

    def _counts_on(self, index: int, position: int) -> bool:
        """Whether a statement counts rounds: ``n += 1`` with ``n`` set before the loop."""
        node = self.lines[position].node
        return (
            isinstance(node, ast.AugAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
            and self.first_set[node.target.id] < index
        )

    def _counting_loop_end(self, index: int, region: int) -> int:
        """Up to where the model is kept as the old one, or a list that the loop fills is used."""
        filled: set[str] = set()
        for position in range(index + 1, region):
            node = self.lines[position].node
            used = bool(self.reads[position] & filled - appended(node))
            if position > index + 1 and (_keeps_a_copy(node) or used):
                return position - 1
            filled = (filled | appended(node)) - self.sets[position]
            filled = {n for n in filled if self.first_set.get(n, index) < index}
        return region - 1

    def _indexes(self, index: int, region: int, targets: set[str]) -> bool:
        """Whether a loop's variable picks something out: ``teacher_mean[j]``."""
        return any(
            isinstance(inner, ast.Subscript)
            and any(isinstance(n, ast.Name) and n.id in targets for n in ast.walk(inner.slice))
            for line in self.lines[index + 1 : region]
            for inner in own_nodes(line.node)
        )

    def _region(self, index: int) -> int:
        """One past the last statement that could stand in a loop that opens at ``index``."""
        limit = min(len(self.lines), index + LOOK_AHEAD)
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


def _keeps_a_copy(node: ast.stmt) -> bool:
    """Whether the trained model is kept as the old one, which is done after the last epoch."""
    return isinstance(node, ast.Assign) and mentions(node, ("deepcopy",))


def _takes_a_step(node: ast.stmt) -> bool:
    return calls_method(node, {"backward", "gradient", "apply_gradients", "zero_grad", "step"})


def _is_step(node: ast.stmt) -> bool:
    return calls_method(node, _STEPS) and not mentions(node, ("sched",))


def _is_static(node: ast.stmt) -> bool:
    """Whether a decorator is ``@staticmethod``; its node decorates a stand-in."""
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators)
