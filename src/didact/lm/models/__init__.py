"""Models of any making: read from a folder, asked for logits of token ids or vectors of sentences.

In come modules and functions. Calls no other room.
"""
