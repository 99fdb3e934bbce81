"""Texts, tokenizers of our own, and windows of token ids.

In come names such as ``pydoc`` and ``text:PATH``. Calls ``vocabularies``; the library tokenizers is
imported when one is made or read.
"""
