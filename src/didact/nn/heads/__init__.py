"""Classifiers and how they grow; a network cut before its head; batch norms folded.

In come modules. Calls ``teachers`` and ``inspection``.
"""
