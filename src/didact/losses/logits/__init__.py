"""Distillation on the logits of one teacher: one file per paper, the formula in plain torch.

In come ``(..., classes)`` logits of student and teacher. Calls ``fast`` and ``kit``.
"""
