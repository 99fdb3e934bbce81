"""``didact distill --recipe encoder``: a sentence encoder taught by another.

In come settings, sentences and encoders. Calls ``texts`` for batches, ``distilling`` for the fit of
one model and the evidence, ``loop`` and ``record``; sentences and teachers come from ``didact.lm``.
"""
