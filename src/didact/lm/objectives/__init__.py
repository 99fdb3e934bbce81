"""What a student of language is trained for: the next token, and what a teacher says of it.

In come a live teacher or its cache, and batches. Calls ``cache``, ``models``, ``vocabularies`` and
the losses.
"""
