"""Source text from disk: Python, notebooks, Markdown; finding files, columns, writing back.

In come paths and bytes. Calls ``findings`` for the types alone.
"""
