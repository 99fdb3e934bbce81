"""A case under trial: what the loss is, whether a law holds, what a broken law means.

In comes a bound loss. Calls ``forms``, ``binding`` and ``inputs``.
"""
