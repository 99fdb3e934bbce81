"""The page and the tables of ``learn`` runs.

In comes a run folder. Calls ``distilling`` for what both formats share, and ``drawing``.
"""
