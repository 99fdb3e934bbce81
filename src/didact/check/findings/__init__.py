"""What a rule finds, what it is called, and the report over many files.

The lowest room: it calls no other.
"""
