"""A full binary tree in level order: a list, whose indices say who stands where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from didact._core.errors import RangeError

T = TypeVar("T")


class BinaryTree(Generic[T]):
    """A full binary tree over a list in level order.

    The root is node 0, the children of node ``i`` are ``2 i + 1`` and ``2 i + 2``, and level ``d``
    is the slice ``[2^d - 1, 2^(d + 1) - 1)``.

    Args:
        nodes: One value for each node, level by level, from left to right.

    Raises:
        RangeError: Their number is not ``2^levels - 1``.

    Example:
        >>> from didact.nn import BinaryTree
        >>> tree = BinaryTree(["root", "left", "right", "a", "b", "c", "d"])
        >>> tree.level(1), tree.children(1), tree.path(5)
        (['left', 'right'], (3, 4), [0, 2, 5])
        >>> print(tree)
        root
        ├─ left
        │  ├─ a
        │  └─ b
        └─ right
           ├─ c
           └─ d
    """

    def __init__(self, nodes: Sequence[T]) -> None:
        if not nodes or (len(nodes) + 1) & len(nodes):
            raise RangeError(
                f"{len(nodes)} nodes make no full binary tree; expected 1, 3, 7, 15, ...: one less "
                "than a power of 2"
            )
        self.nodes = list(nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, node: int) -> T:
        return self.nodes[node]

    def __iter__(self) -> Iterator[int]:
        """The nodes depth first, each before its children, the left one first."""
        waiting = [0]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(self.children(node))

    @property
    def levels(self) -> int:
        """How many there are; the leaves are on the last."""
        return len(self.nodes).bit_length()

    def level(self, depth: int) -> list[T]:
        """The values of one level, from left to right; the root is level 0."""
        return self.nodes[level_slice(depth)]

    def children(self, node: int) -> tuple[int, ...]:
        """The left and the right child; of a leaf none."""
        first = 2 * node + 1
        return (first, first + 1) if first < len(self.nodes) else ()

    def path(self, node: int) -> list[int]:
        """The nodes from the root to this one."""
        found = [node]
        while found[-1]:
            found.append((found[-1] - 1) // 2)
        return found[::-1]

    def __str__(self) -> str:
        return self.drawn(str)

    def drawn(self, show: Callable[[T], str]) -> str:
        """The tree as lines of text, each value as ``show`` has it."""
        lines, before = [], {0: ""}
        for node in self:
            own = before[node]
            branch = "" if not node else own + ("├─ " if node % 2 else "└─ ")
            lines.append(branch + show(self.nodes[node]))
            below = own if not node else own + ("│  " if node % 2 else "   ")
            before.update(dict.fromkeys(self.children(node), below))
        return "\n".join(lines)


def level_slice(depth: int) -> slice:
    """Where level ``depth`` lies in level order."""
    return slice(2**depth - 1, 2 ** (depth + 1) - 1)
