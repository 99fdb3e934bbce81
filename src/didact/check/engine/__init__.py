"""The abstract interpreter: what each value of somebody's code is, and what happens to it.

In comes a syntax tree; nothing of it is run. Calls no other room; the rules read what it saw.
"""
