"""Parts that several models of the zoo are built from.

Calls no other room of the networks.
"""
