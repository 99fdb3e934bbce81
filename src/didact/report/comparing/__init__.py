"""Runs of either kind side by side: which are compared with which.

In come run folders. Calls ``distilling`` for the comparison itself, ``learning`` to read.
"""
