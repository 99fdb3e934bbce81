"""Sentences that every Python has: an encoder taught by a wider one."""

from didact.train import EncoderSettings


def encoder(data: str | None = None) -> EncoderSettings:
    """The sentences of the standard library's docstrings, by package: ten labels of each of twenty.

    The teacher is trained in the run, since no encoder comes with didact: a static one of a
    million parameters that learns, without labels, which sentences stand in one docstring. It is a
    stand-in for a real one; with the extra ``encoder`` there is ``--teacher minilm``, which is what
    other data begin with.

    Args:
        data: Other sentences, ``text:PATH``; the teacher is ``minilm`` then.
    """
    if data not in (None, "pydoc"):
        return EncoderSettings.build(data=data, threads=1)
    return EncoderSettings.build(teacher="static-256", threads=1)
