"""Distillation on features, maps and relations between samples.

In come features of student and teacher, layer by layer. Calls ``logits``, ``fast`` and ``kit``.
"""
