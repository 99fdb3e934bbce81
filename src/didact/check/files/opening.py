"""The right kind of document for a file."""

from __future__ import annotations

from pathlib import PurePath

from didact.check.files.document import (
    MARKDOWN_SUFFIXES,
    NOTEBOOK_SUFFIXES,
    Document,
    PythonDocument,
)
from didact.check.files.markdown import MarkdownDocument
from didact.check.files.notebook import NotebookDocument


def open_document(path: str, text: str) -> Document:
    """The document that the name of the file asks for.

    Raises:
        UnreadableError: A notebook that is not one.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix in NOTEBOOK_SUFFIXES:
        return NotebookDocument(text)
    if suffix in MARKDOWN_SUFFIXES:
        return MarkdownDocument(text)
    return PythonDocument(text)
