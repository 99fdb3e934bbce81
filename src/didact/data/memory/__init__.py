"""Exemplars of old classes under a budget: herding, reservoir, random.

In come splits and features. Calls ``splits``.
"""
