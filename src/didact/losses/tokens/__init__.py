"""Distillation of language models: a sparse teacher, the shift to the next token, fused heads.

In come ``(..., classes)`` logits or hidden states of tokens. Calls ``logits``, ``fast``, ``kit``.
"""
