"""What a teacher said of a text, on disk: captured, checked, read at random, converted.

In come a teacher and token ids. Calls ``models``, ``vocabularies`` and the losses' :class:`TopK`.
"""
