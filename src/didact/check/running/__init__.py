"""From paths to a report: reading, analysing, fixing, over all files and cores.

In come paths and options. Calls ``wanted``, ``files``, ``rules`` and ``engine``.
"""
