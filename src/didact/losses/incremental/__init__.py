"""The terms of class-incremental learning: the old model's answers on the old classes.

In come logits or features of the new and of the old model. Calls ``logits``, ``fast`` and ``kit``.
"""
