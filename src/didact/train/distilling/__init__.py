"""``didact distill``: teacher(s) to student over several seeds, and the student alone beside it.

In come settings, data and models. Calls ``loop`` and ``record``.
"""
