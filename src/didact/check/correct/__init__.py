"""Corrections: for a finding of a rule the edits that would mend it.

In come an analysis and a finding. Calls ``rules``, ``engine`` and ``findings``.
"""
