"""What the methods stand on: the base class and its registry, samples, importance, heads.

In come batches, networks and options. Calls nothing of the methods themselves.
"""
