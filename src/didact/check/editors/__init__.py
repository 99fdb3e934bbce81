"""The checker inside other tools: the language server and flake8.

In come open documents and trees. Calls ``running``, ``formats`` and the rooms of types.
"""
