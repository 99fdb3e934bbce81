"""What the user wants to hear: configuration, selection, suppression, baseline.

In come comments and settings. Calls ``files``, and ``rules`` for what their codes stand for.
"""
