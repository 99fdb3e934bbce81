"""Language models of any making: read from a folder, and asked for the logits of token ids.

In come modules and functions. Calls no other room.
"""
