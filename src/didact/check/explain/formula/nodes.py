"""All nodes of a file, listed once: dozens of questions are asked of each of them."""

from didact.check.engine.nodes import nodes_of, parents_of, read_in, set_in, text_of

__all__ = ["nodes_of", "parents_of", "read_in", "set_in", "text_of"]
