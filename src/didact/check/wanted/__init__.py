"""What the user wants to hear: configuration, selection, suppression, baseline.

In come comments and settings. Calls ``files`` and ``findings``.
"""
