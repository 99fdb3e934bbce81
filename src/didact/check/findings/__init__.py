"""What a rule finds, what it is called, and the report over many files.

In come findings. Calls the rules for their names alone.
"""
