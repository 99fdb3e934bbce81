"""Data by name: the registry of sources, downloads, files of the user's own.

In comes a name or a path. Calls ``splits``.
"""
