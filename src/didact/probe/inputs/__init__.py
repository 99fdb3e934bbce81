"""Logits, labels and features that a loss is tried on, and changes of them.

Calls no other room of the probe.
"""
