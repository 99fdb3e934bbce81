"""What the ids of tokenizers stand for, and whether those of two models mean the same.

In come tokenizers of any library. Calls no other room.
"""
