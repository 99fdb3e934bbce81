"""The checker inside other tools: the language server and flake8.

In come open documents and trees. Calls ``running``, ``formats``, ``explain`` for the rules' pages,
and the rooms of types.
"""
