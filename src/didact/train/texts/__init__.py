"""``didact distill --recipe text``: a language model taught by another, and alone beside it.

In come settings, texts and language models. Calls ``distilling`` for the fit of one model and the
evidence, ``loop`` and ``record``; the cache of the teacher and the texts come from ``didact.lm``.
"""
