"""The page, the tables and the comparison of ``distill`` runs.

In comes a run folder. Calls ``drawing``.
"""
