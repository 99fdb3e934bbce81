"""Distillation from several teachers: combined, weighted by confidence, routed by class.

In come logits of one student and of several teachers. Calls ``logits``, ``fast`` and ``kit``.
"""
