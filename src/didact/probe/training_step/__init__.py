"""``didact probe --step``: a whole training step under trial, on one process or two.

In comes a function that makes the step. Calls ``output`` and the rooms below.
"""
