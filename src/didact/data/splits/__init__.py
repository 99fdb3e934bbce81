"""Images with labels: the split, its subsets, its seeds.

In come arrays. Calls no other room of the data.
"""
