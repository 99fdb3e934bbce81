"""Batches as a function of seed and place; crops and flips.

In come splits. Calls ``splits``.
"""
