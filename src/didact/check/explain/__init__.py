"""Code that someone pasted, explained: its statements, its loss, its mistakes, its correction."""

from didact.check.explain.explain import Explanation, Note, explain
from didact.check.explain.pages import rule_page
from didact.check.explain.render import marked, to_json, to_markdown, to_text

__all__ = [
    "Explanation",
    "Note",
    "explain",
    "marked",
    "rule_page",
    "to_json",
    "to_markdown",
    "to_text",
]
