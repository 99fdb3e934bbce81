"""The known forms of a loss, right and wrong, as data, and the fit of a loss to them.

In come values of a loss. Calls ``binding`` and ``inputs``.
"""
