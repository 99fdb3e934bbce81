"""What a model is, found by running it without a trace: shapes, size, the network inside wrappers.

Calls no other room of the networks.
"""
