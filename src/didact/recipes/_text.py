"""Texts that every Python has: a language model taught by a larger one."""

from didact.train import TextSettings


def text(data: str | None = None) -> TextSettings:
    """The topics of Python's help: the student sees 32 kB of them, the teacher all that is left.

    The teacher, a decoder of 476 thousand parameters, also reads the docstrings of the standard
    library; the student has 140 thousand. A sixth of the topics is for the test, another for
    validation. Steps and learning rate were set on the validation topics.

    Args:
        data: Another text, ``text:PATH``; the same settings.
    """
    return TextSettings.build(data=data or "pydoc", threads=1)
