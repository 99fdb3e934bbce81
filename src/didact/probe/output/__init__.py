"""What the probe says: tables, JSON, JUnit, the pages of laws and mistakes.

In come results. Calls ``judging`` and the rooms below.
"""
